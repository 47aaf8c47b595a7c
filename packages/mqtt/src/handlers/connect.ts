/**
 * CONNECT → CONNACK: who is it, is the client id theirs, and then the session. Refusals are told in the version's own words
 * before the connection closes. [MQTT5 §3.1.4] [MQTT311 §3.1.4]
 */
import {
  type LoginExchange,
  type LoginStep,
  Message,
  PRIORITY_DEFAULT,
  type Principal,
  queueNameOf,
  type RefusalDetail,
  type Will,
} from '@ternmq/core'
import { type Clauses, clauseFor } from '../codec/clauses.ts'
import { decodeConnect } from '../codec/decode-control.ts'
import { encodeAuth, encodeConnack } from '../codec/encode-control.ts'
import { ProtocolError } from '../codec/errors.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import { checkTopicName, TOPIC_BYTES_MAX } from '../codec/topics.ts'
import type { ConnectPacket, ConnackFields, WillMessage } from '../codec/types.ts'
import type { MqttConnection } from '../connection.ts'
import { mqtt3Headers, mqtt5Headers } from '../headers.ts'
import { resume } from '../resumption.ts'
import { expiryToMs, grantExpiry } from '../session-expiry.ts'
import { stateOf } from '../session-state.ts'
import type { MqttSettings } from '../settings.ts'
import { OutboundAliases } from '../topic-alias.ts'
import { TopicCache } from '../topic-cache.ts'
import { writeRelease } from './acks.ts'
import { type PublishFields, readPublishFields } from './publish-fields.ts'
import { REASON_CODE_BY_LOGIN_REFUSAL, REASON_CODE_BY_REFUSAL, retainOnQueue } from './refusals.ts'

/** [MQTT31-3.1-c] */
const CLIENT_ID_CHARS_MAX_31 = 23

/** A server may refuse what it could read. */
const REFUSED: Clauses = ['MQTT31 §3.2', 'MQTT311-3.2.2-5', 'MQTT5-3.1.4-2']

/** A CONNECT that is not answered yet. */
export interface PendingConnect {
  readonly packet: ConnectPacket
  readonly clientId: string
  /** The login waits for the client's next AUTH; undefined while it waits for us. */
  exchange: LoginExchange | undefined
}

/** What the login knows user name and password by. As a method that a client names it would be an exchange of its own. */
const PLAIN = 'plain'

export function handleConnect(client: MqttConnection, bytes: Uint8Array): void {
  let packet: ConnectPacket
  try {
    packet = decodeConnect(bytes, client.adapter.settings.strictClientIds ? CLIENT_ID_CHARS_MAX_31 : Infinity)
  } catch (error) {
    if (error instanceof ProtocolError) return refuseMalformed(client, bytes, error)
    throw error
  }
  takeWishes(client, packet)
  const refusal = checkConnect(client, packet)
  if (refusal !== undefined) return refuseConnect(client, refusal.reasonCode, refusal.detail, refusal.clause)
  const clientId = packet.clientId === '' ? client.adapter.makeClientId() : packet.clientId
  client.clientId = clientId
  client.pending = { packet, clientId, exchange: undefined }
  const step = client.adapter.login.begin({
    peer: client.transport.peer,
    clientId,
    mechanism: packet.authMethod?.toLowerCase() ?? PLAIN,
    username: packet.username,
    password: packet.password,
    data: packet.authData,
  })
  continueConnect(client, step)
}

/** Goes on with the next step of the login, now or when it is known. */
export function continueConnect(client: MqttConnection, step: LoginStep | Promise<LoginStep>): void {
  if (step instanceof Promise) client.waitFor(step.then((done) => takeStep(client, done)))
  else takeStep(client, step)
}

function takeStep(client: MqttConnection, step: LoginStep): void {
  const { pending } = client
  if (client.isClosed || pending === undefined) return
  switch (step.kind) {
    case 'accepted':
      acceptConnect(client, pending, step.principal, step.data)
      break
    case 'challenge': {
      pending.exchange = step.exchange
      const authMethod = pending.packet.authMethod!
      const reasonCode = ReasonCode.continueAuthentication
      client.send(encodeAuth({ reasonCode, authMethod, authData: step.data }, client.maxPacketBytes))
      break
    }
    case 'refused': {
      const reasonCode = REASON_CODE_BY_LOGIN_REFUSAL[step.refusal]
      // Too many logins at once pass by themselves, but clients take a refusal as final (MQTT.js does not come back, and a fleet
      // stays out after a restart). Without a CONNACK they try again; the specifications allow both. [MQTT5-3.1.4-2] [MQTT311-3.1.4-1]
      if (step.refusal === 'busy') client.disconnect(reasonCode, step.text, '')
      else refuseConnect(client, reasonCode, step.text, clauseFor(REFUSED, client.version))
      break
    }
  }
}

/** What the client takes and wants, also needed to refuse it properly. */
function takeWishes(client: MqttConnection, packet: ConnectPacket): void {
  client.version = packet.version
  client.clientId = packet.clientId
  client.userName = packet.username ?? ''
  client.maxPacketBytes = packet.maxPacketBytes
  client.wantsProblemInformation = packet.requestProblemInformation
  client.endsWithConnection = packet.sessionExpirySeconds === 0
  client.authMethod = packet.authMethod
}

