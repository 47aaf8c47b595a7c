/**
 * PUBLISH towards a client, written straight into the connection's slab. A message that came in the same form goes out as
 * the bytes that came, with its flags and packet id put in place; every other one is put together here.
 */
import { copyBytes, type Delivery, type Match, type Message } from '@ternmq/core'
import type { MqttVersion } from './codec/types.ts'
import { varintSize, writeVarint } from './codec/varint.ts'
import type { MqttConnection } from './connection.ts'
import { annotationBytes, mqtt3Headers, mqtt5Headers, propertiesFor } from './headers.ts'
import { sendInTurn, sendSettledInTurn, sendWhenNoted } from './noted.ts'
import { packetIdOf } from './outbound.ts'
import { queueAddress, topicBytes } from './topic-bytes.ts'

const PUBLISH = 0x30
const DUP = 0x08
const RETAIN = 0x01
const PROPERTY_EXPIRY = 0x02
const PROPERTY_SUBSCRIPTION_ID = 0x0b
const PROPERTY_TOPIC_ALIAS = 0x23

/** What subscriptions add to a PUBLISH; derived once per match and kept in its `memo`. */
interface SubscriptionInfo {
  readonly retainAsPublished: boolean
  /** A subscription to queues, not to topics. */
  readonly isQueue: boolean
  /** Subscription Identifier properties, encoded, of every subscription that matched. [MQTT5-3.3.4-3] [MQTT5-3.3.4-4] */
  readonly idBytes: Uint8Array
}

/** Hot path. False when the packet is larger than the client takes. [MQTT5-3.1.2-24] [MQTT5-3.1.2-25] */
export function writePublish(client: MqttConnection, delivery: Delivery): boolean {
  const { assurance } = delivery
  if (assurance === 0) {
    if (!client.isHolding) return put(client, delivery, 0, 0)
    sendSettledInTurn(client, delivery, putSettled)
    return true
  }
  const id = client.outbound.add(delivery)
  const { session } = client
  const isKept = session.isDurable && session.isKept(delivery)
  if (isKept && assurance === 2) {
    sendWhenNoted(client, delivery, delivery.message.size, putOrReject)
    return true
  }
  if (client.isHolding) {
    sendInTurn(client, delivery, delivery.message.size, putOrReject)
  } else if (!put(client, delivery, 0, id)) {
    client.outbound.remove(delivery)
    return false
  }
  if (isKept) session.noteDelivered(delivery)
  return true
}

/** Sends an unacknowledged delivery again on a new connection, with the id it had. [MQTT5-3.3.1-1] [MQTT311-3.3.1-1] */
export function rewritePublish(client: MqttConnection, delivery: Delivery): boolean {
  return put(client, delivery, DUP, packetIdOf(delivery))
}

/** One that has its id; it may prove too large for the client. [MQTT5-3.1.2-25] */
function putOrReject(client: MqttConnection, delivery: Delivery): void {
  if (put(client, delivery, 0, packetIdOf(delivery))) return
  client.outbound.remove(delivery)
  delivery.consumer!.leave(delivery)
}

/** A client that cannot take it goes without. [MQTT5-3.1.2-25] */
function putSettled(client: MqttConnection, delivery: Delivery): void {
  if (!put(client, delivery, 0, 0)) client.session.traffic.counters.rejected++
}

/** Hot path. `id` 0 leaves the packet id out. False when the packet is larger than the client takes. */
function put(client: MqttConnection, delivery: Delivery, dup: number, id: number): boolean {
  const { message } = delivery
  const info = infoOf(delivery.match)
  const retain = delivery.retained || (message.retain && info.retainAsPublished) ? RETAIN : 0
  const flags = PUBLISH | dup | (delivery.assurance << 1) | retain
  // Under the queue's name, whatever it was published to: the name has to match the client's filter. [MQTT5-3.3.2-3]
  const topic = info.isQueue ? queueAddress(delivery.consumer!.queue) : message.topic
  if (!canRepeat(client, message, topic, id !== 0, info)) return compose(client, delivery, topic, flags, info, id)

  const { transport } = client
  const size = message.end - message.start
  if (size > client.maxPacketBytes) return false
  if (id === 0 && message.isDetached && message.bytes[message.start] === flags) {
    transport.writeShared(message.bytes, message.start, message.end)
    return true
  }
  const at = transport.reserve(size)
  const { slab } = transport
  copyBytes(message.bytes, message.start, message.end, slab, at)
  slab[at] = flags
  if (id !== 0) {
    const idAt = at + packetIdOffset(client.version, message)
    slab[idAt] = id >> 8
    slab[idAt + 1] = id & 0xff
  }
  return true
}

/** True when the packet the message came in differs from the one to send in flags and packet id only. */
function canRepeat(client: MqttConnection, message: Message, topic: string, hasId: boolean, info: SubscriptionInfo): boolean {
  if (message.start === message.headerStart || hasId !== message.assurance > 0) return false
  if (info.isQueue && topic !== message.topic) return false
  if (client.version !== 5) return message.codec === mqtt3Headers
  return (
    message.codec === mqtt5Headers &&
    message.expiresAtMs === 0 &&
    message.extras?.annotations === undefined &&
    info.idBytes.length === 0 &&
    client.outboundAliases === undefined
  )
}

