/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP: four packets of one form, read and written where they lie. mqtt-packet would make an
 * object and an event of each, and they are half of all QoS 1 and QoS 2 traffic.
 */

import { clauseFor } from './clauses.ts'
import type { Clauses } from './clauses.ts'
import { diagnosticsThatFit } from './diagnostics.ts'
import { ProtocolError } from './errors.ts'
import { checkProperties } from './property-check.ts'
import { readProperties, writeProperties } from './properties.ts'
import { canCarry, ReasonCode, reasonText } from './reason-codes.ts'
import type { Diagnostics, MqttVersion } from './types.ts'
import { isMinimalVarint, readVarint, varintBytes, varintSize, varintValue, writeVarint } from './varint.ts'

/** What was read; one object is used again and again. */
export interface AckFields {
  packetId: number
  /** 0 before MQTT 5. */
  reasonCode: number
  /** What a reason code of 0x80 or above says, and the text beside it; of no meaning with another. */
  refusal?: string
}

type AckName = 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP'

/** By packet type, from 4 on. */
const NAMES: readonly AckName[] = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP']
const PUBACK = 4
const PUBREL = 6
/** PUBREL has a flag set; the others have none. */
const PUBREL_FLAGS = 0b0010

/** Packet id alone: what 3.x sends, and 5 when the reason code is 0 and there is nothing else to say. */
const SHORT_BYTES = 2

const PACKET_ID: Clauses = ['MQTT31-2.4-d', 'MQTT311-2.3.1-6', 'MQTT5-2.2.1-5']
const LENGTH: Clauses = ['MQTT31 §2.1', 'MQTT311-4.8.0-1', 'MQTT5-4.13.1-1']
const FLAGS: Clauses = ['MQTT31 §2.1', 'MQTT311-2.2.2-2', 'MQTT5-2.1.3-1']
const PUBREL_FLAGS_CLAUSE: Clauses = ['MQTT31-3.6-a', 'MQTT311-3.6.1-1', 'MQTT5-3.6.1-1']

/** Which rule a reason code outside the packet's list breaks. */
const REASON_CLAUSES: Record<AckName, string> = {
  PUBACK: 'MQTT5-3.4.2-1',
  PUBREC: 'MQTT5-3.5.2-1',
  PUBREL: 'MQTT5-3.6.2-1',
  PUBCOMP: 'MQTT5-3.7.2-1',
}

/**
 * Reads an acknowledgement into `ack`. `bytes[start]` is the fixed header, the variable header is `bytes[at, end)`.
 * Checks flags, length, id, and in MQTT 5 reason code and properties. Throws ProtocolError. Hot path.
 */
export function readAck(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  version: MqttVersion,
  ack: AckFields,
): void {
  const type = bytes[start]! >> 4
  const flags = type === PUBREL ? PUBREL_FLAGS : 0
  // 3.1 sets DUP on a repeated PUBREL and does not use the other bits. [MQTT31-2.1-b]
  if ((bytes[start]! & 0x0f) !== flags && version !== 3) refuseFlags(bytes[start]!, flags, version)
  const length = end - at
  if (length < SHORT_BYTES || (length > SHORT_BYTES && version !== 5)) refuseLength(type, length, version)
  const packetId = (bytes[at]! << 8) | bytes[at + 1]!
  if (packetId === 0) refuseId(type, version)
  ack.packetId = packetId
  ack.reasonCode = 0
  if (length > SHORT_BYTES) readReason(bytes, at + SHORT_BYTES, end, type, ack)
}

