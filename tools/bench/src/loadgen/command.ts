/** `bench loadgen`: our broker beside its peers, in turns, by a load generator in its own process. */
import { labFacts, writeJson, writePage } from '@ternmq/lab'
import { parseArgs } from 'node:util'

import { CASES, casesNamed, roundsOf } from './cases.ts'
import { LoadGenerator } from './generator.ts'
import { type CaseReport, loadgenPage, type LoadgenReport, OURS } from './page.ts'
import { RestartableBroker } from './restartable-broker.ts'
import { summarize } from './results.ts'

const HELP = `Usage: npm run -s bench -- loadgen --loadgen FOLDER [OPTION…]

Builds the load generator in FOLDER (a copy of it), starts our broker and the peers on this machine, lets compare.py measure
them in turns and writes docs/benchmarks/mqtt.md and .json. Needs make, a C compiler, python3 and the peers. Leave the
machine alone meanwhile.

  --loadgen FOLDER   has Makefile, compare.py and peers.sh
  --peer NAME        another broker, as peers.sh names it; may be repeated. Default: mosquitto, nats
  --cases ID,ID      of ${CASES.map(({ id }) => id).join(', ')}; default all
  --rounds N         of each case; default 3, for l 5
  --dry              print the page, write nothing
`

export async function loadgen(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      loadgen: { type: 'string' },
      peer: { type: 'string', multiple: true, default: ['mosquitto', 'nats'] },
      cases: { type: 'string' },
      rounds: { type: 'string' },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true || values.loadgen === undefined) {
    process.stdout.write(HELP)
    return values.help === true ? 0 : 2
  }
  const chosen = values.cases === undefined ? CASES : casesNamed(values.cases.split(','))
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: must be 1 or more`)

  // Before anything runs: what is measured is what is committed now.
  const facts = labFacts()
  using generator = new LoadGenerator(values.loadgen)
  const peers = await generator.startPeers(values.peer)
  await using broker = await RestartableBroker.start()
  const cases: CaseReport[] = []
  for (const one of chosen) {
    const target = `${OURS}=127.0.0.1:${broker.port}:mqtt;pid=${broker.pid};restart=${broker.restartCommand}`
    const lines = await generator.compare(one.id, roundsOf(one, rounds), peers, target, signal)
    const targets = [OURS, ...peers.map(({ name }) => name)]
    const results = targets.map((name) =>
      summarize(
        name,
        lines.filter((line) => line.target === name),
      ),
    )
    cases.push({ id: one.id, title: one.title, results })
  }
  const report: LoadgenReport = { facts, peers, loadgen: generator.fingerprint, cases }
  const page = loadgenPage(report)
  process.stdout.write(page)
  if (!values.dry) {
    process.stdout.write(
      `${writeJson('docs/benchmarks/mqtt.json', report)}\n${writePage('docs/benchmarks/mqtt.md', page)}\n`,
    )
  }
  return 0
}
