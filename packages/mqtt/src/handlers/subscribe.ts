/**
 * SUBSCRIBE → SUBACK and UNSUBSCRIBE → UNSUBACK: the handler translates, the core decides. One filter at a time, as if each came
 * in a packet of its own. [MQTT5-3.8.4-5] [MQTT311-3.8.4-4]
 */
import { ALL_BELOW, type BindingSpec, isQueuePattern, ONE_LEVEL, type Pattern } from '@ternmq/core'
import { encodeSuback, encodeUnsuback } from '../codec/encode-control.ts'
import { ProtocolError } from '../codec/errors.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import { parseFilter, type ParsedFilter } from '../codec/topics.ts'
import type { FilterRequest, SubscribePacket, UnsubscribePacket } from '../codec/types.ts'
import type { MqttConnection } from '../connection.ts'
import { transientMaxOf } from '../settings.ts'
import { subscribeToQueue } from './queues.ts'
import { REASON_CODE_BY_REFUSAL } from './refusals.ts'

const RETAIN_HANDLING = ['always', 'if-new', 'never'] as const satisfies readonly BindingSpec['retained'][]

export function handleSubscribe(client: MqttConnection, packet: SubscribePacket): void {
  if (packet.subscriptionId !== undefined && !client.adapter.settings.subscriptionIdentifiersAvailable) {
    const detail = 'SUBSCRIBE with a subscription identifier, which are switched off (mqtt.subscriptionIdentifiersAvailable)'
    throw new ProtocolError(ReasonCode.subscriptionIdentifiersNotSupported, 'MQTT5 §3.2.2.3.12', detail)
  }
  const reasonCodes = packet.requests.map((request) => subscribe(client, request, packet.subscriptionId))
  // One code per filter, in their order. [MQTT5-3.8.4-6] [MQTT5-3.9.3-1] [MQTT311-3.8.4-5]
  const suback = { packetId: packet.packetId, reasonCodes, reasonString: client.takeProblem() }
  client.whenCommitted(() => client.send(encodeSuback(suback, client.version, client.maxPacketBytes)))
}

/** Binds one filter. Returns the granted QoS, or a reason code of 0x80 and above. */
function subscribe(client: MqttConnection, request: FilterRequest, subscriptionId: number | undefined): number {
  const parsed = parse(client, request.filter)
  if (parsed === undefined) return ReasonCode.topicFilterInvalid
  const unavailable = unavailableFor(client, parsed)
  if (unavailable !== undefined) return unavailable
  if (parsed.queue !== undefined) return subscribeToQueue(client, request, parsed.queue, subscriptionId)
  const { maxQos } = client.adapter.settings
  const qos = request.qos > maxQos ? maxQos : request.qos // [MQTT5-3.2.2-10]
  const pattern = toPattern(client, parsed)
  const bound = client.session.bind({
    pattern,
    shareName: parsed.share,
    assuranceMax: qos,
    ...transientMaxOf(client.adapter.settings),
    noLocal: request.noLocal,
    retained: RETAIN_HANDLING[request.retainHandling],
    data: subscriptionId === undefined
      ? { retainAsPublished: request.retainAsPublished }
      : { retainAsPublished: request.retainAsPublished, subscriptionId },
  })
  if (bound.ok) {
    client.adapter.noteSubscribed(client, withoutShare(request.filter, parsed.share), pattern.levels)
    return qos
  }
  client.noteProblem(bound.detail.text)
  return REASON_CODE_BY_REFUSAL[bound.detail.refusal]
}

function withoutShare(filter: string, share: string | undefined): string {
  return share === undefined ? filter : filter.slice(`$share/${share}/`.length)
}

/** The code for a kind of filter that has been switched off. [MQTT5 §3.2.2.3.11] [MQTT5 §3.2.2.3.13] */
function unavailableFor(client: MqttConnection, parsed: ParsedFilter): number | undefined {
  const { sharedSubscriptionsAvailable, wildcardSubscriptionsAvailable } = client.adapter.settings
  if (parsed.share !== undefined && !sharedSubscriptionsAvailable) {
    client.noteProblem('shared subscriptions are switched off (mqtt.sharedSubscriptionsAvailable)')
    return ReasonCode.sharedSubscriptionsNotSupported
  }
  const { queue, levels, share } = parsed
  if (!wildcardSubscriptionsAvailable && (queue === undefined ? hasWildcard(levels) : isQueuePattern(queue))) {
    client.noteProblem('wildcards are switched off (mqtt.wildcardSubscriptionsAvailable)')
    return ReasonCode.wildcardSubscriptionsNotSupported
  }
  if (share !== undefined && levels[0] === '$queue') {
    client.noteProblem(`a queue is shared by all who subscribe to it: subscribe to '${levels.join('/')}' without '$share/${share}/'`)
    return ReasonCode.topicFilterInvalid
  }
  return undefined
}

function hasWildcard(levels: readonly string[]): boolean {
  return levels.some((level) => level === '+' || level === '#')
}

export function handleUnsubscribe(client: MqttConnection, packet: UnsubscribePacket): void {
  const reasonCodes = packet.filters.map((filter) => unsubscribe(client, filter))
  const unsuback = { packetId: packet.packetId, reasonCodes, reasonString: client.takeProblem() }
  // [MQTT5-3.10.4-4] [MQTT311-3.10.4-4]
  client.whenCommitted(() => client.send(encodeUnsuback(unsuback, client.version, client.maxPacketBytes)))
}

function unsubscribe(client: MqttConnection, filter: string): number {
  const parsed = parse(client, filter)
  if (parsed === undefined) return ReasonCode.topicFilterInvalid
  const existed =
    parsed.queue === undefined
      ? client.session.unbind(toPattern(client, parsed), parsed.share)
      : client.session.stopConsuming(parsed.queue, true) // what has begun goes on [MQTT5-3.10.4-3]
  return existed ? ReasonCode.success : ReasonCode.noSubscriptionExisted // [MQTT5-3.10.4-5] [MQTT311-3.10.4-5]
}

/**
 * Undefined when this one filter is refused in its own place: MQTT 5 has a code for it. Earlier versions have none that says
 * so; there an ill-formed filter ends the connection, as any malformed packet does.
 */
function parse(client: MqttConnection, filter: string): ParsedFilter | undefined {
  const { maxTopicBytes } = client.adapter.settings
  try {
    if (Buffer.byteLength(filter) > maxTopicBytes) {
      const detail = `topic filter of ${Buffer.byteLength(filter)} bytes exceeds mqtt.maxTopicBytes ${maxTopicBytes}`
      throw new ProtocolError(ReasonCode.topicFilterInvalid, 'MQTT5-4.7.3-3', detail)
    }
    return parseFilter(filter, client.version, client.adapter.settings.maxTopicLevels)
  } catch (error) {
    if (!(error instanceof ProtocolError) || client.version !== 5) throw error
    client.noteProblem(error.detail)
    return undefined
  }
}

function toPattern(client: MqttConnection, parsed: ParsedFilter): Pattern {
  const levels = parsed.levels.map((level) => (level === '+' ? ONE_LEVEL : level === '#' ? ALL_BELOW : level))
  return { vhost: client.adapter.vhost.name, kind: 'topic', levels }
}
