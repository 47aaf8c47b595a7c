/**
 * Is this control packet one that the specification lets a client send? Checked on the complete frame, field by field
 * and to the byte, before mqtt-packet sees it: that parser takes packet id 0, an empty SUBSCRIBE, bytes left over and
 * invalid UTF-8.
 *
 * Each packet type is a row: the fixed header's flags and, per version, the steps that read its fields in order.
 */

import { checkConnect } from './check-connect.ts'
import { clauseFor } from './clauses.ts'
import type { Clauses } from './clauses.ts'
import { ProtocolError } from './errors.ts'
import { FrameReader, LIMIT, MINIMAL } from './frame-reader.ts'
import { FILTERS_PER_PACKET_MAX } from './limits.ts'
import { canCarry, ReasonCode, reasonText } from './reason-codes.ts'
import type { ReasonPacket } from './reason-codes.ts'
import { isShared, parseFilter } from './topics.ts'
import type { MqttVersion } from './types.ts'
import { isMinimalVarint, readVarint, varintBytes, varintValue } from './varint.ts'

/** Control packet types: the upper half of a packet's first byte. */
export const PacketType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const

const PACKET_NAMES = [
  'reserved packet type 0',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
] as const

type Step = (reader: FrameReader) => void

interface Layout {
  /** The lower half of the first byte. */
  readonly flags: number
  /** Bits of it that MQTT 3.1 sets on retries or does not use; they may be anything there. */
  readonly free31: number
  readonly flagsClause: Clauses
  /** Absent: the version does not have this packet. */
  readonly steps: Readonly<Partial<Record<MqttVersion, readonly Step[]>>>
}

const RESERVED_FLAGS: Clauses = ['MQTT31 §2.1', 'MQTT311-2.2.2-2', 'MQTT5-2.1.3-1']
const NO_SUCH_PACKET: Clauses = ['MQTT31-2.1-a', 'MQTT311 §2.2.1', 'MQTT5 §2.1.2']
const SECOND_CONNECT: Clauses = ['MQTT31 §3.1', 'MQTT311-3.1.0-2', 'MQTT5-3.1.0-2']
const ONE_FILTER: Clauses = ['MQTT31 §3.8', 'MQTT311-3.8.3-3', 'MQTT5-3.8.3-2']
const ONE_FILTER_OFF: Clauses = ['MQTT31 §3.10', 'MQTT311-3.10.3-2', 'MQTT5-3.10.3-2']
const QOS: Clauses = ['MQTT31-3.8-c', 'MQTT311-3.8.3-4', 'MQTT5-3.8.3.1-a']
const OPTION_BITS: Clauses = ['MQTT31 §3.8', 'MQTT311-3.8.3-4', 'MQTT5-3.8.3-5']

/** SUBSCRIBE options byte: bits 7-6 reserved, 5-4 retain handling, 3 retain as published, 2 no local, 1-0 QoS. */
const QOS_MASK = 0b11
const NO_LOCAL = 0b100
const RETAIN_HANDLING_MASK = 0b11_0000
const RESERVED_MASK_5 = 0b1100_0000
const RESERVED_MASK_3 = 0b1111_1100

/** SUBSCRIBE and UNSUBSCRIBE of 3.1 are sent with QoS 1, and DUP when repeated. [MQTT31-2.1-b] [MQTT31-3.8-e] */
const DUP_AND_RETAIN = 0b1001
const ALL_FLAGS = 0b1111

const LAYOUTS: Readonly<Partial<Record<number, Layout>>> = {
  [PacketType.subscribe]: {
    flags: 0b0010,
    free31: DUP_AND_RETAIN,
    flagsClause: ['MQTT31-3.8-e', 'MQTT311-3.8.1-1', 'MQTT5-3.8.1-1'],
    steps: {
      3: [packetId, someFilters(ONE_FILTER, [filter, options31])],
      4: [packetId, someFilters(ONE_FILTER, [filter, options311])],
      5: [packetId, properties('SUBSCRIBE'), someFilters(ONE_FILTER, [filterWithOptions5])],
    },
  },
  [PacketType.unsubscribe]: {
    flags: 0b0010,
    free31: DUP_AND_RETAIN,
    flagsClause: ['MQTT31-3.10-c', 'MQTT311-3.10.1-1', 'MQTT5-3.10.1-1'],
    steps: {
      3: [packetId, someFilters(ONE_FILTER_OFF, [filter])],
      4: [packetId, someFilters(ONE_FILTER_OFF, [filter])],
      5: [packetId, properties('UNSUBSCRIBE'), someFilters(ONE_FILTER_OFF, [filter])],
    },
  },
  [PacketType.pingreq]: { flags: 0, free31: ALL_FLAGS, flagsClause: RESERVED_FLAGS, steps: { 3: [], 4: [], 5: [] } },
  [PacketType.disconnect]: {
    flags: 0,
    free31: ALL_FLAGS,
    flagsClause: ['MQTT31 §3.14', 'MQTT311-3.14.1-1', 'MQTT5-3.14.1-1'],
    steps: {
      3: [],
      4: [],
      5: [unlessEmpty([reasonCode('DISCONNECT', 'MQTT5-3.14.2-1'), unlessEmpty([properties('DISCONNECT')])])],
    },
  },
  [PacketType.auth]: {
    flags: 0,
    free31: ALL_FLAGS,
    flagsClause: ['MQTT31 §2.1', 'MQTT311 §2.2.1', 'MQTT5-3.15.1-1'],
    steps: { 5: [reasonCode('AUTH', 'MQTT5-3.15.2-1'), properties('AUTH'), hasAuthMethod] },
  },
}

