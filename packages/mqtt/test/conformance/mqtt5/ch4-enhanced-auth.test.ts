/** MQTT 5.0 chapter 4.12: logging in in several steps, and again on a living connection. */
import { Authenticator, makeUser, MemoryUserStore, ScramClient } from '@ternmq/auth'
import { describe, expect, it } from 'vitest'
import {
  auth,
  type Client,
  connect,
  disconnect,
  type Draft,
  pingreq,
  prop,
  publish,
  subscribe,
  World,
} from '../../harness.ts'
import { type StepsLogin, stepsLogin } from './steps-login.ts'

const method = prop('authenticationMethod', 'steps')

function answer(word: string): Uint8Array {
  return prop('authenticationData', word)
}

function watcherIn(world: World): Client {
  const watcher = world.connect('watcher')
  watcher.send(subscribe(1, '#'))
  watcher.next('SUBACK')
  return watcher
}

/** A world with a client that the broker has asked its first question. */
function askedClient(): { world: World; client: Client } {
  const world = new World({ login: stepsLogin() })
  const client = world.open()
  client.send(connect({ clientId: 'c1', properties: [method] }))
  client.next('AUTH')
  return { world, client }
}

/** A client that has logged in with the method 'steps'. */
function loggedIn(login: StepsLogin = stepsLogin()): { world: World; login: StepsLogin; client: Client } {
  const world = new World({ login })
  const client = world.connect('c1', {
    properties: [method, answer('right')],
    will: { topic: 'will', payload: 'gone' },
  })
  return { world, login, client }
}

