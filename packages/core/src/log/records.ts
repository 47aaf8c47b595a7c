// long: every kind of record in one place, written and read next to each other
/**
 * What the core writes into its partition log, and how it reads it back. Every record's meta begins with the format version, from
 * the first commit on: a later broker reads what an earlier one wrote. [ADR-0003]
 */
import type { LogRecord } from '@ternmq/store'
import type { BindingData } from '../queue/delivery.ts'
import { type Assurance, type Message, type MessageExtras, PRIORITY_DEFAULT } from '../message.ts'
import type { Queue } from '../queue/queue.ts'
import type { PolicySettings } from '../policies.ts'
import type { QueueSettings } from '../queue/settings.ts'
import type { Timing } from '../schedule/options.ts'

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

/** A message as the log knows it; its headers and body are the record's body. */
export interface LoggedMessage {
  readonly topic: string
  readonly codecId: string
  readonly assurance: Assurance
  readonly durable: boolean
  readonly retain: boolean
  /** A consumer may have had it as soon as it was committed. */
  readonly mayBeDelivered: boolean
  readonly priority: number
  readonly expiresAtMs: number
  /** Client id of who published it. Left out by older brokers where the message is not kept for its topic. */
  readonly publisher: string | undefined
  readonly extras: LoggedExtras | undefined
  /** Length of the headers at the start of the record's body. */
  readonly headerBytes: number
  /** Numbers of the queues it was routed to. */
  readonly queues: readonly number[]
}

/** Extras of the message, and what the schedule, its queues or its client's session have to know of it. */
export interface LoggedExtras extends MessageExtras {
  /** It is to be sent later, or again and again. */
  readonly schedule?: LoggedSchedule
  /** Until when it may stay in queues whose settings say something else than the message, Unix ms. */
  readonly lives?: readonly (readonly [queue: number, expiresAtMs: number])[]
  /** It is a will. */
  readonly will?: LoggedWill
  /** As `RecordKind.received`, of brokers that had no such record: queue number of the publisher's session, and the id. Never written. */
  readonly received?: readonly [queue: number, id: number]
}

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