interface ConnectRefusal {
  readonly reasonCode: number
  readonly detail: string
  readonly clause: string
}

function checkConnect(client: MqttConnection, packet: ConnectPacket): ConnectRefusal | undefined {
  const { settings } = client.adapter
  const idBytes = Buffer.byteLength(packet.clientId)
  if (idBytes > settings.maxClientIdBytes) {
    const detail = `client id of ${idBytes} bytes exceeds mqtt.maxClientIdBytes ${settings.maxClientIdBytes}`
    return { reasonCode: ReasonCode.clientIdentifierNotValid, detail, clause: 'MQTT5-3.1.3-8' }
  }
  if (packet.authMethod?.toLowerCase() === PLAIN) {
    const detail = "authentication method 'PLAIN' is not offered: user name and password belong into CONNECT"
    return { reasonCode: ReasonCode.badAuthenticationMethod, detail, clause: 'MQTT5-4.12.0-1' }
  }
  const { will } = packet
  if (will === undefined) return undefined
  if (will.qos > settings.maxQos) {
    const detail = `will with QoS ${will.qos}, the highest offered is ${settings.maxQos} (mqtt.maxQos)`
    return { reasonCode: ReasonCode.qosNotSupported, detail, clause: 'MQTT5-3.2.2-12' }
  }
  if (will.retain && !settings.retainAvailable) {
    const detail = 'retained will, which is switched off (mqtt.retainAvailable)'
    return { reasonCode: ReasonCode.retainNotSupported, detail, clause: 'MQTT5-3.2.2-13' }
  }
  if (will.retain && queueNameOf(will.topic) !== undefined) {
    const detail = `will: ${retainOnQueue(will.topic)}`
    return { reasonCode: ReasonCode.retainNotSupported, detail, clause: 'MQTT5-3.2.2-13' }
  }
  try {
    checkTopicName(will.topic, packet.version, settings.maxTopicLevels)
    return undefined
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { reasonCode: error.reasonCode, detail: `will: ${error.detail}`, clause: error.clause }
  }
}

function acceptConnect(
  client: MqttConnection,
  pending: PendingConnect,
  principal: Principal,
  authData: Uint8Array | undefined,
): void {
  const { packet, clientId } = pending
  const { adapter } = client
  const { settings, vhost } = adapter
  const expirySeconds = grantExpiry(packet.sessionExpirySeconds, settings)
  client.userName = principal.name
  const willRefusal = packet.will && vhost.refusalToPublish({ principal, clientId }, packet.will.topic)
  if (willRefusal !== undefined) return refuseByCore(client, willRefusal)
  const opened = vhost.sessions.open({
    clientId,
    principal,
    cleanStart: packet.cleanStart,
    expiryMs: expiryToMs(expirySeconds),
    creditMax: packet.version === 5 ? packet.receiveMaximum : settings.mqtt3ReceiveMaximum,
    will: packet.will === undefined ? undefined : toWill(client, packet.will),
    owner: client,
    protocol: 'mqtt',
  })
  if (!opened.ok) return refuseByCore(client, opened.detail)
  const { session, present } = opened.value
  const producer = session.openProducer(client)
  const state = stateOf(session)
  // A server's keep-alive replaces the client's. [MQTT5-3.1.2-21] [MQTT5-3.2.2-21]
  const keepAliveMax = settings.keepAliveMaxSeconds
  const isKeepAliveOurs = keepAliveMax > 0 && (packet.keepAliveSeconds === 0 || packet.keepAliveSeconds > keepAliveMax)
  client.keepAliveMs = (isKeepAliveOurs && packet.version === 5 ? keepAliveMax : packet.keepAliveSeconds) * 1000
  if (packet.version === 5 && packet.topicAliasMax > 0 && settings.outboundTopicAliasMax > 0) {
    client.outboundAliases = new OutboundAliases(Math.min(packet.topicAliasMax, settings.outboundTopicAliasMax))
  }
  const connack: ConnackFields = {
    sessionPresent: present, // [MQTT5-3.2.2-2] [MQTT5-3.2.2-3] [MQTT311-3.2.2-2]
    reasonCode: ReasonCode.success,
    sessionExpirySeconds: expirySeconds === packet.sessionExpirySeconds ? undefined : expirySeconds,
    receiveMaximum: settings.receiveMaximum,
    ...offered(settings),
    maxPacketBytes: settings.maxPacketBytes,
    topicAliasMax: settings.topicAliasMax,
    assignedClientId: packet.clientId === '' ? clientId : undefined, // [MQTT5-3.2.2-16]
    serverKeepAliveSeconds: isKeepAliveOurs ? keepAliveMax : undefined,
    responseInformation: packet.requestResponseInformation ? responseTopic(clientId) : undefined,
    authMethod: packet.authMethod, // [MQTT5-4.12.0-5]
    authData,
  }
  client.adopt(session, state, new TopicCache(producer, packet.version, settings), producer)
  client.whenCommitted(() => {
    client.send(encodeConnack(connack, packet.version, client.maxPacketBytes))
    if (client.isClosed) return
    client.begin()
    adapter.report(client, 'connected', present ? 'session resumed' : 'new session', '')
    // Unfinished exchanges go on where they were. [MQTT5-4.4.0-1] [MQTT311-4.4.0-1]
    if (present) resume(client, (delivery) => writeRelease(client, delivery))
    session.startDelivery(client)
  })
}

