import { ALL_BELOW, ONE_LEVEL, matches } from '@ternmq/core'
import type { PatternLevel } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, overlaps, parseTopicPattern, patternFor } from './topic-pattern.ts'

const levelsOf = (filter: string): readonly PatternLevel[] => parseTopicPattern(filter).fixed ?? []
const subject = (name: string, clientId: string, anonymous = false): Parameters<typeof patternFor>[1] => ({
  principal: { name, anonymous },
  clientId,
})

/** Every name of 1 to 4 levels over `levels`. 'z' and '$z' stand for all level texts that no pattern holds. */
function namesOver(levels: readonly string[]): string[][] {
  let longest: string[][] = [[]]
  const names: string[][] = []
  for (let length = 1; length <= 4; length++) {
    longest = longest.flatMap((name) => levels.map((level) => [...name, level]))
    names.push(...longest)
  }
  return names
}

/** Matching without the rule for names that start with '$': behind a common first level the rule does not apply. */
const matchesReservedToo = (pattern: readonly PatternLevel[], name: readonly string[]): boolean =>
  matches(['x', ...pattern], ['x', ...name])

function bruteCovers(
  pattern: readonly PatternLevel[],
  filter: readonly PatternLevel[],
  names: string[][],
  reservedToo: boolean,
): boolean {
  const reaches = reservedToo ? matchesReservedToo : matches
  return names.every((name) => !matches(filter, name) || reaches(pattern, name))
}

function bruteOverlaps(
  pattern: readonly PatternLevel[],
  filter: readonly PatternLevel[],
  names: string[][],
  reservedToo: boolean,
): boolean {
  const reaches = reservedToo ? matchesReservedToo : matches
  return names.some((name) => matches(filter, name) && reaches(pattern, name))
}

describe('covers', () => {
  const COVERED = [
    ['#', 'a/b'],
    ['#', '#'],
    ['#', '+/#'],
    ['+/#', '#'],
    ['a/#', 'a'],
    ['a/#', 'a/#'],
    ['a/#', 'a/+/b/#'],
    ['a/+', 'a/+'],
    ['+/b', '+/b'],
    ['+', 'a'],
    ['$SYS/#', '$SYS/x'],
    ['/#', '/'],
  ] as const
  for (const [pattern, filter] of COVERED) {
    it(`is true of ${pattern} over ${filter}`, () => {
      expect(covers(levelsOf(pattern), levelsOf(filter))).toBe(true)
    })
  }

  const NOT_COVERED = [
    ['a/+', 'a/#'],
    ['a/+/#', 'a/#'],
    ['a/b', 'a/+'],
    ['a/b', '+/b'],
    ['a', '#'],
    ['+', '#'],
    ['a/+', 'a'],
    ['#', '$SYS/x'],
    ['+/x', '$SYS/x'],
    ['+/#', '$SYS/#'],
    ['A', 'a'],
    ['a', 'a/'],
  ] as const
  for (const [pattern, filter] of NOT_COVERED) {
    it(`is false of ${pattern} over ${filter}`, () => {
      expect(covers(levelsOf(pattern), levelsOf(filter))).toBe(false)
    })
  }

  it('reaches names that start with $ when asked to', () => {
    expect(covers(levelsOf('#'), levelsOf('$SYS/#'), true)).toBe(true)
    expect(overlaps(levelsOf('+/x'), levelsOf('$SYS/x'), true)).toBe(true)
    expect(overlaps(levelsOf('$SYS/x'), levelsOf('#'), true)).toBe(false)
  })
})

