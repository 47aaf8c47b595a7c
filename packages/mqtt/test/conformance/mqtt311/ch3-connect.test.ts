import { describe, expect, it } from 'vitest'
import {
  bytes,
  connect,
  disconnect,
  type Draft,
  frame,
  hex,
  pingreq,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
} from '../../harness.ts'
import { kept311, watch, world311 } from '../worlds.ts'

describe('the first packet', () => {
  const others: { name: string; packet: Draft }[] = [
    { name: 'PUBLISH', packet: publish('a', 'x') },
    { name: 'PUBLISH of QoS 1', packet: publish('a', 'x', { qos: 1, id: 1 }) },
    { name: 'PUBREL', packet: pubrel(1) },
    { name: 'SUBSCRIBE', packet: subscribe(1, '#') },
    { name: 'UNSUBSCRIBE', packet: unsubscribe(1, '#') },
    { name: 'PINGREQ', packet: pingreq() },
    { name: 'DISCONNECT', packet: disconnect() },
  ]
  it.each(others)('[MQTT311-3.1.0-1] $name instead of CONNECT ends the connection and has no effect', ({ packet }) => {
    const world = world311()
    const watcher = watch(world)
    const client = world.open()
    client.send(packet, connect({ clientId: 'late' }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.0-1] may come byte by byte', () => {
    const client = world311().open()
    for (const byte of connect({ clientId: 'slow' })(4)) client.send([byte])
    expect(client.accepted().sessionPresent).toBe(false)
  })

  it('[MQTT311-3.1.0-2] CONNECT a second time ends the connection, is not answered and opens no session', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1', { will: { topic: 'will', payload: 'c1 is gone' } })
    client.send(connect({ clientId: 'c2' }), publish('a', 'x'))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.find('c2')).toBeUndefined()
    expect(watcher.publishes()).toMatchObject([{ topic: 'will' }])
  })

  it('[MQTT311-3.1.0-2] CONNECT a second time in the same chunk ends the connection', () => {
    const client = world311().open()
    client.send(connect({ clientId: 'c1' }), connect({ clientId: 'c1' }))
    client.accepted()
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe('protocol name and level', () => {
  it.each(['mqtt', 'MQTTX', 'MQT', 'MQIsdp', 'AMQP', ''])('[MQTT311-3.1.2-1] %j with level 4 is not let in', (name) => {
    const world = world311()
    const watcher = watch(world)
    const client = world.open()
    client.send(connect({ clientId: 'c1', protocolName: name }), publish('a', 'x'))
    expect(client.received().filter((packet) => packet.type !== 'CONNACK' || packet.reasonCode === 0)).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT311-3.1.2-1] "MQIsdp" with level 3 is handled by the rules of MQTT 3.1', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false, version: 3 })
    first.hangUp()
    // 3.1 has no Session Present, and lets DUP stand in a SUBSCRIBE.
    const again = await world.join('c1', { clean: false, version: 3 })
    expect(again.connack.raw).toEqual(hex('20 02 00 00'))
    await again.finish(bytes(0x8a, subscribe(1, 'a')(3).subarray(1)))
    expect(again.next('SUBACK').reasonCodes).toEqual([2])
  })

  it.each([0, 1, 2, 3, 6, 0x7f, 0x84, 0xff])(
    '[MQTT311-3.1.2-2] level %i is answered with 0x01 and the end',
    (level) => {
      const client = world311().open()
      client.send(connect({ clientId: 'c1', level }), pingreq())
      expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 01')])
      expect(client.isClosed).toBe(true)
    },
  )
})

describe('the reserved connect flag', () => {
  it.each([0x01, 0x03, 0xc3])('[MQTT311-3.1.2-3] set (flags %i) ends the connection', (flags) => {
    const client = world311().open()
    const names = (flags & 0x80) === 0 ? {} : { username: 'u', password: 'p' }
    client.send(connect({ clientId: 'c1', ...names, flags }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe('CleanSession 0', () => {
  it('[MQTT311-3.1.2-4] makes a session that outlives its connection, however that ends, and is resumed', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    expect(first.connack.sessionPresent).toBe(false)
    await first.finish(subscribe(1, { filter: 'a', qos: 1 }))
    first.next('SUBACK')
    const publisher = world.connect('publisher')
    for (const [index, end] of (['disconnect', 'hangUp', 'vanish', 'takeover', 'violation'] as const).entries()) {
      const client = await world.join('c1', { clean: false })
      expect(client.connack.sessionPresent).toBe(true)
      await publisher.finish(publish('a', `before ${end}`, { qos: 1, id: index + 1 }))
      expect(client.publishes().at(-1)).toMatchObject({ payload: `before ${end}` })
      if (end === 'disconnect') client.send(disconnect())
      else if (end === 'violation') client.send(frame(0x00))
      else if (end !== 'takeover') client[end]()
      if (end !== 'takeover') expect(client.isClosed).toBe(true)
    }
  })

  it('[MQTT311-3.1.2-4] keeps unfinished exchanges of both directions', async () => {
    const world = await kept311()
    const watcher = watch(world, 'out', 'watcher')
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'in'), publish('out', 'once', { qos: 2, id: 7 }))
    await world.connect('publisher').finish(publish('in', 'kept', { qos: 2, id: 1 }))
    const [, , incoming] = first.received()
    await first.finish(pubrec((incoming as { id: number }).id))
    first.vanish()

    const again = await world.join('c1', { clean: false })
    expect(again.next('PUBREL').id).toBe((incoming as { id: number }).id)
    await again.finish(publish('out', 'once', { qos: 2, id: 7, dup: true }), pubrel(7))
    expect(again.received()).toMatchObject([
      { type: 'PUBREC', id: 7 },
      { type: 'PUBCOMP', id: 7 },
    ])
    expect(watcher.publishes()).toMatchObject([{ payload: 'once' }])
  })

  it('[MQTT311-3.1.2-5] keeps QoS 1 and 2 messages that come while the client is away', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a/#', { filter: 'b', qos: 1 }))
    first.send(disconnect())
    const publisher = world.connect('publisher')
    await publisher.finish(
      publish('a/1', 'one', { qos: 1, id: 1 }),
      publish('a/2', 'two', { qos: 2, id: 2 }),
      publish('b', 'three', { qos: 2, id: 3 }),
      publish('c', 'not asked for', { qos: 1, id: 4 }),
    )
    publisher.hangUp()
    world.advance(3_600_000)
    const again = await world.join('c1', { clean: false })
    expect(again.publishes()).toMatchObject([
      { topic: 'a/1', payload: 'one', qos: 1, dup: false },
      { topic: 'a/2', payload: 'two', qos: 2, dup: false },
      { topic: 'b', payload: 'three', qos: 1, dup: false },
    ])
  })
})

describe('CleanSession 1', () => {
  it('[MQTT311-3.1.2-6] throws away the session there was: subscriptions, waiting messages, unfinished exchanges', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'), publish('b', 'half', { qos: 2, id: 5 }))
    first.hangUp()
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'waits', { qos: 1, id: 1 }))

    const watcher = watch(world, 'b')
    const clean = await world.join('c1', { clean: true })
    await publisher.finish(publish('a', 'comes', { qos: 1, id: 2 }))
    expect(clean.received()).toEqual([])
    // The identifier is free again: this is another message.
    clean.send(publish('b', 'new', { qos: 2, id: 5, dup: true }))
    expect(clean.next('PUBREC').id).toBe(5)
    expect(watcher.publishes()).toMatchObject([{ payload: 'new' }])
  })

  it('[MQTT311-3.1.2-6] throws the session of a living connection away, too', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    const clean = await world.join('c1', { clean: true })
    expect(first.isClosed).toBe(true)
    world.connect('publisher').send(publish('a', 'x', { qos: 1, id: 1 }))
    expect(clean.received()).toEqual([])
    expect(clean.connack.sessionPresent).toBe(false)
  })

  it.each(['disconnect', 'hangUp', 'vanish'] as const)('[MQTT311-3.1.2-6] ends the session with %s', async (end) => {
    const world = await kept311()
    const first = await world.join('c1', { clean: true })
    await first.finish(subscribe(1, 'a'), publish('b', 'half', { qos: 2, id: 5 }))
    if (end === 'disconnect') first.send(disconnect())
    else first[end]()
    const watcher = watch(world, 'b')
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const again = await world.join('c1', { clean: false })
    expect(again.connack.sessionPresent).toBe(false)
    await again.finish(publish('b', 'new', { qos: 2, id: 5 }))
    expect(again.received()).toMatchObject([{ type: 'PUBREC' }])
    expect(watcher.publishes()).toMatchObject([{ payload: 'new' }])
  })

  it('[MQTT311-3.1.2-7] leaves retained messages when the session of their publisher ends', async () => {
    const world = await kept311()
    const clean = await world.join('clean', { clean: true })
    await clean.finish(publish('a', 'from clean', { qos: 1, id: 1, retain: true }))
    clean.send(disconnect())
    const kept = await world.join('kept', { clean: false })
    await kept.finish(publish('b', 'from kept', { qos: 1, id: 1, retain: true }))
    kept.hangUp()
    // Its session is thrown away by the next connection, which ends, too.
    const next = await world.join('kept', { clean: true })
    next.hangUp()
    const reader = world.connect('reader')
    reader.send(subscribe(1, '#'))
    reader.next('SUBACK')
    expect(reader.publishes().map(({ payload }) => payload)).toEqual(
      expect.arrayContaining(['from clean', 'from kept']),
    )
  })

  it('[MQTT311-3.1.2-7] leaves retained messages when a kept session expires', async () => {
    const world = await kept311({ settings: { sessionExpiryMaxSeconds: 60 } })
    const kept = await world.join('kept', { clean: false })
    await kept.finish(publish('b', 'stays', { qos: 1, id: 1, retain: true }))
    kept.hangUp()
    world.advance(61_000)
    expect(world.vhost.sessions.find('kept')).toBeUndefined()
    const reader = world.connect('reader')
    reader.send(subscribe(1, '#'))
    reader.next('SUBACK')
    expect(reader.publishes()).toMatchObject([{ payload: 'stays', retain: true }])
  })
})

