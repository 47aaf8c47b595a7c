/** What a session is made of, how long it lasts, and what carries it. [MQTT5 §4.1] [MQTT5 §4.2] */
import { describe, expect, it } from 'vitest'
import { prop, puback, pubcomp, publish, pubrec, pubrel, subscribe, unsubscribe, World } from '../../harness.ts'
import { lasting, LASTING_SECONDS, onlyPublish, payloads, subscriber, take } from './scenes.ts'

const HOUR_MS = 3_600_000

describe('4.1.1 how long a session lasts', () => {
  it.each([undefined, 0, 1])(
    '[MQTT5-4.1.0-1] a session with expiry interval %s stays while its connection is open',
    (seconds) => {
      const world = new World()
      const properties = seconds === undefined ? [] : [prop('sessionExpiryInterval', seconds)]
      const client = subscriber(world, 's', 'a', { properties })
      world.connect('p').send(publish('a', 'x', { qos: 2, id: 1 }))
      const { id } = onlyPublish(client)
      client.send(publish('b', 'mine', { qos: 2, id: 7 }))
      client.next('PUBREC')
      world.advance(24 * HOUR_MS)
      world.connect('p').send(publish('a', 'y'))
      expect(payloads(client)).toEqual(['y'])
      client.send(pubrec(id), pubrel(7))
      expect(client.received()).toMatchObject([
        { type: 'PUBREL', id, reasonCode: 0 },
        { type: 'PUBCOMP', id: 7, reasonCode: 0 },
      ])
    },
  )

  it('[MQTT5-4.1.0-2] a session is there until its expiry interval has passed, and gone then', () => {
    const world = new World()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 60)] }
    subscriber(world, 's', 'a', wishes).vanish()
    world.advance(59_000)
    const second = world.connect('s', wishes)
    expect(second.connack.sessionPresent).toBe(true)
    // The time counts anew from the end of the latest connection.
    world.advance(59_000)
    second.vanish()
    world.advance(59_000)
    const third = world.connect('s', wishes)
    expect(third.connack.sessionPresent).toBe(true)
    third.hangUp()
    world.connect('p').send(publish('a', 'waits', { qos: 1, id: 1 }))
    world.advance(61_000)
    expect(world.vhost.sessions.find('s')).toBeUndefined()
    expect(world.vhost.router.bindingCount).toBe(0)
    const fourth = world.connect('s', wishes)
    expect(fourth.connack.sessionPresent).toBe(false)
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1 }))
    expect(fourth.received()).toEqual([])
  })

  it.each([undefined, 0])('[MQTT5-4.1.0-2] a session with expiry interval %s ends with its connection', (seconds) => {
    const world = new World()
    const properties = seconds === undefined ? [] : [prop('sessionExpiryInterval', seconds)]
    subscriber(world, 's', 'a', { properties }).hangUp()
    expect(world.vhost.router.bindingCount).toBe(0)
    expect(world.connect('s', { clean: false, properties }).connack.sessionPresent).toBe(false)
  })
})

