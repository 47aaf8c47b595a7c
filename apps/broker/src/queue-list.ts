/** The queues that have a name, and how full they are, as a running broker knows them: a part of `ternmq store inspect`. */
import type { VirtualHost } from '@ternmq/core'
import { type Durability, durabilityGiven } from '@ternmq/store'

export interface ListedQueue {
  readonly name: string
  /** What an acknowledged persistent message in it survives. */
  readonly durability: Durability
  readonly waiting: number
  /** Handed out and not acknowledged. */
  readonly unacknowledged: number
  readonly consumers: number
}

export interface QueueList {
  /** The fullest first, at most `QUEUES_LISTED_MAX`. */
  readonly queues: readonly ListedQueue[]
  readonly queueCount: number
}

export const QUEUES_LISTED_MAX = 1_000

/** `offered`: what the engine can give. */
export function listQueues(vhost: VirtualHost, offered: Parameters<typeof durabilityGiven>[0]): QueueList {
  const all = [...vhost.destinations.all()].map(({ queue }) => queue)
  const depth = (queue: (typeof all)[number]): number => queue.waitingCount + queue.inflightCount
  const fullest = all.toSorted((one, other) => depth(other) - depth(one) || (one.name < other.name ? -1 : 1)).slice(0, QUEUES_LISTED_MAX)
  return {
    queues: fullest.map(({ name, settings, waitingCount, inflightCount, consumers }) => ({
      name,
      durability: durabilityGiven(offered, settings.durability),
      waiting: waitingCount,
      unacknowledged: inflightCount,
      consumers: consumers.length,
    })),
    queueCount: all.length,
  }
}
