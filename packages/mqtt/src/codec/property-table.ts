/**
 * The 27 properties of MQTT 5, as data: number, name, type, where each may stand. `property-check.ts` checks
 * packets against it, `properties.ts` decodes and encodes by it.
 */

import { ReasonCode } from './reason-codes.ts'
import type { UserProperties } from './types.ts'

/** Packets that have properties, and the will inside a CONNECT. */
export type PropertyPlace =
  | 'CONNECT'
  | 'WILL'
  | 'CONNACK'
  | 'PUBLISH'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBSCRIBE'
  | 'SUBACK'
  | 'UNSUBSCRIBE'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH'

export type PropertyType = 'byte' | 'u16' | 'u32' | 'varint' | 'utf8' | 'binary' | 'pair'

/** Decoded properties of any packet. What is absent was not sent. Booleans stay the 0 and 1 of the wire. */
export interface PropertyValues {
  payloadFormat?: number
  messageExpirySeconds?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  /** In PUBLISH one per matching subscription, in SUBSCRIBE at most one. */
  subscriptionIds?: number[]
  sessionExpirySeconds?: number
  assignedClientId?: string
  serverKeepAliveSeconds?: number
  authMethod?: string
  authData?: Uint8Array
  requestProblemInformation?: number
  willDelaySeconds?: number
  requestResponseInformation?: number
  responseInformation?: string
  serverReference?: string
  reasonString?: string
  receiveMaximum?: number
  topicAliasMax?: number
  topicAlias?: number
  maximumQos?: number
  retainAvailable?: number
  userProperties?: UserProperties
  maxPacketBytes?: number
  wildcardSubscriptionAvailable?: number
  subscriptionIdentifiersAvailable?: number
  sharedSubscriptionAvailable?: number
}

export interface PropertySpec {
  readonly id: number
  /** The specification's name. */
  readonly name: string
  readonly field: keyof PropertyValues
  readonly type: PropertyType
  readonly places: readonly PropertyPlace[]
  /** Where it may stand more than once. */
  readonly repeats?: readonly PropertyPlace[]
  /** Smallest and largest number allowed, where the type allows more. */
  readonly range?: readonly [min: number, max: number]
  /** Code for a number out of range, when it is not 0x82. */
  readonly rangeCode?: number
  /** The rule such a number breaks, when it is not `clause`. */
  readonly rangeClause?: string
  /** The rule that it stands once and has a value it may have. */
  readonly clause: string
  /** The same rule where a packet states its own. */
  readonly clauseIn?: Readonly<Partial<Record<PropertyPlace, string>>>
}

const WITH_REASON_STRING: readonly PropertyPlace[] = [
  'CONNACK',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBACK',
  'UNSUBACK',
  'DISCONNECT',
  'AUTH',
]
const EVERYWHERE: readonly PropertyPlace[] = [
  ...WITH_REASON_STRING,
  'CONNECT',
  'WILL',
  'PUBLISH',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
]
const BOOLEAN: readonly [number, number] = [0, 1]