describe('logging in', () => {
  it('[MQTT5-4.12.0-2] a broker that needs more asks with AUTH 0x18, as often as it must', () => {
    const { client } = askedClient()
    for (const word of ['one', 'two', 'three']) {
      client.send(auth(0x18, [method, answer(word)]))
      const { reasonCode, properties } = client.next('AUTH')
      expect(reasonCode).toBe(0x18)
      expect(Buffer.from(properties.authenticationData!).toString()).toBe('question')
    }
    client.send(auth(0x18, [method, answer('right')]))
    expect(Buffer.from(client.accepted().properties.authenticationData!).toString()).toBe('welcome')
  })

  it('[MQTT5-4.12.0-2] one that needs no more answers CONNECT with CONNACK', () => {
    const client = new World({ login: stepsLogin() }).open()
    client.send(connect({ clientId: 'c1', properties: [method, answer('right')] }))
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK'])
  })

  it('[MQTT5-4.12.0-1] an unknown method ends the connection, after CONNACK 0x8C', () => {
    const world = new World({ login: stepsLogin() })
    const client = world.open()
    client.send(connect({ clientId: 'c1', properties: [prop('authenticationMethod', 'unheard of')] }), pingreq())
    expect(client.refusal()).toBe(0x8c)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it.each(['plain', 'PLAIN'])('[MQTT5-4.12.0-1] %s is a method, too, and not the name for having none', (name) => {
    const login = stepsLogin()
    const client = new World({ login }).open()
    const properties = [prop('authenticationMethod', name), prop('authenticationData', '\0user\0password')]
    client.send(connect({ clientId: 'c1', properties }))
    expect(client.refusal()).toBe(0x8c)
    expect(login.requests).toEqual([])
  })

  it.each([0x19, 0x00])('[MQTT5-4.12.0-3] an answer with code %i ends the connection', (code) => {
    const { world, client } = askedClient()
    client.send(auth(code, [method, answer('right')]))
    expect(client.refusal()).toBe(0x82)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it('[MQTT5-4.12.0-3] with code 0x18 it is taken', () => {
    const { client } = askedClient()
    client.send(auth(0x18, [method, answer('right')]))
    expect(client.next('CONNACK').reasonCode).toBe(0)
  })

  it.each([
    ['at the first step', ['wrong']],
    ['in the middle', ['one', 'wrong']],
  ])('[MQTT5-4.12.0-4] a refusal %s ends the connection, after CONNACK 0x86', (_when, words) => {
    const { world, client } = askedClient()
    const watcher = watcherIn(world)
    client.send(...words.map((word) => auth(0x18, [method, answer(word)])), publish('t', 'after'))
    expect(client.received().at(-1)).toMatchObject({ type: 'CONNACK', reasonCode: 0x86, sessionPresent: false })
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })

  it.each(['steps', 'STEPS', 'sTePs'])(
    '[MQTT5-4.12.0-5] AUTH and CONNACK repeat the method %s as it was sent',
    (name) => {
      const client = new World({ login: stepsLogin() }).open()
      const sent = prop('authenticationMethod', name)
      client.send(connect({ clientId: 'c1', properties: [sent] }), auth(0x18, [sent, answer('one')]))
      client.send(auth(0x18, [sent, answer('right')]), auth(0x19, [sent]), auth(0x18, [sent, answer('right')]))
      const packets = client.received()
      expect(packets.map(({ type }) => type)).toEqual(['AUTH', 'AUTH', 'CONNACK', 'AUTH', 'AUTH'])
      for (const packet of packets) expect(packet).toMatchObject({ properties: { authenticationMethod: name } })
    },
  )

  it('[MQTT5-4.12.0-6] a client that named no method gets no AUTH, and no method in CONNACK', () => {
    const client = new World({ login: stepsLogin() }).open()
    client.send(connect({ clientId: 'c1', username: 'u', password: 'p' }), pingreq())
    const packets = client.received()
    expect(packets.map(({ type }) => type)).toEqual(['CONNACK', 'PINGRESP'])
    expect(packets[0]).not.toHaveProperty('properties.authenticationMethod')
    expect(packets[0]).not.toHaveProperty('properties.authenticationData')
  })

  it.each([0x18, 0x19])('[MQTT5-4.12.0-7] its own AUTH with code %i is an error', (code) => {
    const client = new World({ login: stepsLogin() }).connect('c1')
    client.send(auth(code, [method, answer('right')]))
    expect(client.goodbye()).toBe(0x82)
  })

  const forbidden: [name: string, draft: Draft][] = [
    ['PUBLISH', publish('t', 'early')],
    ['SUBSCRIBE', subscribe(1, '#')],
    ['PINGREQ', pingreq()],
    ['a second CONNECT', connect({ clientId: 'c1' })],
  ]
  it.each(forbidden)('[MQTT5-3.1.2-30] %s before CONNACK ends the connection', (_name, draft) => {
    const { world, client } = askedClient()
    const watcher = watcherIn(world)
    client.send(draft, auth(0x18, [method, answer('right')]))
    expect(client.refusal()).toBe(0x82)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })

  it('[MQTT5-3.1.2-30] DISCONNECT before CONNACK is a goodbye', () => {
    const { world, client } = askedClient()
    client.send(disconnect(), auth(0x18, [method, answer('right')]))
    expect([client.received(), client.isClosed]).toEqual([[], true])
    expect(world.vhost.sessions.count).toBe(0)
    expect(world.events.at(-1)).toMatchObject({
      clause: '',
      text: expect.stringContaining('client disconnected') as string,
    })
  })

  it('[MQTT5-3.1.4-a] a client that does not answer is closed after a while', () => {
    const { world, client } = askedClient()
    world.advance(9_000)
    expect(client.isClosed).toBe(false)
    world.advance(2_500)
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })
})

describe('re-authentication', () => {
  it('[MQTT5-4.12.1-1, MQTT5-4.12.1-b] is AUTH 0x19 from the client, answered by AUTH 0x00', () => {
    const { client, login } = loggedIn()
    client.send(auth(0x19, [method, answer('right')]))
    const { reasonCode, properties } = client.next('AUTH')
    expect(reasonCode).toBe(0)
    expect(Buffer.from(properties.authenticationData!).toString()).toBe('welcome')
    expect(login.requests).toHaveLength(2)
    expect(login.requests[1]).toMatchObject({ mechanism: 'steps', clientId: 'c1' })
  })

  it('[MQTT5-4.12.1-b] after as many steps as it takes', () => {
    const { client } = loggedIn()
    client.send(auth(0x19, [method]), auth(0x18, [method, answer('one')]), auth(0x18, [method, answer('right')]))
    expect(client.received()).toMatchObject([
      { type: 'AUTH', reasonCode: 0x18 },
      { type: 'AUTH', reasonCode: 0x18 },
      { type: 'AUTH', reasonCode: 0x00 },
    ])
  })

  it('[MQTT5-4.12.1-1] can be done again', () => {
    const { client } = loggedIn()
    for (let round = 0; round < 3; round++) {
      client.send(auth(0x19, [method, answer('right')]))
      expect(client.next('AUTH').reasonCode).toBe(0)
    }
  })

  it('[MQTT5-4.12.1-1] with another method is an error', () => {
    const { client } = loggedIn()
    client.send(auth(0x19, [prop('authenticationMethod', 'plain'), answer('right')]))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-4.12.1-1] an answer to no question is an error', () => {
    const { client } = loggedIn()
    client.send(auth(0x18, [method, answer('right')]))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-4.12.1-1] nor is one answered that was answered before', () => {
    const { client } = loggedIn()
    client.send(auth(0x19, [method]), auth(0x18, [method, answer('right')]), auth(0x18, [method, answer('right')]))
    expect(client.received()).toMatchObject([
      { type: 'AUTH', reasonCode: 0x18 },
      { type: 'AUTH', reasonCode: 0x00 },
      { type: 'DISCONNECT', reasonCode: 0x82 },
    ])
  })

  it('[MQTT5-4.12.1-1] nor is the question of the login answered after CONNACK', () => {
    const { client } = askedClient()
    client.send(auth(0x18, [method, answer('right')]), auth(0x18, [method, answer('right')]))
    client.accepted()
    expect(client.goodbye()).toBe(0x82)
  })

  it.each([
    ['at once', [auth(0x19, [method, answer('wrong')])]],
    ['in the middle', [auth(0x19, [method]), auth(0x18, [method, answer('wrong')])]],
  ])('[MQTT5-4.12.1-2] one that fails %s ends the connection with DISCONNECT 0x87', (_when, drafts) => {
    const { world, client } = loggedIn()
    const watcher = watcherIn(world)
    client.send(...drafts, publish('t', 'after'))
    expect(client.received().at(-1)).toMatchObject({ type: 'DISCONNECT', reasonCode: 0x87 })
    expect(client.isClosed).toBe(true)
    expect(watcher.publishes().map(({ payload }) => payload)).toEqual(['gone'])
  })

  it('[MQTT5-4.12.1-2] one that proves to be another user fails', () => {
    const { client, login } = loggedIn()
    login.user = 'somebody else'
    client.send(auth(0x19, [method, answer('right')]))
    expect(client.goodbye()).toBe(0x87)
  })

  it('[MQTT5-4.12.1-2] one that fails later ends the connection, too', async () => {
    const world = new World({ login: stepsLogin({ later: true }) })
    const client = await world.join('c1', { properties: [method, answer('right')] })
    await client.finish(auth(0x19, [method, answer('wrong')]))
    expect(client.goodbye()).toBe(0x87)
  })

  it('[MQTT5-4.12.1-a] other packets flow meanwhile, in both directions', () => {
    const { world, client } = loggedIn()
    const watcher = watcherIn(world)
    client.send(auth(0x19, [method]))
    expect(client.next('AUTH').reasonCode).toBe(0x18)
    client.send(subscribe(1, 'to/me'), publish('from/me', 'x', { qos: 1, id: 1 }), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['SUBACK', 'PUBACK', 'PINGRESP'])
    world.connect('p').send(publish('to/me', 'y'))
    expect(client.next('PUBLISH').payload).toBe('y')
    expect(watcher.publishes().map(({ payload }) => payload)).toEqual(['x', 'y'])
    client.send(auth(0x18, [method, answer('right')]))
    expect(client.next('AUTH').reasonCode).toBe(0)
  })

  it('[MQTT5-4.12.1-a] under the identity of before', () => {
    const { world, client, login } = loggedIn()
    login.user = 'somebody else'
    client.send(auth(0x19, [method]), publish('from/me', 'x'))
    expect(world.vhost.sessions.find('c1')!.principal.name).toBe('somebody')
    expect(client.isClosed).toBe(false)
  })

  it('[MQTT5-4.12.1-a] while the broker thinks, messages to the client go on, and its own are taken afterwards', async () => {
    const world = new World({ login: stepsLogin({ later: true }) })
    const client = await world.join('c1', { properties: [method, answer('right')] })
    client.send(subscribe(1, 'to/me'))
    client.next('SUBACK')
    client.send(auth(0x19, [method, answer('right')]), pingreq())
    world.connect('p').send(publish('to/me', 'y'))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBLISH'])
    await world.settle()
    expect(client.received().map(({ type }) => type)).toEqual(['AUTH', 'PINGRESP'])
  })
})

describe('SCRAM-SHA-256', () => {
  const NAME = 'SCRAM-SHA-256'
  const scramMethod = prop('authenticationMethod', NAME)

  /** A broker that knows alice and bob, and nobody without a password. */
  async function scramWorld(): Promise<World> {
    const users = new MemoryUserStore()
    const world = new World({
      login: {
        begin: (request) => authenticator.begin(request),
      },
    })
    const authenticator = new Authenticator({ users, clock: world.clock, listeners: {} })
    for (const name of ['alice', 'bob']) {
      const password = new TextEncoder().encode(`${name}'s password`)
      await users.put(await makeUser({ name, password, scram: true, scramIterations: 4_096, nowMs: 1 }))
    }
    return world
  }

  /** The two messages of a client, as AUTH packets with that code; gives what the broker said last. */
  async function exchange(
    world: World,
    client: Client,
    scram: ScramClient,
    begin: (data: Uint8Array) => Draft,
  ): Promise<void> {
    client.send(begin(prop('authenticationData', scram.first())))
    await world.settle()
    const { reasonCode, properties } = client.next('AUTH')
    expect([reasonCode, properties.authenticationMethod]).toEqual([0x18, NAME])
    const final = await scram.final(properties.authenticationData!)
    client.send(auth(0x18, [scramMethod, prop('authenticationData', final)]))
    await world.settle()
  }

  const asConnect = (data: Uint8Array): Draft => connect({ clientId: 'c1', properties: [scramMethod, data] })
  const asAgain = (data: Uint8Array): Draft => auth(0x19, [scramMethod, data])

  async function loggedInAs(world: World, username: string): Promise<Client> {
    const client = world.open()
    const scram = new ScramClient({ username, password: `${username}'s password` })
    await exchange(world, client, scram, asConnect)
    const { properties } = client.accepted()
    expect(properties.authenticationMethod).toBe(NAME)
    expect(() => scram.verify(properties.authenticationData!)).not.toThrow()
    return client
  }

  it('[MQTT5-4.12.0-2, MQTT5-4.12.0-5] lets in who knows the password, and proves that the broker knows it', async () => {
    const world = await scramWorld()
    await loggedInAs(world, 'alice')
    expect(world.vhost.sessions.find('c1')!.principal).toEqual({ name: 'alice', anonymous: false })
  })

  it.each([
    ['a wrong password', 'alice', 'guess'],
    ['an unknown user', 'mallory', "mallory's password"],
  ])('[MQTT5-4.12.0-4] refuses %s with CONNACK 0x86', async (_what, username, password) => {
    const world = await scramWorld()
    const client = world.open()
    await exchange(world, client, new ScramClient({ username, password }), asConnect)
    expect(client.refusal()).toBe(0x86)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it('[MQTT5-4.12.0-1] a method that the broker does not have is refused with CONNACK 0x8C', async () => {
    const world = await scramWorld()
    const client = world.open()
    client.send(connect({ clientId: 'c1', properties: [prop('authenticationMethod', 'SCRAM-SHA-1')] }))
    await world.settle()
    expect(client.refusal()).toBe(0x8c)
  })

  it('[MQTT5-4.12.1-1, MQTT5-4.12.1-b] the same user can log in again', async () => {
    const world = await scramWorld()
    const client = await loggedInAs(world, 'alice')
    const scram = new ScramClient({ username: 'alice', password: "alice's password" })
    await exchange(world, client, scram, asAgain)
    const { reasonCode, properties } = client.next('AUTH')
    expect(reasonCode).toBe(0)
    expect(() => scram.verify(properties.authenticationData!)).not.toThrow()
  })

  it.each([
    ['with a wrong password', 'alice', 'guess'],
    ['as somebody else', 'bob', "bob's password"],
  ])('[MQTT5-4.12.1-2] logging in again %s ends the connection', async (_what, username, password) => {
    const world = await scramWorld()
    const client = await loggedInAs(world, 'alice')
    await exchange(world, client, new ScramClient({ username, password }), asAgain)
    expect(client.goodbye()).toBe(0x87)
  })
})
