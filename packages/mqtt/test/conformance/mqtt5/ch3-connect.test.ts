/** MQTT 5.0 chapter 3.1: the form of CONNECT, its payload, and what the broker does when it is wrong. */
import type { Login, LoginRequest } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  auth,
  type Client,
  connect,
  data,
  disconnect,
  frame,
  hex,
  type Part,
  pingreq,
  prop,
  puback,
  publish,
  subscribe,
  u16,
  unsubscribe,
  utf8,
  World,
} from '../../harness.ts'

/** A subscriber to everything: what it has not received, the broker has not processed. */
function watcherIn(world: World): Client {
  const watcher = world.connect('watcher')
  watcher.send(subscribe(1, '#'))
  watcher.next('SUBACK')
  return watcher
}

/** Lets everybody in and keeps what the broker asked it. */
function listeningLogin(): { readonly login: Login; readonly requests: LoginRequest[] } {
  const requests: LoginRequest[] = []
  const login: Login = {
    begin: (request) => {
      requests.push(request)
      return { kind: 'accepted', principal: { name: request.username ?? 'nobody', anonymous: false }, data: undefined }
    },
  }
  return { login, requests }
}

/** From the connect flags on; name and version are right. */
function connectFrom(...parts: readonly Part[]): Uint8Array {
  return frame(0x10, utf8('MQTT'), 5, ...parts)
}

describe('[MQTT5-3.1.0-1] the first packet is CONNECT', () => {
  it.each([
    ['PUBLISH', publish('t', 'early')],
    ['SUBSCRIBE', subscribe(1, '#')],
    ['UNSUBSCRIBE', unsubscribe(1, '#')],
    ['PUBACK', puback(1)],
    ['PINGREQ', pingreq()],
    ['DISCONNECT', disconnect()],
    ['AUTH', auth(0x18, [prop('authenticationMethod', 'm')])],
    ['a CONNACK', () => hex('20 03 00 00 00')],
    ['a packet of type 0', () => hex('00 00')],
  ])('after %s instead, the connection ends without a word and nothing was done', (_name, draft) => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.open()
    client.send(draft, connect({ clientId: 'late' }), publish('t', 'late'))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.sessions.find('late')).toBeUndefined()
  })

  it('and a client that begins with it is served', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1' }), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'PINGRESP'])
  })
})

describe('[MQTT5-3.1.0-2] a second CONNECT is a protocol error', () => {
  it('and ends the connection as a lost one', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1', { will: { topic: 'will', payload: 'gone' } })
    client.send(connect({ clientId: 'c1' }), publish('t', 'after'))
    expect(client.goodbye()).toBe(0x82)
    expect(watcher.publishes().map(({ payload }) => payload)).toEqual(['gone'])
  })

  it('even with another client identifier, which gets no session', () => {
    const world = new World()
    const client = world.connect('c1')
    client.send(connect({ clientId: 'c2' }))
    expect(client.goodbye()).toBe(0x82)
    expect(world.vhost.sessions.find('c2')).toBeUndefined()
  })
})

describe('[MQTT5-3.1.2-1] a protocol name other than "MQTT" is refused', () => {
  it.each(['MQTX', 'mqtt', 'MQT', 'MQTTT', '', 'MQIsdp'])('%j', (protocolName) => {
    const world = new World()
    // The refusal is in the words of 3.1.1, which every client understands.
    const client = world.open({ version: 4 })
    client.send(connect({ clientId: 'c1', protocolName })(5), publish('t')(5))
    expect(client.refusal()).toBe(1)
    expect(world.vhost.sessions.count).toBe(0)
  })
})

describe('[MQTT5-3.1.2-2] a protocol version that is not spoken here is refused', () => {
  it.each([0, 1, 2, 6, 7, 0x85, 0xff])('%i', (level) => {
    const world = new World()
    const client = world.open({ version: 4 })
    client.send(connect({ clientId: 'c1', level })(5), publish('t')(5))
    expect(client.refusal()).toBe(1)
    expect(world.vhost.sessions.count).toBe(0)
  })
})