/** [MQTT5 §2.2.2.2, table 2-4] */
export const PROPERTIES: readonly PropertySpec[] = [
  {
    id: 0x01,
    name: 'Payload Format Indicator',
    field: 'payloadFormat',
    type: 'byte',
    range: BOOLEAN,
    places: ['PUBLISH', 'WILL'],
    clause: 'MQTT5 §3.3.2.3.2',
  },
  {
    id: 0x02,
    name: 'Message Expiry Interval',
    field: 'messageExpirySeconds',
    type: 'u32',
    places: ['PUBLISH', 'WILL'],
    clause: 'MQTT5 §3.3.2.3.3',
  },
  {
    id: 0x03,
    name: 'Content Type',
    field: 'contentType',
    type: 'utf8',
    places: ['PUBLISH', 'WILL'],
    clause: 'MQTT5-3.3.2.3.9-a',
  },
  {
    id: 0x08,
    name: 'Response Topic',
    field: 'responseTopic',
    type: 'utf8',
    places: ['PUBLISH', 'WILL'],
    clause: 'MQTT5-3.3.2.3.5-a',
  },
  {
    id: 0x09,
    name: 'Correlation Data',
    field: 'correlationData',
    type: 'binary',
    places: ['PUBLISH', 'WILL'],
    clause: 'MQTT5-3.3.2.3.6-a',
  },
  {
    id: 0x0b,
    name: 'Subscription Identifier',
    field: 'subscriptionIds',
    type: 'varint',
    range: [1, 268_435_455],
    places: ['PUBLISH', 'SUBSCRIBE'],
    repeats: ['PUBLISH'],
    clause: 'MQTT5-3.8.2.1.2-a',
  },
  {
    id: 0x11,
    name: 'Session Expiry Interval',
    field: 'sessionExpirySeconds',
    type: 'u32',
    places: ['CONNECT', 'CONNACK', 'DISCONNECT'],
    clause: 'MQTT5-3.1.2.11.2-a',
    clauseIn: { DISCONNECT: 'MQTT5-3.14.2.2.2-a' },
  },
  {
    id: 0x12,
    name: 'Assigned Client Identifier',
    field: 'assignedClientId',
    type: 'utf8',
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x13,
    name: 'Server Keep Alive',
    field: 'serverKeepAliveSeconds',
    type: 'u16',
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x15,
    name: 'Authentication Method',
    field: 'authMethod',
    type: 'utf8',
    places: ['CONNECT', 'CONNACK', 'AUTH'],
    clause: 'MQTT5-3.1.2.11.9-a',
    clauseIn: { AUTH: 'MQTT5-3.15.2.2.2-a' },
  },
  {
    id: 0x16,
    name: 'Authentication Data',
    field: 'authData',
    type: 'binary',
    places: ['CONNECT', 'CONNACK', 'AUTH'],
    clause: 'MQTT5-3.1.2.11.10-a',
    clauseIn: { AUTH: 'MQTT5-3.15.2.2.3-a' },
  },
  {
    id: 0x17,
    name: 'Request Problem Information',
    field: 'requestProblemInformation',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNECT'],
    clause: 'MQTT5-3.1.2.11.7-a',
  },
  {
    id: 0x18,
    name: 'Will Delay Interval',
    field: 'willDelaySeconds',
    type: 'u32',
    places: ['WILL'],
    clause: 'MQTT5-3.1.3.2-a',
  },
  {
    id: 0x19,
    name: 'Request Response Information',
    field: 'requestResponseInformation',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNECT'],
    clause: 'MQTT5-3.1.2.11.6-a',
  },
  {
    id: 0x1a,
    name: 'Response Information',
    field: 'responseInformation',
    type: 'utf8',
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x1c,
    name: 'Server Reference',
    field: 'serverReference',
    type: 'utf8',
    places: ['CONNACK', 'DISCONNECT'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x1f,
    name: 'Reason String',
    field: 'reasonString',
    type: 'utf8',
    places: WITH_REASON_STRING,
    clause: 'MQTT5-3.2.2.3-a',
    clauseIn: {
      PUBACK: 'MQTT5-3.4.2.2.2-a',
      PUBREC: 'MQTT5-3.5.2.2.2-a',
      PUBREL: 'MQTT5-3.6.2.2.2-a',
      PUBCOMP: 'MQTT5-3.7.2.2.2-a',
      DISCONNECT: 'MQTT5-3.14.2.2.3-a',
      AUTH: 'MQTT5-3.15.2.2.4-a',
    },
  },
  {
    id: 0x21,
    name: 'Receive Maximum',
    field: 'receiveMaximum',
    type: 'u16',
    range: [1, 65_535],
    places: ['CONNECT', 'CONNACK'],
    clause: 'MQTT5-3.1.2.11.3-a',
  },
  {
    id: 0x22,
    name: 'Topic Alias Maximum',
    field: 'topicAliasMax',
    type: 'u16',
    places: ['CONNECT', 'CONNACK'],
    clause: 'MQTT5-3.1.2.11.5-a',
  },
  {
    id: 0x23,
    name: 'Topic Alias',
    field: 'topicAlias',
    type: 'u16',
    range: [1, 65_535],
    rangeCode: ReasonCode.topicAliasInvalid,
    rangeClause: 'MQTT5-3.3.2-8',
    places: ['PUBLISH'],
    clause: 'MQTT5-3.3.2.3.4-a',
  },
  {
    id: 0x24,
    name: 'Maximum QoS',
    field: 'maximumQos',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x25,
    name: 'Retain Available',
    field: 'retainAvailable',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x26,
    name: 'User Property',
    field: 'userProperties',
    type: 'pair',
    places: EVERYWHERE,
    repeats: EVERYWHERE,
    clause: 'MQTT5-1.5.7-1',
  },
  {
    id: 0x27,
    name: 'Maximum Packet Size',
    field: 'maxPacketBytes',
    type: 'u32',
    range: [1, 0xffff_ffff],
    places: ['CONNECT', 'CONNACK'],
    clause: 'MQTT5-3.1.2.11.4-a',
  },
  {
    id: 0x28,
    name: 'Wildcard Subscription Available',
    field: 'wildcardSubscriptionAvailable',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x29,
    name: 'Subscription Identifier Available',
    field: 'subscriptionIdentifiersAvailable',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
  {
    id: 0x2a,
    name: 'Shared Subscription Available',
    field: 'sharedSubscriptionAvailable',
    type: 'byte',
    range: BOOLEAN,
    places: ['CONNACK'],
    clause: 'MQTT5-3.2.2.3-a',
  },
]

/** The table by identifier. */
const BY_ID: ReadonlyArray<PropertySpec | undefined> = Array.from({ length: 0x2b }, (_, id) =>
  PROPERTIES.find((spec) => spec.id === id),
)

/** The property's row, if this version of the protocol knows it. */
export function propertySpec(id: number): PropertySpec | undefined {
  return BY_ID[id]
}
