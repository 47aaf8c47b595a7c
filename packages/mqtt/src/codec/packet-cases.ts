/**
 * Control packets as clients put them on the wire: one table for the codec's tests and the seeds of its fuzzer. The wrong
 * ones are in packet-cases-broken.ts. Fields are written out by hand, not with our encoders or mqtt-packet's.
 */

import type { ConnectPacket, ControlPacket, MqttVersion } from './types.ts'
import { writeVarint } from './varint.ts'

export interface ValidCase {
  readonly name: string
  /** 'first': the packet that opens a connection. */
  readonly version: MqttVersion | 'first'
  readonly bytes: Uint8Array
  readonly packet: ConnectPacket | ControlPacket
}

type Part = number | readonly number[]

/** A packet from its first byte and its fields; the remaining length is worked out. */
export function frame(first: number, ...parts: readonly Part[]): Uint8Array {
  const body = parts.flat()
  return Uint8Array.from([first, ...lengthOf(body.length), ...body])
}

/** UTF-8 encoded string with its length. */
export function text(value: string): number[] {
  return data(...Buffer.from(value))
}

/** Binary data with its length. */
export function data(...bytes: readonly number[]): number[] {
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes]
}

/** Properties with their length. */
export function props(...parts: readonly Part[]): number[] {
  const body = parts.flat()
  return [...lengthOf(body.length), ...body]
}

function lengthOf(byteCount: number): number[] {
  const bytes = new Uint8Array(4)
  return [...bytes.subarray(0, writeVarint(bytes, 0, byteCount))]
}

/** A property length of 0. */
export const NO_PROPS: readonly number[] = [0]

const CONNECT_DEFAULTS: ConnectPacket = {
  type: 'connect',
  version: 4,
  clientId: 'c1',
  cleanStart: true,
  keepAliveSeconds: 60,
  username: undefined,
  password: undefined,
  will: undefined,
  sessionExpirySeconds: 0,
  receiveMaximum: 65_535,
  maxPacketBytes: 268_435_460,
  topicAliasMax: 0,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [],
  authMethod: undefined,
  authData: undefined,
}

/** Protocol name, level, flags and a keep-alive of a minute: how a CONNECT of each version begins. */
export function head31(flags: number): number[] {
  return [...text('MQIsdp'), 3, flags, 0, 60]
}
export function head311(flags: number): number[] {
  return [...text('MQTT'), 4, flags, 0, 60]
}
export function head5(flags: number): number[] {
  return [...text('MQTT'), 5, flags, 0, 60]
}

const DISCONNECT_DEFAULTS = {
  type: 'disconnect',
  reasonCode: 0,
  sessionExpirySeconds: undefined,
  reasonString: undefined,
  userProperties: [],
} as const

const PLAIN = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
const WILL_PROPERTIES = [0x26, ...text('2'), ...text('x'), 0x03, ...text('json'), 0x26, ...text('1'), ...text('')]

