/**
 * The check of a property block against the table of properties. [MQTT5 §2.2.2]
 * `property-scan.ts` is the quick way through a PUBLISH, `properties.ts` decodes and encodes.
 */

import { ProtocolError, quote } from './errors.ts'
import { PROPERTIES, propertySpec } from './property-table.ts'
import type { PropertyPlace, PropertySpec } from './property-table.ts'
import { ReasonCode } from './reason-codes.ts'
import { isMqttString, mqttStringFault } from './utf8.ts'
import { isMinimalVarint, readVarint, varintBytes, varintValue } from './varint.ts'

/** One bit per property, by identifier, for `checkProperties`; 27 fit into one integer. */
const BIT = new Int32Array(256)
PROPERTIES.forEach((spec, index) => {
  BIT[spec.id] = 1 << index
})

/** One flag per identifier: may it stand in this place? */
const ALLOWED: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  [...new Set(PROPERTIES.flatMap((spec) => spec.places))].map((place) => [
    place,
    Uint8Array.from({ length: 256 }, (_, id) => Number(propertySpec(id)?.places.includes(place) === true)),
  ]),
)

/**
 * Checks the property block `bytes[start, end)` (without its length): known and allowed in `place`, once unless
 * repeatable, right type, strings valid, numbers in range. Returns how many there are. Throws ProtocolError.
 */
export function checkProperties(bytes: Uint8Array, start: number, end: number, place: PropertyPlace): number {
  let seen = 0
  let at = start
  let count = 0
  while (at < end) {
    count++
    const spec = checkIdentifier(bytes[at]!, place)
    const bit = BIT[spec.id]!
    if ((seen & bit) !== 0 && spec.repeats?.includes(place) !== true) refuseRepeat(spec, place)
    seen |= bit
    at = checkValue(bytes, at + 1, end, spec, place)
  }
  return count
}

/** The row of `id`, when `place` may hold it. [MQTT5-2.2.2.2-a] */
export function checkIdentifier(id: number, place: PropertyPlace): PropertySpec {
  const spec = propertySpec(id)
  if (ALLOWED[place]![id] === 1) return spec!
  if (spec === undefined) {
    throw new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-2.2.2.2-a', `${place}: no property has identifier ${id}`)
  }
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    'MQTT5-2.2.2.2-a',
    `${place}: property ${spec.name} (${id}) does not belong here but in ${spec.places.join(', ')}`,
  )
}

export function refuseRepeat(spec: PropertySpec, place: PropertyPlace): never {
  throw new ProtocolError(
    ReasonCode.protocolError,
    ruleIn(spec, place),
    `${place}: property ${spec.name} stands twice; it may stand once`,
  )
}

/** Of will and CONNACK properties the specification speaks in one place. */
const RULES_OF_PLACE: Readonly<Partial<Record<PropertyPlace, string>>> = {
  WILL: 'MQTT5-3.1.3.2-a',
  CONNACK: 'MQTT5-3.2.2.3-a',
}

function ruleIn(spec: PropertySpec, place: PropertyPlace): string {
  return spec.clauseIn?.[place] ?? RULES_OF_PLACE[place] ?? spec.clause
}

/** Checks the value of `spec` at `at` and returns the offset behind it. */
export function checkValue(
  bytes: Uint8Array,
  at: number,
  end: number,
  spec: PropertySpec,
  place: PropertyPlace,
): number {
  switch (spec.type) {
    case 'byte':
      if (at + 1 > end) refuseShort(spec, place)
      checkRange(bytes[at]!, spec, place)
      return at + 1
    case 'u16':
      if (at + 2 > end) refuseShort(spec, place)
      checkRange((bytes[at]! << 8) | bytes[at + 1]!, spec, place)
      return at + 2
    case 'u32':
      if (at + 4 > end) refuseShort(spec, place)
      checkRange(readU32(bytes, at), spec, place)
      return at + 4
    case 'varint': {
      const read = readVarint(bytes, at, end)
      if (read === 0) refuseShort(spec, place)
      if (!isMinimalVarint(read)) {
        throw new ProtocolError(
          ReasonCode.malformedPacket,
          'MQTT5-1.5.5-1',
          `${place}: ${spec.name} ${varintValue(read)} is padded to ${varintBytes(read)} bytes`,
        )
      }
      checkRange(varintValue(read), spec, place)
      return at + varintBytes(read)
    }
    case 'utf8':
      return checkString(bytes, at, end, spec, place)
    case 'binary':
      return lengthPrefixedEnd(bytes, at, end, spec, place)
    case 'pair':
      return checkString(bytes, checkString(bytes, at, end, spec, place), end, spec, place)
  }
}

/** Big-endian, as all integers here; `>>> 0` keeps the top bit from making it negative. */
export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function checkRange(value: number, spec: PropertySpec, place: PropertyPlace): void {
  if (spec.range === undefined || (value >= spec.range[0] && value <= spec.range[1])) return
  throw new ProtocolError(
    spec.rangeCode ?? ReasonCode.protocolError,
    spec.rangeClause ?? ruleIn(spec, place),
    `${place}: ${spec.name} is ${value}; it must be ${spec.range[0]} to ${spec.range[1]}`,
  )
}

function checkString(bytes: Uint8Array, at: number, end: number, spec: PropertySpec, place: PropertyPlace): number {
  const stringEnd = lengthPrefixedEnd(bytes, at, end, spec, place)
  if (!isMqttString(bytes, at + 2, stringEnd)) {
    const fault = mqttStringFault(bytes, at + 2, stringEnd)
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      fault === 'contains U+0000' ? 'MQTT5-1.5.4-2' : 'MQTT5-1.5.4-1',
      `${place}: ${spec.name} ${fault}`,
    )
  }
  if (spec.id === RESPONSE_TOPIC) checkResponseTopic(bytes, at + 2, stringEnd, place)
  return stringEnd
}

const RESPONSE_TOPIC = 0x08

/** The response topic will be a topic name: somebody publishes to it. [MQTT5-3.3.2-14] [MQTT5-4.7.3-1] */
function checkResponseTopic(bytes: Uint8Array, start: number, end: number, place: PropertyPlace): void {
  if (start === end) {
    throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-4.7.3-1', `${place}: Response Topic is empty`)
  }
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0x23 && bytes[at] !== 0x2b) continue
    const topic = quote(Buffer.from(bytes.subarray(start, end)).toString('utf8'))
    throw new ProtocolError(
      ReasonCode.protocolError,
      'MQTT5-3.3.2-14',
      `${place}: Response Topic ${topic} contains a wildcard`,
    )
  }
}

function lengthPrefixedEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
  spec: PropertySpec,
  place: PropertyPlace,
): number {
  if (at + 2 > end) refuseShort(spec, place)
  const valueEnd = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
  if (valueEnd > end) refuseShort(spec, place)
  return valueEnd
}

function refuseShort(spec: PropertySpec, place: PropertyPlace): never {
  throw new ProtocolError(
    ReasonCode.malformedPacket,
    'MQTT5-2.2.2.2-a',
    `${place}: property ${spec.name} runs over the end of the properties`,
  )
}