/** Distance of the packet id from the start of the packet the message came in. */
function packetIdOffset(version: MqttVersion, message: Message): number {
  const distance = message.headerStart - message.start - 2
  return version === 5 ? distance - varintSize(message.bodyStart - message.headerStart) : distance
}

/** Puts a PUBLISH together from its parts; false when that cannot be. Hot path of a backlog: what the log gives back has no packet to repeat. */
function compose(
  client: MqttConnection,
  delivery: Delivery,
  topic: string,
  flags: number,
  info: SubscriptionInfo,
  id: number,
): boolean {
  const { message } = delivery
  const { transport } = client
  const isV5 = client.version === 5
  const alias = isV5 ? (client.outboundAliases?.use(topic) ?? 0) : 0
  // A known alias stands for the name. [MQTT5-3.3.2-8]
  const name = alias < 0 ? NO_BYTES : topicBytes.of(topic)
  // MQTT 5 properties lie right before their body, as they are to be sent.
  const isOwnForm = message.codec === mqtt5Headers
  const restStart = isV5 && isOwnForm ? message.headerStart : message.bodyStart
  const headers = !isV5 ? NO_BYTES : isOwnForm ? annotationBytes(message) : propertiesFor(message)
  const expirySeconds = message.expiresAtMs === 0 ? -1 : remainingSeconds(client, message.expiresAtMs)
  const propertiesSize =
    headers.length +
    message.bodyStart -
    restStart +
    info.idBytes.length +
    (alias === 0 ? 0 : 3) +
    (expirySeconds < 0 ? 0 : 5)
  // Another protocol may have had it in a form of its own.
  const foreign = message.codec.readBody === undefined ? undefined : message.foreignBody
  const bodySize = foreign === undefined ? message.end - message.bodyStart : foreign.length
  const remaining =
    2 + name.length + (id === 0 ? 0 : 2) + (isV5 ? varintSize(propertiesSize) + propertiesSize : 0) + bodySize
  const size = 1 + varintSize(remaining) + remaining
  if (size > client.maxPacketBytes || name.length > TOPIC_BYTES_MAX) {
    if (alias > 0) client.outboundAliases!.forget(topic)
    return false
  }
  let at = transport.reserve(size)
  const { slab } = transport
  slab[at++] = flags
  at = writeVarint(slab, at, remaining)
  slab[at++] = name.length >> 8
  slab[at++] = name.length & 0xff
  copyBytes(name, 0, name.length, slab, at)
  at += name.length
  if (id !== 0) {
    slab[at++] = id >> 8
    slab[at++] = id & 0xff
  }
  if (isV5) {
    at = writeVarint(slab, at, propertiesSize)
    if (expirySeconds >= 0) {
      slab[at++] = PROPERTY_EXPIRY
      at = writeUint32(slab, at, expirySeconds)
    }
    if (alias !== 0) {
      slab[at++] = PROPERTY_TOPIC_ALIAS
      slab[at++] = Math.abs(alias) >> 8
      slab[at++] = Math.abs(alias) & 0xff
    }
    copyBytes(info.idBytes, 0, info.idBytes.length, slab, at)
    at += info.idBytes.length
    copyBytes(headers, 0, headers.length, slab, at)
    at += headers.length
  }
  if (foreign === undefined) copyBytes(message.bytes, restStart, message.end, slab, at)
  else copyBytes(foreign, 0, bodySize, slab, at)
  return true
}

const NO_BYTES = new Uint8Array(0)
/** A length of two bytes; other protocols may have longer names. [MQTT5 §1.5.4] */
const TOPIC_BYTES_MAX = 65_535

/** What is left of the message's time. [MQTT5-3.3.2-6] */
function remainingSeconds(client: MqttConnection, expiresAtMs: number): number {
  return Math.max(0, Math.ceil((expiresAtMs - client.adapter.vhost.env.clock.wallMs()) / 1000))
}

function infoOf(match: Match): SubscriptionInfo {
  return (match.memo ??= deriveInfo(match)) as SubscriptionInfo
}

function deriveInfo(match: Match): SubscriptionInfo {
  const ids = match.data.map((data) => data['subscriptionId']).filter((id) => typeof id === 'number')
  const idBytes = new Uint8Array(ids.reduce((size, id) => size + 1 + varintSize(id), 0))
  let at = 0
  for (const id of ids) {
    idBytes[at++] = PROPERTY_SUBSCRIPTION_ID
    at = writeVarint(idBytes, at, id)
  }
  return {
    retainAsPublished: match.data.some((data) => data['retainAsPublished'] === true),
    isQueue: isOfQueue(match),
    idBytes,
  }
}

/** The match is a subscription's to queues: `handlers/subscribe.ts` says so in its data. */
export function isOfQueue(match: Match): boolean {
  return match.data.some((data) => data['queue'] === true)
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24
  target[at + 1] = (value >>> 16) & 0xff
  target[at + 2] = (value >>> 8) & 0xff
  target[at + 3] = value & 0xff
  return at + 4
}
