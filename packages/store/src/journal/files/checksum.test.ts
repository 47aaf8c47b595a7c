import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from 'node:zlib'
import { checksum, seedOf } from './checksum.ts'

test('a checksum is that of zlib, whatever the length, the place and what it goes on from', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 0xffff_ffff }), (all, one, other, seed) => {
      const [start, end] = [one % all.length, other % all.length].sort((a, b) => a - b) as [number, number]
      expect(checksum(all, start, end, seed)).toBe(crc32(all.subarray(start, end), seed))
    }),
  )
})

test.each([0, 63, 64, 65, 1_024])('%i bytes have the checksum of zlib', (length) => {
  const bytes = Uint8Array.from({ length }, (_, index) => index * 37)
  expect(checksum(bytes, 0, length, 0)).toBe(crc32(bytes))
})

test('what a checksum went on from can be found from the bytes and the result', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 0xffff_ffff }), (bytes, seed) => {
      expect(seedOf(bytes, crc32(bytes, seed))).toBe(seed)
    }),
  )
})
