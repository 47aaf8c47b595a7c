import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternOf, privateField } from '../../test/support.ts'
import { ALL_BELOW, matches, ONE_LEVEL, patternKey, type PatternLevel } from './address.ts'
import { TopicTree } from './topic-tree.ts'

/** Few words, so that random names and patterns meet; empty levels and the broker's own names among them. */
const level = fc.constantFrom('a', 'b', '', '$a', '$')
const name = fc.array(level, { minLength: 1, maxLength: 5 })
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.constantFrom('#', '+', 'a', ''))
  .map(([levels, last]) => [...levels, last].join('/'))

interface TreeNode {
  readonly children?: ReadonlyMap<string, TreeNode>
  readonly one?: TreeNode
}

/** Nodes below the root. */
function nodeCountOf(tree: TopicTree<unknown>): number {
  const below = ({ children, one }: TreeNode): TreeNode[] => [
    ...(children?.values() ?? []),
    ...(one === undefined ? [] : [one]),
  ]
  const nodes = below(privateField(tree, '#root') as TreeNode)
  for (const node of nodes) nodes.push(...below(node))
  return nodes.length
}

function found<T>(tree: TopicTree<T>, levels: readonly string[]): T[] {
  const values: T[] = []
  tree.match(levels, values)
  return values
}

test('the tree finds what the reference finds, through any order of adding and removing, and ends up empty', () => {
  const step = fc.record({ filter, remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0), pick: fc.nat(20) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(name, { minLength: 1, maxLength: 10 }), (steps, names) => {
      const tree = new TopicTree<{ filter: string }>()
      const known: { filter: string }[] = []
      for (const { filter: text, remove, pick } of steps) {
        if (remove && known.length > 0) {
          const [value] = known.splice(pick % known.length, 1)
          expect(tree.remove(patternOf(value!.filter), value!)).toBe(true)
          expect(tree.remove(patternOf(value!.filter), value!)).toBe(false)
        } else {
          const value = { filter: text }
          tree.add(patternOf(text), value)
          known.push(value)
        }
        expect(tree.size).toBe(known.length)
        for (const levels of names) {
          const expected = known.filter((value) => matches(patternOf(value.filter), levels))
          expect(new Set(found(tree, levels))).toEqual(new Set(expected))
          expect(found(tree, levels)).toHaveLength(expected.length)
        }
      }
      for (const value of known) expect(tree.remove(patternOf(value.filter), value)).toBe(true)
      expect(tree.size).toBe(0)
      expect(nodeCountOf(tree)).toBe(0)
    }),
    { numRuns: 150 },
  )
})

test('the tree has no more nodes than the levels of what is in it', () => {
  fc.assert(
    fc.property(fc.array(filter, { minLength: 1, maxLength: 20 }), fc.nat(20), (filters, keep) => {
      const tree = new TopicTree<number>()
      filters.forEach((text, index) => tree.add(patternOf(text), index))
      filters.forEach((text, index) => {
        if (index >= keep) tree.remove(patternOf(text), index)
      })
      const prefixes = new Set<string>()
      for (const text of filters.slice(0, keep)) {
        const levels = patternOf(text).filter(
          (_, index, all) => text.split('/')[index] !== '#' || index < all.length - 1,
        )
        for (let depth = 1; depth <= levels.length; depth++) prefixes.add(patternKey(levels.slice(0, depth)))
      }
      expect(nodeCountOf(tree)).toBe(prefixes.size)
    }),
  )
})

describe('removing', () => {
  test.each([
    ['a/b', 'a'],
    ['a', 'a/b'],
    ['a/#', 'a'],
    ['a', 'a/#'],
    ['a/+', 'a/b'],
    ['+', '#'],
    ['a', 'x/y/z'],
  ])('%s is still there after a removal of %s', (added, removed) => {
    const tree = new TopicTree<string>()
    tree.add(patternOf(added), 'value')
    expect(tree.remove(patternOf(removed), 'value')).toBe(false)
    expect(tree.remove(patternOf(added), 'other')).toBe(false)
    expect(tree.size).toBe(1)
    expect(tree.remove(patternOf(added), 'value')).toBe(true)
  })

  test('a value that was added twice is there until it was removed twice', () => {
    const tree = new TopicTree<string>()
    tree.add(patternOf('a/+'), 'value')
    tree.add(patternOf('a/+'), 'value')
    expect(found(tree, ['a', 'b'])).toEqual(['value', 'value'])
    tree.remove(patternOf('a/+'), 'value')
    expect(found(tree, ['a', 'b'])).toEqual(['value'])
  })
})

test('200,000 values of one pattern come without overflowing the stack', () => {
  const tree = new TopicTree<number>()
  for (let value = 0; value < 200_000; value++) tree.add(patternOf('a/#'), value)
  expect(found(tree, ['a', 'b'])).toHaveLength(200_000)
})

test('a name of 1,024 levels is matched, added and removed without overflowing the stack', () => {
  const deep = Array.from({ length: 1_024 }, () => '')
  const tree = new TopicTree<string>()
  const wildcard: PatternLevel[] = [...deep.slice(1).map((): PatternLevel => ONE_LEVEL), ALL_BELOW]
  tree.add(deep, 'literal')
  tree.add(wildcard, 'wildcard')
  expect(found(tree, deep).sort()).toEqual(['literal', 'wildcard'])
  expect(tree.remove(deep, 'literal')).toBe(true)
  expect(found(tree, deep)).toEqual(['wildcard'])
})
