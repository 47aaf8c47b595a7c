import type { LoginRequest } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { connect, frame, hex, type Packet, publish, subscribe, utf8, type World } from '../../harness.ts'
import { connect311, kept311, watch, world311 } from '../worlds.ts'

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'

/** A world that keeps what it was asked to log in. */
function askedWorld(): { world: World; asked: LoginRequest[] } {
  const asked: LoginRequest[] = []
  const world = world311({
    login: {
      begin: (request) => {
        asked.push(request)
        return { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }
      },
    },
  })
  return { world, asked }
}

/** What a CONNECT leads to: `UNHEARD` is the end without CONNACK and without a login. */
function fateOf(packet: Uint8Array): { received: Packet[]; isClosed: boolean; logins: number } {
  const { world, asked } = askedWorld()
  const client = world.open()
  client.send(packet)
  return { received: client.received(), isClosed: client.isClosed, logins: asked.length }
}

const UNHEARD = { received: [], isClosed: true, logins: 0 }

describe('user name and password', () => {
  it('[MQTT311-3.1.2-18] User Name Flag 0 with a user name in the payload ends the connection', () => {
    expect(fateOf(connect311(0x02, utf8('c1'), utf8('user')))).toEqual(UNHEARD)
  })

  it('[MQTT311-3.1.2-18] User Name Flag 0: nobody is logged in by name', () => {
    const { world, asked } = askedWorld()
    world.connect('c1')
    expect(asked).toMatchObject([{ username: undefined, password: undefined }])
  })

  it.each([
    ['a user name', []],
    ['the end of the user name', [0, 5, 0x75]],
  ])('[MQTT311-3.1.2-19] User Name Flag 1 without %s ends the connection', (_what, rest) => {
    expect(fateOf(connect311(0x82, utf8('c1'), rest))).toEqual(UNHEARD)
  })

  it('[MQTT311-3.1.2-19, MQTT311-3.1.2-21] what stands there is what is judged', () => {
    const { world, asked } = askedWorld()
    const password = Uint8Array.of(0, 0xff, 0x80, 0x20)
    world.connect('c1', { username: 'jürgen', password })
    world.connect('c2', { username: '' })
    expect(asked[0]).toMatchObject({ username: 'jürgen' })
    expect(Uint8Array.from(asked[0]!.password!)).toEqual(password)
    expect(asked[1]).toMatchObject({ username: '', password: undefined })
  })

  it('[MQTT311-3.1.2-20] Password Flag 0 with a password in the payload ends the connection', () => {
    expect(fateOf(connect311(0x82, utf8('c1'), utf8('user'), utf8('secret')))).toEqual(UNHEARD)
  })

  it.each([
    ['a password', []],
    ['the end of the password', [0, 5, 0x75]],
  ])('[MQTT311-3.1.2-21] Password Flag 1 without %s ends the connection', (_what, rest) => {
    expect(fateOf(connect311(0xc2, utf8('c1'), utf8('user'), rest))).toEqual(UNHEARD)
  })

  it('[MQTT311-3.1.2-22] Password Flag 1 with User Name Flag 0 ends the connection', () => {
    expect(fateOf(connect311(0x42, utf8('c1'), utf8('secret')))).toEqual(UNHEARD)
  })

  it.each([Uint8Array.of(0xff), Uint8Array.of(0x75, 0xc3), Uint8Array.of(0x75, 0)])(
    '[MQTT311-3.1.3-11] a user name of the bytes %j ends the connection',
    (username) => {
      expect(fateOf(connect({ clientId: 'c1', username })(4))).toEqual(UNHEARD)
    },
  )

  it('[MQTT311-3.1.3-11] a user name is heard as the UTF-8 it is', () => {
    const { world, asked } = askedWorld()
    world.connect('c1', { username: 'ユーザー \u{1f600}' })
    expect(asked[0]!.username).toBe('ユーザー \u{1f600}')
  })
})

describe('the fields', () => {
  it('[MQTT311-3.1.3-1] are read in the order client identifier, will topic, will message, user name, password', () => {
    const { world, asked } = askedWorld()
    const watcher = watch(world)
    const client = world.open()
    // flags 1110 0110: user name, password, will retain, will QoS 0, will, clean session
    client.send(
      hex('10 27 0004 4d515454 04 e6 0000 0003 6f6e65 0003 74776f 0005 7468726565 0004 666f7572 0004 66697665'),
    )
    client.accepted()
    expect(asked.at(-1)).toMatchObject({ clientId: 'one', username: 'four' })
    expect(Buffer.from(asked.at(-1)!.password!).toString()).toBe('five')
    client.vanish()
    expect(watcher.publishes()).toMatchObject([{ topic: 'two', payload: 'three', qos: 0 }])
  })

  it.each([
    ['one more string', connect({ clientId: 'c1' }), utf8('more')],
    ['one more byte', connect({ clientId: 'c1', username: 'u', password: 'p' }), [0]],
  ])('[MQTT311-3.1.3-1, MQTT311-3.1.4-1] followed by %s end the connection', (_what, packet, more) => {
    const sound = packet(4)
    expect(fateOf(frame(0x10, sound.subarray(2), more))).toEqual(UNHEARD)
  })
})

