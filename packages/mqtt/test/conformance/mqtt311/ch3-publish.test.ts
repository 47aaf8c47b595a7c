import type { Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { disconnect, frame, hex, puback, publish, pubrel, type QoS, subscribe, u16, utf8 } from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

/** Nobody may publish below 'secret'. */
const noSecrets: Authorizer = {
  generation: 0,
  mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'no secrets' }),
  mayMatch: () => ({ allowed: true, rule: 'anything' }),
}

describe('DUP', () => {
  it.each([1, 2] as QoS[])('[MQTT311-3.3.1-1] is set on a QoS %i PUBLISH that is sent again', async (qos) => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    await world.connect('publisher').finish(publish('a', 'x', { qos, id: 1 }))
    expect(client.publishes()).toMatchObject([{ dup: false }])
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.publishes()).toMatchObject([{ payload: 'x', qos, dup: true }])
    again.vanish()
    const third = await world.join('c1', { clean: false })
    expect(third.publishes()).toMatchObject([{ payload: 'x', qos, dup: true }])
  })

  it('[MQTT311-3.3.1-2] on a QoS 0 PUBLISH ends the connection, and nobody gets the message', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(frame(0x38, utf8('a'), 0x78))
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.3.1-2] is 0 when a repeated QoS 1 message goes out with QoS 0', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a', 'x', { qos: 1, id: 1, dup: true }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 04 0001 61 78')])
  })

  it.each([1, 2] as QoS[])('[MQTT311-3.3.1-3] that came in with QoS %i does not go out', async (qos) => {
    const world = await kept311()
    const direct = watch(world, 'a')
    const away = await world.join('away', { clean: false })
    await away.finish(subscribe(1, 'a'))
    away.send(disconnect())
    await world.connect('publisher').finish(publish('a', 'x', { qos, id: 1, dup: true, retain: true }))
    const back = await world.join('away', { clean: false })
    const late = watch(world, 'a', 'late')
    for (const client of [direct, back, late]) expect(client.publishes()).toMatchObject([{ qos, dup: false }])
  })

  it('[MQTT311-3.3.1-3] goes out on a repetition though it did not come in', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1, dup: false }))
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.publishes()).toMatchObject([{ dup: true }])
  })
})

describe('QoS', () => {
  it.each([0x36, 0x37, 0x3e, 0x3f])('[MQTT311-3.3.1-4] 3 (first byte %i) ends the connection', (first) => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(frame(first, utf8('a'), u16(1), 0x78))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.3.4-1] 0 is not answered, 1 is answered by PUBACK, 2 by PUBREC', () => {
    const client = world311().connect('c1')
    client.send(publish('a', 'x'))
    expect(client.received()).toEqual([])
    client.send(publish('a', 'x', { qos: 1, id: 10 }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('40 02 000a')])
    client.send(publish('a', 'x', { qos: 2, id: 11 }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('50 02 000b')])
  })

  it('[MQTT311-3.3.4-1] decides the answer also when the message goes to a kept session', async () => {
    const world = await kept311()
    const reader = await world.join('reader', { clean: false })
    await reader.finish(subscribe(1, 'a'))
    const client = world.connect('c1')
    await client.finish(publish('a', 'x'), publish('a', 'y', { qos: 1, id: 1 }), publish('a', 'z', { qos: 2, id: 2 }))
    expect(client.received()).toMatchObject([
      { type: 'PUBACK', id: 1 },
      { type: 'PUBREC', id: 2 },
    ])
  })
})

