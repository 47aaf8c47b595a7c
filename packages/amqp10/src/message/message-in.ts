/**
 * From the payload of a delivery to a message of the core. What the broker has to know is read where it lies; message annotations,
 * properties, application properties and body stay in the bytes in which they came, for receivers get the bare message untouched.
 * [AMQP10 §3.2]
 */
import {
  copyBytes,
  Message,
  type MessageExtras,
  PRIORITY_DEFAULT,
  type PublishOptions,
  QUEUE_PREFIX,
  type ScheduleOptions,
} from '@ternmq/core'
import { describedCode, Descriptor } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { Code } from '../codec/type-codes.ts'
import { type BodyKind, kindOfBody } from './foreign-body.ts'
import { amqpHeaders, encodedHeaders } from './headers.ts'
import { checkKeys, readAnnotations, type Requests } from './incoming-annotations.ts'
import { readApplication, readHeader, readProperties, settleSchedule } from './incoming-properties.ts'
import { binaryAt, elementsAt, textAt } from './reading.ts'
import { JSON_VALUES_MAX, type Sections } from './sections.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const NO_BYTES = new Uint8Array(0)
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** What a message says to the broker. Reused: good until the next `readIncoming`. */
export class IncomingFacts implements Requests {
  durable = false
  /** 0…9 */
  priority: number = PRIORITY_DEFAULT
  /** -1: it says nothing of it. */
  ttlMs = -1
  /** Unix ms; -1: it says nothing of it. */
  absoluteExpiryMs = -1
  groupId: string | undefined = undefined
  /** Below 0: the last of its group. */
  groupSequence: number | undefined = undefined
  /** Keep it as the last message of its topic, or forget the one that is kept. */
  retain: 'set' | 'remove' | undefined = undefined
  schedule: Mutable<ScheduleOptions> | undefined = undefined
  dedupId: string | undefined = undefined
  /** Annotations that go no further: start and end of each, in turn. */
  readonly dropped: number[] = []
  bytes: Uint8Array = NO_BYTES
  userIdAt = -1
  toAt = -1
  replyToAt = -1

  /** Where it is to go, for a link that sends to anywhere; as it is written. */
  get to(): string | undefined {
    return this.toAt < 0 ? undefined : textAt(this.bytes, this.toAt)
  }

  /** As it is written. */
  get replyTo(): string | undefined {
    return this.replyToAt < 0 ? undefined : textAt(this.bytes, this.replyToAt)
  }

  /** Who it says to be from. Receivers take that for verified: a name other than the principal's is to be refused. */
  get userId(): string | undefined {
    return this.userIdAt < 0 ? undefined : decoder.decode(binaryAt(this.bytes, this.userIdAt))
  }
}

const facts = new IncomingFacts()

/**
 * Throws `AmqpFault('link', …)`: `amqp:invalid-field` for a value that is refused, with the message, `amqp:decode-error` and
 * `amqp:not-implemented` for what ends the link. Hot path.
 */
export function readIncoming(sections: Sections, bytes: Uint8Array): IncomingFacts {
  reset(bytes)
  if (sections.headerAt >= 0) readHeader(bytes, sections.header, facts)
  if (sections.deliveryAnnotationsAt >= 0) checkKeys(bytes, sections.deliveryAnnotationsAt, 'delivery annotation')
  if (sections.annotationsAt >= 0) readAnnotations(bytes, sections.annotationsAt, facts)
  if (sections.propertiesAt >= 0) readProperties(bytes, sections.properties, facts)
  if (sections.applicationAt >= 0) readApplication(bytes, sections.applicationAt, facts)
  if (sections.footerAt >= 0) checkKeys(bytes, sections.footerAt, 'annotation of the footer')
  settleSchedule(facts)
  if (facts.retain === 'remove') checkEmpty(sections, bytes)
  return facts
}

/** A message that clears its topic has no body: with one it would be kept. */
function checkEmpty({ contentStart, contentEnd, bodyAt, end }: Sections, bytes: Uint8Array): void {
  const hasValue = bodyAt >= 0 && bytes[bodyAt] !== Code.null
  const size = contentStart >= 0 ? contentEnd - contentStart : hasValue ? end - bodyAt : 0
  if (size === 0) return
  throw invalid(
    `x-opt-retain 'remove' clears the topic and takes no body, and this one has ${size} bytes; leave it out`,
  )
}

const NOT_KEPT = 'a queue keeps no retained message; send to a topic, or leave out x-opt-retain and ActiveMQ.Retain'

function invalid(text: string): AmqpFault {
  return new AmqpFault('link', 'amqp:invalid-field', `message: ${text}`)
}

function reset(bytes: Uint8Array): void {
  facts.durable = false
  facts.priority = PRIORITY_DEFAULT
  facts.ttlMs = -1
  facts.absoluteExpiryMs = -1
  facts.groupId = undefined
  facts.groupSequence = undefined
  facts.retain = undefined
  facts.schedule = undefined
  facts.dedupId = undefined
  if (facts.dropped.length > 0) facts.dropped.length = 0
  facts.bytes = bytes
  facts.userIdAt = -1
  facts.toAt = -1
  facts.replyToAt = -1
}

