/** A queue of a million messages, browsed from the first to the last page. */
import { browseMessages, DEFAULT_VHOST } from '@ternmq/api'
import { BrokerProcess } from '@ternmq/lab'

import { publishMany } from '../queues/load-client.ts'
import { CONFIG } from '../queues/options.ts'
import { memoryOf } from '../queues/process-memory.ts'
import { BenchApi } from './api.ts'

const QUEUE = 'bench.browsed'
const PAYLOAD_BYTES = 256
const PAGE = 500
const MIB = 1_048_576

export interface Browsed {
  readonly messages: number
  readonly pages: number
  readonly seconds: number
  readonly slowestPageMs: number
  /** Of the broker, with all of them waiting, and the most while it was browsed. */
  readonly rssBeforeMiB: number
  readonly rssPeakMiB: number
}

export async function measureBrowse(messages: number): Promise<Browsed> {
  await using broker = await BrokerProcess.start({ config: CONFIG })
  using api = new BenchApi(broker)
  await publishMany(
    { port: broker.port(), topic: `$queue/${QUEUE}`, payloadBytes: PAYLOAD_BYTES },
    { clients: 4, window: 500, count: messages },
  )
  const rssBeforeMiB = memoryOf(broker.pid).rssBytes / MIB
  const params = { vhost: DEFAULT_VHOST, queue: QUEUE }
  let seen = 0
  let pages = 0
  let slowestPageMs = 0
  let rssPeakMiB = rssBeforeMiB
  const startMs = performance.now()
  let pageStartMs = startMs
  for await (const { items } of api.client.pages(browseMessages, { params, query: { limit: PAGE } })) {
    const nowMs = performance.now()
    slowestPageMs = Math.max(slowestPageMs, nowMs - pageStartMs)
    pageStartMs = nowMs
    seen += items.length
    pages++
    if (pages % 50 === 0) rssPeakMiB = Math.max(rssPeakMiB, memoryOf(broker.pid).rssBytes / MIB)
  }
  if (seen !== messages) throw new Error(`${seen} messages were seen, ${messages} are in the queue`)
  return { messages, pages, seconds: (performance.now() - startMs) / 1_000, slowestPageMs, rssBeforeMiB, rssPeakMiB }
}
