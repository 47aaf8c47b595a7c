import { expect, onTestFinished, test, vi } from 'vitest'

import { Progress } from './progress.ts'

test('rates are told of the whole and of each tenth', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const progress = new Progress(1_000)
  for (let count = 0; count < 10; count++) {
    vi.advanceTimersByTime(count < 5 ? 100 : 200)
    progress.add(100)
  }
  expect(progress.rates.map(Math.round)).toEqual([...Array<number>(5).fill(1_000), ...Array<number>(5).fill(500)])
  expect(Math.round(progress.rate)).toBe(667)
})

test('what jumps over a tenth counts for it', () => {
  const progress = new Progress(10)
  progress.add(10)
  expect(progress.rates).toHaveLength(10)
})
