/**
 * What the core writes into its partition log, and how it reads it back; messages have `message-record.ts`. Every record's meta begins
 * with the format version, from the first commit on: a later broker reads what an earlier one wrote. [ADR-0003]
 */
import type { LogRecord } from '@ternmq/store'
import type { Assurance } from '../message/message.ts'
import type { BindingData } from '../queue/delivery.ts'
import type { PolicySettings } from '../destinations/policies.ts'
import type { QueueSettings } from '../queue/settings.ts'
import type { Timing } from '../schedule/options.ts'
import { putFloat64, putUint32, utf8Bytes, utf8Text } from './bytes.ts'

export const FORMAT_VERSION = 1

/** Types of record. Numbers are for ever. */
export const RecordKind = {
  /** Content: a message with the queues it went to, and whether it is its topic's last. */
  message: 1,
  /** Queues have finished with messages: pairs of queue and lsn. */
  settled: 2,
  sessionOpened: 3,
  /** A queue is gone, be it a session's, a shared subscription's or one with a name, with all it held. */
  queueEnded: 4,
  bound: 5,
  unbound: 6,
  /** A topic has no retained message any more, unless a later one than that which went. */
  retainedCleared: 7,
  /** A queue with a name: new, or with other settings. */
  queueDefined: 8,
  /** State of unsettled deliveries: queue, lsn, session, the adapter's number. */
  delivered: 9,
  /** Failed attempts of a message in a queue. */
  failed: 10,
  /** A queue may have handed out all up to an lsn. */
  staged: 11,
  /** An exactly-once publish is over: its id is free. */
  receivedReleased: 12,
  /** Ids of messages, so that a repeated one is found out. */
  duplicates: 13,
  /** A scheduled message has been sent, and when it is next. */
  scheduleAdvanced: 14,
  /** All that waited in a queue is gone: up to an lsn, but for those that somebody had. */
  purged: 15,
  /** An exactly-once publish is in the log: its id must not be used again before it is released. In the group of its message. */
  received: 16,
  /** Content: the will of a session's connection. */
  willSet: 17,
  /** When a will is due, since its connection is lost, or that it is gone. */
  willChanged: 18,
} as const

export const NO_BODY = { body: undefined, bodyStart: 0, bodyEnd: 0 } as const

/** Held for its session until it is published or dropped. */
export interface LoggedWill {
  /** Of all wills in the log only this one has it. */
  readonly id: number
  readonly clientId: string
  readonly user: string
  readonly anonymous: boolean
  readonly delayMs: number
  /** Time to live from its publishing on; left out: for ever. */
  readonly ttlMs?: number
}

export interface LoggedWillChange {
  readonly id: number
  /** Unix ms; null: it is gone. */
  readonly dueAtMs: number | null
}

/** Held by the schedule; the copies that are sent are messages of their own. */
export interface LoggedSchedule extends Timing {
  /** Address in core form that it will be published to. */
  readonly address: string
  /** Time to live of each copy, from its sending on; left out: for ever. */
  readonly ttlMs?: number
  /** Each copy is to be its topic's last message. */
  readonly retain?: true
  /** Client id of who published it. */
  readonly publisher?: string
  /** Who scheduled it, and is asked about when it is due. Left out by brokers that did not ask: it goes as it would have gone there. */
  readonly user?: string
  readonly anonymous?: true
  readonly clientId?: string
  /** Addresses in core form that were asked for, where they led to `address` by a list or a forward. */
  readonly asked?: readonly string[]
  /** Headers and body. */
  readonly bytes: number
}

export interface LoggedSession {
  readonly clientId: string
  readonly user: string
  readonly anonymous: boolean
  /** null: never expires. */
  readonly expiryMs: number | null
}

export interface LoggedQueue {
  readonly name: string
  /** Given for this queue, null for nothing; the rest comes from policies. */
  readonly settings: { readonly [K in keyof QueueSettings]?: PolicySettings[K] | null }
  /** Made by being used. */
  readonly automatic: boolean
  readonly paused?: boolean
  /** Of a durable subscription: what it is bound to. */
  readonly subscription?: LoggedSubscription
}

export interface LoggedSubscription {
  /** `patternKey` of the pattern. */
  readonly pattern: string
  readonly selector?: string
  readonly noLocalOf?: string
  /** Name of the user to whom it belongs; undefined for a shared one of an older log: that is of all who may read its topic. */
  readonly user?: string
}

export interface LoggedClear {
  readonly topic: string
  /** Of the message that went: cleared, expired or refused. One with a higher lsn stays. */
  readonly lsn: number
}

export interface LoggedBinding {
  /** The session's key for it: pattern and share name. */
  readonly key: string
  /** `patternKey` of the pattern; of a queue its name. */
  readonly pattern: string
  readonly shareName?: string
  /** Queue of the group of a shared subscription. */
  readonly groupQueue?: number
  readonly assuranceMax: Assurance
  /** See `Match.transientMax`. */
  readonly transientMax?: Assurance
  readonly noLocal: boolean
  readonly data: BindingData
  /** Reads from the queue of that name. */
  readonly queue?: true
}

export interface LoggedAdvance {
  /** The scheduled message. */
  readonly lsn: number
  readonly dueAtMs: number
  readonly repeats?: number
}