/**
 * Checks one complete packet of a connected client, fixed header included. `frame.length` is the packet's length.
 * Returns where its properties lie. Throws ProtocolError. PUBLISH and its acknowledgements have checks of their own.
 */
export function checkControl(frame: Uint8Array, version: MqttVersion): FrameReader {
  const type = frame[0]! >> 4
  const layout = LAYOUTS[type]
  const steps = layout?.steps[version]
  if (layout === undefined || steps === undefined) refuseType(type, version)
  const reader = openFrame(frame, version)
  const free = version === 3 ? layout.free31 : 0
  if ((frame[0]! & 0x0f & ~free) !== layout.flags) refuseFlags(frame[0]!, layout.flags, layout.flagsClause, version)
  reader.clearBits(0, free)
  for (const step of steps) step(reader)
  reader.expectEnd()
  return reader
}

/** Checks a CONNECT, which says its version itself. Throws ProtocolError. */
export function checkConnectFrame(frame: Uint8Array): FrameReader {
  const type = frame[0]! >> 4
  if (type !== PacketType.connect) {
    throw new ProtocolError(
      ReasonCode.protocolError,
      'MQTT5-3.1.0-1',
      `${PACKET_NAMES[type]!} came first; a connection begins with CONNECT`,
    )
  }
  const reader = openFrame(frame, 5)
  checkConnect(reader)
  if (reader.version === 3) reader.clearBits(0, ALL_FLAGS)
  else if ((frame[0]! & 0x0f) !== 0) refuseFlags(frame[0]!, 0, RESERVED_FLAGS, reader.version)
  if (reader.version === 5) checkRemainingLength(frame)
  reader.expectEnd()
  return reader
}

/** The frame must be as long as it says: whoever cuts the stream into packets has seen to that. */
function openFrame(frame: Uint8Array, version: MqttVersion): FrameReader {
  const read = readVarint(frame, 1, frame.length)
  const bodyAt = 1 + varintBytes(read)
  const name = PACKET_NAMES[frame[0]! >> 4]!
  if (read === 0 || bodyAt + varintValue(read) !== frame.length) {
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      'MQTT5 §2.1.4',
      `${name}: remaining length is ${varintValue(read)}, but ${frame.length - bodyAt} bytes follow it`,
    )
  }
  if (version === 5 && frame[0]! >> 4 !== PacketType.connect) checkRemainingLength(frame)
  return new FrameReader(frame, name, version, bodyAt)
}

/** MQTT 5 wants the shortest form; 3.1.1 has clients that pad it to a fixed width. */
function checkRemainingLength(frame: Uint8Array): void {
  const read = readVarint(frame, 1, frame.length)
  if (isMinimalVarint(read)) return
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    clauseFor(MINIMAL, 5),
    `${PACKET_NAMES[frame[0]! >> 4]!}: remaining length ${varintValue(read)} is padded to ${varintBytes(read)} bytes`,
  )
}

function refuseType(type: number, version: MqttVersion): never {
  const name = PACKET_NAMES[type]!
  if (type === PacketType.connect) {
    throw new ProtocolError(ReasonCode.protocolError, clauseFor(SECOND_CONNECT, version), 'CONNECT came a second time')
  }
  if (type === 0 || (type === PacketType.auth && version !== 5)) {
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      clauseFor(NO_SUCH_PACKET, version),
      `packet type ${type} does not exist in this version`,
    )
  }
  throw new ProtocolError(
    ReasonCode.protocolError,
    clauseFor(NO_SUCH_PACKET, version),
    `${name} is not a packet that a client may send here`,
  )
}

