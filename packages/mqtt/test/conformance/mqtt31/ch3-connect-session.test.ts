import { describe, expect, it } from 'vitest'
import {
  type Client,
  disconnect,
  frame,
  hex,
  pingreq,
  puback,
  publish,
  pubrec,
  type QoS,
  subscribe,
  utf8,
  type World,
} from '../../harness.ts'
import { connect31, kept31, lines, watch, world31 } from '../worlds.ts'

describe('clean session 0', () => {
  it('[MQTT31-2.2-b] keeps subscriptions, their messages and unfinished deliveries', async () => {
    const world = await kept31()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    first.next('SUBACK')
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    const [one, two] = first.publishes()
    await first.finish(pubrec(two!.id))
    first.vanish()
    await publisher.finish(publish('a', 'three', { qos: 1, id: 3 }), publish('a', 'four', { qos: 2, id: 4 }))
    world.advance(6 * 86_400_000)
    const again = await world.join('c1', { clean: false })
    await publisher.finish(publish('a', 'five', { qos: 1, id: 5 }))
    expect(again.received()).toMatchObject([
      { type: 'PUBLISH', payload: 'one', id: one!.id },
      { type: 'PUBREL', id: two!.id },
      { type: 'PUBLISH', payload: 'three' },
      { type: 'PUBLISH', payload: 'four' },
      { type: 'PUBLISH', payload: 'five' },
    ])
  })

  it('[MQTT31-2.2-b] keeps them until the client is back, where the operator sets no end', async () => {
    const world = await kept31({ settings: { sessionExpiryMaxSeconds: Infinity } })
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    first.send(disconnect())
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    world.advance(3 * 365 * 86_400_000)
    const again = await world.join('c1', { clean: false })
    expect(lines(again.publishes())).toEqual(['a x q1'])
  })

  it('[MQTT31-2.2-d] keeps no QoS 0 message, nor one that was to be delivered so', async () => {
    const world = await kept31()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, { filter: 'a', qos: 2 }, { filter: 'b', qos: 0 }))
    first.hangUp()
    await world
      .connect('publisher')
      .finish(publish('a', 'x'), publish('b', 'y', { qos: 1, id: 1 }), publish('b', 'z', { qos: 2, id: 2 }))
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toEqual([])
  })
})

describe('clean session 1', () => {
  it('[MQTT31-2.2-c] drops what was kept on connecting', async () => {
    const world = await kept31()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    first.vanish()
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'waits', { qos: 1, id: 1 }))
    const clean = await world.join('c1', { clean: true })
    await publisher.finish(publish('a', 'comes', { qos: 1, id: 2 }))
    expect(clean.received()).toEqual([])
  })

  it.each(['vanish', 'hangUp'] as const)('[MQTT31-2.2-c] drops everything on disconnecting (%s)', async (end) => {
    const world = await kept31()
    const clean = await world.join('c1', { clean: true })
    await clean.finish(subscribe(1, 'a'), publish('b', 'half', { qos: 2, id: 5 }))
    clean[end]()
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const watcher = watch(world, 'b')
    const again = await world.join('c1', { clean: false })
    await again.finish(publish('b', 'another', { qos: 2, id: 5 }))
    expect(again.received()).toMatchObject([{ type: 'PUBREC' }])
    expect(lines(watcher.publishes())).toEqual(['b another q2'])
  })

  it('[MQTT31-3.14-a] drops everything with DISCONNECT', async () => {
    const world = await kept31()
    const clean = await world.join('c1', { clean: true })
    await clean.finish(subscribe(1, 'a'))
    clean.send(disconnect())
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
    expect(world.vhost.router.bindingCount).toBe(0)
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toEqual([])
  })
})

