/** `bench backlog`: a queue that grows with nobody to take from it, and is drained. */
import { BrokerProcess, labFacts } from '@ternmq/lab'

import { bytesBelow } from '../queues/disk-use.ts'
import { consumeMany, publishMany } from '../queues/load-client.ts'
import { CONFIG, parseNumbers } from '../queues/options.ts'
import { addResults, type Backlog } from '../queues/page.ts'
import { memoryOf } from '../queues/process-memory.ts'
import { Progress } from '../queues/progress.ts'

const HELP = `Usage: npm run -s bench -- backlog [--messages N] [--bytes N] [--dry]

Publishes 5,000,000 persistent messages of 200 bytes to a queue without a consumer, then drains it with four: rates, tenth by tenth, and
memory. Writes docs/benchmarks/queues.md and .json, unless --dry is given. Linux only.
`
const PUBLISHERS = 8
const WINDOW = 100
const CONSUMERS = 4

export async function backlog(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { messages: 5_000_000, bytes: 200 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const result = await measureBacklog(options.messages, options.bytes)
  process.stdout.write(addResults({ backlog: { facts, ...result } }, options.isDry))
  return 0
}

export async function measureBacklog(messages: number, payloadBytes: number): Promise<Backlog> {
  await using broker = await BrokerProcess.start({ config: CONFIG })
  const load = { port: broker.port(), topic: '$queue/bench.backlog', payloadBytes }
  const published = new Progress(messages)
  const onAcknowledged = (count: number): void => published.add(count)
  await publishMany(load, { clients: PUBLISHERS, window: WINDOW, count: messages, onAcknowledged })
  const { rssBytes, peakBytes } = memoryOf(broker.pid)
  const diskBytes = bytesBelow(broker.dataDir)
  const drained = new Progress(messages)
  await consumeMany(load, { clients: CONSUMERS, count: messages, onTaken: (count) => drained.add(count) })
  return {
    messages,
    payloadBytes,
    publishRates: published.rates,
    publishRate: published.rate,
    rssBytes,
    peakBytes,
    diskBytes,
    drainRates: drained.rates,
    drainRate: drained.rate,
    rssAfterDrainBytes: memoryOf(broker.pid).rssBytes,
  }
}
