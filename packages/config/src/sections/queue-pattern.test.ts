import { describe, expect, test } from 'vitest'
import { isForwardTarget, isQueueName, isQueuePattern, QUEUE_NAME_CHARS_MAX } from './queue-pattern.ts'

describe('a pattern', () => {
  test.each(['a', 'a.b', '*', '>', 'a.*', 'a.*.c', '*.*.>', 'a.>', 'a/b', 'Ä b', 'x'.repeat(QUEUE_NAME_CHARS_MAX)])(
    'may be "%s"',
    (text) => expect(isQueuePattern(text)).toBe(true),
  )

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a*',
    '*a.b',
    '>.a',
    'a.>.b',
    'a>',
    'a\nb',
    'x'.repeat(QUEUE_NAME_CHARS_MAX + 1),
  ])('may not be "%s"', (text) => expect(isQueuePattern(text)).toBe(false))
})

test('a name is a pattern without wildcards, and none of the broker', () => {
  expect(['a.b', 'a.*', '>', 'a.>', ''].map(isQueueName)).toEqual([true, false, false, false, false])
  expect(['$subscription/x', '$temp/x', 'a.$b'].map(isQueueName)).toEqual([false, false, true])
  expect(['$queue/a', '$queue/$temp/x', '$queue/$subscription/c/s'].map(isForwardTarget)).toEqual([true, false, false])
})
