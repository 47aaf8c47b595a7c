import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyBytes, keep, keepInRun, kept } from './arena.ts'

/** What `keep` was given and where it said that it put it. */
interface Kept {
  readonly bytes: Uint8Array
  readonly start: number
  readonly expected: Uint8Array
}

function keepCopy(source: Uint8Array, start: number, end: number, way = keep): Kept {
  const expected = Uint8Array.prototype.slice.call(source, start, end)
  way(source, start, end)
  return { bytes: kept.bytes, start: kept.start, expected }
}

function isIntact({ bytes, start, expected }: Kept): boolean {
  return Buffer.compare(bytes.subarray(start, start + expected.length), expected) === 0
}

test('kept bytes never overlap and survive the reuse of the buffer they came from, at every size', () => {
  const sizes = fc.oneof(
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 4_000, max: 4_200 }),
    fc.constantFrom(0, 1, 48, 49, 4_095, 4_096, 16_383, 16_384, 16_385, 65_536),
  )
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 60 }), (wanted) => {
      // A Buffer, because the network hands out Buffers, and their `slice` copies nothing.
      const readBuffer = Buffer.alloc(70_000)
      const all = wanted.map((size, index) => {
        const start = index % 5
        readBuffer.fill(index + 1, start, start + size)
        const one = keepCopy(readBuffer, start, start + size, index % 3 === 0 ? keepInRun : keep)
        readBuffer.fill(0xee)
        return one
      })
      expect(all.map(isIntact)).toEqual(all.map(() => true))
    }),
    { numRuns: 50 },
  )
})

test('a message of 4 KiB or more in a Buffer is copied, not sliced', () => {
  const readBuffer = Buffer.alloc(8_192, 1)
  keep(readBuffer, 100, 100 + 4_096)
  const { bytes, start } = kept
  readBuffer.fill(2)
  expect(bytes[start]).toBe(1)
  expect(bytes.buffer).not.toBe(readBuffer.buffer)
  expect(bytes.buffer.byteLength).toBe(4_096)
})

test('small messages share a block, and a block is never larger than 16 KiB', () => {
  const source = new Uint8Array(1_000)
  const blocks = new Set<ArrayBufferLike>()
  for (let count = 0; count < 64; count++) {
    keep(source, 0, 1_000)
    blocks.add(kept.bytes.buffer)
    expect(kept.bytes.buffer.byteLength).toBe(16_384)
    expect(kept.start + 1_000).toBeLessThanOrEqual(16_384)
  }
  expect(blocks.size).toBeLessThanOrEqual(5)
})

test('a block is filled to its last byte and not beyond', () => {
  // 16,384 is no multiple of 5: the last message of a block that is one byte too many would lose that byte.
  for (let count = 0; count < 10_000; count++) {
    const value = (count % 255) + 1
    keep(new Uint8Array(5).fill(value), 0, 5)
    expect(kept.bytes[kept.start + 4]).toBe(value)
  }
})

test('messages kept in a run lie one behind the other, so that they leave in one piece', () => {
  const source = new Uint8Array(100)
  keepInRun(source, 0, 100)
  const first = { ...kept }
  keepInRun(source, 0, 50)
  // A run may begin anew between the two; then the second one is at its start.
  const isNext = kept.bytes === first.bytes && kept.start === first.start + 100
  expect(isNext || kept.start === 0).toBe(true)
})

test('copyBytes gives the same result on both sides of its loop limit', () => {
  for (const size of [0, 1, 47, 48, 49, 50, 500]) {
    const source = Uint8Array.from({ length: size + 4 }, (_, index) => index & 0xff)
    const target = new Uint8Array(size + 10).fill(0xff)
    copyBytes(source, 2, 2 + size, target, 5)
    expect([...target.subarray(5, 5 + size)]).toEqual([...source.subarray(2, 2 + size)])
    expect([...target.subarray(0, 5)]).toEqual([0xff, 0xff, 0xff, 0xff, 0xff])
    expect([...target.subarray(5 + size)]).toEqual([0xff, 0xff, 0xff, 0xff, 0xff])
  }
})
