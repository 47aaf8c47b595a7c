import fc from 'fast-check'
import { virtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import type { Cancel } from '../env.ts'
import { DISPATCH_BATCH_MAX } from '../limits.ts'
import { Delays } from './delays.ts'

test('each comes at its time, and those of one moment in the order of their positions', () => {
  const { clock } = virtualEnv()
  const seen: [nowMs: number, priority: number, position: number][] = []
  const startMs = clock.monoMs()
  const delays = new Delays(clock, (priority, position) => void seen.push([clock.monoMs() - startMs, priority, position]))
  delays.add(500, 4, 3)
  delays.add(100, 9, 2)
  delays.add(500, 4, 1)
  clock.advance(99)
  expect(seen).toEqual([])
  clock.advance(1)
  expect(seen).toEqual([[100, 9, 2]])
  clock.advance(1_000)
  expect(seen.slice(1)).toEqual([
    [500, 4, 1],
    [500, 4, 3],
  ])
  expect([delays.count, clock.timerCount]).toEqual([0, 0])
})

test('however many there are and however they come, each is due once, never early, with one timer for all', () => {
  const step = fc.record({ delayMs: fc.integer({ min: 1, max: 50 }), passMs: fc.integer({ min: 0, max: 10 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { clock } = virtualEnv()
      const dueAtMs: number[] = []
      const seen: number[] = []
      const delays = new Delays(clock, (_priority, position) => {
        expect(clock.monoMs()).toBe(dueAtMs[position])
        seen.push(position)
      })
      for (const [position, { delayMs, passMs }] of steps.entries()) {
        dueAtMs.push(clock.monoMs() + delayMs)
        delays.add(delayMs, 4, position)
        expect(clock.timerCount).toBe(1)
        clock.advance(passMs)
      }
      clock.advance(100)
      expect(seen.toSorted((one, other) => one - other)).toEqual(steps.map((_, index) => index))
      expect([delays.count, clock.timerCount]).toEqual([0, 0])
    }),
  )
})

test('what comes back at once while others are handed over waits for its own time', () => {
  const { clock } = virtualEnv()
  const seen: number[] = []
  const delays = new Delays(clock, (_priority, position) => {
    seen.push(position)
    if (seen.length < 4) delays.add(10, 4, position)
  })
  delays.add(10, 4, 7)
  clock.advance(30)
  expect(seen).toEqual([7, 7, 7])
  clock.advance(100)
  expect(seen).toEqual([7, 7, 7, 7])
})

test('many that are due together leave others their turn', () => {
  const { clock } = virtualEnv()
  let count = 0
  const perTimer: number[] = []
  const after = (delayMs: number, f: () => void): Cancel =>
    clock.after(delayMs, () => {
      const before = count
      f()
      perTimer.push(count - before)
    })
  const delays = new Delays({ monoMs: () => clock.monoMs(), after }, () => void count++)
  for (let position = 0; position < 10_000; position++) delays.add(5, 4, position)
  clock.advance(5)
  expect(perTimer).toEqual([DISPATCH_BATCH_MAX, DISPATCH_BATCH_MAX, 10_000 - 2 * DISPATCH_BATCH_MAX])
})

test('closed, it has no timer and nothing is due', () => {
  const { clock } = virtualEnv()
  const delays = new Delays(clock, () => expect.unreachable())
  delays.add(5, 4, 1)
  delays.close()
  expect(clock.timerCount).toBe(0)
  clock.advance(10)
})

test('the first can be taken before its time', () => {
  const { clock } = virtualEnv()
  const taken: number[] = []
  const delays = new Delays(clock, () => expect.unreachable())
  for (const [position, delayMs] of [30, 10, 20].entries()) delays.add(delayMs, 4, position)
  while (delays.takeFirst((_priority, position) => void taken.push(position)));
  expect(taken).toEqual([1, 2, 0])
  clock.advance(100)
})
