import type { Subject } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RuleTree } from './rule-tree.ts'
import type { Ruled } from './rule-tree.ts'
import { covers, isLiftedToReserved, overlaps, parseTopicPattern, patternFor } from './topic-pattern.ts'

const subjects: readonly Subject[] = [
  { principal: { name: 'ann', anonymous: false }, clientId: 'd1' },
  { principal: { name: '$x', anonymous: false }, clientId: '$x' },
  { principal: { name: 'anonymous', anonymous: true }, clientId: '' },
]

const level = fc.constantFrom('a', 'b', 'd1', '$x', '+')
const text = (parts: fc.Arbitrary<string>, last: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.array(parts, { maxLength: 3 }), last).map(([before, end]) => [...before, end].join('/'))
const patternText = text(
  fc.oneof(level, fc.constantFrom('%c', '%u', 'a%c')),
  fc.constantFrom('a', '+', '#', '%u', '$x'),
)
const wantedText = text(level, fc.constantFrom('a', 'ann', 'ad1', '+', '#', '$x'))

function treeOf(texts: readonly string[]): { tree: RuleTree<Ruled>; entries: Ruled[] } {
  const tree = new RuleTree<Ruled>()
  const entries = texts.map((each, order) => ({ order, pattern: parseTopicPattern(each) }))
  for (const entry of entries) tree.add(entry)
  return { tree, entries }
}

describe('RuleTree', () => {
  const inputs = [fc.array(patternText, { maxLength: 8 }), wantedText, fc.constantFrom(...subjects)] as const

  it('finds the first pattern that covers what is wanted, as trying one after another does', () => {
    fc.assert(
      fc.property(...inputs, (texts, wanted, subject) => {
        const { tree, entries } = treeOf(texts)
        const levels = parseTopicPattern(wanted).fixed ?? []
        const first = entries.find(({ pattern }) => {
          const ours = patternFor(pattern, subject)
          return ours !== undefined && covers(ours, levels) && !isLiftedToReserved(pattern, ours)
        })
        expect(tree.covering(levels, subject)).toBe(first)
      }),
      { numRuns: 5_000 },
    )
  })

  it('finds the first pattern that overlaps what is wanted, as trying one after another does', () => {
    fc.assert(
      fc.property(...inputs, (texts, wanted, subject) => {
        const { tree, entries } = treeOf(texts)
        const levels = parseTopicPattern(wanted).fixed ?? []
        const first = entries.find(({ pattern }) => {
          const ours = patternFor(pattern, subject)
          return ours !== undefined && overlaps(ours, levels, true)
        })
        expect(tree.overlapping(levels, subject)).toBe(first)
      }),
      { numRuns: 5_000 },
    )
  })

  it('finds after others were taken out what one finds that never had them, and is empty without any', () => {
    fc.assert(
      fc.property(...inputs, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (texts, wanted, subject, goes) => {
        const { tree, entries } = treeOf(texts)
        const left = entries.filter(({ order }) => goes[order] !== true)
        for (const entry of entries) if (goes[entry.order] === true) tree.remove(entry)
        const fresh = new RuleTree<Ruled>()
        for (const entry of left.toReversed()) fresh.add(entry)
        const levels = parseTopicPattern(wanted).fixed ?? []
        expect(tree.covering(levels, subject)).toBe(fresh.covering(levels, subject))
        expect(tree.overlapping(levels, subject)).toBe(fresh.overlapping(levels, subject))
        for (const entry of left) tree.remove(entry)
        expect(tree.isEmpty).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  it('takes the deepest pattern that there may be', () => {
    const deepest = Array.from({ length: 1_024 }, () => '+').join('/') + '/#'
    const { tree, entries } = treeOf([deepest])
    const [subject] = subjects
    expect(tree.overlapping(parseTopicPattern('#').fixed ?? [], subject!)).toBe(entries[0])
    expect(tree.covering(parseTopicPattern(deepest).fixed ?? [], subject!)).toBe(entries[0])
  })
})