describe('the topic name', () => {
  it('[MQTT311-3.3.2-1] is the first field, and goes out as it came in', () => {
    const world = world311()
    const client = watch(world)
    const topic = 'räume/küche/温度/\u{1f321}'
    client.send(publish(topic, 'x'), publish(topic, 'y', { qos: 1, id: 5 }))
    const sent = client.received().filter(({ type }) => type === 'PUBLISH')
    expect(sent[0]!.raw).toEqual(frame(0x30, utf8(topic), 0x78))
    expect(sent[1]!.raw.subarray(2, 2 + utf8(topic).length)).toEqual(Uint8Array.from(utf8(topic)))
  })

  it.each([
    ['is missing', frame(0x30)],
    ['has half a length', frame(0x30, 0)],
    ['is cut off', frame(0x30, 0, 4, 0x61, 0x62)],
    ['is no UTF-8', frame(0x30, 0, 2, 0x61, 0xff)],
    ['is no UTF-8, QoS 1', frame(0x32, 0, 2, 0x61, 0xff, 0, 1)],
  ])('[MQTT311-3.3.2-1] that %s ends the connection', (_fault, packet) => {
    const client = world311().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each(['#', '+', 'a/#', 'a/+/b', 'a+', 'a#b'])(
    '[MQTT311-3.3.2-2] %j, with a wildcard, ends the connection',
    (topic) => {
      const world = world311()
      const watcher = watch(world)
      for (const qos of [0, 1, 2] as QoS[]) {
        const client = world.connect('c1')
        client.send(publish(topic, 'x', qos === 0 ? {} : { qos, id: 1 }))
        expect(client.received()).toEqual([])
        expect(client.isClosed).toBe(true)
      }
      expect(watcher.received()).toEqual([])
    },
  )

  it("[MQTT311-3.3.2-3] of what a subscriber gets matches its filter, and is the publisher's", () => {
    const world = world311()
    const client = watch(world, 'sport/+/player1')
    const publisher = world.connect('publisher')
    const topics = ['sport/tennis/player1', 'sport/tennis/player2', 'sport/player1', 'sport/golf/player1', 'sport']
    for (const topic of topics) publisher.send(publish(topic, topic))
    expect(client.publishes().map(({ topic, payload }) => [topic, payload])).toEqual([
      ['sport/tennis/player1', 'sport/tennis/player1'],
      ['sport/golf/player1', 'sport/golf/player1'],
    ])
  })
})

describe('overlapping subscriptions', () => {
  it.each([0, 1, 2] as QoS[])('[MQTT311-3.3.5-1] get the message of QoS %i at the highest QoS among them', (qos) => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a/+', qos: 0 }, { filter: 'a/#', qos: 2 }, { filter: 'a/b', qos: 1 }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a/b', 'x', qos === 0 ? {} : { qos, id: 1 }))
    expect(Math.max(...client.publishes().map((message) => message.qos))).toBe(qos)
  })

  it('[MQTT311-3.3.5-1] get it at the highest that is left when one of them goes', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a/+', qos: 1 }, { filter: 'a/#', qos: 2 }, { filter: '#', qos: 0 }))
    client.next('SUBACK')
    client.send(frame(0xa2, u16(2), utf8('a/#')))
    client.next('UNSUBACK')
    world.connect('publisher').send(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(Math.max(...client.publishes().map((message) => message.qos))).toBe(1)
  })
})

describe('a PUBLISH that is not allowed', () => {
  it('[MQTT311-3.3.5-2] is acknowledged all the same, goes nowhere and is not retained', () => {
    const world = world311({ authorizer: noSecrets })
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(publish('secret/a', '0', { retain: true }))
    client.send(publish('secret/a', '1', { qos: 1, id: 1, retain: true }))
    client.send(publish('secret/a', '2', { qos: 2, id: 2, retain: true }), pubrel(2))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('40 02 0001'), hex('50 02 0002'), hex('70 02 0002')])
    expect(client.isClosed).toBe(false)
    expect(watcher.received()).toEqual([])
    expect(watch(world, 'secret/#', 'late').received()).toEqual([])
  })

  it('[MQTT311-3.3.5-2] does not stop those that are', () => {
    const world = world311({ authorizer: noSecrets })
    const watcher = watch(world)
    world
      .connect('c1')
      .send(publish('a', '1'), publish('secret/a', '2'), publish('a', '3'), publish('$SYS/a', '4'), publish('a', '5'))
    expect(lines(watcher.publishes())).toEqual(['a 1 q0', 'a 3 q0', 'a 5 q0'])
  })
})

it.each([0x60, 0x61, 0x63, 0x64, 0x66, 0x68, 0x6a, 0x6f])(
  '[MQTT311-3.6.1-1] PUBREL with the first byte %i ends the connection and releases nothing',
  async (first) => {
    const world = await kept311()
    const watcher = watch(world)
    const client = await world.join('c1', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 1 }))
    client.next('PUBREC')
    client.send(frame(first, u16(1)))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    const again = await world.join('c1', { clean: false })
    await again.finish(publish('a', 'x', { qos: 2, id: 1, dup: true }))
    expect(watcher.publishes()).toHaveLength(1)
  },
)

it('[MQTT311-3.6.1-1] PUBREL with the flags 0010 is taken, and sent', () => {
  const world = world311()
  const client = watch(world, 'a')
  client.send(publish('a', 'x', { qos: 2, id: 1 }))
  const [message] = client.received() as { id: number }[]
  client.send(hex('62 02 0001'), frame(0x50, u16(message!.id)), puback(9))
  expect(client.received().map(({ raw }) => raw)).toEqual([hex('70 02 0001'), frame(0x62, u16(message!.id))])
})
