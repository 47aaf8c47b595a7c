/** node selector.bench.ts: asking a selector about one message, and parsing one. */
import { bench, do_not_optimize, run } from 'mitata'
import { parseSelector, type PropertySource, type SelectorValue } from './selector.ts'

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
bench("parse a = 'x' AND b > 5", () => do_not_optimize(parseSelector("a = 'x' AND b > 5")))

await run()
