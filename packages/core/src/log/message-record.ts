/**
 * Messages in the log: what their records say, and how that is read back. What a stream of messages has in common is made once, and read
 * once. [ADR-0003]
 */
import type { LogRecord } from '@ternmq/store'
import { type Assurance, type Message, type MessageExtras, PRIORITY_DEFAULT } from '../message/message.ts'
import type { Queue } from '../queue/queue.ts'
import { getUint16, getUint32, NO_BYTES, putFloat64, putUint16, putUint32, utf8Bytes, utf8Text } from './bytes.ts'
import { checkVersion, FORMAT_VERSION, type LoggedSchedule, type LoggedWill, RecordKind } from './records.ts'

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
  const topic = topicBytes(message.topic)
  const { codec, expiresAtMs } = message
  const publisher = publisherBytes(message.publisher)
  const more = extras === undefined ? NO_BYTES : utf8Bytes(JSON.stringify(extras))
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
  const bytes = utf8Bytes(publisher)
  return bytes.length > PUBLISHER_BYTES_MAX ? NO_BYTES : bytes
}

/** Codec and topic of the last one read, as bytes and as text: in a queue they are nearly always the same, and decoding costs most. */
const lastNames = { bytes: NO_BYTES, codecBytes: 0, codecId: '', topic: '' }

function readNames(meta: Uint8Array, codecBytes: number, end: number): void {
  const { bytes } = lastNames
  if (lastNames.codecBytes === codecBytes && isSame(bytes, meta, MESSAGE_FIXED_BYTES, end)) return
  lastNames.bytes = meta.slice(MESSAGE_FIXED_BYTES, end)
  lastNames.codecBytes = codecBytes
  lastNames.codecId = utf8Text(lastNames.bytes.subarray(0, codecBytes))
  lastNames.topic = utf8Text(lastNames.bytes.subarray(codecBytes))
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
  if (end - start > PUBLISHER_KEPT_BYTES_MAX) return utf8Text(meta.subarray(start, end))
  let hash = 0
  for (let at = start; at < end; at++) hash = (hash * 31 + meta[at]!) | 0
  const slot = (hash ^ (hash >>> 14)) & (PUBLISHER_SLOTS - 1)
  let name = publishers[slot]
  if (name === undefined || !isSame(name.bytes, meta, start, end)) {
    const bytes = meta.slice(start, end)
    publishers[slot] = name = { bytes, text: utf8Text(bytes) }
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
        : (JSON.parse(utf8Text(meta.subarray(publisherEnd, extrasEnd))) as LoggedExtras),
    headerBytes: getUint32(meta, 12),
    queues,
  }
}

/** Topics repeat: the last one's bytes are kept. */
let lastText = ''
let lastUtf8: Uint8Array = NO_BYTES

function topicBytes(text: string): Uint8Array {
  if (text === lastText) return lastUtf8
  lastText = text
  return (lastUtf8 = utf8Bytes(text))
}
