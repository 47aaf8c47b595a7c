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

/** Counts what repeats itself, and notes when it ran first and last. */
function repeating(clock: MovableClock, isSeen: () => boolean) {
  const runs: number[] = []
  const cancel = clock.every(10_000, () => void runs.push(clock.monoMs()), () => (isSeen() ? 0 : Infinity))
  return { runs, cancel }
}

const YEAR_MS = 365 * 24 * 60 * 60 * 1_000

test('what repeats itself and nobody sees runs twice in a year: after what has happened, and before what happens next', async () => {
  const clock = new MovableClock()
  const { runs } = repeating(clock, () => false)
  await clock.advance(YEAR_MS)
  expect(runs).toEqual([10_000, YEAR_MS])
  clock.after(35_000, () => {})
  await clock.advance(100_000)
  expect(runs.slice(2).map((atMs) => atMs - YEAR_MS)).toEqual([10_000, 30_000, 40_000, 100_000])
})

test('as long as somebody sees it, it runs every time', async () => {
  const clock = new MovableClock()
  const seen = { is: true }
  const { runs } = repeating(clock, () => seen.is)
  clock.after(55_000, () => (seen.is = false))
  await clock.advance(200_000)
  expect(runs).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 200_000])
})

test('what is cancelled repeats no more, also by itself', async () => {
  const clock = new MovableClock()
  const { runs, cancel } = repeating(clock, () => true)
  const own = clock.every(4_000, () => own(), () => 0)
  expect(clock.timerCount).toBe(2)
  await clock.advance(25_000)
  expect([runs, clock.timerCount]).toEqual([[10_000, 20_000], 1])
  cancel()
  await clock.advance(25_000)
  expect([runs.length, clock.timerCount]).toEqual([2, 0])
})

test('two that repeat themselves see time go forwards', async () => {
  const clock = new MovableClock()
  const seen: number[] = []
  for (const intervalMs of [7_000, 3_000]) clock.every(intervalMs, () => void seen.push(clock.monoMs()), () => Infinity)
  await clock.advance(1_000_000)
  expect(seen).toEqual(seen.toSorted((one, other) => one - other))
  expect(seen.length).toBeLessThan(8)
})

test('no more is left out than nobody misses, and it is told how much that was', async () => {
  const clock = new MovableClock()
  const runs: [atMs: number, intervals: number][] = []
  clock.every(1_000, (intervals) => void runs.push([clock.monoMs(), intervals]), () => 4)
  await clock.advance(13_000)
  expect(runs).toEqual([
    [1_000, 1],
    [6_000, 5],
    [11_000, 5],
    [13_000, 2],
  ])
})
