/** `bench loadgen`: our broker beside its peers, in turns, by a load generator in its own process. */
import { labFacts, writeJson, writePage } from '@ternmq/lab'
import { parseArgs } from 'node:util'

import { measureRelay } from '../amqp/relay.ts'
import { measureOwn } from '../stomp/own.ts'
import { casesNamed, roundsOf, type Suite, SUITES } from './cases.ts'
import { LoadGenerator } from './generator.ts'
import { type CaseReport, loadgenPage, type LoadgenReport, OURS } from './page.ts'
import { RestartableBroker } from './restartable-broker.ts'
import { summarize } from './results.ts'

const peersText = (protocol: Suite['protocol']): string => SUITES[protocol].peers.join(', ')
const idsText = (protocol: Suite['protocol']): string => SUITES[protocol].cases.map(({ id }) => id).join(', ')

const HELP = `Usage: npm run -s bench -- loadgen --loadgen FOLDER [OPTION…]

Builds the load generator in FOLDER (a copy of it), starts our broker and the peers on this machine, lets compare.py measure
them in turns and writes docs/benchmarks/mqtt.md and .json, or those of the protocol asked for. Needs make, a C compiler, python3 and the
peers. Leave the machine alone meanwhile.

  --loadgen FOLDER   has Makefile, compare.py and peers.sh
  --protocol NAME    mqtt, the default; stomp, with what a delivery from MQTT and one over WebSocket cost; or amqp, with
                     messages of 16 bytes passed on as fast as it goes
  --peer NAME        another broker, as peers.sh names it; may be repeated. Default: ${peersText('mqtt')}; of
                     stomp ${peersText('stomp')}; of amqp ${peersText('amqp')}
  --cases ID,ID      of ${idsText('mqtt')}; of stomp
                     ${idsText('stomp')}; of amqp ${idsText('amqp')}; default all
  --rounds N         of each case; default 3, for l 5
  --dry              print the page, write nothing
`

export async function loadgen(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      loadgen: { type: 'string' },
      protocol: { type: 'string', default: 'mqtt' },
      peer: { type: 'string', multiple: true },
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
  const suite = suiteNamed(values.protocol)
  const chosen = values.cases === undefined ? suite.cases : casesNamed(values.cases.split(','), suite)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds ${values.rounds}: must be 1 or more`)

  // Before anything runs: what is measured is what is committed now.
  const facts = labFacts()
  using generator = new LoadGenerator(values.loadgen)
  const peers = await generator.startPeers(values.peer ?? suite.peers)
  await using broker = await RestartableBroker.start(suite.protocol)
  const cases: CaseReport[] = []
  for (const one of chosen) {
    const place = `127.0.0.1:${broker.port}:${suite.comparedAs}`
    const target = `${OURS}=${place};pid=${broker.pid};restart=${broker.restartCommand}${suite.targetOptions}`
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
  const isWhole = values.cases === undefined
  const own = suite.protocol === 'stomp' && isWhole ? await measureOwn(rounds, signal) : undefined
  const relay = suite.protocol === 'amqp' && isWhole ? await measureRelay(rounds, signal) : undefined
  const { protocol } = suite
  const report: LoadgenReport = { facts, protocol, peers, loadgen: generator.fingerprint, cases, own, relay }
  const page = loadgenPage(report)
  process.stdout.write(page)
  if (!values.dry) {
    process.stdout.write(
      `${writeJson(`docs/benchmarks/${suite.page}.json`, report)}\n${writePage(`docs/benchmarks/${suite.page}.md`, page)}\n`,
    )
  }
  return 0
}

function suiteNamed(name: string): Suite {
  if (Object.hasOwn(SUITES, name)) return SUITES[name as Suite['protocol']]
  throw new Error(`--protocol ${name}: must be one of ${Object.keys(SUITES).join(', ')}`)
}
