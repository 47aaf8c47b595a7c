/**
 * PUBLISH from a client: decoded where it lies, given to the producer, and acknowledged last. [ADR-0001]
 */
import {
  type Assurance,
  Message,
  PRIORITY_DEFAULT,
  type ProducerTarget,
  type PublishOptions,
  type PublishResult,
  queueNameOf,
  type RefusalDetail,
} from '@ternmq/core'
import { isUtf8 } from 'node:buffer'
import { ProtocolError } from '../codec/errors.ts'
import { PublishProperties, scanPublishProperties } from '../codec/property-scan.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import type { MqttConnection } from '../connection.ts'
import { mqtt3Headers, mqtt5Headers } from '../headers.ts'
import { rebuilt, rebuildPublish } from '../rebuilt-publish.ts'
import { PUBACK, PUBREC, releasePublish, writeAck, writeRefusal } from './acks.ts'
import { type PublishFields, readPublishFields } from './publish-fields.ts'
import { REASON_CODE_BY_REFUSAL, retainOnQueue } from './refusals.ts'

type SettledResult = Exclude<PublishResult, 'pending'>

const found = new PublishProperties()
/** Of the publish at hand, where its user properties or its topic ask for something. */
let asked: PublishFields | undefined

/** Hot path. `bytes[start]` is the fixed header, the variable header is at `at`. Throws ProtocolError. */
export function handlePublish(client: MqttConnection, bytes: Uint8Array, start: number, at: number, end: number): void {
  const flags = bytes[start]!
  const qos = ((flags >> 1) & 3) as Assurance
  if ((flags & 0x06) === 0x06) refuseFlags('QoS 3 does not exist', 'MQTT5-3.3.1-4')
  if (qos === 0 && (flags & 0x08) !== 0) refuseFlags('DUP is set on a QoS 0 packet', 'MQTT5-3.3.1-2')
  const { settings } = client.adapter
  if (qos > settings.maxQos || ((flags & 0x01) !== 0 && !settings.retainAvailable)) refuseUnavailable(qos, settings.maxQos)
  const topicAt = at + 2
  if (topicAt > end) refuseLength()
  const topicEnd = topicAt + ((bytes[at]! << 8) | bytes[at + 1]!)
  const headersAt = qos === 0 ? topicEnd : topicEnd + 2
  if (headersAt > end) refuseLength()
  let id = 0
  if (qos !== 0) {
    id = (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]!
    if (id === 0) refuseId()
  }
  asked = undefined
  const message =
    client.version === 5
      ? readMqtt5(client, bytes, start, topicAt, topicEnd, headersAt, end, qos, id)
      : readMqtt3(client, bytes, start, topicAt, topicEnd, headersAt, end, qos)
  if (message === undefined) return
  if (message.retain && queueNameOf(message.topic) !== undefined) return refuseRetain(client, qos, id)
  const options = optionsFor(client)
  if (qos === 2) return publishOnce(client, message, id, options)
  if (qos === 1 && client.openAtLeastOnce > 0) checkReceiveMaximum(client)
  const result = client.producer.publish(client.target, message, publishTag(qos, id), options)
  if (result === 'unmatched') noteUnheard(client)
  if (result !== 'pending') settlePublish(client, qos, id, result)
  else if (qos === 1) client.openAtLeastOnce++
}

/** Hot path of a publisher that nobody listens to. */
function noteUnheard(client: MqttConnection): void {
  const { target } = client
  if (target.unheardAt !== target.route.generation) client.adapter.noteUnheard(client, target)
}

/** What the publish at hand asks for beside what its message says; a delay in its topic goes before one in its properties. */
function optionsFor(client: MqttConnection): PublishOptions | undefined {
  const delayMs = client.topics.delayMsOf(client.target)
  const options = asked?.options
  return delayMs < 0 ? options : { ...options, schedule: { ...options?.schedule, delayMs } }
}

/** What `handlePublish` gives the core to know a publish by that has to wait. */
function publishTag(qos: number, id: number): number {
  return (qos << 16) | id
}

/** A publish that had to wait has its result. [MQTT5-4.3.2-4] [MQTT311-4.3.2-2] */
export function onPublishSettled(client: MqttConnection, tag: number, result: SettledResult): void {
  const qos = tag >> 16
  const id = tag & 0xffff
  if (qos === 2) client.state.pending?.delete(id)
  else if (qos === 1) client.openAtLeastOnce--
  const isReleased = qos === 2 && client.state.releasing.delete(id)
  settlePublish(client, qos, id, result)
  if (isReleased) releasePublish(client, id)
}

/** Hot path. */
function settlePublish(client: MqttConnection, qos: number, id: number, result: SettledResult): void {
  if (result === 'refused' && client.version !== 5 && client.producer.refusal!.refusal !== 'not-authorized') {
    return endForFault(client, qos, id)
  }
  if (qos === 1) {
    acknowledge(client, PUBACK, id, result)
  } else if (qos === 2) {
    // A PUBREC with an error ends the exchange: its id is free at once. [MQTT5-4.3.3-9]
    if (result === 'refused' && client.version === 5) client.state.release(id)
    acknowledge(client, PUBREC, id, result)
  } else if (result === 'refused') {
    reportRefused(client)
  }
}

