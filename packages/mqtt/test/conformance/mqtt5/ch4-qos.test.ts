/** The delivery protocols of QoS 0, 1 and 2, with the server as sender and as receiver. [MQTT5 §4.3] */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { bytes, type Client, prop, puback, pubcomp, publish, pubrec, pubrel, subscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, sequence, subscriber } from './scenes.ts'

describe('4.3.1 QoS 0, the server as sender', () => {
  it('[MQTT5-4.3.1-1] PUBLISH goes out with QoS 0, DUP 0 and no packet identifier, once', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    world.connect('p').send(publish('a', 'x'))
    const packet = onlyPublish(client)
    expect(packet.raw[0]).toBe(0x30)
    expect(packet).toMatchObject({ qos: 0, dup: false, payload: 'x' })
    client.vanish()
    expect(world.connect('s', lasting()).received()).toEqual([])
  })
})

/** A subscriber with `count` deliveries of `qos` under way. */
function sending(count: number, qos: 1 | 2): { world: World; publisher: Client; client: Client; ids: number[] } {
  const world = new World()
  const client = subscriber(world, 's', 'a', lasting())
  const publisher = world.connect('p')
  for (let index = 1; index <= count; index++) publisher.push(publish('a', `${index}`, { qos, id: index }))
  world.run()
  publisher.received()
  return { world, publisher, client, ids: client.publishes().map(({ id }) => id) }
}

describe('4.3.2 QoS 1, the server as sender', () => {
  it('[MQTT5-4.3.2-1, MQTT5-2.2.1-4] each new message gets a packet identifier that is not in use', () => {
    const { world, publisher, client, ids } = sending(40, 1)
    expect(new Set(ids).size).toBe(40)
    expect(ids.every((id) => id >= 1 && id <= 65_535)).toBe(true)
    // Some come free in the middle; what is still in use is not given out again.
    const freed = ids.filter((_, index) => index % 3 === 0)
    const held = ids.filter((_, index) => index % 3 !== 0)
    client.send(...freed.map((id) => puback(id)))
    for (let id = 1; id <= 200; id++) publisher.push(publish('a', 'more', { qos: 1, id }))
    world.run()
    const more = client.publishes().map(({ id }) => id)
    expect(new Set([...held, ...more]).size).toBe(held.length + 200)
  })

  it('[MQTT5-4.3.2-1] packet identifiers come round after 65,535 without touching the ones in use', () => {
    const { publisher, client, ids } = sending(2, 1)
    const [stuck, other] = ids
    client.send(puback(other!))
    const burst = bytes(...Array.from({ length: 1_000 }, (_, index) => publish('a', '', { qos: 1, id: index + 1 })(5)))
    const seen = new Set<number>()
    for (let round = 0; round < 70; round++) {
      publisher.send(burst)
      publisher.received()
      const came = client.publishes().map(({ id }) => id)
      expect(came).toHaveLength(1_000)
      for (const id of came) seen.add(id)
      client.send(...came.map((id) => puback(id)))
    }
    expect(seen.has(stuck!)).toBe(false)
    expect(Math.max(...seen)).toBe(65_535)
    expect(Math.min(...seen)).toBeLessThan(10)
  })

  it('[MQTT5-4.3.2-2] PUBLISH has the identifier, QoS 1 and DUP 0', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 500, dup: true }))
    const packet = onlyPublish(client)
    expect(packet.raw[0]).toBe(0x32)
    expect(packet.id).toBeGreaterThan(0)
  })

  it('[MQTT5-4.3.2-3] the message stays unacknowledged until its own PUBACK comes', () => {
    const { world, client, ids } = sending(2, 1)
    // A QoS 2 acknowledgement, or one of another identifier, is none.
    client.send(puback(ids[1]!), puback(40_000), pubcomp(ids[0]!))
    client.vanish()
    const again = world.connect('s', lasting())
    expect(onlyPublish(again)).toMatchObject({ payload: '1', id: ids[0], dup: true })
    again.send(puback(ids[0]!))
    again.vanish()
    expect(world.connect('s', lasting()).received()).toEqual([])
  })
})

