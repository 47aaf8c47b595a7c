import { expect, test } from 'vitest'
import { MovableClock } from './movable-clock.ts'

test('time stands still until it is moved, and then each timer sees its own moment, in order', async () => {
  const clock = new MovableClock()
  const seen: [string, number][] = []
  const note = (name: string) => (): void => void seen.push([name, clock.monoMs()])
  clock.after(60_000, note('minute'))
  clock.after(1_000, note('second'))
  clock.after(1_000, note('second too'))
  clock.after(1_860_001, note('too late'))
  const wallMs = clock.wallMs()
  await clock.advance('31m')
  expect(seen).toEqual([
    ['second', 1_000],
    ['second too', 1_000],
    ['minute', 60_000],
  ])
  expect(clock.monoMs()).toBe(1_860_000)
  expect(clock.wallMs() - wallMs).toBe(1_860_000)
  expect(clock.timerCount).toBe(1)
})

test('what a timer leaves for the end of the turn is done before the next timer', async () => {
  const clock = new MovableClock()
  const order: string[] = []
  clock.after(10, () => {
    order.push('first')
    clock.flush(() => order.push('flushed'))
    clock.endOfTurn(() => order.push('end of turn'))
  })
  clock.after(11, () => order.push('second'))
  await clock.advance(11)
  expect(order).toEqual(['first', 'end of turn', 'flushed', 'second'])
})

test('turns end and work without delay runs although nobody moves time', async () => {
  const clock = new MovableClock()
  await new Promise<void>((resolve) => {
    clock.endOfTurn(resolve)
  })
  await new Promise<void>((resolve) => {
    clock.after(0, resolve)
  })
  expect(clock.monoMs()).toBe(0)
})

test('a timer set on the way runs on the way, and one that is cancelled does not', async () => {
  const clock = new MovableClock()
  let ticks = 0
  const tick = (): void => {
    ticks++
    clock.after(1_000, tick)
  }
  clock.after(1_000, tick)
  const cancel = clock.after(5_000, () => expect.unreachable())
  cancel()
  await clock.advance('10s')
  expect(ticks).toBe(10)
})
