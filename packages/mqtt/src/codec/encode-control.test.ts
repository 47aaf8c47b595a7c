import { parser } from 'mqtt-packet'
import type { Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import {
  encodeAuth,
  encodeConnack,
  encodeDisconnect,
  encodeSuback,
  encodeUnsuback,
  PINGRESP,
} from './encode-control.ts'
import { checkProperties } from './property-check.ts'
import { readProperties } from './properties.ts'
import type { PropertyPlace, PropertyValues } from './property-table.ts'
import type { MqttVersion } from './types.ts'

const NO_LIMIT = 268_435_460

/** The packet as mqtt-packet reads it; it must be exactly one. */
function decode(bytes: Uint8Array, version: MqttVersion): Packet {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (packet) => packets.push(packet))
  expect(reader.parse(Buffer.from(bytes))).toBe(0)
  expect(packets).toHaveLength(1)
  return packets[0]!
}

/** The properties of a packet shorter than 128 bytes, checked, from `at` on. */
function propertiesAt(bytes: Uint8Array, at: number, place: PropertyPlace): PropertyValues {
  const start = at + 1
  const end = start + bytes[at]!
  checkProperties(bytes, start, end, place)
  return readProperties(bytes, start, end)
}

describe('CONNACK', () => {
  test('3.1.1 and 3.1 get four bytes with their own return codes', () => {
    const accepted = { sessionPresent: true, reasonCode: 0, topicAliasMax: 5 }
    expect([...encodeConnack(accepted, 4, NO_LIMIT)]).toEqual([0x20, 2, 1, 0])
    expect([...encodeConnack(accepted, 3, NO_LIMIT)]).toEqual([0x20, 2, 0, 0])
    const refused = { sessionPresent: true, reasonCode: 0x86 }
    expect([...encodeConnack(refused, 4, NO_LIMIT)]).toEqual([0x20, 2, 0, 4])
    expect([...encodeConnack({ ...refused, reasonCode: 0x84 }, 3, NO_LIMIT)]).toEqual([0x20, 2, 0, 1])
  })

  test('3.1.1 hears nothing when it has no code for the refusal', () => {
    expect(encodeConnack({ sessionPresent: false, reasonCode: 0x81 }, 4, NO_LIMIT)).toHaveLength(0)
  })

  test('MQTT 5 gets every property that is set and no other', () => {
    const properties = {
      sessionExpirySeconds: 0xffff_ffff,
      receiveMaximum: 10,
      maximumQos: 1,
      retainAvailable: false,
      maxPacketBytes: 1_000,
      assignedClientId: 'auto-1',
      topicAliasMax: 0,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: true,
      serverKeepAliveSeconds: 0,
      responseInformation: 'r/',
      serverReference: 'b:1883',
      authMethod: 'X',
      authData: Uint8Array.of(0, 1),
      reasonString: 'ok',
      userProperties: [
        ['2', 'a'],
        ['1', 'b'],
        ['2', ''],
      ],
    } as const
    const bytes = encodeConnack({ sessionPresent: true, reasonCode: 0, ...properties }, 5, NO_LIMIT)
    expect([...bytes.subarray(2, 4)]).toEqual([1, 0])
    expect(propertiesAt(bytes, 4, 'CONNACK')).toEqual({
      ...properties,
      retainAvailable: 0,
      wildcardSubscriptionAvailable: 1,
      subscriptionIdentifiersAvailable: 0,
      sharedSubscriptionAvailable: 1,
    })
    expect([...encodeConnack({ sessionPresent: false, reasonCode: 0 }, 5, NO_LIMIT)]).toEqual([0x20, 3, 0, 0, 0])
  })

  test('a refusal never says that a session is present', () => {
    expect(decode(encodeConnack({ sessionPresent: true, reasonCode: 0x87 }, 5, NO_LIMIT), 5)).toMatchObject({
      sessionPresent: false,
      reasonCode: 0x87,
    })
  })

  test('user properties go first and then the reason string, when the client takes only small packets', () => {
    const fields = {
      sessionPresent: false,
      reasonCode: 0x87,
      reasonString: 'no',
      userProperties: [['k', 'v']],
    } as const
    const whole = encodeConnack(fields, 5, NO_LIMIT)
    expect(encodeConnack(fields, 5, whole.length)).toEqual(whole)
    const withReason = encodeConnack(fields, 5, whole.length - 1)
    expect(propertiesAt(withReason, 4, 'CONNACK')).toEqual({ reasonString: 'no' })
    const bare = encodeConnack(fields, 5, withReason.length - 1)
    expect(propertiesAt(bare, 4, 'CONNACK')).toEqual({})
    expect(encodeConnack(fields, 5, bare.length - 1)).toHaveLength(0)
  })

  test('a reason that is no valid string is made one, and a long one is cut', () => {
    const broken = encodeConnack({ sessionPresent: false, reasonCode: 0x80, reasonString: 'a\0b\ud800' }, 5, NO_LIMIT)
    expect(propertiesAt(broken, 4, 'CONNACK').reasonString).toBe('a\ufffdb\ufffd')
    const long = encodeConnack(
      { sessionPresent: false, reasonCode: 0x80, reasonString: 'x'.repeat(5_000) },
      5,
      NO_LIMIT,
    )
    // Type, two bytes of remaining length, flags, code, two bytes of property length.
    expect(readProperties(long, 7)).toEqual({ reasonString: 'x'.repeat(512) })
  })

  test('a value of ours that does not fit into MQTT is our error, not a broken packet', () => {
    const fields = { sessionPresent: false, reasonCode: 0, responseInformation: 'x'.repeat(65_536) }
    expect(() => encodeConnack(fields, 5, NO_LIMIT)).toThrow(RangeError)
  })
})

