import { virtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { PIECE_ITEMS_MAX, Pieces } from './pieces.ts'

const items = Array.from({ length: 2 * PIECE_ITEMS_MAX + 1 }, (_, index) => index)

/** All that goes without time or another turn. */
async function untilItRests(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

test('others have a turn between two pieces, and the result is that of one piece', async () => {
  const { clock } = virtualEnv()
  const seen: number[] = []
  const mapped = new Pieces(clock).map(items, (item, index) => {
    seen.push(item)
    return item + index
  })
  const counts: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    await untilItRests()
    counts.push(seen.length)
    clock.settle()
  }
  expect(counts).toEqual([PIECE_ITEMS_MAX, 2 * PIECE_ITEMS_MAX, items.length])
  expect(await mapped).toEqual(items.map((item) => 2 * item))
})

test('a piece of few items that take long ends early', async () => {
  const { clock } = virtualEnv()
  let nowMs = 0
  let restCount = 0
  const slow = {
    monoMs: () => nowMs,
    after: (delayMs: number, f: () => void) => {
      restCount++
      return clock.after(delayMs, f)
    },
  }
  const done = new Pieces(slow).map([1, 2, 3], () => (nowMs += 5))
  for (let turn = 0; turn < 3; turn++) {
    await untilItRests()
    clock.settle()
  }
  expect([await done, restCount]).toEqual([[5, 10, 15], 1])
})

test('what the work throws ends it', async () => {
  const { clock } = virtualEnv()
  const failing = new Pieces(clock).map([1], () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
})
