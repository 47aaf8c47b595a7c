/**
 * Control packets in our own words. The codec turns bytes into these and back; nothing outside the codec sees
 * mqtt-packet's objects. PUBLISH and its acknowledgements have their own in-place path and are not here.
 *
 * Every field is always present, so that objects of one type have one shape; what the wire left out is filled with
 * the default the specification names, or `undefined` where it names none.
 */

/** Protocol level: 3 is MQTT 3.1 (MQIsdp), 4 is 3.1.1. */
export type MqttVersion = 3 | 4 | 5
export type QoS = 0 | 1 | 2

/** In wire order; keys may repeat. [MQTT5-3.1.3-10] */
export type UserProperties = ReadonlyArray<readonly [key: string, value: string]>

/** Session Expiry Interval of a session that never expires. [MQTT5 §3.1.2.11.2] */
export const SESSION_NEVER_EXPIRES = 0xffff_ffff
/** Largest packet the format can express, in bytes: type byte, four length bytes, 268,435,455 more. */
export const PACKET_BYTES_LIMIT = 268_435_460

export interface WillMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  /** 0 publishes the will when the connection ends. Always 0 before MQTT 5. [MQTT5 §3.1.3.2.2] */
  readonly delaySeconds: number
  readonly messageExpirySeconds: number | undefined
  /** 1: the payload is declared UTF-8. */
  readonly payloadFormat: 0 | 1
  /**
   * The end-to-end properties as received, without their length and without delay and expiry: what a PUBLISH of the
   * will carries. `readProperties` decodes them. Empty before MQTT 5.
   */
  readonly propertyBytes: Uint8Array
}

export interface ConnectPacket {
  readonly type: 'connect'
  readonly version: MqttVersion
  /** '' asks the server for one. [MQTT5-3.1.3-6] */
  readonly clientId: string
  /** Clean Session in 3.x. */
  readonly cleanStart: boolean
  /** 0 turns keep-alive off. */
  readonly keepAliveSeconds: number
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  readonly will: WillMessage | undefined
  /** 3.x: 0 for a clean session, otherwise `SESSION_NEVER_EXPIRES`. */
  readonly sessionExpirySeconds: number
  /** QoS 1 and 2 messages the client takes without acknowledging; 65,535 unless it says less. */
  readonly receiveMaximum: number
  /** Largest packet the client takes; `PACKET_BYTES_LIMIT` unless it says less. */
  readonly maxPacketBytes: number
  /** Topic aliases the client takes; 0 means none may be sent. */
  readonly topicAliasMax: number
  readonly requestResponseInformation: boolean
  /** False: reason strings and user properties may only stand in PUBLISH, CONNACK and DISCONNECT. [MQTT5-3.1.2-29] */
  readonly requestProblemInformation: boolean
  readonly userProperties: UserProperties
  readonly authMethod: string | undefined
  readonly authData: Uint8Array | undefined
}

export interface FilterRequest {
  readonly filter: string
  readonly qos: QoS
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  /** 0: send retained messages, 1: only for a new subscription, 2: never. [MQTT5 §3.8.3.1] */
  readonly retainHandling: 0 | 1 | 2
}

export interface SubscribePacket {
  readonly type: 'subscribe'
  readonly packetId: number
  /** 1…268,435,455. */
  readonly subscriptionId: number | undefined
  readonly userProperties: UserProperties
  /** At least one, in wire order, repeats included. */
  readonly requests: readonly FilterRequest[]
}

export interface UnsubscribePacket {
  readonly type: 'unsubscribe'
  readonly packetId: number
  readonly userProperties: UserProperties
  /** At least one, in wire order, repeats included. */
  readonly filters: readonly string[]
}

export interface PingreqPacket {
  readonly type: 'pingreq'
}

/** From a client. 3.x DISCONNECT has no fields and reads as reason code 0. */
export interface DisconnectPacket {
  readonly type: 'disconnect'
  readonly reasonCode: number
  /** Replaces the interval of CONNECT. */
  readonly sessionExpirySeconds: number | undefined
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

/** From a client: 0x18 continues, 0x19 re-authenticates. */
export interface AuthPacket {
  readonly type: 'auth'
  readonly reasonCode: number
  readonly authMethod: string
  readonly authData: Uint8Array | undefined
  readonly reasonString: string | undefined
  readonly userProperties: UserProperties
}

/** What a client may send between CONNECT and the end, besides PUBLISH and its acknowledgements. */
export type ControlPacket = SubscribePacket | UnsubscribePacket | PingreqPacket | DisconnectPacket | AuthPacket

// ── server → client ──────────────────────────────────────────────────────────
// Optional fields are left off the wire; `undefined` is the same as absent.

/** May be dropped to fit the client's maximum packet size. */
export interface Diagnostics {
  readonly reasonString?: string | undefined
  readonly userProperties?: UserProperties | undefined
}

export interface ConnackFields extends Diagnostics {
  readonly sessionPresent: boolean
  /** MQTT 5 code; translated for 3.x. */
  readonly reasonCode: number
  readonly sessionExpirySeconds?: number | undefined
  readonly receiveMaximum?: number | undefined
  /** Left off when 2. [MQTT5 §3.2.2.3.4] */
  readonly maximumQos?: 0 | 1 | undefined
  readonly retainAvailable?: boolean | undefined
  readonly maxPacketBytes?: number | undefined
  readonly assignedClientId?: string | undefined
  readonly topicAliasMax?: number | undefined
  readonly wildcardSubscriptionAvailable?: boolean | undefined
  readonly subscriptionIdentifiersAvailable?: boolean | undefined
  readonly sharedSubscriptionAvailable?: boolean | undefined
  readonly serverKeepAliveSeconds?: number | undefined
  readonly responseInformation?: string | undefined
  readonly serverReference?: string | undefined
  readonly authMethod?: string | undefined
  readonly authData?: Uint8Array | undefined
}

export interface SubackFields extends Diagnostics {
  readonly packetId: number
  /** One MQTT 5 code per filter, in order; translated for 3.x. [MQTT5-3.9.3-1] */
  readonly reasonCodes: readonly number[]
}

export interface UnsubackFields extends Diagnostics {
  readonly packetId: number
  /** One per filter, in order; 3.x has none on the wire. [MQTT5-3.11.3-1] */
  readonly reasonCodes: readonly number[]
}

/** Only MQTT 5 clients hear a DISCONNECT from the server. */
export interface ServerDisconnectFields extends Diagnostics {
  readonly reasonCode: number
  readonly serverReference?: string | undefined
}

export interface ServerAuthFields extends Diagnostics {
  readonly reasonCode: number
  readonly authMethod: string
  readonly authData?: Uint8Array | undefined
}
