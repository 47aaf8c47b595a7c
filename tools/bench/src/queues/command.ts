/** `bench queues`: what many queues cost, each with one message. */
import { BrokerProcess, labFacts } from '@ternmq/lab'

import { publishToEach } from './load-client.ts'
import { CONFIG, parseNumbers } from './options.ts'
import { addResults, type ManyQueues } from './page.ts'
import { memoryOf } from './process-memory.ts'

const HELP = `Usage: npm run -s bench -- queues [--queues N] [--bytes N] [--dry]

10,000 queues with one persistent message of 1 KiB each: memory of the broker, and how long it takes to come back. Writes
docs/benchmarks/queues.md and .json, unless --dry is given. Linux only.
`

export async function queues(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { queues: 10_000, bytes: 1_024 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const result = await measureQueues(options.queues, options.bytes)
  process.stdout.write(addResults({ queues: { facts, ...result } }, options.isDry))
  return 0
}

export async function measureQueues(count: number, payloadBytes: number): Promise<ManyQueues> {
  await using broker = await BrokerProcess.start({ config: CONFIG })
  const topics = Array.from({ length: count }, (_, index) => `$queue/bench.many.${index}`)
  await publishToEach(broker.port(), topics, payloadBytes)
  const { rssBytes } = memoryOf(broker.pid)
  await broker.kill()
  const killedMs = await broker.startAgain()
  const rssAfterRestartBytes = memoryOf(broker.pid).rssBytes
  await broker.pause()
  const stoppedMs = await broker.startAgain()
  return { queues: count, payloadBytes, rssBytes, killedMs, stoppedMs, rssAfterRestartBytes }
}
