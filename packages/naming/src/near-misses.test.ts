import { ALL_BELOW, ONE_LEVEL, type PatternLevel } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { NearMisses, type NearMissLimits, type Suggestion, type Teller } from './near-misses.ts'
import { readSlashed } from './levels.ts'

const PUBLISHER: Teller = { protocol: 'MQTT', clientId: 'pump' }
const READER: Teller = { protocol: 'STOMP', clientId: 'desk' }

function unheard(limits: Partial<NearMissLimits> = {}): NearMisses {
  return new NearMisses(() => false, limits)
}

function suggested(name: string, pattern: string): Suggestion[] {
  const misses = unheard()
  misses.noteSubscribed(readSlashed(pattern, true), READER, 0)
  return misses.noteUnheard(name.split('/'), PUBLISHER, 5)
}

describe('a pattern and a name that nearly match', () => {
  test.each<[string, string, string[]]>([
    ['/japan/tokyo', 'japan/tokyo', ['leading-slash']],
    ['japan/tokyo', '/japan/#', ['leading-slash']],
    ['sensor.1', 'sensor/1', ['separator']],
    ['sensor/1', 'sensor.1', ['separator']],
    ['sensor/1', 'sensor/*', ['wildcard']],
    ['sensor/1/x', 'sensor/>', ['wildcard']],
    ['sensor/1', 'sensor.*', ['separator', 'wildcard']],
    ['Sensor/1', 'sensor/+', ['case']],
    ['/Sensor.1', 'sensor/>', ['leading-slash', 'separator', 'wildcard', 'case']],
  ])('%s for %s', (name, pattern, reasons) => {
    expect(suggested(name, pattern)).toMatchObject([{ name, pattern, reasons, atMs: 5 }])
  })

  test.each([
    ['a/b', 'a/+'],
    ['a/b', 'a/c'],
    ['a/b', 'b/a'],
    ['a/b/c', 'a/b'],
    ['a/*', 'a/b'],
    ['$SYS/a', '#'],
  ])('%s and %s are none', (name, pattern) => {
    expect(suggested(name, pattern)).toEqual([])
  })

  test('is told as a sentence', () => {
    const [suggestion] = suggested('/a/b', 'a/*')
    expect(suggestion?.text).toBe(
      "nobody hears '/a/b', which MQTT client 'pump' publishes to; STOMP client 'desk' subscribed to 'a/*': one begins with '/'; '*' and '>' are wildcards in STOMP and AMQP only, in MQTT they are '+' and '#'",
    )
  })
})

describe('the register', () => {
  test('suggests whichever comes second, once, the latest first', () => {
    const misses = unheard()
    expect(misses.noteUnheard(['', 'a'], PUBLISHER, 1)).toEqual([])
    expect(misses.noteSubscribed(['a'], READER, 2)).toHaveLength(1)
    expect(misses.noteSubscribed(['a'], READER, 3)).toEqual([])
    expect(misses.noteUnheard(['A'], PUBLISHER, 4)).toHaveLength(1)
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['A', '/a'])
  })

  test('names who told of the two last', () => {
    const misses = unheard()
    const other = { ...PUBLISHER, clientId: 'other' }
    misses.noteUnheard(['A'], PUBLISHER, 1)
    misses.noteUnheard(['A'], other, 2)
    expect(misses.noteSubscribed(['a'], READER, 3)).toMatchObject([{ publisher: other, subscriber: READER }])
  })

  test('suggests nothing about a topic that is heard by now, and shows nothing about it', () => {
    const heard = new Set<string>()
    const misses = new NearMisses((topic) => heard.has(topic))
    misses.noteUnheard(['A'], PUBLISHER, 1)
    misses.noteUnheard(['', 'a'], PUBLISHER, 1)
    heard.add('A')
    expect(misses.noteSubscribed(['a'], READER, 2).map(({ name }) => name)).toEqual(['/a'])
    heard.add('/a')
    expect(misses.suggestions()).toEqual([])
    heard.clear()
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['/a'])
    expect(misses.noteUnheard(['A'], PUBLISHER, 3).map(({ name }) => name)).toEqual(['A'])
  })

  test('hands out so many in an hour, and keeps the others', () => {
    const misses = unheard({ newPerHourMax: 2 })
    misses.noteSubscribed([ONE_LEVEL, 'x'], READER, 0)
    const told = (first: string, atMs: number): number => misses.noteUnheard([first, 'X'], PUBLISHER, atMs).length
    expect([told('a', 0), told('b', 0), told('c', 0), told('d', 3_600_000)]).toEqual([1, 1, 0, 1])
    expect(misses.suggestions()).toHaveLength(4)
  })

  test('keeps so many names, the one not told of for longest goes', () => {
    const misses = unheard({ namesMax: 2 })
    misses.noteUnheard(['A'], PUBLISHER, 0)
    misses.noteUnheard(['B'], PUBLISHER, 0)
    misses.noteUnheard(['A'], PUBLISHER, 0)
    misses.noteUnheard(['C'], PUBLISHER, 0)
    expect(misses.noteSubscribed(['b'], READER, 0)).toEqual([])
    expect(misses.noteSubscribed(['a'], READER, 0)).toHaveLength(1)
  })

  test('keeps so many suggestions', () => {
    const misses = unheard({ suggestionsMax: 2 })
    misses.noteSubscribed([ONE_LEVEL, 'x'] satisfies PatternLevel[], READER, 0)
    for (const first of ['a', 'b', 'c']) misses.noteUnheard([first, 'X'], PUBLISHER, 0)
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['c/X', 'b/X'])
  })

  test('looks at so many new names in a second, and counts the others', () => {
    const misses = unheard({ perSecondMax: 2 })
    misses.noteSubscribed(['a', ALL_BELOW], READER, 0)
    expect(misses.noteUnheard(['A', '1'], PUBLISHER, 100)).toHaveLength(1)
    expect(misses.noteUnheard(['A', '2'], PUBLISHER, 999)).toEqual([])
    expect(misses.leftOutCount).toBe(1)
    expect(misses.noteUnheard(['A', '2'], PUBLISHER, 1_000)).toHaveLength(1)
  })

  test('leaves out what is too long', () => {
    const misses = unheard({ levelsMax: 2 })
    misses.noteUnheard(['a', 'b', 'c'], PUBLISHER, 0)
    misses.noteUnheard(['x'.repeat(513)], PUBLISHER, 0)
    expect(misses.leftOutCount).toBe(2)
  })
})
