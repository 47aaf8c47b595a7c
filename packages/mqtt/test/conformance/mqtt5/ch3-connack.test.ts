/** MQTT 5.0 chapter 3.2: CONNACK, and the limits that the broker announces in it. */
import { describe, expect, it } from 'vitest'
import {
  type Client,
  type ConnectOptions,
  connect,
  disconnect,
  frame,
  hex,
  pingreq,
  prop,
  publish,
  pubrel,
  subscribe,
  utf8,
  World,
} from '../../harness.ts'

function refusing(refusal: 'bad-credentials' | 'not-authorized', text: string): World {
  return new World({ login: { begin: () => ({ kind: 'refused', refusal, text }) } })
}

const kept = prop('sessionExpiryInterval', 60)

describe('[MQTT5-3.2.0-1] CONNACK 0x00 is the first packet', () => {
  it('before answers to what the client sent with its CONNECT', () => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1' }), pingreq(), subscribe(1, 'a'), publish('a', '', { qos: 1, id: 1 }))
    expect(client.received()[0]).toMatchObject({ type: 'CONNACK', reasonCode: 0 })
  })

  it('before messages that waited and exchanges that go on', () => {
    const world = new World()
    const before = world.connect('c1', { properties: [kept] })
    before.send(subscribe(1, 'a'), publish('a', 'sent', { qos: 1, id: 1 }), disconnect())
    world.connect('p').send(publish('a', 'waiting', { qos: 1, id: 1 }))
    const client = world.open()
    client.send(connect({ clientId: 'c1', clean: false }))
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'PUBLISH', 'PUBLISH'])
  })

  it('before messages that are published while the login is under way', async () => {
    const world = new World()
    world.connect('c1', { properties: [kept] }).send(subscribe(1, 'a'), disconnect())
    const client = world.open()
    client.push(connect({ clientId: 'c1', clean: false }))
    world.connect('p').push(publish('a', 'x', { qos: 1, id: 1 }))
    await world.settle()
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'PUBLISH'])
  })
})

it('[MQTT5-3.2.0-2] a connection gets one CONNACK', () => {
  const client = new World().open()
  client.send(connect({ clientId: 'c1' }), connect({ clientId: 'c1' }))
  expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'DISCONNECT'])
})

it('[MQTT5-3.2.2-1] bits 7 to 1 of the acknowledge flags are 0', () => {
  const world = new World()
  expect(world.connect('c1', { properties: [kept] }).connack.raw[2]).toBe(0)
  expect(world.connect('c1', { clean: false }).connack.raw[2]).toBe(1)
  const refused = world.open()
  refused.send(connect({ flags: 0x03 }))
  expect(refused.next('CONNACK').raw[2]).toBe(0)
})

describe('session present', () => {
  it('[MQTT5-3.2.2-2] is 0 with Clean Start 1, session or not', () => {
    const world = new World()
    expect(world.connect('c1', { clean: true, properties: [kept] }).connack.sessionPresent).toBe(false)
    expect(world.connect('c1', { clean: true }).connack).toMatchObject({ sessionPresent: false, reasonCode: 0 })
  })

  it('[MQTT5-3.2.2-3] says with Clean Start 0 whether there was a session', () => {
    const world = new World()
    expect(world.connect('c1', { clean: false, properties: [kept] }).connack).toMatchObject({
      sessionPresent: false,
      reasonCode: 0,
    })
    expect(world.connect('c1', { clean: false, properties: [kept] }).connack).toMatchObject({
      sessionPresent: true,
      reasonCode: 0,
    })
  })

  it('[MQTT5-3.2.2-6] is 0 in a refusal, even if there is one', () => {
    let isOpen = true
    const world = new World({
      login: {
        begin: () =>
          isOpen
            ? { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }
            : { kind: 'refused', refusal: 'bad-credentials', text: 'no' },
      },
    })
    world.connect('c1', { properties: [kept] }).send(disconnect())
    isOpen = false
    const client = world.open()
    client.send(connect({ clientId: 'c1', clean: false }))
    expect(client.next('CONNACK')).toMatchObject({ sessionPresent: false, reasonCode: 0x86 })
    isOpen = true
    expect(world.connect('c1', { clean: false }).connack.sessionPresent).toBe(true)
  })
})