/** What has been switched off; the rest goes without saying. [MQTT5-3.2.2-9] */
function offered(settings: MqttSettings): Partial<ConnackFields> {
  return {
    maximumQos: settings.maxQos === 2 ? undefined : settings.maxQos,
    retainAvailable: settings.retainAvailable ? undefined : false,
    wildcardSubscriptionAvailable: settings.wildcardSubscriptionsAvailable ? undefined : false,
    subscriptionIdentifiersAvailable: settings.subscriptionIdentifiersAvailable ? undefined : false,
    sharedSubscriptionAvailable: settings.sharedSubscriptionsAvailable ? undefined : false,
  }
}

function toWill(client: MqttConnection, will: WillMessage): Will {
  const isV5 = client.version === 5
  const bytes = new Uint8Array(will.propertyBytes.length + will.payload.length)
  bytes.set(will.propertyBytes)
  bytes.set(will.payload, will.propertyBytes.length)
  const { messageExpirySeconds } = will
  const { priority, extras } = willFields(client, will)
  // Its time counts from the moment it is published; a will that waits is made anew with the deadline then.
  const makeMessage = (nowMs: number, publisher: string): Message =>
    new Message({
      topic: will.topic,
      codec: isV5 ? mqtt5Headers : mqtt3Headers,
      bytes,
      start: 0,
      headerStart: 0,
      bodyStart: will.propertyBytes.length,
      end: bytes.length,
      assurance: will.qos,
      durable: will.qos > 0,
      retain: will.retain,
      expiresAtMs: messageExpirySeconds === undefined ? 0 : nowMs + messageExpirySeconds * 1000,
      publisher,
      priority: priority ?? PRIORITY_DEFAULT,
      extras,
    })
  return { makeMessage, delayMs: will.delaySeconds * 1000 }
}

/** A will has a delay of its own, so it is not scheduled; a user property that is wrong counts for nothing and is reported. */
function willFields(client: MqttConnection, { topic, propertyBytes }: WillMessage): PublishFields {
  const fields = client.version === 5 ? readPublishFields(propertyBytes, 0, propertyBytes.length) : undefined
  if (fields?.fault !== undefined) client.reportRefusal(`will for '${topic}': ${fields.fault}`, topic)
  return fields ?? {}
}

/** Where the client may expect answers: a topic that no other client id has, if the access rules give it one. [MQTT5 §3.2.2.3.15] */
function responseTopic(clientId: string): string | undefined {
  const topic = `replies/${encodeURIComponent(clientId)}`
  return topic.length <= TOPIC_BYTES_MAX ? topic : undefined
}

function refuseByCore(client: MqttConnection, detail: RefusalDetail): void {
  refuseConnect(client, REASON_CODE_BY_REFUSAL[detail.refusal], detail.text, clauseFor(REFUSED, client.version))
}

/** A CONNECT that could be read but not accepted. [MQTT5-3.1.4-2] [MQTT311-3.2.2-5] */
export function refuseConnect(client: MqttConnection, reasonCode: number, text: string, clause: string): void {
  const fields: ConnackFields = { sessionPresent: false, reasonCode, reasonString: text } // [MQTT5-3.2.2-6] [MQTT311-3.2.2-4]
  // Empty when 3.x has no code for it, or an MQTT 5 client no room: then the end is the answer. [MQTT311-3.2.2-6]
  client.transport.write(encodeConnack(fields, client.version, client.maxPacketBytes))
  client.disconnect(reasonCode, text, clause)
}

/** A CONNECT that could not be read: an answer only where its version is certain. [MQTT5-4.13.1-1] [MQTT311-3.1.4-1] */
function refuseMalformed(client: MqttConnection, bytes: Uint8Array, error: ProtocolError): void {
  if (error.reasonCode === ReasonCode.unsupportedProtocolVersion) {
    // A client that speaks no version of ours is told in the oldest and in the newest words it may know. [MQTT311-3.1.2-2]
    client.version = 4
    return refuseConnect(client, error.reasonCode, error.detail, error.clause)
  }
  client.version = levelOf(bytes) === 5 ? 5 : 4
  // A client identifier is refused by name in every version. [MQTT311-3.1.3-8] [MQTT31-3.2-b]
  if (client.version === 5 || error.reasonCode === ReasonCode.clientIdentifierNotValid) {
    return refuseConnect(client, error.reasonCode, error.detail, error.clause)
  }
  throw error
}

/** Protocol level as far as it can be read; 0 when it cannot. */
function levelOf(bytes: Uint8Array): number {
  let at = 1
  while (at < bytes.length && bytes[at]! > 127) at++
  const nameAt = at + 3
  const nameLength = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  return bytes[nameAt + nameLength] ?? 0
}
