/**
 * What an address text means: the rules in their order, the first that fits decides. No I/O: whether a queue or topic exists is asked
 * through a function. Not on the hot path: adapters keep what a text led to.
 */
import { isQueuePattern, type RefusalDetail, topicName } from '@ternmq/core'
import {
  addressKey,
  type Destination,
  isTemporaryId,
  type ParsedAddress,
  type Temporary,
  topicAddress,
} from './address.ts'
import { splitOptions } from './consumer-options.ts'
import { DIALECTS, readSlashed } from './levels.ts'
import { LIST_PARTS_MAX, TEXT_LENGTH_MAX } from './limits.ts'
import { readMqtt } from './mqtt.ts'
import { decodePart } from './percent.ts'
import type { Profile, Protocol } from './protocols.ts'
import { type Attempt, checkLevels, named, queueOf, type Reading, type ResolveOptions, topicOf } from './reading.ts'
import { AddressRefused, quote } from './refusal.ts'
import type { RuleId } from './rules.ts'

export type Resolution =
  | {
      readonly ok: true
      readonly address: ParsedAddress
      readonly rule: RuleId
      /** Of `?consumer.NAME=VALUE&…`, without the word `consumer.`, in their order. */
      readonly options: readonly (readonly [name: string, value: string])[]
      /** The address says that the queue is there; it is not made by being used. */
      readonly mustExist: boolean
      /** What whoever wrote the address should know, as sentences. */
      readonly notes: readonly string[]
    }
  | { readonly ok: false; readonly rule: RuleId | undefined; readonly detail: RefusalDetail }

/** `text` undefined: no address was given. Never throws for a text. */
export function resolve(text: string | undefined, options: ResolveOptions): Resolution {
  const attempt: Attempt = {
    rule: undefined,
    options,
    profile: options.profile ?? 'activemq',
    isReceiving: options.purpose === 'receive',
  }
  try {
    const { rule, address, ...more } = read(text, attempt)
    checkUse(address, attempt)
    return {
      ok: true,
      address,
      rule,
      options: more.options ?? [],
      mustExist: more.mustExist ?? false,
      notes: more.notes ?? [],
    }
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error
    const { refusal, message } = error
    return {
      ok: false,
      rule: attempt.rule,
      detail: { refusal, subject: text ?? '', text: `address ${quote(text ?? '')}: ${message}` },
    }
  }
}

function read(text: string | undefined, attempt: Attempt): Reading {
  const { protocol, kindHint } = attempt.options
  if (text === undefined) {
    attempt.rule = 'no-address'
    const of = kindHint === 'temp-topic' || kindHint === 'topic' ? 'temp-topic' : 'temp-queue'
    return { rule: 'no-address', address: attempt.isReceiving ? { kind: 'dynamic', of } : { kind: 'anonymous' } }
  }
  checkText(text)
  if (protocol === 'mqtt') return readMqtt(text, attempt)
  return (
    readPath(text, attempt) ??
    readMarked(text, attempt) ??
    readFqqn(text, attempt) ??
    readListenerPrefix(text, attempt) ??
    readExplicit(text, attempt) ??
    readExisting(text, attempt) ??
    readDefault(text, attempt)
  )
}

function checkText(text: string): void {
  if (text === '') throw new AddressRefused('it is empty; name a queue or a topic')
  if (text.length > TEXT_LENGTH_MAX) {
    throw new AddressRefused(`it has ${text.length} characters; an address has at most ${TEXT_LENGTH_MAX}`)
  }
  if (text.includes('\0')) throw new AddressRefused('it holds U+0000, which no name may')
  if (!text.isWellFormed()) throw new AddressRefused('it is not valid Unicode: half of a surrogate pair stands alone')
}

// Rule 2.

const QUEUES_PATH = '/queues/'
const EXCHANGES_PATH = '/exchanges/'
const TOPICS_PATH = '/topics/'

