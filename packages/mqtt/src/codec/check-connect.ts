/**
 * The fields of CONNECT, whose presence depends on its version and flags. [MQTT5 §3.1] [MQTT311 §3.1] [MQTT31 §3.1]
 *
 * MQTT 3.1 disregards bits that later versions reserve and allows a user name flag without a user name. mqtt-packet
 * refuses both, so such bits are cleared in the copy it decodes.
 */

import { isUtf8 } from 'node:buffer'

import type { Clauses } from './clauses.ts'
import { ProtocolError, quote } from './errors.ts'
import type { FrameReader } from './frame-reader.ts'
import { readProperties } from './properties.ts'
import { ReasonCode } from './reason-codes.ts'
import { checkTopicName } from './topics.ts'
import type { MqttVersion } from './types.ts'

/** Connect flags. */
const RESERVED = 0b0000_0001
const CLEAN_START = 0b0000_0010
const WILL = 0b0000_0100
const WILL_QOS_MASK = 0b0001_1000
const WILL_RETAIN = 0b0010_0000
const PASSWORD = 0b0100_0000
const USER_NAME = 0b1000_0000

const AUTH_METHOD = 0x15
const AUTH_DATA = 0x16

const RESERVED_FLAG: Clauses = ['MQTT31 §3.1', 'MQTT311-3.1.2-3', 'MQTT5-3.1.2-3']
const WILL_QOS: Clauses = ['MQTT31-2.2-h', 'MQTT311-3.1.2-14', 'MQTT5-3.1.2-12']
const NO_WILL_QOS: Clauses = ['MQTT31-2.2-g', 'MQTT311-3.1.2-13', 'MQTT5-3.1.2-11']
const NO_WILL_RETAIN: Clauses = ['MQTT31-2.2-g', 'MQTT311-3.1.2-15', 'MQTT5-3.1.2-13']
const PASSWORD_ALONE: Clauses = ['MQTT31-2.2-j', 'MQTT311-3.1.2-22', 'MQTT5-3.1.2-19']
const CLIENT_ID: Clauses = ['MQTT31-3.2-b', 'MQTT311-3.1.3-8', 'MQTT5-3.1.3-6']

/** Protocol name and level → version. The pair is what identifies a version, not the level alone. */
const VERSIONS: ReadonlyMap<string, MqttVersion> = new Map<string, MqttVersion>([
  ['MQIsdp 3', 3],
  ['MQTT 4', 4],
  ['MQTT 5', 5],
])

/** Level bit of mosquitto's bridges ("try private"): they come again without it when it is refused. */
const BRIDGE_BIT = 0x80

/** Reads a CONNECT from its variable header to its last field; sets `reader.version`. */
export function checkConnect(reader: FrameReader): void {
  reader.version = readVersion(reader)
  const flagsAt = reader.at
  const flags = checkFlags(reader, reader.u8('connect flags'))
  reader.u16('keep alive')
  if (reader.version === 5) {
    reader.propertyBlock('CONNECT')
    checkAuth(reader)
  }
  checkClientId(reader, (flags & CLEAN_START) !== 0)
  if ((flags & WILL) !== 0) {
    if (reader.version === 5) reader.propertyBlock('WILL')
    checkTopicName(reader.text(reader.utf8('will topic')), reader.version)
    checkWillPayload(reader)
  }
  if ((flags & USER_NAME) !== 0 && !isMissing(reader, flagsAt, USER_NAME | PASSWORD)) reader.utf8('user name')
  if ((flags & PASSWORD) !== 0 && !isMissing(reader, flagsAt, PASSWORD)) reader.binary('password')
}

/** [MQTT311-3.1.2-1] [MQTT311-3.1.2-2] [MQTT5-3.1.2-1] [MQTT5-3.1.2-2] */
function readVersion(reader: FrameReader): MqttVersion {
  const name = reader.text(reader.utf8('protocol name'))
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    throw new ProtocolError(
      ReasonCode.unsupportedProtocolVersion,
      'MQTT5-3.1.2-1',
      `CONNECT: protocol name is ${quote(name)}; it must be 'MQTT', or 'MQIsdp' for MQTT 3.1`,
    )
  }
  const level = reader.u8('protocol level')
  const version = VERSIONS.get(`${name} ${level}`)
  if (version !== undefined) return version
  const why = (level & BRIDGE_BIT) === 0 ? '' : '; the bridge bit is not supported, connect without it'
  throw new ProtocolError(
    ReasonCode.unsupportedProtocolVersion,
    'MQTT5-3.1.2-2',
    `CONNECT: protocol ${name} has no level ${level} here; MQIsdp 3, MQTT 4 and MQTT 5 are supported${why}`,
  )
}

