import { expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { timeQueryOf } from './times.ts'

const NOW_MS = Date.UTC(2026, 10, 27, 12)

test.each([
  ['2h', Date.UTC(2026, 10, 27, 10)],
  ['90s', NOW_MS - 90_000],
  ['2026-11-27', Date.UTC(2026, 10, 27)],
  ['2026-11-27 16:25', Date.UTC(2026, 10, 27, 16, 25)],
  ['2026-11-27 16:25:13', Date.UTC(2026, 10, 27, 16, 25, 13)],
  ['2026-11-27T16:25:13.250Z', Date.UTC(2026, 10, 27, 16, 25, 13, 250)],
])('%s is a moment', (since, sinceMs) => {
  expect(timeQueryOf({ since, until: undefined }, NOW_MS)).toEqual({ sinceMs, untilMs: undefined })
})

test.each(['', '2', 'yesterday', '2026-13-01', '2026-11-27 16', '2w'])('%j is no moment', (until) => {
  expect(() => timeQueryOf({ since: undefined, until }, NOW_MS)).toThrow(
    new UsageError(
      `--until is '${until}'; it is so long ago, such as 30m, 2h, 7d, or a moment in UTC, such as '2026-11-27 16:25'`,
    ),
  )
})
