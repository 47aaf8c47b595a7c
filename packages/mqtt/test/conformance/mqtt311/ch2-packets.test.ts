import { describe, expect, it } from 'vitest'
import {
  bytes,
  connect,
  disconnect,
  frame,
  hex,
  pingreq,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  u16,
  unsubscribe,
  utf8,
  varint,
} from '../../harness.ts'
import { kept311, watch, world311 } from '../worlds.ts'

describe('flags of the fixed header', () => {
  it('[MQTT311-2.2.2-1] are those of the table in every packet the server sends', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, 'a'), publish('a', 'x', { qos: 2, id: 9 }))
    client.send(pubrec(1), pubrel(9), unsubscribe(2, 'a'), publish('b', 'y', { qos: 1, id: 3 }), pingreq())
    const firstBytes = client.received().map(({ type, raw }) => [type, raw[0]])
    expect(client.connack.raw[0]).toBe(0x20)
    expect(firstBytes).toEqual([
      ['SUBACK', 0x90],
      ['PUBLISH', 0x34],
      ['PUBREC', 0x50],
      ['PUBREL', 0x62],
      ['PUBCOMP', 0x70],
      ['UNSUBACK', 0xb0],
      ['PUBACK', 0x40],
      ['PINGRESP', 0xd0],
    ])
  })

  const packets = [
    { name: 'PUBACK', packet: puback(1)(4) },
    { name: 'PUBREC', packet: pubrec(1)(4) },
    { name: 'PUBREL', packet: pubrel(1)(4) },
    { name: 'PUBCOMP', packet: pubcomp(1)(4) },
    { name: 'SUBSCRIBE', packet: subscribe(1, 'a')(4) },
    { name: 'UNSUBSCRIBE', packet: unsubscribe(1, 'a')(4) },
    { name: 'PINGREQ', packet: pingreq()(4) },
    { name: 'DISCONNECT', packet: disconnect()(4) },
  ]
  describe.each(packets)('of $name', ({ packet }) => {
    const right = packet[0]!
    const wrong = Array.from({ length: 16 }, (_, flags) => (right & 0xf0) | flags).filter((first) => first !== right)

    it.each(wrong)('[MQTT311-2.2.2-1, MQTT311-2.2.2-2] end the connection when the first byte is %i', (first) => {
      const client = world311().connect('c1', { will: { topic: 'will' } })
      client.send(bytes(first, packet.subarray(1)))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    })
  })

  it('[MQTT311-2.2.2-1, MQTT311-2.2.2-2] of CONNECT end the connection when one is set', () => {
    for (let flags = 1; flags < 16; flags++) {
      const client = world311().open()
      client.send(bytes(0x10 | flags, connect({ clientId: 'c1' })(4).subarray(1)))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    }
  })

  it('[MQTT311-2.2.2-2] a DISCONNECT with wrong flags is no goodbye: the will is published', () => {
    const world = world311()
    const watcher = watch(world)
    world.connect('c1', { will: { topic: 'will', payload: 'lost' } }).send(frame(0xe1))
    expect(watcher.publishes()).toMatchObject([{ topic: 'will', payload: 'lost' }])
  })
})

describe('Remaining Length', () => {
  it('[MQTT311-2.2.3-a] of five bytes ends the connection', () => {
    const client = world311().connect('c1')
    client.send(hex('30 80 80 80 80 01'))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-2.2.3-a] of five bytes ends the connection as its fourth byte says that there is a fifth', () => {
    const client = world311().connect('c1')
    for (const byte of hex('30 80 80 80')) {
      expect(client.isClosed).toBe(false)
      client.send([byte])
    }
    client.send([0x80])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-2.2.3-a] of five bytes in CONNECT ends the connection', () => {
    const client = world311().open()
    client.send(hex('10 8c 80 80 80 00 00 04 4d 51 54 54 04 02 00 00 00 00'))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-2.2.3-a] may be one, two, three or four bytes long', () => {
    const world = world311({ settings: { maxPacketBytes: 3_000_000 } })
    const watcher = world.connect('watcher')
    watcher.send(subscribe(1, { filter: 'a', qos: 0 }))
    watcher.next('SUBACK')
    const client = world.connect('c1')
    // Three bytes of topic come on top.
    for (const [remaining, size] of [
      [127, 1],
      [128, 2],
      [16_383, 2],
      [16_384, 3],
      [2_097_151, 3],
      [2_097_152, 4],
    ] as const) {
      expect(varint(remaining)).toHaveLength(size)
      const payload = new Uint8Array(remaining - 3).map((_, index) => index % 251)
      client.send(publish('a', payload))
      const [message] = watcher.publishes()
      expect(message!.raw.length).toBe(1 + size + remaining)
      expect(Buffer.from(message!.payloadBytes).equals(payload)).toBe(true)
    }
  })
})

