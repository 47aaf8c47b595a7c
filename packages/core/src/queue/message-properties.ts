/**
 * A message as selectors see it: the JMS header fields, then what the broker says of it, then the publisher's own properties, of which
 * the first of a name counts. [JMS 3.1 §3.8.1.1]
 *
 * Where a protocol has no field of its own for id, type or time of a message, as MQTT, a property with the name that JMS has stands for
 * it. Properties of AMQP have types. Those of MQTT and STOMP are strings: a selector compares them with numbers only if it begins with
 * `convert_string_expressions:`.
 */
import type { Headers, Message } from '../message/message.ts'
import type { PropertySource, SelectorValue } from '../selector/selector.ts'

/** Properties of a message, from which on it is worth an index once many are asked for: looking through 32 takes 0.1 µs. */
const INDEXED_PROPERTIES_MIN = 32
/** Looks through so many properties before they get an index, which takes as long as 16 looks (measured, 64 and 1,000 properties). */
const LOOKS_MAX = 16

class MessageProperties implements PropertySource {
  failedCount = 0
  redelivered = false
  #message: Message | undefined = undefined
  /** Of this message, once it has been looked through often: the first of each name. Thousands of selectors may ask for hundreds each. */
  #index: Map<string, SelectorValue> | undefined = undefined
  #looks = 0
  #correlation: string | undefined = undefined

  read(message: Message): void {
    if (this.#message === message) return
    this.#message = message
    this.#index = undefined
    this.#looks = 0
    this.#correlation = undefined
  }

  property(name: string): SelectorValue | undefined {
    const message = this.#message!
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
        return message.headers.groupSequence ?? this.#own(message, name)
      case 'JMSXUserID':
        return message.headers.userId
      case 'JMSReplyTo':
        return message.headers.replyTo
      case 'JMSCorrelationID':
        return (this.#correlation ??= correlationOf(message))
      case 'JMSMessageID':
        return message.headers.messageId ?? this.#own(message, name)
      case 'JMSType':
        return message.headers.type ?? this.#own(message, name)
      case 'JMSTimestamp':
        return message.headers.timestampMs ?? this.#own(message, name)
      default:
        return this.#own(message, name)
    }
  }

  #own({ headers, extras }: Message, name: string): SelectorValue | undefined {
    const typed = headers.typed?.get(name)
    if (typed !== undefined) return typed
    const value = this.#first(headers.properties, name)
    if (value !== undefined) return value
    const annotations = extras?.annotations
    return annotations !== undefined && Object.hasOwn(annotations, name) ? annotations[name] : undefined
  }

  #first(properties: Headers['properties'], name: string): SelectorValue | undefined {
    if (this.#index !== undefined) return this.#index.get(name)
    if (properties.length > INDEXED_PROPERTIES_MIN && this.#looks++ === LOOKS_MAX) {
      this.#index = new Map()
      for (const [key, value] of properties) if (!this.#index.has(key)) this.#index.set(key, value)
      return this.#index.get(name)
    }
    for (const [key, value] of properties) if (key === name) return value
    return undefined
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

/** One for all: a selector is asked and done with it before the next one. */
const shared = new MessageProperties()

/** Good until the next call. Hot path where selectors are. */
export function propertiesOf(message: Message, failedCount = 0, redelivered: boolean = failedCount > 0): PropertySource {
  shared.read(message)
  shared.failedCount = failedCount
  shared.redelivered = redelivered
  return shared
}
