/** `bench churn`: whether the journal gives space back while messages come and go and one of them stays. */
import { BrokerProcess, labFacts, ROOT } from '@ternmq/lab'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

import { bytesBelow } from '../queues/disk-use.ts'
import { consumeMany, publishMany } from '../queues/load-client.ts'
import { CONFIG, parseNumbers } from '../queues/options.ts'
import { addResults, type Churn, type Sample } from '../queues/page.ts'

const HELP = `Usage: npm run -s bench -- churn [--seconds N] [--rate N] [--bytes N] [--dry]

Publishes and consumes 20,000 messages of 1 KiB per second for ten minutes, while a message that came first stays in another queue: disk use over
time. Writes docs/benchmarks/queues.md, .json and a plot, unless --dry is given. Linux only.
`
const PUBLISHERS = 4
const CONSUMERS = 4
const WINDOW = 100
const SAMPLE_EVERY_MS = 1_000
/** Asking the store costs a process. */
const ASK_EVERY = 5
/** The journal's default. */
const SEGMENT_BYTES = 67_108_864
const CLI = join(ROOT, 'apps', 'broker', 'src', 'cli.ts')

const run = promisify(execFile)

export async function churn(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { seconds: 600, rate: 20_000, bytes: 1_024 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const result = await measureChurn(options.seconds, options.rate, options.bytes)
  process.stdout.write(addResults({ churn: { facts, ...result } }, options.isDry))
  return 0
}

export async function measureChurn(seconds: number, rate: number, payloadBytes: number): Promise<Churn> {
  await using broker = await BrokerProcess.start({ config: { ...CONFIG, store: { segmentBytes: SEGMENT_BYTES } } })
  const port = broker.port()
  const stuck = { port, topic: '$queue/bench.stuck', payloadBytes }
  await publishMany(stuck, { clients: 1, window: 1, count: 1 })

  const messages = seconds * rate
  const load = { port, topic: '$queue/bench.churn', payloadBytes }
  const startedMs = performance.now()
  let begun = 0
  /** Windows begin in time with the rate, however long the one before took. */
  const pace = async (): Promise<void> => {
    const dueMs = startedMs + (begun / rate) * 1_000
    begun += WINDOW
    await wait(Math.max(0, dueMs - performance.now()))
  }
  const ended = new AbortController()
  const sampling = sampleDisk(broker.dataDir, ended.signal)
  try {
    await Promise.all([
      publishMany(load, { clients: PUBLISHERS, window: WINDOW, count: messages, pace }),
      consumeMany(load, { clients: CONSUMERS, count: messages }),
    ])
  } finally {
    ended.abort()
  }
  return { seconds, payloadBytes, messages, segmentBytes: SEGMENT_BYTES, samples: await sampling }
}

async function sampleDisk(dataDir: string, signal: AbortSignal): Promise<Sample[]> {
  const samples: Sample[] = []
  const startedMs = performance.now()
  let liveBytes = await liveBytesOf(dataDir)
  while (!signal.aborted) {
    if (samples.length % ASK_EVERY === 0) liveBytes = await liveBytesOf(dataDir)
    const second = Math.round((performance.now() - startedMs) / 100) / 10
    samples.push({ second, diskBytes: bytesBelow(join(dataDir, 'journal')), liveBytes })
    await wait(SAMPLE_EVERY_MS, undefined, { signal }).catch(() => undefined) // the end is looked at by the loop
  }
  return samples
}

interface StoreReport {
  readonly partitions: readonly { readonly segments: readonly { readonly liveBytes: number }[] }[]
}

/** As the running broker says. */
async function liveBytesOf(dataDir: string): Promise<number> {
  const { stdout } = await run(process.execPath, [CLI, 'store', 'inspect', '--json', '--data-dir', dataDir])
  const { partitions } = JSON.parse(stdout) as StoreReport
  return partitions.flatMap(({ segments }) => segments).reduce((sum, segment) => sum + segment.liveBytes, 0)
}
