/** `bench subscriptions`: what a publish to one match costs with 100 and with 100,000 distinct wildcard subscriptions. */
import { factsTable, labFacts, table, writeJson, writePage } from '@ternmq/lab'
import { parseArgs } from 'node:util'

import { median } from '../loadgen/results.ts'
import { duration } from '../micro/page.ts'
import { measureEndToEnd } from './end-to-end.ts'
import { measureInProcess } from './in-process.ts'
import { type Load, LOADS, type Pair, RATIO_MAX, SIZES } from './plan.ts'

const HELP = `Usage: npm run -s bench -- subscriptions [--pairs N] [--dry]

Two brokers take turns, ${N(SIZES.few)} subscriptions and ${N(SIZES.many)}; N pairs of rounds each, default 15. First in this process without a
kernel, then as two processes over TCP (Linux only). Writes docs/benchmarks/subscriptions.md and .json, unless --dry is given.
`
const PAIRS_DEFAULT = 15
const ROUND_MS = { inProcess: 200, endToEnd: 500 }

interface Row {
  readonly way: 'in process' | 'over TCP'
  readonly load: string
  readonly pairs: readonly Pair[]
  /** Medians; the ratio is that of the pairs' ratios. */
  readonly fewNs: number
  readonly manyNs: number
  readonly ratio: number
  readonly lowestRatio: number
  readonly highestRatio: number
}

export async function subscriptions(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: 'string', default: String(PAIRS_DEFAULT) },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const pairs = Number(values.pairs)
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs ${values.pairs}: must be 1 or more`)
  const facts = labFacts()
  const results = [
    ...rowsOf('in process', measureInProcess(LOADS, SIZES, pairs, ROUND_MS.inProcess)),
    ...rowsOf('over TCP', await measureEndToEnd(LOADS, SIZES, pairs, ROUND_MS.endToEnd)),
  ]
  const page = pageOf(factsTable(facts), results)
  process.stdout.write(page)
  if (!values.dry) {
    const report = { facts, subscriptions: SIZES, results }
    process.stdout.write(`${writeJson('docs/benchmarks/subscriptions.json', report)}\n`)
    process.stdout.write(`${writePage('docs/benchmarks/subscriptions.md', page)}\n`)
  }
  return 0
}

function rowsOf(way: Row['way'], measured: ReadonlyMap<Load, readonly Pair[]>): Row[] {
  return [...measured].map(([{ name }, pairs]) => {
    const ratios = pairs.map(({ few, many }) => many / few)
    return {
      way,
      load: name,
      pairs,
      fewNs: median(pairs.map(({ few }) => few))!,
      manyNs: median(pairs.map(({ many }) => many))!,
      ratio: median(ratios)!,
      lowestRatio: Math.min(...ratios),
      highestRatio: Math.max(...ratios),
    }
  })
}

function pageOf(facts: string, rows: readonly Row[]): string {
  const cells = rows.map(({ way, load, fewNs, manyNs, ratio, lowestRatio, highestRatio }) => [
    `${way}, ${load}`,
    duration(fewNs),
    duration(manyNs),
    `**${ratio.toFixed(2)}** (${lowestRatio.toFixed(2)} to ${highestRatio.toFixed(2)})`,
    ratio <= RATIO_MAX ? 'met' : 'missed',
  ])
  return [
    `# ${N(SIZES.many)} subscriptions`,
    '',
    'Made by `npm run -s bench -- subscriptions`; changes here are overwritten. Distinct filters with a wildcard',
    '(`fleet/device7/+/state`), a thousand in each session; QoS 0 messages of 16 bytes to topics that one of them matches. The two',
    'brokers take turns, and each ratio is of rounds that followed one another; medians, and how far they were apart. Over TCP it',
    `is the CPU of the broker process alone. The goal is a ratio of at most ${RATIO_MAX}.`,
    '',
    facts,
    table(
      ['CPU per message', `${N(SIZES.few)} subscriptions`, `${N(SIZES.many)} subscriptions`, 'ratio', 'goal'],
      cells,
    ),
    '## Where it is slow',
    '',
    'What a topic matches is remembered. After every change of any subscription each topic is matched anew, once, at its next',
    'message: `topic-tree.bench.ts` on [the page of single functions](micro.md) has what that costs with few and many patterns.',
    '',
  ].join('\n')
}

function N(value: number): string {
  return value.toLocaleString('en-US')
}
