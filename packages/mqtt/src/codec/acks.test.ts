import fc from 'fast-check'
import { generate, parser } from 'mqtt-packet'
import type { IPubackPacket, Packet } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { ackSize, encodeAck, readAck, writeAck } from './acks.ts'
import type { AckFields } from './acks.ts'
import { ProtocolError } from './errors.ts'
import { frame, props, text } from './packet-cases.ts'
import type { MqttVersion } from './types.ts'

const PACKETS = [
  ['PUBACK', 0x40],
  ['PUBREC', 0x50],
  ['PUBREL', 0x62],
  ['PUBCOMP', 0x70],
] as const
const VERSIONS = [3, 4, 5] as const
const NO_LIMIT = 268_435_460

function read(bytes: Uint8Array, version: MqttVersion): AckFields {
  const ack: AckFields = { packetId: -1, reasonCode: -1 }
  const around = Uint8Array.from([0xff, ...bytes, 0xff])
  readAck(around, 1, 3, 1 + bytes.length, version, ack)
  return { packetId: ack.packetId, reasonCode: ack.reasonCode }
}

function refusal(bytes: Uint8Array, version: MqttVersion): ProtocolError | undefined {
  try {
    read(bytes, version)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

/** What another implementation reads in our bytes. */
function readElsewhere(bytes: Uint8Array): IPubackPacket {
  const packets: Packet[] = []
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (packet) => packets.push(packet))
  reader.parse(Buffer.from(bytes))
  expect(packets).toHaveLength(1)
  return packets[0] as IPubackPacket
}

describe.each(PACKETS)('%s', (name, first) => {
  test.each(VERSIONS)('what is written is read back, level %i', (version) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(0, 0x92, 0x80), (packetId, code) => {
        const reasonCode = (first === 0x62 || first === 0x70) === (code === 0x92) ? code : 0
        const size = ackSize(reasonCode, version)
        const slab = new Uint8Array(size + 2)
        expect(writeAck(slab, 1, first, packetId, reasonCode, version)).toBe(1 + size)
        expect([slab[0], slab[1 + size]]).toEqual([0, 0])
        const expected = { packetId, reasonCode: version === 5 ? reasonCode : 0 }
        expect(read(slab.subarray(1, 1 + size), version)).toEqual(expected)
      }),
    )
  })

  test('the short form is four bytes, as mqtt-packet writes it', () => {
    const slab = new Uint8Array(4)
    writeAck(slab, 0, first, 0x1234, 0, 5)
    const cmd = name.toLowerCase() as IPubackPacket['cmd']
    expect([...slab]).toEqual([...generate({ cmd, messageId: 0x1234, reasonCode: 0 }, { protocolVersion: 5 })])
  })

  test('a client may leave out the property length, send none or send properties', () => {
    expect(read(frame(first, 0, 7, 0), 5)).toEqual({ packetId: 7, reasonCode: 0 })
    expect(read(frame(first, 0, 7, 0, 0), 5)).toEqual({ packetId: 7, reasonCode: 0 })
    const more = props([0x1f, ...text('why')], [0x26, ...text('k'), ...text('v')])
    expect(read(frame(first, 0, 7, 0, more), 5)).toEqual({ packetId: 7, reasonCode: 0 })
  })

  test('wrong flags are malformed, except in 3.1, which does not use them', () => {
    for (const flags of [0x01, 0x08, 0x0f]) {
      const bytes = frame(first ^ flags, 0, 7)
      expect(refusal(bytes, 5)).toMatchObject({ reasonCode: 0x81 })
      expect(refusal(bytes, 4)).toMatchObject({ reasonCode: 0x81 })
      expect(read(bytes, 3)).toEqual({ packetId: 7, reasonCode: 0 })
    }
  })

  test.each(VERSIONS)('packet id 0 is refused, level %i', (version) => {
    expect(refusal(frame(first, 0, 0), version)).toMatchObject({ reasonCode: 0x82 })
  })

  test.each(VERSIONS)('less than a packet id is malformed, level %i', (version) => {
    expect(refusal(frame(first), version)).toMatchObject({ reasonCode: 0x81 })
    expect(refusal(frame(first, 1), version)).toMatchObject({ reasonCode: 0x81 })
  })

  test('3.x has nothing behind the packet id', () => {
    expect(refusal(frame(first, 0, 7, 0), 4)).toMatchObject({ reasonCode: 0x81, clause: 'MQTT311-4.8.0-1' })
    expect(refusal(frame(first, 0, 7, 0), 3)).toMatchObject({ reasonCode: 0x81 })
  })

  test('a reason code of another packet is refused', () => {
    const clause = {
      PUBACK: 'MQTT5-3.4.2-1',
      PUBREC: 'MQTT5-3.5.2-1',
      PUBREL: 'MQTT5-3.6.2-1',
      PUBCOMP: 'MQTT5-3.7.2-1',
    }
    expect(refusal(frame(first, 0, 7, 0x8e), 5)).toMatchObject({ reasonCode: 0x82, clause: clause[name] })
  })

  test('properties must be its own and end with the packet', () => {
    const cut = [
      frame(first, 0, 7, 0, 1),
      frame(first, 0, 7, 0, 0x80),
      frame(first, 0, 7, 0, 0, 0),
      frame(first, 0, 7, 0, 0x80, 0x00),
      frame(first, 0, 7, 0, props([0x21, 0, 1])),
      frame(first, 0, 7, 0, props([0x1f, 0, 5, 0x61])),
    ]
    for (const bytes of cut) expect(refusal(bytes, 5)).toMatchObject({ reasonCode: 0x81 })
    const twice = props([0x1f, ...text('a'), 0x1f, ...text('b')])
    expect(refusal(frame(first, 0, 7, 0, twice), 5)).toMatchObject({ reasonCode: 0x82 })
  })

  test('a reason goes along while there is room for it', () => {
    const reasonCode = first === 0x62 || first === 0x70 ? 0x92 : 0x97
    const fields = { packetId: 7, reasonCode, reasonString: 'quota', userProperties: [['k', 'v']] } as const
    const whole = encodeAck(first, fields, NO_LIMIT)
    expect(readElsewhere(whole)).toMatchObject({ messageId: 7, reasonCode, properties: { reasonString: 'quota' } })
    expect(readElsewhere(whole).properties?.userProperties?.['k']).toBe('v')
    const withReason = encodeAck(first, fields, whole.length - 1)
    expect(readElsewhere(withReason).properties).toEqual({ reasonString: 'quota' })
    const bare = encodeAck(first, fields, withReason.length - 1)
    expect([...bare]).toEqual([first, 3, 0, 7, reasonCode])
    expect(encodeAck(first, fields, 4)).toHaveLength(0)
    expect(read(whole, 5)).toEqual({ packetId: 7, reasonCode })
  })
})
