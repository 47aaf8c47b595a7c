/** What the operator may choose about MQTT; apps/broker fills it from the configuration. */
import type { BindingSpec } from '@ternmq/core'
import type { QoS } from './codec/types.ts'

export interface MqttSettings {
  /** Largest packet accepted, fixed header included; announced to MQTT 5 clients. [MQTT5-3.2.2.3.6] */
  readonly maxPacketBytes: number
  /** Highest QoS that clients may publish with, and that subscriptions are granted; announced to MQTT 5 clients. [MQTT5-3.2.2-9] */
  readonly maxQos: QoS
  /**
   * QoS, at most, of messages of other protocols whose publisher did not ask that they be kept: such a message is never dropped on its
   * way here, and 0 hands it out as MQTT's own at most once. Of subscriptions made from now on.
   */
  readonly foreignTransientQos: 0 | 1
  /** False: retained messages, wildcards, subscription identifiers, shared subscriptions are refused. [MQTT5 §3.2.2.3] */
  readonly retainAvailable: boolean
  readonly wildcardSubscriptionsAvailable: boolean
  readonly subscriptionIdentifiersAvailable: boolean
  readonly sharedSubscriptionsAvailable: boolean
  /** Longest topic name and topic filter, in bytes of UTF-8. */
  readonly maxTopicBytes: number
  /** QoS 2 publishes that a client may have open; announced to MQTT 5 clients. [MQTT5-3.2.2.3.3] */
  readonly receiveMaximum: number
  /** Topic aliases a client may set. [MQTT5-3.2.2.3.8] */
  readonly topicAliasMax: number
  /** Topic aliases we set towards a client that allows them, at most. */
  readonly outboundTopicAliasMax: number
  /** Longest keep-alive in seconds; a client that asks for more, or for none, gets this. 0 leaves it to the client. [MQTT5-3.1.2-21] */
  readonly keepAliveMaxSeconds: number
  /** Longest session expiry in seconds; also that of MQTT 3 sessions, which cannot say. */
  readonly sessionExpiryMaxSeconds: number
  readonly maxTopicLevels: number
  readonly maxClientIdBytes: number
  /** Hold MQTT 3.1 clients to ids of at most 23 characters, as 3.1 wants. [MQTT31-3.1-c] [ADR-0004] */
  readonly strictClientIds: boolean
  /** How long a connection may take to say CONNECT. */
  readonly handshakeTimeoutMs: number
  /** How long a packet may take from its first byte to its last. */
  readonly packetTimeoutMs: number
  /** QoS 1 and 2 messages handed to an MQTT 3 client before it acknowledges; an MQTT 5 client says its own maximum. */
  readonly mqtt3ReceiveMaximum: number
}

export const DEFAULT_MQTT_SETTINGS: MqttSettings = {
  maxPacketBytes: 1_048_576,
  maxQos: 2,
  foreignTransientQos: 1,
  retainAvailable: true,
  wildcardSubscriptionsAvailable: true,
  subscriptionIdentifiersAvailable: true,
  sharedSubscriptionsAvailable: true,
  maxTopicBytes: 65_535,
  receiveMaximum: 1_024,
  topicAliasMax: 32,
  outboundTopicAliasMax: 32,
  keepAliveMaxSeconds: 0,
  sessionExpiryMaxSeconds: 604_800,
  maxTopicLevels: 128,
  maxClientIdBytes: 1_024,
  strictClientIds: false,
  handshakeTimeoutMs: 10_000,
  packetTimeoutMs: 60_000,
  mqtt3ReceiveMaximum: 65_535,
}

/** Resolution of time limits: keep-alive, CONNECT, packets. */
export const WHEEL_TICK_MS = 500

/** All that MQTT itself sends at QoS 1 or 2 is to be kept; only what other protocols send may be transient and yet not dropped. */
export function transientMaxOf({ foreignTransientQos }: MqttSettings): Pick<BindingSpec, 'transientMax'> {
  return foreignTransientQos === 0 ? { transientMax: 0 } : {}
}
