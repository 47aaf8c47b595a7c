/** Messages as the admin API shows them: what they say of themselves, and what the broker says of them. */
import type { DeadLetterInfo, MessageDetail, MessageItem } from '@ternmq/api'
import { type BrowsedEntry, type Message, queueNameOf } from '@ternmq/core'
import { textOfBytes } from '@ternmq/naming'
import { bodyOf } from './message-body.ts'

/** What does not depend on the queue that it is in. */
export type MessageFacts = Omit<MessageItem, 'id' | 'state' | 'redelivered' | 'failedCount'>

/** `arrivedAtMs` is what `arrivalsOf` says of it. */
export function itemOf(
  { id, state, message, redelivered, failedCount }: BrowsedEntry,
  arrivedAtMs: number | undefined,
): MessageItem {
  return { id, state, redelivered, failedCount, ...factsOf(message, arrivedAtMs) }
}

/** Of a dead letter that whoever looks may not see: what the broker says of it, and why there is no more. */
export function withheldItemOf(entry: BrowsedEntry, arrivedAtMs: number | undefined, withheld: string): MessageItem {
  const { id, state, redelivered, failedCount, address, ...facts } = itemOf(entry, arrivedAtMs)
  const { bytes, bodyBytes, durable, priority, expiresAtMs, format, deadLetter } = facts
  const said = { bytes, bodyBytes, durable, priority, arrivedAtMs, expiresAtMs, format, deadLetter }
  return { id, state, redelivered, failedCount, address, ...said, withheld }
}

export function detailOf(entry: BrowsedEntry, arrivedAtMs: number | undefined, bodyBytesMax?: number): MessageDetail {
  const { message } = entry
  return {
    ...itemOf(entry, arrivedAtMs),
    properties: message.headers.properties,
    annotations: message.extras?.annotations ?? {},
    body: bodyOf(message.foreignBody, bodyBytesMax),
  }
}

export function factsOf(message: Message, arrivedAtMs?: number): MessageFacts {
  const { headers, extras, expiresAtMs, codec } = message
  const { messageId, correlationId, contentType, contentEncoding, replyTo, type, timestampMs, appId, userId } = headers
  return {
    address: message.topic,
    bytes: message.size,
    bodyBytes: message.end - message.bodyStart,
    durable: message.durable,
    priority: message.priority,
    arrivedAtMs,
    expiresAtMs: expiresAtMs === 0 ? undefined : expiresAtMs,
    publisher: message.publisher,
    format: formatOf(codec.id),
    messageId,
    correlationId: correlationId === undefined ? undefined : textOfBytes(correlationId),
    contentType,
    contentEncoding,
    replyTo,
    type,
    groupId: extras?.groupId,
    timestampMs,
    appId,
    userId,
    deadLetter: deadLetterOf(message),
  }
}

/** A protocol may have several codecs, which differ in what the body is: `stomp-text`, `amqp10-json`. */
function formatOf(codecId: string): string {
  return codecId.split('-', 1)[0]!
}

/** Undefined for what is no dead letter. */
export function deadLetterOf({ extras }: Message): DeadLetterInfo | undefined {
  const annotations = extras?.annotations
  const cause = textAt(annotations, 'cause')
  if (cause === undefined) return undefined
  const queue = textAt(annotations, 'originalQueue')
  const atMs = annotations?.['movedAtMs']
  return {
    cause,
    reason: textAt(annotations, 'reason'),
    originalQueue: queue === undefined ? undefined : (queueNameOf(queue) ?? queue),
    originalAddress: textAt(annotations, 'originalAddress'),
    atMs: typeof atMs === 'number' ? atMs : undefined,
  }
}

type Annotations = Readonly<Record<string, string | number>> | undefined

function textAt(annotations: Annotations, name: string): string | undefined {
  if (annotations === undefined || !Object.hasOwn(annotations, name)) return undefined
  return String(annotations[name])
}
