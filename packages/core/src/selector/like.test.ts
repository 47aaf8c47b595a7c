/** LIKE against the plainest matcher there is, and against patterns that bring down those that go back. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileLike, endsEscaped } from './like.ts'

type Part =
  | { readonly kind: 'any' }
  | { readonly kind: 'sequence' }
  | { readonly kind: 'one'; readonly character: string }

/** By the definition, remembering nothing: short texts only. */
function naiveLike(parts: readonly Part[], characters: readonly string[]): boolean {
  const [part, ...rest] = parts
  if (part === undefined) return characters.length === 0
  if (part.kind === 'sequence')
    return naiveLike(rest, characters) || (characters.length > 0 && naiveLike(parts, characters.slice(1)))
  if (characters.length === 0) return false
  return (part.kind === 'any' || part.character === characters[0]) && naiveLike(rest, characters.slice(1))
}

function partsOf(pattern: string, escape: string | undefined): Part[] {
  const characters = [...pattern]
  const parts: Part[] = []
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!
    if (character === escape) parts.push({ kind: 'one', character: characters[++index]! })
    else if (character === '%') parts.push({ kind: 'sequence' })
    else parts.push(character === '_' ? { kind: 'any' } : { kind: 'one', character })
  }
  return parts
}

test.each([
  // The examples of the specification.
  ['12%3', undefined, ['123', '12993'], ['1234']],
  ['l_se', undefined, ['lose'], ['loose']],
  [String.raw`\_%`, '\\', ['_foo'], ['bar']],
  // Its edges.
  ['', undefined, [''], ['a']],
  ['%', undefined, ['', 'a', 'abc\n\u0000'], []],
  ['%%', undefined, ['', 'a'], []],
  ['_', undefined, ['a', '\n', '😀'], ['', 'ab']],
  ['_%_', undefined, ['ab', 'abc', '😀😀'], ['a', '😀']],
  ['a%', undefined, ['a', 'abc'], ['', 'ba']],
  ['%a', undefined, ['a', 'ba'], ['ab', '']],
  ['%a%', undefined, ['a', 'bab'], ['b', '']],
  ['a%a', undefined, ['aa', 'aba'], ['a']],
  ['ab%ba', undefined, ['abba'], ['aba']],
  ['%ab%ab%', undefined, ['abab', 'xabyabz'], ['ab', 'aab']],
  ['%a_c%c', undefined, ['abcc', 'abcabcxc'], ['abc', 'abb']],
  ['%_b', undefined, ['ab', 'bb', 'aab'], ['b', 'ba']],
  ['.*', undefined, ['.*'], ['ab', 'a']],
  ['a$%$_', '$', ['a%_'], ['ab_', 'a%b']],
  ['100$%%', '$', ['100%', '100%!'], ['1000']],
  ['$$', '$', ['$'], ['$$']],
  ['$x', '$', ['x'], ['$x']],
  ['%%', '%', ['%'], ['', 'a']],
  ['😀_', '😀', ['_'], ['a', '😀a']],
  ['Ä%', undefined, ['Äpfel'], ['äpfel']],
] as const)('%s escaped by %s takes what it should and leaves the rest', (pattern, escape, taken, left) => {
  const isLike = compileLike(pattern, escape)
  expect(taken.filter((text) => !isLike(text))).toEqual([])
  expect(left.filter((text) => isLike(text))).toEqual([])
})

test('it agrees with the definition on short patterns and texts of few characters', () => {
  const few = fc.constantFrom('a', 'b', '😀', '$')
  const pattern = fc.array(fc.oneof(few, fc.constantFrom('%', '_', '%', '_', '$%', '$_')), { maxLength: 8 })
  const text = fc.array(fc.oneof(few, fc.constantFrom('%', '_')), { maxLength: 9 })
  let takenCount = 0
  fc.assert(
    fc.property(pattern, text, fc.constantFrom(undefined, '$'), (patternParts, characters, escape) => {
      const joined = patternParts.join('')
      fc.pre(escape === undefined || !endsEscaped(joined, escape))
      const expected = naiveLike(partsOf(joined, escape), characters)
      expect(compileLike(joined, escape)(characters.join(''))).toBe(expected)
      if (expected) takenCount++
    }),
    { numRuns: 5_000 },
  )
  expect(takenCount).toBeGreaterThan(100)
})

test('a pattern that ends in the middle of an escape is told from one that ends with an escaped escape', () => {
  expect(['$', 'a$', '$$$', 'a$a$'].map((pattern) => endsEscaped(pattern, '$'))).toEqual([true, true, true, true])
  expect(['', 'a', '$$', '$$$$', '$%', '$a'].map((pattern) => endsEscaped(pattern, '$'))).toEqual(Array(6).fill(false))
})

test('long runs of two letters are found where indexOf finds them', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 20, maxLength: 60 })
  fc.assert(
    fc.property(letters, letters, fc.nat(40), fc.nat(3), (before, run, cut, times) => {
      const isLike = compileLike(`%${run.repeat(2)}%`, undefined)
      for (const text of [
        before + run.repeat(times),
        before + run.slice(cut) + run.repeat(2) + before,
        before.repeat(3),
      ])
        expect(isLike(text)).toBe(text.includes(run.repeat(2)))
    }),
  )
})

test('a run of more than 32 and more than 64 characters with _ is found where it is', () => {
  for (const length of [31, 32, 33, 63, 64, 65, 130]) {
    const run = Array.from({ length }, (_, index) =>
      index % 5 === 3 ? '_' : String.fromCodePoint(97 + (index % 7)),
    ).join('')
    const text = run.replaceAll('_', 'x')
    const isLike = compileLike(`%${run}%`, undefined)
    expect(isLike(`${text.slice(0, 20)}${text}abc`)).toBe(true)
    expect(isLike(`abc${text.slice(0, -1)}!`)).toBe(text.endsWith('x'))
    expect(isLike(`abc${text.slice(1)}`)).toBe(false)
  }
})

test('the same test gives the same answer again, whatever came between', () => {
  const isLike = compileLike('%a_c%', undefined)
  expect(['xxabc', 'a', 'ab', 'bc', 'abc', 'c'].map((text) => isLike(text))).toEqual([
    true,
    false,
    false,
    false,
    true,
    false,
  ])
})

test('patterns made to bring down a matcher that goes back take a few steps per character', () => {
  const text = 'a'.repeat(65_535)
  const hostile = [
    `${'%a'.repeat(4_000)}%b`,
    `%${'a'.repeat(4_000)}b%${'a'.repeat(3_000)}`,
    `%${'a'.repeat(2_000)}b${'a'.repeat(2_000)}%`,
    `%${'a_'.repeat(2_000)}b%`,
    `${'%a_'.repeat(2_700)}%b`,
    `%${'_'.repeat(8_000)}b%a`,
  ]
  // 65,535 × 8,000 steps of going back are minutes, and the time of a test ends before; these take 45 ms at most.
  for (const pattern of hostile) expect(compileLike(pattern, undefined)(text), pattern.slice(0, 12)).toBe(false)
})