describe('covers and overlaps', () => {
  it('agree with trying every name, for every pair of patterns of up to three levels', () => {
    const inner: PatternLevel[] = ['a', '$x', ONE_LEVEL]
    const bodies: PatternLevel[][] = [[]]
    for (let length = 0; length < 3; length++) {
      bodies.push(
        ...bodies
          .filter((body) => body.length === length)
          .flatMap((body) => inner.map((level): PatternLevel[] => [...body, level])),
      )
    }
    const patterns = bodies
      .flatMap((body): PatternLevel[][] => (body.length < 3 ? [body, [...body, ALL_BELOW]] : [body]))
      .filter((body) => body.length > 0)
    const names = namesOver(['a', '$x', 'z', '$z'])
    const wrong: string[] = []
    for (const pattern of patterns) {
      for (const filter of patterns) {
        for (const reservedToo of [false, true]) {
          const pair = `${pattern.map(String).join('/')} ${filter.map(String).join('/')} ${reservedToo}`
          if (covers(pattern, filter, reservedToo) !== bruteCovers(pattern, filter, names, reservedToo))
            wrong.push(`covers ${pair}`)
          if (overlaps(pattern, filter, reservedToo) !== bruteOverlaps(pattern, filter, names, reservedToo))
            wrong.push(`overlaps ${pair}`)
        }
      }
    }
    expect(patterns.length).toBe(52)
    expect(wrong).toEqual([])
  })

  it('agree with trying every name, for random patterns over a larger alphabet', () => {
    const inner = fc.constantFrom<PatternLevel>('a', 'b', '', '$x', '+', '#', ONE_LEVEL)
    const pattern = fc
      .tuple(fc.array(inner, { maxLength: 3 }), fc.constantFrom<PatternLevel>('a', '$x', ONE_LEVEL, ALL_BELOW))
      .map(([levels, last]): PatternLevel[] => (levels.length === 3 ? levels : [...levels, last]))
    // '+' and '#' here are texts of a level, such as a user name puts in: no wildcards.
    const names = namesOver(['a', 'b', '', '$x', '+', '#', 'z', '$z'])
    fc.assert(
      fc.property(pattern, pattern, fc.boolean(), (one, two, reservedToo) => {
        expect(covers(one, two, reservedToo)).toBe(bruteCovers(one, two, names, reservedToo))
        expect(overlaps(one, two, reservedToo)).toBe(bruteOverlaps(one, two, names, reservedToo))
      }),
      { numRuns: 300 },
    )
  })
})

describe('parseTopicPattern', () => {
  const INVALID = [
    ['', 'is empty'],
    ['a/#/b', "'#' before its last level"],
    ['a#', 'beside other characters'],
    ['a+/b', 'beside other characters'],
    ['dev-%u+', 'beside other characters'],
    ['a\0b', 'holds NUL'],
    ['\udc00', 'half a surrogate pair'],
    ['x'.repeat(65_536), 'longer than 65535 bytes'],
    ['$share/g/a', 'shared subscription'],
    ['a/%x', 'has "%x"'],
    ['a/50%', 'has "%"'],
    ['%\u{1f511}', 'has "%'],
  ] as const
  for (const [text, problem] of INVALID) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}: it ${problem}`, () => {
      expect(() => parseTopicPattern(text)).toThrow(problem)
    })
  }

  it('keeps empty levels', () => {
    expect(levelsOf('/a//')).toEqual(['', 'a', '', ''])
  })

  it('reads %% as a percent sign', () => {
    expect(levelsOf('100%%/%%u')).toEqual(['100%', '%u'])
  })
})

describe('patternFor', () => {
  it('puts names into whole levels and into parts of levels', () => {
    expect(patternFor(parseTopicPattern('users/%u/dev-%c-%u/#'), subject('ann', 'd1'))).toEqual([
      'users',
      'ann',
      'dev-d1-ann',
      ALL_BELOW,
    ])
  })

  it('does not read a name again: % in it is a percent sign', () => {
    expect(patternFor(parseTopicPattern('%u'), subject('%c', 'd1'))).toEqual(['%c'])
  })

  it('matches nothing for an anonymous client or one without a client id', () => {
    expect(patternFor(parseTopicPattern('a/%u'), subject('anonymous', 'd1', true))).toBeUndefined()
    expect(patternFor(parseTopicPattern('a/x%c'), subject('ann', ''))).toBeUndefined()
  })

  for (const name of ['#', '+', '+/#', 'a/b', '/', '']) {
    it(`gives a client called ${JSON.stringify(name)} nothing but the level of that text`, () => {
      const levels = patternFor(parseTopicPattern('devices/%c/#'), subject('ann', name))
      const others = [
        'devices',
        'devices/x',
        'devices/x/y',
        'devices/a/b',
        'devices/+',
        'devices/#',
        'devices/+/#',
        '#',
      ]
      const reached = others.filter(
        (filter) => levels !== undefined && overlaps(levels, levelsOf(filter)) && covers(levels, levelsOf(filter)),
      )
      expect(reached).toEqual([])
    })
  }
})
