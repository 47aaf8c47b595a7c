/** Every metric there is: its name, what it means, and where its numbers are in a snapshot. Text and documentation are made of this table. */
import type {
  ChosenDestination,
  ChosenSnapshot,
  MessageNumbers,
  MetricsSnapshot,
  ProtocolConnections,
  StoreNumbers,
} from './snapshot.ts'

export type MetricType = 'counter' | 'gauge' | 'histogram'

/** One line: values of the metric's labels, in their order. */
export interface Sample {
  readonly labels: readonly string[]
  readonly value: number
}

/** Observations by class, as Prometheus counts them: each class has those of the lower ones, too. */
export interface HistogramSample {
  /** Upper ends of the classes; the last one has none. */
  readonly bounds: readonly number[]
  /** In each class alone: one more than bounds. */
  readonly counts: readonly number[]
  readonly sum: number
}

interface Described {
  readonly name: string
  readonly help: string
}

export interface SimpleMetric extends Described {
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  samples(snapshot: ChosenSnapshot): readonly Sample[]
}

export interface HistogramMetric extends Described {
  readonly type: 'histogram'
  readonly labels: readonly []
  sample(snapshot: ChosenSnapshot): HistogramSample | undefined
}

export type Metric = SimpleMetric | HistogramMetric

const NO_LABELS: readonly string[] = []

function one(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (snapshot: ChosenSnapshot) => number | undefined,
): SimpleMetric {
  const samples = (snapshot: ChosenSnapshot): Sample[] => {
    const found = value(snapshot)
    return found === undefined ? [] : [{ labels: NO_LABELS, value: found }]
  }
  return { type, name, help, labels: NO_LABELS, samples }
}

/** Of each protocol. */
function byProtocol(name: string, help: string, value: (counts: MessageNumbers) => number): SimpleMetric {
  const samples = ({ messages }: ChosenSnapshot): Sample[] =>
    messages.map(({ protocol, counts }) => ({ labels: [protocol], value: value(counts) }))
  return { type: 'counter', name, help, labels: ['protocol'], samples }
}

/** What becomes of messages in queues is no protocol's. */
function ofAll(name: string, help: string, value: (counts: MessageNumbers) => number): SimpleMetric {
  return one('counter', name, help, ({ messages }) => messages.reduce((sum, { counts }) => sum + value(counts), 0))
}

function ofConnections(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (numbers: ProtocolConnections) => number,
): SimpleMetric {
  const samples = ({ connections }: ChosenSnapshot): Sample[] =>
    connections.map((numbers) => ({ labels: [numbers.protocol], value: value(numbers) }))
  return { type, name, help, labels: ['protocol'], samples }
}

function byDestination(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  valueOf: (destination: ChosenDestination) => number | undefined,
): SimpleMetric {
  const samples = ({ destinations }: ChosenSnapshot): Sample[] =>
    destinations.flatMap((destination) => {
      const value = valueOf(destination)
      return value === undefined ? [] : [{ labels: [destination.name], value }]
    })
  return { type, name, help, labels: ['destination'], samples }
}

function byListener(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (numbers: MetricsSnapshot['listeners'][number]) => number,
): SimpleMetric {
  const samples = ({ listeners }: ChosenSnapshot): Sample[] =>
    listeners.map((numbers) => ({ labels: [numbers.listener], value: value(numbers) }))
  return { type, name, help, labels: ['listener'], samples }
}

function ofStore(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: (numbers: StoreNumbers) => number,
): SimpleMetric {
  return one(type, name, help, ({ store }) => (store === undefined ? undefined : value(store)))
}

function samplesOf(counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: [name], value }))
}

