import { expect, test } from 'vitest'

import { SeededRandom, VirtualClock } from './virtual-clock.ts'

test('timers run at their moment, in order of time and then of setting', () => {
  const clock = new VirtualClock()
  const ran: [string, number][] = []
  clock.after(20, () => ran.push(['b', clock.monoMs()]))
  clock.after(10, () => ran.push(['a', clock.monoMs()]))
  clock.after(20, () => ran.push(['c', clock.monoMs()]))
  clock.after(31, () => ran.push(['late', clock.monoMs()]))
  clock.advance(30)
  expect(ran).toEqual([
    ['a', 10],
    ['b', 20],
    ['c', 20],
  ])
  expect(clock.monoMs()).toBe(30)
  expect(clock.timerCount).toBe(1)
})

test('a timer set by a timer runs in the same advance when it is due', () => {
  const clock = new VirtualClock()
  const ran: number[] = []
  const tick = (): void => {
    ran.push(clock.monoMs())
    clock.after(10, tick)
  }
  clock.after(10, tick)
  clock.advance(35)
  expect(ran).toEqual([10, 20, 30])
})

test('a cancelled timer does not run, and cancelling twice is harmless', () => {
  const clock = new VirtualClock()
  let ran = false
  const cancel = clock.after(1, () => {
    ran = true
  })
  cancel()
  cancel()
  clock.advance(10)
  expect(ran).toBe(false)
})

test('wall time and monotonic time move together, from a start that is not zero', () => {
  const clock = new VirtualClock()
  const startMs = clock.wallMs()
  clock.advance(1234)
  expect(clock.wallMs() - startMs).toBe(1234)
  expect(startMs).toBeGreaterThan(1_000_000_000_000)
})

test('a turn takes input first, then ends, then flushes', () => {
  const clock = new VirtualClock()
  const ran: string[] = []
  clock.flush(() => ran.push('flush'))
  clock.endOfTurn(() => ran.push('end'))
  clock.input(() => ran.push('input'))
  clock.turn()
  expect(ran).toEqual(['input', 'end', 'flush'])
})

test('work that wakes itself for ever is reported, not waited for', () => {
  const clock = new VirtualClock()
  const again = (): void => clock.input(again)
  again()
  expect(() => clock.settle()).toThrow('still busy after 10000 turns')
})

test('it is idle while nothing but later timers waits', () => {
  const clock = new VirtualClock()
  clock.after(10, () => {})
  expect(clock.isIdle).toBe(true)
  for (const add of [() => clock.input(() => {}), () => clock.flush(() => {}), () => clock.after(0, () => {})]) {
    add()
    expect(clock.isIdle).toBe(false)
    clock.settle()
    expect(clock.isIdle).toBe(true)
  }
})

test('a seed decides every number', () => {
  const numbers = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 50 }, () => random.u32())
  }
  expect(numbers(7)).toEqual(numbers(7))
  expect(numbers(7)).not.toEqual(numbers(8))
})

test('seeded numbers are spread evenly', () => {
  const random = new SeededRandom(3)
  const counts = new Uint32Array(10)
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})