describe('4.3.2 QoS 1, the server as receiver', () => {
  it('[MQTT5-4.3.2-4] a PUBLISH is answered by PUBACK with its identifier, and its message is the server’s', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 1, id: 65_535 }), publish('a', 'y', { qos: 1, id: 1 }))
    expect(sequence(client.received())).toEqual([
      ['PUBACK', 65_535],
      ['PUBACK', 1],
    ])
    client.vanish()
    expect(payloads(world.connect('s', lasting()))).toEqual(['x', 'y'])
  })

  it('[MQTT5-4.3.2-4] with a log, what was acknowledged is there after a restart', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const world = await World.withLog({}, env, engine)
    const away = await world.join('s', lasting())
    await away.finish(subscribe(1, 'a'))
    away.next('SUBACK')
    away.vanish()
    const client = await world.join('p')
    await client.finish(publish('a', 'x', { qos: 1, id: 3 }))
    expect(client.received()).toMatchObject([{ type: 'PUBACK', id: 3, reasonCode: 0 }])
    const restarted = await World.withLog({}, env, engine)
    expect(payloads(await restarted.join('s', lasting()))).toEqual(['x'])
  })

  it.each([true, false])('[MQTT5-4.3.2-5] after PUBACK the same identifier with DUP %s is a new message', (dup) => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 1, id: 4 }), publish('a', 'x', { qos: 1, id: 4, dup }))
    expect(sequence(client.received())).toEqual([
      ['PUBACK', 4],
      ['PUBACK', 4],
    ])
    expect(payloads(listener)).toEqual(['x', 'x'])
  })
})

describe('4.3.3 QoS 2, the server as sender', () => {
  it('[MQTT5-4.3.3-1, MQTT5-2.2.1-4] each new message gets a packet identifier that is not in use, in whatever state', () => {
    const { world, publisher, client, ids } = sending(30, 2)
    expect(new Set(ids).size).toBe(30)
    // Ten are released but not completed, ten are completed, ten have not been received.
    client.send(...ids.slice(0, 20).map((id) => pubrec(id)), ...ids.slice(0, 10).map((id) => pubcomp(id)))
    client.received()
    for (let id = 1_001; id <= 1_200; id++) publisher.push(publish('a', 'more', { qos: id % 2 === 0 ? 1 : 2, id }))
    world.run()
    const more = client.publishes().map(({ id }) => id)
    expect(new Set([...ids.slice(10), ...more]).size).toBe(220)
  })

  it('[MQTT5-4.3.3-2] PUBLISH has the identifier, QoS 2 and DUP 0', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    world.connect('p').send(publish('a', 'x', { qos: 2, id: 500, dup: true }))
    const packet = onlyPublish(client)
    expect(packet.raw[0]).toBe(0x34)
    expect(packet.id).toBeGreaterThan(0)
  })

  it('[MQTT5-4.3.3-3] the message stays unacknowledged until its own PUBREC comes', () => {
    const { world, client, ids } = sending(2, 2)
    client.send(pubrec(ids[1]!), puback(ids[0]!), pubcomp(ids[0]!))
    client.vanish()
    const again = world.connect('s', lasting())
    expect(again.received()).toMatchObject([
      { type: 'PUBLISH', payload: '1', id: ids[0], dup: true },
      { type: 'PUBREL', id: ids[1] },
    ])
  })

  it('[MQTT5-4.3.3-4] PUBREC is answered by PUBREL with its identifier, each time it comes', () => {
    const { client, ids } = sending(1, 2)
    client.send(pubrec(ids[0]!))
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id: ids[0], reasonCode: 0 }])
    client.send(pubrec(ids[0]!))
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id: ids[0], reasonCode: 0 }])
  })

  it('[MQTT5-4.3.3-4] PUBREC 0x10 is answered by PUBREL, PUBREC 0x80 and above is not', () => {
    const { client, ids } = sending(3, 2)
    client.send(pubrec(ids[0]!, { reason: 0x10 }), pubrec(ids[1]!, { reason: 0x80 }), pubrec(ids[2]!, { reason: 0x97 }))
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id: ids[0], reasonCode: 0 }])
  })

  it('[MQTT5-4.3.3-5, MQTT5-4.3.3-6] PUBREL is repeated until PUBCOMP comes, the PUBLISH is not', () => {
    const { world, client, ids } = sending(1, 2)
    client.send(pubrec(ids[0]!))
    client.vanish()
    for (let round = 0; round < 2; round++) {
      const again = world.connect('s', lasting())
      expect(again.received()).toMatchObject([{ type: 'PUBREL', id: ids[0], reasonCode: 0 }])
      again.vanish()
    }
    const last = world.connect('s', lasting())
    last.received()
    last.send(pubcomp(ids[0]!))
    last.vanish()
    expect(world.connect('s', lasting()).received()).toEqual([])
  })

  it('[MQTT5-4.3.3-7] a message that was sent before it expired is sent again, and finished, after it', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const properties = [prop('messageExpiryInterval', 5)]
    world
      .connect('p')
      .send(publish('a', '1', { qos: 2, id: 1, properties }), publish('a', '2', { qos: 2, id: 2, properties }))
    const [first, second] = client.publishes()
    client.send(pubrec(first!.id))
    client.vanish()
    world.advance(60_000)
    const again = world.connect('s', lasting())
    expect(again.received()).toMatchObject([
      { type: 'PUBREL', id: first!.id },
      { type: 'PUBLISH', id: second!.id, payload: '2', dup: true, properties: { messageExpiryInterval: 0 } },
    ])
    again.send(pubcomp(first!.id), pubrec(second!.id))
    expect(again.received()).toMatchObject([{ type: 'PUBREL', id: second!.id, reasonCode: 0 }])
  })
})

