/** Waits between deliveries, their end, and which policies are refused. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  checkRedeliveryPolicy,
  DEFAULT_REDELIVERY_POLICY,
  DELIVERIES_MAX_LIMIT,
  isExhausted,
  nextDelayMs,
  REDELIVERY_DELAY_LIMIT_MS,
  type RedeliverySettings,
} from './redelivery-policy.ts'

const U32_MAX = 2 ** 32 - 1

function policyOf(settings: Partial<RedeliverySettings>): RedeliverySettings {
  const checked = checkRedeliveryPolicy(settings)
  if (!checked.ok) throw new Error(checked.errors.join('; '))
  return checked.policy
}

test('without settings a message is delivered ten times, at once', () => {
  const policy = policyOf({})
  expect(policy).toEqual(DEFAULT_REDELIVERY_POLICY)
  expect([0, 1, 9, 10, 11].map((count) => isExhausted(policy, count))).toEqual([false, false, false, true, true])
  expect([1, 5, 9].map((count) => nextDelayMs(policy, count, U32_MAX))).toEqual([0, 0, 0])
})

test('the first delivery may be the only one, or there may be no end', () => {
  expect([0, 1].map((count) => isExhausted(policyOf({ deliveriesMax: 1 }), count))).toEqual([false, true])
  expect(isExhausted(policyOf({ deliveriesMax: 0 }), DELIVERIES_MAX_LIMIT)).toBe(false)
})

test('waits grow by the multiplier up to the longest', () => {
  const policy = policyOf({ delayMs: 1_000, multiplier: 2, delayMaxMs: 10_000 })
  expect([1, 2, 3, 4, 5, 6, 2_000, DELIVERIES_MAX_LIMIT].map((count) => nextDelayMs(policy, count, 0))).toEqual([
    1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000,
  ])
  expect([1, 2, 3].map((count) => nextDelayMs(policyOf({ delayMs: 1_000, multiplier: 1.5 }), count, 0))).toEqual([
    1_000, 1_500, 2_250,
  ])
  expect([1, 2, 60].map((count) => nextDelayMs(policyOf({ delayMs: 1_000 }), count, 0))).toEqual([1_000, 1_000, 1_000])
})

test('without a first wait there is none, however large the power of the multiplier', () => {
  expect(nextDelayMs(policyOf({ multiplier: 100 }), DELIVERIES_MAX_LIMIT, 0)).toBe(0)
})

test('chance takes away up to the share that it may', () => {
  const policy = policyOf({ delayMs: 1_000, jitter: 0.25 })
  expect([0, 2 ** 31, U32_MAX].map((random) => nextDelayMs(policy, 1, random))).toEqual([1_000, 875, 750])
  expect(nextDelayMs(policyOf({ delayMs: 1_000, jitter: 1 }), 1, U32_MAX)).toBe(0)
})

test('a wait is whole, never longer than the longest, and never shorter than the one before it with the same chance', () => {
  const settings = fc.record({
    delayMs: fc.integer({ min: 0, max: REDELIVERY_DELAY_LIMIT_MS }),
    delayMaxMs: fc.integer({ min: 0, max: REDELIVERY_DELAY_LIMIT_MS }),
    multiplier: fc.double({ min: 1, max: 100, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(
      settings,
      fc.integer({ min: 1, max: DELIVERIES_MAX_LIMIT - 1 }),
      fc.integer({ min: 0, max: U32_MAX }),
      (given, failedCount, random) => {
        const policy = policyOf({ ...given, delayMaxMs: Math.max(given.delayMs, given.delayMaxMs) })
        const [now, next] = [failedCount, failedCount + 1].map((count) => nextDelayMs(policy, count, random)) as [
          number,
          number,
        ]
        expect(Number.isInteger(now)).toBe(true)
        expect(now).toBeLessThanOrEqual(policy.delayMaxMs)
        expect(now).toBeGreaterThanOrEqual(
          Math.floor(Math.min(policy.delayMs, policy.delayMaxMs) * (1 - policy.jitter)),
        )
        expect(next).toBeGreaterThanOrEqual(now)
      },
    ),
  )
})

test('a first wait beyond the default longest raises it', () => {
  expect(policyOf({ delayMs: 600_000 }).delayMaxMs).toBe(600_000)
})

test.each([
  [{ deliveriesMax: -1 }, 'redelivery deliveriesMax is -1; it must be a whole number from 0 to 65535, 0 for no limit'],
  [{ deliveriesMax: 2.5 }, 'redelivery deliveriesMax is 2.5'],
  [{ deliveriesMax: 65_536 }, 'redelivery deliveriesMax is 65536'],
  [{ deliveriesMax: Number.NaN }, 'redelivery deliveriesMax is NaN'],
  [{ delayMs: -1 }, 'redelivery delayMs is -1; it must be a whole number from 0 to 604800000 ms'],
  [{ delayMs: Infinity }, 'redelivery delayMs is Infinity'],
  [{ multiplier: 0.5 }, 'redelivery multiplier is 0.5; it must be a number from 1 to 100, 1 for waits of equal length'],
  [{ delayMaxMs: 604_800_001 }, 'redelivery delayMaxMs is 604800001'],
  [{ jitter: 1.1 }, 'redelivery jitter is 1.1; it must be a number from 0 to 1'],
  [
    { delayMs: 2_000, delayMaxMs: 1_000 },
    'redelivery delayMaxMs is 1000, less than delayMs 2000; raise it, or lower delayMs',
  ],
])('%j is refused with one sentence', (settings, words) => {
  const checked = checkRedeliveryPolicy(settings)
  if (checked.ok) throw new Error('it was accepted')
  expect(checked.errors).toHaveLength(1)
  expect(checked.errors[0]).toContain(words)
})

test('all that is wrong is told at once', () => {
  const checked = checkRedeliveryPolicy({
    deliveriesMax: -1,
    delayMs: -1,
    multiplier: 0,
    delayMaxMs: -1,
    jitter: 2,
  })
  expect(!checked.ok && checked.errors.length).toBe(5)
})
