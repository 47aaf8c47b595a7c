/**
 * What a publisher may ask about the time of a message, checked, and turned into what the schedule keeps. The words and their meaning
 * are ActiveMQ's (AMQ_SCHEDULED_DELAY, _PERIOD, _REPEAT, _CRON), so that its clients find what they know:
 *
 * - `delayMs`: once, so long from now; `deliverAtMs`: once, at that moment.
 * - `periodMs` and `repeats`: so many times more after the first sending, one period apart. Without a delay the first one is a period
 *   from now. `repeats` -1: without end.
 * - `cron`: at every moment of the expression, in UTC, from the next one on; a delay without repeats has no effect then.
 * - `cron` with `repeats`: every moment of the expression begins a series of its own, `delayMs` (else `periodMs`) after it.
 */
import { refuse, type Result } from '../refusal.ts'
import { type Cron, parseCron } from './cron.ts'

export interface ScheduleOptions {
  /** Unix ms. In the past: at once. Not together with `delayMs` or `cron`. */
  readonly deliverAtMs?: number
  readonly delayMs?: number
  readonly periodMs?: number
  /** Sendings after the first; 0 when left out, -1 for no end. */
  readonly repeats?: number
  /** Minute, hour, day of month, month, day of week. */
  readonly cron?: string
}

/** When a message is sent: a part of what the log keeps of it. */
export interface Timing {
  readonly dueAtMs: number
  readonly periodMs?: number
  /** Sendings that are left, this one included. Left out: one without a period, no end with one. With `cron`: sendings of a series. */
  readonly repeats?: number
  readonly cron?: string
  /** Of `cron` with `repeats`: from the expression's moment to the first sending of its series. */
  readonly delayMs?: number
}

/** A hundred years: what is later than that is a mistake of units. */
const DELAY_MAX_MS = 100 * 365 * 86_400_000
const REPEATS_MAX = 1_000_000_000
/** Shortest period of what has no end: more often, and it is a load test. */
const ENDLESS_PERIOD_MIN_MS = 100

/** Checks what was asked, at `nowMs` (Unix ms). `subject` is the address, for the refusal. */
export function timingOf(options: ScheduleOptions, nowMs: number, subject: string): Result<Timing> {
  const { deliverAtMs, delayMs = 0, periodMs = 0, repeats = 0, cron } = options
  const wrong =
    notIn('deliverAtMs', deliverAtMs ?? nowMs, 0, nowMs + DELAY_MAX_MS) ??
    notIn('delayMs', delayMs, 0, DELAY_MAX_MS) ??
    notIn('periodMs', periodMs, 0, DELAY_MAX_MS) ??
    notIn('repeats', repeats, -1, REPEATS_MAX)
  if (wrong !== undefined) return refuse('mismatch', subject, wrong)
  if (deliverAtMs !== undefined && (options.delayMs !== undefined || cron !== undefined)) {
    return refuse('mismatch', subject, `a schedule has a moment (${deliverAtMs}) or a delay or a cron expression; give one of them`)
  }
  if (repeats === -1 && (cron !== undefined || periodMs < ENDLESS_PERIOD_MIN_MS)) {
    const text = `repeats -1 (without end) needs a period of at least ${ENDLESS_PERIOD_MIN_MS} ms, not ${periodMs}, and no cron expression, which has no end anyway`
    return refuse('mismatch', subject, text)
  }
  if (cron !== undefined) return cronTiming(cron, delayMs, periodMs, repeats, nowMs, subject)
  const firstMs = delayMs > 0 ? delayMs : periodMs
  const dueAtMs = deliverAtMs ?? nowMs + firstMs
  if (repeats === 0) return { ok: true, value: { dueAtMs } }
  return { ok: true, value: { dueAtMs, periodMs, ...(repeats > 0 && { repeats: repeats + 1 }) } }
}

function cronTiming(
  text: string,
  delayMs: number,
  periodMs: number,
  repeats: number,
  nowMs: number,
  subject: string,
): Result<Timing> {
  const parsed = parseCron(text)
  if (!parsed.ok) return refuse('mismatch', subject, `cron expression: ${parsed.error.text}`)
  const dueAtMs = parsed.cron.nextAfter(nowMs)
  if (dueAtMs === undefined) return refuse('mismatch', subject, `cron expression '${text}' names a day that never comes`)
  if (repeats === 0) return { ok: true, value: { dueAtMs, cron: text } }
  return {
    ok: true,
    value: { dueAtMs, cron: text, periodMs, repeats: repeats + 1, delayMs: delayMs > 0 ? delayMs : periodMs },
  }
}

/** What follows a sending at `nowMs`; undefined when it was the last one. Moments that were missed are not made up for. */
export function nextTiming(timing: Timing, nowMs: number): Pick<Timing, 'dueAtMs' | 'repeats'> | undefined {
  if (timing.cron !== undefined) {
    const dueAtMs = cronOf(timing.cron).nextAfter(nowMs)
    return dueAtMs === undefined ? undefined : { dueAtMs }
  }
  const { periodMs, repeats } = timing
  if (periodMs === undefined || repeats === 1) return undefined
  const inTurnMs = timing.dueAtMs + periodMs
  const dueAtMs = inTurnMs >= nowMs ? inTurnMs : nowMs + periodMs
  return repeats === undefined ? { dueAtMs } : { dueAtMs, repeats: repeats - 1 }
}

/** The series that a moment of a cron expression begins; undefined where the message itself is sent then. */
export function seriesOf({ cron, periodMs, repeats, delayMs }: Timing, nowMs: number): Timing | undefined {
  if (cron === undefined || repeats === undefined) return undefined
  return { dueAtMs: nowMs + (delayMs ?? 0), periodMs: periodMs ?? 0, repeats }
}

/** An expression that was checked when it came. */
function cronOf(text: string): Cron {
  const parsed = parseCron(text)
  if (!parsed.ok) throw new Error(`cron expression '${text}' of the log: ${parsed.error.text}`)
  return parsed.cron
}

function notIn(name: string, value: number, min: number, max: number): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined
  return `${name} ${value} of a schedule is not a whole number from ${min} to ${max}`
}
