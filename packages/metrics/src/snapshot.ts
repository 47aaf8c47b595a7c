/** What a broker says of itself at one moment: plain numbers that the core, the store and the process have anyway. */

export interface MetricsSnapshot {
  readonly build: { readonly version: string; readonly node: string; readonly engine: string }
  /** Unix ms of the start. */
  readonly startedAtMs: number
  readonly process: ProcessNumbers
  readonly eventLoop: EventLoopNumbers
  /** One for each protocol that counts, the broker itself included. */
  readonly messages: readonly ProtocolMessages[]
  readonly connections: readonly ProtocolConnections[]
  /** Since the start, by who ended them. */
  readonly connectionsEnded: Readonly<Record<string, number>>
  readonly listeners: readonly ListenerNumbers[]
  readonly certificates: readonly CertificateNumbers[]
  readonly logins: LoginNumbers
  readonly sessions: { readonly connected: number; readonly offline: number }
  readonly subscriptions: { readonly count: number; readonly sharedCount: number }
  readonly retained: { readonly count: number; readonly bytes: number; readonly refused: number }
  readonly waiting: { readonly bytes: number; readonly bytesMax: number }
  readonly scheduledCount: number
  /** All queues with a name; the busiest of them get a line of their own. */
  readonly destinations: Iterable<DestinationNumbers>
  /** Of those of these names, in their order; asked once, for the busiest. Undefined where there is none, or nobody knows. */
  readonly oldestAgesMs: (names: readonly string[]) => Promise<readonly (number | undefined)[]>
  /** Undefined for a broker without a journal. */
  readonly store: StoreNumbers | undefined
  /** Undefined while tracing is off. */
  readonly spans: SpanNumbers | undefined
}

/** A destination with a line of its own. */
export interface ChosenDestination extends DestinationNumbers {
  /** Of its oldest message; left out where there is none, or nobody knows. */
  readonly oldestAgeMs?: number | undefined
}

/** A snapshot whose destinations have been chosen. */
export type ChosenSnapshot = Omit<MetricsSnapshot, 'destinations' | 'oldestAgesMs'> & {
  readonly destinations: readonly ChosenDestination[]
}

/** Counted since the start; bytes are those of bodies. The names are those of the core's counters. */
export interface MessageNumbers {
  readonly messagesIn: number
  readonly bytesIn: number
  readonly messagesOut: number
  readonly bytesOut: number
  readonly settled: number
  readonly unmatched: number
  readonly droppedOverLimit: number
  readonly droppedOffline: number
  readonly expired: number
  readonly held: number
  readonly slowConsumers: number
  readonly refused: number
  readonly redelivered: number
  readonly lost: number
  readonly deadLettered: number
  readonly duplicates: number
  readonly replaced: number
  readonly undeliverable: number
  readonly rejected: number
}

export interface ProtocolMessages {
  /** 'mqtt', 'stomp', 'amqp', 'http', 'core'. */
  readonly protocol: string
  readonly counts: MessageNumbers
}

export interface ProtocolConnections {
  readonly protocol: string
  readonly openCount: number
  /** Of all transports since the start. */
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Since the start, but for `open`. */
export interface ListenerNumbers {
  readonly listener: string
  readonly open: number
  readonly accepted: number
  /** Turned away because of a limit. */
  readonly refused: number
  readonly failedHandshakes: number
}

export interface CertificateNumbers {
  /** Or `console`. */
  readonly listener: string
  /** Unix ms. */
  readonly notAfterMs: number
}

export interface LoginNumbers {
  readonly accepted: number
  readonly refused: Readonly<Record<string, number>>
}

export interface DestinationNumbers {
  readonly name: string
  // Counted since the start.
  readonly messagesIn: number
  readonly bytesIn: number
  readonly messagesOut: number
  readonly bytesOut: number
  readonly settledCount: number
  readonly redeliveredCount: number
  readonly expiredCount: number
  readonly deadLetteredCount: number
  readonly droppedCount: number
  // Now.
  readonly waitingCount: number
  readonly waitingBytes: number
  readonly inflightCount: number
  readonly consumerCount: number
}

export interface StoreNumbers {
  readonly diskBytes: number
  readonly liveBytes: number
  readonly segments: number
  readonly writtenBytes: number
  readonly compactedBytes: number
  readonly syncs: number
  readonly commits: number
  readonly committedBytes: number
  readonly commitMsTotal: number
  /** Commits by their time: one for each bound, and one for what took longer. */
  readonly commitTimes: readonly number[]
  /** Ascending, in ms. */
  readonly commitTimeBoundsMs: readonly number[]
  readonly isFull: boolean
  readonly faultCount: number
}

/** Since the start, but for `waiting`. */
export interface SpanNumbers {
  /** Taken by the collector. */
  readonly exported: number
  readonly dropped: number
  readonly waiting: number
}

export interface ProcessNumbers {
  /** User and system, since the start. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly openFiles: number | undefined
}

/** How late the event loop was, in the time since the last snapshot. */
export interface EventLoopNumbers {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}
