/** The tools of the conformance tests, against bytes written out by hand from the specification: who judges must be right itself. */
import { describe, expect, it } from 'vitest'
import {
  auth,
  connect,
  disconnect,
  frame,
  hex,
  type Packet,
  PacketParser,
  pingreq,
  prop,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  Reader,
  subscribe,
  unsubscribe,
  varint,
  type Version,
} from '../harness.ts'

function read(text: string, version: Version = 5): Packet[] {
  return new PacketParser(version).read(hex(text))
}

describe('builders', () => {
  it.each([
    ['CONNECT', connect({ clientId: 'c', keepAlive: 10 }), '10 0e 00 04 4d 51 54 54 05 02 00 0a 00 00 01 63'],
    ['PUBLISH', publish('a/b', '', { qos: 1, id: 10 }), '32 08 00 03 61 2f 62 00 0a 00'],
    ['PUBLISH DUP', publish('a', 'x', { qos: 2, id: 1, dup: true, retain: true }), '3d 07 00 01 61 00 01 00 78'],
    ['PUBACK', puback(1), '40 02 00 01'],
    ['PUBREC', pubrec(2, { reason: 0x80 }), '50 03 00 02 80'],
    ['PUBREL', pubrel(3), '62 02 00 03'],
    ['PUBCOMP', pubcomp(4, { properties: [] }), '70 04 00 04 00 00'],
    [
      'SUBSCRIBE',
      subscribe(10, { filter: 'a/b', qos: 1 }, { filter: 'c/d', qos: 2 }),
      '82 0f 00 0a 00 00 03 61 2f 62 01 00 03 63 2f 64 02',
    ],
    [
      'SUBSCRIBE options',
      subscribe(1, { filter: 'a', qos: 0, noLocal: true, retainAsPublished: true, retainHandling: 2 }),
      '82 07 00 01 00 00 01 61 2c',
    ],
    ['UNSUBSCRIBE', unsubscribe(10, 'a/b', 'c/d'), 'a2 0d 00 0a 00 00 03 61 2f 62 00 03 63 2f 64'],
    ['PINGREQ', pingreq(), 'c0 00'],
    ['DISCONNECT', disconnect(), 'e0 00'],
    ['DISCONNECT 0x04', disconnect({ reason: 4 }), 'e0 01 04'],
    ['AUTH', auth(0x18, [prop('authenticationMethod', 'm')]), 'f0 06 18 04 15 00 01 6d'],
  ])('%s', (_name, draft, text) => {
    expect(draft(5)).toEqual(hex(text))
  })

  it('leave out what earlier versions do not have', () => {
    expect(connect({ clientId: 'c', clean: false, username: 'u' })(4)).toEqual(
      hex('10 10 00 04 4d 51 54 54 04 80 00 00 00 01 63 00 01 75'),
    )
    expect(connect({ clientId: 'c' })(3)).toEqual(hex('10 0f 00 06 4d 51 49 73 64 70 03 02 00 00 00 01 63'))
    expect(publish('a', 'x')(4)).toEqual(hex('30 04 00 01 61 78'))
    expect(subscribe(1, { filter: 'a', qos: 1 })(4)).toEqual(hex('82 06 00 01 00 01 61 01'))
    expect(unsubscribe(1, 'a')(3)).toEqual(hex('a2 05 00 01 00 01 61'))
  })

  // [MQTT5 §1.5.5] table 1-1
  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '80 01'],
    [16_383, 'ff 7f'],
    [16_384, '80 80 01'],
    [2_097_151, 'ff ff 7f'],
    [2_097_152, '80 80 80 01'],
    [268_435_455, 'ff ff ff 7f'],
  ])('variable byte integer %i', (value, text) => {
    expect(Uint8Array.from(varint(value))).toEqual(hex(text))
    expect(new Reader(hex(text)).varint()).toBe(value)
  })
})

