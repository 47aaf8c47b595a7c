/**
 * What a server says, read by hand and read strictly: reserved bits, reason codes, properties, lengths and UTF-8 are held
 * against the specification, so that every test that receives anything also judges the form of what it receives.
 */
import { Reader } from './bytes.ts'
import type { QoS, Version } from './build.ts'
import { type Properties, readProperties } from './properties.ts'

interface Common {
  /** The whole packet, for tests about its exact form. */
  readonly raw: Uint8Array
}

export interface Connack extends Common {
  readonly type: 'CONNACK'
  readonly sessionPresent: boolean
  /** In 3.x the return code. */
  readonly reasonCode: number
  readonly properties: Properties
}

export interface Publish extends Common {
  readonly type: 'PUBLISH'
  readonly topic: string
  /** As text; `payloadBytes` has what is none. */
  readonly payload: string
  readonly payloadBytes: Uint8Array
  readonly qos: QoS
  readonly dup: boolean
  readonly retain: boolean
  /** 0 with QoS 0, which has none. */
  readonly id: number
  readonly properties: Properties
}

export interface Ack<Type extends string> extends Common {
  readonly type: Type
  readonly id: number
  /** 0 in 3.x, and where the short form leaves it out. */
  readonly reasonCode: number
  readonly properties: Properties
}

export interface Suback<Type extends string> extends Common {
  readonly type: Type
  readonly id: number
  /** One per filter; an UNSUBACK of 3.x has none. */
  readonly reasonCodes: readonly number[]
  readonly properties: Properties
}

export interface Pingresp extends Common {
  readonly type: 'PINGRESP'
}

export interface Farewell<Type extends string> extends Common {
  readonly type: Type
  readonly reasonCode: number
  readonly properties: Properties
}

export interface PacketByType {
  CONNACK: Connack
  PUBLISH: Publish
  PUBACK: Ack<'PUBACK'>
  PUBREC: Ack<'PUBREC'>
  PUBREL: Ack<'PUBREL'>
  PUBCOMP: Ack<'PUBCOMP'>
  SUBACK: Suback<'SUBACK'>
  UNSUBACK: Suback<'UNSUBACK'>
  PINGRESP: Pingresp
  DISCONNECT: Farewell<'DISCONNECT'>
  AUTH: Farewell<'AUTH'>
}

export type PacketType = keyof PacketByType
export type Packet = PacketByType[PacketType]

const NO_PROPERTIES: Properties = {}

/** Reason codes a server may send, from the table of each packet. [MQTT5 §2.4] */
const CODES = {
  CONNACK: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b,
    0x9c, 0x9d, 0x9f,
  ],
  PUBACK: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  PUBREC: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
  PUBREL: [0x00, 0x92],
  PUBCOMP: [0x00, 0x92],
  SUBACK: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
  UNSUBACK: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
  // 0x04 is a client's alone.
  DISCONNECT: [
    0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
  ],
  AUTH: [0x00, 0x18],
} as const

/** CONNACK return codes before MQTT 5. [MQTT311 §3.2.2.3] */
const RETURN_CODES = [0, 1, 2, 3, 4, 5]
/** 3.1.1 has 0x80; that 3.1 clients get it, too, deviates from 3.1. [MQTT311-3.9.3-2] [MQTT31-3.9-c] [ADR-0004] */
const SUBACK_CODES_3 = [0, 1, 2, 0x80]

/** Cuts and reads the stream of one connection. */
export class PacketParser {
  readonly #version: Version
  #waiting: Uint8Array = new Uint8Array(0)

  constructor(version: Version) {
    this.#version = version
  }

  /** Bytes of a packet whose end has not come. */
  get waitingByteCount(): number {
    return this.#waiting.length
  }

