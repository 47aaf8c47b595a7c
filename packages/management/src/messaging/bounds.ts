/** Limits of messaging over HTTP, each with what happens beyond it. */
import { ApiError } from '../errors.ts'

/** Users that have something under way. A further one is refused as BUSY. */
export const HTTP_SESSIONS_MAX = 1_000
/** After so long without anything under way the session of a user ends. */
export const HTTP_SESSION_IDLE_MS = 60_000
/** Publishes of one user that wait for room or the log. A further one is refused as BUSY. */
export const PUBLISHES_PER_USER_MAX = 1_000
/** Takes of one user that wait. A further one is refused as BUSY. */
export const TAKES_PER_USER_MAX = 100
/** Messages that one user has taken and not settled, those that are being taken among them. A further take is refused as LIMIT_REACHED. */
export const LOCKS_PER_USER_MAX = 10_000
/** Streams of one user. A further one is refused as BUSY. */
export const STREAMS_PER_USER_MAX = 100
/** Messages that a stream has not sent by the end of the turn. Beyond it they are left out, and counted. */
export const STREAM_PENDING_MAX = 1_000

/** Messages of one take, and their bytes; it ends early there. */
export const TAKE_MESSAGES_MAX = 1_000
export const TAKE_BYTES_MAX: number = 8 * 1024 * 1024
export const TAKE_WAIT_MS_MAX = 60_000
export const LOCK_MS_DEFAULT = 30_000
export const LOCK_MS_MIN = 100
export const LOCK_MS_MAX = 3_600_000

/** The value, or what it is when left out. Throws ApiError('INVALID') beyond the bounds. */
export function within(field: string, value: number | undefined, otherwise: number, min: number, max: number): number {
  if (value === undefined) return otherwise
  if (value >= min && value <= max) return value
  const rule = `from ${min} to ${max}`
  throw new ApiError('INVALID', `${field} is ${value}, and must be ${rule}`, { field, value, rule })
}
