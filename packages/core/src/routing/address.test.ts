import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternOf } from '../../test/support.ts'
import { isLiteral, isReservedName, matches, patternFromKey, patternKey, topicName } from './address.ts'

describe('matches', () => {
  test.each([
    // filter, name, matches; rows of the examples in the specification first [MQTT5 §4.7.1]
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/monitor/Clients', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/monitor/Clients', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['#', 'a/$b', true],
    ['a/+', 'a/$b', true],
    ['a//b', 'a/b', false],
    ['a/+/b', 'a//b', true],
    ['a', 'A', false],
    ['a/b', 'a/b/', false],
  ])('%s against %s', (filter, name, expected) => {
    expect(matches(patternOf(filter), name.split('/'))).toBe(expected)
  })
})

test('a pattern comes back from its key, and two patterns never share one', () => {
  const level = fc.oneof(fc.constantFrom('+', '#', '', '$a', '=', '+x'), fc.string({ maxLength: 4 }))
  const text = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/').replaceAll('\0', ''))
  fc.assert(
    fc.property(text, text, (first, second) => {
      const [one, two] = [patternOf(first), patternOf(second)]
      expect(patternFromKey(patternKey(one))).toEqual(one)
      expect(patternKey(one) === patternKey(two)).toBe(first === second)
    }),
  )
})

test('a literal pattern has no wildcard, and its levels make the topic name again', () => {
  expect(isLiteral(patternOf('a//b'))).toBe(true)
  expect(isLiteral(patternOf('a/+'))).toBe(false)
  expect(isLiteral(patternOf('a/#'))).toBe(false)
  expect(topicName(['', 'a', '', 'b', ''])).toBe('/a//b/')
})

test("only names whose first character is '$' are reserved", () => {
  expect(['$', '$SYS', 'a$', '', undefined].map(isReservedName)).toEqual([true, true, false, false, false])
})
