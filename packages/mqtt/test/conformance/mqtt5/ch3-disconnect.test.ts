/** MQTT 5.0 chapter 3.14: DISCONNECT from both sides. */
import { describe, expect, it } from 'vitest'
import {
  auth,
  type Client,
  connect,
  disconnect,
  type Draft,
  frame,
  hex,
  pingreq,
  prop,
  publish,
  subscribe,
  utf8,
  World,
} from '../../harness.ts'

function expiry(seconds: number): Uint8Array {
  return prop('sessionExpiryInterval', seconds)
}

function watcherIn(world: World): Client {
  const watcher = world.connect('watcher')
  watcher.send(subscribe(1, '#'))
  watcher.next('SUBACK')
  return watcher
}

/** Ways to make the broker end a connection, with the code it has for each. */
const reasons: [why: string, code: number, cause: (client: Client, world: World) => void][] = [
  ['a malformed packet', 0x81, (client) => client.send(hex('30 00'))],
  ['a protocol error', 0x82, (client) => client.send(connect())],
  ['the broker stops', 0x8b, (_client, world) => world.adapter.drain()],
  ['silence', 0x8d, (_client, world) => world.advance(16_500)],
  ['another connection with the same client identifier', 0x8e, (_client, world) => void world.connect('c1')],
  ['a topic name with wildcards', 0x90, (client) => client.send(publish('a/#'))],
  [
    'a topic alias out of range',
    0x94,
    (client) => client.send(publish('a', '', { properties: [prop('topicAlias', 999)] })),
  ],
  ['a packet too large', 0x95, (client) => client.send(hex('30 ff ff ff 7f'))],
  ['an operator', 0x98, (_client, world) => void world.vhost.sessions.delete('c1')],
  [
    'a payload that is not what it says',
    0x99,
    (client) => client.send(publish('a', hex('ff'), { properties: [prop('payloadFormatIndicator', 1)] })),
  ],
]

describe('[MQTT5-3.14.0-1] the broker sends no DISCONNECT before it has accepted the client', () => {
  it.each([
    ['nothing came', (world: World) => world.advance(60_000)],
    ['a packet that is no CONNECT came', (_world: World, client: Client) => client.send(pingreq())],
    ['bytes came that are no packet', (_world: World, client: Client) => client.send(hex('00 00 00'))],
    ['the broker stops', (world: World) => world.adapter.drain()],
  ])('when %s', (_what, cause) => {
    const world = new World()
    const client = world.open()
    cause(world, client)
    world.run()
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each([
    ['it is refused', { refusal: true }],
    ['the broker stops', { drain: true }],
    ['it takes too long', { wait: true }],
    ['it sends what it may not send yet, and too much of it', { flood: true }],
  ])(
    'while its login is under way: %s',
    async (_what, { refusal, drain, wait, flood }: Record<string, boolean | undefined>) => {
      let answer: () => void = () => {}
      const world = new World({
        login: {
          begin: () =>
            new Promise((resolve) => {
              answer = () => resolve({ kind: 'refused', refusal: 'not-authorized', text: 'no' })
            }),
        },
      })
      const client = world.open()
      client.send(connect({ clientId: 'c1' }))
      if (drain === true) world.adapter.drain()
      if (wait === true) world.advance(60_000)
      if (flood === true) for (let mebibyte = 0; mebibyte < 6; mebibyte++) client.send(new Uint8Array(1_048_576))
      if (refusal === true) answer()
      world.run()
      if (refusal === true) await world.settle()
      expect(client.received().filter(({ type }) => type === 'DISCONNECT')).toEqual([])
      answer()
      await world.settle()
      expect(client.isClosed).toBe(true)
      expect(client.received().filter(({ type }) => type === 'DISCONNECT')).toEqual([])
    },
  )
})

describe('[MQTT5-3.14.1-1] reserved bits of DISCONNECT are checked', () => {
  it.each([1, 2, 4, 8, 15])('flags %i are answered with DISCONNECT 0x81', (flags) => {
    const client = new World().connect('c1')
    client.send(frame(0xe0 | flags))
    expect(client.goodbye()).toBe(0x81)
  })

  it('and such a packet takes no will back', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', { will: { topic: 'will', payload: 'gone' } }).send(frame(0xe1))
    expect(watcher.next('PUBLISH').payload).toBe('gone')
  })
})

describe('[MQTT5-3.14.2-1] DISCONNECT carries a code of its table', () => {
  it.each([0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99])(
    'code %i from a client is taken',
    (reason) => {
      const client = new World().connect('c1')
      client.send(disconnect({ reason }))
      expect([client.received(), client.isClosed]).toEqual([[], true])
    },
  )

  it('every other code is an error, and no goodbye', () => {
    const taken = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
    // The tables of the specification do not agree on whether a client may say these.
    const disputed = [0x8c]
    const others = Array.from({ length: 256 }, (_, code) => code).filter(
      (code) => ![...taken, ...disputed].includes(code),
    )
    for (const reason of others) {
      const world = new World()
      const watcher = watcherIn(world)
      const client = world.connect('c1', { will: { topic: 'will', payload: 'gone' } })
      client.send(disconnect({ reason }))
      expect([reason, client.goodbye()]).toEqual([reason, 0x82])
      expect(watcher.publishes()).toMatchObject([{ payload: 'gone' }])
    }
  })

  it.each(reasons)('the broker’s for %s is 0x%i', (_why, code, cause) => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10 })
    cause(client, world)
    world.run()
    expect(client.goodbye()).toBe(code)
  })
})

