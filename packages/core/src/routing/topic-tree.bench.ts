/** node topic-tree.bench.ts: one look-up among few and among many patterns; it must not grow with their number. */
import { bench, do_not_optimize, run, summary } from 'mitata'
import { ONE_LEVEL, type PatternLevel } from './address.ts'
import { TopicTree } from './topic-tree.ts'

function treeOf(count: number, pattern: (index: number) => PatternLevel[]): TopicTree<number> {
  const tree = new TopicTree<number>()
  for (let index = 0; index < count; index++) tree.add(pattern(index), index)
  return tree
}

const found: number[] = []
function look(tree: TopicTree<number>, levels: readonly string[]): void {
  found.length = 0
  tree.match(levels, found)
  do_not_optimize(found)
}

const wildcard = (index: number): PatternLevel[] => ['fleet', `device${index}`, ONE_LEVEL, 'state']
const few = treeOf(100, wildcard)
const many = treeOf(100_000, wildcard)
const shared = treeOf(1_000, () => ['fleet', 'all'])
const name = ['fleet', 'device42', 'motor', 'state']

summary(() => {
  bench('match 1 of 100 wildcard patterns', () => look(few, name))
  bench('match 1 of 100,000 wildcard patterns', () => look(many, name))
})
bench('match all 1,000 values of one pattern', () => look(shared, ['fleet', 'all']))

// Different names: a Map that has the same key set and deleted again and again walks over what it deleted (77 µs).
const comers = Array.from({ length: 1_000 }, (_, index): PatternLevel[] => ['fleet', `new${index}`, ONE_LEVEL])
let comer = 0
bench('add and remove a pattern among 100,000', () => {
  const pattern = comers[comer++ % comers.length]!
  many.add(pattern, -1)
  many.remove(pattern, -1)
})
bench('add and remove the first of 1,000 values of one pattern', () => {
  shared.remove(['fleet', 'all'], 0)
  shared.add(['fleet', 'all'], 0)
})

await run()
