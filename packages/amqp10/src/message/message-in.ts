/**
 * From the payload of a delivery to a message of the core. What the broker has to know is read where it lies; message annotations,
 * properties, application properties and body stay in the bytes in which they came, for receivers get the bare message untouched.
 * [AMQP10 §3.2]
 */
import { copyBytes, Message, type MessageExtras, PRIORITY_DEFAULT, type PublishOptions, type ScheduleOptions } from '@ternmq/core'
import { Descriptor } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { amqpEncodedHeaders, amqpHeaders } from './headers.ts'
import { readAnnotations, type Requests } from './incoming-annotations.ts'
import { binaryAt, booleanAt, eachEntry, elementsAt, integerAt, textAt } from './reading.ts'
import type { Sections } from './sections.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

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
  retain: 'set' | 'remove' | undefined = undefined
  schedule: Mutable<ScheduleOptions> | undefined = undefined
  dedupId: string | undefined = undefined
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

  /** Who it says to be from: others take it for verified, so let nobody say another's name. */
  get userId(): string | undefined {
    const name = this.userIdAt < 0 ? undefined : binaryAt(this.bytes, this.userIdAt)
    return name === undefined ? undefined : decoder.decode(name)
  }
}

const NO_BYTES = new Uint8Array(0)
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const facts = new IncomingFacts()

