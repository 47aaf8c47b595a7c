/** Sources: what a client receives. [AMQP10 §3.5.3] */
import {
  DEFAULT_VHOST,
  type Pattern,
  patternFromKey,
  type PatternLevel,
  type Receiver,
  type ReceiverSpec,
  subscriptionQueueName,
} from '@ternmq/core'
import { consumerOptionProblem, fromCoreName, kindText, type ParsedAddress } from '@ternmq/naming'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach, Source } from '../codec/performatives.ts'
import { linkFault } from '../refusals.ts'
import type { AmqpSession } from '../session.ts'
import { adviceFor, kindHintOf, resolveSource } from './addresses.ts'
import type { Attached } from './attach.ts'
import { BROWSERS_MAX, BrowserLink } from './browser-link.ts'
import { ConsumerLink, FROM_QUEUE, NO_DATA } from './consumer-link.ts'
import { filtersOf, type SourceFilters } from './filters.ts'
import type { LinkEnd } from './link.ts'
import { SubscriptionLink, type SubscriptionKey, subscriptionOf } from './subscription-link.ts'
import { makeTemporary } from './targets.ts'

type CoreSource = ReceiverSpec['source']

/** First level of temporary topics, and start of the names of temporary queues. */
const TEMPORARY_LEVEL = '$temp'
/** Start of the names of queues of durable subscriptions. */
const SUBSCRIPTION_PREFIX = '$subscription/'
/** More unsettled messages of one link are not handed out; their bytes are limited apart from that. */
const UNSETTLED_MAX = 65_535

/** What a consumer of a queue costs, to make it and to end it, in deliveries that are looked up. */
const CONSUMER_WORK = 10

/** How a client wants to receive, beside the address. */
interface Wishes {
  readonly filters: SourceFilters
  readonly exclusive: boolean
  readonly priority: number
  readonly noLocal: boolean
  readonly retained: boolean
  /** A subscription with a name; undefined for one that ends with its link. */
  readonly subscription: SubscriptionKey | undefined
}

export function openSource(session: AmqpSession, wanted: Attach): Attached {
  const { source } = wanted
  if (source === undefined) return openKnown(session, wanted)
  if (source.dynamic) return openDynamic(session, wanted, source)
  if (source.address === undefined) {
    throw new AmqpFault('link', 'amqp:invalid-field', 'attach: source has no address; a receiver names one, or asks for a dynamic one', 'AMQP10-3.5.3-b')
  }
  const filters = filtersOf(source)
  const text = filters.topicBinding === undefined ? source.address : `topic://${filters.topicBinding}`
  const isCopy = source.distributionMode === 'copy'
  const { address, options } = resolveSource(session.connection, text, kindHintOf(source.capabilities), isCopy ? 'browse' : 'read')
  if (isCopy && address.kind === 'queue') return browseQueue(session, wanted, source, address.name, filters)
  if (isCopy && address.kind === 'temp-queue') return browseQueue(session, wanted, source, temporaryQueue(address.id), filters)
  return consume(session, wanted, source, address, withOptions(options, wishesOf(session, wanted, source, filters)))
}

/** A new destination that goes with its link. [AMQP10 §3.5.3 dynamic] */
function openDynamic(session: AmqpSession, wanted: Attach, source: Source): Attached {
  const made = makeTemporary(session, source)
  const { connection } = session
  const remove = (): void => void connection.adapter.vhost.temporaries.delete(connection.session, made.name)
  try {
    const wishes = wishesOf(session, wanted, source, filtersOf(source))
    return consume(session, wanted, { ...source, ...made.terminus }, fromCoreName(made.name), { ...wishes, subscription: undefined }, remove)
  } catch (error) {
    remove()
    throw error
  }
}

function wishesOf(session: AmqpSession, wanted: Attach, source: Source, filters: SourceFilters): Wishes {
  const priority = wanted.properties.get('priority')
  const isNamed = source.durable > 0 || source.expiryPolicy === 'never' || source.capabilities.includes('shared')
  return {
    filters,
    exclusive: false,
    priority: typeof priority === 'number' ? priority : 0,
    noLocal: filters.noLocal,
    retained: filters.retained,
    subscription: isNamed ? subscriptionOf(session.connection, wanted.name, source) : undefined,
  }
}

