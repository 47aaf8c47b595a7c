/** What both kinds of the benchmark subscribe and publish. */
import { publishPacket } from '../wire.ts'

/** Subscriptions of the two brokers that take turns. */
export interface Sizes {
  readonly few: number
  readonly many: number
}

export const SIZES: Sizes = { few: 100, many: 100_000 }
/** The goal: CPU per message with many at most this times that with few. */
export const RATIO_MAX = 1.1

const FILTERS_PER_SESSION = 1_000
/** Into one SUBSCRIBE: below the broker's largest packet. */
export const FILTERS_PER_PACKET = 1_000
const TOPICS = 1_000
const PAYLOAD_BYTES = 16

/** Distinct filters with a wildcard, in as many sessions as they need. */
export function filtersBySession(count: number): string[][] {
  const filters = Array.from({ length: count }, (_, index) => `fleet/device${index}/+/state`)
  const sessions = Math.ceil(count / FILTERS_PER_SESSION)
  return Array.from({ length: sessions }, (_, index) =>
    filters.slice(index * FILTERS_PER_SESSION, (index + 1) * FILTERS_PER_SESSION),
  )
}

export interface Load {
  readonly name: string
  /** Different topics, each matched by the same one filter. */
  readonly topics: number
}

export const LOADS: readonly Load[] = [
  { name: 'one topic', topics: 1 },
  { name: `${TOPICS} topics in turn`, topics: TOPICS },
]

/** QoS 0 publishes to the load's topics in turn, all matched by the filter of device 42, which is in the first session. */
export function batchOf({ topics }: Load, messages: number): Buffer {
  const packets = Array.from({ length: topics }, (_, index) =>
    publishPacket({ version: 4, topic: `fleet/device42/part${index}/state`, qos: 0, payloadBytes: PAYLOAD_BYTES }, 0),
  )
  return Buffer.concat(Array.from({ length: messages }, (_, index) => packets[index % topics]!))
}

/** One pair of rounds, CPU per message in ns. */
export interface Pair {
  readonly few: number
  readonly many: number
}
