/** What spans say of a message: names of OpenTelemetry's conventions for messaging, and of our own for what these have none for. */
import type { Attributes } from '@opentelemetry/api'
import { type CounterLabel, type Message, QUEUE_PREFIX } from '@ternmq/core'

export const Attribute = {
  system: 'messaging.system',
  operation: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  queue: 'messaging.destination.subscription.name',
  messageId: 'messaging.message.id',
  bodySize: 'messaging.message.body.size',
  clientId: 'messaging.client.id',
  protocol: 'network.protocol.name',
  errorType: 'error.type',
  destinationKind: 'ternmq.destination.kind',
  /** Of a publish: routed, unmatched, refused. */
  result: 'ternmq.result',
  /** Of a delivery: accepted, rejected, released, modified; sent where there is nothing to settle; unseen where its end was not seen. */
  outcome: 'ternmq.outcome',
  failedCount: 'ternmq.failed_count',
  redelivered: 'ternmq.redelivered',
  deadLetterQueue: 'ternmq.dead_letter.queue',
  deadLetterCause: 'ternmq.dead_letter.cause',
  deadLetterReason: 'ternmq.dead_letter.reason',
} as const

const SYSTEM = 'ternmq'

/** Of an address in core form, without what says that it is a queue. */
export function destinationOf(topic: string): string {
  return topic.startsWith(QUEUE_PREFIX) ? topic.slice(QUEUE_PREFIX.length) : topic
}

/** `operation` is that of the span; undefined for one that is none of a client. */
export function messageAttributes(
  message: Message,
  operation: 'send' | 'process' | undefined,
  destination: string,
  protocol: CounterLabel | undefined,
  clientId: string | undefined,
): Attributes {
  const attributes: Attributes = {
    [Attribute.system]: SYSTEM,
    [Attribute.destination]: destination,
    [Attribute.destinationKind]: message.topic.startsWith(QUEUE_PREFIX) ? 'queue' : 'topic',
    [Attribute.bodySize]: message.end - message.bodyStart,
  }
  if (operation !== undefined) {
    attributes[Attribute.operation] = operation
    attributes[Attribute.operationType] = operation
  }
  if (protocol !== undefined) attributes[Attribute.protocol] = protocol
  if (clientId !== undefined && clientId !== '') attributes[Attribute.clientId] = clientId
  const { messageId } = message.headers
  if (messageId !== undefined) attributes[Attribute.messageId] = messageId
  return attributes
}