describe('connect flags', () => {
  const valid = connect({ clientId: 'c1', flags: 0b0000_0010 })
  it('[MQTT5-3.1.2-3] the reserved flag must be 0', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', flags: 0b0000_0011 }))
    expect(client.refusal()).toBe(0x81)
  })

  it.each([1, 2, 3])('[MQTT5-3.1.2-11] without a will, will QoS %i is malformed', (qos) => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', flags: 0b0000_0010 | (qos << 3) }))
    expect(client.refusal()).toBe(0x81)
  })

  it('[MQTT5-3.1.2-12] will QoS 3 is malformed', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', flags: 0b0001_1110, will: { topic: 'w' } }))
    expect(client.refusal()).toBe(0x81)
  })

  it.each([0, 1, 2] as const)('[MQTT5-3.1.2-12] will QoS %i is taken and used', (qos) => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', { will: { topic: 'w', qos } }).vanish()
    expect(watcher.next('PUBLISH').qos).toBe(qos)
  })

  it('[MQTT5-3.1.2-13] without a will, will retain is malformed', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', flags: 0b0010_0010 }))
    expect(client.refusal()).toBe(0x81)
  })

  it('[MQTT5-3.1.2-11, MQTT5-3.1.2-13] without a will, both 0 are taken', () => {
    const client = new World().open()
    client.send(valid)
    expect(client.next('CONNACK').reasonCode).toBe(0)
  })
})

describe('user name and password', () => {
  const end = [u16(0), 0, utf8('c1')]
  it.each([
    ['[MQTT5-3.1.2-16] a user name without its flag', connectFrom(0x02, ...end, utf8('u'))],
    ['[MQTT5-3.1.2-17] the user name flag without a user name', connectFrom(0x82, ...end)],
    ['[MQTT5-3.1.2-18] a password without its flag', connectFrom(0x82, ...end, utf8('u'), data('p'))],
    ['[MQTT5-3.1.2-19] the password flag without a password', connectFrom(0x42, ...end)],
    ['[MQTT5-3.1.2-19] both flags and only one of them', connectFrom(0xc2, ...end, utf8('u'))],
    ['[MQTT5-3.1.2-17] a user name that is cut off', connectFrom(0x82, ...end, hex('00 05 75'))],
    ['[MQTT5-3.1.2-19] a password that is cut off', connectFrom(0xc2, ...end, utf8('u'), hex('00 05 70'))],
  ])('%s is malformed', (_what, packet) => {
    const { login, requests } = listeningLogin()
    const client = new World({ login }).open()
    client.send(packet)
    expect(client.refusal()).toBe(0x81)
    expect(requests).toEqual([])
  })

  it.each([
    ['[MQTT5-3.1.2-16, MQTT5-3.1.2-18] neither', {}, undefined, undefined],
    ['[MQTT5-3.1.2-17] a user name alone', { username: 'u' }, 'u', undefined],
    ['[MQTT5-3.1.2-19] a password alone, which MQTT 5 allows', { password: 'p' }, undefined, 'p'],
    ['[MQTT5-3.1.2-17, MQTT5-3.1.2-19] both', { username: 'u', password: 'p' }, 'u', 'p'],
    ['[MQTT5-3.1.2-17, MQTT5-3.1.2-19] empty ones', { username: '', password: '' }, '', ''],
  ])('%s: the login is asked with just that', (_what, options, username, password) => {
    const { login, requests } = listeningLogin()
    new World({ login }).connect('c1', options)
    expect(requests).toHaveLength(1)
    const given = requests[0]!.password
    expect(requests[0]!.username).toBe(username)
    expect(given && Buffer.from(given).toString()).toBe(password)
  })

  it('[MQTT5-3.1.2-19] a password is any bytes', () => {
    const { login, requests } = listeningLogin()
    new World({ login }).connect('c1', { username: 'u', password: hex('00 ff fe ed a0 80') })
    expect(Buffer.from(requests[0]!.password!).toString('hex')).toBe('00fffeeda080')
  })

  it('[MQTT5-3.1.3-12] the user name is a UTF-8 string', () => {
    const { login, requests } = listeningLogin()
    const world = new World({ login })
    world.connect('c1', { username: 'ü€\u{1f600}' })
    expect(requests[0]!.username).toBe('ü€\u{1f600}')
    const client = world.open()
    client.send(connect({ clientId: 'c2', username: hex('c3 28') }))
    expect(client.refusal()).toBe(0x81)
    expect(requests).toHaveLength(1)
  })
})

