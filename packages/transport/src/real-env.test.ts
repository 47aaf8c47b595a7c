import { afterEach, expect, test, vi } from 'vitest'

import { realEnv } from './real-env.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a turn ends with one setImmediate, however many functions wait for it', () => {
  vi.useFakeTimers()
  const { clock } = realEnv()
  const ran: string[] = []
  clock.flush(() => ran.push('flush'))
  clock.endOfTurn(() => ran.push('end'))
  clock.endOfTurn(() => ran.push('end'))
  expect(vi.getTimerCount()).toBe(1)
  vi.runAllTimers()
  expect(ran).toEqual(['end', 'end', 'flush'])
})

test('a delay longer than setTimeout can wait comes neither at once nor early', () => {
  vi.useFakeTimers()
  const { clock } = realEnv()
  const yearMs = 365 * 24 * 3600 * 1000
  let ran = 0
  clock.after(yearMs, () => ran++)
  vi.advanceTimersByTime(yearMs - 1)
  expect(ran).toBe(0)
  vi.advanceTimersByTime(1)
  expect(ran).toBe(1)
})

test('a cancelled long delay does not come', () => {
  vi.useFakeTimers()
  const { clock } = realEnv()
  let ran = 0
  const cancel = clock.after(3_000_000_000, () => ran++)
  vi.advanceTimersByTime(2_500_000_000)
  cancel()
  cancel()
  vi.advanceTimersByTime(2_500_000_000)
  expect(ran).toBe(0)
})

test('random numbers differ and use all 32 bits', () => {
  const { random } = realEnv()
  const numbers = Array.from({ length: 5_000 }, () => random.u32()) // crosses the refill
  expect(new Set(numbers).size).toBeGreaterThan(4_990)
  const ored = numbers.reduce((all, number) => (all | number) >>> 0, 0)
  expect(ored).toBe(0xffff_ffff)
  expect(random.bytes(16).length).toBe(16)
})
