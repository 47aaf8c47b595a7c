import { expect, test } from 'vitest'
import { durationMs } from './duration.ts'

test.each([
  [0, 0],
  [250, 250],
  ['250ms', 250],
  ['10s', 10_000],
  ['31m', 1_860_000],
  ['1.5h', 5_400_000],
  ['7 d', 604_800_000],
])('%s is %i ms', (duration, ms) => expect(durationMs(duration)).toBe(ms))

test.each([-1, NaN, Infinity, '', '31', 'm', '31 minutes', '-1s', '1e3s'])('%s is no duration', (duration) => {
  expect(() => durationMs(duration)).toThrow(RangeError)
})
