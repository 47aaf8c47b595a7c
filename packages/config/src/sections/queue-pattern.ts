/**
 * Patterns of queue names, for policies: levels divided by dots, `*` for one level, `>` at the end for all below: `orders.>` is `orders`
 * too. A pattern without either is one queue's name. The core matches them.
 */

/** Characters of a pattern or of a queue's name; beyond it the value is refused. */
export const QUEUE_NAME_CHARS_MAX = 1_024

/** Policies; beyond it the list is refused. All of them are matched when a queue is made. */
export const POLICIES_MAX = 1_000

export function isQueuePattern(text: string): boolean {
  if (text.length > QUEUE_NAME_CHARS_MAX) return false
  const levels = text.split('.')
  return levels.every((level, index) => isPatternLevel(level, index === levels.length - 1))
}

function isPatternLevel(level: string, isLast: boolean): boolean {
  if (level === '*') return true
  if (level === '>') return isLast
  return isPlainLevel(level)
}

/**
 * A name that a queue may have: no level is empty or has a wildcard in it, no control character hides in it, and it does not begin with `$`
 * as those of the broker: temporary ones, and those of subscriptions.
 */
export function isQueueName(text: string): boolean {
  return !text.startsWith('$') && text.length <= QUEUE_NAME_CHARS_MAX && text.split('.').every(isPlainLevel)
}

/** Addresses of one `forward`; beyond it the list is refused. */
export const FORWARDS_MAX = 32

const QUEUE_PREFIX = '$queue/'

/** A queue as `$queue/NAME`, or a topic that can be published to. */
export function isForwardTarget(text: string): boolean {
  if (text.startsWith(QUEUE_PREFIX)) return isQueueName(text.slice(QUEUE_PREFIX.length))
  return text !== '' && text.length <= TOPIC_CHARS_MAX && !text.startsWith('$') && !/[+#\p{Cc}]/u.test(text)
}

/** As MQTT bounds a topic. */
const TOPIC_CHARS_MAX = 65_535

function isPlainLevel(level: string): boolean {
  return level !== '' && !/[*>\p{Cc}]/u.test(level)
}