describe('the packet identifier', () => {
  const zero = [
    { name: 'SUBSCRIBE', packet: subscribe(0, '#')(4) },
    { name: 'UNSUBSCRIBE', packet: unsubscribe(0, '#')(4) },
    { name: 'PUBLISH of QoS 1', packet: frame(0x32, utf8('a'), u16(0), 0x78) },
    { name: 'PUBLISH of QoS 2', packet: frame(0x34, utf8('a'), u16(0), 0x78) },
  ]
  it.each(zero)('[MQTT311-2.3.1-1] 0 in $name ends the connection and has no effect', ({ packet }) => {
    const world = world311()
    const watcher = watch(world, '#')
    const client = world.connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  const missing = [
    { name: 'SUBSCRIBE', packet: frame(0x82) },
    { name: 'UNSUBSCRIBE', packet: frame(0xa2, 0x01) },
    { name: 'PUBLISH of QoS 1', packet: frame(0x32, utf8('a')) },
    { name: 'PUBLISH of QoS 2', packet: frame(0x34, utf8('a'), 0x01) },
  ]
  it.each(missing)('[MQTT311-2.3.1-1] must not be missing or cut off in $name', ({ packet }) => {
    const client = world311().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each([1, 0x1234, 0xffff])('[MQTT311-2.3.1-6] %i of a PUBLISH is repeated in PUBACK, PUBREC and PUBCOMP', (id) => {
    const client = world311().connect('c1')
    client.send(publish('a', 'x', { qos: 1, id }))
    expect(client.next('PUBACK').raw).toEqual(frame(0x40, u16(id)))
    client.send(publish('a', 'x', { qos: 2, id }))
    expect(client.next('PUBREC').raw).toEqual(frame(0x50, u16(id)))
    client.send(pubrel(id))
    expect(client.next('PUBCOMP').raw).toEqual(frame(0x70, u16(id)))
    expect(client.received()).toEqual([])
  })

  it('[MQTT311-2.3.1-6] of a PUBLISH from the server is repeated in its PUBREL, whatever the order of the PUBRECs', () => {
    const world = world311()
    const client = watch(world, 'a')
    world.connect('publisher').send(...[1, 2, 3].map((id) => publish('a', String(id), { qos: 2, id })))
    const ids = client.publishes().map(({ id }) => id)
    client.send(pubrec(ids[1]!), pubrec(ids[2]!), pubrec(ids[0]!))
    const expected = [ids[1]!, ids[2]!, ids[0]!].map((id) => frame(0x62, u16(id)))
    expect(client.received().map(({ raw }) => raw)).toEqual(expected)
  })

  it.each([1, 0x1234, 0xffff])('[MQTT311-2.3.1-7] %i of a request is repeated in SUBACK and UNSUBACK', (id) => {
    const client = world311().connect('c1')
    client.send(subscribe(id, { filter: 'a', qos: 1 }))
    expect(client.next('SUBACK').raw).toEqual(frame(0x90, u16(id), 1))
    client.send(unsubscribe(id, 'a'))
    expect(client.next('UNSUBACK').raw).toEqual(frame(0xb0, u16(id)))
  })

  it('[MQTT311-2.3.1-5] is missing in a QoS 0 PUBLISH: what follows the topic is payload, in both directions', () => {
    const world = world311()
    const client = watch(world, 'a')
    client.send(hex('30 06 0001 61 1234 56'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 06 0001 61 1234 56')])
    client.send(hex('30 03 0001 61'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 03 0001 61')])
  })

  it('[MQTT311-2.3.1-5] is taken out of a PUBLISH that is passed on with QoS 0', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a', 'x', { qos: 1, id: 77 }), publish('a', 'y', { qos: 2, id: 78 }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 04 0001 61 78'), hex('30 04 0001 61 79')])
  })

  it('[MQTT311-2.3.1-4, MQTT311-4.3.2-1] of a PUBLISH from the server is never one in use, nor 0, when they start over', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 1 }))
    client.next('SUBACK')
    const publisher = world.connect('publisher')
    publisher.send(publish('a', 'first', { qos: 1, id: 1 }))
    const [first] = client.publishes()
    const used: number[] = []
    const batch = Array.from({ length: 1_000 }, (_, index) => publish('a', 'x', { qos: 1, id: index + 1 }))
    while (used.length < 66_000) {
      publisher.send(...batch)
      publisher.received()
      const ids = client.publishes().map(({ id }) => id)
      expect(new Set(ids).size).toBe(1_000)
      used.push(...ids)
      client.send(...ids.map((id) => puback(id)))
    }
    expect(new Set(used).size).toBeLessThan(used.length)
    expect(used).not.toContain(first!.id)
    expect(used.every((id) => id >= 1 && id <= 65_535)).toBe(true)
  })

  it('[MQTT311-2.3.1-4] is kept when the server sends a PUBLISH again, and not given to another one before', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    const publisher = world.connect('publisher')
    const send = async (...payloads: string[]): Promise<void> =>
      await publisher.finish(...payloads.map((payload, index) => publish('a', payload, { qos: 1, id: index + 1 })))
    await send('one', 'two', 'three')
    const before = client.publishes()
    await client.finish(puback(before[1]!.id))
    client.vanish()

    const again = await world.join('c1', { clean: false })
    await send('four')
    const after = again.publishes()
    expect(after.map(({ payload }) => payload)).toEqual(['one', 'three', 'four'])
    expect(after.slice(0, 2).map(({ id }) => id)).toEqual([before[0]!.id, before[2]!.id])
    expect([before[0]!.id, before[2]!.id]).not.toContain(after[2]!.id)
  })
})