describe('[MQTT5-3.2.2-7, MQTT5-3.2.2-8] a refusal has a code of the table and ends the connection', () => {
  const refused: [why: string, code: number, world: () => World, options: ConnectOptions][] = [
    ['malformed', 0x81, () => new World(), { flags: 0x03 }],
    ['a property twice', 0x82, () => new World(), { properties: [kept, kept] }],
    ['client identifier', 0x85, () => new World({ settings: { maxClientIdBytes: 23 } }), { clientId: 'x'.repeat(24) }],
    ['credentials', 0x86, () => refusing('bad-credentials', 'wrong'), {}],
    ['not authorized', 0x87, () => refusing('not-authorized', 'no'), {}],
    ['too many sessions', 0x97, () => new World({ limits: { sessionsMax: 0 } }), {}],
    ['will topic', 0x90, () => new World(), { will: { topic: 'a/#' } }],
    [
      'will payload',
      0x99,
      () => new World(),
      { will: { topic: 'w', payload: hex('ff'), properties: [prop('payloadFormatIndicator', 1)] } },
    ],
  ]
  it.each(refused)('%s: 0x%i', (_why, code, makeWorld, options) => {
    const client = makeWorld().open()
    client.send(connect({ clientId: 'c1', ...options }))
    expect(client.refusal()).toBe(code)
  })
})

describe('properties', () => {
  it('[MQTT5-3.2.2.3-a] none comes twice, none has a value that its table does not have', () => {
    const world = new World({
      settings: {
        keepAliveMaxSeconds: 10,
        sessionExpiryMaxSeconds: 10,
        maxQos: 1,
        retainAvailable: false,
        wildcardSubscriptionsAvailable: false,
        subscriptionIdentifiersAvailable: false,
        sharedSubscriptionsAvailable: false,
      },
    })
    const asked = [prop('requestResponseInformation', 1), prop('sessionExpiryInterval', 20)]
    // The parser of the harness takes none twice.
    const { properties } = world.connect('', { properties: asked }).connack
    expect(properties).toEqual({
      sessionExpiryInterval: 10,
      receiveMaximum: expect.toSatisfy((value: number) => value > 0) as number,
      maximumQoS: 1,
      retainAvailable: 0,
      maximumPacketSize: expect.toSatisfy((value: number) => value > 0) as number,
      assignedClientIdentifier: expect.stringMatching(/./) as string,
      topicAliasMaximum: expect.any(Number) as number,
      wildcardSubscriptionAvailable: 0,
      subscriptionIdentifierAvailable: 0,
      sharedSubscriptionAvailable: 0,
      serverKeepAlive: 10,
      responseInformation: expect.stringMatching(/./) as string,
    })
  })

  it('[MQTT5-3.2.2.3.2-a] a session expiry other than the one asked for is announced', () => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: 100 } })
    const granted = (seconds: number): number | undefined =>
      world.connect('c1', { properties: [prop('sessionExpiryInterval', seconds)] }).connack.properties
        .sessionExpiryInterval
    expect(granted(101)).toBe(100)
    expect(granted(0xffff_ffff)).toBe(100)
    expect(granted(100)).toBeUndefined()
    expect(granted(0)).toBeUndefined()
  })

  it('[MQTT5-3.2.2.3.2-a] and is the one that holds', () => {
    const world = new World({ settings: { sessionExpiryMaxSeconds: 100 } })
    world.connect('c1', { properties: [prop('sessionExpiryInterval', 1_000)] }).vanish()
    world.advance(99_000)
    expect(world.vhost.sessions.find('c1')).toBeDefined()
    world.advance(2_000)
    expect(world.vhost.sessions.find('c1')).toBeUndefined()
  })

  it('[MQTT5-3.2.2-16] an assigned identifier is in CONNACK, and no session has it', () => {
    const world = new World()
    const first = world.connect('', { properties: [kept] }).connack.properties.assignedClientIdentifier!
    const second = world.connect('').connack.properties.assignedClientIdentifier!
    expect(first).not.toBe('')
    expect(second).not.toBe(first)
    expect(world.vhost.sessions.find(second)).toBeDefined()
    expect(world.connect('c1').connack.properties).not.toHaveProperty('assignedClientIdentifier')
  })

  it('[MQTT5-3.2.2-16] not even the session of a client that chose such an identifier itself', () => {
    const probe = new World({ seed: 5 })
    const next = probe.connect('').connack.properties.assignedClientIdentifier!
    const world = new World({ seed: 5 })
    const owner = world.connect(next)
    const given = world.connect('').connack.properties.assignedClientIdentifier
    expect(given).not.toBe(next)
    expect(owner.isClosed).toBe(false)
  })

  it('[MQTT5-3.2.2-19, MQTT5-3.2.2-20] a reason string that would make CONNACK too long for the client is left out', () => {
    const text = 'r'.repeat(50)
    const refusalWith = (maximum: number): Client => {
      const client = refusing('not-authorized', text).open()
      client.send(connect({ clientId: 'c1', properties: [prop('maximumPacketSize', maximum)] }))
      return client
    }
    const whole = frame(0x20, 0, 0x87, 53, hex('1f'), utf8(text))
    expect(refusalWith(whole.length).next('CONNACK').raw).toEqual(whole)
    expect(refusalWith(whole.length - 1).next('CONNACK').raw).toEqual(hex('20 03 00 87 00'))
    expect(refusalWith(5).next('CONNACK').raw).toEqual(hex('20 03 00 87 00'))
    const none = refusalWith(4)
    expect([none.received(), none.isClosed]).toEqual([[], true])
  })

  it('[MQTT5-3.2.2-20] no CONNACK has user properties that could be too much', () => {
    const world = new World()
    expect(world.connect('c1').connack.properties).not.toHaveProperty('userProperties')
    const refused = refusing('not-authorized', 'no').open()
    refused.send(connect({ clientId: 'c1' }))
    expect(refused.next('CONNACK').properties).not.toHaveProperty('userProperties')
  })

  it('[MQTT5-3.2.2-21, MQTT5-3.2.2-22] a Server Keep Alive is there when it is not the client’s own', () => {
    const world = new World({ settings: { keepAliveMaxSeconds: 30 } })
    const announced = (keepAlive: number): number | undefined =>
      world.connect('c1', { keepAlive }).connack.properties.serverKeepAlive
    expect([announced(31), announced(0), announced(30), announced(1)]).toEqual([30, 30, undefined, undefined])
  })
})