/** Reason code and, from four bytes on, properties. [MQTT5 §3.4.2.2.1] */
function readReason(bytes: Uint8Array, at: number, end: number, type: number, ack: AckFields): void {
  const name = NAMES[type - PUBACK]!
  const reasonCode = bytes[at]!
  if (!canCarry(name, reasonCode, 'client')) {
    throw new ProtocolError(
      ReasonCode.protocolError,
      REASON_CLAUSES[name],
      `${name}: reason code ${reasonText(reasonCode)} is not one of its codes`,
    )
  }
  ack.reasonCode = reasonCode
  if (reasonCode >= 0x80) ack.refusal = reasonText(reasonCode, name)
  const lengthAt = at + 1
  if (lengthAt === end) return
  const read = readVarint(bytes, lengthAt, end)
  const propertiesAt = lengthAt + varintBytes(read)
  if (read === 0 || propertiesAt + varintValue(read) !== end) {
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      'MQTT5-2.2.2.2-a',
      `${name}: property length is ${varintValue(read)}, but ${end - propertiesAt} bytes follow it`,
    )
  }
  if (!isMinimalVarint(read)) {
    throw new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-1.5.5-1', `${name}: property length is padded`)
  }
  checkProperties(bytes, propertiesAt, end, name)
  if (reasonCode < 0x80) return
  const { reasonString = '' } = readProperties(bytes, propertiesAt, end)
  if (reasonString !== '') ack.refusal += `: ${reasonString}`
}

/** Bytes that `writeAck` will write. Hot path. */
export function ackSize(reasonCode: number, version: MqttVersion): number {
  return reasonCode === 0 || version !== 5 ? 2 + SHORT_BYTES : 3 + SHORT_BYTES
}

/**
 * Writes an acknowledgement without properties and returns the offset behind it. `first` is the first byte of the packet,
 * flags included. Before MQTT 5 the reason code has no place and is left out. Hot path.
 */
export function writeAck(
  slab: Uint8Array,
  at: number,
  first: number,
  packetId: number,
  reasonCode: number,
  version: MqttVersion,
): number {
  const hasReason = reasonCode !== 0 && version === 5
  slab[at] = first
  slab[at + 1] = hasReason ? SHORT_BYTES + 1 : SHORT_BYTES
  slab[at + 2] = packetId >> 8
  slab[at + 3] = packetId & 0xff
  if (!hasReason) return at + 4
  slab[at + 4] = reasonCode
  return at + 5
}

/**
 * An MQTT 5 acknowledgement with a reason. Reason string and user properties are dropped when the packet would be larger
 * than the client takes. [MQTT5-3.4.2-2] [MQTT5-3.4.2-3] and their siblings in §3.5 to §3.7
 */
export function encodeAck(first: number, fields: AckFields & Diagnostics, maxPacketBytes: number): Uint8Array {
  return diagnosticsThatFit(fields, maxPacketBytes, (kept) => {
    const properties = writeProperties(kept)
    if (properties.length === 0) {
      const frame = new Uint8Array(ackSize(fields.reasonCode, 5))
      writeAck(frame, 0, first, fields.packetId, fields.reasonCode, 5)
      return frame
    }
    const remaining = SHORT_BYTES + 1 + varintSize(properties.length) + properties.length
    const frame = new Uint8Array(1 + varintSize(remaining) + remaining)
    frame[0] = first
    let at = writeVarint(frame, 1, remaining)
    frame[at++] = fields.packetId >> 8
    frame[at++] = fields.packetId & 0xff
    frame[at++] = fields.reasonCode
    frame.set(properties, writeVarint(frame, at, properties.length))
    return frame
  })
}

function refuseFlags(first: number, expected: number, version: MqttVersion): never {
  const type = first >> 4
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    clauseFor(type === PUBREL ? PUBREL_FLAGS_CLAUSE : FLAGS, version),
    `${NAMES[type - PUBACK]!}: flags in the first byte are ${first & 0x0f}; they must be ${expected}`,
  )
}

function refuseLength(type: number, length: number, version: MqttVersion): never {
  const expected = version === 5 ? 'at least 2' : '2'
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    clauseFor(LENGTH, version),
    `${NAMES[type - PUBACK]!}: remaining length is ${length}; it must be ${expected}`,
  )
}

function refuseId(type: number, version: MqttVersion): never {
  throw new ProtocolError(
    ReasonCode.protocolError,
    clauseFor(PACKET_ID, version),
    `${NAMES[type - PUBACK]!}: packet identifier is 0; it must be 1 to 65535`,
  )
}