function refuseFlags(first: number, expected: number, clauses: Clauses, version: MqttVersion): never {
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    clauseFor(clauses, version),
    `${PACKET_NAMES[first >> 4]!}: flags in the first byte are ${first & 0x0f}; they must be ${expected}`,
  )
}

// ── steps ────────────────────────────────────────────────────────────────────

function packetId(reader: FrameReader): void {
  reader.packetId()
}

function properties(place: 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'DISCONNECT' | 'AUTH'): Step {
  return (reader) => reader.propertyBlock(place)
}

/** The steps, unless the packet ends here: MQTT 5 leaves out a reason code 0 and empty properties at the end. */
function unlessEmpty(steps: readonly Step[]): Step {
  return (reader) => {
    if (reader.at < reader.end) for (const step of steps) step(reader)
  }
}

/** The steps that read one filter, once or more, up to the end of the packet. */
function someFilters(clauses: Clauses, steps: readonly Step[]): Step {
  return (reader) => {
    if (reader.at === reader.end) {
      reader.fail(ReasonCode.protocolError, clauses, 'has no topic filter; it must have at least one')
    }
    for (let count = 0; reader.at < reader.end; count++) {
      if (count === FILTERS_PER_PACKET_MAX) {
        const detail = `has more than ${FILTERS_PER_PACKET_MAX} topic filters; send them in several packets`
        reader.fail(ReasonCode.quotaExceeded, LIMIT, detail)
      }
      for (const step of steps) step(reader)
    }
  }
}

function reasonCode(packet: ReasonPacket, clause: string): Step {
  return (reader) => {
    const code = reader.u8('reason code')
    if (canCarry(packet, code, 'client')) return
    throw new ProtocolError(
      ReasonCode.protocolError,
      clause,
      `${packet}: reason code ${code} (${reasonText(code, packet)}) is not one a client may send`,
    )
  }
}

/** [MQTT5-3.15.2.2.2-a] */
function hasAuthMethod(reader: FrameReader): void {
  if (reader.hasProperty(AUTH_METHOD)) return
  throw new ProtocolError(
    ReasonCode.protocolError,
    'MQTT5-3.15.2.2.2-a',
    'AUTH: has no Authentication Method; it must repeat the one of CONNECT',
  )
}

const AUTH_METHOD = 0x15

function filter(reader: FrameReader): void {
  readFilter(reader)
}

function readFilter(reader: FrameReader): string {
  const start = reader.utf8('topic filter')
  const text = reader.text(start)
  parseFilter(text, reader.version)
  return text
}

/** 3.1 does not use the upper six bits; they may hold anything. [MQTT31 §3.8] */
function options31(reader: FrameReader): void {
  reader.clearBits(reader.at, RESERVED_MASK_3)
  checkQos(reader, reader.u8('requested QoS') & QOS_MASK)
}

function options311(reader: FrameReader): void {
  const options = reader.u8('requested QoS')
  if ((options & RESERVED_MASK_3) !== 0) refuseOptionBits(reader, options)
  checkQos(reader, options & QOS_MASK)
}

function filterWithOptions5(reader: FrameReader): void {
  const text = readFilter(reader)
  const options = reader.u8('subscription options')
  if ((options & RESERVED_MASK_5) !== 0) refuseOptionBits(reader, options)
  checkQos(reader, options & QOS_MASK)
  if ((options & RETAIN_HANDLING_MASK) === RETAIN_HANDLING_MASK) {
    reader.fail(ReasonCode.protocolError, RETAIN_HANDLING, 'retain handling is 3; it must be 0, 1 or 2')
  }
  if ((options & NO_LOCAL) !== 0 && isShared(text)) {
    reader.fail(ReasonCode.protocolError, NO_LOCAL_SHARED, 'no local is set on a shared subscription')
  }
}

/** Options that only MQTT 5 has: the other columns are never read. */
const RETAIN_HANDLING: Clauses = ['MQTT31 §3.8', 'MQTT311 §3.8.3', 'MQTT5-3.8.3.1-b']
const NO_LOCAL_SHARED: Clauses = ['MQTT31 §3.8', 'MQTT311 §3.8.3', 'MQTT5-3.8.3-4']

function checkQos(reader: FrameReader, qos: number): void {
  if (qos === 3) reader.fail(ReasonCode.protocolError, QOS, 'requested QoS is 3; it must be 0, 1 or 2')
}

function refuseOptionBits(reader: FrameReader, options: number): never {
  const shown = options.toString(2).padStart(8, '0')
  reader.fail(ReasonCode.malformedPacket, OPTION_BITS, `reserved bits are set in the subscription options ${shown}`)
}
