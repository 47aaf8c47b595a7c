import { isUtf8 } from 'node:buffer'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Utf8Pieces } from './utf8-pieces.ts'

function judge(bytes: Uint8Array, cuts: readonly number[]): boolean {
  const text = new Utf8Pieces()
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    const to = Math.min(bytes.length, from + cut)
    if (!text.takes(bytes.subarray(from, to))) return false
    from = to
  }
  return !text.isWithinCharacter
}

test('of any bytes in any pieces it says what isUtf8 says of the whole', () => {
  const arbitraryBytes = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 6 }),
    // Near misses: too long a form, a half of a pair, beyond the last character, an end without a beginning.
    fc
      .constantFrom('c080', 'e08080', 'eda080', 'f4908080', 'f08080', '80', 'e282ac', 'f09f98', 'c3')
      .map((hex) => Buffer.from(hex, 'hex')),
  )
  const arbitraryText = fc.array(arbitraryBytes, { maxLength: 4 }).map((parts) => Buffer.concat(parts))
  fc.assert(
    fc.property(arbitraryText, fc.array(fc.nat(6), { maxLength: 20 }), (bytes, cuts) => {
      expect(judge(bytes, cuts)).toBe(isUtf8(bytes))
    }),
    { numRuns: 2_000 },
  )
})