describe('4.3.3 QoS 2, the server as receiver', () => {
  it('[MQTT5-4.3.3-8] a PUBLISH is answered by PUBREC with its identifier, and its message is the server’s', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 2, id: 65_535 }), publish('a', 'y', { qos: 2, id: 1 }))
    expect(sequence(client.received())).toEqual([
      ['PUBREC', 65_535],
      ['PUBREC', 1],
    ])
    client.vanish()
    expect(payloads(world.connect('s', lasting()))).toEqual(['x', 'y'])
  })

  it('[MQTT5-4.3.3-9] after a PUBREC of 0x80 or more the identifier is a new message', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('$refused', 'x', { qos: 2, id: 6 }))
    expect(client.next('PUBREC').reasonCode).toBeGreaterThanOrEqual(0x80)
    client.send(publish('a', 'y', { qos: 2, id: 6 }))
    expect(client.next('PUBREC')).toMatchObject({ id: 6, reasonCode: 0 })
    expect(payloads(listener)).toEqual(['y'])
  })

  it('[MQTT5-4.3.3-10] until PUBREL a PUBLISH with the same identifier is answered by PUBREC and goes nowhere', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    const same = (payload: string, dup: boolean): ReturnType<typeof publish> =>
      publish('a', payload, { qos: 2, id: 6, dup })
    client.send(same('x', false), same('x', true), same('x', true))
    client.send(same('x', false))
    expect(sequence(client.received())).toEqual([1, 2, 3, 4].map(() => ['PUBREC', 6]))
    expect(payloads(listener)).toEqual(['x'])
  })

  it('[MQTT5-4.3.3-10] nor does it come back as a retained message of its own', () => {
    const world = new World()
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 2, id: 6, retain: true }), publish('a', 'newer', { retain: true }))
    client.send(publish('a', 'x', { qos: 2, id: 6, retain: true, dup: true }))
    expect(payloads(subscriber(world, 's', 'a'))).toEqual(['newer'])
  })

  it('[MQTT5-4.3.3-11, MQTT5-4.3.3-12] PUBREL is answered by PUBCOMP; then the identifier is a new message', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', 'x', { qos: 2, id: 6 }), pubrel(6), publish('a', 'y', { qos: 2, id: 6, dup: true }))
    client.send(pubrel(6))
    expect(sequence(client.received())).toEqual([
      ['PUBREC', 6],
      ['PUBCOMP', 6],
      ['PUBREC', 6],
      ['PUBCOMP', 6],
    ])
    expect(payloads(listener)).toEqual(['x', 'y'])
  })

  it('[MQTT5-4.3.3-11] PUBREL of an unknown identifier is answered by PUBCOMP 0x92', () => {
    const client = new World().connect('p')
    client.send(pubrel(1), pubrel(65_535))
    expect(client.received()).toMatchObject([
      { type: 'PUBCOMP', id: 1, reasonCode: 0x92 },
      { type: 'PUBCOMP', id: 65_535, reasonCode: 0x92 },
    ])
  })

  it('[MQTT5-4.3.3-13] the exchange is finished though the message has expired', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    const client = world.connect('p')
    const properties = [prop('messageExpiryInterval', 1)]
    client.send(publish('a', 'x', { qos: 2, id: 6, properties }))
    expect(client.next('PUBREC')).toMatchObject({ id: 6, reasonCode: 0 })
    world.advance(10_000)
    client.send(publish('a', 'x', { qos: 2, id: 6, dup: true, properties }))
    expect(client.next('PUBREC')).toMatchObject({ id: 6, reasonCode: 0 })
    client.send(pubrel(6))
    expect(client.next('PUBCOMP')).toMatchObject({ id: 6, reasonCode: 0 })
    expect(world.connect('s', lasting()).received()).toEqual([])
  })

  it('[MQTT5-4.3.3-10] with a log, a PUBLISH repeated before its PUBREC goes nowhere', async () => {
    const world = await World.withLog()
    const listener = await world.join('s', lasting())
    await listener.finish(subscribe(1, 'a'))
    listener.next('SUBACK')
    const client = await world.join('p')
    client.push(publish('a', 'x', { qos: 2, id: 6 }), publish('a', 'x', { qos: 2, id: 6, dup: true }))
    await client.finish()
    const answers = client.received()
    expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['PUBREC']))
    await client.finish(publish('a', 'x', { qos: 2, id: 6, dup: true }), pubrel(6))
    expect(sequence(client.received())).toEqual([
      ['PUBREC', 6],
      ['PUBCOMP', 6],
    ])
    expect(payloads(listener)).toEqual(['x'])
  })
})
