/** What all queues and sessions have together: one look at each of them. */
import type { VirtualHost } from '@ternmq/core'

export interface Depths {
  readonly readyCount: number
  /** With clients, not settled. */
  readonly inflightCount: number
  readonly consumerCount: number
  /** Queues that publishers wait for. */
  readonly blockingCount: number
}

export function depthsOf({ destinations, sessions, shared }: VirtualHost): Depths {
  let readyCount = 0
  let inflightCount = 0
  let consumerCount = 0
  let blockingCount = 0
  for (const { queue } of destinations.all()) {
    readyCount += queue.waitingCount
    consumerCount += queue.consumers.length
    if (queue.isBlocking) blockingCount++
  }
  for (const queue of shared.queues()) {
    readyCount += queue.waitingCount
    consumerCount += queue.consumers.length
  }
  for (const session of sessions.all()) {
    readyCount += session.queue.waitingCount
    inflightCount += session.unsettledCount
  }
  return { readyCount, inflightCount, consumerCount, blockingCount }
}
