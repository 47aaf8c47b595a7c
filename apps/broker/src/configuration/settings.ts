/** From the configuration to what each package wants to know. */
import type { AmqpSettings } from '@ternmq/amqp10'
import type { AuthenticatorOptions, ListenerAccess } from '@ternmq/auth'
import {
  allowsAnonymous,
  type BrokerConfig,
  type ListenerConfig,
  listenersOf,
  type NamedListener,
  type StoreConfig,
  type WithProfile,
} from '@ternmq/config'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '@ternmq/core'
import type { MqttSettings } from '@ternmq/mqtt'
import type { StompSettings } from '@ternmq/stomp'
import type { JournalOptions } from '@ternmq/store/journal'
import type { ListenerSettings } from '@ternmq/transport'

import { VERSION } from '../version.ts'

/** As a session expiry in the configuration it means 'never', as in MQTT. [MQTT5 §3.1.2.11.2] */
const NEVER_EXPIRES_SECONDS = 4_294_967_295

/** What MQTT connections of one listener go by. */
export function toMqttSettings({ mqtt, limits }: BrokerConfig, listener: ListenerConfig): MqttSettings {
  return {
    maxPacketBytes: Math.min(mqtt.maxPacketBytes, limits.maxMessageBytes),
    maxQos: mqtt.maxQos as MqttSettings['maxQos'],
    foreignTransientQos: mqtt.foreignTransientQos as MqttSettings['foreignTransientQos'],
    retainAvailable: mqtt.retainAvailable,
    wildcardSubscriptionsAvailable: mqtt.wildcardSubscriptionsAvailable,
    subscriptionIdentifiersAvailable: mqtt.subscriptionIdentifiersAvailable,
    sharedSubscriptionsAvailable: mqtt.sharedSubscriptionsAvailable,
    maxTopicBytes: mqtt.maxTopicBytes,
    receiveMaximum: mqtt.receiveMaximum,
    topicAliasMax: mqtt.topicAliasMax,
    outboundTopicAliasMax: mqtt.outboundTopicAliasMax,
    keepAliveMaxSeconds: mqtt.keepAliveMaxSeconds,
    sessionExpiryMaxSeconds:
      mqtt.sessionExpiryMaxSeconds === NEVER_EXPIRES_SECONDS ? Infinity : mqtt.sessionExpiryMaxSeconds,
    maxTopicLevels: mqtt.maxTopicLevels,
    maxClientIdBytes: mqtt.maxClientIdBytes,
    strictClientIds: mqtt.strictClientIds,
    handshakeTimeoutMs: listener.handshakeTimeoutMs,
    packetTimeoutMs: mqtt.packetTimeoutMs,
    mqtt3ReceiveMaximum: mqtt.mqtt3ReceiveMaximum,
  }
}

/** What STOMP connections of one listener go by. */
export function toStompSettings({ stomp, limits }: BrokerConfig, listener: ListenerConfig & Partial<WithProfile>): StompSettings {
  return {
    ...stomp,
    profile: listener.profile ?? 'activemq',
    maxBodyBytes: Math.min(stomp.maxBodyBytes, limits.maxMessageBytes),
    handshakeTimeoutMs: listener.handshakeTimeoutMs,
    serverName: `TernMQ/${VERSION}`,
  }
}

/** What AMQP connections of one listener go by. */
export function toAmqpSettings({ amqp, limits }: BrokerConfig, listener: ListenerConfig & Partial<WithProfile>): AmqpSettings {
  return {
    ...amqp,
    profile: listener.profile ?? 'activemq',
    maxMessageBytes: Math.min(amqp.maxMessageBytes, limits.maxMessageBytes),
    handshakeTimeoutMs: listener.handshakeTimeoutMs,
    firstNumber: 0,
    product: 'TernMQ',
    version: VERSION,
  }
}

export function toCoreLimits({ limits, mqtt, queues }: BrokerConfig): CoreLimits {
  return {
    sessionsMax: limits.sessionsMax,
    bindingsPerSessionMax: mqtt.maxSubscriptionsPerSession,
    consumersPerSessionMax: limits.consumersPerSessionMax,
    selectorCostPerSessionMax: limits.selectorCostPerSessionMax,
    queuedMessagesMax: mqtt.maxQueuedMessages,
    queuedBytesMax: mqtt.maxQueuedBytes,
    queuedBytesTotalMax: limits.waitingBytesMax,
    unsettledBytesMax: limits.unsettledBytesMax,
    messageBytesMax: limits.maxMessageBytes,
    unfinishedBytesMax: limits.unfinishedBytesMax,
    heldMessagesMax: DEFAULT_CORE_LIMITS.heldMessagesMax,
    heldBytesMax: limits.connectionParkedBytesMax,
    transactionBytesMax: limits.transactionBytesMax,
    transactionAgeMaxMs: limits.transactionAgeMaxMs,
    queuesMax: limits.queuesMax,
    queuesAutoCreate: queues.autoCreate,
    retainedMessagesMax: limits.retainedMessagesMax,
    retainedBytesMax: limits.retainedBytesMax,
  }
}

/** How logins are judged, but for users and clock. */
export function toLoginSettings(config: BrokerConfig): Omit<AuthenticatorOptions, 'users' | 'clock'> {
  return {
    listeners: Object.fromEntries(listenersOf(config).map(([name, listener]) => [name, toListenerAccess(listener)])),
    hashesMax: config.auth.hashConcurrency,
    hashesWaitingMax: config.auth.hashQueueMax,
  }
}

/** What of a listener may change while it runs. */
export function toListenerSettings(listener: ListenerConfig): ListenerSettings {
  return {
    connectionsMax: listener.maxConnections,
    connectionsPerAddressMax: listener.maxConnectionsPerAddress,
    handshakeMs: listener.handshakeTimeoutMs,
  }
}

/** Bytes that the memory engine may hold: what may be retained, and what may wait. */
export function toEngineBytes({ limits }: BrokerConfig): number {
  return limits.retainedBytesMax + limits.waitingBytesMax
}

/** What of a journal may be chosen. */
export function toJournalOptions({ segmentBytes, maxBytes, minFreeBytes }: StoreConfig): JournalOptions {
  return { segmentBytes, maxBytes, minFreeBytes }
}

function toListenerAccess(listener: NamedListener[1]): ListenerAccess {
  const anonymous = allowsAnonymous(listener)
  const { tls } = listener
  if (tls === undefined || tls.identity === 'none') return { anonymous }
  return { anonymous, certificate: { field: tls.identity, mustBeUser: tls.identityMustBeUser } }
}
