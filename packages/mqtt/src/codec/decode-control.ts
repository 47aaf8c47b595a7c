/**
 * Control packets from a client: a complete frame in, one of our packets out. `check.ts` has made sure that the frame is
 * sound; mqtt-packet takes it apart.
 *
 * Some fields come from the raw bytes instead, because mqtt-packet loses something:
 * - user properties: it groups them by key, which loses their order across keys, moves numeric keys to the front and
 *   drops an empty value when its key comes again [MQTT5-3.1.3-10] [MQTT5-3.3.2-18];
 * - the will's properties: they are forwarded as received, not decoded and encoded again.
 * Binary fields are copied: mqtt-packet returns views of the frame, whose memory is the transport's.
 */

import { parser as makeParser } from 'mqtt-packet'
import type {
  IAuthPacket,
  IConnectPacket,
  IDisconnectPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
  Parser,
} from 'mqtt-packet'
import { copyOf } from './bytes.ts'
import { checkConnectFrame, checkControl } from './check.ts'
import { ProtocolError } from './errors.ts'
import type { FrameReader } from './frame-reader.ts'
import { forEachProperty, readProperties, readUserProperties } from './properties.ts'
import { ReasonCode } from './reason-codes.ts'
import { PACKET_BYTES_LIMIT, SESSION_NEVER_EXPIRES } from './types.ts'
import type {
  AuthPacket,
  ConnectPacket,
  ControlPacket,
  DisconnectPacket,
  MqttVersion,
  QoS,
  SubscribePacket,
  UnsubscribePacket,
  UserProperties,
  WillMessage,
} from './types.ts'

const RECEIVE_MAXIMUM_DEFAULT = 65_535
const NO_BYTES: Uint8Array = new Uint8Array(0)

const MESSAGE_EXPIRY = 0x02
const WILL_DELAY = 0x18

/**
 * Decodes one complete packet of a connected client. `frame` is fixed header to last byte and is not kept.
 * PUBLISH and its acknowledgements do not come here. Throws ProtocolError.
 */
export function decodeControl(frame: Uint8Array, version: MqttVersion): ControlPacket {
  const reader = checkControl(frame, version)
  const packet = parse(PARSERS[version], reader.sound)
  switch (packet.cmd) {
    case 'subscribe':
      return toSubscribe(packet, reader)
    case 'unsubscribe':
      return toUnsubscribe(packet, reader)
    case 'pingreq':
      return PINGREQ
    case 'disconnect':
      return toDisconnect(packet, reader)
    case 'auth':
      return toAuth(packet, reader)
    default:
      throw new Error(`check.ts let ${packet.cmd} pass`)
  }
}

/**
 * Decodes the first packet of a connection, a CONNECT of any version. Throws ProtocolError.
 *
 * `clientIdCharsMax31` is the longest client id taken from a 3.1 client. Without it any length is taken, which
 * deviates from [MQTT31-3.1-c] (23 characters): 3.1.1 lifted the bound, and 3.1 libraries in use do not keep to it. [ADR-0004]
 */
export function decodeConnect(frame: Uint8Array, clientIdCharsMax31: number = Infinity): ConnectPacket {
  const reader = checkConnectFrame(frame)
  // mqtt-packet makes the CONNECT it has read its settings and keeps it, password included: a parser for each.
  const packet = parse(new SingleParser(5), reader.sound)
  if (packet.cmd !== 'connect') throw new Error(`check.ts let ${packet.cmd} pass`)
  if (reader.version === 3 && packet.clientId.length > clientIdCharsMax31) {
    throw new ProtocolError(
      ReasonCode.clientIdentifierNotValid,
      'MQTT31-3.1-c',
      `CONNECT: client identifier has ${packet.clientId.length} characters; in MQTT 3.1 it may have ${clientIdCharsMax31}`,
    )
  }
  return toConnect(packet, reader)
}

// ── mqtt-packet ──────────────────────────────────────────────────────────────

/** mqtt-packet's event-driven parser as a function of one complete frame. Holds nothing between frames. */
class SingleParser {
  readonly #parser: Parser
  #packet: Packet | undefined = undefined
  #error: Error | undefined = undefined

  constructor(version: MqttVersion) {
    this.#parser = makeParser({ protocolVersion: version })
    this.#parser.on('packet', (packet: Packet) => {
      this.#packet = packet
    })
    this.#parser.on('error', (error: Error) => {
      this.#error = error
    })
  }

  /** Throws Error when the frame was not exactly one packet, which `check.ts` has ruled out: then that is our mistake. */
  parse(frame: Buffer): Packet {
    const rest = this.#parser.parse(frame)
    const packet = this.#packet
    const error = this.#error
    this.#packet = undefined
    this.#error = undefined
    if (packet === undefined || error !== undefined || rest !== 0) {
      throw new Error('mqtt-packet did not take a frame that passed our check', { cause: error })
    }
    return packet
  }
}

