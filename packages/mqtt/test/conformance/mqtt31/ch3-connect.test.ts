import type { Login, LoginRefusal, LoginRequest } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  connect,
  disconnect,
  frame,
  hex,
  pingreq,
  publish,
  pubrel,
  subscribe,
  utf8,
  type World,
} from '../../harness.ts'
import { connect31, kept31, lines, watch, world31 } from '../worlds.ts'

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
      ...['bad-credentials', 'bad-mechanism', 'not-authorized'].map((what) => connect({ clientId: `no-${what}` })),
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
    expect(codes).toEqual([[4], [4], [5], [2], [2], [3], [1], [5], [5], [], [], []])
  })
})

it('[MQTT31-3.14-b] after DISCONNECT the server closes by itself', () => {
  const world = world31()
  const client = world.connect('c1')
  client.send(disconnect(), pingreq(), pubrel(1))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})
