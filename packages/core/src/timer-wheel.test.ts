import { MovableClock, VirtualClock } from '@ternmq/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TimerWheel, type WheelEntry } from './timer-wheel.ts'

const TICK_MS = 100

class Entry implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1
  readonly #clock: VirtualClock
  readonly dueAt: number[] = []
  /** What it does when its time has come, besides writing it down. */
  whenDue: () => void = () => undefined

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  onDue(): void {
    this.dueAt.push(this.#clock.monoMs())
    this.whenDue()
  }
}

function setUp(): { clock: VirtualClock; wheel: TimerWheel; entry: () => Entry } {
  const clock = new VirtualClock()
  return { clock, wheel: new TimerWheel(clock, TICK_MS), entry: () => new Entry(clock) }
}

test('an entry is due after its delay and at most two ticks later, whatever the delay and the phase of the wheel', () => {
  const schedule = fc.array(
    fc.record({ afterMs: fc.integer({ min: 0, max: 500 }), delayMs: fc.integer({ min: 0, max: 60_000 }) }),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(schedule, (steps) => {
      const { clock, wheel, entry } = setUp()
      const added = steps.map(({ afterMs, delayMs }) => {
        clock.advance(afterMs)
        const one = entry()
        wheel.add(one, delayMs)
        return { one, earliest: clock.monoMs() + delayMs }
      })
      clock.advance(70_000)
      for (const { one, earliest } of added) {
        expect(one.dueAt).toHaveLength(1)
        expect(one.dueAt[0]).toBeGreaterThanOrEqual(earliest)
        expect(one.dueAt[0]).toBeLessThanOrEqual(earliest + 2 * TICK_MS)
        expect(one.wheelTick).toBe(-1)
      }
      clock.advance(2 * TICK_MS)
      expect(clock.timerCount).toBe(0)
    }),
    { numRuns: 100 },
  )
})

test('adding, moving and removing in any order calls exactly who still waits, once', () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 4 }),
    what: fc.constantFrom('add', 'remove', 'pass'),
    ms: fc.integer({ min: 0, max: 40_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, wheel, entry } = setUp()
      const entries = Array.from({ length: 5 }, entry)
      const waitsUntil = new Map<Entry, number>()
      for (const { who, what, ms } of steps) {
        const one = entries[who]!
        if (what === 'add') {
          wheel.add(one, ms)
          waitsUntil.set(one, clock.monoMs() + ms)
        } else if (what === 'remove') {
          wheel.remove(one)
          waitsUntil.delete(one)
        } else {
          clock.advance(ms)
        }
        for (const [waiting, atMs] of waitsUntil) {
          const due = waiting.dueAt.shift()
          if (due === undefined) {
            expect(clock.monoMs()).toBeLessThan(atMs + 2 * TICK_MS)
          } else {
            expect(due).toBeGreaterThanOrEqual(atMs)
            waitsUntil.delete(waiting)
          }
        }
        for (const other of entries) expect(other.dueAt).toEqual([])
      }
    }),
    { numRuns: 200 },
  )
})

test('an entry that adds itself again when it is due comes again, forever', () => {
  const { clock, wheel, entry } = setUp()
  const one = entry()
  one.whenDue = () => wheel.add(one, 1_000)
  wheel.add(one, 1_000)
  clock.advance(10_000)
  expect(one.dueAt.length).toBeGreaterThanOrEqual(8)
  expect(one.dueAt.every((atMs, index) => index === 0 || atMs - one.dueAt[index - 1]! >= 1_000)).toBe(true)
})

test('an entry that is removed by another one of the same moment is not called', () => {
  const { clock, wheel, entry } = setUp()
  const [first, second] = [entry(), entry()]
  first.whenDue = () => wheel.remove(second)
  second.whenDue = () => wheel.remove(first)
  wheel.add(first, 500)
  wheel.add(second, 500)
  clock.advance(1_000)
  expect(first.dueAt.length + second.dueAt.length).toBe(1)
})

