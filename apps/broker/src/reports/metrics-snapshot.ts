/** What the broker counts, gathered for `/metrics`. */
import type { ListenerName } from '@ternmq/config'
import { COUNTER_LABELS, oldestAgesMs, type Queue, type VirtualHost } from '@ternmq/core'
import type { DestinationNumbers, ListenerNumbers, MetricsSnapshot, StoreNumbers } from '@ternmq/metrics'
import type { JournalEngine } from '@ternmq/store/journal'
import type { Tracing } from '@ternmq/tracing'

import type { Access } from '../users/access.ts'
import type { Certificates } from '../listeners/certificates.ts'
import type { Listeners } from '../listeners/listeners.ts'
import type { ProcessNumbers } from '../process/process-numbers.ts'

export interface MetricsSources {
  readonly build: MetricsSnapshot['build']
  readonly startedAtMs: number
  readonly vhost: VirtualHost
  readonly access: Access
  readonly listeners: Listeners
  readonly certificates: Pick<Certificates, 'inUse'>
  readonly numbers: ProcessNumbers
  /** Undefined while tracing is off. */
  readonly traces: Tracing | undefined
  readonly journal: JournalEngine | undefined
  readonly commitTimeBoundsMs: readonly number[]
}

export function metricsSnapshot(sources: MetricsSources): MetricsSnapshot {
  const { vhost, access, listeners, numbers } = sources
  const { sessions, retained, waiting } = vhost
  const connections = vhost.connections.totals()
  return {
    build: sources.build,
    startedAtMs: sources.startedAtMs,
    ...numbers.readForMetrics(),
    messages: COUNTER_LABELS.map((protocol) => ({ protocol, counts: vhost.countersBy[protocol] })),
    connections: Object.entries(connections).map(([protocol, totals]) => ({ protocol, ...totals })),
    connectionsEnded: vhost.connections.endedBy,
    listeners: Object.keys(listeners.bound).flatMap((name) => listenerNumbers(listeners, name as ListenerName)),
    certificates: [...sources.certificates.inUse()].map(([listener, { notAfterMs }]) => ({ listener, notAfterMs })),
    logins: access.counters,
    sessions: { connected: sessions.connectedCount, offline: sessions.count - sessions.connectedCount },
    subscriptions: { count: vhost.router.bindingCount, sharedCount: vhost.shared.count },
    retained: { count: retained.count, bytes: retained.bytes, refused: retained.refusedCount },
    waiting,
    scheduledCount: vhost.schedule.count,
    destinations: destinations(vhost),
    oldestAgesMs: (names) => agesOf(vhost, names),
    store: storeNumbers(sources),
    spans: sources.traces?.counts,
  }
}

function listenerNumbers(listeners: Listeners, name: ListenerName): ListenerNumbers[] {
  const stats = listeners.statsOf(name)
  if (stats === undefined) return []
  const { open, accepted, failedHandshakes } = stats
  const refused =
    stats.refusedByListenerLimit + stats.refusedByBrokerLimit + stats.refusedByAddressLimit + stats.refusedByFileLimit
  return [{ listener: name, open, accepted, refused, failedHandshakes }]
}

function* destinations(vhost: VirtualHost): Generator<DestinationNumbers> {
  for (const { queue } of vhost.destinations.all()) yield numbersOf(queue)
}

/** Of names that are no queue's, or no more, nobody knows. */
async function agesOf(vhost: VirtualHost, names: readonly string[]): Promise<(number | undefined)[]> {
  const queues = names.flatMap((name) => vhost.destinations.find(name)?.queue ?? [])
  const ages = await oldestAgesMs(vhost, queues)
  const byName = new Map(queues.map((queue, index) => [queue.name, ages[index]]))
  return names.map((name) => byName.get(name))
}

function numbersOf(queue: Queue): DestinationNumbers {
  const { name, messagesIn, bytesIn, messagesOut, bytesOut, settledCount, redeliveredCount, expiredCount } = queue
  const { deadLetteredCount, droppedCount, waitingCount, waitingBytes, inflightCount, consumers } = queue
  return {
    name,
    messagesIn,
    bytesIn,
    messagesOut,
    bytesOut,
    settledCount,
    redeliveredCount,
    expiredCount,
    deadLetteredCount,
    droppedCount,
    waitingCount,
    waitingBytes,
    inflightCount,
    consumerCount: consumers.length,
  }
}

function storeNumbers({ journal, commitTimeBoundsMs }: MetricsSources): StoreNumbers | undefined {
  if (journal === undefined) return undefined
  const { faults, ...stats } = journal.stats()
  return { ...stats, commitTimeBoundsMs, faultCount: faults.length }
}
