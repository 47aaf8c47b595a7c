/**
 * Variable byte integers: 7 bits per byte, least significant first, at most four bytes. The remaining length of every
 * packet and, in MQTT 5, property lengths and subscription identifiers. [MQTT5 §1.5.5] [MQTT311 §2.2.3]
 */

import { ProtocolError } from './errors.ts'
import { ReasonCode } from './reason-codes.ts'

export const VARINT_MAX = 268_435_455

/**
 * Value and size in one small integer, so that reading allocates nothing: `varintValue(r)` and `varintBytes(r)` take
 * it apart. 0 when the integer does not end before `end`: more bytes are needed, or the packet is too short.
 *
 * `at` and `end` are offsets in bytes. Throws ProtocolError on a fifth byte. Hot path.
 * Does not judge padding (`80 00` for 0): 3.x allows it, MQTT 5 does not. See `isMinimalVarint`.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0
  let byte = bytes[at]!
  if (byte < 0x80) return (byte << 3) | 1
  let value = byte & 0x7f
  if (at + 1 >= end) return 0
  byte = bytes[at + 1]!
  value |= (byte & 0x7f) << 7
  if (byte < 0x80) return (value << 3) | 2
  if (at + 2 >= end) return 0
  byte = bytes[at + 2]!
  value |= (byte & 0x7f) << 14
  if (byte < 0x80) return (value << 3) | 3
  if (at + 3 >= end) return 0
  byte = bytes[at + 3]!
  if (byte >= 0x80) {
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      'MQTT5 §1.5.5',
      'variable byte integer goes on after its fourth byte; it has one to four',
    )
  }
  value |= byte << 21
  return (value << 3) | 4
}

/** 0…268,435,455. */
export function varintValue(read: number): number {
  return read >>> 3
}

/** 1…4. */
export function varintBytes(read: number): number {
  return read & 7
}

/** Whether the integer used as few bytes as it could. [MQTT5-1.5.5-1] */
export function isMinimalVarint(read: number): boolean {
  return (read & 7) === varintSize(read >>> 3)
}

/** Bytes that `value` takes. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4
}

/** Writes `value`, 0…`VARINT_MAX`, and returns the offset behind it. Hot path. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[at++] = rest
  return at
}