test('an entry that is moved by another one of the same moment is called at its new time only', () => {
  const { clock, wheel, entry } = setUp()
  const [first, second] = [entry(), entry()]
  first.whenDue = () => wheel.add(second, 5_000)
  second.whenDue = () => wheel.add(first, 5_000)
  wheel.add(first, 500)
  wheel.add(second, 500)
  clock.advance(1_000)
  expect(first.dueAt.length + second.dueAt.length).toBe(1)
  first.whenDue = second.whenDue = () => undefined
  clock.advance(6_000)
  expect(first.dueAt.length + second.dueAt.length).toBe(2)
})

test('an entry whose onDue throws does not lose the others', () => {
  const { clock, wheel, entry } = setUp()
  const entries = Array.from({ length: 3 }, entry)
  for (const one of entries) wheel.add(one, 500)
  entries[1]!.whenDue = () => {
    throw new Error('a fault')
  }
  expect(() => clock.advance(1_000)).toThrow('a fault')
  clock.advance(60_000)
  expect(entries.map(({ dueAt }) => dueAt.length)).toEqual([1, 1, 1])
})

test('the clock is wound only while somebody waits', () => {
  const { clock, wheel, entry } = setUp()
  expect(clock.timerCount).toBe(0)
  const one = entry()
  wheel.add(one, 300)
  expect(clock.timerCount).toBe(1)
  wheel.remove(one)
  clock.advance(2 * TICK_MS)
  expect(clock.timerCount).toBe(0)
  wheel.remove(one)
  wheel.add(one, 300)
  clock.advance(1_000)
  expect(one.dueAt).toHaveLength(1)
})

test('a closed wheel calls nobody, and adding and removing after it do nothing', () => {
  const { clock, wheel, entry } = setUp()
  const [first, second, late] = [entry(), entry(), entry()]
  wheel.add(first, 500)
  wheel.add(second, 500)
  wheel.close()
  expect(clock.timerCount).toBe(0)
  wheel.remove(first)
  wheel.add(late, 100)
  expect(clock.timerCount).toBe(0)
  clock.advance(60_000)
  expect([first, second, late].flatMap(({ dueAt }) => dueAt)).toEqual([])
})

test('an entry may close the wheel', () => {
  const { clock, wheel, entry } = setUp()
  const [first, second] = [entry(), entry()]
  first.whenDue = second.whenDue = () => wheel.close()
  wheel.add(first, 500)
  wheel.add(second, 500)
  clock.advance(60_000)
  expect(first.dueAt.length + second.dueAt.length).toBe(1)
  expect(clock.timerCount).toBe(0)
})

test('ticks count while the wheel turns', () => {
  const { clock, wheel, entry } = setUp()
  wheel.add(entry(), 1_000)
  clock.advance(550)
  expect(wheel.tick).toBe(5)
})

test('time that jumps finds each entry at its tick, and does not count the ticks between one by one', async () => {
  const clock = new MovableClock()
  let runs = 0
  const every = clock.every.bind(clock)
  clock.every = (intervalMs, f, idleCount) => {
    const counted = (intervals: number): void => {
      runs++
      f(intervals)
    }
    return every(intervalMs, counted, idleCount)
  }
  const wheel = new TimerWheel(clock, 500)
  const seen: [name: string, atMs: number, tick: number][] = []
  const delaysMs = { 'two minutes': 120_000, 'two minutes, too': 120_000, 'a day': 86_400_000, 'ten days': 864_000_000 }
  for (const [name, delayMs] of Object.entries(delaysMs)) {
    wheel.add(entryWith(() => void seen.push([name, clock.monoMs(), wheel.tick])), delayMs)
  }
  await clock.advance('30d')
  expect(seen.map(([name]) => name).toSorted()).toEqual(Object.keys(delaysMs).toSorted())
  for (const [name, atMs, tick] of seen) {
    const delayMs = delaysMs[name as keyof typeof delaysMs]
    expect(atMs).toBeGreaterThanOrEqual(delayMs)
    expect(atMs).toBeLessThanOrEqual(delayMs + 1_000)
    expect(tick * 500).toBe(atMs)
  }
  expect(runs).toBeLessThan(30_000)
  expect(clock.timerCount).toBe(0)
})

function entryWith(onDue: () => void): WheelEntry {
  return { wheelPrevious: undefined, wheelNext: undefined, wheelTick: -1, onDue }
}
