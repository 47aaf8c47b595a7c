/** The broker as a whole, what listens, what is wrong, and the stream of live data. */
import type { TimeQuery } from '../page.ts'
import type { None, Route } from '../route.ts'
import type { OperationItem } from './messages.ts'

export interface Rates {
  /** Messages a second, over the last second that was sampled. */
  readonly inPerSecond: number
  readonly outPerSecond: number
  readonly settledPerSecond: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

export interface Alarm {
  /** 'disk-full', 'queues-blocking', … */
  readonly id: string
  readonly severity: 'warning' | 'critical'
  /** What is wrong and what to do, in a sentence. */
  readonly text: string
  /** Page of the console that explains it, with its filter: `/queues?unhealthy=true`. */
  readonly link: string
}

export interface NodeInfo {
  readonly version: string
  readonly node: string
  readonly platform: string
  readonly pid: number
  readonly hostName: string
  /** '' without one. */
  readonly dataDir: string
  readonly startedAtMs: number
}

export interface Counts {
  readonly connections: number
  readonly sessions: number
  readonly queues: number
  readonly consumers: number
  readonly subscriptions: number
  readonly retained: number
  readonly schedules: number
}

export interface Totals {
  readonly messagesIn: number
  readonly messagesOut: number
  readonly settled: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly unmatched: number
  readonly dropped: number
  readonly expired: number
  readonly redelivered: number
  readonly deadLettered: number
  readonly refused: number
}

export interface Overview {
  readonly atMs: number
  readonly node: NodeInfo
  readonly counts: Counts
  /** In queues and sessions. */
  readonly readyCount: number
  readonly inflightCount: number
  /** Since the start. */
  readonly totals: Totals
  readonly byProtocol: ReadonlyArray<{
    readonly protocol: string
    readonly connections: number
    readonly totals: Totals
    readonly rates?: Rates | undefined
  }>
  /** Undefined until the broker has been looked at for a second. */
  readonly rates?: Rates | undefined
  readonly memory: {
    readonly rssBytes: number
    readonly heapBytes: number
    readonly waitingBytes: number
    readonly waitingBytesMax: number
  }
  readonly disk: {
    readonly engine: 'journal' | 'memory'
    /** What an acknowledged persistent message survives, by default. */
    readonly durability: string
    readonly usedBytes: number
    /** 0: what the disk has. */
    readonly maxBytes: number
    /** Undefined without a disk. */
    readonly freeBytes?: number | undefined
  }
  /** How late timers are: the broker's thread is busy where these are high. */
  readonly eventLoop: { readonly p50Ms: number; readonly p99Ms: number; readonly utilization: number }
  readonly alarms: readonly Alarm[]
}

/** One second of the overview's charts. */
export interface OverviewSample {
  readonly atMs: number
  /** Left out in the first second that was looked at. */
  readonly rates?: Rates | undefined
  readonly readyCount: number
  readonly inflightCount: number
  readonly connections: number
  readonly rssBytes: number
  /** Left out where it is not known yet. */
  readonly cpuShare?: number | undefined
}

export interface ListenerItem {
  readonly name: string
  readonly protocols: readonly string[]
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly webSocket: boolean
  /** How addresses are read, where the protocol leaves a choice. */
  readonly profile?: string | undefined
  readonly anonymous: boolean
  readonly openCount: number
  readonly acceptedCount: number
  readonly refusedCount: number
  readonly connectionsMax: number
  /** What clients see. */
  readonly certificate?: CertificateInfo | undefined
}

export interface CertificateInfo {
  readonly subject: string
  /** Unix ms. */
  readonly notAfterMs: number
  readonly isDevelopment: boolean
  /** Why the files that are there now are not used. */
  readonly problem?: string | undefined
}

export interface EventItem {
  /** Ascending; those of a later process are greater. */
  readonly id: number
  readonly atMs: number
  readonly kind: string
  readonly source: string
  readonly listener: string
  readonly peer: string
  readonly clientId: string
  readonly user: string
  readonly text: string
  readonly clause: string
}

export interface EventQuery extends TimeQuery {
  readonly limit?: number | undefined
  /** Only older ones than this id; one of an earlier process is as none. */
  readonly before?: number | undefined
  readonly kind?: string | undefined
  readonly clientId?: string | undefined
  readonly user?: string | undefined
  readonly q?: string | undefined
}

export interface EventList {
  readonly items: readonly EventItem[]
  /** Of the newest event of all, wanted or not: a stream with it as `Last-Event-ID` goes on where this list ends. */
  readonly lastId: number
}

/**
 * What one stream can watch: `overview`, `events`, `queue:NAME`, `operations`, `connection:ID`; up to 16, with commas between them. A NAME
 * is percent-encoded, once more than the query is: `,` is `%2C` and `%` is `%25` in it.
 * Server-sent events: `event:` is the kind, `data:` JSON of the type in `StreamEvents`, `id:` a number for `Last-Event-ID`.
 */
export interface StreamQuery {
  readonly watch: string
  readonly vhost?: string | undefined
}

/** One second of one queue. */
export interface QueueSample {
  readonly queue: string
  readonly atMs: number
  readonly readyCount: number
  readonly inflightCount: number
  readonly delayedCount: number
  readonly consumerCount: number
  /** Left out, as those of connections, in the first second that was looked at. */
  readonly inPerSecond?: number | undefined
  readonly outPerSecond?: number | undefined
}

/** One second of one connection. */
export interface ConnectionSample {
  readonly connection: string
  readonly atMs: number
  readonly bytesInPerSecond?: number | undefined
  readonly bytesOutPerSecond?: number | undefined
  readonly messagesInPerSecond?: number | undefined
  readonly messagesOutPerSecond?: number | undefined
  readonly pendingBytes: number
}

/** What `data:` is of each `event:` of a stream. */
export interface StreamEvents {
  readonly overview: OverviewSample
  readonly queue: QueueSample
  readonly connection: ConnectionSample
  /** One happened; of `events`. */
  readonly event: EventItem
  /** One got on, or ended; of `operations`. */
  readonly operation: OperationItem
  /** What was watched is not there any more. */
  readonly gone: { readonly watch: string }
  /** Events that were left out because this stream is read too slowly. */
  readonly missed: { readonly count: number }
  /** `Last-Event-ID` is of an earlier process of the broker: what that had to tell after it is not known. All of this one follow. */
  readonly restarted: None
  /** Five ticks had nothing to tell, and the broker is well. */
  readonly heartbeat: None
}

export const getOverview: Route<{ params: None; query: None; body: None; answer: Overview }> = {
  id: 'overview.get',
  method: 'GET',
  path: '/overview',
  tag: 'overview',
  needs: 'read',
  summary: 'The broker as a whole: counts, rates, memory, disk, alarms.',
}

/** The last minutes, as far as somebody has been watching: sampled each second while there is a stream, and 60 s more. */
export const getOverviewHistory: Route<{
  params: None
  query: None
  body: None
  answer: { readonly samples: readonly OverviewSample[] }
}> = {
  id: 'overview.history',
  method: 'GET',
  path: '/overview/history',
  tag: 'overview',
  needs: 'read',
  summary: 'Samples of each second while somebody watches, the oldest first, ten minutes at most.',
}

export const listListeners: Route<{
  params: None
  query: None
  body: None
  answer: { readonly items: readonly ListenerItem[] }
}> = {
  id: 'listeners.list',
  method: 'GET',
  path: '/listeners',
  tag: 'overview',
  needs: 'read',
  summary: 'Where clients connect.',
}

export const listEvents: Route<{ params: None; query: EventQuery; body: None; answer: EventList }> = {
  id: 'events.list',
  method: 'GET',
  path: '/events',
  tag: 'overview',
  needs: 'read',
  summary: 'What happened to clients: why they were refused or left, the newest first.',
}

export const watchStream: Route<{ params: None; query: StreamQuery; body: None; answer: None }> = {
  id: 'stream.watch',
  method: 'GET',
  path: '/stream',
  tag: 'overview',
  needs: 'read',
  summary: 'Live data as server-sent events.',
  detail:
    '`watch` has up to 16 of `overview`, `events`, `operations`, `queue:NAME`, `connection:ID`, with commas between them; a NAME is percent-encoded. A tick comes each second. ' +
    'A stream that falls behind loses ticks, never events, and is told how many events it has missed. ' +
    '`Last-Event-ID` goes on behind that event; with `lastId` of the list of events, where that list ends. One of an earlier process is answered with `restarted` and all events of this one. ' +
    'Five ticks that had nothing to tell are followed by a `heartbeat`.',
  contentType: 'text/event-stream',
}