/**
 * Before MQTT 5 a publish that is not allowed is acknowledged all the same [MQTT311-3.3.5-2] [MQTT31-3.3-f]; one that could not be
 * kept must not be, or it would be lost: the connection ends, and the client sends it again on the next one. [MQTT311-4.8.0-2]
 */
function endForFault(client: MqttConnection, qos: number, id: number): void {
  if (qos === 2) client.state.release(id)
  client.disconnect(ReasonCode.quotaExceeded, client.producer.refusal!.text, 'MQTT311-4.8.0-2')
}

/** QoS 2: routed at its first coming, known by its id until PUBREL. [MQTT5-4.3.3-10] [MQTT311-4.3.3-2] */
function publishOnce(client: MqttConnection, message: Message, id: number, options: PublishOptions | undefined): void {
  const { received, pending } = client.state
  if (received.has(id)) {
    // While the first one waits for the log, its PUBREC answers both.
    if (pending?.has(id) !== true) writeAck(client, PUBREC, id)
    return
  }
  checkReceiveMaximum(client)
  received.add(id)
  // An object of its own: a publish that has to wait keeps it.
  const result = client.producer.publish(client.target, message, publishTag(2, id), { ...options, receivedId: id })
  if (result === 'unmatched') noteUnheard(client)
  if (result === 'pending') client.state.addPending(id)
  else settlePublish(client, 2, id, result)
}

/**
 * What waits for its PUBACK or its PUBREL must be within what the client was told. Before MQTT 5 nobody is told a maximum: there the
 * 65,535 identifiers are the limit. [MQTT5-3.3.4-7]
 */
function checkReceiveMaximum(client: MqttConnection): void {
  if (client.version !== 5) return
  const { receiveMaximum } = client.adapter.settings
  const exactlyOnce = client.state.openCount
  if (client.openAtLeastOnce + exactlyOnce < receiveMaximum) return
  const detail = `${client.openAtLeastOnce} QoS 1 publishes await their PUBACK and ${exactlyOnce} QoS 2 publishes their PUBREL, the receive maximum is ${receiveMaximum} (mqtt.receiveMaximum)`
  throw new ProtocolError(ReasonCode.receiveMaximumExceeded, 'MQTT5-3.3.4-7', detail)
}

/** Hot path. */
function acknowledge(client: MqttConnection, type: number, id: number, result: SettledResult): void {
  if (result === 'routed' || client.version !== 5) writeAck(client, type, id)
  else if (result === 'unmatched') writeAck(client, type, id, ReasonCode.noMatchingSubscribers)
  else {
    const { refusal, text } = client.producer.refusal!
    writeRefusal(client, type, id, REASON_CODE_BY_REFUSAL[refusal], text)
  }
  if (result === 'refused') reportRefused(client)
}

/** For the operator. A QoS 0 publish has no answer to refuse it with: its client stays and is told nothing. [MQTT5-4.13.2] */
function reportRefused(client: MqttConnection): void {
  const { text, subject } = client.producer.refusal!
  client.reportRefusal(text, subject)
}

function readMqtt3(
  client: MqttConnection,
  bytes: Uint8Array,
  start: number,
  topicAt: number,
  topicEnd: number,
  bodyAt: number,
  end: number,
  qos: Assurance,
): Message {
  const target = client.topics.find(bytes, topicAt, topicEnd)
  client.target = target
  return new Message({
    topic: target.route.topic,
    codec: mqtt3Headers,
    bytes,
    start,
    headerStart: bodyAt,
    bodyStart: bodyAt,
    end,
    assurance: qos,
    durable: qos !== 0,
    retain: (bytes[start]! & 1) !== 0,
    expiresAtMs: 0,
    publisher: client.clientId,
  })
}