  /** Every packet that is complete now. Throws for one that a server must not send. */
  read(chunk: Uint8Array): Packet[] {
    this.#waiting = Uint8Array.from(Buffer.concat([this.#waiting, chunk]))
    const packets: Packet[] = []
    for (let size = sizeOf(this.#waiting); size > 0; size = sizeOf(this.#waiting)) {
      const raw = this.#waiting.slice(0, size)
      this.#waiting = this.#waiting.slice(size)
      packets.push(readPacket(raw, this.#version))
    }
    return packets
  }
}

/** Size of the packet at the start; 0 when not all of it is there. */
function sizeOf(stream: Uint8Array): number {
  for (let at = 1; at <= 4 && at < stream.length; at++) {
    if (stream[at]! < 0x80) {
      const header = new Reader(stream, 1)
      const size = header.varint() + header.at
      return size <= stream.length ? size : 0
    }
  }
  if (stream.length > 4) throw new Error('the server sent a remaining length of more than four bytes')
  return 0
}

function readPacket(raw: Uint8Array, version: Version): Packet {
  try {
    const reader = new Reader(raw, 1)
    reader.varint()
    const packet = readBody(raw, reader, version)
    if (!reader.isAtEnd) throw new Error(`${reader.end - reader.at} bytes too many`)
    return packet
  } catch (error) {
    throw new Error(`the server sent ${Buffer.from(raw).toString('hex')}`, { cause: error })
  }
}

function readBody(raw: Uint8Array, reader: Reader, version: Version): Packet {
  const first = raw[0]!
  const isV5 = version === 5
  if (first >> 4 === 3) return readPublish(raw, reader, isV5)
  // Every other packet has fixed flags. [MQTT5-2.1.3-1]
  switch (first) {
    case 0x20:
      return readConnack(raw, reader, isV5)
    case 0x40:
      return readAck(raw, reader, isV5, 'PUBACK')
    case 0x50:
      return readAck(raw, reader, isV5, 'PUBREC')
    case 0x62:
      return readAck(raw, reader, isV5, 'PUBREL')
    case 0x70:
      return readAck(raw, reader, isV5, 'PUBCOMP')
    case 0x90:
      return readSuback(raw, reader, version)
    case 0xb0:
      return readUnsuback(raw, reader, isV5)
    case 0xd0:
      return { type: 'PINGRESP', raw }
    case 0xe0:
      if (!isV5) throw new Error('DISCONNECT from a server, which only MQTT 5 has')
      return readFarewell(raw, reader, 'DISCONNECT')
    case 0xf0:
      if (!isV5) throw new Error('AUTH, which only MQTT 5 has')
      return readFarewell(raw, reader, 'AUTH')
    default:
      throw new Error(`no packet of a server begins with 0x${first.toString(16)}`)
  }
}

function readConnack(raw: Uint8Array, reader: Reader, isV5: boolean): Connack {
  const flags = reader.u8()
  if (flags > 1) throw new Error('reserved bits of the CONNACK flags are set') // [MQTT5-3.2.2-1]
  const reasonCode = oneOf(isV5 ? CODES.CONNACK : RETURN_CODES, reader.u8())
  const properties = isV5 ? readProperties(reader, 'CONNACK') : NO_PROPERTIES
  return { type: 'CONNACK', sessionPresent: flags === 1, reasonCode, properties, raw }
}

function readPublish(raw: Uint8Array, reader: Reader, isV5: boolean): Publish {
  const qos = ((raw[0]! >> 1) & 3) as QoS | 3
  if (qos === 3) throw new Error('PUBLISH with QoS 3') // [MQTT5-3.3.1-4]
  const dup = (raw[0]! & 0x08) !== 0
  if (dup && qos === 0) throw new Error('PUBLISH with QoS 0 and DUP') // [MQTT5-3.3.1-2]
  const topic = reader.utf8()
  if (/[+#]/.test(topic)) throw new Error('PUBLISH to a topic name with wildcards') // [MQTT5-3.3.2-2]
  const id = qos === 0 ? 0 : reader.u16()
  if (qos > 0 && id === 0) throw new Error('PUBLISH with packet identifier 0') // [MQTT5-2.2.1-4]
  const properties = isV5 ? readProperties(reader, 'PUBLISH') : NO_PROPERTIES
  const hasAlias = properties.topicAlias !== undefined
  if (topic === '' && !hasAlias) throw new Error('PUBLISH without a topic name') // [MQTT5-4.7.3-1]
  const payloadBytes = reader.rest()
  const payload = Buffer.from(payloadBytes).toString()
  return { type: 'PUBLISH', topic, payload, payloadBytes, qos, dup, retain: (raw[0]! & 1) !== 0, id, properties, raw }
}

function readAck<Type extends 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP'>(
  raw: Uint8Array,
  reader: Reader,
  isV5: boolean,
  type: Type,
): Ack<Type> {
  const id = reader.u16()
  if (id === 0) throw new Error(`${type} with packet identifier 0`)
  const reasonCode = isV5 && !reader.isAtEnd ? oneOf(CODES[type], reader.u8()) : 0
  const properties = isV5 && !reader.isAtEnd ? readProperties(reader, type) : NO_PROPERTIES
  return { type, id, reasonCode, properties, raw }
}

function readSuback(raw: Uint8Array, reader: Reader, version: Version): Suback<'SUBACK'> {
  const id = reader.u16()
  const properties = version === 5 ? readProperties(reader, 'SUBACK') : NO_PROPERTIES
  const codes: readonly number[] = version === 5 ? CODES.SUBACK : SUBACK_CODES_3
  return { type: 'SUBACK', id, reasonCodes: Array.from(reader.rest(), (code) => oneOf(codes, code)), properties, raw }
}

function readUnsuback(raw: Uint8Array, reader: Reader, isV5: boolean): Suback<'UNSUBACK'> {
  const id = reader.u16()
  if (!isV5) return { type: 'UNSUBACK', id, reasonCodes: [], properties: NO_PROPERTIES, raw }
  const properties = readProperties(reader, 'UNSUBACK')
  const reasonCodes = Array.from(reader.rest(), (code) => oneOf(CODES.UNSUBACK, code))
  return { type: 'UNSUBACK', id, reasonCodes, properties, raw }
}

function readFarewell<Type extends 'DISCONNECT' | 'AUTH'>(raw: Uint8Array, reader: Reader, type: Type): Farewell<Type> {
  const reasonCode = reader.isAtEnd ? 0 : oneOf(CODES[type], reader.u8())
  const properties = reader.isAtEnd ? NO_PROPERTIES : readProperties(reader, type)
  return { type, reasonCode, properties, raw }
}

function oneOf(codes: readonly number[], code: number): number {
  if (!codes.includes(code)) throw new Error(`reason code 0x${code.toString(16)} does not belong into this packet`)
  return code
}