/** One per version, shared by all connections: a frame is complete, so nothing of it stays behind. */
const PARSERS: Record<MqttVersion, SingleParser> = {
  3: new SingleParser(3),
  4: new SingleParser(4),
  5: new SingleParser(5),
}

function parse(parser: SingleParser, frame: Uint8Array): Packet {
  return parser.parse(Buffer.from(frame.buffer, frame.byteOffset, frame.length))
}

// ── into our packets ─────────────────────────────────────────────────────────

const PINGREQ = { type: 'pingreq' } as const

function toConnect(packet: IConnectPacket, reader: FrameReader): ConnectPacket {
  const { version } = reader
  const properties = packet.properties ?? {}
  const cleanStart = packet.clean === true
  const sessionExpiry3 = cleanStart ? 0 : SESSION_NEVER_EXPIRES
  return {
    type: 'connect',
    version,
    clientId: packet.clientId,
    cleanStart,
    keepAliveSeconds: packet.keepalive ?? 0,
    username: packet.username,
    password: ownBytes(packet.password),
    will: packet.will === undefined ? undefined : toWill(packet.will, reader),
    sessionExpirySeconds: version === 5 ? (properties.sessionExpiryInterval ?? 0) : sessionExpiry3,
    receiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT,
    // A larger value says no more than 'no limit': no packet can be longer.
    maxPacketBytes: Math.min(properties.maximumPacketSize ?? PACKET_BYTES_LIMIT, PACKET_BYTES_LIMIT),
    topicAliasMax: properties.topicAliasMaximum ?? 0,
    requestResponseInformation: properties.requestResponseInformation ?? false,
    requestProblemInformation: properties.requestProblemInformation ?? true,
    userProperties: userPropertiesOf(reader),
    authMethod: properties.authenticationMethod,
    authData: ownBytes(properties.authenticationData),
  }
}

function toWill(will: NonNullable<IConnectPacket['will']>, reader: FrameReader): WillMessage {
  const { start, end } = reader.willProperties
  const values = readProperties(reader.bytes, start, end)
  return {
    topic: will.topic,
    payload: ownBytes(will.payload as Buffer),
    qos: will.qos as QoS,
    retain: will.retain === true,
    delaySeconds: values.willDelaySeconds ?? 0,
    messageExpirySeconds: values.messageExpirySeconds,
    payloadFormat: values.payloadFormat === 1 ? 1 : 0,
    propertyBytes: forwarded(reader.bytes, start, end),
  }
}

/** The will's properties without the two that are for us. */
function forwarded(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const kept: Uint8Array[] = []
  forEachProperty(bytes, start, end, (spec, from, to) => {
    if (spec.id !== WILL_DELAY && spec.id !== MESSAGE_EXPIRY) kept.push(bytes.subarray(from - 1, to))
  })
  return kept.length === 0 ? NO_BYTES : new Uint8Array(Buffer.concat(kept))
}

function toSubscribe(packet: ISubscribePacket, reader: FrameReader): SubscribePacket {
  return {
    type: 'subscribe',
    packetId: packet.messageId!,
    subscriptionId: packet.properties?.subscriptionIdentifier,
    userProperties: userPropertiesOf(reader),
    requests: packet.subscriptions.map((request) => ({
      filter: request.topic,
      qos: request.qos,
      noLocal: request.nl ?? false,
      retainAsPublished: request.rap ?? false,
      retainHandling: (request.rh ?? 0) as 0 | 1 | 2,
    })),
  }
}

function toUnsubscribe(packet: IUnsubscribePacket, reader: FrameReader): UnsubscribePacket {
  return {
    type: 'unsubscribe',
    packetId: packet.messageId!,
    userProperties: userPropertiesOf(reader),
    filters: packet.unsubscriptions,
  }
}

function toDisconnect(packet: IDisconnectPacket, reader: FrameReader): DisconnectPacket {
  return {
    type: 'disconnect',
    reasonCode: packet.reasonCode ?? 0,
    sessionExpirySeconds: packet.properties?.sessionExpiryInterval,
    reasonString: packet.properties?.reasonString,
    userProperties: userPropertiesOf(reader),
  }
}

function toAuth(packet: IAuthPacket, reader: FrameReader): AuthPacket {
  return {
    type: 'auth',
    reasonCode: packet.reasonCode,
    authMethod: packet.properties!.authenticationMethod!,
    authData: ownBytes(packet.properties!.authenticationData),
    reasonString: packet.properties!.reasonString,
    userProperties: userPropertiesOf(reader),
  }
}

function userPropertiesOf(reader: FrameReader): UserProperties {
  return readUserProperties(reader.bytes, reader.properties.start, reader.properties.end)
}

function ownBytes(bytes: Uint8Array): Uint8Array
function ownBytes(bytes: Uint8Array | undefined): Uint8Array | undefined
function ownBytes(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : copyOf(bytes, 0, bytes.length)
}
