import type { Login, LoginRefusal, LoginRequest } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  disconnect,
  frame,
  hex,
  type Part,
  pingreq,
  puback,
  publish,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  u16,
  utf8,
  type World,
} from '../../harness.ts'
import { kept31, lines, watch, world31 } from '../worlds.ts'

/** CONNECT with the flags as they are and any payload. */
function connect31(flags: number, ...payload: readonly Part[]): Uint8Array {
  return frame(0x10, utf8('MQIsdp'), 3, flags, u16(0), ...payload)
}

/** Refuses a client id that is the name of a refusal. */
const refusing: Login = {
  begin: ({ clientId }) =>
    clientId.startsWith('no-')
      ? { kind: 'refused', refusal: clientId.slice('no-'.length) as LoginRefusal, text: 'refused by the test' }
      : { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined },
}

/** A world that keeps what it was asked to log in. */
function askedWorld(): { world: World; asked: LoginRequest[] } {
  const asked: LoginRequest[] = []
  const begin: Login['begin'] = (request) => {
    asked.push(request)
    return { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }
  }
  return { world: world31({ login: { begin } }), asked }
}

describe('CONNECT', () => {
  it('[MQTT31-2.2-a, MQTT31-3.1-i] with "MQIsdp" and version 3 is accepted, and answered with CONNACK', () => {
    const client = world31().open()
    client.send(hex('10 10 0006 4d5149736470 03 02 000a 0002 6331'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 00')])
    expect(client.isClosed).toBe(false)
  })

  it.each([
    ['PUBLISH', publish('a', 'x')],
    ['SUBSCRIBE', subscribe(1, '#')],
    ['PINGREQ', pingreq()],
    ['DISCONNECT', disconnect()],
  ])('[MQTT31-3.1-a] must come first: %s ends the connection and has no effect', (_name, packet) => {
    const world = world31()
    const watcher = watch(world)
    const client = world.open()
    client.send(packet, connect({ clientId: 'late' }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT31-3.1-b] has client id, will topic, will message, user name and password in this order', () => {
    const { world, asked } = askedWorld()
    const watcher = watch(world)
    const client = world.open()
    client.send(connect31(0xc6, utf8('one'), utf8('two'), utf8('three'), utf8('four'), utf8('five')))
    client.accepted()
    expect(asked.at(-1)).toMatchObject({ clientId: 'one', username: 'four' })
    expect(Buffer.from(asked.at(-1)!.password!).toString()).toBe('five')
    client.vanish()
    expect(lines(watcher.publishes())).toEqual(['two three q0'])
  })

  it('[MQTT31-3.1-j] that does not come in reasonable time: the connection is closed', () => {
    const world = world31({ settings: { handshakeTimeoutMs: 10_000 } })
    const client = world.open()
    world.advance(9_000)
    expect(client.isClosed).toBe(false)
    world.advance(1_500)
    expect(client.isClosed).toBe(true)
  })

  it.each([
    ['without a client id', connect31(0x02)],
    ['with half a client id', connect31(0x02, 0, 4, 0x63)],
    ['with a will flag and no will', connect31(0x06, utf8('c1'))],
    ['with half a will', connect31(0x06, utf8('c1'), utf8('w'))],
    ['with half a user name', connect31(0x82, utf8('c1'), 0, 4, 0x75)],
    ['with more than its flags say', connect31(0x02, utf8('c1'), utf8('more'))],
    ['cut in its header', frame(0x10, utf8('MQIsdp'), 3, 0x02, 0)],
  ])('[MQTT31-3.1-k] %s ends the connection', (_fault, packet) => {
    const { world, asked } = askedWorld()
    const client = world.open()
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(asked).toEqual([])
  })

  it.each([
    ['MQIsdp', 2],
    ['MQIsdp', 4],
    ['MQIsdp', 255],
    ['MQTT', 3],
    ['mqisdp', 3],
    ['OTHER', 3],
  ])('[MQTT31-3.1-l] with %j and version %i is answered with return code 1 and the end', (protocolName, level) => {
    const client = world31().open()
    client.send(connect({ clientId: 'c1', protocolName, level }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 01')])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT31-3.1-d] with a client id in use: the older client is gone before the CONNACK comes', async () => {
    const world = await kept31()
    const watcher = watch(world)
    const older = await world.join('c1', { clean: false, will: { topic: 'will', payload: 'older' } })
    const newer = await world.join('c1', { clean: false })
    expect(world.events.filter(({ clientId }) => clientId === 'c1').map(({ kind }) => kind)).toEqual([
      'connected',
      'disconnected',
      'connected',
    ])
    expect(older.isClosed).toBe(true)
    expect(older.received()).toEqual([])
    expect(newer.isClosed).toBe(false)
    expect(lines(watcher.publishes())).toEqual(['will older q0'])
  })
})

describe('the client id', () => {
  it('[MQTT31-3.1-c] of more than 23 characters is answered with return code 2 where mqtt.strictClientIds is set', () => {
    const world = world31({ settings: { strictClientIds: true } })
    world.connect('x'.repeat(23))
    world.connect('ü'.repeat(23))
    const client = world.open()
    client.send(connect({ clientId: 'x'.repeat(24) }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(client.isClosed).toBe(true)
    // The rule is one of 3.1 alone.
    world.connect('y'.repeat(24), { version: 4 })
    world.connect('z'.repeat(24), { version: 5 })
  })

  it('[MQTT31-3.1-c] of more than 23 characters is accepted where it is not', () => {
    const world = world31({ settings: { maxClientIdBytes: 100 } })
    const client = world.connect('x'.repeat(100))
    client.send(pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
    const longer = world.open()
    longer.send(connect({ clientId: 'x'.repeat(101) }))
    expect(longer.next('CONNACK').reasonCode).toBe(2)
    expect(longer.isClosed).toBe(true)
  })

  it.each([true, false])('[MQTT31-3.2-b] that is empty is answered with return code 2 (clean session %s)', (clean) => {
    const world = world31()
    const client = world.open()
    client.send(connect({ clientId: '', clean, username: 'u', password: 'p' }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
  })
})

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

describe('user name and password', () => {
  it('[MQTT31-2.2-j] a password without a user name ends the connection', () => {
    const { world, asked } = askedWorld()
    const client = world.open()
    client.send(connect31(0x42, utf8('c1'), utf8('secret')))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(asked).toEqual([])
  })

  it('[MQTT31-3.1-g] the user name flag without a user name is valid', () => {
    const { world, asked } = askedWorld()
    const client = world.open()
    client.send(connect31(0x82, utf8('c1')))
    client.accepted()
    expect(asked).toMatchObject([{ username: undefined, password: undefined }])
    client.send(pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
  })

  it('[MQTT31-3.1-g, MQTT31-3.1-h] both flags without either are valid, behind a will, too', () => {
    const { world, asked } = askedWorld()
    const client = world.open()
    client.send(connect31(0xc6, utf8('c1'), utf8('will'), utf8('x')))
    client.accepted()
    expect(asked).toMatchObject([{ username: undefined, password: undefined }])
  })

  it('[MQTT31-3.1-h] the password flag without a password is valid', () => {
    const { world, asked } = askedWorld()
    const client = world.open()
    client.send(connect31(0xc2, utf8('c1'), utf8('user')))
    client.accepted()
    expect(asked).toMatchObject([{ username: 'user', password: undefined }])
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

describe('CONNACK', () => {
  it('[MQTT31-3.2-a] has two bytes, the first of them 0, also for a session that is resumed', async () => {
    const world = await kept31()
    for (const clean of [false, false, true]) {
      const client = await world.join('c1', { clean })
      expect(client.connack.raw).toEqual(hex('20 02 00 00'))
      client.hangUp()
    }
  })

  it('[MQTT31-3.2-c] says 4 for a wrong user name or password', () => {
    const client = world31({ login: refusing }).open()
    client.send(connect({ clientId: 'no-bad-credentials', username: 'u', password: 'wrong' }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 04')])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT31-3.2-d] says 5 for a client that is known but not allowed', () => {
    const client = world31({ login: refusing }).open()
    client.send(connect({ clientId: 'no-not-authorized', username: 'u', password: 'right' }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 05')])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT31-2.2-m] says nothing above 5, whatever the reason', () => {
    const world = world31({
      login: refusing,
      limits: { sessionsMax: 1 },
      settings: { maxClientIdBytes: 60, maxQos: 1, retainAvailable: false, maxTopicLevels: 3 },
    })
    world.connect('first')
    const packets = [
      ...['bad-credentials', 'bad-mechanism', 'not-authorized', 'busy'].map((what) =>
        connect({ clientId: `no-${what}` }),
      ),
      connect({ clientId: '' }),
      connect({ clientId: 'x'.repeat(61) }),
      connect({ clientId: 'one too many' }),
      connect({ clientId: 'c', level: 9 }),
      connect({ clientId: 'c', will: { topic: '$SYS/a' } }),
      connect({ clientId: 'c', will: { topic: 'a/b/c/d' } }),
      connect({ clientId: 'c', will: { topic: 'a', qos: 2 } }),
      connect({ clientId: 'c', will: { topic: 'a', retain: true } }),
      connect({ clientId: 'c', will: { topic: 'a/#' } }),
    ]
    const codes = packets.map((packet) => {
      const client = world.open()
      client.send(packet)
      expect(client.isClosed).toBe(true)
      return client.received().map(({ raw }) => raw[3])
    })
    expect(codes).toEqual([[4], [4], [5], [3], [2], [2], [3], [1], [5], [5], [], [], []])
  })
})

it('[MQTT31-3.14-b] after DISCONNECT the server closes by itself', () => {
  const world = world31()
  const client = world.connect('c1')
  client.send(disconnect(), pingreq(), pubrel(1))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})
