/**
 * What the core writes into its partition log, and how it reads it back. Every record's meta begins with the format version, from
 * the first commit on: a later broker reads what an earlier one wrote. [ADR-0003]
 */
import type { LogRecord } from '@ternmq/store'
import type { BindingData } from '../delivery.ts'
import type { Assurance, Message } from '../message.ts'

const FORMAT_VERSION = 1

/** Types of record. Numbers are for ever. */
export const RecordKind = {
  /** Content: a message with the queues it went to, and whether it is its topic's last. */
  message: 1,
  /** A queue has finished with a message. */
  settled: 2,
  sessionOpened: 3,
  /** A session's queue or that of a shared subscription, with all it held. */
  queueEnded: 4,
  bound: 5,
  unbound: 6,
  /** A topic has no retained message any more, unless a later one than that which went. */
  retainedCleared: 7,
} as const

const NO_BODY = { body: undefined, bodyStart: 0, bodyEnd: 0 } as const

/** A message as the log knows it; its headers and body are the record's body. */
export interface LoggedMessage {
  readonly topic: string
  readonly codecId: string
  readonly assurance: Assurance
  readonly durable: boolean
  readonly retain: boolean
  readonly expiresAtMs: number
  /** Client id of who published it. Only of a message that is kept for its topic: who gets those is decided again and again. */
  readonly publisher: string | undefined
  /** Length of the headers at the start of the record's body. */
  readonly headerBytes: number
  /** Numbers of the queues it was routed to. */
  readonly queues: readonly number[]
}

export interface LoggedSession {
  readonly clientId: string
  readonly user: string
  readonly anonymous: boolean
  /** null: never expires. */
  readonly expiryMs: number | null
}

export interface LoggedClear {
  readonly topic: string
  /** Of the message that went: cleared, expired or refused. One with a higher lsn stays. */
  readonly lsn: number
}

export interface LoggedBinding {
  /** The session's key for it: pattern and share name. */
  readonly key: string
  /** `patternKey` of the pattern. */
  readonly pattern: string
  readonly shareName?: string
  /** Queue of the group of a shared subscription. */
  readonly groupQueue?: number
  readonly assuranceMax: Assurance
  readonly noLocal: boolean
  readonly data: BindingData
}

const encoder = new TextEncoder()
/** `ignoreBOM`: U+FEFF at the start of a name is part of it. [MQTT5-1.5.4-3] */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const NO_PUBLISHER = new Uint8Array(0)

const FLAG_RETAIN = 0x04
const FLAG_DURABLE = 0x08
const FLAG_EXPIRES = 0x10
/** Version, flags, codec length, expiry, header length, topic length, publisher length, queue count. */
const MESSAGE_FIXED_BYTES = 1 + 1 + 1 + 8 + 4 + 2 + 2 + 4

/** A detached message and the numbers of the durable queues it goes to. */
export function messageRecord(message: Message, queues: readonly number[]): LogRecord {
  const topic = encoder.encode(message.topic)
  const { codec, expiresAtMs } = message
  const publisher = message.retain ? encoder.encode(message.publisher) : NO_PUBLISHER
  const meta = new Uint8Array(
    MESSAGE_FIXED_BYTES + codec.id.length + topic.length + publisher.length + queues.length * 4,
  )
  const view = new DataView(meta.buffer)
  const flags =
    message.assurance |
    (message.retain ? FLAG_RETAIN : 0) |
    (message.durable ? FLAG_DURABLE : 0) |
    (expiresAtMs === 0 ? 0 : FLAG_EXPIRES)
  meta[0] = FORMAT_VERSION
  meta[1] = flags
  meta[2] = codec.id.length
  view.setFloat64(3, expiresAtMs)
  view.setUint32(11, message.bodyStart - message.headerStart)
  view.setUint16(15, topic.length)
  view.setUint16(17, publisher.length)
  view.setUint32(19, queues.length)
  let at = MESSAGE_FIXED_BYTES
  for (let index = 0; index < codec.id.length; index++) meta[at++] = codec.id.charCodeAt(index)
  meta.set(topic, at)
  at += topic.length
  meta.set(publisher, at)
  at += publisher.length
  for (const queue of queues) {
    view.setUint32(at, queue)
    at += 4
  }
  return {
    kind: RecordKind.message,
    dest: queues[0] ?? 0,
    meta,
    body: message.bytes,
    bodyStart: message.headerStart,
    bodyEnd: message.end,
  }
}

export function readMessageMeta(meta: Uint8Array): LoggedMessage {
  checkVersion(meta)
  const view = new DataView(meta.buffer, meta.byteOffset, meta.byteLength)
  const flags = meta[1]!
  const codecEnd = MESSAGE_FIXED_BYTES + meta[2]!
  const topicEnd = codecEnd + view.getUint16(15)
  const publisherEnd = topicEnd + view.getUint16(17)
  const queues: number[] = []
  for (let index = 0; index < view.getUint32(19); index++) queues.push(view.getUint32(publisherEnd + index * 4))
  return {
    topic: decoder.decode(meta.subarray(codecEnd, topicEnd)),
    codecId: decoder.decode(meta.subarray(MESSAGE_FIXED_BYTES, codecEnd)),
    assurance: (flags & 0x03) as Assurance,
    durable: (flags & FLAG_DURABLE) !== 0,
    retain: (flags & FLAG_RETAIN) !== 0,
    expiresAtMs: (flags & FLAG_EXPIRES) === 0 ? 0 : view.getFloat64(3),
    publisher: publisherEnd === topicEnd ? undefined : decoder.decode(meta.subarray(topicEnd, publisherEnd)),
    headerBytes: view.getUint32(11),
    queues,
  }
}

const SETTLED_BYTES = 1 + 8

export function settledRecord(queue: number, lsn: number): LogRecord {
  const meta = new Uint8Array(SETTLED_BYTES)
  meta[0] = FORMAT_VERSION
  new DataView(meta.buffer).setFloat64(1, lsn)
  return { kind: RecordKind.settled, dest: queue, meta, ...NO_BODY }
}

/** Lsn of the message that the queue has finished with. */
export function readSettledMeta(meta: Uint8Array): number {
  checkVersion(meta)
  return new DataView(meta.buffer, meta.byteOffset, meta.byteLength).getFloat64(1)
}

/** `dest` is the number of the queue that the record is about. */
export function jsonRecord(
  kind: number,
  dest: number,
  value: LoggedSession | LoggedBinding | LoggedClear | { readonly key: string } | Record<string, never>,
): LogRecord {
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
