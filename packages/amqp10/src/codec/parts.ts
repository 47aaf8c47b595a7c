/** Parts of values that `checkValue` has seen, by the offset of their constructor. */
import { skipValue, uint32At } from './structure.ts'
import { Code, SIZED8, WIDTHS } from './type-codes.ts'

/** `ignoreBOM`: U+FEFF is a character like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function isString(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === Code.string8 || bytes[at] === Code.string32
}

export function isSymbol(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === Code.symbol8 || bytes[at] === Code.symbol32
}

export function isBinary(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === Code.binary8 || bytes[at] === Code.binary32
}

/** Of a string or a symbol. */
export function textAt(bytes: Uint8Array, at: number): string {
  return decoder.decode(contentAt(bytes, at))
}

/** Of a string, a symbol or a binary, where it lies. */
export function contentAt(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at + (WIDTHS[bytes[at]!] === SIZED8 ? 2 : 5), skipValue(bytes, at))
}

/** In memory of its own; a Buffer's `slice` would be none. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

export type PairOffsets = readonly [keyAt: number, valueAt: number]

/** Of a map; undefined where there is none. */
export function pairsAt(bytes: Uint8Array, at: number): readonly PairOffsets[] | undefined {
  const code = bytes[at]!
  if (code !== Code.map8 && code !== Code.map32) return undefined
  const pairs: PairOffsets[] = []
  let keyAt = at + (code === Code.map8 ? 3 : 9)
  for (let left = code === Code.map8 ? bytes[at + 2]! : uint32At(bytes, at + 5); left > 0; left -= 2) {
    const valueAt = skipValue(bytes, keyAt)
    pairs.push([keyAt, valueAt])
    keyAt = skipValue(bytes, valueAt)
  }
  return pairs
}
