/**
 * MQTT 5 reason codes: names, the packets each may stand in, and what they become for MQTT 3.1 and 3.1.1 clients.
 * One table; the lookups used per packet are derived from it once.
 */

import type { MqttVersion } from './types.ts'

/** Packets that carry reason codes. */
export type ReasonPacket =
  | 'CONNACK'
  | 'PUBACK'
  | 'PUBREC'
  | 'PUBREL'
  | 'PUBCOMP'
  | 'SUBACK'
  | 'UNSUBACK'
  | 'DISCONNECT'
  | 'AUTH'

/** Codes by name. 0x00 has three names on the wire; they stay three here, because call sites read better. */
export const ReasonCode = {
  success: 0x00,
  normalDisconnection: 0x00,
  grantedQos0: 0x00,
  grantedQos1: 0x01,
  grantedQos2: 0x02,
  disconnectWithWill: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reAuthenticate: 0x19,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecificError: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  banned: 0x8a,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierInUse: 0x91,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  retainNotSupported: 0x9a,
  qosNotSupported: 0x9b,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  maximumConnectTime: 0xa0,
  subscriptionIdentifiersNotSupported: 0xa1,
  wildcardSubscriptionsNotSupported: 0xa2,
} as const

export type ReasonCodeName = keyof typeof ReasonCode

interface ReasonCodeRow {
  readonly code: number
  /** The name of MQTT 5 table 2-6. */
  readonly text: string
  readonly packets: readonly ReasonPacket[]
  /** DISCONNECT and AUTH codes are split by sender; every other packet has one direction or treats both alike. */
  readonly sender?: 'client' | 'server'
}

