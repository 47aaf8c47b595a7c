import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  hex,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  World,
} from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

async function subscribed(world: World, clientId = 'c1'): Promise<Client> {
  const client = await world.join(clientId, { clean: false })
  await client.finish(subscribe(1, 'a'))
  client.next('SUBACK')
  return client
}

describe('QoS 0', () => {
  it('[MQTT311-4.3.1-1] goes out with QoS 0 and DUP 0, once', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    world.connect('publisher').send(publish('a', 'x'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('30 04 0001 61 78')])
    world.advance(86_400_000)
    expect(client.received()).toEqual([])
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toEqual([])
  })
})

describe('QoS 1, the server sends', () => {
  it('[MQTT311-4.3.2-1] with DUP 0, under an identifier that no other message has', () => {
    const world = world311()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 300; id++) publisher.send(publish('a', 'x', { qos: 1, id }))
    const messages = client.publishes()
    expect(messages.every(({ qos, dup }) => qos === 1 && !dup)).toBe(true)
    expect(new Set(messages.map(({ id }) => id)).size).toBe(300)
  })

  it('[MQTT311-4.3.2-1] and holds it unacknowledged until the PUBACK with its identifier comes', async () => {
    const world = await kept311()
    let client = await subscribed(world)
    await world
      .connect('publisher')
      .finish(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 1, id: 2 }))
    const [one, two] = client.publishes()
    const unknown = two!.id + 100
    // None of these is the PUBACK of the first message.
    await client.finish(puback(two!.id), puback(unknown), pubrec(one!.id), pubcomp(one!.id))
    client.received()
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.publishes()).toMatchObject([{ payload: 'one', id: one!.id, dup: true }])
    await client.finish(puback(one!.id))
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.received()).toEqual([])
  })
})

describe('QoS 1, the server receives', () => {
  it('[MQTT311-4.3.2-2] and answers PUBACK with the identifier', () => {
    const client = world311().connect('c1')
    client.send(publish('a', 'x', { qos: 1, id: 0x0102 }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('40 02 0102')])
  })

  it.each([false, true])(
    '[MQTT311-4.3.2-2] and takes the same identifier for a new message after PUBACK (DUP %s)',
    (dup) => {
      const world = world311()
      const watcher = watch(world)
      const client = world.connect('c1')
      client.send(publish('a', 'first', { qos: 1, id: 1 }))
      client.next('PUBACK')
      client.send(publish('a', 'second', { qos: 1, id: 1, dup }))
      expect(client.next('PUBACK').id).toBe(1)
      expect(lines(watcher.publishes())).toEqual(['a first q1', 'a second q1'])
    },
  )

  it('[MQTT311-4.3.2-2] and has the message when it answers: it is there after a restart', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const first = await World.withLog({ version: 4 }, env, engine)
    const reader = await subscribed(first)
    reader.vanish()
    const publisher = first.connect('publisher')
    publisher.push(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    await first.settle()
    expect(publisher.received()).toMatchObject([{ type: 'PUBACK' }, { type: 'PUBREC' }])

    const second = await World.withLog({ version: 4 }, env, engine)
    const again = await second.join('c1', { clean: false })
    expect(lines(again.publishes())).toEqual(['a one q1', 'a two q2'])
  })
})

describe('QoS 2, the server sends', () => {
  it('[MQTT311-4.3.3-1] with DUP 0, under an identifier that no other message has', () => {
    const world = world311()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 300; id++) {
      publisher.send(publish('a', 'x', { qos: (1 + (id % 2)) as QoS, id }), pubrel(id))
    }
    const messages = client.publishes()
    expect(messages.filter(({ qos, dup }) => qos === 2 && !dup)).toHaveLength(150)
    expect(new Set(messages.map(({ id }) => id)).size).toBe(300)
  })

  it('[MQTT311-4.3.3-1] and answers PUBREC with PUBREL, each time', () => {
    const world = world311()
    const client = watch(world, 'a')
    world.connect('publisher').send(publish('a', 'x', { qos: 2, id: 1 }))
    const [message] = client.publishes()
    for (let times = 0; times < 3; times++) {
      client.send(pubrec(message!.id))
      expect(client.next('PUBREL').id).toBe(message!.id)
    }
    expect(client.received()).toEqual([])
  })

  it('[MQTT311-4.3.3-1] and holds PUBLISH unacknowledged until PUBREC, then PUBREL until PUBCOMP', async () => {
    const world = await kept311()
    let client = await subscribed(world)
    await world.connect('publisher').finish(publish('a', 'x', { qos: 2, id: 1 }))
    const [{ id } = { id: 0 }] = client.publishes()
    // A PUBACK or an early PUBCOMP acknowledges nothing here.
    await client.finish(puback(id), pubcomp(id))
    for (let times = 0; times < 2; times++) {
      client.vanish()
      client = await world.join('c1', { clean: false })
      expect(client.received()).toMatchObject([{ type: 'PUBLISH', payload: 'x', qos: 2, dup: true, id }])
    }
    await client.finish(pubrec(id))
    expect(client.next('PUBREL').id).toBe(id)
    for (let times = 0; times < 2; times++) {
      client.vanish()
      client = await world.join('c1', { clean: false })
      // Not the PUBLISH: that must not be sent once PUBREL was.
      expect(client.received()).toMatchObject([{ type: 'PUBREL', id }])
    }
    await client.finish(pubcomp(id))
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.received()).toEqual([])
  })

  it('[MQTT311-4.3.3-1] and does not give the identifier to another message before PUBCOMP', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'held', { qos: 2, id: 1 }))
    const [held] = client.publishes()
    await client.finish(pubrec(held!.id))
    client.next('PUBREL')
    for (let id = 2; id <= 200; id++) await publisher.finish(publish('a', 'x', { qos: 1, id }))
    expect(client.publishes().map(({ id }) => id)).not.toContain(held!.id)
  })
})

