import { ALL_BELOW, ONE_LEVEL, type PatternLevel } from '@ternmq/core'
import { describe, expect, test } from 'vitest'
import { NearMisses, type Suggestion } from './near-misses.ts'
import { readSlashed } from './levels.ts'

function suggested(name: string, pattern: string): Suggestion[] {
  const misses = new NearMisses()
  misses.noteIdle(readSlashed(pattern, true), 0)
  return misses.noteUnheard(name.split('/'), 5)
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
      "nobody hears '/a/b', and nothing comes to 'a/*': one begins with '/'; '*' and '>' are wildcards in STOMP and AMQP only, in MQTT they are '+' and '#'",
    )
  })
})

describe('the register', () => {
  test('suggests whichever comes second, once, the latest first', () => {
    const misses = new NearMisses()
    expect(misses.noteUnheard(['', 'a'], 1)).toEqual([])
    expect(misses.noteIdle(['a'], 2)).toHaveLength(1)
    expect(misses.noteIdle(['a'], 3)).toEqual([])
    expect(misses.noteUnheard(['A'], 4)).toHaveLength(1)
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['A', '/a'])
  })

  test('forgets what is settled', () => {
    const misses = new NearMisses()
    misses.noteUnheard(['', 'a'], 1)
    misses.noteUnheard(['A'], 1)
    misses.noteIdle(['a'], 1)
    misses.forgetName(['A'])
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['/a'])
    misses.forgetPattern(['a'])
    misses.forgetPattern(['never', 'known'])
    expect(misses.suggestions()).toEqual([])
    expect(misses.noteIdle(['a'], 2)).toHaveLength(1)
  })

  test('keeps so many names, the one not told of for longest goes', () => {
    const misses = new NearMisses({ namesMax: 2 })
    misses.noteUnheard(['A'], 0)
    misses.noteUnheard(['B'], 0)
    misses.noteUnheard(['A'], 0)
    misses.noteUnheard(['C'], 0)
    expect(misses.noteIdle(['b'], 0)).toEqual([])
    expect(misses.noteIdle(['a'], 0)).toHaveLength(1)
  })

  test('keeps so many suggestions', () => {
    const misses = new NearMisses({ suggestionsMax: 2 })
    misses.noteIdle([ONE_LEVEL, 'x'] satisfies PatternLevel[], 0)
    for (const first of ['a', 'b', 'c']) misses.noteUnheard([first, 'X'], 0)
    expect(misses.suggestions().map(({ name }) => name)).toEqual(['c/X', 'b/X'])
  })

  test('looks at so many new names in a second, and counts the others', () => {
    const misses = new NearMisses({ perSecondMax: 2 })
    misses.noteIdle(['a', ALL_BELOW], 0)
    expect(misses.noteUnheard(['A', '1'], 100)).toHaveLength(1)
    expect(misses.noteUnheard(['A', '2'], 999)).toEqual([])
    expect(misses.leftOutCount).toBe(1)
    expect(misses.noteUnheard(['A', '2'], 1_000)).toHaveLength(1)
  })

  test('leaves out what is too long', () => {
    const misses = new NearMisses({ levelsMax: 2 })
    misses.noteUnheard(['a', 'b', 'c'], 0)
    misses.noteUnheard(['x'.repeat(513)], 0)
    expect(misses.leftOutCount).toBe(2)
  })
})