describe('the client identifier', () => {
  it('[MQTT311-3.1.3-2] is what a session is found by, to the letter', async () => {
    const world = await kept311()
    const names = ['dev', 'Dev', 'dev ', 'dev/1', 'dév', 'de\u0301v']
    for (const name of names) {
      const client = await world.join(name, { clean: false })
      expect(client.connack.sessionPresent).toBe(false)
      await client.finish(subscribe(1, `to/${names.indexOf(name)}`))
      client.hangUp()
    }
    const publisher = world.connect('publisher')
    await publisher.finish(...names.map((_, index) => publish(`to/${index}`, 'x', { qos: 1, id: index + 1 })))
    for (const [index, name] of names.entries()) {
      const client = await world.join(name, { clean: false })
      expect(client.connack.sessionPresent).toBe(true)
      expect(client.publishes().map(({ topic }) => topic)).toEqual([`to/${index}`])
    }
  })

  it.each([
    ['nothing', []],
    ['half of its length', [0]],
    ['half of it', [0, 4, 0x64]],
  ])('[MQTT311-3.1.3-3] with %s there, CONNECT ends the connection', (_what, payload) => {
    expect(fateOf(connect311(0x02, payload))).toEqual(UNHEARD)
  })

  it('[MQTT311-3.1.3-3] is the first field', () => {
    const { world, asked } = askedWorld()
    world.connect('first', { username: 'fourth', will: { topic: 'second', payload: 'third' } })
    expect(asked).toMatchObject([{ clientId: 'first' }])
  })

  it.each([Uint8Array.of(0xff), Uint8Array.of(0x63, 0xed, 0xbf, 0xbf), Uint8Array.of(0x63, 0)])(
    '[MQTT311-3.1.3-4] of the bytes %j ends the connection',
    (clientId) => {
      expect(fateOf(connect({ clientId })(4))).toEqual(UNHEARD)
    },
  )

  it('[MQTT311-3.1.3-4] may be any other UTF-8', () => {
    const { world, asked } = askedWorld()
    world.connect('клиент \u{1f4df} #+/')
    expect(asked).toMatchObject([{ clientId: 'клиент \u{1f4df} #+/' }])
  })

  it('[MQTT311-3.1.3-5] of 1 to 23 letters and digits is taken', () => {
    const world = world311({ settings: { maxClientIdBytes: 23 } })
    const alphabet = `0123456789${LOWER}${UPPER}`
    for (let length = 1; length <= 23; length++) world.connect(alphabet.slice(0, length))
    for (const letter of alphabet) world.connect(letter.repeat(23))
    expect(world.vhost.sessions.connectedCount).toBe(23 + 62)
  })

  it('[MQTT311-3.1.3-6] that is empty is replaced by one that nobody has', () => {
    const world = world311()
    const clients = [world.connect(''), world.connect(''), world.connect('')]
    clients.forEach((client, index) => client.send(subscribe(1, `to/${index}`)))
    clients.forEach((client) => client.next('SUBACK'))
    world.connect('publisher').send(...clients.map((_, index) => publish(`to/${index}`, 'x')))
    clients.forEach((client, index) => {
      expect(client.isClosed).toBe(false)
      expect(client.publishes()).toMatchObject([{ topic: `to/${index}` }])
    })
  })

  it('[MQTT311-3.1.3-6] that was assigned names the client from then on', () => {
    const { world, asked } = askedWorld()
    const client = world.connect('', { will: { topic: 'will' } })
    const { clientId } = asked[0]!
    expect(clientId).not.toBe('')
    expect(world.vhost.sessions.find(clientId)?.isConnected).toBe(true)
    // Whoever comes with that identifier is the same client.
    const watcher = watch(world)
    world.connect(clientId)
    expect(client.isClosed).toBe(true)
    expect(watcher.publishes()).toMatchObject([{ topic: 'will' }])
  })

  it('[MQTT311-3.1.3-7, MQTT311-3.1.3-8] that is empty, with CleanSession 0, is answered with 0x02 and the end', () => {
    const world = world311()
    const client = world.open()
    client.send(connect({ clientId: '', clean: false }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it('[MQTT311-3.1.3-7, MQTT311-3.1.3-8] that is empty, with CleanSession 0 and all other fields, is answered so, too', () => {
    const client = world311().open()
    client.send(connect({ clientId: '', clean: false, username: 'u', password: 'p', will: { topic: 'w', qos: 1 } }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.3-9] that is too long for this server is answered with 0x02 and the end', () => {
    const world = world311({ settings: { maxClientIdBytes: 30 } })
    world.connect('x'.repeat(30))
    const client = world.open()
    client.send(connect({ clientId: 'x'.repeat(31) }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(client.isClosed).toBe(true)
  })

  it("[MQTT311-3.1.3-9] that is another user's is answered with 0x02 and the end, and the other one stays", async () => {
    const world = await kept311()
    const owner = await world.join('c1', { username: 'anna', clean: false })
    const thief = world.open()
    await thief.finish(connect({ clientId: 'c1', username: 'bob', clean: false }))
    expect(thief.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
    expect(thief.isClosed).toBe(true)
    expect(owner.isClosed).toBe(false)
  })
})