describe('QoS 2, the server receives', () => {
  it('[MQTT311-4.3.3-2] and answers each repetition with PUBREC, and passes one message on', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1')
    for (const dup of [false, true, true, false]) {
      client.send(publish('a', 'x', { qos: 2, id: 9, dup }))
      expect(client.received().map(({ raw }) => raw)).toEqual([hex('50 02 0009')])
    }
    client.send(pubrel(9))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('70 02 0009')])
    expect(watcher.publishes()).toHaveLength(1)
  })

  it('[MQTT311-4.3.3-2] and passes one message on, retained or to a kept session, in one chunk or in two connections', async () => {
    const world = await kept311()
    const reader = await subscribed(world, 'reader')
    let client = await world.join('c1', { clean: false })
    const packet = publish('a', 'x', { qos: 2, id: 9, retain: true })
    await client.finish(packet, packet, packet)
    expect(client.received().every(({ type }) => type === 'PUBREC')).toBe(true)
    client.vanish()
    client = await world.join('c1', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 9, retain: true, dup: true }))
    expect(client.received()).toMatchObject([{ type: 'PUBREC', id: 9 }])
    await client.finish(pubrel(9))
    expect(client.received()).toMatchObject([{ type: 'PUBCOMP', id: 9 }])
    expect(reader.publishes()).toHaveLength(1)
  })

  it('[MQTT311-4.3.3-2] and takes the identifier for a new message after PUBCOMP', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1')
    for (const payload of ['first', 'second', 'third']) {
      client.send(publish('a', payload, { qos: 2, id: 9, dup: payload !== 'first' }), pubrel(9))
      expect(client.received()).toMatchObject([{ type: 'PUBREC' }, { type: 'PUBCOMP' }])
    }
    expect(lines(watcher.publishes())).toEqual(['a first q2', 'a second q2', 'a third q2'])
  })

  it('[MQTT311-4.3.3-2] and answers every PUBREL with PUBCOMP, also one that comes again or of nothing', async () => {
    const world = await kept311()
    let client = await world.join('c1', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 9 }), pubrel(9), pubrel(9), pubrel(10))
    expect(client.received().map(({ type, raw }) => [type, raw[3]])).toEqual([
      ['PUBREC', 9],
      ['PUBCOMP', 9],
      ['PUBCOMP', 9],
      ['PUBCOMP', 10],
    ])
    client.vanish()
    client = await world.join('c1', { clean: false })
    await client.finish(pubrel(9))
    expect(client.next('PUBCOMP').id).toBe(9)
  })

  it('[MQTT311-4.3.3-2] and tells the identifiers of one client from those of another, and of QoS 1', () => {
    const world = world311()
    const watcher = watch(world)
    const one = world.connect('one')
    const two = world.connect('two')
    one.send(publish('a', 'one', { qos: 2, id: 9 }))
    two.send(publish('a', 'two', { qos: 2, id: 9 }))
    expect(lines(watcher.publishes())).toEqual(['a one q2', 'a two q2'])
  })

  it('[MQTT311-4.3.3-2] and has room for as many exchanges as there are identifiers', () => {
    const world = world311()
    const client = world.connect('c1')
    const ids = Array.from({ length: 65_535 }, (_, index) => index + 1)
    for (let at = 0; at < ids.length; at += 1_000) {
      const batch = ids.slice(at, at + 1_000)
      client.send(...batch.map((id) => publish('a', '', { qos: 2, id })))
      expect(client.received().map((packet) => packet.type === 'PUBREC' && packet.id)).toEqual(batch)
    }
    client.send(pubrel(1), pubrel(65_535))
    expect(client.received()).toMatchObject([
      { type: 'PUBCOMP', id: 1 },
      { type: 'PUBCOMP', id: 65_535 },
    ])
  })
})
