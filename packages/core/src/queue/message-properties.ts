/**
 * A message as selectors see it: the JMS header fields, then what the broker says of it, then the publisher's own properties, of which
 * the first of a name counts. [JMS 3.1 §3.8.1.1]
 *
 * Where a protocol has no field of its own for id, type or time of a message, as MQTT, a property with the name that JMS has stands for
 * it. Properties of AMQP have types. Those of MQTT and STOMP are strings: a selector compares them with numbers only if it begins with
 * `convert_string_expressions:`.
 */
import type { Message } from '../message.ts'
import type { PropertySource, SelectorValue } from '../selector/selector.ts'

class MessageProperties implements PropertySource {
  message: Message | undefined = undefined
  failedCount = 0
  redelivered = false

  property(name: string): SelectorValue | undefined {
    const message = this.message!
    switch (name) {
      case 'JMSPriority':
        return message.priority
      case 'JMSDeliveryMode':
        return message.durable ? 'PERSISTENT' : 'NON_PERSISTENT'
      case 'JMSExpiration':
        return message.expiresAtMs
      case 'JMSDestination':
        return message.topic
      case 'JMSRedelivered':
        return this.redelivered
      case 'JMSXDeliveryCount':
        return deliveryCountOf(this.failedCount, this.redelivered)
      case 'JMSXGroupID':
        return message.extras?.groupId
      case 'JMSXGroupSeq':
        return message.headers.groupSequence ?? ownProperty(message, name)
      case 'JMSXUserID':
        return message.headers.userId
      case 'JMSReplyTo':
        return message.headers.replyTo
      case 'JMSCorrelationID':
        return correlationOf(message)
      case 'JMSMessageID':
        return message.headers.messageId ?? ownProperty(message, name)
      case 'JMSType':
        return message.headers.type ?? ownProperty(message, name)
      case 'JMSTimestamp':
        return message.headers.timestampMs ?? ownProperty(message, name)
      default:
        return ownProperty(message, name)
    }
  }
}

/**
 * Which delivery this is, for JMS: 1 and the failed ones before it, and at least 2 for one that somebody had before, though it did not
 * fail there. [JMS 3.1 §3.5.11]
 */
export function deliveryCountOf(failedCount: number, redelivered: boolean): number {
  return Math.max(failedCount + 1, redelivered ? 2 : 1)
}

/** Bytes that are not text are shown as such, with replacement characters. */
function correlationOf({ headers }: Message): string | undefined {
  return headers.correlationId === undefined ? undefined : decoder.decode(headers.correlationId)
}

const decoder = new TextDecoder()

function ownProperty({ headers, extras }: Message, name: string): SelectorValue | undefined {
  const typed = headers.typed?.get(name)
  if (typed !== undefined) return typed
  for (const [key, value] of headers.properties) if (key === name) return value
  const annotations = extras?.annotations
  return annotations !== undefined && Object.hasOwn(annotations, name) ? annotations[name] : undefined
}

/** One for all: a selector is asked and done with it before the next one. */
const shared = new MessageProperties()

/** Good until the next call. Hot path where selectors are. */
export function propertiesOf(message: Message, failedCount = 0, redelivered: boolean = failedCount > 0): PropertySource {
  shared.message = message
  shared.failedCount = failedCount
  shared.redelivered = redelivered
  return shared
}
