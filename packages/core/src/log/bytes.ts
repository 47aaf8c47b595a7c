/** Numbers and texts as bytes of a record, big endian. A DataView for each record would cost more than what is written. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)

const encoder = new TextEncoder()
/** `ignoreBOM`: U+FEFF at the start of a name is part of it. [MQTT5-1.5.4-3] */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text)
}

export function utf8Text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

export function putFloat64(target: Uint8Array, at: number, value: number): void {
  scratch.setFloat64(0, value)
  for (let index = 0; index < 8; index++) target[at + index] = scratchBytes[index]!
}

export function getUint32(source: Uint8Array, at: number): number {
  return ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0
}

export function getUint16(source: Uint8Array, at: number): number {
  return (source[at]! << 8) | source[at + 1]!
}

export function putUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

export function putUint16(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 8
  target[at + 1] = value
}
