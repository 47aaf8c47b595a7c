/** node selector.bench.ts: asking a selector about one message, also the dearest ones about the dearest messages, and parsing one. */
import { bench, do_not_optimize, run } from 'mitata'
import {
  parseSelector,
  type PropertySource,
  SELECTOR_COST_MAX,
  SELECTOR_LENGTH_MAX,
  type SelectorValue,
} from './selector.ts'

const properties = new Map<string, SelectorValue>([
  ['a', 'x'],
  ['b', 7],
  ['long', 9_007_199_254_740_993n],
  ['text', 'the quick brown fox jumps over the lazy dog'],
])
const source: PropertySource = { property: (name) => properties.get(name) }

for (const text of [
  "a = 'x' AND b > 5",
  "a = 'y' AND b > 5",
  "a IN ('u', 'v', 'w', 'x') OR b BETWEEN 1 AND 5",
  "text LIKE '%brown%'",
  "text LIKE '%b_own%lazy%'",
  'b * 2 + 1 = 15',
  'long > 9007199254740992',
  'missing IS NULL',
]) {
  const parsed = parseSelector(text)
  if (!parsed.ok) throw new Error(parsed.error.text)
  const { selector } = parsed
  bench(text, () => do_not_optimize(selector.matches(source)))
}
// What the weights of cost.ts are measured by: for each, the dearest text known, as often as a selector may have it.
const dearest: [string, string, SelectorValue][] = [
  ['a = 1', '', 2n ** 62n],
  ['a = 1', 'convert_string_expressions:', ' '.repeat(40) + '12345678901234567890123'],
  ['a = b', '', 'x'.repeat(131_072)],
  ["a LIKE '%aaa€%'", '', `${'a'.repeat(4_094)}é€`],
  ["a LIKE '%_b%'", '', 'a'.repeat(4_096)],
  [`a LIKE '%${'_'.repeat(1_000)}b%'`, '', 'a'.repeat(4_096)],
]
for (const [text, prefix, value] of dearest) {
  const one = parseSelector(prefix + text)
  if (!one.ok) throw new Error(one.error.text)
  const count = Math.min(
    Math.floor(SELECTOR_COST_MAX / one.selector.cost),
    Math.floor((SELECTOR_LENGTH_MAX - prefix.length) / (text.length + ' OR '.length)),
  )
  const parsed = parseSelector(prefix + Array(count).fill(text).join(' OR '))
  if (!parsed.ok) throw new Error(parsed.error.text)
  const { selector } = parsed
  // The other one is as long, and differs at its end.
  const other = typeof value === 'string' ? Buffer.from(`${value.slice(1)}y`).toString() : value
  const properties: PropertySource = { property: (name) => (name === 'b' ? other : value) }
  bench(`${count} × ${prefix}${text.slice(0, 20)}, cost ${selector.cost}`, () =>
    do_not_optimize(selector.matches(properties)))
}
bench("parse a = 'x' AND b > 5", () => do_not_optimize(parseSelector("a = 'x' AND b > 5")))

await run()