export const VALID: readonly ValidCase[] = [
  {
    name: 'the least a 3.1 client can say',
    version: 'first',
    bytes: frame(0x10, head31(0x02), text('c1')),
    packet: { ...CONNECT_DEFAULTS, version: 3 },
  },
  {
    name: 'a 3.1 client id of 23 characters with user name and password',
    version: 'first',
    bytes: frame(0x10, head31(0xc0), text('mqttjs_blackie_01234567'), text('user'), text('secret')),
    packet: {
      ...CONNECT_DEFAULTS,
      version: 3,
      clientId: 'mqttjs_blackie_01234567',
      cleanStart: false,
      sessionExpirySeconds: 0xffff_ffff,
      username: 'user',
      password: Uint8Array.from(Buffer.from('secret')),
    },
  },
  {
    name: 'a 3.1 user name flag without a user name',
    version: 'first',
    bytes: frame(0x10, head31(0xc2), text('c1')),
    packet: { ...CONNECT_DEFAULTS, version: 3 },
  },
  {
    name: 'a 3.1 password flag without a password',
    version: 'first',
    bytes: frame(0x10, head31(0xc2), text('c1'), text('user')),
    packet: { ...CONNECT_DEFAULTS, version: 3, username: 'user' },
  },
  {
    name: 'a 3.1 CONNECT with every bit set that 3.1 disregards',
    version: 'first',
    bytes: frame(0x1f, head31(0x3b), text('c1')),
    packet: { ...CONNECT_DEFAULTS, version: 3 },
  },
  {
    name: 'a 3.1.1 client without an id',
    version: 'first',
    bytes: frame(0x10, head311(0x02), text('')),
    packet: { ...CONNECT_DEFAULTS, clientId: '' },
  },
  {
    name: 'a 3.1.1 user name without a password',
    version: 'first',
    bytes: frame(0x10, head311(0x82), text('c1'), text('user')),
    packet: { ...CONNECT_DEFAULTS, username: 'user' },
  },
  {
    name: 'a 3.1.1 will with an empty payload, retained, QoS 2',
    version: 'first',
    bytes: frame(0x10, head311(0x36), text('c1'), text('gone/c1'), data()),
    packet: {
      ...CONNECT_DEFAULTS,
      will: {
        topic: 'gone/c1',
        payload: new Uint8Array(0),
        qos: 2,
        retain: true,
        delaySeconds: 0,
        messageExpirySeconds: undefined,
        payloadFormat: 0,
        propertyBytes: new Uint8Array(0),
      },
    },
  },
  {
    name: 'a 3.1.1 remaining length padded to four bytes',
    version: 'first',
    bytes: Uint8Array.from([0x10, 0x8e, 0x80, 0x80, 0x00, ...head311(0x02), ...text('c1')]),
    packet: CONNECT_DEFAULTS,
  },
  {
    name: 'a client id that begins with a byte order mark',
    version: 'first',
    bytes: frame(0x10, head311(0x02), data(0xef, 0xbb, 0xbf, 0x63)),
    packet: { ...CONNECT_DEFAULTS, clientId: '\ufeffc' },
  },
  {
    name: 'the least an MQTT 5 client can say',
    version: 'first',
    bytes: frame(0x10, head5(0x02), NO_PROPS, text('')),
    packet: { ...CONNECT_DEFAULTS, version: 5, clientId: '' },
  },
  {
    name: 'an MQTT 5 password without a user name',
    version: 'first',
    bytes: frame(0x10, head5(0x40), NO_PROPS, text('c1'), data(0x00, 0xff)),
    packet: { ...CONNECT_DEFAULTS, version: 5, cleanStart: false, password: Uint8Array.of(0x00, 0xff) },
  },
  {
    name: 'every CONNECT property of MQTT 5',
    version: 'first',
    bytes: frame(
      0x10,
      head5(0x02),
      props(
        [0x11, 0xff, 0xff, 0xff, 0xff, 0x21, 0x00, 0x0a, 0x27, 0xff, 0xff, 0xff, 0xff, 0x22, 0x00, 0x05],
        [0x19, 0x01, 0x17, 0x00, 0x15, ...text('SCRAM-SHA-256'), 0x16, ...data(0x01, 0x02)],
        [0x26, ...text('b'), ...text('1'), 0x26, ...text('a'), ...text(''), 0x26, ...text('b'), ...text('2')],
      ),
      text('c1'),
    ),
    packet: {
      ...CONNECT_DEFAULTS,
      version: 5,
      sessionExpirySeconds: 0xffff_ffff,
      receiveMaximum: 10,
      maxPacketBytes: 268_435_460,
      topicAliasMax: 5,
      requestResponseInformation: true,
      requestProblemInformation: false,
      authMethod: 'SCRAM-SHA-256',
      authData: Uint8Array.of(1, 2),
      userProperties: [
        ['b', '1'],
        ['a', ''],
        ['b', '2'],
      ],
    },
  },
  {
    name: 'an MQTT 5 will whose properties keep their order without delay and expiry',
    version: 'first',
    bytes: frame(
      0x10,
      head5(0x0e),
      NO_PROPS,
      text('c1'),
      props([0x18, 0, 0, 0, 7, 0x01, 0x01], WILL_PROPERTIES.slice(0, 7), [0x02, 0, 0, 1, 0], WILL_PROPERTIES.slice(7)),
      text('gone'),
      data(0x68, 0x69),
    ),
    packet: {
      ...CONNECT_DEFAULTS,
      version: 5,
      will: {
        topic: 'gone',
        payload: Uint8Array.from([0x68, 0x69]),
        qos: 1,
        retain: false,
        delaySeconds: 7,
        messageExpirySeconds: 256,
        payloadFormat: 1,
        propertyBytes: Uint8Array.from([0x01, 0x01, ...WILL_PROPERTIES]),
      },
    },
  },
  {
    name: 'a 3.1 SUBSCRIBE sent again, with bits that 3.1 does not use',
    version: 3,
    bytes: frame(0x8b, 0, 10, text('a/b'), 0xfd, text('c/d'), 0x02),
    packet: {
      type: 'subscribe',
      packetId: 10,
      subscriptionId: undefined,
      userProperties: [],
      requests: [
        { filter: 'a/b', qos: 1, ...PLAIN },
        { filter: 'c/d', qos: 2, ...PLAIN },
      ],
    },
  },
  {
    name: 'a 3.1.1 SUBSCRIBE that repeats a filter',
    version: 4,
    bytes: frame(0x82, 0xff, 0xff, text('a/#'), 0x00, text('a/#'), 0x02),
    packet: {
      type: 'subscribe',
      packetId: 65_535,
      subscriptionId: undefined,
      userProperties: [],
      requests: [
        { filter: 'a/#', qos: 0, ...PLAIN },
        { filter: 'a/#', qos: 2, ...PLAIN },
      ],
    },
  },
  {
    name: 'an MQTT 5 SUBSCRIBE with identifier, options, a shared filter and user properties',
    version: 5,
    bytes: frame(
      0x82,
      [0, 1],
      props([0x0b, 0xff, 0xff, 0xff, 0x7f], [0x26, ...text('9'), ...text('x'), 0x26, ...text('1'), ...text('y')]),
      text('+/a'),
      0b0010_1110,
      text('$share/g/#'),
      0b0001_0001,
    ),
    packet: {
      type: 'subscribe',
      packetId: 1,
      subscriptionId: 268_435_455,
      userProperties: [
        ['9', 'x'],
        ['1', 'y'],
      ],
      requests: [
        { filter: '+/a', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { filter: '$share/g/#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 1 },
      ],
    },
  },
  {
    name: 'a 3.1 UNSUBSCRIBE sent again',
    version: 3,
    bytes: frame(0xaa, 0, 2, text('a/b')),
    packet: { type: 'unsubscribe', packetId: 2, userProperties: [], filters: ['a/b'] },
  },
  {
    name: 'a 3.1.1 UNSUBSCRIBE',
    version: 4,
    bytes: frame(0xa2, 0, 2, text('a/b'), text('+')),
    packet: { type: 'unsubscribe', packetId: 2, userProperties: [], filters: ['a/b', '+'] },
  },
  {
    name: 'an MQTT 5 UNSUBSCRIBE',
    version: 5,
    bytes: frame(0xa2, 0, 2, props([0x26, ...text('k'), ...text('v')]), text('a/b')),
    packet: { type: 'unsubscribe', packetId: 2, userProperties: [['k', 'v']], filters: ['a/b'] },
  },
  { name: 'a 3.1 PINGREQ with unused flags', version: 3, bytes: frame(0xcf), packet: { type: 'pingreq' } },
  { name: 'a PINGREQ', version: 5, bytes: frame(0xc0), packet: { type: 'pingreq' } },
  { name: 'a 3.1.1 DISCONNECT', version: 4, bytes: frame(0xe0), packet: DISCONNECT_DEFAULTS },
  { name: 'an MQTT 5 DISCONNECT without a code', version: 5, bytes: frame(0xe0), packet: DISCONNECT_DEFAULTS },
  {
    name: 'an MQTT 5 DISCONNECT without properties',
    version: 5,
    bytes: frame(0xe0, 0x04),
    packet: { ...DISCONNECT_DEFAULTS, reasonCode: 4 },
  },
  {
    name: 'an MQTT 5 DISCONNECT with everything a client may add',
    version: 5,
    bytes: frame(
      0xe0,
      0x04,
      props(
        [0x11, 0, 0, 0, 0],
        [0x1f, ...text('bye')],
        [0x26, ...text('k'), ...text('v'), 0x26, ...text('k'), ...text('v')],
      ),
    ),
    packet: {
      type: 'disconnect',
      reasonCode: 4,
      sessionExpirySeconds: 0,
      reasonString: 'bye',
      userProperties: [
        ['k', 'v'],
        ['k', 'v'],
      ],
    },
  },
  {
    name: 'an AUTH that goes on',
    version: 5,
    bytes: frame(0xf0, 0x18, props([0x15, ...text('X')], [0x16, ...data(0x00)], [0x1f, ...text('r')])),
    packet: {
      type: 'auth',
      reasonCode: 0x18,
      authMethod: 'X',
      authData: Uint8Array.of(0),
      reasonString: 'r',
      userProperties: [],
    },
  },
]
