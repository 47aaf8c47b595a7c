import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messageOf, patternOf, privateField, retainedWith, textOf } from '../../test/support.ts'
import { ALL_BELOW, matches } from './address.ts'
import type { Message } from '../message/message.ts'
import type { Retained } from './retained.ts'

const level = fc.constantFrom('a', 'b', '', '$a')
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('#', '+', 'a', '', '$a'))
  .map(([levels, last]) => [...levels, last].join('/'))

function set(retained: Retained, message: Message): boolean {
  return retained.set(message.topic.split('/'), message)
}

function rootOf(retained: Retained): { readonly children: unknown } {
  return privateField(retained, '#root') as { readonly children: unknown }
}

function topicsOf(messages: readonly Message[]): string[] {
  return messages.map((message) => `${message.topic}=${textOf(message)}`).sort()
}

test('retained messages are those of a map from topic to last message, within the limits and until they expire', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        topic,
        text: fc.constantFrom('', 'x', 'yy', 'zzzzzzzz'),
        ttlMs: fc.constantFrom(0, 50, 500),
      }),
    },
    { weight: 4, arbitrary: fc.record({ filter }) },
    { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 300 }) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const limits = { retainedMessagesMax: 6, retainedBytesMax: 100 }
      const retained = retainedWith(limits)
      const model = new Map<string, Message>()
      const bytes = (): number => [...model.values()].reduce((sum, message) => sum + message.size, 0)
      let nowMs = 1_000
      let refused = 0
      for (const one of steps) {
        if ('passMs' in one) {
          nowMs += one.passMs
        } else if ('filter' in one) {
          const pattern = patternOf(one.filter)
          const meant = [...model.values()].filter((message) => matches(pattern, message.topic.split('/')))
          const alive = meant.filter(({ expiresAtMs }) => expiresAtMs === 0 || expiresAtMs > nowMs)
          expect(topicsOf(retained.matching(pattern, nowMs))).toEqual(topicsOf(alive))
          for (const message of meant) if (!alive.includes(message)) model.delete(message.topic)
        } else {
          const message = messageOf(one.topic, one.text, { expiresAtMs: one.ttlMs === 0 ? 0 : nowMs + one.ttlMs })
          const before = model.get(one.topic)
          model.delete(one.topic)
          const fits = model.size < limits.retainedMessagesMax && bytes() + message.size <= limits.retainedBytesMax
          if (one.text !== '' && fits) model.set(one.topic, message)
          if (one.text !== '' && !fits) refused++
          expect(set(retained, message)).toBe(one.text === '' || fits)
          expect(retained.get(one.topic.split('/'))).toBe(model.get(one.topic))
          expect(before === undefined || retained.get(one.topic.split('/')) !== before).toBe(true)
        }
        expect([retained.count, retained.bytes, retained.refusedCount]).toEqual([model.size, bytes(), refused])
        expect(retained.ownCount).toBe([...model.keys()].filter((name) => name.startsWith('$')).length)
      }
      for (const message of model.values()) set(retained, messageOf(message.topic, ''))
      expect([retained.count, retained.bytes, rootOf(retained).children]).toEqual([0, 0, undefined])
    }),
    { numRuns: 300 },
  )
})

test("a name with '$' below its first level matches wildcards", () => {
  const retained = retainedWith({})
  for (const name of ['a/$b', 'a/$b/c', '$a/b', '$a']) set(retained, messageOf(name, 'x'))
  const topicsFor = (text: string): string[] =>
    retained
      .matching(patternOf(text), 0)
      .map((message) => message.topic)
      .sort()
  expect(topicsFor('#')).toEqual(['a/$b', 'a/$b/c'])
  expect(topicsFor('a/#')).toEqual(['a/$b', 'a/$b/c'])
  expect(topicsFor('+/+')).toEqual(['a/$b'])
  expect(topicsFor('$a/#')).toEqual(['$a', '$a/b'])
})

test('the message of a topic that would go over the limit is not kept, and neither is the older one', () => {
  const retained = retainedWith({ retainedBytesMax: 60 })
  expect(set(retained, messageOf('a', 'first'))).toBe(true)
  expect(set(retained, messageOf('a', 'x'.repeat(100)))).toBe(false)
  expect(retained.get(['a'])).toBeUndefined()
  expect([retained.count, retained.bytes, retained.refusedCount]).toEqual([0, 0, 1])
})

test('a topic that is retained already can be replaced when the limit of messages is reached', () => {
  const retained = retainedWith({ retainedMessagesMax: 1 })
  expect(set(retained, messageOf('a', 'first'))).toBe(true)
  expect(set(retained, messageOf('b', 'x'))).toBe(false)
  expect(set(retained, messageOf('a', 'second'))).toBe(true)
  expect(textOf(retained.get(['a'])!)).toBe('second')
})

test('a retained message keeps its bytes when the read buffer is used again', () => {
  const retained = retainedWith({})
  const buffer = Buffer.alloc(10_000)
  for (const size of [10, 5_000]) {
    set(retained, messageOf(`size/${size}`, 'x'.repeat(size), { buffer }))
    buffer.fill(0xee)
    expect(textOf(retained.get(['size', String(size)])!) === 'x'.repeat(size)).toBe(true)
  }
})

test('a name of 1,024 levels is found by wildcards without overflowing the stack', () => {
  const retained = retainedWith({})
  const levels = Array.from({ length: 1_024 }, () => '')
  set(retained, messageOf(levels.join('/'), 'deep'))
  expect(retained.matching([ALL_BELOW], 0)).toHaveLength(1)
  expect(retained.matching(levels, 0)).toHaveLength(1)
  set(retained, messageOf(levels.join('/'), ''))
  expect(rootOf(retained).children).toBeUndefined()
})

test('deep topics fill the tree before their messages reach a limit, and leave it when they are removed', () => {
  const retained = retainedWith({ retainedMessagesMax: 1_000 })
  const nameOf = (index: number): string => `${index}${'/a'.repeat(127)}`
  for (let index = 0; index < 100; index++) set(retained, messageOf(nameOf(index), 'x'))
  expect([retained.count, retained.refusedCount]).toEqual([47, 53])
  expect(set(retained, messageOf(nameOf(0), 'again'))).toBe(true)
  for (let index = 0; index < 47; index++) set(retained, messageOf(nameOf(index), ''))
  expect(set(retained, messageOf(nameOf(99), 'x'))).toBe(true)
})
