/** CRC-32 as zlib has it, for frames: short ones are done here, where the way into zlib would take longer than the sum. */
import { crc32 } from 'node:zlib'

/** Up to here this is faster (measured: 75 ns instead of 150 at 37 bytes, 135 instead of 175 at 64). */
const SHORT_BYTES_MAX = 64
const POLYNOMIAL = 0xedb8_8320

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
  return crc
})

/** Of `bytes[start, end)`, going on from `seed`. Hot path. */
export function checksum(bytes: Uint8Array, start: number, end: number, seed: number): number {
  if (end - start > SHORT_BYTES_MAX) return crc32(bytes.subarray(start, end), seed)
  let crc = ~seed
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}

/** What a checksum went on from, given all `bytes` and the result: a checksum can be undone byte by byte. */
export function seedOf(bytes: Uint8Array, result: number): number {
  let crc = ~result
  for (let at = bytes.length - 1; at >= 0; at--) {
    const index = table.findIndex((entry) => entry >>> 24 === crc >>> 24)
    crc = ((crc ^ table[index]!) << 8) | (index ^ bytes[at]!)
  }
  return ~crc >>> 0
}
