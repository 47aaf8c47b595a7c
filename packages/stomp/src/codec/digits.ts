/** Decimal numbers in bytes. */

/** More digits than any number of bytes here has. */
const DIGITS_MAX = 15

/** The number that is exactly `bytes[start, end)`: digits only, at least one. -1 when it is none, or longer than 15 digits. */
export function parseDigits(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > DIGITS_MAX) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Digits that a whole number of up to 15 digits has. Hot path. */
export function digitCount(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1_000) return 3
  if (value < 10_000) return 4
  if (value < 100_000) return 5
  if (value < 1_000_000) return 6
  let count = 6
  for (let bound = 1_000_000; value >= bound; bound *= 10) count++
  return count
}

/** Writes the digits of `value` so that they end before `end`. Hot path. */
export function writeDigitsBefore(target: Uint8Array, end: number, value: number): void {
  let left = value
  let at = end
  // Whole numbers beyond 32 bits are divided in floating point, once.
  while (left > 0x7fff_ffff) {
    const tenth = Math.floor(left / 10)
    target[--at] = 0x30 + left - tenth * 10
    left = tenth
  }
  do {
    const tenth = (left / 10) | 0
    target[--at] = 0x30 + left - tenth * 10
    left = tenth
  } while (left > 0)
}
