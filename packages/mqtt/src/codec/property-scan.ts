/**
 * One pass over the properties of a PUBLISH on its way in: everything is checked, the two that concern this hop only
 * (topic alias, message expiry) are taken out, the rest is left where it lies and passes through untouched.
 */

import { ProtocolError } from './errors.ts'
import { PROPERTIES_PER_PACKET_MAX } from './limits.ts'
import { checkIdentifier, checkValue, readU32, refuseRepeat } from './property-check.ts'
import { ReasonCode } from './reason-codes.ts'
import { isMinimalVarint, readVarint, varintBytes, varintValue } from './varint.ts'

const PAYLOAD_FORMAT = 0x01
const MESSAGE_EXPIRY = 0x02
const SUBSCRIPTION_ID = 0x0b
const TOPIC_ALIAS = 0x23
const USER_PROPERTY = 0x26

/** Identifier and value, in bytes. */
const MESSAGE_EXPIRY_BYTES = 5
const TOPIC_ALIAS_BYTES = 3

const NO_PROPERTIES: Uint8Array = new Uint8Array(0)

/**
 * What `scanPublishProperties` found. One object is used again and again: read it before the next scan. Offsets point
 * into the scanned bytes.
 */
export class PublishProperties {
  /** 0: none. */
  topicAlias = 0
  /** -1: none. */
  messageExpirySeconds = -1
  /** 1: the payload is declared UTF-8. */
  payloadFormat = 0
  /** First byte of the properties, behind their length. */
  start = 0
  /** First byte behind the properties. */
  end = 0
  /** Where the topic alias's identifier stands; -1: none. */
  topicAliasAt = -1
  /** Where the message expiry's identifier stands; -1: none. */
  messageExpiryAt = -1
  /** Where the identifier of the last user property stands; -1: there are none. Good only while `endToEndBytes` is not 0. */
  userPropertyAt = -1
  /** Bytes of the properties that go on to subscribers. */
  endToEndBytes = 0
}

/**
 * Reads the property length at `at` and the properties behind it into `found`. Returns the offset of the payload.
 * `end` is the end of the packet. Throws ProtocolError. Hot path.
 */
export function scanPublishProperties(bytes: Uint8Array, at: number, end: number, found: PublishProperties): number {
  found.topicAlias = 0
  found.messageExpirySeconds = -1
  found.payloadFormat = 0
  found.topicAliasAt = -1
  found.messageExpiryAt = -1
  if (at < end && bytes[at] === 0) {
    found.start = found.end = at + 1
    found.endToEndBytes = 0
    return at + 1
  }
  const start = at + blockLengthBytes(bytes, at, end)
  const blockEnd = start + varintValue(readVarint(bytes, at, end))
  found.start = start
  found.end = blockEnd
  scanBlock(bytes, start, blockEnd, found)
  return blockEnd
}

/** Bytes of the property length, once it is known to be whole, minimal and inside the packet. */
function blockLengthBytes(bytes: Uint8Array, at: number, end: number): number {
  const read = readVarint(bytes, at, end)
  if (read === 0) {
    throw new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-2.2.2-1', 'PUBLISH: ends before its property length')
  }
  if (!isMinimalVarint(read)) {
    throw new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-1.5.5-1', 'PUBLISH: property length is padded')
  }
  const rest = end - at - varintBytes(read)
  if (varintValue(read) > rest) {
    throw new ProtocolError(
      ReasonCode.malformedPacket,
      'MQTT5-2.2.2.2-a',
      `PUBLISH: properties need ${varintValue(read)} bytes, ${rest} are left`,
    )
  }
  return varintBytes(read)
}

function scanBlock(bytes: Uint8Array, start: number, end: number, found: PublishProperties): void {
  // One bit per identifier; the five that may stand once besides the alias are below 32.
  let seen = 0
  let at = start
  let perHopBytes = 0
  let userPropertyCount = 0
  found.userPropertyAt = -1
  while (at < end) {
    const id = bytes[at]!
    const spec = checkIdentifier(id, 'PUBLISH')
    const valueAt = at + 1
    const next = checkValue(bytes, valueAt, end, spec, 'PUBLISH')
    if (id === TOPIC_ALIAS) {
      if (found.topicAliasAt !== -1) refuseRepeat(spec, 'PUBLISH')
      found.topicAlias = (bytes[valueAt]! << 8) | bytes[valueAt + 1]!
      found.topicAliasAt = at
      perHopBytes += TOPIC_ALIAS_BYTES
    } else if (id !== USER_PROPERTY) {
      if (id === SUBSCRIPTION_ID) refuseSubscriptionId()
      if ((seen & (1 << id)) !== 0) refuseRepeat(spec, 'PUBLISH')
      seen |= 1 << id
      if (id === MESSAGE_EXPIRY) {
        found.messageExpirySeconds = readU32(bytes, valueAt)
        found.messageExpiryAt = at
        perHopBytes += MESSAGE_EXPIRY_BYTES
      } else if (id === PAYLOAD_FORMAT) {
        found.payloadFormat = bytes[valueAt]!
      }
    } else {
      // The others are there once each, and a few.
      if (++userPropertyCount > PROPERTIES_PER_PACKET_MAX) refuseTooMany()
      found.userPropertyAt = at
    }
    at = next
  }
  found.endToEndBytes = end - start - perHopBytes
}

function refuseTooMany(): never {
  throw new ProtocolError(
    ReasonCode.quotaExceeded,
    'MQTT5 §4.13.2',
    `PUBLISH: has more than ${PROPERTIES_PER_PACKET_MAX} user properties, which is what this server takes in one packet`,
  )
}

function refuseSubscriptionId(): never {
  throw new ProtocolError(
    ReasonCode.protocolError,
    'MQTT5-3.3.4-6',
    'PUBLISH: Subscription Identifier may only be sent by the server',
  )
}

/**
 * Copies the properties that go on to subscribers, in their order, to `target` at `to`: `found.endToEndBytes` bytes.
 * Returns the offset behind them. [MQTT5-3.3.2-17] [MQTT5-3.3.2-18]
 */
export function copyEndToEnd(bytes: Uint8Array, found: PublishProperties, target: Uint8Array, to: number): number {
  const { topicAliasAt, messageExpiryAt } = found
  let from = found.start
  if (topicAliasAt !== -1 || messageExpiryAt !== -1) {
    // An absent one is -1, sorts first and is passed over.
    for (const cutAt of [Math.min(topicAliasAt, messageExpiryAt), Math.max(topicAliasAt, messageExpiryAt)]) {
      if (cutAt === -1) continue
      to = copy(bytes, from, cutAt, target, to)
      from = cutAt + (cutAt === topicAliasAt ? TOPIC_ALIAS_BYTES : MESSAGE_EXPIRY_BYTES)
    }
  }
  return copy(bytes, from, found.end, target, to)
}

/** `copyEndToEnd` into bytes of their own; one shared empty array when there is nothing to keep. */
export function endToEndProperties(bytes: Uint8Array, found: PublishProperties): Uint8Array {
  if (found.endToEndBytes === 0) return NO_PROPERTIES
  const kept = new Uint8Array(found.endToEndBytes)
  copyEndToEnd(bytes, found, kept, 0)
  return kept
}

/** Below this, a loop beats making a view. */
const LOOP_BYTES_MAX = 32

function copy(bytes: Uint8Array, from: number, end: number, target: Uint8Array, to: number): number {
  if (end - from > LOOP_BYTES_MAX) {
    target.set(bytes.subarray(from, end), to)
    return to + end - from
  }
  while (from < end) target[to++] = bytes[from++]!
  return to
}
