import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isQueueName, isQueuePattern, matchesQueuePattern, QUEUE_NAME_CHARS_MAX } from './queue-pattern.ts'

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

test('a name is a pattern without wildcards', () => {
  expect(['a.b', 'a.*', '>', 'a.>', ''].map(isQueueName)).toEqual([true, false, false, false, false])
})

describe('matching', () => {
  test.each([
    ['orders', 'orders', true],
    ['orders', 'orders.eu', false],
    ['orders.eu', 'orders', false],
    ['orders.*', 'orders.eu', true],
    ['orders.*', 'orders', false],
    ['orders.*', 'orders.eu.de', false],
    ['orders.>', 'orders.eu', true],
    ['orders.>', 'orders.eu.de', true],
    ['orders.>', 'orders', false],
    ['*.eu.>', 'orders.eu.de', true],
    ['*.eu.>', 'orders.us.de', false],
    ['>', 'anything.at.all', true],
    ['Orders', 'orders', false],
  ])('%s and %s: %s', (pattern, name, answer) => expect(matchesQueuePattern(pattern, name)).toBe(answer))

  test('agrees with the regular expression that says the same', () => {
    const level = fc.constantFrom('a', 'b', 'ab')
    const name = fc.array(level, { minLength: 1, maxLength: 4 })
    const pattern = fc
      .tuple(fc.array(fc.oneof(level, fc.constant('*')), { maxLength: 3 }), fc.constantFrom('a', '*', '>'))
      .map(([levels, last]) => [...levels, last])
    fc.assert(
      fc.property(pattern, name, (levels, names) => {
        const parts = levels.map((part) => (part === '*' ? '[^.]+' : part === '>' ? '.+' : part))
        const wanted = new RegExp(`^${parts.join('\\.')}$`).test(names.join('.'))
        expect(matchesQueuePattern(levels.join('.'), names.join('.'))).toBe(wanted)
      }),
    )
  })
})