/** `?consumer.exclusive=true&consumer.priority=5`, as ActiveMQ writes it. */
function withOptions(options: readonly (readonly [name: string, value: string])[], wishes: Wishes): Wishes {
  let own = wishes
  for (const [name, value] of options) {
    const problem = consumerOptionProblem(name, value)
    if (problem !== undefined) throw new AmqpFault('link', 'amqp:invalid-field', problem)
    if (name === 'exclusive') own = { ...own, exclusive: value === 'true' }
    else if (name === 'priority') own = { ...own, priority: Number(value) }
    else if (name === 'retroactive') own = { ...own, retained: value === 'true' }
    else if (name === 'noLocal') own = { ...own, noLocal: value === 'true' }
  }
  return own
}

function consume(session: AmqpSession, wanted: Attach, source: Source, address: ParsedAddress, wishes: Wishes, onEnded?: (how: LinkEnd) => void): Attached {
  const { connection } = session
  const parts = address.kind === 'list' ? address.parts : [address]
  const sources = parts.map((part) => sourceOf(session, part, wishes))
  const link = new ConsumerLink(session, wanted)
  const { consumerCount } = connection.session
  try {
    link.receivers = openAll(session, link, sources, wishes)
  } catch (error) {
    connection.consumerCount--
    throw error
  }
  // A pattern has a consumer on each queue that it matches.
  link.work = Math.max(1, connection.session.consumerCount - consumerCount)
  connection.spend(link.work * CONSUMER_WORK)
  const { subscription } = wishes
  const isKept = subscription !== undefined && !subscription.isVolatile && sources.every(({ kind }) => kind === 'subscription')
  link.onEnded = (how) => {
    if (isKept && how === 'closed') connection.adapter.vhost.subscriptions.delete(subscription.clientId, subscription.name, connection.session.subject)
    onEnded?.(how)
  }
  for (const each of sources) {
    if (each.kind !== 'queue') connection.adapter.hints.noteSubscribed(connection, patternOf(each).levels)
  }
  const mode = sources.every(({ kind }) => kind === 'queue') ? 'move' : 'copy'
  return { link, source: answerTo(source, wishes.filters, mode, isKept ? subscription : undefined), target: wanted.target }
}

/** The source as it is: a queue's messages are moved, a topic's copied, and what has no name goes with its link. [AMQP10 §3.5.3] */
function answerTo(source: Source, { applied }: SourceFilters, distributionMode: 'move' | 'copy', kept: SubscriptionKey | undefined): Source {
  const life = kept === undefined ? ({ durable: 0, expiryPolicy: 'link-detach' } as const) : ({ durable: Math.max(source.durable, 1), expiryPolicy: 'never' } as const)
  return { ...source, ...life, timeoutSeconds: 0, distributionMode, filters: applied }
}

function patternOf(source: Exclude<CoreSource, { kind: 'queue' }>): Pattern {
  return source.kind === 'topic' ? source.pattern : source.subscription.pattern
}

function openAll(session: AmqpSession, link: ConsumerLink, sources: readonly CoreSource[], { filters }: Wishes): Receiver[] {
  const receivers: Receiver[] = []
  for (const source of sources) {
    const opened = session.connection.session.openReceiver({
      source,
      selector: filters.selectorText,
      assuranceMax: link.acknowledges ? 1 : 0,
      creditMax: UNSETTLED_MAX,
      data: source.kind === 'queue' ? FROM_QUEUE : NO_DATA,
      sink: link,
    })
    if (opened.ok) {
      receivers.push(opened.value)
      continue
    }
    for (const receiver of receivers) receiver.close('goodbye')
    throw linkFault(opened.detail)
  }
  return receivers
}

function sourceOf(session: AmqpSession, address: ParsedAddress, wishes: Wishes): CoreSource {
  switch (address.kind) {
    case 'queue':
    case 'queue-pattern':
      return queueSource(address.name, wishes)
    case 'temp-queue':
      return queueSource(temporaryQueue(address.id), wishes)
    case 'topic':
    case 'topic-pattern':
      return topicSource(address.levels, wishes)
    case 'temp-topic':
      return topicSource([TEMPORARY_LEVEL, address.id], { ...wishes, subscription: undefined })
    case 'fqqn':
      if (address.address === address.queue) return queueSource(address.queue, wishes)
      return topicSource(address.address.split('.'), { ...wishes, subscription: { clientId: undefined, name: address.queue, isShared: true, isVolatile: false } })
    case 'subscription':
      return existingSubscription(session, address.name)
    default:
      throw new AmqpFault('link', address.kind === 'exchange' ? 'amqp:not-implemented' : 'amqp:invalid-field', `${kindText(address)} cannot be received from${adviceFor(address)}`)
  }
}