describe('[MQTT5-3.14.2-2] the broker’s DISCONNECT has no session expiry', () => {
  it.each(reasons)('because of %s', (_why, _code, cause) => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: 10 } })
    const client = world.connect('c1', { keepAlive: 10, properties: [expiry(1_000)] })
    cause(client, world)
    world.run()
    expect(Object.keys(client.next('DISCONNECT').properties)).toEqual(['reasonString'])
  })
})

describe('[MQTT5-3.14.2-3, MQTT5-3.14.2-4] what would make DISCONNECT too long for the client is left out', () => {
  it.each(reasons)('because of %s', (_why, code, cause) => {
    const endedWith = (maximum: number): Client => {
      const world = new World()
      const client = world.connect('c1', { keepAlive: 10, properties: [prop('maximumPacketSize', maximum)] })
      cause(client, world)
      world.run()
      return client
    }
    const whole = endedWith(1_000).next('DISCONNECT')
    expect(whole.properties.reasonString?.length).toBeGreaterThan(5)
    expect(whole.properties).not.toHaveProperty('userProperties')
    expect(endedWith(whole.raw.length).next('DISCONNECT')).toEqual(whole)
    const short = endedWith(whole.raw.length - 1)
    expect(short.next('DISCONNECT')).toMatchObject({ reasonCode: code, properties: {} })
    expect(short.isClosed).toBe(true)
  })
})

describe('[MQTT5-3.14.4-1, MQTT5-3.14.4-2] nothing follows DISCONNECT but the end of the connection', () => {
  it.each(reasons)('because of %s', (_why, code, cause) => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10, properties: [expiry(100)] })
    const publisher = world.connect('p')
    client.send(subscribe(1, 'x'))
    client.next('SUBACK')
    publisher.push(publish('x', 'before', { qos: 1, id: 1 }))
    cause(client, world)
    publisher.push(publish('x', 'after', { qos: 1, id: 2 }), publish('x', 'after'))
    world.run()
    world.advance(1_000)
    const types = client.received().filter(({ type }) => type !== 'PUBLISH')
    expect(types).toMatchObject([{ type: 'DISCONNECT', reasonCode: code }])
    expect(client.isClosed).toBe(true)
  })

  it('what the client sends behind its mistake is neither done nor answered', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1')
    client.send(publish('t', '1', { qos: 1, id: 1 }), hex('ff 00'), publish('t', '2', { qos: 1, id: 2 }), pingreq())
    expect(client.next('PUBACK').id).toBe(1)
    expect(client.goodbye()).toBe(0x81)
    expect(watcher.publishes().map(({ payload }) => payload)).toEqual(['1'])
  })

  it('what the client sends behind its own DISCONNECT is neither done nor answered', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1')
    client.send(disconnect(), publish('t', 'late', { qos: 1, id: 1 }), pingreq())
    expect(client.received()).toEqual([])
    expect(watcher.received()).toEqual([])
  })
})

