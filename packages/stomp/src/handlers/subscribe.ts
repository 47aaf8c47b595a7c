/** SUBSCRIBE and UNSUBSCRIBE. [STOMP12-SUBSCRIBE-a] [STOMP12-UNSUBSCRIBE-a] */
import { isLiteral, isQueuePattern, QUEUE_PREFIX, type Receiver, topicName } from '@ternmq/core'
import { browseFor } from '../browser.ts'
import { HEADER_NAMES, HeaderId, type KnownHeader } from '../codec/header-ids.ts'
import type { FrameHeaders } from '../codec/headers.ts'
import { quote } from '../codec/problem.ts'
import type { StompConnection } from '../connection.ts'
import { PREFETCH_MAX, type Source, type SourceWishes } from '../destinations.ts'
import { Refused, required } from '../refused.ts'
import { selectorOf } from '../selectors.ts'
import { type AckMode, FROM_QUEUE, FROM_TOPIC, Subscription } from '../subscription.ts'

/** Ids and destinations of all subscriptions of a connection; 10,000 of 400 characters each. */
const SUBSCRIPTION_CHARS_MAX = 4_194_304

export function handleSubscribe(client: StompConnection, headers: FrameHeaders): void {
  const destination = required(headers, HeaderId.destination, 'destination', 'STOMP12-SUBSCRIBE-a')
  const id = headers.get(HeaderId.id)
  if (id === undefined && client.version !== 10) {
    throw new Refused(headers, 'header id is missing; UNSUBSCRIBE and MESSAGE name the subscription by it', 'STOMP12-SUBSCRIBE_id_Header-a')
  }
  const key = keyOf(id, destination)
  if (client.subscriptions.has(key)) {
    throw new Refused(headers, `subscription ${quote(id ?? destination)} exists; unsubscribe first, or take another id`, 'STOMP12-SUBSCRIBE_id_Header-b')
  }
  checkRoom(client, headers, key.length + destination.length)
  const isBrowser = isTrue(headers, HeaderId.browser)
  const subscription = new Subscription(client, id, modeOf(headers), destination)
  const { sources, prefetch } = client.destinations.sourcesOf(headers, destination, wishesOf(headers, id, isBrowser))
  subscription.address = sources.length === 1 ? addressOf(sources[0]!) : undefined
  if (isBrowser) browseFor(client, headers, subscription, sources)
  else subscription.receivers = openAll(client, headers, subscription, sources, prefetch ?? client.adapter.settings.prefetch)
  client.addSubscription(key, subscription)
  for (const source of sources) noteSubscribed(client, source)
  client.unfinished.confirm(headers)
}

/** The core counts what is read from; what is browsed, and is over, is still the client's to unsubscribe. */
function checkRoom(client: StompConnection, headers: FrameHeaders, chars: number): void {
  const { bindingsPerSessionMax } = client.adapter.vhost.limits
  const { size } = client.subscriptions
  if (size >= bindingsPerSessionMax) {
    throw new Refused(headers, `the connection has ${size} subscriptions, the limit (mqtt.maxSubscriptionsPerSession); unsubscribe first`)
  }
  if (client.subscriptionChars + chars <= SUBSCRIPTION_CHARS_MAX) return
  const text = `the ids and destinations of the connection's ${size} subscriptions have ${client.subscriptionChars} characters, close to the limit of ${SUBSCRIPTION_CHARS_MAX}`
  throw new Refused(headers, `${text}; unsubscribe first, or use shorter ones`)
}

function noteSubscribed(client: StompConnection, source: Source): void {
  if (source.kind === 'queue') return
  client.adapter.hints.noteSubscribed(client, source.kind === 'topic' ? source.pattern.levels : source.subscription.pattern.levels)
}

/** Core name of a source; undefined for a pattern. */
function addressOf(source: Source): string | undefined {
  if (source.kind === 'queue') return isQueuePattern(source.queue) ? undefined : QUEUE_PREFIX + source.queue
  const { levels } = source.kind === 'topic' ? source.pattern : source.subscription.pattern
  return isLiteral(levels) ? topicName(levels) : undefined
}

export function handleUnsubscribe(client: StompConnection, headers: FrameHeaders): void {
  const id = headers.get(HeaderId.id)
  const destination = headers.get(HeaderId.destination)
  const durable = durableOf(client, headers, id)
  if (id === undefined && destination === undefined && durable === undefined) {
    throw new Refused(headers, 'header id is missing; it is the id of the SUBSCRIBE', 'STOMP12-UNSUBSCRIBE-b')
  }
  const key = keyOf(id, destination ?? '')
  const subscription = client.subscriptions.get(key)
  if (subscription === undefined && durable === undefined) {
    throw new Refused(headers, `there is no subscription ${quote(id ?? destination!)} on this connection`, 'STOMP12-UNSUBSCRIBE-b')
  }
  client.removeSubscription(key)
  subscription?.close()
  if (durable !== undefined) deleteDurable(client, headers, durable)
  client.unfinished.confirm(headers)
}

/** A durable subscription; one that has no client id is anybody's who knows its name. */
interface Durable {
  readonly clientId: string | undefined
  readonly name: string
}