function temporaryQueue(id: string): string {
  return `${TEMPORARY_LEVEL}/${id}`
}

function queueSource(queue: string, { exclusive, priority }: Wishes): CoreSource {
  if (queue.startsWith(SUBSCRIPTION_PREFIX)) {
    throw new AmqpFault('link', 'amqp:not-allowed', `queue '${queue}' is that of a durable subscription; its client attaches to the topic again, with the same link name`)
  }
  return { kind: 'queue', queue, exclusive, priority }
}

function topicSource(levels: readonly PatternLevel[], { noLocal, retained, subscription }: Wishes): CoreSource {
  const pattern: Pattern = { vhost: DEFAULT_VHOST, kind: 'topic', levels }
  if (subscription === undefined) return { kind: 'topic', pattern, noLocal, retained }
  const { clientId, name, isShared, isVolatile } = subscription
  return { kind: 'subscription', subscription: { clientId, name, pattern, noLocal, shared: isShared, volatile: isVolatile } }
}

/** `/dsub/NAME`: one that was made before. */
function existingSubscription(session: AmqpSession, name: string): CoreSource {
  const { adapter, containerId } = session.connection
  const known = adapter.vhost.destinations.find(subscriptionQueueName(containerId, name))?.subscription
  if (known === undefined) throw new AmqpFault('link', 'amqp:not-found', `container '${containerId}' has no durable subscription '${name}'`)
  const pattern: Pattern = { vhost: DEFAULT_VHOST, kind: 'topic', levels: patternFromKey(known.pattern) }
  return { kind: 'subscription', subscription: { clientId: containerId, name, pattern, noLocal: known.noLocalOf !== undefined, shared: false, asMade: true } }
}

/** All that is in a queue, looked at and left there. */
function browseQueue(session: AmqpSession, wanted: Attach, source: Source, queue: string, filters: SourceFilters): Attached {
  const { connection } = session
  const { vhost } = connection.adapter
  if (connection.browserCount >= BROWSERS_MAX) {
    throw new AmqpFault('link', 'amqp:resource-limit-exceeded', `${connection.browserCount} links of the connection browse already, the limit; detach some first`)
  }
  const refusal = vhost.destinations.refusalOf(connection.session.subject, 'browse', queue)
  if (refusal !== undefined) throw new AmqpFault('link', 'amqp:unauthorized-access', refusal)
  const named = vhost.destinations.ensureFor(connection.session.subject, queue)
  if (!named.ok) throw linkFault(named.detail)
  const link = new BrowserLink(session, { ...wanted, senderSettleMode: 'settled' }, named.value.queue, filters.selector)
  return { link, source: answerTo(source, filters, 'copy', undefined), target: wanted.target, senderSettleMode: 'settled' }
}

/** No source: the client asks what it had under that link name, to go on with it or to close it for good. [AMQP10 §2.6.3] */
function openKnown(session: AmqpSession, wanted: Attach): Attached {
  const { connection } = session
  const { clientId, name } = subscriptionOf(connection, wanted.name, undefined)
  const found = connection.adapter.vhost.subscriptions.find(clientId, name, connection.session.subject)
  if (!found.ok && found.detail.refusal !== 'not-found') throw linkFault(found.detail)
  if (!found.ok) {
    throw new AmqpFault('link', 'amqp:not-found', `there is no durable subscription '${name}' of container '${connection.containerId}', and attach has no source to make one`)
  }
  const { queue, subscription } = found.value
  if (queue.consumers.length > 0) throw new AmqpFault('link', 'amqp:resource-locked', `subscription '${name}' has a consumer; detach that first`)
  const link = new SubscriptionLink(session, wanted, { clientId, name })
  return { link, source: link.sourceOf(subscription!), target: wanted.target }
}