/** What belongs to the message itself and goes with it wherever it is copied to. */
export function messageExtras(extras: LoggedExtras | undefined): MessageExtras | undefined {
  if (extras === undefined || !('schedule' in extras || 'lives' in extras || 'will' in extras || 'received' in extras)) return extras
  const own: { -readonly [K in keyof LoggedExtras]?: LoggedExtras[K] } = { ...extras }
  delete own.schedule
  delete own.lives
  delete own.will
  delete own.received
  return Object.keys(own).length === 0 ? undefined : own
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

const encoder = new TextEncoder()
/** `ignoreBOM`: U+FEFF at the start of a name is part of it. [MQTT5-1.5.4-3] */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const NO_BYTES = new Uint8Array(0)

const FLAG_RETAIN = 0x04
const FLAG_DURABLE = 0x08
const FLAG_EXPIRES = 0x10
const FLAG_MAY_BE_DELIVERED = 0x20
/** Version, flags, priority, codec length, expiry, header length, topic, publisher and extras length, queue count. */
const MESSAGE_FIXED_BYTES = 1 + 1 + 1 + 1 + 8 + 4 + 2 + 2 + 4 + 4

function withLives(
  extras: MessageExtras | undefined,
  lives: ReadonlyMap<Queue, number>,
  queues: readonly number[],
): LoggedExtras | undefined {
  const logged = [...lives].map(([{ number }, atMs]) => [number, atMs] as const).filter(([number]) => queues.includes(number))
  return logged.length === 0 ? extras : { ...extras, lives: logged }
}

/** A detached message of `stream` and the numbers of the durable queues it goes to. Hot path. */
export function messageRecord(
  message: Message,
  queues: readonly number[],
  mayBeDelivered: boolean,
  extras: LoggedExtras | undefined = message.lives === undefined ? message.extras : withLives(message.extras, message.lives, queues),
  stream: MetaStream = noStream,
): LogRecord {
  return {
    kind: RecordKind.message,
    dest: queues[0] ?? 0,
    meta: messageMeta(message, queues, mayBeDelivered, extras, stream),
    body: message.bytes,
    bodyStart: message.headerStart,
    bodyEnd: message.end,
  }
}

/** What was made for a message without anything special to one queue, and what it says. */
export interface PlainMeta {
  readonly meta: Uint8Array
  readonly publisher: string | undefined
  readonly topic: string
  readonly codecId: string
  readonly flags: number
  readonly priority: number
  readonly headerBytes: number
  readonly queue: number
}

/**
 * Has what was made last for one stream of messages. The next one of it says the same and shares it: records never change, and memory
 * for each of them would cost more than all else here.
 */
export interface MetaStream {
  lastMeta: PlainMeta | undefined
}

/** Of messages that come from no producer. */
const noStream: MetaStream = { lastMeta: undefined }

function messageMeta(
  message: Message,
  queues: readonly number[],
  mayBeDelivered: boolean,
  extras: LoggedExtras | undefined,
  stream: MetaStream,
): Uint8Array {
  const { topic, codec, priority, expiresAtMs, publisher } = message
  const flags =
    message.assurance |
    (message.retain ? FLAG_RETAIN : 0) |
    (message.durable ? FLAG_DURABLE : 0) |
    (expiresAtMs === 0 ? 0 : FLAG_EXPIRES) |
    (mayBeDelivered ? FLAG_MAY_BE_DELIVERED : 0)
  const headerBytes = message.bodyStart - message.headerStart
  const isPlain = extras === undefined && queues.length === 1 && (flags & (FLAG_RETAIN | FLAG_EXPIRES)) === 0
  if (!isPlain) return encodeMessageMeta(message, flags, queues, extras)
  const last = stream.lastMeta
  if (
    last !== undefined &&
    last.topic === topic &&
    last.flags === flags &&
    last.headerBytes === headerBytes &&
    last.queue === queues[0] &&
    last.publisher === publisher &&
    last.priority === priority &&
    last.codecId === codec.id
  ) {
    return last.meta
  }
  const meta = encodeMessageMeta(message, flags, queues, extras)
  stream.lastMeta = { meta, publisher, topic, codecId: codec.id, flags, priority, headerBytes, queue: queues[0]! }
  return meta
}

function encodeMessageMeta(
  message: Message,
  flags: number,
  queues: readonly number[],
  extras: LoggedExtras | undefined,
): Uint8Array {
  const topic = utf8Of(message.topic)
  const { codec, expiresAtMs } = message
  const publisher = publisherBytes(message.publisher)
  const more = extras === undefined ? NO_BYTES : encoder.encode(JSON.stringify(extras))
  const meta = new Uint8Array(
    MESSAGE_FIXED_BYTES + codec.id.length + topic.length + publisher.length + more.length + queues.length * 4,
  )
  meta[0] = FORMAT_VERSION
  meta[1] = flags
  meta[2] = message.priority
  meta[3] = codec.id.length
  if (expiresAtMs !== 0) putFloat64(meta, 4, expiresAtMs)
  putUint32(meta, 12, message.bodyStart - message.headerStart)
  putUint16(meta, 16, topic.length)
  putUint16(meta, 18, publisher.length)
  putUint32(meta, 20, more.length)
  putUint32(meta, 24, queues.length)
  let at = MESSAGE_FIXED_BYTES
  for (let index = 0; index < codec.id.length; index++) meta[at++] = codec.id.charCodeAt(index)
  meta.set(topic, at)
  at += topic.length
  meta.set(publisher, at)
  at += publisher.length
  meta.set(more, at)
  at += more.length
  for (const queue of queues) {
    putUint32(meta, at, queue)
    at += 4
  }
  return meta
}

/** No client id of MQTT is longer; what cannot be said is left out. */
const PUBLISHER_BYTES_MAX = 0xffff

function publisherBytes(publisher: string | undefined): Uint8Array {
  if (publisher === undefined) return NO_BYTES
  const bytes = encoder.encode(publisher)
  return bytes.length > PUBLISHER_BYTES_MAX ? NO_BYTES : bytes
}

/** Codec and topic of the last one read, as bytes and as text: in a queue they are nearly always the same, and decoding costs most. */
const lastNames = { bytes: NO_BYTES as Uint8Array, codecBytes: 0, codecId: '', topic: '' }

function readNames(meta: Uint8Array, codecBytes: number, end: number): void {
  const { bytes } = lastNames
  if (lastNames.codecBytes === codecBytes && isSame(bytes, meta, MESSAGE_FIXED_BYTES, end)) return
  lastNames.bytes = meta.slice(MESSAGE_FIXED_BYTES, end)
  lastNames.codecBytes = codecBytes
  lastNames.codecId = decoder.decode(lastNames.bytes.subarray(0, codecBytes))
  lastNames.topic = decoder.decode(lastNames.bytes.subarray(codecBytes))
}

interface Name {
  readonly bytes: Uint8Array
  readonly text: string
}

/** Publishers read lately: a queue may have messages of many, one from each in turn, and those that wait in memory share the text. */
const PUBLISHER_SLOTS = 16_384
const PUBLISHER_KEPT_BYTES_MAX = 64
const publishers = new Array<Name | undefined>(PUBLISHER_SLOTS).fill(undefined)
let lastPublisher: Name = { bytes: NO_BYTES, text: '' }

function readPublisher(meta: Uint8Array, start: number, end: number): string | undefined {
  if (start === end) return undefined
  if (isSame(lastPublisher.bytes, meta, start, end)) return lastPublisher.text
  if (end - start > PUBLISHER_KEPT_BYTES_MAX) return decoder.decode(meta.subarray(start, end))
  let hash = 0
  for (let at = start; at < end; at++) hash = (hash * 31 + meta[at]!) | 0
  const slot = (hash ^ (hash >>> 14)) & (PUBLISHER_SLOTS - 1)
  let name = publishers[slot]
  if (name === undefined || !isSame(name.bytes, meta, start, end)) {
    const bytes = meta.slice(start, end)
    publishers[slot] = name = { bytes, text: decoder.decode(bytes) }
  }
  lastPublisher = name
  return name.text
}

function isSame(bytes: Uint8Array, meta: Uint8Array, start: number, end: number): boolean {
  const size = end - start
  if (bytes.length !== size) return false
  for (let index = 0; index < size; index++) if (bytes[index] !== meta[start + index]) return false
  return true
}

/** Hot path of long backlogs. */
export function readMessageMeta(meta: Uint8Array): LoggedMessage {
  checkVersion(meta)
  const flags = meta[1]!
  const topicEnd = MESSAGE_FIXED_BYTES + meta[3]! + getUint16(meta, 16)
  const publisherEnd = topicEnd + getUint16(meta, 18)
  const extrasEnd = publisherEnd + getUint32(meta, 20)
  const queues: number[] = []
  for (let count = getUint32(meta, 24), at = extrasEnd; count > 0; count--, at += 4) queues.push(getUint32(meta, at))
  readNames(meta, meta[3]!, topicEnd)
  return {
    topic: lastNames.topic,
    codecId: lastNames.codecId,
    assurance: (flags & 0x03) as Assurance,
    durable: (flags & FLAG_DURABLE) !== 0,
    retain: (flags & FLAG_RETAIN) !== 0,
    mayBeDelivered: (flags & FLAG_MAY_BE_DELIVERED) !== 0,
    priority: meta[2] ?? PRIORITY_DEFAULT,
    expiresAtMs: (flags & FLAG_EXPIRES) === 0 ? 0 : new DataView(meta.buffer, meta.byteOffset).getFloat64(4),
    publisher: readPublisher(meta, topicEnd, publisherEnd),
    extras:
      extrasEnd === publisherEnd
        ? undefined
        : (JSON.parse(decoder.decode(meta.subarray(publisherEnd, extrasEnd))) as LoggedExtras),
    headerBytes: getUint32(meta, 12),
    queues,
  }
}

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
  const json = encoder.encode(JSON.stringify(value))
  const meta = new Uint8Array(1 + json.length)
  meta[0] = FORMAT_VERSION
  meta.set(json, 1)
  return { kind, dest, meta, ...NO_BODY }
}

