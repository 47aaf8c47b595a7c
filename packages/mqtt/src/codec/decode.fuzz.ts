/**
 * Fuzzer of everything that reads a client's bytes: packets from the tables are changed in the ways that matter to a
 * length-prefixed format, and every reader must either take them or throw ProtocolError. tools/fuzz runs it for long, a
 * test for a moment.
 */

import { readAck } from './acks.ts'
import { decodeConnect, decodeControl } from './decode-control.ts'
import { ProtocolError } from './errors.ts'
import { FILTERS_PER_PACKET_MAX } from './limits.ts'
import { INVALID } from './packet-cases-broken.ts'
import { VALID } from './packet-cases.ts'
import { checkProperties } from './property-check.ts'
import { endToEndProperties, PublishProperties, scanPublishProperties } from './property-scan.ts'
import { PROPERTIES } from './property-table.ts'
import { readProperties } from './properties.ts'
import { checkTopicBytes, checkTopicName, parseFilter } from './topics.ts'
import type { ConnectPacket, ControlPacket, MqttVersion } from './types.ts'
import { readVarint, varintBytes, varintValue, writeVarint } from './varint.ts'

export interface FuzzResult {
  /** Inputs that were control packets still. */
  readonly accepted: number
  readonly refused: number
}

type Pick = (below: number) => number

/** The right ones twice: most changes break them anyway. */
const SEEDS = [...VALID, ...VALID, ...INVALID] as const
const VERSIONS: readonly MqttVersion[] = [3, 4, 5]
/** Values that lengths, flags and UTF-8 trip over. */
const EDGES: readonly number[] = [0x00, 0x01, 0x02, 0x23, 0x2b, 0x2f, 0x7f, 0x80, 0xc0, 0xed, 0xff]
const BODY_BYTES_MAX = 600
/** A few inputs are long, to meet the limits on what one packet may hold. */
const LONG_ONE_IN = 3_000
const LONG_BODY_BYTES = 80_000

/** Same seed, same inputs. Throws Error with seed, step and input when a reader breaks its promise. */
export function fuzzControl(seed: number, iterations: number): FuzzResult {
  const pick = pickerFrom(seed)
  const { stackTraceLimit } = Error
  let accepted = 0
  try {
    // Nearly every input ends in an error, and most of its cost is the stack nobody reads.
    Error.stackTraceLimit = 0
    for (let step = 0; step < iterations; step++) {
      const row = SEEDS[pick(SEEDS.length)]!
      const input = mutate(row.bytes, pick)
      const version = row.version === 'first' || pick(5) === 0 ? VERSIONS[pick(3)]! : row.version
      try {
        if (readAsFuzzed(input, version)) accepted++
      } catch (cause) {
        const hex = Buffer.from(input).toString('hex')
        throw new Error(`seed ${seed}, step ${step}, level ${version}: ${hex}`, { cause })
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  return { accepted, refused: iterations - accepted }
}

/** One input: true when it was taken as a control packet. Throws when a reader breaks its promise. */
export function readAsFuzzed(input: Uint8Array, version: MqttVersion): boolean {
  // As on a socket: a Buffer, whose slices are views.
  const memory = Buffer.from(input)
  const isTakenAsPacket = readEverything(memory, version)
  if (Buffer.compare(memory, input) !== 0) throw new Error('a reader changed its input')
  return isTakenAsPacket
}

/** Gives `input` to the readers that may get such bytes. True when it was taken as a control packet. */
function readEverything(input: Uint8Array, version: MqttVersion): boolean {
  const bodyAt = Math.min(input.length, 1 + varintBytes(readVarintOr0(input)))
  isTaken(() => checkAck(input, bodyAt, version))
  isTaken(() => checkScan(input, bodyAt))
  isTaken(() => checkTopicBytes(input, bodyAt, input.length, version))
  isTaken(() => parseFilter(Buffer.from(input.subarray(bodyAt)).toString('utf8'), version))
  const isConnect = isTaken(() => checkPacket(decodeConnect(input), input))
  return isTaken(() => checkPacket(decodeControl(input, version), input)) || isConnect
}

/** False for a ProtocolError; anything else that is thrown goes through. */
function isTaken(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof ProtocolError && error.clause.startsWith('MQTT') && error.reasonCode >= 0x80) return false
    throw error
  }
}

function readVarintOr0(input: Uint8Array): number {
  try {
    return readVarint(input, 1, input.length)
  } catch {
    // A fifth byte: the readers will say so themselves.
    return 0
  }
}

// ── what must hold for a packet that was taken ───────────────────────────────

function checkPacket(packet: ConnectPacket | ControlPacket, input: Uint8Array): void {
  switch (packet.type) {
    case 'connect':
      checkText(input, packet.clientId, packet.username, packet.authMethod)
      checkRange('receive maximum', packet.receiveMaximum, 1, 65_535)
      checkRange('maximum packet size', packet.maxPacketBytes, 1, 268_435_460)
      if (packet.will !== undefined) {
        checkTopicName(packet.will.topic, packet.version)
        checkProperties(packet.will.propertyBytes, 0, packet.will.propertyBytes.length, 'PUBLISH')
      }
      break
    case 'subscribe':
      checkRange('packet id', packet.packetId, 1, 65_535)
      checkRange('filter count', packet.requests.length, 1, FILTERS_PER_PACKET_MAX)
      if (packet.subscriptionId !== undefined) checkRange('subscription id', packet.subscriptionId, 1, 268_435_455)
      for (const request of packet.requests) {
        parseFilter(request.filter, 5)
        checkRange('QoS', request.qos, 0, 2)
        checkRange('retain handling', request.retainHandling, 0, 2)
      }
      break
    case 'unsubscribe':
      checkRange('packet id', packet.packetId, 1, 65_535)
      checkRange('filter count', packet.filters.length, 1, FILTERS_PER_PACKET_MAX)
      for (const filter of packet.filters) parseFilter(filter, 5)
      break
    case 'auth':
      checkText(input, packet.authMethod, packet.reasonString)
      break
    case 'disconnect':
      checkText(input, packet.reasonString)
      break
    case 'pingreq':
      return
  }
  for (const pair of packet.userProperties) checkText(input, ...pair)
}

/** No U+0000, and no U+FFFD that was not sent: a decoder puts it where it could not read the bytes. */
function checkText(input: Uint8Array, ...values: readonly (string | undefined)[]): void {
  for (const value of values) {
    if (value === undefined || !/[\0\ufffd]/.test(value)) continue
    if (value.includes('\0') || !Buffer.from(input).includes('\ufffd')) {
      throw new Error(`text is not what was sent: ${JSON.stringify(value)}`)
    }
  }
}

function checkRange(what: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) throw new Error(`${what} is ${value}, not ${min} to ${max}`)
}

