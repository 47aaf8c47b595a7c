import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sortedNames } from './sorted-names.ts'

function mapOf(names: Iterable<string>): Map<string, number> {
  return new Map([...names].map((name) => [name, 0]))
}

test('all names come once and in their order, from the first that was asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 3 })),
      fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
      (names, first) => {
        const expected = [...new Set(names)].sort().filter((name) => first === undefined || name >= first)
        expect([...sortedNames(mapOf(names), first)]).toEqual(expected)
      },
    ),
  )
})

test('more than are sorted at a time come as well, whatever order they stand in', () => {
  const names = Array.from({ length: 10_000 }, (_, index) => String((index * 7_919) % 10_000).padStart(4, '0'))
  const sorted = names.toSorted()
  for (const order of [names, sorted, sorted.toReversed()]) expect([...sortedNames(mapOf(order))]).toEqual(sorted)
})

test('the map may change between two names', () => {
  const map = mapOf(Array.from({ length: 5_000 }, (_, index) => String(index).padStart(4, '0')))
  const found: string[] = []
  for (const name of sortedNames(map)) {
    found.push(name)
    map.delete(name)
  }
  expect([found.length, map.size]).toEqual([5_000, 0])
})