describe('4.1 what a session is made of', () => {
  it('[MQTT5-4.1-a] its existence, though it holds nothing', () => {
    const world = new World()
    world.connect('s', lasting()).hangUp()
    expect(world.connect('s', lasting()).connack.sessionPresent).toBe(true)
  })

  it('[MQTT5-4.1-a] subscriptions with their options and identifiers', () => {
    const world = new World()
    const client = world.connect('s', lasting())
    const options = { filter: 'a/+', qos: 1, noLocal: true, retainAsPublished: true }
    take(client, options, prop('subscriptionIdentifier', 77))
    take(client, 'gone')
    client.send(unsubscribe(1, 'gone'))
    client.hangUp()
    const again = world.connect('s', lasting())
    again.send(publish('a/own', 'own'))
    world.connect('p').send(publish('a/b', 'x', { qos: 2, id: 1, retain: true }), publish('gone', 'x'))
    expect(onlyPublish(again)).toMatchObject({
      topic: 'a/b',
      qos: 1,
      retain: true,
      properties: { subscriptionIdentifiers: [77] },
    })
  })

  it('[MQTT5-4.1-a] shared subscriptions', () => {
    const world = new World()
    subscriber(world, 's', '$share/g/a', lasting()).hangUp()
    const again = world.connect('s', lasting())
    world.connect('p').send(publish('a', 'x'))
    expect(payloads(again)).toEqual(['x'])
  })

  it('[MQTT5-4.1-a] QoS 1 and 2 messages that wait for it', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    world.connect('p').send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    world.advance((LASTING_SECONDS - 1) * 1000)
    expect(world.connect('s', lasting()).publishes()).toMatchObject([
      { payload: '1', qos: 1, dup: false },
      { payload: '2', qos: 2, dup: false },
    ])
  })

  it('[MQTT5-4.1-a] QoS 1 and 2 messages sent to it and not acknowledged, in every state', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    publisher.send(publish('a', 'unacknowledged', { qos: 1, id: 1 }), publish('a', 'unreceived', { qos: 2, id: 2 }))
    publisher.send(publish('a', 'received', { qos: 2, id: 3 }), publish('a', 'done', { qos: 2, id: 4 }))
    const ids = client.publishes().map(({ id }) => id)
    client.send(pubrec(ids[2]!), pubrec(ids[3]!), pubcomp(ids[3]!))
    client.vanish()
    const again = world.connect('s', lasting())
    expect(again.received()).toMatchObject([
      { type: 'PUBLISH', payload: 'unacknowledged', id: ids[0], dup: true },
      { type: 'PUBLISH', payload: 'unreceived', id: ids[1], dup: true },
      { type: 'PUBREL', id: ids[2] },
    ])
  })

  it('[MQTT5-4.1-a] QoS 2 messages received from it and not released', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p', lasting())
    client.send(publish('a', 'once', { qos: 2, id: 9 }))
    client.vanish()
    const again = world.connect('p', lasting())
    again.send(publish('a', 'once', { qos: 2, id: 9, dup: true }), pubrel(9))
    expect(again.received()).toMatchObject([
      { type: 'PUBREC', id: 9, reasonCode: 0 },
      { type: 'PUBCOMP', id: 9, reasonCode: 0 },
    ])
    expect(payloads(listener)).toEqual(['once'])
  })

  it('[MQTT5-4.1-a] the will and its delay', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const will = { topic: 'a', payload: 'gone', properties: [prop('willDelayInterval', 30)] }
    world.connect('w', { ...lasting(), will }).vanish()
    world.advance(29_000)
    expect(listener.received()).toEqual([])
    world.advance(2_000)
    expect(payloads(listener)).toEqual(['gone'])
  })

  it('[MQTT5-4.1-a] nothing of an old session is in a new one', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    publisher.send(publish('a', 'sent', { qos: 1, id: 1 }))
    client.received()
    client.send(publish('b', 'x', { qos: 2, id: 5 }))
    client.vanish()
    publisher.send(publish('a', 'waiting', { qos: 1, id: 2 }))
    const fresh = world.connect('s', { ...lasting(), clean: true })
    expect(fresh.connack.sessionPresent).toBe(false)
    fresh.send(pubrel(5))
    publisher.send(publish('a', 'later', { qos: 1, id: 3 }))
    expect(fresh.received()).toMatchObject([{ type: 'PUBCOMP', id: 5, reasonCode: 0x92 }])
  })

  it('[MQTT5-4.1-b] retained messages are not among it and stay when it ends', () => {
    const world = new World()
    const client = world.connect('p', { properties: [prop('sessionExpiryInterval', 10)] })
    client.send(publish('a', 'kept', { qos: 1, id: 1, retain: true }))
    client.vanish()
    world.advance(20_000)
    expect(world.vhost.sessions.find('p')).toBeUndefined()
    expect(payloads(subscriber(world, 's', 'a'))).toEqual(['kept'])
  })
})

describe('4.1 with a log', () => {
  it('[MQTT5-4.1-a] subscriptions and waiting messages outlive the broker', async () => {
    const first = await World.withLog()
    const client = await first.join('s', lasting())
    await client.finish(subscribe(1, { filter: 'a/#', qos: 2 }))
    expect(client.next('SUBACK').reasonCodes).toEqual([2])
    client.vanish()
    await (await first.join('p')).finish(publish('a/b', 'waits', { qos: 1, id: 1 }))
    const again = await first.join('s', lasting())
    expect(payloads(again)).toEqual(['waits'])
    await again.finish(puback(1))
    await (await first.join('p')).finish(publish('a/b', 'next', { qos: 2, id: 1 }))
    expect(onlyPublish(again)).toMatchObject({ payload: 'next', qos: 2, dup: false })
  })
})

describe('4.2 network connections', () => {
  it('[MQTT5-4.2.0-1] a stream of bytes carries packets both ways, in order, however it is cut', () => {
    const world = new World()
    // The pipe takes seven bytes at a time from the broker, the client gives one.
    const client = world.connect('c', { kernelBytes: 7 })
    const packets = [
      subscribe(1, 'a/#'),
      ...Array.from({ length: 20 }, (_, index) => publish(`a/${index}`, 'x'.repeat(index * 40))),
      publish('a/last', 'end', { qos: 1, id: 3 }),
    ]
    for (const packet of packets) for (const byte of packet(5)) client.push([byte])
    world.run()
    const got = client.received()
    expect(got[0]).toMatchObject({ type: 'SUBACK', id: 1 })
    const sizes = got.filter((packet) => packet.type === 'PUBLISH').map(({ topic, payload }) => [topic, payload.length])
    expect(sizes).toEqual([...Array.from({ length: 20 }, (_, index) => [`a/${index}`, index * 40]), ['a/last', 3]])
  })

  it('[MQTT5-4.2.0-1] a connection carries a packet as large as the broker takes', () => {
    const world = new World({ settings: { maxPacketBytes: 300_000 } })
    const client = subscriber(world, 'c', 'a')
    const payload = new Uint8Array(300_000 - 1 - 3 - 2 - 1 - 1).map((_, index) => index * 7)
    client.send(publish('a', payload))
    expect(onlyPublish(client).payloadBytes).toEqual(payload)
  })
})