describe('maximum QoS', () => {
  it('[MQTT5-3.2.2-9] a broker with QoS 2 says nothing and takes it', () => {
    const client = new World().connect('c1')
    expect(client.connack.properties).not.toHaveProperty('maximumQoS')
    client.send(publish('a', '', { qos: 2, id: 1 }), pubrel(1))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBREC', 'PUBCOMP'])
  })

  it.each([0, 1] as const)('[MQTT5-3.2.2-9] a broker without it announces %i', (maxQos) => {
    expect(new World({ settings: { maxQos } }).connect('c1').connack.properties.maximumQoS).toBe(maxQos)
  })

  it.each([0, 1, 2] as const)('[MQTT5-3.2.2-10] with a maximum of %i subscriptions of any QoS are taken', (maxQos) => {
    const client = new World({ settings: { maxQos } }).connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }, { filter: 'b', qos: 1 }, { filter: 'c', qos: 2 }))
    expect(client.next('SUBACK').reasonCodes).toEqual([0, Math.min(1, maxQos), maxQos])
    client.send(publish('c', 'x'))
    expect(client.next('PUBLISH')).toMatchObject({ payload: 'x', qos: 0 })
  })

  it.each([
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const)('[MQTT5-3.2.2-11] with a maximum of %i a PUBLISH of QoS %i ends the connection', (maxQos, qos) => {
    const world = new World({ settings: { maxQos } })
    const watcher = world.connect('w')
    watcher.send(subscribe(1, '#'))
    watcher.next('SUBACK')
    const client = world.connect('c1')
    client.send(publish('t', 'too much', { qos, id: 1 }))
    expect(client.goodbye()).toBe(0x9b)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT5-3.2.2-12] a will above the maximum is refused with 0x9B, one at it is taken', () => {
    const world = new World({ settings: { maxQos: 1 } })
    const client = world.open()
    client.send(connect({ clientId: 'c1', will: { topic: 'w', qos: 2 } }))
    expect(client.refusal()).toBe(0x9b)
    expect(world.connect('c1', { will: { topic: 'w', qos: 1 } }).isClosed).toBe(false)
  })
})