/** The one that UNSUBSCRIBE ends as well: ActiveMQ's clients say its name, RabbitMQ's repeat the headers of SUBSCRIBE. */
function durableOf(client: StompConnection, headers: FrameHeaders, id: string | undefined): Durable | undefined {
  const name = subscriptionNameOf(headers)
  if (name === undefined) return id !== undefined && isDurable(headers) ? { clientId: undefined, name: id } : undefined
  if (client.hasOwnClientId) return { clientId: client.clientId, name }
  throw new Refused(headers, 'a durable subscription belongs to a client id; give one with header client-id of CONNECT')
}

function deleteDurable(client: StompConnection, headers: FrameHeaders, { clientId, name }: Durable): void {
  const deleted = client.adapter.vhost.subscriptions.delete(clientId, name, client.session.subject)
  if (!deleted.ok) throw new Refused(headers, deleted.detail.text)
}

function openAll(
  client: StompConnection,
  headers: FrameHeaders,
  subscription: Subscription,
  sources: readonly Source[],
  creditMax: number,
): Receiver[] {
  selectorOf(headers) // what is wrong with it is said in the same words for all sources
  const receivers: Receiver[] = []
  for (const source of sources) {
    const opened = client.session.openReceiver({
      source,
      selector: headers.get(HeaderId.selector),
      assuranceMax: subscription.acknowledges ? 1 : 0,
      creditMax,
      data: source.kind === 'queue' ? FROM_QUEUE : FROM_TOPIC,
      sink: subscription,
    })
    if (opened.ok) {
      receivers.push(opened.value)
      continue
    }
    for (const receiver of receivers) receiver.close('goodbye')
    throw new Refused(headers, opened.detail.text)
  }
  return receivers
}

function wishesOf(headers: FrameHeaders, id: string | undefined, browses: boolean): SourceWishes {
  const queueName = headers.get(HeaderId.queueName)
  const shared = queueName ?? (isDurable(headers) && subscriptionNameOf(headers) === undefined ? id : undefined)
  return {
    subscriptionName: subscriptionNameOf(headers) ?? shared,
    browses,
    isShared: subscriptionNameOf(headers) === undefined && shared !== undefined,
    noLocal: isTrue(headers, HeaderId.noLocal) || isTrue(headers, HeaderId.noLocalShort),
    retroactive: isTrue(headers, HeaderId.retroactive),
    exclusive: isTrue(headers, HeaderId.exclusive) || isTrue(headers, HeaderId.exclusiveShort),
    priority: whole(headers, HeaderId.consumerPriority, -1_000_000, 1_000_000) ?? 0,
    prefetch: prefetchIn(headers),
  }
}

/** RabbitMQ: `durable:true` and `auto-delete:false` make a durable subscription of the id of SUBSCRIBE. */
function isDurable(headers: FrameHeaders): boolean {
  return isTrue(headers, HeaderId.durable) && !isTrue(headers, HeaderId.autoDelete)
}

function subscriptionNameOf(headers: FrameHeaders): string | undefined {
  return headers.get(HeaderId.subscriptionName) ?? headers.get(HeaderId.durableSubscriptionName)
}

function modeOf(headers: FrameHeaders): AckMode {
  const mode = headers.get(HeaderId.ack) ?? 'auto'
  if (mode === 'auto' || mode === 'client' || mode === 'client-individual') return mode
  throw new Refused(headers, `header ack: ${quote(mode)} is none of auto, client and client-individual`, 'STOMP12-SUBSCRIBE_ack_Header-a')
}

/** RabbitMQ's 0 is "no limit", ActiveMQ's least is 1. */
function prefetchIn(headers: FrameHeaders): number | undefined {
  const size = whole(headers, HeaderId.prefetchSize, 0, Number.MAX_SAFE_INTEGER)
  if (size !== undefined) return Math.min(Math.max(size, 1), PREFETCH_MAX)
  const count = whole(headers, HeaderId.prefetchCount, 0, Number.MAX_SAFE_INTEGER)
  if (count !== undefined) return count === 0 ? PREFETCH_MAX : Math.min(count, PREFETCH_MAX)
  return undefined
}

function isTrue(headers: FrameHeaders, id: KnownHeader): boolean {
  const index = headers.find(id)
  if (index < 0 || headers.valueIs(index, 'false')) return false
  if (headers.valueIs(index, 'true')) return true
  throw new Refused(headers, `header ${HEADER_NAMES[id]!}: ${quote(headers.valueAt(index))} is neither true nor false`)
}

function whole(headers: FrameHeaders, id: KnownHeader, min: number, max: number): number | undefined {
  const text = headers.get(id)
  if (text === undefined) return undefined
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN
  if (value >= min && value <= max) return value
  throw new Refused(headers, `header ${HEADER_NAMES[id]!}: ${quote(text)} is not a whole number from ${min} to ${max}`)
}

/** Ids and, in 1.0, destinations, told apart. */
function keyOf(id: string | undefined, destination: string): string {
  return id === undefined ? `to ${destination}` : `id ${id}`
}
