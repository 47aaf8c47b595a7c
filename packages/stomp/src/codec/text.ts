/** Octets of headers as strings, and back. */

/** Short ASCII is put together quicker than a decoder is called. */
const LOOP_BYTES_MAX = 24

/** `ignoreBOM`: U+FEFF is a character like any other. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** `bytes[start, end)`, which is valid UTF-8; `isAscii` when it is known to be ASCII. Hot path. */
export function decode(bytes: Uint8Array, start: number, end: number, isAscii: boolean): string {
  if (!isAscii || end - start > LOOP_BYTES_MAX) return decoder.decode(bytes.subarray(start, end))
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!)
  return text
}

/** Any octets; what is no UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** UTF-8, in memory of its own, unlike a Buffer's. Half surrogate pairs become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Space or tab. */
export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09
}
