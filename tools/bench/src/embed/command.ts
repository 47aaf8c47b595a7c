/** `bench embed`: how long a program waits for a broker of its own. */
import { factsTable, labFacts, table, writeJson, writePage } from '@ternmq/lab'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { type FirstDelivery, firstDelivery } from './first-delivery.ts'

const HELP = `Usage: npm run -s bench -- embed [--rounds N] [--processes N] [--dry]

From the call of startBroker(), without any option, to the first message that a subscriber over TCP has in its hands: N times in one
process, and as the first call of N fresh ones. Writes docs/benchmarks/embed.md and .json, unless --dry is given.
`
const ROUNDS_DEFAULT = 100
const PROCESSES_DEFAULT = 20
const PROCESS_MS_MAX = 30_000

/** The first call of a process. */
export interface FirstCall extends FirstDelivery {
  /** From the start of the process to modules that are loaded. */
  readonly loadedMs: number
}

export async function embed(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
      processes: { type: 'string', default: String(PROCESSES_DEFAULT) },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  const rounds = countOf('rounds', values.rounds)
  const processes = countOf('processes', values.processes)
  const facts = labFacts()
  const fresh = Array.from({ length: processes }, freshProcess)
  const { startBroker } = await import('@ternmq/broker')
  await firstDelivery(startBroker) // the first call is that of the fresh processes
  const warm: FirstDelivery[] = []
  for (let round = 0; round < rounds; round++) warm.push(await firstDelivery(startBroker))
  const page = pageOf(factsTable(facts), warm, fresh)
  process.stdout.write(page)
  if (!values.dry) {
    process.stdout.write(`${writeJson('docs/benchmarks/embed.json', { facts, warm, fresh })}\n`)
    process.stdout.write(`${writePage('docs/benchmarks/embed.md', page)}\n`)
  }
  return 0
}

function freshProcess(): FirstCall {
  const once = new URL('once.ts', import.meta.url).pathname
  const done = spawnSync(process.execPath, [once], { encoding: 'utf8', timeout: PROCESS_MS_MAX })
  if (done.status !== 0) throw new Error(`a fresh process: ${done.stderr}`)
  return JSON.parse(done.stdout) as FirstCall
}

function countOf(name: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} ${text}: must be 1 or more`)
  return count
}

function pageOf(facts: string, warm: readonly FirstDelivery[], fresh: readonly FirstCall[]): string {
  const row = (what: string, numbers: readonly number[]): string[] => [
    what,
    ...[0.5, 0.95, 1].map((share) => `${quantile(numbers, share).toFixed(1)} ms`),
  ]
  const rows = [
    row(
      `to the first delivery, modules loaded (${warm.length} calls in one process)`,
      warm.map(({ deliveryMs }) => deliveryMs),
    ),
    row(
      'of that, until the broker accepts connections',
      warm.map(({ startMs }) => startMs),
    ),
    row(
      'stop',
      warm.map(({ stopMs }) => stopMs),
    ),
    row(
      `to the first delivery, first call (${fresh.length} fresh processes)`,
      fresh.map(({ deliveryMs }) => deliveryMs),
    ),
    row(
      'before that, from the start of the process to modules that are loaded',
      fresh.map(({ loadedMs }) => loadedMs),
    ),
  ]
  return [
    '# A broker of one’s own',
    '',
    'Made by `npm run -s bench -- embed`; changes here are overwritten. `startBroker()` without any option: memory engine, two listeners on',
    'free ports. A client over TCP in the same process connects, subscribes, publishes at QoS 1 and has its message. Half of the time that',
    'modules take to load goes into stripping types and compiling: a program that sets `NODE_COMPILE_CACHE` saves it from its second run on.',
    '',
    facts,
    table(['', 'median', '95 %', 'longest'], rows),
  ].join('\n')
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}
