/**
 * `checkValue` for lists and maps as nearly all messages have them: short, with values that are not nested. Whatever else is found is given
 * to `checkValue`, which says what is wrong with it.
 */
import { checkValue } from '../codec/structure.ts'
import { Code, WIDTHS } from '../codec/type-codes.ts'

/** Longer text is looked at by a call. */
const SHORT_TEXT_BYTES = 64
/** Widest value of a fixed width. */
const FIXED_BYTES_MAX = 16

/** Offset behind the value at `at`, which ends before or at `end`. Throws as `checkValue`. Hot path. */
export function checkFlat(bytes: Uint8Array, at: number, end: number, what: string): number {
  const code = bytes[at]!
  const flatEnd = at + 2 + bytes[at + 1]!
  if ((code !== Code.list8 && code !== Code.map8) || flatEnd > end || flatEnd < at + 3)
    return checkValue(bytes, at, end, what)
  const count = bytes[at + 2]!
  if (code === Code.map8 && count % 2 !== 0) return checkValue(bytes, at, end, what)
  let itemAt = at + 3
  for (let left = count; left > 0; left--) itemAt = checkItem(bytes, itemAt, flatEnd, what)
  return itemAt === flatEnd ? flatEnd : checkValue(bytes, at, end, what)
}

/** Of a value that is often not nested. Hot path. */
export function checkItem(bytes: Uint8Array, at: number, end: number, what: string): number {
  const code = bytes[at]!
  const width = WIDTHS[code]!
  if (width <= FIXED_BYTES_MAX) {
    if (at + 1 + width <= end && code !== Code.boolean && code !== Code.char) return at + 1 + width
  } else if (code === Code.string8 || code === Code.symbol8) {
    const size = bytes[at + 1]!
    const textEnd = at + 2 + size
    if (size <= SHORT_TEXT_BYTES && textEnd <= end && isAscii(bytes, at + 2, textEnd)) return textEnd
  }
  return checkValue(bytes, at, end, what)
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let bits = 0
  for (let at = start; at < end; at++) bits |= bytes[at]!
  return bits <= 0x7f
}