describe('the parser', () => {
  it('reads what a server may send', () => {
    expect(read('20 06 01 00 03 22 00 0a')).toMatchObject([
      { type: 'CONNACK', sessionPresent: true, reasonCode: 0, properties: { topicAliasMaximum: 10 } },
    ])
    expect(read('3d 0a 00 01 61 00 07 03 23 00 02 78')).toMatchObject([
      {
        type: 'PUBLISH',
        topic: 'a',
        id: 7,
        qos: 2,
        dup: true,
        retain: true,
        payload: 'x',
        properties: { topicAlias: 2 },
      },
    ])
    expect(read('40 02 00 01  50 03 00 02 87  62 04 00 03 92 00')).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode: 0 },
      { type: 'PUBREC', id: 2, reasonCode: 0x87 },
      { type: 'PUBREL', id: 3, reasonCode: 0x92 },
    ])
    expect(read('90 05 00 01 00 02 87  b0 04 00 02 00 11')).toMatchObject([
      { type: 'SUBACK', id: 1, reasonCodes: [2, 0x87] },
      { type: 'UNSUBACK', id: 2, reasonCodes: [0x11] },
    ])
    expect(read('d0 00  e0 00  f0 06 18 04 15 00 01 6d')).toMatchObject([
      { type: 'PINGRESP' },
      { type: 'DISCONNECT', reasonCode: 0 },
      { type: 'AUTH', reasonCode: 0x18, properties: { authenticationMethod: 'm' } },
    ])
    expect(read('20 02 00 05  90 04 00 01 02 80  b0 02 00 02', 4)).toMatchObject([
      { type: 'CONNACK', reasonCode: 5 },
      { type: 'SUBACK', reasonCodes: [2, 0x80] },
      { type: 'UNSUBACK', id: 2 },
    ])
  })

  it('waits for the rest of a packet', () => {
    const parser = new PacketParser(5)
    expect(parser.read(hex('30'))).toEqual([])
    expect(parser.read(hex('84'))).toEqual([])
    expect(parser.waitingByteCount).toBe(2)
    expect(parser.read(hex('01 00 01 61 00'))).toEqual([])
    expect(parser.read(new Uint8Array(128))).toMatchObject([{ type: 'PUBLISH', topic: 'a' }])
    expect(parser.waitingByteCount).toBe(0)
  })

  it.each([
    ['a CONNACK with reserved flags', '20 03 02 00 00'],
    ['a CONNACK with a code of DISCONNECT', '20 03 00 8e 00'],
    ['a CONNACK without property length', '20 02 00 00'],
    ['a CONNACK with a property twice', '20 09 00 00 06 21 00 01 21 00 01'],
    ['a CONNACK with a property of PUBLISH', '20 06 00 00 03 23 00 01'],
    ['a CONNACK with an unknown property', '20 05 00 00 02 7e 00'],
    ['a CONNACK with a property cut off', '20 05 00 00 02 21 00'],
    ['a PUBLISH with QoS 3', '36 06 00 01 61 00 01 00'],
    ['a PUBLISH with QoS 0 and DUP', '38 04 00 01 61 00'],
    ['a PUBLISH with identifier 0', '32 06 00 01 61 00 00 00'],
    ['a PUBLISH with a wildcard', '30 04 00 01 23 00'],
    ['a PUBLISH with neither topic nor alias', '30 03 00 00 00'],
    ['a PUBLISH with a topic that is no UTF-8', '30 04 00 01 ff 00'],
    ['a PUBLISH with U+0000 in its topic', '30 04 00 01 00 00'],
    ['a PUBLISH with a padded property length', '30 05 00 01 61 80 00'],
    ['a PUBACK with flags', '42 02 00 01'],
    ['a PUBREL without its flag', '60 02 00 01'],
    ['a PUBACK with a code of PUBREL', '40 03 00 01 92'],
    ['a PUBACK with a session expiry', '40 09 00 01 00 05 11 00 00 00 01'],
    ['a PUBACK with bytes left over', '40 05 00 01 00 00 00'],
    ['a SUBACK with QoS 3', '90 04 00 01 00 03'],
    ['an UNSUBACK with a code of SUBACK', 'b0 04 00 01 00 02'],
    ['a PINGRESP with a body', 'd0 01 00'],
    ['a DISCONNECT with a session expiry', 'e0 07 82 05 11 00 00 00 01'],
    ['a DISCONNECT with a code of CONNACK', 'e0 01 86'],
    ['a DISCONNECT with a code of the client', 'e0 01 04'],
    ['an AUTH with a code of the client', 'f0 06 19 04 15 00 01 6d'],
    ['a packet of the client', 'c0 00'],
    ['a padded remaining length', 'd0 80 00'],
    ['a remaining length of five bytes', '30 80 80 80 80 01'],
  ])('takes %s for a fault of the broker', (_what, text) => {
    expect(() => read(text)).toThrow(
      /^the server sent|^variable byte integer|^a remaining length|more than four bytes|longer than/,
    )
  })

  it.each([
    ['DISCONNECT', 'e0 00'],
    ['AUTH', 'f0 00'],
    ['a reason code of MQTT 5', '20 02 00 85'],
  ])('takes %s to an MQTT 3.1.1 client for one, too', (_what, text) => {
    expect(() => read(text, 4)).toThrow('the server sent')
  })
})

it('frame works out the remaining length', () => {
  expect(frame(0x30, new Uint8Array(200)).slice(0, 3)).toEqual(hex('30 c8 01'))
})