/** Returns the flags that count. */
function checkFlags(reader: FrameReader, flags: number): number {
  const at = reader.at - 1
  if (reader.version === 3) {
    const disregarded = (flags & WILL) === 0 ? RESERVED | WILL_QOS_MASK | WILL_RETAIN : RESERVED
    reader.clearBits(at, disregarded)
    flags &= ~disregarded
  }
  if ((flags & RESERVED) !== 0) {
    reader.fail(ReasonCode.malformedPacket, RESERVED_FLAG, 'the reserved connect flag is 1; it must be 0')
  }
  const willQos = (flags & WILL_QOS_MASK) >> 3
  if ((flags & WILL) === 0) {
    if (willQos !== 0) {
      reader.fail(ReasonCode.malformedPacket, NO_WILL_QOS, `there is no will, but will QoS is ${willQos}; it must be 0`)
    }
    if ((flags & WILL_RETAIN) !== 0) {
      reader.fail(ReasonCode.malformedPacket, NO_WILL_RETAIN, 'there is no will, but will retain is 1; it must be 0')
    }
  }
  if (willQos === 3) reader.fail(ReasonCode.malformedPacket, WILL_QOS, 'will QoS is 3; it must be 0, 1 or 2')
  if (reader.version !== 5 && (flags & PASSWORD) !== 0 && (flags & USER_NAME) === 0) {
    reader.fail(ReasonCode.protocolError, PASSWORD_ALONE, 'there is a password flag without a user name flag')
  }
  return flags
}

/** [MQTT5-3.1.2.11.10-a] */
function checkAuth(reader: FrameReader): void {
  if (!reader.hasProperty(AUTH_DATA) || reader.hasProperty(AUTH_METHOD)) return
  throw new ProtocolError(
    ReasonCode.protocolError,
    'MQTT5-3.1.2.11.10-a',
    'CONNECT: has Authentication Data without Authentication Method',
  )
}

/** A payload that is declared UTF-8 must be it: whoever reads the will relies on that. [MQTT5 §3.1.3.2.3] */
function checkWillPayload(reader: FrameReader): void {
  const start = reader.binary('will payload')
  const { willProperties } = reader
  if (readProperties(reader.bytes, willProperties.start, willProperties.end).payloadFormat !== 1) return
  if (isUtf8(reader.bytes.subarray(start, reader.at))) return
  throw new ProtocolError(
    ReasonCode.payloadFormatInvalid,
    'MQTT5 §3.1.3.2.3',
    'CONNECT: will payload is not valid UTF-8, as its Payload Format Indicator says it is',
  )
}

/**
 * An empty client id asks the server for one; 3.1.1 allows that for clean sessions only and 3.1 not at all.
 * The 23 characters of 3.1 are checked where the id is decoded.
 */
function checkClientId(reader: FrameReader, cleanStart: boolean): void {
  const start = reader.utf8('client identifier')
  if (reader.at > start) return
  if (reader.version === 3) {
    reader.fail(
      ReasonCode.clientIdentifierNotValid,
      CLIENT_ID,
      'client identifier is empty; it must have 1 to 23 characters',
    )
  }
  if (reader.version === 4 && !cleanStart) {
    reader.fail(
      ReasonCode.clientIdentifierNotValid,
      CLIENT_ID,
      'client identifier is empty, which needs a clean session to be allowed',
    )
  }
}

/**
 * MQTT 3.1 only: the packet may end where a flag promises a field. "The Remaining Length field takes precedence over
 * the User Name flag." [MQTT31-3.1-g] [MQTT31-3.1-h]
 */
function isMissing(reader: FrameReader, flagsAt: number, flags: number): boolean {
  if (reader.version !== 3 || reader.at < reader.end) return false
  reader.clearBits(flagsAt, flags)
  return true
}
