/** `bench restart`: how long a broker with many waiting messages takes to come back, and how fast they can be purged. */
import { startBroker } from '@ternmq/broker'
import { purge } from '@ternmq/core'
import { BrokerProcess, labFacts } from '@ternmq/lab'
import { setTimeout as wait } from 'node:timers/promises'

import { bytesBelow } from '../queues/disk-use.ts'
import { publishMany } from '../queues/load-client.ts'
import { CONFIG, parseNumbers } from '../queues/options.ts'
import { addResults, type Restart } from '../queues/page.ts'
import { memoryOf } from '../queues/process-memory.ts'

const HELP = `Usage: npm run -s bench -- restart [--messages N] [--bytes N] [--dry]

1,000,000 persistent messages of 1 KiB wait in a queue: from the start of the process until it accepts, after kill -9 and after SIGTERM; then
all of them are purged. Writes docs/benchmarks/queues.md and .json, unless --dry is given. Linux only.
`
const PUBLISHERS = 8
const WINDOW = 100
const QUEUE = 'bench.restart'
/** Three segments and a few MiB. */
const SPACE_KEPT_BYTES = 3 * 67_108_864 + 8 * 1_048_576
const SPACE_BACK_MS_MAX = 10_000
const LOOK_EVERY_MS = 50

export async function restart(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { messages: 1_000_000, bytes: 1_024 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const result = await measureRestart(options.messages, options.bytes)
  process.stdout.write(addResults({ restart: { facts, ...result } }, options.isDry))
  return 0
}

export async function measureRestart(messages: number, payloadBytes: number): Promise<Restart> {
  await using broker = await BrokerProcess.start({ config: CONFIG })
  const load = { port: broker.port(), topic: `$queue/${QUEUE}`, payloadBytes }
  await publishMany(load, { clients: PUBLISHERS, window: WINDOW, count: messages })
  await broker.kill()
  const killedMs = await broker.startAgain()
  const { rssBytes } = memoryOf(broker.pid)
  await broker.pause()
  const stoppedMs = await broker.startAgain()
  await broker.pause()
  return { messages, payloadBytes, killedMs, stoppedMs, rssBytes, ...(await measurePurge(broker.dataDir, messages)) }
}

type PurgeResult = Pick<Restart, 'purgeMs' | 'diskBytes' | 'diskAfterPurgeBytes' | 'spaceBackMs'>

/** In this process: nobody can ask for it over MQTT. */
async function measurePurge(dataDir: string, messages: number): Promise<PurgeResult> {
  const diskBytes = bytesBelow(dataDir)
  await using broker = await startBroker({ dataDir, config: CONFIG })
  const queue = broker.vhost.destinations.find(QUEUE)?.queue
  if (queue === undefined) throw new Error(`the queue ${QUEUE} is gone`)
  const startedMs = performance.now()
  const purged = await purge(broker.vhost, queue)
  const purgeMs = performance.now() - startedMs
  if (!purged.ok) throw new Error(purged.detail.text)
  if (purged.value.count !== messages) throw new Error(`${purged.value.count} messages were there, not ${messages}`)
  // The files that are written now, one to write next, and the reserve are not what a purge returns.
  const enough = (): boolean => bytesBelow(dataDir) <= SPACE_KEPT_BYTES
  while (!enough() && performance.now() - startedMs < SPACE_BACK_MS_MAX) await wait(LOOK_EVERY_MS)
  const spaceBackMs = enough() ? performance.now() - startedMs - purgeMs : undefined
  return { purgeMs, diskBytes, diskAfterPurgeBytes: bytesBelow(dataDir), spaceBackMs }
}