/** Undefined when the message was refused and answered. */
function readMqtt5(
  client: MqttConnection,
  bytes: Uint8Array,
  start: number,
  topicAt: number,
  topicEnd: number,
  propertiesAt: number,
  end: number,
  qos: Assurance,
  id: number,
): Message | undefined {
  const bodyAt = scanPublishProperties(bytes, propertiesAt, end, found)
  const target = resolveTarget(client, bytes, topicAt, topicEnd)
  client.target = target
  if (found.payloadFormat === 1 && !isUtf8(bytes.subarray(bodyAt, end))) {
    refusePayload(client, qos, id, target)
    return undefined
  }
  if (found.endToEndBytes !== 0 && found.userPropertyAt !== -1) {
    asked = readPublishFields(bytes, found.start, found.end)
    if (asked?.fault !== undefined) {
      refuseFault(client, qos, id, target, asked.fault)
      return undefined
    }
  }
  const flags = bytes[start]!
  const { messageExpirySeconds } = found
  const expiresAtMs = messageExpirySeconds < 0 ? 0 : client.adapter.vhost.env.clock.wallMs() + messageExpirySeconds * 1000
  let from = start
  let headerStart = found.start
  let bodyStart = bodyAt
  let to = end
  if (found.endToEndBytes !== found.end - found.start) {
    if (topicEnd > topicAt) rebuildPublish(bytes, flags, bytes, topicAt, topicEnd, id, found, bodyAt, end)
    else {
      const topic = client.inboundAliases.topicBytes(found.topicAlias)
      rebuildPublish(bytes, flags, topic, 0, topic.length, id, found, bodyAt, end)
    }
    from = 0
    ;({ bytes, headerStart, bodyStart, end: to } = rebuilt)
  }
  return new Message({
    topic: target.route.topic,
    codec: mqtt5Headers,
    bytes,
    start: from,
    headerStart,
    bodyStart,
    end: to,
    assurance: qos,
    durable: qos !== 0,
    retain: (flags & 1) !== 0,
    expiresAtMs,
    publisher: client.clientId,
    priority: asked?.priority ?? PRIORITY_DEFAULT,
    extras: asked?.extras,
  })
}

/** The topic by name or by alias. [MQTT5-3.3.2-8] */
function resolveTarget(client: MqttConnection, bytes: Uint8Array, topicAt: number, topicEnd: number): ProducerTarget {
  const alias = found.topicAlias
  if (alias === 0) {
    if (topicAt === topicEnd) {
      const detail = 'PUBLISH has neither a topic name nor a topic alias'
      throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.3.2-1', detail)
    }
    return client.topics.find(bytes, topicAt, topicEnd)
  }
  const { topicAliasMax } = client.adapter.settings
  if (alias > topicAliasMax) {
    const detail = `topic alias ${alias} is above the maximum ${topicAliasMax} (mqtt.topicAliasMax)`
    throw new ProtocolError(ReasonCode.topicAliasInvalid, 'MQTT5-3.2.2-17', detail)
  }
  if (topicEnd > topicAt) {
    const target = client.topics.find(bytes, topicAt, topicEnd)
    client.inboundAliases.set(alias, target, bytes.subarray(topicAt, topicEnd))
    return target
  }
  const known = client.inboundAliases.get(alias)
  if (known === undefined) {
    const detail = `topic alias ${alias} was not set on this connection`
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.3.2-12', detail)
  }
  return known
}

/** Answered in its turn, as any other publish. [MQTT5 §3.3.2.3.2] [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] */
function refusePayload(client: MqttConnection, qos: Assurance, id: number, target: ProducerTarget): void {
  const text = `the payload for '${target.route.topic}' is declared as text but is not valid UTF-8`
  if (qos === 0) throw new ProtocolError(ReasonCode.payloadFormatInvalid, 'MQTT5 §3.3.2.3.2', text)
  const detail = { refusal: 'invalid-body', subject: target.route.topic, text } as const
  refusePublish(client, qos, id, detail)
}

/** A user property with a value that its field cannot have. In its turn, as any other refusal. */
function refuseFault(client: MqttConnection, qos: Assurance, id: number, target: ProducerTarget, fault: string): void {
  const { topic } = target.route
  refusePublish(client, qos, id, { refusal: 'mismatch', subject: topic, text: `publish to '${topic}': ${fault}` })
}

function refusePublish(client: MqttConnection, qos: Assurance, id: number, detail: RefusalDetail): void {
  const result = client.producer.refuse(detail, publishTag(qos, id))
  if (result !== 'pending') settlePublish(client, qos, id, result)
  else if (qos === 1) client.openAtLeastOnce++
}

/** In its turn, as any other refusal. */
function refuseRetain(client: MqttConnection, qos: Assurance, id: number): void {
  const { topic } = client.target.route
  const detail = { refusal: 'mismatch', subject: topic, text: retainOnQueue(topic) } as const
  refusePublish(client, qos, id, detail)
}

/** What the broker has been told not to offer. [MQTT5-3.2.2-11] [MQTT5-3.2.2-14] */
function refuseUnavailable(qos: number, maxQos: number): never {
  if (qos > maxQos) {
    const detail = `PUBLISH with QoS ${qos}, the highest offered is ${maxQos} (mqtt.maxQos)`
    throw new ProtocolError(ReasonCode.qosNotSupported, 'MQTT5-3.2.2-11', detail)
  }
  const detail = 'PUBLISH with RETAIN, which is switched off (mqtt.retainAvailable)'
  throw new ProtocolError(ReasonCode.retainNotSupported, 'MQTT5-3.2.2-14', detail)
}

function refuseFlags(what: string, clause: string): never {
  throw new ProtocolError(ReasonCode.malformedPacket, clause, `PUBLISH: ${what}`)
}

function refuseId(): never {
  throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-2.2.1-3', 'PUBLISH: packet identifier is 0; it must be 1 to 65535')
}

function refuseLength(): never {
  throw new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-4.13.1-1', 'PUBLISH ends before its topic and packet identifier')
}