describe('the will', () => {
  const will = { topic: 'will', payload: 'gone' }
  const ends: { how: string; end: (client: Client, world: World) => void }[] = [
    { how: 'an I/O error', end: (client) => client.vanish() },
    { how: 'a connection that is just closed', end: (client) => client.hangUp() },
    { how: 'a missed keep alive', end: (_client, world) => world.advance(16_000) },
    { how: 'an invalid packet', end: (client) => client.send(frame(0x00)) },
  ]
  it.each(ends)('[MQTT31-2.2-e] is published after $how', ({ end }) => {
    const world = world31()
    const watcher = watch(world)
    end(world.connect('c1', { keepAlive: 10, will }), world)
    expect(lines(watcher.publishes())).toEqual(['will gone q0'])
  })

  it.each([true, false])('[MQTT31-2.2-f] is not published after DISCONNECT (clean session %s)', async (clean) => {
    const world = await kept31()
    const watcher = watch(world)
    const client = await world.join('c1', { clean, will })
    client.send(disconnect())
    world.advance(8 * 86_400_000)
    expect(watcher.received()).toEqual([])
  })

  it.each([0x08, 0x10, 0x18, 0x20, 0x38])(
    '[MQTT31-2.2-g] without its flag: QoS and retain (%i) are disregarded',
    (bits) => {
      const world = world31()
      const watcher = watch(world)
      const client = world.open()
      client.send(connect31(0x02 | bits, utf8('c1')))
      expect(client.accepted().raw).toEqual(hex('20 02 00 00'))
      client.vanish()
      expect(watcher.received()).toEqual([])
    },
  )

  it.each([0, 1, 2] as QoS[])('[MQTT31-2.2-h] has the QoS it was given, %i', (qos) => {
    const world = world31()
    const watcher = watch(world)
    world.connect('c1', { will: { ...will, qos } }).vanish()
    expect(lines(watcher.publishes())).toEqual([`will gone q${qos}`])
  })

  it('[MQTT31-2.2-h] of QoS 3 ends the connection', () => {
    const client = world31().open()
    client.send(connect31(0x1e, utf8('c1'), utf8('w'), utf8('x')))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each([true, false])('[MQTT31-2.2-i] is retained if it says so (%s)', async (retain) => {
    const world = await kept31()
    const client = await world.join('c1', { will: { ...will, qos: 1, retain } })
    client.vanish()
    await world.settle()
    expect(lines(watch(world).publishes())).toEqual(retain ? ['will gone q1'] : [])
  })

  it('[MQTT31-3.1-e, MQTT31-3.1-f] goes to its topic as the bytes of the message, which may be none', async () => {
    const world = await kept31()
    const watcher = watch(world)
    const client = await world.join('c1', { will: { topic: 'a/b', payload: 'bye', qos: 0, retain: true } })
    client.vanish()
    await world.settle()
    expect(watcher.received().map(({ raw }) => raw)).toEqual([hex('30 08 0003 612f62 627965')])
    world.connect('c2', { will: { topic: 'a/c', payload: '' } }).vanish()
    expect(watcher.received().map(({ raw }) => raw)).toEqual([hex('30 05 0003 612f63')])
    expect(lines(watch(world, '#', 'late').publishes())).toEqual(['a/b bye q0'])
  })
})

describe('keep alive', () => {
  it('[MQTT31-2.2-k] silence for one and a half periods ends the connection and leaves the subscriptions', async () => {
    const world = await kept31()
    const client = await world.join('c1', { clean: false, keepAlive: 10 })
    await client.finish(subscribe(1, 'a'))
    world.advance(14_900)
    expect(client.isClosed).toBe(false)
    world.advance(1_100)
    expect(client.isClosed).toBe(true)
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const again = await world.join('c1', { clean: false })
    expect(lines(again.publishes())).toEqual(['a x q1'])
  })

  it.each([
    ['PINGREQ', pingreq()],
    ['PUBLISH', publish('a', 'x')],
    ['PUBACK', puback(1)],
  ])('[MQTT31-2.2-k] any packet, %s, begins a new period', (_name, packet) => {
    const world = world31()
    const client = world.connect('c1', { keepAlive: 10 })
    for (let times = 0; times < 5; times++) {
      world.advance(14_000)
      client.send(packet)
    }
    expect(client.isClosed).toBe(false)
  })

  it('[MQTT31-2.2-l] 0 does not end the connection', () => {
    const world = world31()
    const client = world.connect('c1', { keepAlive: 0 })
    world.advance(365 * 86_400_000)
    client.send(pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
  })
})
