/**
 * From a delivery of the core to the payload of a transfer: the header of this hop, and behind it what came in AMQP as it came, or the
 * sections that stand for what came in another protocol. [AMQP10 §3.2]
 */
import { type Delivery, PRIORITY_DEFAULT } from '@ternmq/core'
import { isUtf8 } from 'node:buffer'
import { behindDescriptor, describedCode, Descriptor } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { foreignSections } from './foreign-sections.ts'
import { isAmqp } from './headers.ts'
import { type AddressText, brokerAnnotations, isAmong, writeAnnotationPairs } from './headers-out.ts'
import { eachEntry, textAt } from './reading.ts'
import { FieldsWriter, SectionWriter } from './section-writer.ts'

export type Outgoing = Pick<Delivery, 'message' | 'redelivered' | 'retained' | 'failedCount'>

const NO_BYTES = new Uint8Array(0)

/** prefix[0, prefixEnd), then bytes[start, end). Reused: good until the next `prepareOutgoing`. */
export class OutgoingMessage {
  prefix: Uint8Array = NO_BYTES
  prefixEnd = 0
  bytes: Uint8Array = NO_BYTES
  start = 0
  end = 0
}

const writer = new SectionWriter()

/**
 * `addressText` writes names of the core as the receiver's clients do. `address` is what the receiver consumes from, where that is not what
 * the message was sent to; only messages of other protocols say it. Hot path.
 */
export function prepareOutgoing(
  from: Outgoing,
  nowMs: number,
  addressText: AddressText,
  into: OutgoingMessage,
  address: string = from.message.topic,
): void {
  const { message, retained } = from
  into.bytes = message.bytes
  into.start = message.headerStart
  into.end = message.end
  const isOwn = isAmqp(message.codec)
  const isPlain = isOwn && !retained && message.extras?.annotations === undefined
  const isUsual = message.priority === PRIORITY_DEFAULT && message.expiresAtMs === 0 && from.failedCount === 0
  if (isPlain && isUsual) {
    into.prefix = USUAL_HEADERS[(message.durable ? 1 : 0) | (from.redelivered ? 2 : 0)]!
    into.prefixEnd = into.prefix.length
    return
  }
  writer.reset()
  writeHeader(from, nowMs)
  if (!isOwn) writeForeign(from, addressText, into, address)
  else if (!isPlain) mergeAnnotations(from, addressText, into)
  into.prefix = writer.bytes
  into.prefixEnd = writer.at
}

/** Of messages that say nothing but whether they are durable: by that, and by whether somebody had them before. */
const USUAL_HEADERS: readonly Uint8Array[] = [0, 1, 2, 3].map((flags) => {
  writer.reset()
  writeHeaderFields((flags & 1) !== 0, PRIORITY_DEFAULT, -1, (flags & 2) !== 0, 0)
  return writer.copy()
})

/** As `header.ttl` has it. A longer time is cut: who holds the message so long asks `absolute-expiry-time`. */
const TTL_MAX_MS = 0xffff_ffff

function writeHeader({ message, redelivered, failedCount }: Outgoing, nowMs: number): void {
  const { durable, priority, expiresAtMs } = message
  const ttlMs = expiresAtMs === 0 ? -1 : Math.min(TTL_MAX_MS, Math.max(0, Math.ceil(expiresAtMs - nowMs)))
  writeHeaderFields(durable, priority, ttlMs, redelivered, failedCount)
}

/** What is as it is without being said is left out. [AMQP10 §3.2.1] */
function writeHeaderFields(
  durable: boolean,
  priority: number,
  ttlMs: number,
  redelivered: boolean,
  failedCount: number,
): void {
  const section = writer.beginSection(Descriptor.header)
  const fields = new FieldsWriter(writer)
  if (fields.has(durable ? true : undefined)) writer.boolean(true)
  if (fields.has(priority === PRIORITY_DEFAULT ? undefined : priority)) writer.ubyte(priority)
  if (fields.has(ttlMs < 0 ? undefined : ttlMs)) writer.uint(ttlMs)
  if (fields.has(redelivered ? undefined : true)) writer.boolean(true)
  if (fields.has(failedCount === 0 ? undefined : failedCount)) writer.uint(failedCount)
  writer.endSection(section, fields.count, Code.list8)
}

/** What the broker says stands beside what the publisher said, or in its place where it has the same name. */
function mergeAnnotations({ message, retained }: Outgoing, addressText: AddressText, into: OutgoingMessage): void {
  const { bytes, headerStart, end, extras } = message
  const added = brokerAnnotations(extras, retained, addressText)
  const section = writer.beginSection(Descriptor.messageAnnotations)
  let count = added.length
  if (describedCode(bytes, headerStart, end) === Descriptor.messageAnnotations) {
    const mapAt = behindDescriptor(bytes, headerStart)
    into.start = skipValue(bytes, mapAt)
    eachEntry(bytes, mapAt, (keyAt, valueAt) => {
      const name = textAt(bytes, keyAt)
      if (name !== undefined && isAmong(added, name)) return
      writer.raw(bytes, keyAt, skipValue(bytes, valueAt))
      count++
    })
  }
  writeAnnotationPairs(writer, added)
  writer.endSection(section, count * 2, Code.map8)
}

function writeForeign(
  { message, retained }: Outgoing,
  addressText: AddressText,
  into: OutgoingMessage,
  address: string,
): void {
  if (message.codec.readBody === undefined) {
    into.start = message.bodyStart
  } else {
    into.bytes = message.foreignBody
    into.start = 0
    into.end = into.bytes.length
  }
  const { bytes, start, end } = into
  const said = message.headers.text
  // A string has to be UTF-8. [AMQP10 §1.6.20]
  const isText = said === true && isUtf8(bytes.subarray(start, end))
  writer.raw(foreignSections(message, said === true ? isText : said, retained, addressText, address))
  writer.section(isText ? Descriptor.amqpValue : Descriptor.data)
  writer.head(isText ? Code.string8 : Code.binary8, isText ? Code.string32 : Code.binary32, end - start)
}
