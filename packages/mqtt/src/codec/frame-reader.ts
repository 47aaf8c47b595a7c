/**
 * Walks one complete control packet field by field and checks each on the way. It keeps nothing but positions: what
 * the fields mean is decoded afterwards, when the whole packet is known to be sound.
 */

import { clauseFor } from './clauses.ts'
import type { Clauses } from './clauses.ts'
import { ProtocolError } from './errors.ts'
import { copyOf } from './bytes.ts'
import { PROPERTIES_PER_PACKET_MAX } from './limits.ts'
import { checkProperties } from './property-check.ts'
import type { PropertyPlace } from './property-table.ts'
import { forEachProperty } from './properties.ts'
import { ReasonCode } from './reason-codes.ts'
import type { MqttVersion } from './types.ts'
import { isMqttString, mqttStringFault } from './utf8.ts'
import { isMinimalVarint, readVarint, varintBytes, varintValue } from './varint.ts'

/** What 'the packet does not have the form the specification gives it' is called in each version. */
const FORM: Clauses = ['MQTT31 §2', 'MQTT311-4.8.0-1', 'MQTT5-4.13.1-1']
const UTF8: Clauses = ['MQTT31-2.5-a', 'MQTT311-1.5.3-1', 'MQTT5-1.5.4-1']
const NO_NUL: Clauses = ['MQTT31-2.5-a', 'MQTT311-1.5.3-2', 'MQTT5-1.5.4-2']
/** A limit of ours; what a peer hears of it. */
export const LIMIT: Clauses = ['MQTT31 §2', 'MQTT311 §4.8', 'MQTT5 §4.13.2']
const PACKET_ID: Clauses = ['MQTT31-2.4-d', 'MQTT311-2.3.1-1', 'MQTT5-2.2.1-3']

/** Positions of one property block in the frame, without its length. */
export interface PropertyRange {
  readonly start: number
  readonly end: number
}

export class FrameReader {
  readonly bytes: Uint8Array
  readonly packet: string
  readonly end: number
  /** Next byte to read. */
  at: number
  /** 5 until CONNECT has said otherwise. */
  version: MqttVersion
  /** Where the packet's properties lie; empty when it has none. */
  properties: PropertyRange
  /** Where the will's properties lie. */
  willProperties: PropertyRange
  #patched: Uint8Array | undefined = undefined

  /** `bytes` is one packet, fixed header included; `at` is the first byte behind that header. */
  constructor(bytes: Uint8Array, packet: string, version: MqttVersion, at: number) {
    this.bytes = bytes
    this.packet = packet
    this.version = version
    this.at = at
    this.end = bytes.length
    this.properties = { start: at, end: at }
    this.willProperties = { start: at, end: at }
  }

  /** The frame, or a copy of it in which bits that MQTT 3.1 ignores and mqtt-packet refuses are cleared. */
  get sound(): Uint8Array {
    return this.#patched ?? this.bytes
  }

  /** Clears bits of the byte at `at` in the copy that will be decoded; the peer's bytes stay as they are. */
  clearBits(at: number, mask: number): void {
    if ((this.bytes[at]! & mask) === 0) return
    this.#patched ??= copyOf(this.bytes, 0, this.end)
    this.#patched[at]! &= ~mask
  }

  fail(reasonCode: number, clauses: Clauses, detail: string): never {
    throw new ProtocolError(reasonCode, clauseFor(clauses, this.version), `${this.packet}: ${detail}`)
  }

  /** Throws unless every byte has been read. */
  expectEnd(): void {
    const rest = this.end - this.at
    if (rest > 0) {
      this.fail(
        ReasonCode.malformedPacket,
        FORM,
        `${rest} ${rest === 1 ? 'byte is' : 'bytes are'} left over at its end`,
      )
    }
  }

  u8(what: string): number {
    this.#need(1, what)
    return this.bytes[this.at++]!
  }

  u16(what: string): number {
    this.#need(2, what)
    const value = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!
    this.at += 2
    return value
  }

  /** 1…65,535. */
  packetId(): number {
    const id = this.u16('packet identifier')
    if (id === 0) this.fail(ReasonCode.protocolError, PACKET_ID, 'packet identifier is 0; it must be 1 to 65535')
    return id
  }

  /** Skips a UTF-8 encoded string, checks it, and returns the offset of its first byte; `at` is behind the last. */
  utf8(what: string): number {
    const start = this.binary(what)
    if (!isMqttString(this.bytes, start, this.at)) {
      const fault = mqttStringFault(this.bytes, start, this.at)
      this.fail(ReasonCode.malformedPacket, fault === 'contains U+0000' ? NO_NUL : UTF8, `${what} ${fault}`)
    }
    return start
  }

  /** Skips binary data and returns the offset of its first byte. */
  binary(what: string): number {
    const length = this.u16(`length of ${what}`)
    this.#need(length, what)
    const start = this.at
    this.at += length
    return start
  }

  /** The text from `start` to the present position. */
  text(start: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, this.at - start).toString('utf8')
  }

  /** Whether the packet's own properties, once read, include `id`. */
  hasProperty(id: number): boolean {
    let found = false
    forEachProperty(this.bytes, this.properties.start, this.properties.end, (spec) => {
      if (spec.id === id) found = true
    })
    return found
  }

  /** Reads and checks a property block of MQTT 5. */
  propertyBlock(place: PropertyPlace): void {
    const read = readVarint(this.bytes, this.at, this.end)
    if (read === 0) this.fail(ReasonCode.malformedPacket, FORM, 'ends inside the property length')
    if (!isMinimalVarint(read)) {
      this.fail(ReasonCode.malformedPacket, MINIMAL, `property length ${varintValue(read)} is padded`)
    }
    const start = this.at + varintBytes(read)
    this.at = start
    this.#need(varintValue(read), 'properties')
    this.at = start + varintValue(read)
    const count = checkProperties(this.bytes, start, this.at, place)
    if (count > PROPERTIES_PER_PACKET_MAX) {
      const detail = `has ${count} properties; this server takes ${PROPERTIES_PER_PACKET_MAX} in one packet`
      this.fail(ReasonCode.quotaExceeded, LIMIT, detail)
    }
    const range = { start, end: this.at }
    if (place === 'WILL') this.willProperties = range
    else this.properties = range
  }

  #need(byteCount: number, what: string): void {
    const rest = this.end - this.at
    if (byteCount > rest) {
      this.fail(ReasonCode.malformedPacket, FORM, `${what} needs ${byteCount} bytes, ${rest} are left`)
    }
  }
}

/** Before MQTT 5 nothing asks for the shortest form. */
export const MINIMAL: Clauses = ['MQTT31 §2.1', 'MQTT311 §2.2.3', 'MQTT5-1.5.5-1']
