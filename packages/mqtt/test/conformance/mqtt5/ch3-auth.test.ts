/** MQTT 5.0 chapter 3.15: the form of AUTH. What it is for is in ch4-enhanced-auth.test.ts. */
import { describe, expect, it } from 'vitest'
import { auth, type Client, connect, frame, hex, prop, u16, utf8, World } from '../../harness.ts'
import { stepsLogin } from './steps-login.ts'

const method = prop('authenticationMethod', 'steps')

function answer(word: string): Uint8Array {
  return prop('authenticationData', word)
}

/** A client that has logged in with the method 'steps'. */
function loggedIn(...properties: Uint8Array[]): Client {
  const client = new World({ login: stepsLogin() }).connect('c1', {
    properties: [method, answer('right'), ...properties],
  })
  return client
}

/** A client in the middle of its login: the question came. */
function askedClient(...properties: Uint8Array[]): { world: World; client: Client } {
  const world = new World({ login: stepsLogin() })
  const client = world.open()
  client.send(connect({ clientId: 'c1', properties: [method, ...properties] }))
  return { world, client }
}

describe('[MQTT5-3.15.1-1] the flags of AUTH are 0', () => {
  it.each([1, 2, 4, 8, 15])('flags %i are malformed and end the connection', (flags) => {
    const client = loggedIn()
    client.send(frame(0xf0 | flags, auth(0x19, [method, answer('right')])(5).slice(2)))
    expect(client.goodbye()).toBe(0x81)
  })

  it.each([1, 2, 4, 8, 15])('flags %i do so before CONNACK, too', (flags) => {
    const { world, client } = askedClient()
    client.next('AUTH')
    client.send(frame(0xf0 | flags, auth(0x18, [method, answer('right')])(5).slice(2)))
    expect(client.received().filter(({ type }) => type !== 'CONNACK')).toEqual([])
    expect([client.isClosed, world.vhost.sessions.count]).toEqual([true, 0])
  })

  it('the broker sends them so', () => {
    const { client } = askedClient()
    expect(client.next('AUTH').raw[0]).toBe(0xf0)
  })
})

describe('[MQTT5-3.15.2-1] AUTH carries a code of its table', () => {
  it('the broker asks with 0x18 and ends a re-authentication with 0x00', () => {
    const { client } = askedClient()
    expect(client.next('AUTH').reasonCode).toBe(0x18)
    client.send(auth(0x18, [method, answer('right')]))
    client.accepted()
    client.send(auth(0x19, [method, answer('right')]))
    expect(client.next('AUTH').reasonCode).toBe(0x00)
  })

  it('every code but 0x18 and 0x19 from a client is an error', () => {
    for (let code = 0; code < 256; code++) {
      if (code === 0x18 || code === 0x19) continue
      const client = loggedIn()
      client.send(auth(code, [method, answer('right')]))
      expect([code, client.goodbye()]).toEqual([code, 0x82])
    }
  })

  it('the short form stands for 0x00, which is the broker’s', () => {
    const client = loggedIn()
    client.send(frame(0xf0))
    expect([0x81, 0x82]).toContain(client.goodbye())
  })
})

describe('[MQTT5-3.15.2-2, MQTT5-3.15.2-3] nothing makes AUTH too long for the client', () => {
  // fixed header 2, code 1, property length 1, method 3 + 5, data 3 + 8
  const whole = frame(0xf0, 0x18, 19, hex('15'), utf8('steps'), hex('16'), utf8('question'))

  it('neither reason string nor user properties are in it', () => {
    expect(askedClient().client.next('AUTH').raw).toEqual(whole)
    expect(askedClient(prop('maximumPacketSize', whole.length)).client.next('AUTH').raw).toEqual(whole)
  })

  it('and where it is too long even so, the connection ends', () => {
    const { world, client } = askedClient(prop('maximumPacketSize', whole.length - 1))
    expect(client.received().filter(({ type }) => type === 'AUTH')).toEqual([])
    expect([client.isClosed, world.vhost.sessions.count]).toEqual([true, 0])
  })

  it('nor does one in a re-authentication', () => {
    const client = loggedIn(prop('maximumPacketSize', 200))
    client.send(auth(0x19, [method]))
    expect(client.next('AUTH').raw).toEqual(whole)
    client.send(auth(0x18, [method, answer('right')]))
    expect(client.next('AUTH').properties).toEqual({
      authenticationMethod: 'steps',
      authenticationData: new TextEncoder().encode('welcome'),
    })
  })
})

describe('[MQTT5-3.15-a] the method is the one of CONNECT', () => {
  it.each(['other', 'STEPS', 'step', ''])('%j is another one and an error', (name) => {
    const client = loggedIn()
    client.send(auth(0x19, [prop('authenticationMethod', name), answer('right')]))
    expect(client.goodbye()).toBe(0x82)
  })

  it('before CONNACK, too', () => {
    const { world, client } = askedClient()
    client.next('AUTH')
    client.send(auth(0x18, [prop('authenticationMethod', 'other'), answer('right')]))
    expect(client.received().filter(({ type }) => type !== 'CONNACK')).toEqual([])
    expect([client.isClosed, world.vhost.sessions.count]).toEqual([true, 0])
  })
})

describe('properties', () => {
  it.each([
    ['[MQTT5-3.15.2.2.2-a] no method', [answer('right')]],
    ['[MQTT5-3.15.2.2.2-a] no properties', []],
    ['[MQTT5-3.15.2.2.2-a] the method twice', [method, method]],
    ['[MQTT5-3.15.2.2.3-a] data twice', [method, answer('right'), answer('right')]],
    ['[MQTT5-3.15.2.2.4-a] a reason string twice', [method, prop('reasonString', 'a'), prop('reasonString', 'a')]],
  ])('%s is an error', (_what, properties) => {
    const client = loggedIn()
    client.send(auth(0x19, properties))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-3.15.2.2.3-a, MQTT5-3.15.2.2.4-a] each of them once is taken, and any number of user properties', () => {
    const client = loggedIn()
    const pair = prop('userProperty', ['k', 'v'])
    client.send(auth(0x19, [pair, prop('reasonString', 'again'), answer('right'), pair, method]))
    expect(client.next('AUTH').reasonCode).toBe(0)
  })

  it('[MQTT5-3.15.2.2.2-a] the broker’s has the method once', () => {
    // The parser of the harness takes none twice.
    expect(askedClient().client.next('AUTH').properties.authenticationMethod).toBe('steps')
  })

  it('[MQTT5-3.15.1-1] an AUTH that is cut off is malformed', () => {
    const client = loggedIn()
    client.send(frame(0xf0, 0x19, 40, hex('15'), u16(5)))
    expect(client.goodbye()).toBe(0x81)
  })
})
