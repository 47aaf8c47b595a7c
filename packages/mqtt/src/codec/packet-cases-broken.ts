/** Control packets that break a rule, with the rule they break. */

import { data, frame, head31, head311, head5, NO_PROPS, props, text } from './packet-cases.ts'
import type { MqttVersion } from './types.ts'

export interface InvalidCase {
  readonly name: string
  readonly version: MqttVersion | 'first'
  readonly bytes: Uint8Array
  readonly reasonCode: number
  readonly clause: string
}

const SUBSCRIBE_A = [...text('a'), 0]

export const INVALID: readonly InvalidCase[] = [
  // ── CONNECT ──
  first('a first packet that is not CONNECT', frame(0xc0), 0x82, 'MQTT5-3.1.0-1'),
  first('a CONNECT with flags in its first byte', frame(0x11, head311(0x02), text('c')), 0x81, 'MQTT311-2.2.2-2'),
  first('an MQTT 5 CONNECT with flags in its first byte', frame(0x18, head5(2), 0, text('c')), 0x81, 'MQTT5-2.1.3-1'),
  first('another protocol name', frame(0x10, text('MQTX'), 4, 2, 0, 60, text('c')), 0x84, 'MQTT5-3.1.2-1'),
  first(
    'the protocol name of 3.1 with the level of 3.1.1',
    frame(0x10, text('MQIsdp'), 4, 2, 0, 60, text('c')),
    0x84,
    'MQTT5-3.1.2-2',
  ),
  first(
    'protocol level 3 under the newer name',
    frame(0x10, text('MQTT'), 3, 2, 0, 60, text('c')),
    0x84,
    'MQTT5-3.1.2-2',
  ),
  first('protocol level 6', frame(0x10, text('MQTT'), 6, 2, 0, 60, text('c')), 0x84, 'MQTT5-3.1.2-2'),
  first('the bridge bit', frame(0x10, text('MQTT'), 0x84, 2, 0, 60, text('c')), 0x84, 'MQTT5-3.1.2-2'),
  first('the reserved connect flag in 3.1.1', frame(0x10, head311(0x03), text('c')), 0x81, 'MQTT311-3.1.2-3'),
  first('the reserved connect flag in 5', frame(0x10, head5(0x03), 0, text('c')), 0x81, 'MQTT5-3.1.2-3'),
  first('a will QoS without a will', frame(0x10, head311(0x0a), text('c')), 0x81, 'MQTT311-3.1.2-13'),
  first('a will QoS without a will in 5', frame(0x10, head5(0x0a), 0, text('c')), 0x81, 'MQTT5-3.1.2-11'),
  first('will retain without a will', frame(0x10, head311(0x22), text('c')), 0x81, 'MQTT311-3.1.2-15'),
  first('will retain without a will in 5', frame(0x10, head5(0x22), 0, text('c')), 0x81, 'MQTT5-3.1.2-13'),
  first('a will QoS of 3', frame(0x10, head5(0x1e), 0, text('c'), 0, text('t'), data()), 0x81, 'MQTT5-3.1.2-12'),
  first('a 3.1 will QoS of 3', frame(0x10, head31(0x1e), text('c'), text('t'), data()), 0x81, 'MQTT31-2.2-h'),
  first('a password without a user name in 3.1', frame(0x10, head31(0x42), text('c'), data(1)), 0x82, 'MQTT31-2.2-j'),
  first(
    'a password without a user name in 3.1.1',
    frame(0x10, head311(0x42), text('c'), data(1)),
    0x82,
    'MQTT311-3.1.2-22',
  ),
  first('a 3.1.1 user name flag without a user name', frame(0x10, head311(0x82), text('c')), 0x81, 'MQTT311-4.8.0-1'),
  first('an empty client id in 3.1', frame(0x10, head31(0x02), text('')), 0x85, 'MQTT31-3.2-b'),
  first('an empty client id for a kept session', frame(0x10, head311(0x00), text('')), 0x85, 'MQTT311-3.1.3-8'),
  first('a client id with U+0000', frame(0x10, head311(0x02), text('a\0b')), 0x81, 'MQTT311-1.5.3-2'),
  first(
    'a client id with half a surrogate pair',
    frame(0x10, head5(2), 0, data(0xed, 0xa0, 0x80)),
    0x81,
    'MQTT5-1.5.4-1',
  ),
  first('a client id in overlong form', frame(0x10, head5(2), 0, data(0xc0, 0x80)), 0x81, 'MQTT5-1.5.4-1'),
  first(
    'a will topic with a wildcard',
    frame(0x10, head311(6), text('c'), text('a/+'), data()),
    0x90,
    'MQTT311-3.3.2-2',
  ),
  first('an empty will topic', frame(0x10, head5(6), 0, text('c'), 0, text(''), data()), 0x90, 'MQTT5-4.7.3-1'),
  first('bytes behind the last field', frame(0x10, head311(2), text('c'), 0), 0x81, 'MQTT311-4.8.0-1'),
  first(
    'a padded remaining length in 5',
    Uint8Array.from([0x10, 0x8d, 0x00, ...head5(2), 0, 0, 0]),
    0x81,
    'MQTT5-1.5.5-1',
  ),
  first('a padded property length', frame(0x10, head5(2), 0x80, 0x00, text('c')), 0x81, 'MQTT5-1.5.5-1'),
  connect5('a property number that does not exist', [0x7f, 0], 0x81, 'MQTT5-2.2.2.2-a'),
  connect5('a property of another packet', [0x23, 0, 1], 0x81, 'MQTT5-2.2.2.2-a'),
  connect5('a property twice', [0x21, 0, 1, 0x21, 0, 1], 0x82, 'MQTT5-3.1.2.11.3-a'),
  connect5('a receive maximum of 0', [0x21, 0, 0], 0x82, 'MQTT5-3.1.2.11.3-a'),
  connect5('a maximum packet size of 0', [0x27, 0, 0, 0, 0], 0x82, 'MQTT5-3.1.2.11.4-a'),
  connect5('a request problem information of 2', [0x17, 2], 0x82, 'MQTT5-3.1.2.11.7-a'),
  connect5('authentication data without a method', [0x16, ...data(1)], 0x82, 'MQTT5-3.1.2.11.10-a'),
  connect5('a property that runs over the end', [0x11, 0, 0, 0], 0x81, 'MQTT5-2.2.2.2-a'),
  connect5('a user property with invalid UTF-8', [0x26, ...text('k'), ...data(0xff)], 0x81, 'MQTT5-1.5.4-1'),
  will5('a response topic with a wildcard', [0x08, ...text('a/#')], 0x82, 'MQTT5-3.3.2-14'),
  will5('a payload format of 2', [0x01, 2], 0x82, 'MQTT5-3.1.3.2-a'),
  first(
    'a will that is declared UTF-8 and is not',
    frame(0x10, head5(6), NO_PROPS, text('c'), props([0x01, 1]), text('t'), data(0xff)),
    0x99,
    'MQTT5 §3.1.3.2.3',
  ),
  will5('a topic alias', [0x23, 0, 1], 0x81, 'MQTT5-2.2.2.2-a'),

  // ── packets that a client may not send ──
  ...([3, 4, 5] as const).flatMap((version) => [
    later('a second CONNECT', version, frame(0x10), 0x82, ['MQTT31 §3.1', 'MQTT311-3.1.0-2', 'MQTT5-3.1.0-2']),
    later('a CONNACK', version, frame(0x20, 0, 0), 0x82, ['MQTT31-2.1-a', 'MQTT311 §2.2.1', 'MQTT5 §2.1.2']),
    later('a SUBACK', version, frame(0x90, 0, 1, 0), 0x82, ['MQTT31-2.1-a', 'MQTT311 §2.2.1', 'MQTT5 §2.1.2']),
    later('a PINGRESP', version, frame(0xd0), 0x82, ['MQTT31-2.1-a', 'MQTT311 §2.2.1', 'MQTT5 §2.1.2']),
    later('packet type 0', version, frame(0x00), 0x81, ['MQTT31-2.1-a', 'MQTT311 §2.2.1', 'MQTT5 §2.1.2']),
    later('a PINGREQ with a body', version, frame(0xc0, 0), 0x81, ['MQTT31 §2', 'MQTT311-4.8.0-1', 'MQTT5-4.13.1-1']),
  ]),
  later('packet type 15 in 3.1.1', 4, frame(0xf0, 0x18, 0), 0x81, 'MQTT311 §2.2.1'),

  // ── SUBSCRIBE and UNSUBSCRIBE ──
  later('a SUBSCRIBE without its flag', 4, frame(0x80, 0, 1, SUBSCRIBE_A), 0x81, 'MQTT311-3.8.1-1'),
  later('a 3.1 SUBSCRIBE sent with QoS 0', 3, frame(0x80, 0, 1, SUBSCRIBE_A), 0x81, 'MQTT31-3.8-e'),
  later('an MQTT 5 SUBSCRIBE sent again with DUP', 5, frame(0x8a, 0, 1, 0, SUBSCRIBE_A), 0x81, 'MQTT5-3.8.1-1'),
  later('a SUBSCRIBE with packet id 0', 4, frame(0x82, 0, 0, SUBSCRIBE_A), 0x82, 'MQTT311-2.3.1-1'),
  later('a 3.1 SUBSCRIBE with packet id 0', 3, frame(0x82, 0, 0, SUBSCRIBE_A), 0x82, 'MQTT31-2.4-d'),
  later('an MQTT 5 SUBSCRIBE with packet id 0', 5, frame(0x82, 0, 0, 0, SUBSCRIBE_A), 0x82, 'MQTT5-2.2.1-3'),
  later('a SUBSCRIBE without a filter', 4, frame(0x82, 0, 1), 0x82, 'MQTT311-3.8.3-3'),
  later('an MQTT 5 SUBSCRIBE without a filter', 5, frame(0x82, 0, 1, 0), 0x82, 'MQTT5-3.8.3-2'),
  later('an empty filter', 4, frame(0x82, 0, 1, text(''), 0), 0x8f, 'MQTT311-4.7.3-1'),
  later("a '#' in the middle", 5, frame(0x82, 0, 1, 0, text('a/#/b'), 0), 0x8f, 'MQTT5-4.7.1-1'),
  later("a '+' beside text", 4, frame(0x82, 0, 1, text('a/b+'), 0), 0x8f, 'MQTT311-4.7.1-3'),
  later('a filter that is not UTF-8', 4, frame(0x82, 0, 1, data(0xff), 0), 0x81, 'MQTT311-1.5.3-1'),
  later('a filter with U+0000', 5, frame(0x82, 0, 1, 0, text('a\0'), 0), 0x81, 'MQTT5-1.5.4-2'),
  later('QoS 3', 4, frame(0x82, 0, 1, text('a'), 3), 0x82, 'MQTT311-3.8.3-4'),
  later('QoS 3 in 3.1', 3, frame(0x82, 0, 1, text('a'), 3), 0x82, 'MQTT31-3.8-c'),
  later('QoS 3 in 5', 5, frame(0x82, 0, 1, 0, text('a'), 3), 0x82, 'MQTT5-3.8.3.1-a'),
  later('reserved bits beside a 3.1.1 QoS', 4, frame(0x82, 0, 1, text('a'), 4), 0x81, 'MQTT311-3.8.3-4'),
  later('reserved subscription options', 5, frame(0x82, 0, 1, 0, text('a'), 0x40), 0x81, 'MQTT5-3.8.3-5'),
  later('a retain handling of 3', 5, frame(0x82, 0, 1, 0, text('a'), 0x30), 0x82, 'MQTT5-3.8.3.1-b'),
  later('no local on a shared subscription', 5, frame(0x82, 0, 1, 0, text('$share/g/a'), 4), 0x82, 'MQTT5-3.8.3-4'),
  later('a share without a name', 5, frame(0x82, 0, 1, 0, text('$share//a'), 0), 0x8f, 'MQTT5-4.8.2-1'),
  later('a share without a filter', 5, frame(0x82, 0, 1, 0, text('$share/g'), 0), 0x8f, 'MQTT5-4.8.2-2'),
  later(
    'a subscription identifier of 0',
    5,
    frame(0x82, 0, 1, props([0x0b, 0]), SUBSCRIBE_A),
    0x82,
    'MQTT5-3.8.2.1.2-a',
  ),
  later(
    'two subscription identifiers',
    5,
    frame(0x82, 0, 1, props([0x0b, 1, 0x0b, 2]), SUBSCRIBE_A),
    0x82,
    'MQTT5-3.8.2.1.2-a',
  ),
  later(
    'a padded subscription identifier',
    5,
    frame(0x82, 0, 1, props([0x0b, 0x81, 0]), SUBSCRIBE_A),
    0x81,
    'MQTT5-1.5.5-1',
  ),
  later('a SUBSCRIBE that ends before its options', 4, frame(0x82, 0, 1, text('a')), 0x81, 'MQTT311-4.8.0-1'),
  later('an UNSUBSCRIBE without its flag', 5, frame(0xa0, 0, 1, 0, text('a')), 0x81, 'MQTT5-3.10.1-1'),
  later('an UNSUBSCRIBE without a filter', 4, frame(0xa2, 0, 1), 0x82, 'MQTT311-3.10.3-2'),
  later(
    'an UNSUBSCRIBE with a subscription identifier',
    5,
    frame(0xa2, 0, 1, props([0x0b, 1]), text('a')),
    0x81,
    'MQTT5-2.2.2.2-a',
  ),

  // ── DISCONNECT and AUTH ──
  later('a DISCONNECT with flags', 4, frame(0xe1), 0x81, 'MQTT311-3.14.1-1'),
  later('a 3.1.1 DISCONNECT with a body', 4, frame(0xe0, 0), 0x81, 'MQTT311-4.8.0-1'),
  later('a DISCONNECT with a code of the server', 5, frame(0xe0, 0x8e), 0x82, 'MQTT5-3.14.2-1'),
  later('a DISCONNECT whose properties leave bytes over', 5, frame(0xe0, 0, 0, 0), 0x81, 'MQTT5-4.13.1-1'),
  later('an AUTH with flags', 5, frame(0xf2, 0x18, props([0x15, ...text('X')])), 0x81, 'MQTT5-3.15.1-1'),
  later('an AUTH that declares success', 5, frame(0xf0, 0x00, props([0x15, ...text('X')])), 0x82, 'MQTT5-3.15.2-1'),
  later('an AUTH without a method', 5, frame(0xf0, 0x18, 0), 0x82, 'MQTT5-3.15.2.2.2-a'),
  later('an empty AUTH', 5, frame(0xf0), 0x81, 'MQTT5-4.13.1-1'),
]

function first(name: string, bytes: Uint8Array, reasonCode: number, clause: string): InvalidCase {
  return { name, version: 'first', bytes, reasonCode, clause }
}

function connect5(name: string, properties: readonly number[], reasonCode: number, clause: string): InvalidCase {
  return first(`CONNECT with ${name}`, frame(0x10, head5(2), props(properties), text('c')), reasonCode, clause)
}

function will5(name: string, properties: readonly number[], reasonCode: number, clause: string): InvalidCase {
  const bytes = frame(0x10, head5(6), NO_PROPS, text('c'), props(properties), text('t'), data())
  return first(`a will with ${name}`, bytes, reasonCode, clause)
}

/** `clause` is one, or one for each version. */
function later(
  name: string,
  version: MqttVersion,
  bytes: Uint8Array,
  reasonCode: number,
  clause: string | readonly [string, string, string],
): InvalidCase {
  const rule = typeof clause === 'string' ? clause : clause[version - 3]!
  return { name: `${name} (level ${version})`, version, bytes, reasonCode, clause: rule }
}