export const METRICS: readonly Metric[] = [
  {
    type: 'gauge',
    name: 'ternmq_build_info',
    help: 'Always 1; its labels say what runs.',
    labels: ['version', 'node', 'engine'],
    samples: ({ build }) => [{ labels: [build.version, build.node, build.engine], value: 1 }],
  },
  one('gauge', 'ternmq_start_time_seconds', 'Unix time of the start.', ({ startedAtMs }) => startedAtMs / 1_000),

  // ── messages ──
  byProtocol(
    'ternmq_messages_received_total',
    'Messages published. Protocol core: by the broker itself, as wills and scheduled messages.',
    (counts) => counts.messagesIn,
  ),
  byProtocol('ternmq_received_body_bytes_total', 'Bodies of published messages.', (counts) => counts.bytesIn),
  byProtocol(
    'ternmq_messages_sent_total',
    'Messages handed to consumers and subscribers, again after a failure included.',
    (counts) => counts.messagesOut,
  ),
  byProtocol('ternmq_sent_body_bytes_total', 'Bodies of messages that were handed out.', (counts) => counts.bytesOut),
  byProtocol(
    'ternmq_messages_accepted_total',
    'Messages that a consumer accepted. What is settled by being sent is not among them.',
    (counts) => counts.settled,
  ),
  byProtocol(
    'ternmq_messages_unmatched_total',
    'Messages that no queue and no subscription wanted.',
    (counts) => counts.unmatched,
  ),
  byProtocol(
    'ternmq_messages_refused_total',
    'Publishes refused, by permission or because of a limit.',
    (counts) => counts.refused,
  ),
  byProtocol(
    'ternmq_messages_held_total',
    'Publishes that had to wait for room in a queue, in memory or in the store.',
    (counts) => counts.held,
  ),
  byProtocol(
    'ternmq_messages_duplicate_total',
    'Publishes acknowledged and not kept: their queues have had a message with that id.',
    (counts) => counts.duplicates,
  ),
  {
    type: 'counter',
    name: 'ternmq_messages_dropped_total',
    help: 'Messages not kept. Reason limit: their queue was full; offline: at most once, and nobody connected.',
    labels: ['reason'],
    samples: ({ messages }) => {
      const sum = (value: (counts: MessageNumbers) => number): number =>
        messages.reduce((total, { counts }) => total + value(counts), 0)
      return samplesOf({
        limit: sum((counts) => counts.droppedOverLimit),
        offline: sum((counts) => counts.droppedOffline),
      })
    },
  },
  ofAll(
    'ternmq_messages_expired_total',
    'Messages whose time was over before a consumer took them.',
    (counts) => counts.expired,
  ),
  ofAll(
    'ternmq_messages_redelivered_total',
    'Messages that came back to their queue to be handed out again.',
    (counts) => counts.redelivered,
  ),
  ofAll(
    'ternmq_messages_rejected_total',
    'Messages that a consumer rejected or could not take at all.',
    (counts) => counts.rejected,
  ),
  ofAll(
    'ternmq_messages_dead_lettered_total',
    'Messages moved to a dead-letter or expiry queue.',
    (counts) => counts.deadLettered,
  ),
  ofAll(
    'ternmq_messages_replaced_total',
    'Messages that a newer one with the same key replaced.',
    (counts) => counts.replaced,
  ),
  ofAll(
    'ternmq_messages_undeliverable_total',
    'Messages that went because there is no queue for what cannot be delivered.',
    (counts) => counts.undeliverable,
  ),
  ofAll(
    'ternmq_messages_lost_total',
    'Messages found damaged in the store. Anything but 0 is a fault.',
    (counts) => counts.lost,
  ),
  ofAll('ternmq_slow_consumers_total', 'Consumers that took nothing for too long.', (counts) => counts.slowConsumers),

  // ── connections ──
  ofConnections('gauge', 'ternmq_connections', 'Connections there are.', ({ openCount }) => openCount),
  ofConnections(
    'counter',
    'ternmq_transport_received_bytes_total',
    'Bytes read from connections, without TLS.',
    ({ bytesIn }) => bytesIn,
  ),
  ofConnections(
    'counter',
    'ternmq_transport_sent_bytes_total',
    'Bytes written to connections, without TLS.',
    ({ bytesOut }) => bytesOut,
  ),
  {
    type: 'counter',
    name: 'ternmq_connections_ended_total',
    help: 'Connections that have ended, by who ended them: client, broker, network, operator, takeover.',
    labels: ['ended_by'],
    samples: ({ connectionsEnded }) => samplesOf(connectionsEnded),
  },
  byListener(
    'gauge',
    'ternmq_listener_connections',
    'Connections of the listener, unfinished handshakes included.',
    ({ open }) => open,
  ),
  byListener('counter', 'ternmq_listener_accepted_total', 'Connections accepted.', ({ accepted }) => accepted),
  byListener(
    'counter',
    'ternmq_listener_refused_total',
    'Connections closed at once because of a limit.',
    ({ refused }) => refused,
  ),
  byListener(
    'counter',
    'ternmq_listener_failed_handshakes_total',
    'TLS handshakes and WebSocket upgrades that failed.',
    ({ failedHandshakes }) => failedHandshakes,
  ),
  {
    type: 'gauge',
    name: 'ternmq_listener_certificate_not_after_seconds',
    help: 'When the certificate in use ends, Unix time. Listener console: the console.',
    labels: ['listener'],
    samples: ({ certificates }) =>
      certificates.map(({ listener, notAfterMs }) => ({ labels: [listener], value: notAfterMs / 1_000 })),
  },
  {
    type: 'counter',
    name: 'ternmq_logins_total',
    help: 'Logins by outcome: accepted, or why they were refused.',
    labels: ['outcome'],
    samples: ({ logins }) => samplesOf({ accepted: logins.accepted, ...logins.refused }),
  },

  // ── state ──
  {
    type: 'gauge',
    name: 'ternmq_sessions',
    help: 'Sessions, connected or kept for a client that is offline.',
    labels: ['state'],
    samples: ({ sessions }) => samplesOf({ connected: sessions.connected, offline: sessions.offline }),
  },
  one('gauge', 'ternmq_subscriptions', 'Bindings of topics.', ({ subscriptions }) => subscriptions.count),
  one(
    'gauge',
    'ternmq_shared_subscriptions',
    'Groups that share a subscription.',
    ({ subscriptions }) => subscriptions.sharedCount,
  ),
  one(
    'gauge',
    'ternmq_retained_messages',
    'Retained messages, those of $SYS among them.',
    ({ retained }) => retained.count,
  ),
  one('gauge', 'ternmq_retained_bytes', 'Memory of retained messages.', ({ retained }) => retained.bytes),
  one(
    'counter',
    'ternmq_retained_refused_total',
    'Messages not retained because of a limit.',
    ({ retained }) => retained.refused,
  ),
  one(
    'gauge',
    'ternmq_scheduled_messages',
    'Messages that wait for their time.',
    ({ scheduledCount }) => scheduledCount,
  ),
  one('gauge', 'ternmq_waiting_bytes', 'Memory of messages that wait in queues.', ({ waiting }) => waiting.bytes),
  one(
    'gauge',
    'ternmq_waiting_limit_bytes',
    'Limit of that memory (limits.waitingBytesMax).',
    ({ waiting }) => waiting.bytesMax,
  ),

  // ── destinations ──
  byDestination(
    'counter',
    'ternmq_destination_messages_received_total',
    'Messages that the queue took in.',
    ({ messagesIn }) => messagesIn,
  ),
  byDestination(
    'counter',
    'ternmq_destination_received_body_bytes_total',
    'Bodies of messages that the queue took in.',
    ({ bytesIn }) => bytesIn,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_sent_total',
    'Messages that the queue handed to consumers.',
    ({ messagesOut }) => messagesOut,
  ),
  byDestination(
    'counter',
    'ternmq_destination_sent_body_bytes_total',
    'Bodies of messages that the queue handed to consumers.',
    ({ bytesOut }) => bytesOut,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_accepted_total',
    'Messages of the queue that a consumer accepted.',
    ({ settledCount }) => settledCount,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_redelivered_total',
    'Messages that came back to the queue.',
    ({ redeliveredCount }) => redeliveredCount,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_expired_total',
    'Messages that expired in the queue.',
    ({ expiredCount }) => expiredCount,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_dead_lettered_total',
    'Messages moved from the queue to its dead-letter or expiry queue.',
    ({ deadLetteredCount }) => deadLetteredCount,
  ),
  byDestination(
    'counter',
    'ternmq_destination_messages_dropped_total',
    'Messages that the queue did not keep because of a limit.',
    ({ droppedCount }) => droppedCount,
  ),
  byDestination(
    'gauge',
    'ternmq_destination_waiting_messages',
    'Messages that wait in the queue.',
    ({ waitingCount }) => waitingCount,
  ),
  byDestination(
    'gauge',
    'ternmq_destination_waiting_bytes',
    'Bytes that wait in the queue.',
    ({ waitingBytes }) => waitingBytes,
  ),
  byDestination(
    'gauge',
    'ternmq_destination_oldest_message_age_seconds',
    'Age of the oldest message in the queue, of those that are not in memory only; left out where there is none.',
    ({ oldestAgeMs }) => oldestAgeMs && oldestAgeMs / 1_000,
  ),
  byDestination(
    'gauge',
    'ternmq_destination_unsettled_messages',
    'Messages of the queue that consumers or transactions have, or that wait for their next attempt.',
    ({ inflightCount }) => inflightCount,
  ),
  byDestination(
    'gauge',
    'ternmq_destination_consumers',
    'Consumers of the queue.',
    ({ consumerCount }) => consumerCount,
  ),

  // ── store ──
  ofStore(
    'counter',
    'ternmq_store_commits_total',
    'Batches that the journal wrote and, where they needed it, synced.',
    ({ commits }) => commits,
  ),
  ofStore(
    'counter',
    'ternmq_store_committed_bytes_total',
    'Bytes of those batches.',
    ({ committedBytes }) => committedBytes,
  ),
  {
    type: 'histogram',
    name: 'ternmq_store_commit_duration_seconds',
    help: 'Time that a batch took to be written and synced.',
    labels: [],
    sample: ({ store }) =>
      store && {
        bounds: store.commitTimeBoundsMs.map((boundMs) => boundMs / 1_000),
        counts: store.commitTimes,
        sum: store.commitMsTotal / 1_000,
      },
  },
  ofStore('counter', 'ternmq_store_syncs_total', 'Syncs of files.', ({ syncs }) => syncs),
  ofStore(
    'counter',
    'ternmq_store_written_bytes_total',
    'Bytes written, by compaction too.',
    ({ writtenBytes }) => writtenBytes,
  ),
  ofStore(
    'counter',
    'ternmq_store_compacted_bytes_total',
    'Bytes written by compaction.',
    ({ compactedBytes }) => compactedBytes,
  ),
  ofStore('gauge', 'ternmq_store_disk_bytes', 'Size of all files.', ({ diskBytes }) => diskBytes),
  ofStore(
    'gauge',
    'ternmq_store_live_bytes',
    'Bytes of messages that are still needed, about.',
    ({ liveBytes }) => liveBytes,
  ),
  ofStore('gauge', 'ternmq_store_segments', 'Files of messages.', ({ segments }) => segments),
  ofStore('gauge', 'ternmq_store_full', '1 while nothing more is taken for want of room.', ({ isFull }) =>
    isFull ? 1 : 0,
  ),
  ofStore('gauge', 'ternmq_store_faults', 'Damages found since the start.', ({ faultCount }) => faultCount),

  // ── traces ──
  one(
    'counter',
    'ternmq_trace_spans_exported_total',
    'Spans that the collector took, where tracing is on.',
    ({ spans }) => spans?.exported,
  ),
  one(
    'counter',
    'ternmq_trace_spans_dropped_total',
    'Spans lost because the collector did not take them, or too many waited for it.',
    ({ spans }) => spans?.dropped,
  ),
  one('gauge', 'ternmq_trace_spans_waiting', 'Spans that wait to be sent.', ({ spans }) => spans?.waiting),

  // ── process ──
  one(
    'counter',
    'ternmq_process_cpu_seconds_total',
    'Processor time, user and system.',
    ({ process: own }) => own.cpuSeconds,
  ),
  one(
    'gauge',
    'ternmq_process_resident_memory_bytes',
    'Memory of the process.',
    ({ process: own }) => own.residentBytes,
  ),
  one('gauge', 'ternmq_process_heap_used_bytes', 'JavaScript heap in use.', ({ process: own }) => own.heapUsedBytes),
  one(
    'gauge',
    'ternmq_process_open_files',
    'Open file descriptors, where the system says.',
    ({ process: own }) => own.openFiles,
  ),
  {
    type: 'gauge',
    name: 'ternmq_event_loop_delay_seconds',
    help: 'How late the event loop was since the last scrape; quantile 1 is the longest.',
    labels: ['quantile'],
    samples: ({ eventLoop }) =>
      samplesOf({ '0.5': eventLoop.p50Ms / 1_000, '0.99': eventLoop.p99Ms / 1_000, '1': eventLoop.maxMs / 1_000 }),
  },
]
