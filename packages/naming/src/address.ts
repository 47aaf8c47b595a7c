/**
 * What an address text means, whichever protocol it came in: a topic is its levels, a queue is its name. The core's texts for them
 * (`a/b`, `$queue/NAME`, `$temp/ID`) are made here and read here.
 */
import {
  ALL_BELOW,
  isQueuePattern,
  ONE_LEVEL,
  patternKey,
  type PatternLevel,
  QUEUE_PREFIX,
  topicName,
} from '@ternmq/core'

export interface TopicAddress {
  readonly kind: 'topic'
  /** Without '/', '+', '#' and NUL: MQTT could not write the name, and every subscriber may be an MQTT client. */
  readonly levels: readonly string[]
}

export interface TopicPattern {
  readonly kind: 'topic-pattern'
  readonly levels: readonly PatternLevel[]
}

export interface QueueAddress {
  /** A pattern of queues has `*` and `>` as levels with '.' between, in every protocol. */
  readonly kind: 'queue' | 'queue-pattern'
  readonly name: string
}

/** A temporary destination by the id that the broker gave it. */
export interface Temporary {
  readonly kind: 'temp-queue' | 'temp-topic'
  readonly id: string
}

/** The name that a STOMP client chose for a temporary destination of its own; only its connection knows which that is. */
export interface Alias {
  readonly kind: 'temp-queue-alias' | 'temp-topic-alias'
  readonly alias: string
}

/** A durable subscription by its name, to consume from. */
export interface SubscriptionReference {
  readonly kind: 'subscription'
  readonly name: string
}

/** A queue at an address, as Artemis writes it: `address::queue`. Both as they are. */
export interface Fqqn {
  readonly kind: 'fqqn'
  readonly address: string
  readonly queue: string
}

/** An exchange of AMQP 0-9-1 other than `amq.topic`, whose keys are topics. */
export interface Exchange {
  readonly kind: 'exchange'
  readonly exchange: string
  readonly key: string | undefined
}

/** A shared subscription of MQTT. */
export interface SharedSubscription {
  readonly kind: 'share'
  readonly group: string
  readonly levels: readonly PatternLevel[]
}

export type Destination =
  | TopicAddress
  | TopicPattern
  | QueueAddress
  | Temporary
  | Alias
  | SubscriptionReference
  | Fqqn
  | Exchange
  | SharedSubscription

/** Several at once: 2 to LIST_PARTS_MAX, none twice, in the order in which they were written. */
export interface DestinationList {
  readonly kind: 'list'
  readonly parts: readonly Destination[]
}

/** A temporary destination that is yet to be made. */
export interface DynamicNode {
  readonly kind: 'dynamic'
  readonly of: 'temp-queue' | 'temp-topic'
}

/** Each message says where it goes. */
export interface Anonymous {
  readonly kind: 'anonymous'
}

export type ParsedAddress = Destination | DestinationList | DynamicNode | Anonymous

/** First level of the core's names of temporary topics, and start of those of temporary queues. */
export const TEMPORARY_LEVEL = '$temp'

/** First level that marks queues among the core's names. */
export const QUEUE_LEVEL: string = QUEUE_PREFIX.slice(0, -1)

const TEMPORARY_ID = /^[0-9A-Za-z_-]{1,64}$/

/** Whether a temporary destination may have that id. */
export function isTemporaryId(text: string): boolean {
  return TEMPORARY_ID.test(text)
}

/** The queue of that name, be it a pattern or a temporary one. */
export function queueAddress(name: string): QueueAddress | Temporary {
  const id = name.startsWith(`${TEMPORARY_LEVEL}/`) ? name.slice(TEMPORARY_LEVEL.length + 1) : ''
  if (isTemporaryId(id)) return { kind: 'temp-queue', id }
  return { kind: isQueuePattern(name) ? 'queue-pattern' : 'queue', name }
}

