import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  bytes,
  disconnect,
  frame,
  hex,
  pingreq,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  u16,
  unsubscribe,
  utf8,
  varint,
  World,
} from '../../harness.ts'
import { CARRIERS, ILL_FORMED } from '../strings.ts'
import { kept31, lines, watch, world31 } from '../worlds.ts'

/** The packet with DUP set. */
function repeated(packet: Uint8Array): Uint8Array {
  return bytes(packet[0]! | 0x08, packet.subarray(1))
}

describe('message types', () => {
  it.each([0x00, 0x02, 0x0f, 0xf0, 0xff])('[MQTT31-2.1-a] 0 and 15 (first byte %i) end the connection', (first) => {
    const client = world31().connect('c1')
    client.send(frame(first), pingreq())
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe('DUP', () => {
  it('[MQTT31-2.1-b] is taken on PUBLISH, PUBREL, SUBSCRIBE and UNSUBSCRIBE', () => {
    const world = world31()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(repeated(subscribe(1, 'a', { filter: 'b', qos: 1 })(3)))
    expect(client.next('SUBACK')).toMatchObject({ id: 1, reasonCodes: [2, 1] })
    client.send(repeated(unsubscribe(2, 'b')(3)))
    expect(client.next('UNSUBACK').id).toBe(2)
    client.send(repeated(publish('c', 'one', { qos: 1, id: 3 })(3)))
    expect(client.next('PUBACK').id).toBe(3)
    client.send(repeated(publish('c', 'two', { qos: 2, id: 4 })(3)), repeated(pubrel(4)(3)))
    expect(client.received()).toMatchObject([
      { type: 'PUBREC', id: 4 },
      { type: 'PUBCOMP', id: 4 },
    ])
    expect(client.isClosed).toBe(false)
    expect(lines(watcher.publishes())).toEqual(['c one q1', 'c two q2'])
  })

  it('[MQTT31-2.1-c] tells nothing: a message with it may be new, one without it may be known', () => {
    const world = world31()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(
      publish('a', 'new 1', { qos: 1, id: 1, dup: true }),
      publish('a', 'new 2', { qos: 2, id: 2, dup: true }),
    )
    client.send(publish('a', 'new 2', { qos: 2, id: 2, dup: false }))
    expect(lines(watcher.publishes())).toEqual(['a new 1 q1', 'a new 2 q2'])
  })
})

it.each([0x36, 0x3e])('[MQTT31-2.1-d] QoS 3 (first byte %i) ends the connection', (first) => {
  const world = world31()
  const watcher = watch(world)
  const client = world.connect('c1')
  client.send(frame(first, utf8('a'), u16(1), 0x78))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
  expect(watcher.received()).toEqual([])
})

describe('RETAIN', () => {
  it.each([0, 1, 2] as QoS[])(
    '[MQTT31-2.1-e, MQTT31-2.1-f] keeps the last message, QoS %i, for subscriptions to come',
    async (qos) => {
      const world = await kept31()
      const publisher = world.connect('publisher')
      const say = async (topic: string, payload: string, retain: boolean): Promise<void> =>
        await publisher.finish(publish(topic, payload, { retain, ...(qos > 0 && { qos, id: 1 }) }), pubrel(1))
      await say('a', 'old', true)
      await say('a', 'last', true)
      await say('a', 'passes', false)
      await say('b', 'passes', false)
      world.advance(86_400_000)
      const late = watch(world, '+', 'late')
      expect(late.publishes()).toMatchObject([{ topic: 'a', payload: 'last', qos, retain: true }])
      expect(watch(world, 'c', 'other').received()).toEqual([])
    },
  )

  it('[MQTT31-2.1-g] is not set on what comes through a subscription that was there', async () => {
    const world = await kept31()
    const there = watch(world, 'a')
    const away = await world.join('away', { clean: false })
    await away.finish(subscribe(1, 'a'))
    away.send(disconnect())
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1, retain: true }))
    expect(there.publishes()).toMatchObject([{ payload: 'x', retain: false }])
    const back = await world.join('away', { clean: false })
    expect(back.publishes()).toMatchObject([{ payload: 'x', retain: false }])
  })

  it('[MQTT31-2.1-h] is remembered over a restart of the broker on the same log', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const first = await World.withLog({ version: 3 }, env, engine)
    const publisher = first.connect('publisher')
    await publisher.finish(
      publish('a', 'stays', { qos: 1, id: 1, retain: true }),
      publish('b', 'stays, too', { retain: true }),
      publish('c', 'goes', { qos: 1, id: 2, retain: true }),
      publish('c', '', { qos: 1, id: 3, retain: true }),
      publish('d', 'not retained', { qos: 1, id: 4 }),
    )
    const second = await World.withLog({ version: 3 }, env, engine)
    expect(lines(watch(second).publishes()).sort()).toEqual(['a stays q1', 'b stays, too q0'])
  })

  it('[MQTT31-2.1-i] with an empty payload removes the message that was kept', async () => {
    const world = await kept31()
    await world.connect('publisher').finish(publish('a', 'x', { retain: true }), publish('a', '', { retain: true }))
    expect(watch(world, 'a').received()).toEqual([])
  })
})