describe('payload', () => {
  it('[MQTT5-3.1.3-1, MQTT5-3.1.3-3] the fields are read in their order: client identifier, will, user name, password', () => {
    const { login, requests } = listeningLogin()
    const world = new World({ login })
    const watcher = watcherIn(world)
    const client = world.open()
    client.send(
      hex(`10 23  00 04 4d 51 54 54  05 c6 00 00  00
           00 02 63 31
           03 03 00 00  00 02 77 74  00 02 77 70
           00 02 75 6e  00 02 70 77`),
    )
    expect(client.next('CONNACK').reasonCode).toBe(0)
    expect(requests.at(-1)).toMatchObject({ clientId: 'c1', username: 'un' })
    expect(Buffer.from(requests.at(-1)!.password!).toString()).toBe('pw')
    client.vanish()
    expect(watcher.next('PUBLISH')).toMatchObject({ topic: 'wt', payload: 'wp', properties: { contentType: '' } })
  })

  it.each([
    ['no payload at all', connectFrom(0x02, u16(0), 0)],
    ['a client identifier that is cut off', connectFrom(0x02, u16(0), 0, hex('00 05 61'))],
    ['half a length', connectFrom(0x02, u16(0), 0, 0)],
  ])('[MQTT5-3.1.3-3] %s is malformed', (_what, packet) => {
    const client = new World().open()
    client.send(packet)
    expect(client.refusal()).toBe(0x81)
  })

  it('[MQTT5-3.1.3-1] bytes behind the last field are malformed', () => {
    const client = new World().open()
    client.send(connectFrom(0x02, u16(0), 0, utf8('c1'), 0))
    expect(client.refusal()).toBe(0x81)
  })
})

describe('client identifier', () => {
  it('[MQTT5-3.1.3-2] each has its own session', () => {
    const world = new World()
    const first = world.connect('c1')
    const second = world.connect('c2')
    first.send(subscribe(1, 'a'))
    second.send(subscribe(1, 'b'))
    first.received()
    second.received()
    world.connect('p').send(publish('a', 'for c1'), publish('b', 'for c2'))
    expect(first.publishes().map(({ payload }) => payload)).toEqual(['for c1'])
    expect(second.publishes().map(({ payload }) => payload)).toEqual(['for c2'])
  })

  it('[MQTT5-3.1.3-2] letters of another case are another identifier', () => {
    const world = new World()
    const lower = world.connect('client')
    world.connect('CLIENT')
    expect(lower.isClosed).toBe(false)
  })

  it('[MQTT5-3.1.3-4] it is a UTF-8 string', () => {
    const world = new World()
    const client = world.open()
    client.send(connect({ clientId: hex('63 ff 31') }))
    expect(client.refusal()).toBe(0x81)
    expect(world.connect('é€\u{1f600}').connack.properties.assignedClientIdentifier).toBeUndefined()
  })

  it('[MQTT5-3.1.3-5] 1 to 23 letters and digits are always taken', () => {
    const world = new World()
    const all = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    for (const char of all) world.connect(char)
    for (let length = 2; length <= 23; length++) world.connect(all.slice(-length))
    expect(world.vhost.sessions.connectedCount).toBe(all.length + 22)
  })

  it('[MQTT5-3.1.3-6] an empty one is replaced by one that nobody else has', () => {
    const world = new World()
    const ids = Array.from({ length: 20 }, () => world.connect('').connack.properties.assignedClientIdentifier)
    expect(new Set(ids).size).toBe(20)
    expect(ids).not.toContain(undefined)
    expect(world.vhost.sessions.connectedCount).toBe(20)
  })

  it('[MQTT5-3.1.3-7] the given one names the session as if the client had sent it', () => {
    const world = new World()
    const first = world.connect('', { properties: [prop('sessionExpiryInterval', 60)] })
    const clientId = first.connack.properties.assignedClientIdentifier!
    first.send(subscribe(1, 'a'), disconnect())
    world.connect('p').send(publish('a', 'waiting', { qos: 1, id: 1 }))
    const again = world.connect(clientId, { clean: false })
    expect(again.connack).toMatchObject({ sessionPresent: true, properties: {} })
    expect(again.connack.properties.assignedClientIdentifier).toBeUndefined()
    expect(again.next('PUBLISH').payload).toBe('waiting')
  })

  it('[MQTT5-3.1.3-8] a refused one ends the connection, after CONNACK 0x85', () => {
    const world = new World({ settings: { maxClientIdBytes: 30 } })
    const client = world.open()
    client.send(connect({ clientId: 'x'.repeat(31) }), publish('t'))
    expect(client.refusal()).toBe(0x85)
    world.connect('x'.repeat(30))
  })

  it('[MQTT5-3.1.3-8] that of another user is refused', () => {
    const world = new World()
    const first = world.connect('c1', { username: 'alice' })
    const second = world.open()
    second.send(connect({ clientId: 'c1', username: 'bob' }))
    expect(second.refusal()).toBe(0x85)
    expect(first.isClosed).toBe(false)
  })
})