describe('retain available', () => {
  it('[MQTT5-3.2.2-13, MQTT5-3.2.2-14] a broker with retained messages says nothing and takes them', () => {
    const world = new World()
    const client = world.connect('c1', { will: { topic: 'w', retain: true } })
    expect(client.connack.properties).not.toHaveProperty('retainAvailable')
    client.send(publish('a', 'x', { retain: true }))
    expect(world.vhost.retained.count).toBe(1)
  })

  it('[MQTT5-3.2.2-13] without them a retained will is refused with 0x9A', () => {
    const world = new World({ settings: { retainAvailable: false } })
    const client = world.open()
    client.send(connect({ clientId: 'c1', will: { topic: 'w', retain: true } }))
    expect(client.refusal()).toBe(0x9a)
    expect(world.connect('c1', { will: { topic: 'w' } }).connack.properties.retainAvailable).toBe(0)
  })

  it('[MQTT5-3.2.2-14] without them a retained PUBLISH ends the connection with 0x9A', () => {
    const world = new World({ settings: { retainAvailable: false } })
    const client = world.connect('c1')
    client.send(publish('a', 'x', { retain: true }))
    expect(client.goodbye()).toBe(0x9a)
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('maximum packet size', () => {
  it('[MQTT5-3.2.2-15, MQTT5-3.2.2.3.6-a] is announced; a packet above it ends the connection with 0x95', () => {
    const world = new World({ settings: { maxPacketBytes: 2_000 } })
    const client = world.connect('c1')
    expect(client.connack.properties.maximumPacketSize).toBe(2_000)
    client.send(publish('t', new Uint8Array(1_991), { qos: 1, id: 1 }))
    expect(client.next('PUBACK').id).toBe(1)
    client.send(publish('t', new Uint8Array(1_992), { qos: 1, id: 2 }))
    expect(client.goodbye()).toBe(0x95)
  })

  it('[MQTT5-3.2.2-15] as soon as its length is known', () => {
    const client = new World({ settings: { maxPacketBytes: 2_000 } }).connect('c1')
    client.send(hex('30 d1 0f'))
    expect(client.goodbye()).toBe(0x95)
  })

  it('[MQTT5-3.2.2-15] even when that comes in pieces', () => {
    const client = new World({ settings: { maxPacketBytes: 2_000 } }).connect('c1')
    for (const byte of hex('30 d1 0f')) client.send([byte])
    expect(client.goodbye()).toBe(0x95)
  })

  it('[MQTT5-3.2.2-15] a CONNECT above it ends the connection', () => {
    const world = new World({ settings: { maxPacketBytes: 2_000 } })
    const client = world.open()
    client.send(connect({ clientId: 'c1', password: 'x'.repeat(2_000) }))
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
  })
})

describe('topic alias maximum', () => {
  it('[MQTT5-3.2.2-17] is announced; an alias above it ends the connection with 0x94', () => {
    const client = new World({ settings: { topicAliasMax: 5 } }).connect('c1')
    expect(client.connack.properties.topicAliasMaximum).toBe(5)
    client.send(publish('t', '', { qos: 1, id: 1, properties: [prop('topicAlias', 5)] }))
    client.send(publish('', '', { qos: 1, id: 1, properties: [prop('topicAlias', 5)] }))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBACK', 'PUBACK'])
    client.send(publish('t', '', { properties: [prop('topicAlias', 6)] }))
    expect(client.goodbye()).toBe(0x94)
  })

  it('[MQTT5-3.2.2-18] where there is none, any alias ends the connection with 0x94', () => {
    const client = new World({ settings: { topicAliasMax: 0 } }).connect('c1')
    expect(client.connack.properties.topicAliasMaximum ?? 0).toBe(0)
    client.send(publish('t', '', { properties: [prop('topicAlias', 1)] }))
    expect(client.goodbye()).toBe(0x94)
  })
})
