/** `bench tracing`: what messages cost more while some of them are traced. */
import { factsTable, labFacts, table, writeJson, writePage } from '@ternmq/lab'

import { parseNumbers } from '../queues/options.ts'
import { type Cost, LOADS, measureTracing } from './measure.ts'

const HELP = `Usage: npm run -s bench -- tracing [--pairs N] [--dry]

CPU of the broker per message with tracing and without, MQTT 3.1.1 with QoS 0 from one publisher to one subscriber, in N pairs of rounds of 3 s,
default 20. Writes docs/benchmarks/tracing.md and .json, unless --dry is given. Linux only: eight minutes for each of the loads.
`

export async function tracingBench(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { pairs: 20 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const costs: Cost[] = []
  for (const load of LOADS) costs.push(await measureTracing(load, options.pairs))
  const page = pageOf(factsTable(facts), options.pairs, costs)
  process.stdout.write(page)
  if (!options.isDry) {
    process.stdout.write(`${writeJson('docs/benchmarks/tracing.json', { facts, ...options, costs })}\n`)
    process.stdout.write(`${writePage('docs/benchmarks/tracing.md', page)}\n`)
  }
  return 0
}

function pageOf(facts: string, pairs: number, costs: readonly Cost[]): string {
  return [
    '# What traces cost',
    '',
    'Made by `npm run -s bench -- tracing`; changes here are overwritten.',
    '',
    facts,
    `CPU of the broker's process for each message, MQTT 3.1.1 with QoS 0, 64 bytes, one publisher and one subscriber: two spans for a message that is traced.`,
    `${pairs} pairs of rounds of 3 s, a broker with tracing and one without in turn; the interval has the median with 95 %. The collector is in another process.`,
    `Where more is to be traced than the collector takes, spans are left out, and counted: the last line may have such.`,
    '',
    table(
      ['load', 'without', 'more with tracing', '95 %'],
      costs.map(({ load, withoutNs, difference }) => [
        load.what,
        us(withoutNs),
        us(difference.median),
        `${us(difference.low)} to ${us(difference.high)}`,
      ]),
    ),
    '',
  ].join('\n')
}

function us(ns: number): string {
  return `${(ns / 1_000).toFixed(Math.abs(ns) < 10_000 ? 2 : 1)} µs`
}
