/**
 * Properties as an object, both ways: for the will, for messages that another protocol reads or wrote, for tools.
 * Not on the path of a message that stays within MQTT 5; its property bytes pass through.
 */

import { copyOf } from './bytes.ts'
import { PROPERTIES, propertySpec } from './property-table.ts'
import type { PropertySpec, PropertyValues } from './property-table.ts'
import { readU32 } from './property-check.ts'
import type { UserProperties } from './types.ts'
import { readVarint, varintBytes, varintSize, varintValue, writeVarint } from './varint.ts'

const USER_PROPERTY = 0x26
const SUBSCRIPTION_ID = 0x0b

/** Longest string or binary value, in bytes: what a two-byte length can say. */
const VALUE_BYTES_MAX = 65_535

/**
 * Decodes the properties in `bytes[start, end)`, without their length, which `checkProperties` or
 * `scanPublishProperties` has found sound. Binary values are copies. User properties keep order and repeats.
 */
export function readProperties(bytes: Uint8Array, start: number = 0, end: number = bytes.length): PropertyValues {
  const values: PropertyValues = {}
  const userProperties: [string, string][] = []
  forEachProperty(bytes, start, end, (spec, from, to) => {
    if (spec.id === USER_PROPERTY) {
      userProperties.push(readPair(bytes, from))
    } else if (spec.id === SUBSCRIPTION_ID) {
      ;(values.subscriptionIds ??= []).push(varintValue(readVarint(bytes, from, to)))
    } else {
      Object.assign(values, { [spec.field]: readValue(bytes, from, to, spec) })
    }
  })
  if (userProperties.length > 0) values.userProperties = userProperties
  return values
}

/** Only the user properties of a sound block, in wire order. */
export function readUserProperties(bytes: Uint8Array, start: number, end: number): UserProperties {
  if (start === end) return NO_USER_PROPERTIES
  const pairs: [string, string][] = []
  forEachProperty(bytes, start, end, (spec, from) => {
    if (spec.id === USER_PROPERTY) pairs.push(readPair(bytes, from))
  })
  return pairs
}

const NO_USER_PROPERTIES: UserProperties = []

/**
 * Properties as bytes, without their length: table order, then the user properties in theirs.
 * Throws RangeError for a string or binary value that MQTT cannot carry; the caller names the limit to its peer.
 */
export function writeProperties(values: PropertyValues): Uint8Array {
  const parts: Uint8Array[] = []
  for (const spec of PROPERTIES) {
    const value = values[spec.field]
    if (value === undefined) continue
    if (spec.id === USER_PROPERTY) continue
    if (spec.id === SUBSCRIPTION_ID) for (const id of value as number[]) parts.push(encodeValue(spec, id))
    else parts.push(encodeValue(spec, value as number | string | Uint8Array))
  }
  for (const [key, value] of values.userProperties ?? []) {
    parts.push(Uint8Array.of(USER_PROPERTY), lengthPrefixed(Buffer.from(key)), lengthPrefixed(Buffer.from(value)))
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** Calls `visit` with each property of a sound block and the range of its value. */
export function forEachProperty(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (spec: PropertySpec, from: number, to: number) => void,
): void {
  let at = start
  while (at < end) {
    const spec = propertySpec(bytes[at]!)!
    const next = valueEnd(bytes, at + 1, end, spec)
    visit(spec, at + 1, next)
    at = next
  }
}

function valueEnd(bytes: Uint8Array, at: number, end: number, spec: PropertySpec): number {
  switch (spec.type) {
    case 'byte':
      return at + 1
    case 'u16':
      return at + 2
    case 'u32':
      return at + 4
    case 'varint':
      return at + varintBytes(readVarint(bytes, at, end))
    case 'utf8':
    case 'binary':
      return prefixedEnd(bytes, at)
    case 'pair':
      return prefixedEnd(bytes, prefixedEnd(bytes, at))
  }
}

function prefixedEnd(bytes: Uint8Array, at: number): number {
  return at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
}

function readValue(bytes: Uint8Array, from: number, to: number, spec: PropertySpec): number | string | Uint8Array {
  switch (spec.type) {
    case 'byte':
      return bytes[from]!
    case 'u16':
      return (bytes[from]! << 8) | bytes[from + 1]!
    case 'u32':
      return readU32(bytes, from)
    case 'varint':
      return varintValue(readVarint(bytes, from, to))
    case 'binary':
      return copyOf(bytes, from + 2, to)
    case 'utf8':
    case 'pair':
      return readString(bytes, from)
  }
}

/** A byte order mark stays in the string. [MQTT5-1.5.4-3] */
function readString(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at + 2, prefixedEnd(bytes, at) - at - 2).toString('utf8')
}

function readPair(bytes: Uint8Array, at: number): [string, string] {
  return [readString(bytes, at), readString(bytes, prefixedEnd(bytes, at))]
}

function encodeValue(spec: PropertySpec, value: number | string | Uint8Array): Uint8Array {
  if (typeof value !== 'number') {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    return Buffer.concat([Uint8Array.of(spec.id), lengthPrefixed(bytes)])
  }
  switch (spec.type) {
    case 'byte':
      return Uint8Array.of(spec.id, value)
    case 'u16':
      return Uint8Array.of(spec.id, value >>> 8, value)
    case 'varint': {
      const bytes = new Uint8Array(1 + varintSize(value))
      bytes[0] = spec.id
      writeVarint(bytes, 1, value)
      return bytes
    }
    default:
      return Uint8Array.of(spec.id, value >>> 24, value >>> 16, value >>> 8, value)
  }
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  if (bytes.length > VALUE_BYTES_MAX) {
    throw new RangeError(`property value of ${bytes.length} bytes exceeds the ${VALUE_BYTES_MAX} that MQTT can carry`)
  }
  return Buffer.concat([Uint8Array.of(bytes.length >>> 8, bytes.length), bytes])
}