describe('[MQTT5-3.1.4-1] a CONNECT that is not formed as the specification says ends the connection', () => {
  const whole = connect({ clientId: 'c1', will: { topic: 'w', payload: 'p' }, username: 'u', password: 'p' })(5).slice(
    2,
  )

  it('wherever its bytes end', () => {
    // Up to the version nobody can know what the client would understand.
    for (let length = 0; length < whole.length; length++) {
      const world = new World()
      const client = world.open()
      client.send(frame(0x10, whole.slice(0, length)))
      expect([length, client.isClosed, world.vhost.sessions.count]).toEqual([length, true, 0])
      const codes = client.received().map((packet) => (packet.type === 'CONNACK' ? packet.reasonCode : packet.type))
      expect([length, codes]).toEqual([length, length < 7 ? [] : [0x81]])
    }
  })

  it('and a whole one does not', () => {
    const client = new World().open()
    client.send(frame(0x10, whole))
    expect(client.next('CONNACK').reasonCode).toBe(0)
  })
})

describe('actions', () => {
  const refusals = [
    ['bad-credentials', 0x86],
    ['bad-mechanism', 0x8c],
    ['not-authorized', 0x87],
  ] as const
  it.each(refusals)('[MQTT5-3.1.4-2] a login refused as %s ends the connection with CONNACK 0x%i', (refusal, code) => {
    const world = new World({ login: { begin: () => ({ kind: 'refused', refusal, text: 'no' }) } })
    const client = world.open()
    client.send(connect({ clientId: 'c1' }))
    expect(client.refusal()).toBe(code)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it('[MQTT5-3.1.4-2] a login for which there is no time now ends without CONNACK, so that the client tries again', () => {
    const world = new World({ login: { begin: () => ({ kind: 'refused', refusal: 'busy', text: 'later' }) } })
    const client = world.open()
    client.send(connect({ clientId: 'c1' }))
    expect([client.received(), client.isClosed, world.vhost.sessions.count]).toEqual([[], true, 0])
  })

  it('[MQTT5-3.1.4-2] a login that is refused later ends it, too', async () => {
    const world = new World({
      login: { begin: async () => ({ kind: 'refused', refusal: 'bad-credentials', text: 'no' }) },
    })
    const client = world.open()
    client.send(connect({ clientId: 'c1' }), publish('t'))
    expect(client.received()).toEqual([])
    await world.settle()
    expect(client.refusal()).toBe(0x86)
  })

  it('[MQTT5-3.1.4-2] more sessions than the limit are refused with 0x97', () => {
    const world = new World({ limits: { sessionsMax: 1 } })
    world.connect('c1')
    const client = world.open()
    client.send(connect({ clientId: 'c2' }))
    expect(client.refusal()).toBe(0x97)
  })

  it('[MQTT5-3.1.4-2] a will that its user may not publish is refused', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', will: { topic: '$SYS/x' } }))
    expect(client.refusal()).toBe(0x87)
  })

  it('[MQTT5-3.1.4-3] a client identifier in use: the older connection gets DISCONNECT 0x8E and ends', () => {
    const world = new World()
    const older = world.connect('c1')
    const newer = world.connect('c1')
    expect(older.goodbye()).toBe(0x8e)
    newer.send(pingreq())
    expect(newer.received().map(({ type }) => type)).toEqual(['PINGRESP'])
  })

  it('[MQTT5-3.1.4-3] and not before the newer one is let in', () => {
    const world = new World({
      login: {
        begin: ({ password }) =>
          password === undefined
            ? { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }
            : { kind: 'refused', refusal: 'bad-credentials', text: 'wrong' },
      },
    })
    const older = world.connect('c1')
    const intruder = world.open()
    intruder.send(connect({ clientId: 'c1', password: 'guess' }))
    expect(intruder.refusal()).toBe(0x86)
    expect(older.isClosed).toBe(false)
  })

  it('[MQTT5-3.1.4-4] clean start is carried out before the client hears that it is connected', () => {
    const world = new World()
    const before = world.connect('c1', { properties: [prop('sessionExpiryInterval', 60)] })
    before.send(subscribe(1, 'a'), disconnect())
    const again = world.connect('c1', { clean: true })
    expect(again.connack.sessionPresent).toBe(false)
    world.connect('p').send(publish('a', 'x'))
    expect(again.received()).toEqual([])
  })

  it('[MQTT5-3.1.4-5] an accepted CONNECT is answered with CONNACK 0x00', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1' }))
    expect(client.received()).toMatchObject([{ type: 'CONNACK', reasonCode: 0 }])
  })

  it('[MQTT5-3.1.4-6] what a refused client sent after its CONNECT is not processed', () => {
    const world = new World({ settings: { maxClientIdBytes: 23 } })
    const watcher = watcherIn(world)
    const client = world.open()
    client.send(connect({ clientId: 'x'.repeat(24) }), publish('t', 'same chunk', { retain: true }), subscribe(1, '#'))
    client.send(publish('t', 'later'))
    expect(client.refusal()).toBe(0x85)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT5-3.1.4-6] nor what it sent while its login was under way', async () => {
    const world = new World({
      login: {
        begin: ({ clientId }) =>
          clientId === 'c1'
            ? Promise.resolve({ kind: 'refused', refusal: 'not-authorized', text: 'no' })
            : { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined },
      },
    })
    const watcher = watcherIn(world)
    const client = world.open()
    client.send(connect({ clientId: 'c1' }), publish('t', 'early'))
    await world.settle()
    expect(client.refusal()).toBe(0x87)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT5-3.1.4-5] what an accepted client sent while its login was under way is processed afterwards', async () => {
    const world = new World({
      login: { begin: async () => ({ kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }) },
    })
    const client = world.open()
    client.send(connect({ clientId: 'c1' }), subscribe(1, 't'), publish('t', 'early'))
    await world.settle()
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'SUBACK', 'PUBLISH'])
  })

  it.each([
    ['nothing', () => new Uint8Array(0)],
    ['half a CONNECT', () => connect({ clientId: 'c1' })(5).slice(0, 9)],
  ])('[MQTT5-3.1.4-a] a connection that has sent %s is closed after a while', (_what, draft) => {
    const world = new World({ settings: { handshakeTimeoutMs: 10_000 } })
    const client = world.open()
    client.send(draft)
    world.advance(9_900)
    expect(client.isClosed).toBe(false)
    world.advance(1_200)
    expect(client.isClosed).toBe(true)
    expect(client.received()).toEqual([])
  })
})