describe('Remaining Length', () => {
  it('[MQTT31-2.1-j] has at most four bytes', () => {
    const client = world31().connect('c1')
    client.send(hex('30 80 80 80 80 01'))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each([
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2_097_151, 3],
    [2_097_152, 4],
  ])('[MQTT31-2.1-j] of %i takes %i bytes, in both directions', (remaining, size) => {
    const world = world31({ settings: { maxPacketBytes: 3_000_000 } })
    const client = watch(world, 'a')
    expect(varint(remaining)).toHaveLength(size)
    world.connect('publisher').send(publish('a', new Uint8Array(remaining - 3).fill(0x78)))
    const [message] = client.publishes()
    expect(message!.raw.subarray(1, 1 + size)).toEqual(Uint8Array.from(varint(remaining)))
    expect(message!.raw.length).toBe(1 + size + remaining)
  })
})

it('[MQTT31-2.2-n] topic names of up to 32,767 characters are taken', () => {
  const world = world31()
  const longest = 'ä'.repeat(32_767)
  const client = watch(world, longest)
  world.connect('publisher').send(publish(longest, 'x'), publish(longest.slice(1), 'y'))
  expect(client.publishes()).toMatchObject([{ topic: longest, payload: 'x' }])
})

it('[MQTT31-2.3-a] the payload of PUBLISH is passed on as it is', () => {
  const world = world31()
  const client = watch(world)
  const publisher = world.connect('publisher')
  const payloads = [
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    Uint8Array.of(0xff, 0xfe, 0, 0xed, 0xa0, 0x80),
    new Uint8Array(100_000).fill(0xc3),
  ]
  for (const [index, payload] of payloads.entries()) publisher.send(publish('a', payload, { qos: 1, id: index + 1 }))
  expect(client.publishes().map(({ payloadBytes }) => Buffer.from(payloadBytes).toString('hex'))).toEqual(
    payloads.map((payload) => Buffer.from(payload).toString('hex')),
  )
})

describe('message ids', () => {
  it('[MQTT31-2.4-a] belong to messages of QoS 1 and 2, and not to others', () => {
    const world = world31()
    const client = watch(world, 'a')
    client.send(hex('30 05 0001 61 1234'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 05 0001 61 1234')])
    const publisher = world.connect('publisher')
    publisher.send(hex('32 05 0001 61 1234'), hex('34 05 0001 61 1235'))
    expect(publisher.received()).toMatchObject([
      { type: 'PUBACK', id: 0x1234 },
      { type: 'PUBREC', id: 0x1235 },
    ])
    expect(client.publishes()).toMatchObject([
      { qos: 1, payload: '' },
      { qos: 2, payload: '' },
    ])
    const cut = world.connect('cut')
    cut.send(frame(0x32, utf8('a'), 0x01))
    expect(cut.isClosed).toBe(true)
  })

  it('[MQTT31-2.4-b] of the server are those of no other unfinished message', () => {
    const world = world31()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    const open = new Set<number>()
    for (let round = 0; round < 300; round++) {
      publisher.send(publish('a', 'x', { qos: (1 + (round % 2)) as QoS, id: round + 1 }), pubrel(round + 1))
      const [message] = client.publishes()
      expect(open.has(message!.id)).toBe(false)
      open.add(message!.id)
      // Two of three are finished; the others stay open.
      if (round % 3 === 0) continue
      client.send(...(message!.qos === 1 ? [puback(message!.id)] : [pubrec(message!.id), pubcomp(message!.id)]))
      client.received()
      open.delete(message!.id)
    }
  })

  it('[MQTT31-2.4-c] may be the same in both directions', () => {
    const world = world31()
    const client = watch(world, 'in')
    world.connect('publisher').send(publish('in', 'x', { qos: 2, id: 1 }))
    const [{ id } = { id: 0 }] = client.publishes()
    client.send(publish('out', 'y', { qos: 2, id }))
    expect(client.next('PUBREC').id).toBe(id)
    client.send(pubrec(id))
    expect(client.next('PUBREL').id).toBe(id)
    client.send(pubrel(id))
    expect(client.next('PUBCOMP').id).toBe(id)
    client.send(pubcomp(id))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(false)
  })

  it.each([
    ['PUBLISH of QoS 1', frame(0x32, utf8('a'), u16(0))],
    ['PUBLISH of QoS 2', frame(0x34, utf8('a'), u16(0))],
    ['PUBACK', puback(0)],
    ['PUBREC', pubrec(0)],
    ['PUBREL', pubrel(0)],
    ['PUBCOMP', pubcomp(0)],
    ['SUBSCRIBE', subscribe(0, 'a')],
    ['UNSUBSCRIBE', unsubscribe(0, 'a')],
  ])('[MQTT31-2.4-d] are not 0: %s with it ends the connection', (_name, packet) => {
    const client = world31().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe.each(CARRIERS)('$what', ({ isFirst, packet }) => {
  it.each(ILL_FORMED)('[MQTT31-2.5-a] with %s ends the connection', (_fault, text) => {
    const world = world31()
    const client = isFirst ? world.open() : world.connect('c1')
    client.send(packet(text))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

it('[MQTT31-2.5-a] the length of a string counts bytes, not characters', () => {
  const world = world31()
  const client = watch(world, 'päöüß')
  world.connect('publisher').send(publish('päöüß', 'x'))
  expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 0c 0009 70 c3a4 c3b6 c3bc c39f 78')])
})

describe('unused bits', () => {
  it('[MQTT31-2.6-a] are 0 in everything the server sends', async () => {
    const world = await kept31()
    const publisher = world.connect('publisher')
    await publisher.finish(publish('kept', 'x', { qos: 2, id: 1, retain: true }))
    const first = await world.join('c1', { clean: false })
    first.hangUp()
    const client = await world.join('c1', { clean: false })
    expect(client.connack.raw).toEqual(hex('20 02 00 00'))
    await client.finish(subscribe(1, 'a', 'kept'), publish('a', 'x', { qos: 2, id: 9 }))
    const answers = client.received()
    expect(answers.find(({ type }) => type === 'SUBACK')?.raw).toEqual(hex('90 04 0001 02 02'))
    const sent = answers.filter((packet) => packet.type === 'PUBLISH')
    expect(new Set(answers.map(({ raw }) => raw[0]))).toEqual(new Set([0x34, 0x35, 0x50, 0x90]))
    await client.finish(
      pubrec(sent[0]!.id),
      pubrel(9),
      unsubscribe(2, 'a'),
      publish('b', '', { qos: 1, id: 3 }),
      pingreq(),
    )
    expect(client.received().map(({ raw }) => raw[0])).toEqual([0x62, 0x70, 0xb0, 0x40, 0xd0])
  })

  it('[MQTT31-2.6-a] that a client sets do not matter', () => {
    const world = world31()
    const client = world.open()
    const packets = [
      bytes(0x1f, frame(0x10, utf8('MQIsdp'), 3, 0x03, u16(0), utf8('c1')).subarray(1)),
      frame(0x83, u16(1), utf8('a'), 0xfe),
      frame(0x32, utf8('a'), u16(1), 0x78),
      frame(0x4f, u16(1)),
      frame(0xa3, u16(2), utf8('a')),
      frame(0xcf),
    ]
    for (const packet of packets) client.send(packet)
    expect(client.received().map(({ type }) => type)).toEqual([
      'CONNACK',
      'SUBACK',
      'PUBLISH',
      'PUBACK',
      'UNSUBACK',
      'PINGRESP',
    ])
    client.send(frame(0xef))
    expect(client.isClosed).toBe(true)
    expect(world.events.at(-1)?.text).toContain('client disconnected')
  })
})