function readPath(text: string, attempt: Attempt): Reading | undefined {
  const isTopicPath = attempt.options.protocol === 'rest' && text.startsWith(TOPICS_PATH)
  const isQueuePath = text.startsWith(QUEUES_PATH)
  if (!isTopicPath && !isQueuePath && !text.startsWith(EXCHANGES_PATH)) return undefined
  attempt.rule = 'encoded-path'
  const parts = text.split('/').slice(2)
  const [name = '', key] = parts
  const partsMax = isTopicPath || isQueuePath ? 1 : 2
  if (parts.length > partsMax) {
    throw new AddressRefused(
      `it has ${parts.length} parts behind '/${text.split('/')[1]}/', and ${partsMax} can be; a '/' inside a name is written '%2F'`,
    )
  }
  const address = isQueuePath
    ? queueOf(decodePart(name))
    : isTopicPath
      ? topicOf(name, DIALECTS.rest, attempt, true)
      : exchangeOf(name, key, attempt, true)
  // RabbitMQ makes nothing by being addressed so.
  return { rule: 'encoded-path', address, mustExist: attempt.profile === 'rabbitmq' && isQueuePath }
}

// Rules 3 and 4: something before the name says what it is.

interface Mark {
  readonly prefix: string
  readonly rule: 'scheme' | 'prefix'
  readonly read: (name: string, attempt: Attempt) => Destination
  /** Commas and `?consumer.` options have a meaning in it. */
  readonly isClassic: boolean
  readonly mustExist?: boolean
}

const temporary =
  (kind: 'temp-queue' | 'temp-topic') =>
  (id: string): Temporary => {
    if (!isTemporaryId(id))
      throw new AddressRefused(
        `${quote(id)} is no id of a temporary ${kind === 'temp-queue' ? 'queue' : 'topic'}; it is used as the broker gave it`,
      )
    return { kind, id }
  }

const alias =
  (kind: 'temp-queue-alias' | 'temp-topic-alias') =>
  (name: string, attempt: Attempt): Destination => ({
    kind,
    alias: named(plain(name, attempt), 'temporary destination'),
  })

const MARKS: readonly Mark[] = [
  { prefix: 'queue://', rule: 'scheme', read: queueOrFqqn, isClassic: true },
  { prefix: 'topic://', rule: 'scheme', read: markedTopic, isClassic: true },
  { prefix: 'temp-queue://', rule: 'scheme', read: temporary('temp-queue'), isClassic: true },
  { prefix: 'temp-topic://', rule: 'scheme', read: temporary('temp-topic'), isClassic: true },
  { prefix: '/queue/', rule: 'prefix', read: queueOrFqqn, isClassic: true },
  { prefix: '/topic/', rule: 'prefix', read: markedTopic, isClassic: true },
  { prefix: '/temp-queue/', rule: 'prefix', read: alias('temp-queue-alias'), isClassic: true },
  { prefix: '/temp-topic/', rule: 'prefix', read: alias('temp-topic-alias'), isClassic: true },
  { prefix: '/remote-temp-queue/', rule: 'prefix', read: temporary('temp-queue'), isClassic: true },
  { prefix: '/remote-temp-topic/', rule: 'prefix', read: temporary('temp-topic'), isClassic: true },
  {
    prefix: '/amq/queue/',
    rule: 'prefix',
    read: (name, attempt) => queueOf(plain(name, attempt)),
    isClassic: false,
    mustExist: true,
  },
  { prefix: '/exchange/', rule: 'prefix', read: markedExchange, isClassic: false },
  {
    prefix: '/dsub/',
    rule: 'prefix',
    read: (name, attempt) => ({ kind: 'subscription', name: named(plain(name, attempt), 'durable subscription') }),
    isClassic: false,
  },
]

/** Prefixes of all forms that say what they are, for hints about their case. */
export const KNOWN_PREFIXES: readonly string[] = [QUEUES_PATH, EXCHANGES_PATH, ...MARKS.map(({ prefix }) => prefix)]

function markOf(text: string): Mark | undefined {
  return MARKS.find(({ prefix }) => text.startsWith(prefix))
}