const ack = { packetId: 0, reasonCode: 0 }

/** Reads `input` as if its type were one of the four acknowledgements. */
function checkAck(input: Uint8Array, bodyAt: number, version: MqttVersion): void {
  const first = 0x40 | ((input[0] ?? 0) & 0x3f)
  readAck(
    Uint8Array.from([first, ...input.subarray(1)]),
    0,
    Math.max(1, bodyAt),
    Math.max(1, input.length),
    version,
    ack,
  )
  checkRange('packet id', ack.packetId, 1, 65_535)
}

const found = new PublishProperties()

function checkScan(input: Uint8Array, bodyAt: number): void {
  const payloadAt = scanPublishProperties(input, bodyAt, input.length, found)
  checkRange('payload offset', payloadAt, bodyAt + 1, input.length)
  const kept = endToEndProperties(input, found)
  checkProperties(kept, 0, kept.length, 'PUBLISH')
  const values = readProperties(kept)
  if (values.topicAlias !== undefined || values.messageExpirySeconds !== undefined) {
    throw new Error('per-hop properties were not cut out')
  }
}

// ── mutation ─────────────────────────────────────────────────────────────────

/** One to four changes to the body or first byte; the remaining length agrees again most of the time. */
function mutate(seed: Uint8Array, pick: Pick): Uint8Array {
  const read = readVarint(seed, 1, seed.length)
  const body = [...seed.subarray(1 + varintBytes(read))]
  let first = seed[0]!
  for (let count = 1 + pick(1 + pick(4)); count > 0; count--) {
    if (pick(12) === 0) first = pick(256)
    else change(body, pick)
  }
  body.length = Math.min(body.length, BODY_BYTES_MAX)
  if (pick(LONG_ONE_IN) === 0) repeatEnd(body, pick)
  const length = pick(8) === 0 ? pick(300) : body.length
  const header = new Uint8Array(5)
  header[0] = first
  let headerBytes = writeVarint(header, 1, length)
  // More bytes than it needs: allowed before MQTT 5.
  if (pick(40) === 0 && headerBytes < 5) header[headerBytes++ - 1]! |= 0x80
  const input = Uint8Array.from([...header.subarray(0, headerBytes), ...body])
  return pick(20) === 0 ? input.subarray(0, pick(input.length + 1)) : input
}

/** The last few bytes again and again: a filter, a property, more of them than the codec takes. */
function repeatEnd(body: number[], pick: Pick): void {
  const last = body.slice(-2 - pick(10))
  if (last.length === 0) return
  for (let count = Math.ceil(LONG_BODY_BYTES / last.length); count > 0; count--) body.push(...last)
}

function change(body: number[], pick: Pick): void {
  const at = pick(body.length + 1)
  switch (pick(8)) {
    case 0:
      if (at < body.length) body[at]! ^= 1 << pick(8)
      break
    case 1:
      body[at] = EDGES[pick(EDGES.length)]!
      break
    case 2:
      body.splice(at, 0, pick(256))
      break
    case 3:
      body.splice(at, 1 + pick(4))
      break
    case 4:
      // Lengths are off by a little more often than by a lot.
      if (at < body.length) body[at] = (body[at]! + pick(5) - 2) & 0xff
      break
    case 5:
      body.splice(at, 0, ...body.slice(pick(body.length + 1), pick(body.length + 1)))
      break
    case 6:
      body.splice(at, 0, ...randomProperty(pick))
      break
    default: {
      const other = SEEDS[pick(SEEDS.length)]!.bytes
      body.splice(at, pick(8), ...other.subarray(2, 2 + varintValue(readVarint(other, 1, other.length))))
    }
  }
}

/** A property with a value of its type, and often its length in front, as if it were the only one. */
function randomProperty(pick: Pick): number[] {
  const spec = PROPERTIES[pick(PROPERTIES.length)]!
  const value = (): number[] => {
    const length = pick(4)
    return [0, length, ...Array.from({ length }, () => (pick(3) === 0 ? pick(256) : 0x61))]
  }
  const bytes: Record<typeof spec.type, () => number[]> = {
    byte: () => [pick(3)],
    u16: () => [pick(2), pick(2)],
    u32: () => [pick(256), 0, 0, pick(2)],
    varint: () => [pick(256), pick(2)],
    utf8: value,
    binary: value,
    pair: () => [...value(), ...value()],
  }
  const property = [spec.id, ...bytes[spec.type]()]
  return pick(2) === 0 ? property : [property.length, ...property]
}

/** mulberry32: small, quick and the same everywhere. */
function pickerFrom(seed: number): Pick {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}