/** What the core is asked for beside the message; undefined when it is nothing. */
export function optionsOf({ schedule, dedupId }: IncomingFacts): PublishOptions | undefined {
  if (schedule === undefined && dedupId === undefined) return undefined
  return { ...(schedule !== undefined && { schedule }), ...(dedupId !== undefined && { dedupId }) }
}

/**
 * A message to `topic`, a name of the core. Good for as long as `bytes` are, which end with it at `end`. Throws as `readIncoming` for what a
 * queue cannot do. Hot path.
 */
export function toMessage(
  from: IncomingFacts,
  sections: Sections,
  bytes: Uint8Array,
  end: number,
  topic: string,
  publisher: string,
  nowMs: number,
): Message {
  if (from.retain !== undefined && topic.startsWith(QUEUE_PREFIX)) throw invalid(NOT_KEPT)
  const { contentStart } = sections
  const kind = contentStart >= 0 ? 'none' : kindOf(sections, bytes)
  let target = bytes
  let headerStart = sections.keptStart
  let bodyStart = contentStart >= 0 ? contentStart : kind === 'none' ? end : sections.bodyStart
  let targetEnd = end
  if (from.dropped.length > 0) {
    target = withoutDropped(bytes, sections, from.dropped, end)
    headerStart = 0
    targetEnd = target.length
    bodyStart += targetEnd - end
  }
  return new Message({
    topic,
    codec: kind === 'none' ? amqpHeaders : encodedHeaders[kind],
    bytes: target,
    start: headerStart,
    headerStart,
    bodyStart,
    end: targetEnd,
    // A server never drops what it was sent, whether it outlives the process or not.
    assurance: 1,
    durable: from.durable,
    retain: from.retain !== undefined,
    expiresAtMs: expiresAt(from, nowMs),
    publisher,
    priority: from.priority,
    extras: extrasOf(from),
  })
}

/**
 * Bytes of a body that others get as JSON; a longer one goes to them in its encoding. Text can become six times as long as JSON, and a
 * megabyte of that takes 20 ms.
 */
const JSON_BYTES_MAX = 1_048_576

/** Of a body that is no plain content. */
function kindOf({ bodyAt, bodyStart, end, valueCount }: Sections, bytes: Uint8Array): BodyKind {
  if (bodyAt < 0) return 'none'
  const kind = kindOfBody(describedCode(bytes, bodyStart, bodyAt), bytes[bodyAt]!)
  const isTooMuch = valueCount > JSON_VALUES_MAX || end - bodyStart > JSON_BYTES_MAX
  return kind === 'json' && isTooMuch ? 'encoded' : kind
}

/** An interval counts from now, whatever the publisher's clock says. */
function expiresAt({ ttlMs, absoluteExpiryMs }: IncomingFacts, nowMs: number): number {
  if (ttlMs >= 0) return nowMs + ttlMs
  return absoluteExpiryMs > 0 ? absoluteExpiryMs : 0
}

function extrasOf({ groupId, groupSequence }: IncomingFacts): MessageExtras | undefined {
  // As with other protocols, a group without a name is none.
  if (groupId === undefined || groupId === '') return undefined
  return groupSequence !== undefined && groupSequence < 0 ? { groupId, groupEnds: true } : { groupId }
}

/** What is kept of the message, without the annotations that go no further, in memory of its own. */
function withoutDropped(bytes: Uint8Array, sections: Sections, dropped: readonly number[], end: number): Uint8Array {
  const { annotationsAt, annotationsEnd } = sections
  const { count, at: first } = elementsAt(bytes, annotationsAt)
  const keptCount = count - dropped.length
  let keptSize = annotationsEnd - first
  for (let index = 0; index < dropped.length; index += 2) keptSize -= dropped[index + 1]! - dropped[index]!
  const headSize = keptCount === 0 ? 0 : MAP_HEAD_BYTES
  const target = new Uint8Array(headSize + keptSize + end - annotationsEnd)
  if (keptCount > 0) writeMapHead(target, keptSize, keptCount)
  let at = headSize
  let from = first
  for (let index = 0; index <= dropped.length; index += 2) {
    const to = dropped[index] ?? annotationsEnd
    copyBytes(bytes, from, to, target, at)
    at += to - from
    from = dropped[index + 1] ?? annotationsEnd
  }
  copyBytes(bytes, annotationsEnd, end, target, at)
  return target
}

/** Descriptor, constructor, size and count. */
const MAP_HEAD_BYTES = 12

/** Of message annotations. */
function writeMapHead(target: Uint8Array, size: number, count: number): void {
  target.set([Code.described, Code.smallUlong, Descriptor.messageAnnotations, Code.map32])
  const view = new DataView(target.buffer)
  view.setUint32(4, size + 4)
  view.setUint32(8, count)
}