describe('[MQTT5-3.14.4-3] DISCONNECT 0x00 takes the will back', () => {
  it.each([
    ['the short form', disconnect()],
    ['the form with a code', disconnect({ reason: 0 })],
    ['the form with properties', disconnect({ reason: 0, properties: [prop('reasonString', 'bye')] })],
    ['the form with a session expiry', disconnect({ reason: 0, properties: [expiry(5)] })],
    ['the form that ends the session', disconnect({ reason: 0, properties: [expiry(0)] })],
  ])('in %s', (_form, draft) => {
    const world = new World()
    const watcher = watcherIn(world)
    const will = { topic: 'will', payload: 'gone', retain: true, properties: [prop('willDelayInterval', 1)] }
    const client = world.connect('c1', { will, properties: [expiry(60)] })
    client.send(draft)
    world.advance(120_000)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('[MQTT5-3.14.2.1-a] DISCONNECT with another code publishes the will', () => {
  it.each([0x04, 0x80, 0x81, 0x98])('%i', (reason) => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1', { will: { topic: 'will', payload: 'gone' } })
    client.send(disconnect({ reason }))
    expect(watcher.publishes()).toMatchObject([{ topic: 'will', payload: 'gone' }])
    expect(client.received()).toEqual([])
  })
})

describe('session expiry in DISCONNECT', () => {
  it('[MQTT5-3.14.2.2.2-a] is given once', () => {
    const client = new World().connect('c1', { properties: [expiry(10)] })
    client.send(disconnect({ properties: [expiry(1), expiry(1)] }))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-3.14.2.2.2-b] is not raised from 0: that is answered with DISCONNECT 0x82 and is no goodbye', () => {
    for (const properties of [[], [expiry(0)]]) {
      const world = new World()
      const watcher = watcherIn(world)
      const client = world.connect('c1', { properties, will: { topic: 'will', payload: 'gone' } })
      client.send(disconnect({ properties: [expiry(1)] }))
      expect(client.goodbye()).toBe(0x82)
      expect(watcher.publishes()).toMatchObject([{ payload: 'gone' }])
      expect(world.vhost.sessions.find('c1')).toBeUndefined()
    }
  })

  it('[MQTT5-3.14.2.2.2-b] may be 0 again', () => {
    const client = new World().connect('c1')
    client.send(disconnect({ properties: [expiry(0)] }))
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })

  it.each([
    ['shorter', 100, 10, 10],
    ['longer', 10, 100, 100],
    ['longer than the broker keeps sessions', 10, 10_000, 1_000],
  ])('[MQTT5-3.14.2.2.2-c] replaces that of CONNECT: %s', (_what, first, second, lasts) => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: 1_000 } })
    world.connect('c1', { properties: [expiry(first)] }).send(disconnect({ properties: [expiry(second)] }))
    world.advance((lasts - 1) * 1_000)
    expect(world.vhost.sessions.find('c1')).toBeDefined()
    world.advance(2_000)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })

  it('[MQTT5-3.14.2.2.2-c] 0 ends the session at once', () => {
    const world = new World()
    world.connect('c1', { properties: [expiry(100)] }).send(disconnect({ properties: [expiry(0)] }))
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })

  it('[MQTT5-3.14.2.2.2-c] 0xFFFFFFFF keeps it for ever', () => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: Infinity } })
    world.connect('c1', { properties: [expiry(100)] }).send(disconnect({ properties: [expiry(0xffff_ffff)] }))
    world.advance(0xffff_ffff * 1_000 + 1_000)
    expect(world.vhost.sessions.find('c1')).toBeDefined()
  })
})

it('[MQTT5-3.14.2.2.3-a] a second reason string is an error', () => {
  const client = new World().connect('c1')
  client.send(disconnect({ properties: [prop('reasonString', 'a'), prop('reasonString', 'a')] }))
  expect(client.goodbye()).toBe(0x82)
})

describe('[MQTT5-3.14.4-a] the broker closes after the client’s DISCONNECT', () => {
  const forms: [form: string, draft: Draft][] = [
    ['the short form', disconnect()],
    ['a code', disconnect({ reason: 0x04 })],
    [
      'everything',
      disconnect({ reason: 0, properties: [prop('reasonString', 'bye'), prop('userProperty', ['k', 'v'])] }),
    ],
    ['an empty property block', () => frame(0xe0, 0, 0)],
  ]
  it.each(forms)('with %s', (_form, draft) => {
    const client = new World().connect('c1')
    client.send(draft)
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })
})

it('[MQTT5-3.14.2-1] an AUTH that nobody asked for ends the connection with a code of the DISCONNECT table', () => {
  const client = new World().connect('c1')
  client.send(auth(0x19, [prop('authenticationMethod', 'm')]))
  expect(client.goodbye()).toBe(0x82)
})

it('[MQTT5-3.14.2-3] the reason string of a DISCONNECT is a string for people, of less than a screen', () => {
  const client = new World().connect('c1')
  client.send(publish(`${'x'.repeat(60_000)}/#`))
  const { raw, properties } = client.next('DISCONNECT')
  expect(properties.reasonString).toContain('wildcard')
  expect(raw.length).toBeLessThan(1_000)
  expect(utf8(properties.reasonString!).length).toBeLessThan(1_000)
})
