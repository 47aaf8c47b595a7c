import { expect, test } from 'vitest'
import { nextTiming, type ScheduleOptions, seriesOf, type Timing, timingOf } from './options.ts'

/** 2026-01-01T00:00:30Z: half a minute past a moment that every cron expression knows. */
const NOW_MS = 1_767_225_630_000
const HOUR_MS = 3_600_000

function timing(options: ScheduleOptions): Timing {
  const checked = timingOf(options, NOW_MS, 'a')
  if (!checked.ok) throw new Error(checked.detail.text)
  return checked.value
}

/** Moments of sending from now on, each `lateMs` after it is due. */
function sendings(options: ScheduleOptions, max: number, lateMs = 0): number[] {
  const found: number[] = []
  let now: Timing | undefined = timing(options)
  while (now !== undefined && found.length < max) {
    const sentAtMs: number = now.dueAtMs + lateMs
    found.push(sentAtMs - NOW_MS)
    const next: Pick<Timing, 'dueAtMs' | 'repeats'> | undefined = nextTiming(now, sentAtMs)
    now = next === undefined ? undefined : { ...now, ...next }
  }
  return found
}

test('a delay sends once, so long from now', () => {
  expect(sendings({ delayMs: 5_000 }, 10)).toEqual([5_000])
})

test('a moment sends once, then', () => {
  expect(sendings({ deliverAtMs: NOW_MS + 7 }, 10)).toEqual([7])
})

test('nothing at all sends at once', () => {
  expect(sendings({}, 10)).toEqual([0])
})

test('delay, period and nine repeats send ten times, as in the example of ActiveMQ', () => {
  const options = { delayMs: 30_000, periodMs: 10_000, repeats: 9 }
  expect(sendings(options, 100)).toEqual([30, 40, 50, 60, 70, 80, 90, 100, 110, 120].map((seconds) => seconds * 1_000))
})

test('without a delay the first sending is a period from now', () => {
  expect(sendings({ periodMs: 1_000, repeats: 2 }, 10)).toEqual([1_000, 2_000, 3_000])
})

test('repeats without a period follow at once', () => {
  expect(sendings({ delayMs: 10, repeats: 2 }, 10)).toEqual([10, 10, 10])
})

test('repeats -1 have no end', () => {
  expect(sendings({ periodMs: 1_000, repeats: -1 }, 500)).toHaveLength(500)
})

test('a sending that is a little late does not move those behind it', () => {
  expect(sendings({ periodMs: 1_000, repeats: 2 }, 10, 200)).toEqual([1_200, 2_200, 3_200])
})

test('periods that were missed are not made up for, but every repeat is sent', () => {
  expect(sendings({ periodMs: 1_000, repeats: 2 }, 10, 5_000)).toEqual([6_000, 12_000, 18_000])
})

test('a cron expression is due at its moments for ever, whatever delay is given', () => {
  const expected = [HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS].map((ms) => ms - 30_000)
  expect(sendings({ cron: '0 * * * *' }, 3)).toEqual(expected)
  expect(sendings({ cron: '0 * * * *', delayMs: 5_000 }, 3)).toEqual(expected)
})

test('moments of a cron expression that were missed are skipped', () => {
  expect(sendings({ cron: '* * * * *' }, 2, 600_000)).toEqual([630_000, 1_290_000])
})

test('a cron expression with repeats begins a series of ten each hour, as in the example of ActiveMQ', () => {
  const hourly = timing({ cron: '0 * * * *', delayMs: 1_000, periodMs: 1_000, repeats: 9 })
  expect(hourly.dueAtMs).toBe(NOW_MS + HOUR_MS - 30_000)
  expect(seriesOf(hourly, hourly.dueAtMs)).toEqual({ dueAtMs: hourly.dueAtMs + 1_000, periodMs: 1_000, repeats: 10 })
  expect(nextTiming(hourly, hourly.dueAtMs)).toEqual({ dueAtMs: hourly.dueAtMs + HOUR_MS })
})

test('a series without a delay begins a period after the moment of the cron expression', () => {
  const hourly = timing({ cron: '0 * * * *', periodMs: 2_000, repeats: 1 })
  expect(seriesOf(hourly, hourly.dueAtMs)?.dueAtMs).toBe(hourly.dueAtMs + 2_000)
})

test('a message that is sent at the moment of its cron expression begins no series', () => {
  expect(seriesOf(timing({ cron: '0 * * * *' }), NOW_MS)).toBeUndefined()
})

test.each<[ScheduleOptions, RegExp]>([
  [{ cron: '0 25 * * *' }, /cron expression: column 3: /],
  [{ cron: '0 0 30 2 *' }, /'0 0 30 2 \*' names a day that never comes/],
  [{ delayMs: -1 }, /delayMs -1 of a schedule is not a whole number from 0 to 3153600000000/],
  [{ delayMs: Number.NaN }, /delayMs NaN/],
  [{ periodMs: 0.5 }, /periodMs 0.5/],
  [{ repeats: -2, periodMs: 1_000 }, /repeats -2 of a schedule is not a whole number from -1 to 1000000000/],
  [{ deliverAtMs: NOW_MS + 4e12 }, /deliverAtMs 5767225630000/],
  [{ deliverAtMs: NOW_MS, delayMs: 1 }, /give one of them/],
  [{ deliverAtMs: NOW_MS, cron: '* * * * *' }, /give one of them/],
  [{ repeats: -1 }, /needs a period of at least 100 ms, not 0/],
  [{ repeats: -1, periodMs: 1_000, cron: '* * * * *' }, /no cron expression/],
])('%j is refused with what is wrong and what would be right', (options, text) => {
  const checked = timingOf(options, NOW_MS, 'a')
  expect(checked.ok).toBe(false)
  expect(!checked.ok && checked.detail.text).toMatch(text)
  expect(!checked.ok && checked.detail.refusal).toBe('mismatch')
})
