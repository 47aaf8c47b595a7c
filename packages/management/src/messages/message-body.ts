/** Bodies for people and scripts: text where they are text, JSON where they are JSON, base64 where they are anything else. */
import { isUtf8 } from 'node:buffer'
import type { MessageBody } from '@ternmq/api'

export const BODY_BYTES_DEFAULT = 65_536

/** The whole body is looked at to say what it is, and the first `bytesMax` bytes are given; of a text no half character. */
export function bodyOf(bytes: Uint8Array, bytesMax: number = BODY_BYTES_DEFAULT): MessageBody {
  const truncated = bytes.length > bytesMax
  if (!isUtf8(bytes)) {
    const shown = truncated ? bytes.subarray(0, bytesMax) : bytes
    return { encoding: 'base64', value: bufferOf(shown).toString('base64'), bytes: bytes.length, truncated }
  }
  const value = bufferOf(truncated ? bytes.subarray(0, characterEnd(bytes, bytesMax)) : bytes).toString('utf8')
  return { encoding: !truncated && isJson(value) ? 'json' : 'text', value, bytes: bytes.length, truncated }
}

/** The last place up to `end` at which a character ends; the bytes are UTF-8. */
function characterEnd(bytes: Uint8Array, end: number): number {
  let at = end
  while (at > 0 && (bytes[at]! & 0xc0) === 0x80) at--
  return at
}

/** An object or array: a lone number or word is a text to whoever looks at it. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // it only begins like JSON
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