function readMarked(text: string, attempt: Attempt): Reading | undefined {
  const mark = markOf(text)
  if (mark === undefined) return undefined
  attempt.rule = mark.rule
  const { rule, mustExist = false } = mark
  if (!mark.isClassic || attempt.profile === 'rabbitmq') {
    return { rule, address: mark.read(text.slice(mark.prefix.length), attempt), mustExist }
  }
  const [names, options] = splitOptions(text)
  // A part without a mark of its own is of the kind of the part before it.
  let current = mark
  const address = listOf(names, attempt, (part) => {
    const own = markOf(part)
    if (own?.isClassic === false) throw new AddressRefused(`'${own.prefix}' cannot be a part of a list`)
    current = own ?? current
    return current.read(own === undefined ? part : part.slice(own.prefix.length), attempt)
  })
  return { rule, address, options, mustExist }
}

/** The address of one part, or of several with commas between. */
function listOf(text: string, attempt: Attempt, readPart: (part: string) => Destination): ParsedAddress {
  const whole = text.split(',')
  // Around the commas of a list blanks are as none; the name of one address may have them.
  const texts = whole.length === 1 ? whole : whole.map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
  if (texts.length > LIST_PARTS_MAX) {
    throw new AddressRefused(
      `it lists ${texts.length} addresses; a list has at most ${LIST_PARTS_MAX}`,
      'limit-reached',
    )
  }
  const parts = new Map<string, Destination>()
  for (const part of texts) {
    if (part === '' && texts.length > 1) {
      throw new AddressRefused(
        "a part between its commas is empty; a ',' inside a name is written '%2C', in the form /queues/NAME",
      )
    }
    const isPath = texts.length > 1 && (part.startsWith(QUEUES_PATH) || part.startsWith(EXCHANGES_PATH))
    const address = isPath ? (readPath(part, { ...attempt })!.address as Destination) : readPart(part)
    parts.set(addressKey(address), address)
  }
  const [first, ...more] = [...parts.values()]
  return more.length === 0 ? first! : { kind: 'list', parts: [first!, ...more] }
}

/** RabbitMQ's clients encode names behind its prefixes; ActiveMQ's do not. */
function plain(name: string, { profile }: Attempt): string {
  return profile === 'rabbitmq' ? decodePart(name) : name
}

function queueOrFqqn(name: string, attempt: Attempt): Destination {
  const parts = attempt.profile === 'rabbitmq' ? undefined : splitFqqn(name)
  return parts ?? queueOf(plain(name, attempt))
}

function markedTopic(name: string, attempt: Attempt): Destination {
  return topicOf(name, DIALECTS[attempt.profile], attempt, attempt.profile === 'rabbitmq')
}

function markedExchange(rest: string, attempt: Attempt): Destination {
  const end = rest.indexOf('/')
  const [name, key] = end < 0 ? [rest, undefined] : [rest.slice(0, end), rest.slice(end + 1)]
  return exchangeOf(name, key, attempt, attempt.profile === 'rabbitmq')
}

// Rules 5 to 9.

function readFqqn(text: string, attempt: Attempt): Reading | undefined {
  attempt.rule = 'fqqn'
  const address = splitFqqn(text)
  return address && { rule: 'fqqn', address }
}

function splitFqqn(text: string): Destination | undefined {
  const at = text.indexOf('::')
  if (at < 0) return undefined
  const [address, queue] = [text.slice(0, at), text.slice(at + 2)]
  if (address === '' || queue === '') {
    throw new AddressRefused(
      `'::' stands between an address and a queue, and the ${address === '' ? 'address' : 'queue'} is missing`,
    )
  }
  return { kind: 'fqqn', address, queue }
}

function readListenerPrefix(text: string, attempt: Attempt): Reading | undefined {
  attempt.rule = 'listener-prefix'
  const { anycast = [], multicast = [] } = attempt.options.prefixes ?? {}
  const behind = (prefixes: readonly string[]): string | undefined => {
    const prefix = prefixes.find((candidate) => candidate !== '' && text.startsWith(candidate))
    return prefix === undefined ? undefined : text.slice(prefix.length)
  }
  const queue = behind(anycast)
  if (queue !== undefined) return { rule: 'listener-prefix', address: queueOf(queue) }
  const topic = behind(multicast)
  if (topic === undefined) return undefined
  return { rule: 'listener-prefix', address: topicOf(topic, DIALECTS[attempt.profile], attempt, false) }
}