/** Throws `AmqpFault('link', …)` for a value that cannot be. Hot path. */
export function readIncoming(sections: Sections, bytes: Uint8Array): IncomingFacts {
  reset(bytes)
  if (sections.headerAt >= 0) readHeader(bytes, sections.headerAt)
  if (sections.annotationsAt >= 0) readAnnotations(bytes, sections.annotationsAt, facts)
  if (sections.propertiesAt >= 0) readProperties(bytes, sections.propertiesAt)
  if (sections.applicationAt >= 0) readApplication(bytes, sections.applicationAt)
  return facts
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

/** [AMQP10 §3.2.1] */
const PRIORITY_MAX = 9

function readHeader(bytes: Uint8Array, listAt: number): void {
  const { count, at: first } = elementsAt(bytes, listAt)
  let at = first
  for (let index = 0; index < count; index++) {
    if (bytes[at] !== Code.null) readHeaderField(bytes, index, at)
    at = skipValue(bytes, at)
  }
}

function readHeaderField(bytes: Uint8Array, index: number, at: number): void {
  switch (index) {
    case 0:
      facts.durable = booleanAt(bytes, at) ?? wrong('header.durable', 'a boolean')
      break
    case 1:
      facts.priority = Math.min(PRIORITY_MAX, integerAt(bytes, at) ?? wrong('header.priority', 'a ubyte'))
      break
    case 2:
      facts.ttlMs = integerAt(bytes, at) ?? wrong('header.ttl', 'a uint')
      break
    default: // of the hop before
  }
}

function readProperties(bytes: Uint8Array, listAt: number): void {
  const { count, at: first } = elementsAt(bytes, listAt)
  let at = first
  for (let index = 0; index < count; index++) {
    if (bytes[at] !== Code.null) readProperty(bytes, index, at)
    at = skipValue(bytes, at)
  }
}

function readProperty(bytes: Uint8Array, index: number, at: number): void {
  switch (index) {
    case 1:
      facts.userIdAt = at
      break
    case 2:
      facts.toAt = at
      break
    case 4:
      facts.replyToAt = at
      break
    case 8:
      facts.absoluteExpiryMs = integerAt(bytes, at) ?? -1
      break
    case 10:
      facts.groupId = textAt(bytes, at) ?? wrong('properties.group-id', 'a string')
      break
    case 11:
      // In the upper half of its range it is below 0, as JMS writes it.
      facts.groupSequence = (integerAt(bytes, at) ?? wrong('properties.group-sequence', 'a uint')) | 0
      break
    default: // it concerns the receivers
  }
}

function wrong(field: string, type: string): never {
  throw new AmqpFault('link', 'amqp:decode-error', `message: ${field} is not ${type}`)
}

function readApplication(bytes: Uint8Array, mapAt: number): void {
  eachEntry(bytes, mapAt, (keyAt, valueAt) => {
    const name = textAt(bytes, keyAt)
    if (name === '_AMQ_DUPL_ID') facts.dedupId = textAt(bytes, valueAt)
    else if (name === 'ActiveMQ.Retain' && (booleanAt(bytes, valueAt) === true || textAt(bytes, valueAt) === 'true')) facts.retain ??= 'set'
  })
}

/** What the core is asked for beside the message; undefined when it is nothing. */
export function optionsOf({ schedule, dedupId }: IncomingFacts): PublishOptions | undefined {
  if (schedule === undefined && dedupId === undefined) return undefined
  return { ...(schedule !== undefined && { schedule }), ...(dedupId !== undefined && { dedupId }) }
}

/** Good for as long as `bytes` are, and until the next message. Hot path. */
export function toMessage(
  from: IncomingFacts,
  sections: Sections,
  bytes: Uint8Array,
  end: number,
  topic: string,
  publisher: string,
  nowMs: number,
): Message {
  const isPlain = sections.contentStart >= 0 || sections.bodyKind === 'none'
  let headerStart = sections.keptStart
  let bodyStart = bodyStartOf(sections, end)
  let target = bytes
  let targetEnd = end
  if (from.dropped.length > 0) {
    target = withoutDropped(bytes, sections, from.dropped, end)
    targetEnd = target.length
    headerStart = 0
    bodyStart += targetEnd - end
  }
  return new Message({
    topic,
    codec: isPlain ? amqpHeaders : amqpEncodedHeaders,
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

/** Where other protocols find the body; of one that is no plain content, the bytes behind its first constructor. */
function bodyStartOf({ contentStart, bodyKind, bodyAt }: Sections, end: number): number {
  if (contentStart >= 0) return contentStart
  return bodyKind === 'none' ? end : bodyAt + 1
}

/** An interval counts from now, whatever the publisher's clock says. */
function expiresAt({ ttlMs, absoluteExpiryMs }: IncomingFacts, nowMs: number): number {
  if (ttlMs >= 0) return nowMs + ttlMs
  return absoluteExpiryMs > 0 ? absoluteExpiryMs : 0
}

function extrasOf({ groupId, groupSequence }: IncomingFacts): MessageExtras | undefined {
  if (groupId === undefined) return undefined
  return groupSequence !== undefined && groupSequence < 0 ? { groupId, groupEnds: true } : { groupId }
}

/** What is kept of the message, without the annotations that go no further. */
function withoutDropped(bytes: Uint8Array, sections: Sections, dropped: readonly number[], end: number): Uint8Array {
  const { annotationsAt, annotationsEnd } = sections
  const { count, at: first } = elementsAt(bytes, annotationsAt)
  const keptCount = count - dropped.length
  let kept = annotationsEnd - first
  for (let index = 0; index < dropped.length; index += 2) kept -= dropped[index + 1]! - dropped[index]!
  const rest = end - annotationsEnd
  const head = keptCount === 0 ? 0 : MAP_HEAD_BYTES
  const target = new Uint8Array(head + kept + rest)
  let at = 0
  if (keptCount > 0) {
    at = writeMapHead(target, Descriptor.messageAnnotations, kept, keptCount)
    let from = first
    for (let index = 0; index < dropped.length; index += 2) {
      copyBytes(bytes, from, dropped[index]!, target, at)
      at += dropped[index]! - from
      from = dropped[index + 1]!
    }
    copyBytes(bytes, from, annotationsEnd, target, at)
    at += annotationsEnd - from
  }
  copyBytes(bytes, annotationsEnd, end, target, at)
  return target
}

const MAP_HEAD_BYTES = 12

function writeMapHead(target: Uint8Array, section: number, size: number, count: number): number {
  target.set([0, Code.smallUlong, section, Code.map32])
  const view = new DataView(target.buffer)
  view.setUint32(4, size + 4)
  view.setUint32(8, count)
  return MAP_HEAD_BYTES
}
