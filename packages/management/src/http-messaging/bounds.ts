/** Limits of messaging over HTTP, each with what happens beyond it. */
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

/** Bytes of the messages of one take; it ends early there, and the last one may go beyond. */
export const TAKE_BYTES_MAX: number = 8 * 1024 * 1024
/** How long a message is kept for whoever took it, where he does not say. */
export const LOCK_MS_DEFAULT = 30_000