describe('SUBACK', () => {
  const fields = { packetId: 0xfffe, reasonCodes: [2, 0x87, 0, 0x97] }

  test('has one code per filter in each version', () => {
    expect([...encodeSuback(fields, 5, NO_LIMIT)]).toEqual([0x90, 7, 0xff, 0xfe, 0, 2, 0x87, 0, 0x97])
    expect([...encodeSuback(fields, 4, NO_LIMIT)]).toEqual([0x90, 6, 0xff, 0xfe, 2, 0x80, 0, 0x80])
    expect([...encodeSuback(fields, 3, NO_LIMIT)]).toEqual([0x90, 6, 0xff, 0xfe, 2, 0x80, 0, 0x80])
  })

  test('carries a reason in MQTT 5', () => {
    const bytes = encodeSuback({ ...fields, reasonString: 'why', userProperties: [['a', 'b']] }, 5, NO_LIMIT)
    expect(propertiesAt(bytes, 4, 'SUBACK')).toEqual({ reasonString: 'why', userProperties: [['a', 'b']] })
    expect([...bytes.subarray(-4)]).toEqual([2, 0x87, 0, 0x97])
    expect([...encodeSuback({ ...fields, reasonString: 'why' }, 4, NO_LIMIT)]).toHaveLength(8)
  })
})

describe('UNSUBACK', () => {
  test('has codes in MQTT 5 only', () => {
    const fields = { packetId: 1, reasonCodes: [0, 0x11] }
    expect([...encodeUnsuback(fields, 5, NO_LIMIT)]).toEqual([0xb0, 5, 0, 1, 0, 0, 0x11])
    expect([...encodeUnsuback(fields, 4, NO_LIMIT)]).toEqual([0xb0, 2, 0, 1])
    expect([...encodeUnsuback(fields, 3, NO_LIMIT)]).toEqual([0xb0, 2, 0, 1])
  })
})

describe('DISCONNECT, AUTH and PINGRESP', () => {
  test('only MQTT 5 clients hear a DISCONNECT', () => {
    const fields = { reasonCode: 0x9d, serverReference: 'other:1883', reasonString: 'moved' }
    expect(decode(encodeDisconnect(fields, 5, NO_LIMIT), 5)).toMatchObject({
      cmd: 'disconnect',
      reasonCode: 0x9d,
      properties: { serverReference: 'other:1883', reasonString: 'moved' },
    })
    expect(encodeDisconnect(fields, 4, NO_LIMIT)).toHaveLength(0)
    expect(encodeDisconnect(fields, 3, NO_LIMIT)).toHaveLength(0)
  })

  test('a DISCONNECT that cannot be made small enough is not sent', () => {
    expect([...encodeDisconnect({ reasonCode: 0x8e, reasonString: 'long' }, 5, 4)]).toEqual([0xe0, 2, 0x8e, 0])
    expect(encodeDisconnect({ reasonCode: 0x8e }, 5, 3)).toHaveLength(0)
  })

  test('AUTH carries method and data', () => {
    const bytes = encodeAuth({ reasonCode: 0x18, authMethod: 'SCRAM', authData: Uint8Array.of(9, 8) }, NO_LIMIT)
    expect(propertiesAt(bytes, 3, 'AUTH')).toEqual({ authMethod: 'SCRAM', authData: Uint8Array.of(9, 8) })
  })

  test('PINGRESP is two bytes', () => {
    expect(decode(PINGRESP, 4)).toMatchObject({ cmd: 'pingresp' })
  })
})
