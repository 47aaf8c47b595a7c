import { expect, test } from 'vitest'
import { isAccessPattern } from './access-pattern.ts'

test.each(['a', '#', '+', '+/a/#', '/', '/a//b', '$SYS/#', 'devices/%u/#', 'x%c/%%', 'ü/🚀', '$queue/orders.>', '$queue/a.*', 'a'.repeat(65_535)])(
  'a rule may speak about %.20s',
  (text) => expect(isAccessPattern(text)).toBe(true),
)

test.each([
  ['nothing', ''],
  ['# before the last level', 'a/#/b'],
  ['# beside other characters', 'a#'],
  ['+ beside other characters', 'a/b+'],
  ['a variable there is not', 'a/%x'],
  ['half a variable', 'a/%'],
  ['a NUL', 'a\0'],
  ['half a surrogate pair', 'a\ud800'],
  ['a shared subscription', '$share/group/a'],
  ['queues in the way of topics', '$queue/#'],
  ['more bytes than a topic can have', 'ü'.repeat(32_768)],
])('a rule may not speak about %s', (_, text) => {
  expect(isAccessPattern(text)).toBe(false)
})
