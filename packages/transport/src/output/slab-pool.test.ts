import { expect, test } from 'vitest'

import { SLAB_BYTES, slabClassFor, SlabPool } from './slab-pool.ts'

test('a slab given back is the next one taken of its class', () => {
  const pool = new SlabPool()
  const slab = pool.take(1, 10)
  expect(slab.length).toBe(SLAB_BYTES[1])
  pool.give(slab)
  expect(pool.idleBytes).toBe(slab.length)
  expect(pool.take(0, 10)).not.toBe(slab)
  expect(pool.take(1, 10)).toBe(slab)
  expect(pool.idleBytes).toBe(0)
})

test('a packet larger than the largest class gets memory of its own size, which is not kept', () => {
  const pool = new SlabPool()
  const slab = pool.take(2, 1_000_000)
  expect(slab.length).toBe(1_000_000)
  pool.give(slab)
  expect(pool.idleBytes).toBe(0)
})

test('the pool keeps at most 16 MiB, whatever burst it has seen', () => {
  const pool = new SlabPool()
  for (const [sizeClass, bytes] of SLAB_BYTES.entries()) {
    const burst = Array.from({ length: (64 * 1024 * 1024) / bytes / 2 }, () => pool.take(sizeClass, 1))
    for (const slab of burst) pool.give(slab)
  }
  expect(pool.idleBytes).toBe(16 * 1024 * 1024)
})

test('the class for a size is the smallest that holds it', () => {
  expect([0, 2048, 2049, 16_384, 16_385, 131_072, 131_073].map(slabClassFor)).toEqual([0, 0, 1, 1, 2, 2, 2])
})