function readExplicit(text: string, attempt: Attempt): Reading | undefined {
  attempt.rule = 'explicit-kind'
  const { kindHint } = attempt.options
  if (kindHint === undefined) return undefined
  const address =
    kindHint === 'queue' ? queueOf(text) : kindHint === 'topic' ? bareTopic(text, attempt) : temporary(kindHint)(text)
  return { rule: 'explicit-kind', address }
}

function readExisting(text: string, attempt: Attempt): Reading | undefined {
  attempt.rule = 'existing-node'
  const { exists } = attempt.options
  if (exists === undefined) return undefined
  const hasQueue = exists('queue', text)
  const topic = topicIn(text, attempt)
  const hasTopic = topic?.kind === 'topic' && exists('topic', topicName(topic.levels))
  const notes =
    hasQueue && hasTopic
      ? [`there is a queue ${quote(text)} and a topic of this name; the queue is meant, say /topic/… for the topic`]
      : []
  if (hasQueue) return { rule: 'existing-node', address: queueOf(text), notes }
  return hasTopic ? { rule: 'existing-node', address: topic } : undefined
}

/** Undefined when the text cannot be a topic. */
function topicIn(text: string, attempt: Attempt): Destination | undefined {
  try {
    return bareTopic(text, attempt)
  } catch (error) {
    if (error instanceof AddressRefused) return undefined // then no topic of that name exists
    throw error
  }
}

function readDefault(text: string, attempt: Attempt): Reading {
  attempt.rule = 'protocol-default'
  const { protocol } = attempt.options
  const isTopic = protocol === 'stomp'
  const readOne = (part: string): Destination => {
    const mark = markOf(part)
    if (mark?.isClassic === false) throw new AddressRefused(`'${mark.prefix}' cannot be a part of a list`)
    if (mark !== undefined) return mark.read(part.slice(mark.prefix.length), attempt)
    return isTopic ? bareTopic(part, attempt) : queueOf(part)
  }
  const notes =
    protocol === 'rest' ? ['without a prefix REST means a queue here; in ActiveMQ Classic it means a topic'] : []
  if (attempt.profile === 'rabbitmq') return { rule: 'protocol-default', address: readOne(text), notes }
  const [names, options] = splitOptions(text)
  return { rule: 'protocol-default', address: listOf(names, attempt, readOne), options, notes }
}

/** Whether a topic without a prefix is written as in MQTT, with '/' between levels. */
export function isSlashedTopic(text: string, protocol: Protocol, profile: Profile): boolean {
  return protocol === 'mqtt' || (protocol === 'stomp' && (text.startsWith('/') || profile !== 'artemis'))
}

/** A topic without a prefix: one '/' before it is none of its levels where '/' is between them. */
function bareTopic(text: string, attempt: Attempt): Destination {
  if (!isSlashedTopic(text, attempt.options.protocol, attempt.profile)) {
    return topicOf(text, DIALECTS[attempt.profile], attempt, false)
  }
  const name = text.startsWith('/') ? text.slice(1) : text
  return topicAddress(checkLevels(readSlashed(name, attempt.isReceiving), attempt))
}

function exchangeOf(name: string, key: string | undefined, attempt: Attempt, isEncoded: boolean): Destination {
  const exchange = named(isEncoded ? decodePart(name) : name, 'exchange')
  if (exchange !== 'amq.topic') {
    return { kind: 'exchange', exchange, key: key !== undefined && isEncoded ? decodePart(key) : key }
  }
  if (key === undefined)
    throw new AddressRefused(
      "the exchange 'amq.topic' needs a routing key, which is the topic: /exchange/amq.topic/KEY",
    )
  return topicOf(key, DIALECTS.exchange, attempt, isEncoded)
}

/** What can be read can be named, but not everything can be sent to. */
function checkUse(address: ParsedAddress, attempt: Attempt): void {
  if (attempt.isReceiving) return
  for (const part of address.kind === 'list' ? address.parts : [address]) {
    if (part.kind === 'subscription') {
      throw new AddressRefused('messages are not sent to a subscription; send to the topic that it is for')
    }
    if (part.kind === 'queue-pattern' && isQueuePattern(part.name)) {
      throw new AddressRefused(
        `${quote(part.name)} is a pattern of queues: receive from all that match, but send to one by its name`,
      )
    }
  }
}