export type LoggedNote =
  | LoggedSession
  | LoggedQueue
  | LoggedBinding
  | LoggedClear
  | LoggedAdvance
  | LoggedWillChange
  | { readonly key: string }
  | { readonly ids: readonly string[]; readonly atMs: number }
  | Record<string, never>

/** Pairs of a queue's number and an lsn. */
const PAIR_BYTES = 4 + 8

/** `queues[i]` has finished with `lsns[i]`. */
export function settledRecord(queues: readonly number[], lsns: readonly number[]): LogRecord {
  const meta = new Uint8Array(1 + queues.length * PAIR_BYTES)
  meta[0] = FORMAT_VERSION
  for (let index = 0, at = 1; index < queues.length; index++, at += PAIR_BYTES) {
    putUint32(meta, at, queues[index]!)
    putFloat64(meta, at + 4, lsns[index]!)
  }
  return { kind: RecordKind.settled, dest: queues[0] ?? 0, meta, ...NO_BODY }
}

export function readSettledMeta(meta: Uint8Array, each: (queue: number, lsn: number) => void): void {
  checkVersion(meta)
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength)
  for (let at = 1; at < meta.length; at += PAIR_BYTES) each(view.getUint32(at), view.getFloat64(at + 4))
}

const DELIVERED_BYTES = 4 + 8 + 4 + 4

/** Session `sessions[i]` has `lsns[i]` from `queues[i]` unsettled, in the adapter's state `states[i]`; 0: not any more. */
export function deliveredRecord(
  queues: readonly number[],
  lsns: readonly number[],
  sessions: readonly number[],
  states: readonly number[],
): LogRecord {
  const meta = new Uint8Array(1 + queues.length * DELIVERED_BYTES)
  meta[0] = FORMAT_VERSION
  for (let index = 0, at = 1; index < queues.length; index++, at += DELIVERED_BYTES) {
    putUint32(meta, at, queues[index]!)
    putFloat64(meta, at + 4, lsns[index]!)
    putUint32(meta, at + 12, sessions[index]!)
    putUint32(meta, at + 16, states[index]!)
  }
  return { kind: RecordKind.delivered, dest: queues[0] ?? 0, meta, ...NO_BODY }
}

export function readDeliveredMeta(
  meta: Uint8Array,
  each: (queue: number, lsn: number, session: number, state: number) => void,
): void {
  checkVersion(meta)
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength)
  for (let at = 1; at < meta.length; at += DELIVERED_BYTES) {
    each(view.getUint32(at), view.getFloat64(at + 4), view.getUint32(at + 12), view.getUint32(at + 16))
  }
}

/** A record about a queue that says an lsn and a number: failed attempts, how far it has been staged, an id that is taken or free. */
export function numbersRecord(kind: number, dest: number, lsn: number, value: number): LogRecord {
  const meta = new Uint8Array(1 + 8 + 4)
  meta[0] = FORMAT_VERSION
  putFloat64(meta, 1, lsn)
  putUint32(meta, 9, value)
  return { kind, dest, meta, ...NO_BODY }
}

export function readNumbersMeta(meta: Uint8Array): { readonly lsn: number; readonly value: number } {
  checkVersion(meta)
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength)
  return { lsn: view.getFloat64(1), value: view.getUint32(9) }
}

/** Of `queue` all from after `afterLsn` up to `lastLsn` is gone, but for `staying`. */
export function purgedRecord(queue: number, afterLsn: number, lastLsn: number, staying: readonly number[]): LogRecord {
  const meta = new Uint8Array(1 + 16 + staying.length * 8)
  meta[0] = FORMAT_VERSION
  putFloat64(meta, 1, afterLsn)
  putFloat64(meta, 9, lastLsn)
  for (let index = 0, at = 17; index < staying.length; index++, at += 8) putFloat64(meta, at, staying[index]!)
  return { kind: RecordKind.purged, dest: queue, meta, ...NO_BODY }
}

export interface LoggedPurge {
  readonly afterLsn: number
  readonly lastLsn: number
  readonly staying: ReadonlySet<number>
}

export function readPurgedMeta(meta: Uint8Array): LoggedPurge {
  checkVersion(meta)
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength)
  const staying = new Set<number>()
  for (let at = 17; at < meta.length; at += 8) staying.add(view.getFloat64(at))
  return { afterLsn: view.getFloat64(1), lastLsn: view.getFloat64(9), staying }
}

/** `dest` is the number of the queue that the record is about. */
export function jsonRecord(kind: number, dest: number, value: LoggedNote): LogRecord {
  const json = utf8Bytes(JSON.stringify(value))
  const meta = new Uint8Array(1 + json.length)
  meta[0] = FORMAT_VERSION
  meta.set(json, 1)
  return { kind, dest, meta, ...NO_BODY }
}

export function readJsonMeta<T>(meta: Uint8Array): T {
  checkVersion(meta)
  return JSON.parse(utf8Text(meta.subarray(1))) as T
}

/** Throws for a record of a later broker. */
export function checkVersion(meta: Uint8Array): void {
  if (meta[0] === FORMAT_VERSION) return
  const text = `a log record has format version ${meta[0]}, this broker reads up to ${FORMAT_VERSION}: start the newer broker`
  throw new Error(text)
}
