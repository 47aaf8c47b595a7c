import { expect, test } from 'vitest'

import { READ_BUFFER_BYTES, ReadBuffers } from './read-buffers.ts'

test('memory is used again once it was given back, and not before', () => {
  const buffers = new ReadBuffers()
  const first = buffers.take(100)
  const second = buffers.take(READ_BUFFER_BYTES)
  expect([first.length, second.length]).toEqual([100, READ_BUFFER_BYTES])
  expect(second.buffer).not.toBe(first.buffer)
  buffers.giveBack(first)
  const third = buffers.take(7)
  expect([third.length, third.buffer]).toEqual([7, first.buffer])
})

test('reads that come while all buffers are lent, and larger ones, have memory of their own size', () => {
  const buffers = new ReadBuffers()
  const lent = [buffers.take(1), buffers.take(1)]
  const others = [10, READ_BUFFER_BYTES].map((bytes) => buffers.take(bytes))
  expect(others.map(({ buffer }) => buffer.byteLength)).toEqual([10, READ_BUFFER_BYTES])
  for (const memory of [...lent, ...others]) buffers.giveBack(memory)
  const again = [buffers.take(1), buffers.take(1), buffers.take(1)]
  expect(again.map(({ buffer }) => lent.some((memory) => memory.buffer === buffer))).toEqual([true, true, false])
  buffers.giveBack(again[0]!)
  expect(buffers.take(READ_BUFFER_BYTES + 1).buffer.byteLength).toBe(READ_BUFFER_BYTES + 1)
})
