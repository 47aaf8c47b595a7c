/**
 * Reads values that `checkValue` has seen: what they are is asked, where they end is known. `…At` reads the value at an offset, `…Of` the
 * content behind a constructor that stands elsewhere, as in arrays.
 */
import { skipValue, uint32At } from '../codec/structure.ts'
import { Code, SIZED32, SIZED8, WIDTHS } from '../codec/type-codes.ts'

/** Short ASCII is put together quicker than a decoder is called. */
const LOOP_BYTES_MAX = 24

/** `ignoreBOM`: U+FEFF is a character like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Text of a string or a symbol; undefined for another value. */
export function textAt(bytes: Uint8Array, at: number): string | undefined {
  return textOf(bytes, bytes[at]!, at + 1)
}

export function textOf(bytes: Uint8Array, code: number, at: number): string | undefined {
  switch (code) {
    case Code.string8:
    case Code.symbol8:
      return decodeText(bytes, at + 1, at + 1 + bytes[at]!)
    case Code.string32:
    case Code.symbol32:
      return decodeText(bytes, at + 4, at + 4 + uint32At(bytes, at))
    default:
      return undefined
  }
}

/** UTF-8. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > LOOP_BYTES_MAX) return decoder.decode(bytes.subarray(start, end))
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte > 0x7f) return decoder.decode(bytes.subarray(start, end))
    text += String.fromCharCode(byte)
  }
  return text
}

/** A view of a binary; undefined for another value. */
export function binaryAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const code = bytes[at]!
  return code === Code.binary8 || code === Code.binary32 ? contentOf(bytes, code, at + 1) : undefined
}

/** A view of what a fixed value, a binary, a string or a symbol holds. */
export function contentOf(bytes: Uint8Array, code: number, at: number): Uint8Array {
  const width = WIDTHS[code]!
  const start = width === SIZED8 ? at + 1 : width === SIZED32 ? at + 4 : at
  return bytes.subarray(start, contentEnd(bytes, code, at))
}

/** Where the content ends. */
export function contentEnd(bytes: Uint8Array, code: number, at: number): number {
  const width = WIDTHS[code]!
  if (width === SIZED8) return at + 1 + bytes[at]!
  return width === SIZED32 ? at + 4 + uint32At(bytes, at) : at + width
}

export function booleanAt(bytes: Uint8Array, at: number): boolean | undefined {
  return booleanOf(bytes, bytes[at]!, at + 1)
}

export function booleanOf(bytes: Uint8Array, code: number, at: number): boolean | undefined {
  switch (code) {
    case Code.true:
      return true
    case Code.false:
      return false
    case Code.boolean:
      return bytes[at] === 1
    default:
      return undefined
  }
}

/** A whole number of any width, if a double can tell it from its neighbours; undefined for another value. */
export function integerAt(bytes: Uint8Array, at: number): number | undefined {
  const value = wholeOf(bytes, bytes[at]!, at + 1)
  return typeof value === 'bigint' ? undefined : value
}

/** A whole number, a timestamp included; wider ones than 53 bits are bigint. Undefined for another value. */
export function wholeOf(bytes: Uint8Array, code: number, at: number): number | bigint | undefined {
  switch (code) {
    case Code.uint0:
    case Code.ulong0:
      return 0
    case Code.ubyte:
    case Code.smallUint:
    case Code.smallUlong:
      return bytes[at]!
    case Code.byte:
    case Code.smallInt:
    case Code.smallLong:
      return (bytes[at]! << 24) >> 24
    case Code.ushort:
      return (bytes[at]! << 8) | bytes[at + 1]!
    case Code.short:
      return ((bytes[at]! << 24) | (bytes[at + 1]! << 16)) >> 16
    case Code.uint:
      return uint32At(bytes, at)
    case Code.int:
      return uint32At(bytes, at) | 0
    case Code.ulong:
      return wide(uint32At(bytes, at), uint32At(bytes, at + 4))
    case Code.long:
    case Code.timestamp:
      return wide(uint32At(bytes, at) | 0, uint32At(bytes, at + 4))
    default:
      return undefined
  }
}

function wide(high: number, low: number): number | bigint {
  const value = high * 0x1_0000_0000 + low
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low)
}

/** Elements of a list, or keys and values of a map in turn. */
export interface Elements {
  count: number
  /** Offset of the first. */
  at: number
}

const elements: Elements = { count: 0, at: 0 }

/** Of a list or a map; one object for all calls: read it at once. Nothing of another value. */
export function elementsAt(bytes: Uint8Array, at: number): Elements {
  return elementsOf(bytes, bytes[at]!, at + 1)
}

export function elementsOf(bytes: Uint8Array, code: number, at: number): Elements {
  switch (code) {
    case Code.list8:
    case Code.map8:
      elements.count = bytes[at + 1]!
      elements.at = at + 2
      break
    case Code.list32:
    case Code.map32:
      elements.count = uint32At(bytes, at + 4)
      elements.at = at + 8
      break
    default:
      elements.count = 0
      elements.at = at
  }
  return elements
}

/** Calls `take` with the offsets of each key and its value. */
export function eachEntry(bytes: Uint8Array, at: number, take: (keyAt: number, valueAt: number) => void): void {
  const { count, at: first } = elementsAt(bytes, at)
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    const valueAt = skipValue(bytes, keyAt)
    take(keyAt, valueAt)
    keyAt = skipValue(bytes, valueAt)
  }
}

/** As all write it. */
export function uuidText(bytes: Uint8Array, at: number): string {
  const hex = Buffer.from(bytes.subarray(at, at + 16)).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
