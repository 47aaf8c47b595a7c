import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonErrorOffset, lineAndColumn } from './json-position.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('jsonErrorOffset', () => {
  /** `^` stands before the character at which the text breaks. */
  const BROKEN = [
    '^',
    '  ^',
    '{"a":1,^}',
    '{"a":1^',
    '{"a" ^1}',
    '{^a:1}',
    '{"a":^}',
    '[1,^]',
    '[1 ^2]',
    '[^,]',
    '[1^}',
    '[1]^]',
    '{}^{}',
    '[0^1]',
    '[1^.]',
    '[^-]',
    '[^"a]',
    '[^"\t"]',
    '[^"\\x"]',
    '[true^x]',
    '[^tru]',
    "[^'a']",
    '[1]^\0',
  ]
  for (const marked of BROKEN) {
    it(`finds the break in ${JSON.stringify(marked)}`, () => {
      const text = marked.replace('^', '')
      expect(isJson(text)).toBe(false)
      expect(jsonErrorOffset(text)).toBe(marked.indexOf('^'))
    })
  }

  it('finds nothing wrong in any JSON text, pretty or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
        expect(jsonErrorOffset(JSON.stringify(value, undefined, space))).toBeUndefined()
      }),
    )
  })

  it('agrees with JSON.parse whether a mutilated text is JSON', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', '[', '0', '\\', ' '),
        (text, seed, inserted) => {
          const at = seed % (text.length + 1)
          const mutilated = text.slice(0, at) + inserted + text.slice(at + 1)
          expect(jsonErrorOffset(mutilated) === undefined).toBe(isJson(mutilated))
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('lineAndColumn', () => {
  it('counts both from 1', () => {
    expect(lineAndColumn('ab\ncd', 0)).toBe('line 1, column 1')
    expect(lineAndColumn('ab\ncd', 4)).toBe('line 2, column 2')
    expect(lineAndColumn('ab\n', 3)).toBe('line 2, column 1')
  })
})