/** [MQTT5 §2.4, table 2-6]; the senders are from §3.14.2.1, table 3-10, and §3.15.2.1, table 3-11. */
export const REASON_CODES: readonly ReasonCodeRow[] = [
  { code: 0x00, text: 'Success', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'UNSUBACK'] },
  { code: 0x00, text: 'Success', packets: ['AUTH'], sender: 'server' },
  { code: 0x00, text: 'Normal disconnection', packets: ['DISCONNECT'] },
  { code: 0x00, text: 'Granted QoS 0', packets: ['SUBACK'] },
  { code: 0x01, text: 'Granted QoS 1', packets: ['SUBACK'] },
  { code: 0x02, text: 'Granted QoS 2', packets: ['SUBACK'] },
  { code: 0x04, text: 'Disconnect with Will Message', packets: ['DISCONNECT'], sender: 'client' },
  { code: 0x10, text: 'No matching subscribers', packets: ['PUBACK', 'PUBREC'] },
  { code: 0x11, text: 'No subscription existed', packets: ['UNSUBACK'] },
  { code: 0x18, text: 'Continue authentication', packets: ['AUTH'] },
  { code: 0x19, text: 'Re-authenticate', packets: ['AUTH'], sender: 'client' },
  {
    code: 0x80,
    text: 'Unspecified error',
    packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK', 'DISCONNECT'],
  },
  { code: 0x81, text: 'Malformed Packet', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x82, text: 'Protocol Error', packets: ['CONNACK', 'DISCONNECT'] },
  {
    code: 0x83,
    text: 'Implementation specific error',
    packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK', 'DISCONNECT'],
  },
  { code: 0x84, text: 'Unsupported Protocol Version', packets: ['CONNACK'] },
  { code: 0x85, text: 'Client Identifier not valid', packets: ['CONNACK'] },
  { code: 0x86, text: 'Bad User Name or Password', packets: ['CONNACK'] },
  { code: 0x87, text: 'Not authorized', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK'] },
  { code: 0x87, text: 'Not authorized', packets: ['DISCONNECT'], sender: 'server' },
  { code: 0x88, text: 'Server unavailable', packets: ['CONNACK'] },
  { code: 0x89, text: 'Server busy', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x8a, text: 'Banned', packets: ['CONNACK'] },
  { code: 0x8b, text: 'Server shutting down', packets: ['DISCONNECT'], sender: 'server' },
  { code: 0x8c, text: 'Bad authentication method', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x8d, text: 'Keep Alive timeout', packets: ['DISCONNECT'], sender: 'server' },
  { code: 0x8e, text: 'Session taken over', packets: ['DISCONNECT'], sender: 'server' },
  { code: 0x8f, text: 'Topic Filter invalid', packets: ['SUBACK', 'UNSUBACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x90, text: 'Topic Name invalid', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'DISCONNECT'] },
  { code: 0x91, text: 'Packet Identifier in use', packets: ['PUBACK', 'PUBREC', 'SUBACK', 'UNSUBACK'] },
  { code: 0x92, text: 'Packet Identifier not found', packets: ['PUBREL', 'PUBCOMP'] },
  { code: 0x93, text: 'Receive Maximum exceeded', packets: ['DISCONNECT'] },
  { code: 0x94, text: 'Topic Alias invalid', packets: ['DISCONNECT'] },
  { code: 0x95, text: 'Packet too large', packets: ['CONNACK', 'DISCONNECT'] },
  { code: 0x96, text: 'Message rate too high', packets: ['DISCONNECT'] },
  { code: 0x97, text: 'Quota exceeded', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'SUBACK', 'DISCONNECT'] },
  { code: 0x98, text: 'Administrative action', packets: ['DISCONNECT'] },
  { code: 0x99, text: 'Payload format invalid', packets: ['CONNACK', 'PUBACK', 'PUBREC', 'DISCONNECT'] },
  { code: 0x9a, text: 'Retain not supported', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x9b, text: 'QoS not supported', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x9c, text: 'Use another server', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x9d, text: 'Server moved', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x9e, text: 'Shared Subscriptions not supported', packets: ['SUBACK', 'DISCONNECT'], sender: 'server' },
  { code: 0x9f, text: 'Connection rate exceeded', packets: ['CONNACK', 'DISCONNECT'], sender: 'server' },
  { code: 0xa0, text: 'Maximum connect time', packets: ['DISCONNECT'], sender: 'server' },
  { code: 0xa1, text: 'Subscription Identifiers not supported', packets: ['SUBACK', 'DISCONNECT'], sender: 'server' },
  { code: 0xa2, text: 'Wildcard Subscriptions not supported', packets: ['SUBACK', 'DISCONNECT'], sender: 'server' },
]

/** 'PUBACK client' → one flag per code, so that a check on the acknowledgement path is one array read. */
const ALLOWED: Record<ReasonPacket, Record<'client' | 'server', Uint8Array>> = (() => {
  const packets: ReasonPacket[] = [
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
  const flags = (packet: ReasonPacket, sender: 'client' | 'server'): Uint8Array => {
    const allowed = new Uint8Array(256)
    for (const row of REASON_CODES) {
      if (row.packets.includes(packet) && (row.sender ?? sender) === sender) allowed[row.code] = 1
    }
    return allowed
  }
  return Object.fromEntries(
    packets.map((packet) => [packet, { client: flags(packet, 'client'), server: flags(packet, 'server') }]),
  ) as Record<ReasonPacket, Record<'client' | 'server', Uint8Array>>
})()

/** Whether `sender` may put `code` into `packet`. [MQTT5-3.4.2-1] and its siblings per packet. */
export function canCarry(packet: ReasonPacket, code: number, sender: 'client' | 'server'): boolean {
  return ALLOWED[packet][sender][code] === 1
}

/** The specification's name for `code`, as it reads in `packet`; '0x7f' for a code that has none. */
export function reasonText(code: number, packet?: ReasonPacket): string {
  const row = REASON_CODES.find((r) => r.code === code && (packet === undefined || r.packets.includes(packet)))
  return row?.text ?? `0x${code.toString(16).padStart(2, '0')}`
}

/**
 * CONNACK return code for an MQTT 3.1 or 3.1.1 client; undefined where 3.x has no code and the connection is closed
 * without a CONNACK. [MQTT311 §3.2.2.3, table 3.1] [MQTT31 §3.2]
 */
export function connackReturnCode(reasonCode: number): number | undefined {
  return RETURN_CODES.get(reasonCode)
}

const RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [ReasonCode.success, 0x00],
  [ReasonCode.unsupportedProtocolVersion, 0x01],
  [ReasonCode.clientIdentifierNotValid, 0x02],
  [ReasonCode.serverUnavailable, 0x03],
  [ReasonCode.serverBusy, 0x03],
  [ReasonCode.useAnotherServer, 0x03],
  [ReasonCode.serverMoved, 0x03],
  [ReasonCode.connectionRateExceeded, 0x03],
  [ReasonCode.quotaExceeded, 0x03],
  [ReasonCode.unspecifiedError, 0x03],
  [ReasonCode.implementationSpecificError, 0x03],
  [ReasonCode.badUserNameOrPassword, 0x04],
  [ReasonCode.badAuthenticationMethod, 0x04],
  [ReasonCode.notAuthorized, 0x05],
  [ReasonCode.banned, 0x05],
  // A will that may not be published: the closest 3.x has.
  [ReasonCode.topicNameInvalid, 0x05],
])

/** The only failure a 3.1.1 SUBACK knows. [MQTT311-3.9.3-2] */
const SUBACK_FAILURE = 0x80

/**
 * SUBACK byte for one filter: 5 has the code itself, 3.x one failure code.
 *
 * Deviates from [MQTT31-3.8-d] [MQTT31-3.9-c]: 3.1 has no failure code and grants what is refused, so that a client waits for
 * messages that never come. It is told, in the words of 3.1.1. [ADR-0004]
 */
export function subackCode(reasonCode: number, version: MqttVersion): number {
  return version === 5 || reasonCode < 0x80 ? reasonCode : SUBACK_FAILURE
}
