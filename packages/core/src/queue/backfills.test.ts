/** Retained messages for new bindings: in order, within the budget, and not without end. */
import { expect, test } from 'vitest'
import { matchWith, messageOf, textOf } from '../../test/support.ts'
import { BACKFILL_MESSAGES_MAX } from '../limits.ts'
import { Backfills } from './backfills.ts'

const match = matchWith(1)
const messages = (...texts: string[]): ReturnType<typeof messageOf>[] => texts.map((text) => messageOf('t', text))

test('one binding after the other, each in its order, as far as the budget goes', () => {
  const backfills = new Backfills()
  backfills.add(messages('1', '2'), match)
  backfills.add(messages('3'), match)
  const taken: string[] = []
  const hand = (message: ReturnType<typeof messageOf>): 'taken' => {
    taken.push(textOf(message))
    return 'taken'
  }
  expect([backfills.run(2, hand), backfills.isEmpty, taken]).toEqual([0, false, ['1', '2']])
  expect([backfills.run(5, hand), backfills.isEmpty, taken]).toEqual([4, true, ['1', '2', '3']])
  expect(backfills.run(5, hand)).toBe(5)
})

test('what cannot be taken now is first the next time; what has expired costs nothing', () => {
  const backfills = new Backfills()
  backfills.add(messages('old', '1', '2'), match)
  const seen: string[] = []
  const left = backfills.run(10, (message) => {
    seen.push(textOf(message))
    return textOf(message) === 'old' ? 'expired' : textOf(message) === '2' ? 'later' : 'taken'
  })
  expect([left, seen, backfills.isEmpty]).toEqual([9, ['old', '1', '2'], false])
  backfills.run(1, (message) => {
    seen.push(textOf(message))
    return 'taken'
  })
  expect([seen.at(-1), backfills.isEmpty]).toEqual(['2', true])
})

test('a match comes with its messages', () => {
  const backfills = new Backfills()
  const other = matchWith(2)
  backfills.add(messages('1'), match)
  backfills.add(messages('2'), other)
  const matches: unknown[] = []
  backfills.run(9, (_message, given) => {
    matches.push(given)
    return 'taken'
  })
  expect(matches).toEqual([match, other])
})

test('a single binding gets any number, a further one nothing once too many wait', () => {
  const backfills = new Backfills()
  const many = new Array<ReturnType<typeof messageOf>>(BACKFILL_MESSAGES_MAX).fill(messageOf('t', 'x'))
  expect([backfills.add(many, match), backfills.add(messages('more'), match)]).toEqual([true, false])
  backfills.run(1, () => 'taken')
  expect(backfills.add(messages('more'), match)).toBe(true)
})
