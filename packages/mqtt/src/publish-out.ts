/**
 * PUBLISH towards a client, written straight into the connection's slab. A message that came in the same form goes out as
 * the bytes that came, with its flags and packet id put in place; every other one is put together here.
 */
import { copyBytes, type Delivery, type Match, type Message } from '@ternmq/core'
import type { MqttVersion } from './codec/types.ts'
import { varintSize, writeVarint } from './codec/varint.ts'
import type { MqttConnection } from './connection.ts'
import { mqtt3Headers, mqtt5Headers } from './headers.ts'
import { packetIdOf } from './outbound.ts'

const PUBLISH = 0x30
const DUP = 0x08
const RETAIN = 0x01
const PROPERTY_EXPIRY = 0x02
const PROPERTY_SUBSCRIPTION_ID = 0x0b
const PROPERTY_TOPIC_ALIAS = 0x23

/** What subscriptions add to a PUBLISH; derived once per match and kept in its `memo`. */
interface SubscriptionInfo {
  readonly retainAsPublished: boolean
  /** Subscription Identifier properties, encoded, of every subscription that matched. [MQTT5-3.3.4-3] [MQTT5-3.3.4-4] */
  readonly idBytes: Uint8Array
}

/** Hot path. False when the packet is larger than the client takes. [MQTT5-3.1.2-24] [MQTT5-3.1.2-25] */
export function writePublish(client: MqttConnection, delivery: Delivery): boolean {
  const { message, assurance } = delivery
  const info = infoOf(delivery.match)
  const retain = delivery.retained || (message.retain && info.retainAsPublished) ? RETAIN : 0
  const flags = PUBLISH | (assurance << 1) | retain
  if (!canRepeat(client, message, assurance > 0, info)) return composePublish(client, delivery, flags, info)

  const { transport } = client
  const size = message.end - message.start
  if (size > client.maxPacketBytes) return false
  if (assurance === 0 && message.isDetached && message.bytes[message.start] === flags) {
    transport.writeShared(message.bytes, message.start, message.end)
    return true
  }
  const at = transport.reserve(size)
  const { slab } = transport
  copyBytes(message.bytes, message.start, message.end, slab, at)
  slab[at] = flags
  if (assurance > 0) {
    const id = client.outbound.add(delivery)
    const idAt = at + packetIdOffset(client.version, message)
    slab[idAt] = id >> 8
    slab[idAt + 1] = id & 0xff
  }
  return true
}

/** Sends an unacknowledged delivery again on a new connection, with the id it had. [MQTT5-3.3.1-1] [MQTT311-3.3.1-1] */
export function rewritePublish(client: MqttConnection, delivery: Delivery): boolean {
  const info = infoOf(delivery.match)
  const retain = delivery.retained || (delivery.message.retain && info.retainAsPublished) ? RETAIN : 0
  const flags = PUBLISH | DUP | (delivery.assurance << 1) | retain
  return composeWithId(client, delivery, flags, info, packetIdOf(delivery))
}

/** True when the packet the message came in differs from the one to send in flags and packet id only. */
function canRepeat(client: MqttConnection, message: Message, hasId: boolean, info: SubscriptionInfo): boolean {
  if (message.start === message.headerStart || hasId !== message.assurance > 0) return false
  if (client.version !== 5) return message.codec === mqtt3Headers
  return (
    message.codec === mqtt5Headers &&
    message.expiresAtMs === 0 &&
    info.idBytes.length === 0 &&
    client.outboundAliases === undefined
  )
}

/** Distance of the packet id from the start of the packet the message came in. */
function packetIdOffset(version: MqttVersion, message: Message): number {
  const distance = message.headerStart - message.start - 2
  return version === 5 ? distance - varintSize(message.bodyStart - message.headerStart) : distance
}

function composePublish(client: MqttConnection, delivery: Delivery, flags: number, info: SubscriptionInfo): boolean {
  if (delivery.assurance === 0) return composeWithId(client, delivery, flags, info, 0)
  const id = client.outbound.add(delivery)
  if (composeWithId(client, delivery, flags, info, id)) return true
  client.outbound.remove(delivery)
  return false
}

/** Puts a PUBLISH together from its parts; `id` 0 leaves the packet id out. */
function composeWithId(
  client: MqttConnection,
  delivery: Delivery,
  flags: number,
  info: SubscriptionInfo,
  id: number,
): boolean {
  const { message } = delivery
  const { transport } = client
  const isV5 = client.version === 5
  const alias = isV5 ? (client.outboundAliases?.use(message.topic) ?? 0) : 0
  // A known alias stands for the name. [MQTT5-3.3.2-8]
  const topic = alias < 0 ? NO_BYTES : topicBytes(message)
  const headers = isV5 ? message.headerBytesFor(mqtt5Headers) : NO_BYTES
  const expirySeconds = message.expiresAtMs === 0 ? -1 : remainingSeconds(client, message.expiresAtMs)
  const propertiesSize = headers.length + info.idBytes.length + (alias === 0 ? 0 : 3) + (expirySeconds < 0 ? 0 : 5)
  const bodySize = message.end - message.bodyStart
  const remaining =
    2 + topic.length + (id === 0 ? 0 : 2) + (isV5 ? varintSize(propertiesSize) + propertiesSize : 0) + bodySize
  const size = 1 + varintSize(remaining) + remaining
  if (size > client.maxPacketBytes) {
    if (alias > 0) client.outboundAliases!.forget(message.topic)
    return false
  }
  let at = transport.reserve(size)
  const { slab } = transport
  slab[at++] = flags
  at = writeVarint(slab, at, remaining)
  slab[at++] = topic.length >> 8
  slab[at++] = topic.length & 0xff
  copyBytes(topic, 0, topic.length, slab, at)
  at += topic.length
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
  copyBytes(message.bytes, message.bodyStart, message.end, slab, at)
  return true
}

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/** The topic as it came when it came by MQTT, else encoded. */
function topicBytes(message: Message): Uint8Array {
  if (message.start === message.headerStart) return encoder.encode(message.topic)
  const { bytes } = message
  let at = message.start + 1
  while (bytes[at]! > 127) at++
  const start = at + 3
  return bytes.subarray(start, start + ((bytes[at + 1]! << 8) | bytes[at + 2]!))
}

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
  return { retainAsPublished: match.data.some((data) => data['retainAsPublished'] === true), idBytes }
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24
  target[at + 1] = (value >>> 16) & 0xff
  target[at + 2] = (value >>> 8) & 0xff
  target[at + 3] = value & 0xff
  return at + 4
}
