/** Values as texts: whole numbers, truth, and bytes where a protocol has text only. */

/** Before bytes in base64, where a correlation id that is no text has to be one. */
const BASE64_PREFIX = 'base64:'

/** Digits of the largest number that is exact. */
const DIGITS_MAX = 16

/** A whole number in decimal, nothing else around it; undefined for what is none between `min` and `max`. */
export function wholeNumber(text: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text.length > DIGITS_MAX + 1 || !/^-?[0-9]+$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value + 0 : undefined
}

/** `true` and `false` in any case: Python writes them with a capital. */
export function truth(text: string): boolean | undefined {
  const lower = text.length <= 5 ? text.toLowerCase() : ''
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as the text that they are; in base64 when they are none, hold U+0000, or would be taken for base64. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = utf8(bytes)
  if (text !== undefined && !text.includes('\0') && !text.startsWith(BASE64_PREFIX)) return text
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return BASE64_PREFIX + btoa(binary)
}

/** The way back: `bytesOfText(textOfBytes(bytes))` are the bytes. A text that only begins like base64 is a text. */
export function bytesOfText(text: string): Uint8Array {
  if (!text.startsWith(BASE64_PREFIX)) return encoder.encode(text)
  const encoded = text.slice(BASE64_PREFIX.length)
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return encoder.encode(text)
  const binary = atob(encoded)
  if (btoa(binary) !== encoded) return encoder.encode(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index)
  return bytes
}

/** Whether the text has at most so many bytes in UTF-8; most texts are known to be short without being encoded. */
export function fitsBytes(text: string, max: number): boolean {
  return text.length * UTF8_BYTES_PER_UNIT_MAX <= max || encoder.encode(text).length <= max
}

const UTF8_BYTES_PER_UNIT_MAX = 3

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined // not UTF-8
  }
}