export function readJsonMeta<T>(meta: Uint8Array): T {
  checkVersion(meta)
  return JSON.parse(decoder.decode(meta.subarray(1))) as T
}

function checkVersion(meta: Uint8Array): void {
  if (meta[0] === FORMAT_VERSION) return
  const text = `a log record has format version ${meta[0]}, this broker reads up to ${FORMAT_VERSION}: start the newer broker`
  throw new Error(text)
}

/** Topics repeat: the last one's bytes are kept. */
let lastText = ''
let lastUtf8: Uint8Array = NO_BYTES

function utf8Of(text: string): Uint8Array {
  if (text === lastText) return lastUtf8
  lastText = text
  return (lastUtf8 = encoder.encode(text))
}

const scratch = new DataView(new ArrayBuffer(8))
const scratchBytes = new Uint8Array(scratch.buffer)

function putFloat64(target: Uint8Array, at: number, value: number): void {
  scratch.setFloat64(0, value)
  for (let index = 0; index < 8; index++) target[at + index] = scratchBytes[index]!
}

function getUint32(source: Uint8Array, at: number): number {
  return ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0
}

function getUint16(source: Uint8Array, at: number): number {
  return (source[at]! << 8) | source[at + 1]!
}

function putUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

function putUint16(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 8
  target[at + 1] = value
}