describe('keep alive', () => {
  it('[MQTT311-3.1.2-24] silence for one and a half periods ends the connection as a network failure does', () => {
    const world = world311()
    const watcher = watch(world)
    const client = world.connect('c1', { keepAlive: 10, will: { topic: 'will', payload: 'silent' } })
    world.advance(14_900)
    expect(client.isClosed).toBe(false)
    expect(watcher.received()).toEqual([])
    world.advance(1_100)
    expect(client.isClosed).toBe(true)
    expect(client.received()).toEqual([])
    expect(watcher.publishes()).toMatchObject([{ payload: 'silent' }])
  })

  it.each([
    ['PINGREQ', pingreq()],
    ['PUBLISH', publish('a', 'x')],
    ['an acknowledgement', pubrel(1)],
  ])('[MQTT311-3.1.2-24] %s begins the period anew', (_name, packet) => {
    const world = world311()
    const client = world.connect('c1', { keepAlive: 10 })
    for (let times = 0; times < 5; times++) {
      world.advance(14_000)
      client.send(packet)
    }
    expect(client.isClosed).toBe(false)
    world.advance(16_000)
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.2-24] what the server sends does not count, nor does half a packet', () => {
    const world = world311()
    const client = watch(world, 'a', 'reader')
    const silent = world.connect('c1', { keepAlive: 10 })
    silent.send(subscribe(1, 'a'))
    for (let seconds = 0; seconds < 16; seconds++) {
      world.advance(1_000)
      client.send(publish('a', 'x'))
      silent.send([seconds === 0 ? 0x30 : seconds === 1 ? 0x7f : 0x00])
    }
    expect(silent.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.2-24] 0 switches it off', () => {
    const world = world311()
    const client = world.connect('c1', { keepAlive: 0 })
    world.advance(30 * 86_400_000)
    client.send(pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
  })

  it('[MQTT311-3.1.2-24] the longest there is, 65,535 seconds, is kept to', () => {
    const world = world311()
    const client = world.connect('c1', { keepAlive: 65_535 })
    world.advance(98_302_000)
    expect(client.isClosed).toBe(false)
    world.advance(1_500)
    expect(client.isClosed).toBe(true)
  })
})