/** The topic or pattern of these levels, be it a temporary one. */
export function topicAddress(levels: readonly PatternLevel[]): TopicAddress | TopicPattern | Temporary {
  if (!isLiteralLevels(levels)) return { kind: 'topic-pattern', levels }
  const [first, id = '', ...more] = levels
  if (first === TEMPORARY_LEVEL && more.length === 0 && isTemporaryId(id)) return { kind: 'temp-topic', id }
  return { kind: 'topic', levels }
}

function isLiteralLevels(levels: readonly PatternLevel[]): levels is readonly string[] {
  return levels.every((level) => typeof level === 'string')
}

/**
 * The address as the core writes it: `a/b`, `$queue/NAME`, `$temp/ID`, `$queue/$temp/ID`; a pattern of queues too. Undefined for what
 * is no one name: topic patterns, lists, and what only an adapter can find out.
 */
export function toCoreName(address: ParsedAddress): string | undefined {
  switch (address.kind) {
    case 'topic':
      return topicName(address.levels)
    case 'queue':
    case 'queue-pattern':
      return QUEUE_PREFIX + address.name
    case 'temp-topic':
      return `${TEMPORARY_LEVEL}/${address.id}`
    case 'temp-queue':
      return `${QUEUE_PREFIX}${TEMPORARY_LEVEL}/${address.id}`
    default:
      return undefined
  }
}

/** The address of a core name, as a message or a reply-to has it. */
export function fromCoreName(name: string): TopicAddress | QueueAddress | Temporary {
  if (name.startsWith(QUEUE_PREFIX)) return queueAddress(name.slice(QUEUE_PREFIX.length))
  return topicAddress(name.split('/')) as TopicAddress | Temporary // no level of it is a wildcard
}

/** One text per address: equal exactly when the addresses are. The order of a list's parts does not count. */
export function addressKey(address: ParsedAddress): string {
  switch (address.kind) {
    case 'topic':
    case 'topic-pattern':
      return `topic ${patternKey(address.levels)}`
    case 'share':
      return `share ${JSON.stringify(address.group)} ${patternKey(address.levels)}`
    case 'list':
      return JSON.stringify(address.parts.map(addressKey).sort())
    default:
      return JSON.stringify(address)
  }
}

/** Levels as MQTT writes them. */
export function slashed(levels: readonly PatternLevel[]): string {
  return levels.map((level) => (level === ONE_LEVEL ? '+' : level === ALL_BELOW ? '#' : level)).join('/')
}

/** What it is, in words: "queue 'A.B'", "topic 'a/b'"; names in core form. */
export function kindText(address: ParsedAddress): string {
  switch (address.kind) {
    case 'topic':
      return `topic '${topicName(address.levels)}'`
    case 'topic-pattern':
      return `all topics that match '${slashed(address.levels)}'`
    case 'queue':
      return `queue '${address.name}'`
    case 'queue-pattern':
      return `all queues that match '${address.name}'`
    case 'temp-queue':
      return `temporary queue '${address.id}'`
    case 'temp-topic':
      return `temporary topic '${address.id}'`
    case 'temp-queue-alias':
      return `temporary queue that the client calls '${address.alias}'`
    case 'temp-topic-alias':
      return `temporary topic that the client calls '${address.alias}'`
    case 'subscription':
      return `durable subscription '${address.name}'`
    case 'fqqn':
      return `queue '${address.queue}' at address '${address.address}'`
    case 'exchange':
      return `exchange '${address.exchange}'${address.key === undefined ? '' : ` with the routing key '${address.key}'`}`
    case 'share':
      return `shared subscription '${address.group}' to '${slashed(address.levels)}'`
    case 'list':
      return address.parts.map(kindText).join(', ')
    case 'dynamic':
      return `a new temporary ${address.of === 'temp-queue' ? 'queue' : 'topic'}`
    case 'anonymous':
      return 'wherever each message says'
  }
}
