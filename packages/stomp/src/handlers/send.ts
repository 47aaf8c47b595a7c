/** SEND: read where it lies, given to the producer, and its receipt last. [STOMP12-SEND-a] */
import { type HeaderCodec, Message, type MessageExtras, type ProducerTarget, type PublishOptions } from '@ternmq/core'
import { isUtf8 } from 'node:buffer'
import { HeaderId } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import type { StompConnection } from '../connection.ts'
import { MESSAGE_SKIPS, stompHeaders, stompTextHeaders } from '../headers.ts'
import { receiptOf } from '../receipts.ts'
import { Refused } from '../refused.ts'
import { readSendOptions } from '../send-options.ts'
import { transactionOf } from './transactions.ts'

/** What the headers of a SEND come to. Kept while a client sends the same headers over and over. */
export interface SendPlan {
  readonly target: ProducerTarget
  /** Header lines that stay with the message. */
  readonly lines: Uint8Array
  readonly durable: boolean
  readonly retain: boolean
  readonly priority: number
  /** Unix ms; 0: for ever. */
  readonly expiresAtMs: number
  readonly extras: MessageExtras | undefined
  readonly options: PublishOptions | undefined
}

/** Hot path. */
export function handleSend(client: StompConnection, headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): void {
  const plan = (headers.memo ??= planOf(client, headers)) as SendPlan
  if (plan.retain && bodyEnd > bodyStart) checkKept(headers, bodyEnd - bodyStart)
  const message = messageOf(client, plan, codecFor(headers, bytes, bodyStart, bodyEnd), bytes, bodyStart, bodyEnd)
  if (headers.find(HeaderId.transaction) >= 0) return sendInTransaction(client, headers, plan, message)
  const tag = client.unfinished.nextPublish()
  const result = client.producer.publish(plan.target, message, tag, plan.options)
  if (result === 'unmatched' && plan.target.unheardAt !== plan.target.route.generation) client.adapter.hints.noteUnheard(client, plan.target)
  client.unfinished.onPublished(tag, result, headers)
}

function planOf(client: StompConnection, headers: FrameHeaders): SendPlan {
  const target = client.destinations.targetOf(headers)
  const { lines, ...options } = readSendOptions(client, headers, target)
  if (options.retain) client.destinations.checkRetained(headers)
  return { target, lines: lines ?? headers.canonicalLines(MESSAGE_SKIPS), ...options }
}

/** A message that clears its topic has no body: with one it would be kept. */
function checkKept(headers: FrameHeaders, size: number): void {
  if (headers.get(HeaderId.retain) !== 'remove') return
  throw new Refused(headers, `header retain: "remove" clears the topic and takes no body, and this one has ${size} bytes; leave it out`)
}

/** ActiveMQ's rule: a body whose length is told is bytes, another one is text. */
function codecFor(headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): HeaderCodec {
  if (headers.contentLength >= 0) return stompHeaders
  return isUtf8(bytes.subarray(bodyStart, bodyEnd)) ? stompTextHeaders : stompHeaders
}

/** Where header lines and body lie next to each other until the core has copied them. */
let scratch = new Uint8Array(16 * 1024)
/** A larger one is not kept. */
const SCRATCH_KEPT_BYTES = 256 * 1024

function messageOf(
  client: StompConnection,
  plan: SendPlan,
  codec: HeaderCodec,
  bytes: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
): Message {
  const { lines } = plan
  let from = bytes
  let start = bodyStart
  let end = bodyEnd
  if (lines.length > 0) {
    const size = lines.length + bodyEnd - bodyStart
    from = size <= scratch.length ? scratch : new Uint8Array(size)
    if (size > scratch.length && size <= SCRATCH_KEPT_BYTES) scratch = from as Uint8Array<ArrayBuffer>
    from.set(lines)
    from.set(bytes.subarray(bodyStart, bodyEnd), lines.length)
    start = 0
    end = size
  }
  return new Message({
    topic: plan.target.route.topic,
    codec,
    bytes: from,
    start,
    headerStart: start,
    bodyStart: start + lines.length,
    end,
    // A server never drops what it was sent, whether it outlives the process or not.
    assurance: 1,
    durable: plan.durable,
    retain: plan.retain,
    expiresAtMs: plan.expiresAtMs,
    publisher: client.clientId,
    priority: plan.priority,
    extras: plan.extras,
  })
}

/** The receipt says that the transaction has it; what becomes of it, COMMIT says. [STOMP12-SEND-b] */
function sendInTransaction(client: StompConnection, headers: FrameHeaders, plan: SendPlan, message: Message): void {
  const refusal = transactionOf(client, headers)!.transaction.publish(plan.target, message, plan.options)
  if (refusal !== undefined) return client.refuseFor(refusal, 'SEND', receiptOf(headers))
  client.unfinished.confirm(headers)
}
