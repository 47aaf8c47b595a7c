/**
 * From a delivery of the core to the payload of a transfer: the header of this hop, and behind it what came in AMQP as it came, or the
 * sections that stand for what came in another protocol.
 */
import type { Delivery, Message } from '@ternmq/core'
import { Descriptor } from '../codec/descriptors.ts'
import { Code } from '../codec/type-codes.ts'
import { writeSections } from './headers-out.ts'
import { isAmqp } from './headers.ts'
import { SectionWriter } from './section-writer.ts'

export type Outgoing = Pick<Delivery, 'message' | 'redelivered' | 'retained' | 'failedCount'>

/** prefix[0, prefixEnd), then bytes[start, end). Reused: good until the next `prepareOutgoing`. */
export class OutgoingMessage {
  prefix: Uint8Array = NO_BYTES
  prefixEnd = 0
  bytes: Uint8Array = NO_BYTES
  start = 0
  end = 0
}

const NO_BYTES = new Uint8Array(0)
const writer = new SectionWriter()

/** `addressText` writes names of the core as the receiver's clients do. Hot path for what came in AMQP. */
export function prepareOutgoing(
  from: Outgoing,
  nowMs: number,
  addressText: (coreName: string) => string | undefined,
  into: OutgoingMessage,
): void {
  const { message } = from
  writer.reset()
  writeHeader(writer, from, nowMs)
  into.bytes = message.bytes
  into.end = message.end
  into.start = message.headerStart
  if (!isAmqp(message.codec)) writeForeign(message, addressText, into)
  into.prefix = writer.bytes
  into.prefixEnd = writer.at
}

function writeForeign(message: Message, addressText: (coreName: string) => string | undefined, into: OutgoingMessage): void {
  writeSections(writer, message.headers, message.topic, addressText)
  writer.section(Descriptor.data)
  writer.head(Code.binary8, Code.binary32, message.end - message.bodyStart)
  into.start = message.bodyStart
}

const TTL_MAX_MS = 0xffff_ffff

function writeHeader(to: SectionWriter, { message, redelivered, failedCount }: Outgoing, nowMs: number): void {
  to.section(Descriptor.header)
  const start = to.begin()
  to.boolean(message.durable)
  to.ubyte(message.priority)
  if (message.expiresAtMs === 0) to.null()
  else to.uint(Math.min(TTL_MAX_MS, Math.max(0, message.expiresAtMs - nowMs)))
  to.boolean(!redelivered)
  to.uint(failedCount)
  to.end(start, 5, Code.list8)
}
