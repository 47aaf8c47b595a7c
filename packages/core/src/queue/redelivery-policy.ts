/**
 * When a message that a consumer gave back as failed is tried again, and how often. Pure: the failed count is the queue's, chance and
 * time come in.
 */

/** How a queue repeats failed deliveries. */
export interface RedeliverySettings {
  /** Deliveries of one message that may fail, the first included; after the last it is dead-lettered. 0: no limit. */
  readonly deliveriesMax: number
  /** Wait before the first redelivery. 0: at once, always. */
  readonly delayMs: number
  /** Each wait is so many times as long as the one before. 1: all are alike. */
  readonly multiplier: number
  /** No wait is longer. */
  readonly delayMaxMs: number
  /** Share of each wait, 0 to 1, that chance may take away, so that what failed together does not come back together. */
  readonly jitter: number
}

/** As ActiveMQ Artemis: ten deliveries, no wait. With a delay, each is as long as the first unless a multiplier is set. */
export const DEFAULT_REDELIVERY_POLICY: RedeliverySettings = {
  deliveriesMax: 10,
  delayMs: 0,
  multiplier: 1,
  delayMaxMs: 60_000,
  jitter: 0,
}

/** A failed count is kept in 16 bits. */
export const DELIVERIES_MAX_LIMIT = 65_535
/** A week, as the longest time between two looks at a message. */
export const REDELIVERY_DELAY_LIMIT_MS: number = 7 * 24 * 60 * 60 * 1_000
export const MULTIPLIER_LIMIT = 100

const U32_RANGE = 2 ** 32

/** Whether a message with so many failed deliveries has had its last. */
export function isExhausted(policy: RedeliverySettings, failedCount: number): boolean {
  return policy.deliveriesMax !== 0 && failedCount >= policy.deliveriesMax
}

/**
 * The wait before the next delivery, in whole ms from 0 to `policy.delayMaxMs`.
 * `failedCount` from 1, `random` 0…2³²-1. The policy is one that `checkRedeliveryPolicy` accepted.
 */
export function nextDelayMs(policy: RedeliverySettings, failedCount: number, random: number): number {
  // Apart, because 0 times a power beyond all numbers is none.
  if (policy.delayMs === 0) return 0
  const grownMs = policy.delayMs * policy.multiplier ** (failedCount - 1)
  const cappedMs = Math.min(grownMs, policy.delayMaxMs)
  return Math.round(cappedMs * (1 - (policy.jitter * random) / U32_RANGE))
}

export type CheckedRedeliveryPolicy =
  | { readonly ok: true; readonly policy: RedeliverySettings }
  | { readonly ok: false; readonly errors: readonly string[] }

/** Completes `settings` with the defaults. Refuses with a sentence for each setting that is out of its range. */
export function checkRedeliveryPolicy(settings: Partial<RedeliverySettings>): CheckedRedeliveryPolicy {
  const policy: RedeliverySettings = {
    deliveriesMax: settings.deliveriesMax ?? DEFAULT_REDELIVERY_POLICY.deliveriesMax,
    delayMs: settings.delayMs ?? DEFAULT_REDELIVERY_POLICY.delayMs,
    multiplier: settings.multiplier ?? DEFAULT_REDELIVERY_POLICY.multiplier,
    // A first wait that is longer than the default cap is meant as it is written.
    delayMaxMs: settings.delayMaxMs ?? Math.max(DEFAULT_REDELIVERY_POLICY.delayMaxMs, finiteOr(settings.delayMs, 0)),
    jitter: settings.jitter ?? DEFAULT_REDELIVERY_POLICY.jitter,
  }
  const errors: string[] = []
  const check = (name: keyof RedeliverySettings, min: number, max: number, isWhole: boolean, hint: string): void => {
    const value = policy[name]
    if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return
    errors.push(
      `redelivery ${name} is ${value}; it must be a ${isWhole ? 'whole number' : 'number'} from ${min} to ${max}${hint}`,
    )
  }
  check('deliveriesMax', 0, DELIVERIES_MAX_LIMIT, true, ', 0 for no limit')
  check('delayMs', 0, REDELIVERY_DELAY_LIMIT_MS, true, ' ms')
  check('multiplier', 1, MULTIPLIER_LIMIT, false, ', 1 for waits of equal length')
  check('delayMaxMs', 0, REDELIVERY_DELAY_LIMIT_MS, true, ' ms')
  check('jitter', 0, 1, false, '')
  if (errors.length === 0 && policy.delayMaxMs < policy.delayMs)
    errors.push(
      `redelivery delayMaxMs is ${policy.delayMaxMs}, less than delayMs ${policy.delayMs}; raise it, or lower delayMs`,
    )
  return errors.length === 0 ? { ok: true, policy } : { ok: false, errors }
}

function finiteOr(value: number | undefined, otherwise: number): number {
  return value !== undefined && Number.isFinite(value) ? value : otherwise
}
