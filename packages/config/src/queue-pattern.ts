/**
 * Patterns of queue names, for policies: levels divided by dots, `*` for one level, `>` at the end for one or more. A pattern without
 * either is one queue's name.
 */

/** Characters of a pattern or of a queue's name; beyond it the value is refused. */
export const QUEUE_NAME_CHARS_MAX = 1_024

/** Policies; beyond it the list is refused. All of them are looked at when a queue is made. */
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

/** A name that a queue may have: no level is empty or has a wildcard in it, and no control character hides in it. */
export function isQueueName(text: string): boolean {
  return text.length <= QUEUE_NAME_CHARS_MAX && text.split('.').every(isPlainLevel)
}

function isPlainLevel(level: string): boolean {
  return level !== '' && !/[*>\p{Cc}]/u.test(level)
}

/** Whether the queue `name` is one of those that `pattern` means. */
export function matchesQueuePattern(pattern: string, name: string): boolean {
  const wanted = pattern.split('.')
  const levels = name.split('.')
  for (const [index, level] of wanted.entries()) {
    if (level === '>') return levels.length > index
    if (index >= levels.length || (level !== '*' && level !== levels[index])) return false
  }
  return wanted.length === levels.length
}
