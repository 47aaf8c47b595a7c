/** `bench in-process`: a whole broker without a kernel, one process per scenario. */
import { factsTable, labFacts, table, writeJson, writePage } from '@ternmq/lab'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

import { median } from '../loadgen/results.ts'
import { duration } from '../micro/page.ts'
import { type RoundResult, runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

const HELP = `Usage: npm run -s bench -- in-process [FILTER] [--rounds N] [--dry]

Runs every scenario, or those with FILTER in their name. All of them: writes docs/benchmarks/in-process.md and .json, unless
--dry is given.
`
const ROUNDS_DEFAULT = 7
const ROUND_MS = 500
const ROUND_MS_MAX = 20_000

interface ScenarioResult {
  readonly scenario: string
  readonly rounds: readonly RoundResult[]
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  readonly cpuNsPerMessage: number
  readonly lowestCpuNsPerMessage: number
  readonly highestCpuNsPerMessage: number
}

export async function inProcess(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
      /** For ourselves: run this scenario here and print its rounds. */
      one: { type: 'string' },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds}: must be 1 or more`)
  if (values.help === true) {
    process.stdout.write(HELP)
    return 0
  }
  if (values.one !== undefined) {
    process.stdout.write(JSON.stringify(runScenario(scenarioNamed(values.one), rounds, ROUND_MS)))
    return 0
  }
  const [filter = ''] = positionals
  const chosen = SCENARIOS.filter(({ name }) => name.includes(filter))
  if (chosen.length === 0) throw new Error(`no scenario has '${filter}' in its name`)
  const facts = labFacts()
  const results = chosen.map(({ name }) => measure(name, rounds))
  const page = pageOf(factsTable(facts), results)
  process.stdout.write(page)
  if (filter === '' && !values.dry) {
    process.stdout.write(`${writeJson('docs/benchmarks/in-process.json', { facts, results })}\n`)
    process.stdout.write(`${writePage('docs/benchmarks/in-process.md', page)}\n`)
  }
  return 0
}

/** In a process of its own: code that one scenario has made does not help or hinder the next. */
function measure(scenario: string, count: number): ScenarioResult {
  const main = new URL('../main.ts', import.meta.url).pathname
  const args = [main, 'in-process', '--one', scenario, '--rounds', String(count)]
  const done = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: ROUND_MS_MAX * (count + 1) })
  if (done.status !== 0) throw new Error(`${scenario}: ${done.stderr}`)
  const rounds = JSON.parse(done.stdout) as RoundResult[]
  const of = (pick: (round: RoundResult) => number): number => median(rounds.map(pick))!
  const costs = rounds.map(({ cpuNsPerMessage }) => cpuNsPerMessage)
  process.stderr.write(`${scenario}: ${Math.round(of(({ messagesPerSecond }) => messagesPerSecond))}/s\n`)
  return {
    scenario,
    rounds,
    messagesPerSecond: of(({ messagesPerSecond }) => messagesPerSecond),
    bytesPerSecond: of(({ bytesPerSecond }) => bytesPerSecond),
    cpuNsPerMessage: of(({ cpuNsPerMessage }) => cpuNsPerMessage),
    lowestCpuNsPerMessage: Math.min(...costs),
    highestCpuNsPerMessage: Math.max(...costs),
  }
}

function pageOf(facts: string, results: readonly ScenarioResult[]): string {
  const rows = results.map((result) => [
    result.scenario,
    `${(result.messagesPerSecond / 1e6).toFixed(2)}M/s`,
    `${(result.bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s`,
    duration(result.cpuNsPerMessage),
    `${duration(result.lowestCpuNsPerMessage)} to ${duration(result.highestCpuNsPerMessage)}`,
  ])
  return [
    '# A whole broker without a kernel',
    '',
    'Made by `npm run -s bench -- in-process`; changes here are overwritten. Packets cross pipes in memory, about 60 KB in a',
    'turn; decoding, routing, encoding and acknowledging are those of the broker. The simulated clients are in the numbers.',
    'Each scenario is a process of its own; medians of its rounds, and how far they were apart.',
    '',
    facts,
    table(['scenario', 'delivered', '', 'CPU per message', 'lowest to highest'], rows),
  ].join('\n')
}

function scenarioNamed(name: string): (typeof SCENARIOS)[number] {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Error(`there is no scenario '${name}'`)
  return found
}
