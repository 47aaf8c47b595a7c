/** MQTT 5.0 sections 3.1.2.10 and 3.1.2.11: keep alive, and what a client says of itself in CONNECT. */
import { type Authorizer, allowAll } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  disconnect,
  type Packet,
  pingreq,
  prop,
  puback,
  publish,
  pubrec,
  subscribe,
  subscribeWith,
  unsubscribe,
  World,
} from '../../harness.ts'

/** A client that subscribes to everything, with these wishes. */
function subscriberIn(world: World, ...properties: Uint8Array[]): Client {
  const client = world.connect('s', { properties })
  client.send(subscribe(1, '#'))
  client.next('SUBACK')
  return client
}

/** Nobody may do anything with topics below 'secret'. */
const guarded: Authorizer = {
  ...allowAll,
  mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
  mayMatch: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
}

/** A filter that is well-formed, but has more levels than the broker takes. */
const TOO_DEEP = 'a/'.repeat(200)

describe('keep alive', () => {
  it('[MQTT5-3.1.2-22, MQTT5-3.2.2-22] silence for one and a half times the interval ends the connection', () => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10 })
    expect(client.connack.properties.serverKeepAlive).toBeUndefined()
    world.advance(14_900)
    expect(client.isClosed).toBe(false)
    world.advance(1_600)
    expect(client.goodbye()).toBe(0x8d)
  })

  it('[MQTT5-3.1.2-22] as a network failure would: the will is published', () => {
    const world = new World()
    const watcher = subscriberIn(world)
    world.connect('c1', { keepAlive: 10, will: { topic: 'will', payload: 'gone' } })
    world.advance(16_500)
    expect(watcher.publishes()).toMatchObject([{ payload: 'gone' }])
  })

  it.each([
    ['PINGREQ', pingreq()],
    ['PUBLISH', publish('t')],
    ['PUBACK', puback(1)],
    ['SUBSCRIBE', subscribe(1, 't')],
  ])('[MQTT5-3.1.2-22] %s breaks the silence', (_name, draft) => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10 })
    for (let round = 0; round < 10; round++) {
      world.advance(14_000)
      client.send(draft)
    }
    expect(client.isClosed).toBe(false)
    client.received()
    world.advance(16_500)
    expect(client.goodbye()).toBe(0x8d)
  })

  it('[MQTT5-3.1.2-22] bytes that are no whole packet do not', () => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10 })
    for (const byte of publish('topic', 'body')(5).slice(0, -1)) {
      if (client.isClosed) break
      client.send([byte])
      world.advance(2_000)
    }
    expect(client.goodbye()).toBe(0x8d)
  })

  it('[MQTT5-3.1.2-22] nor does what the broker sends', () => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 10 })
    client.send(subscribe(1, 't'))
    const publisher = world.connect('p')
    for (let second = 0; second < 17; second++) {
      publisher.send(publish('t', 'x'))
      world.advance(1_000)
    }
    expect(client.received().at(-1)).toMatchObject({ type: 'DISCONNECT', reasonCode: 0x8d })
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT5-3.1.2-22] 0 switches it off', () => {
    const world = new World()
    const client = world.connect('c1', { keepAlive: 0 })
    world.advance(30 * 86_400_000)
    expect(client.isClosed).toBe(false)
  })

  it.each([60, 0])(
    '[MQTT5-3.1.2-21, MQTT5-3.2.2-21] a Server Keep Alive holds instead of the %i s that were asked for',
    (asked) => {
      const world = new World({ settings: { keepAliveMaxSeconds: 20 } })
      const client = world.connect('c1', { keepAlive: asked })
      expect(client.connack.properties.serverKeepAlive).toBe(20)
      world.advance(29_900)
      expect(client.isClosed).toBe(false)
      world.advance(1_600)
      expect(client.goodbye()).toBe(0x8d)
    },
  )

  it('[MQTT5-3.2.2-22] a client that asks for less than the longest keeps its own', () => {
    const world = new World({ settings: { keepAliveMaxSeconds: 20 } })
    const client = world.connect('c1', { keepAlive: 10 })
    expect(client.connack.properties.serverKeepAlive).toBeUndefined()
    world.advance(16_500)
    expect(client.goodbye()).toBe(0x8d)
  })
})

describe('maximum packet size', () => {
  /** Everything that a client may be sent, in one connection with that maximum. */
  function everything(maximum: number): Packet[] {
    const world = new World({ authorizer: guarded })
    const client = world.open()
    client.send(connect({ clientId: '', properties: [prop('maximumPacketSize', maximum)] }))
    client.send(subscribe(1, 'secret/x', 'a', 'b/+'), unsubscribe(2, TOO_DEEP, 'b/+'))
    client.send(publish('secret/x', 'refused', { qos: 1, id: 1 }), publish('secret/x', 'refused', { qos: 2, id: 2 }))
    const publisher = world.connect('p')
    for (let size = 0; size < 40; size++) publisher.send(publish('a', 'x'.repeat(size), { qos: 0 }))
    for (let size = 0; size < 40; size++) publisher.send(publish('a', 'x'.repeat(size), { qos: 1, id: 1 }))
    client.send(publish('#'))
    return client.received()
  }

  it('[MQTT5-3.1.2-24] no packet is longer', () => {
    for (let maximum = 1; maximum <= 80; maximum++) {
      const tooLong = everything(maximum).filter(({ raw }) => raw.length > maximum)
      expect([maximum, tooLong]).toEqual([maximum, []])
    }
    const whole = everything(1_000)
    const explained = ['SUBACK', 'UNSUBACK', 'PUBACK', 'PUBREC', 'DISCONNECT']
    for (const type of explained) {
      const longest = Math.max(...whole.filter((packet) => packet.type === type).map(({ raw }) => raw.length))
      expect([type, longest]).toEqual([type, expect.toSatisfy((length: number) => length > 25)])
    }
  })

  it('[MQTT5-3.1.2-24] a message that just fits is sent', () => {
    const world = new World()
    const client = subscriberIn(world, prop('maximumPacketSize', 100))
    const publisher = world.connect('p')
    publisher.send(publish('t', 'x'.repeat(94)), publish('t', 'x'.repeat(95)))
    publisher.send(publish('t', 'x'.repeat(92), { qos: 1, id: 1 }), publish('t', 'x'.repeat(93), { qos: 1, id: 2 }))
    expect(client.publishes().map(({ raw }) => raw.length)).toEqual([100, 100])
  })

  it('[MQTT5-3.1.2-24] the properties that the broker adds count, too', () => {
    const world = new World()
    const client = world.connect('s', { properties: [prop('maximumPacketSize', 100), prop('topicAliasMaximum', 5)] })
    client.send(subscribeWith(1, [prop('subscriptionIdentifier', 300)], '#'))
    client.next('SUBACK')
    const publisher = world.connect('p')
    for (let size = 70; size <= 100; size++) publisher.send(publish('longer/topic', 'x'.repeat(size)))
    const lengths = client.publishes().map(({ raw }) => raw.length)
    expect(Math.max(...lengths)).toBe(100)
  })

  it.each([1, 2] as const)('[MQTT5-3.1.2-25] a QoS %i message that is too long counts as sent', (qos) => {
    const world = new World()
    const client = subscriberIn(world, prop('maximumPacketSize', 100), prop('receiveMaximum', 1))
    const publisher = world.connect('p')
    for (let id = 1; id <= 5; id++) publisher.send(publish('t', 'x'.repeat(200), { qos, id }))
    expect(client.received()).toEqual([])
    publisher.send(publish('t', 'short', { qos, id: 6 }))
    expect(client.publishes()).toMatchObject([{ payload: 'short', qos }])
    expect(publisher.received().map(({ type }) => type)).toEqual(Array(6).fill(qos === 1 ? 'PUBACK' : 'PUBREC'))
  })

  it('[MQTT5-3.1.2-25] and is not kept for a connection that takes longer ones', () => {
    const world = new World()
    const kept = prop('sessionExpiryInterval', 60)
    const client = subscriberIn(world, prop('maximumPacketSize', 100), kept)
    world.connect('p').send(publish('t', 'x'.repeat(200), { qos: 1, id: 1 }))
    client.send(disconnect())
    expect(world.connect('s', { clean: false, properties: [kept] }).received()).toEqual([])
  })

  it('[MQTT5-3.1.2-25] a message that waited, or was sent before, is dropped for a connection that does not take it', () => {
    const world = new World()
    const kept = prop('sessionExpiryInterval', 60)
    const before = subscriberIn(world, kept)
    const publisher = world.connect('p')
    publisher.send(publish('t', 'x'.repeat(200), { qos: 1, id: 1 }), publish('t', 'y'.repeat(200), { qos: 2, id: 2 }))
    expect(before.publishes()).toHaveLength(2)
    before.vanish()
    publisher.send(publish('t', 'z'.repeat(200), { qos: 1, id: 3 }), publish('t', 'short', { qos: 1, id: 4 }))
    const narrow = [kept, prop('maximumPacketSize', 100), prop('receiveMaximum', 1)]
    const client = world.connect('s', { clean: false, properties: narrow })
    const [only, ...others] = client.publishes()
    expect([only!.payload, others]).toEqual(['short', []])
    client.send(puback(only!.id), disconnect())
    expect(world.connect('s', { clean: false }).received()).toEqual([])
  })

  it('[MQTT5-3.1.2.11.4-a] it is given once and is not 0', () => {
    for (const properties of [[0], [100, 100]]) {
      const client = new World().open()
      client.send(connect({ properties: properties.map((size) => prop('maximumPacketSize', size)) }))
      expect(client.refusal()).toBe(0x82)
    }
  })
})

describe('topic alias maximum', () => {
  function aliasesSentTo(...properties: Uint8Array[]): (number | undefined)[] {
    const world = new World({ settings: { outboundTopicAliasMax: 10 } })
    const client = subscriberIn(world, ...properties)
    const publisher = world.connect('p')
    for (let round = 0; round < 2; round++) {
      for (let topic = 0; topic < 12; topic++) publisher.send(publish(`some/longer/topic/${topic}`, 'x'))
    }
    return client.publishes().map(({ properties: { topicAlias } }) => topicAlias)
  }

  it('[MQTT5-3.1.2-26] no alias is above it, and those below are used', () => {
    const aliases = aliasesSentTo(prop('topicAliasMaximum', 3)).filter((alias) => alias !== undefined)
    expect(new Set(aliases)).toEqual(new Set([1, 2, 3]))
  })

  it.each([
    ['[MQTT5-3.1.2-27] without it', []],
    ['[MQTT5-3.1.2-27] with 0', [prop('topicAliasMaximum', 0)]],
  ])('%s no alias is sent', (_what, properties) => {
    expect(aliasesSentTo(...properties)).toEqual(Array(24).fill(undefined))
  })

  it('[MQTT5-3.1.2.11.5-a] it is given once', () => {
    const client = new World().open()
    client.send(connect({ properties: [prop('topicAliasMaximum', 1), prop('topicAliasMaximum', 1)] }))
    expect(client.refusal()).toBe(0x82)
  })
})

describe('request response information', () => {
  it('[MQTT5-3.1.2-28] without it, or with 0, CONNACK has no response information', () => {
    const world = new World()
    const asked = [prop('requestResponseInformation', 0)]
    expect(world.connect('c1').connack.properties).not.toHaveProperty('responseInformation')
    expect(world.connect('c1', { properties: asked }).connack.properties).not.toHaveProperty('responseInformation')
  })

  it('[MQTT5-3.1.2-28] with 1 it has one that the client can use as a topic', () => {
    const world = new World()
    const client = world.connect('c1', { properties: [prop('requestResponseInformation', 1)] })
    const topic = client.connack.properties.responseInformation!
    client.send(subscribe(1, topic), publish(topic, 'answer'))
    client.next('SUBACK')
    expect(client.next('PUBLISH').payload).toBe('answer')
  })

  it('[MQTT5-3.1.2-28] different for every client', () => {
    const world = new World({ settings: { maxClientIdBytes: 65_535 } })
    const properties = [prop('requestResponseInformation', 1)]
    const clientIds = ['a', 'A', 'a/b', 'a+b', 'a#b', 'a_b', 'a%2Fb', 'é']
    const topics = clientIds.map(
      (clientId) => world.connect(clientId, { properties }).connack.properties.responseInformation!,
    )
    expect(new Set(topics).size).toBe(clientIds.length)
    expect(topics.join()).not.toMatch(/[+#]/)
    expect(world.connect('x'.repeat(65_535), { properties }).connack.properties.responseInformation).toBeUndefined()
  })

  it('[MQTT5-3.1.2.11.6-a] it is given once and is 0 or 1', () => {
    for (const values of [[2], [255], [1, 1]]) {
      const client = new World().open()
      client.send(connect({ properties: values.map((value) => prop('requestResponseInformation', value)) }))
      expect([values, client.refusal()]).toEqual([values, 0x82])
    }
  })
})

describe('request problem information', () => {
  /** Every refusal that an acknowledgement can carry. */
  function refusals(...properties: Uint8Array[]): Packet[] {
    const world = new World({ authorizer: guarded })
    const client = world.connect('c1', { properties })
    client.send(subscribe(1, 'secret/x', TOO_DEEP), unsubscribe(2, TOO_DEEP))
    client.send(publish('secret/x', '', { qos: 1, id: 1 }), publish('secret/x', '', { qos: 2, id: 2 }))
    client.send(pubrec(77))
    return client.received()
  }

  const withoutReasons = (packets: readonly Packet[]): Packet[] =>
    packets.filter((packet) => !('properties' in packet) || packet.properties.reasonString === undefined)

  it('[MQTT5-3.1.2-29] 0 keeps reason strings and user properties out of acknowledgements', () => {
    const packets = refusals(prop('requestProblemInformation', 0))
    expect(packets.map(({ type }) => type)).toEqual(['SUBACK', 'UNSUBACK', 'PUBACK', 'PUBREC', 'PUBREL'])
    const names = packets.flatMap((packet) => ('properties' in packet ? Object.keys(packet.properties) : []))
    expect(names).toEqual([])
  })

  it.each([
    ['without it', []],
    ['with 1', [prop('requestProblemInformation', 1)]],
  ])('[MQTT5-3.1.2-29] %s they say why', (_what, properties) => {
    const packets = refusals(...properties)
    expect(packets.map(({ type }) => type)).toEqual(['SUBACK', 'UNSUBACK', 'PUBACK', 'PUBREC', 'PUBREL'])
    expect(withoutReasons(packets).map(({ type }) => type)).toEqual(['PUBREL'])
  })

  it('[MQTT5-3.1.2-29] 0 leaves user properties of messages alone', () => {
    const world = new World()
    const client = subscriberIn(world, prop('requestProblemInformation', 0))
    world.connect('p').send(publish('t', '', { properties: [prop('userProperty', ['k', 'v'])] }))
    expect(client.next('PUBLISH').properties.userProperties).toEqual([['k', 'v']])
  })

  it('[MQTT5-3.1.2.11.7-a] it is given once and is 0 or 1', () => {
    for (const values of [[2], [255], [1, 1]]) {
      const client = new World().open()
      client.send(connect({ properties: values.map((value) => prop('requestProblemInformation', value)) }))
      expect([values, client.refusal()]).toEqual([values, 0x82])
    }
  })
})

describe('the other properties', () => {
  it('[MQTT5-3.1.2.11.3-a] receive maximum is given once and is not 0', () => {
    for (const values of [[0], [5, 5]]) {
      const client = new World().open()
      client.send(connect({ properties: values.map((value) => prop('receiveMaximum', value)) }))
      expect([values, client.refusal()]).toEqual([values, 0x82])
    }
  })

  it('[MQTT5-3.1.2.11.9-a] authentication method is given once', () => {
    const client = new World().open()
    client.send(connect({ properties: [prop('authenticationMethod', 'a'), prop('authenticationMethod', 'a')] }))
    expect(client.refusal()).toBe(0x82)
  })

  it('[MQTT5-3.1.2.11.10-a] authentication data is given once', () => {
    const client = new World().open()
    const twice = [prop('authenticationData', 'a'), prop('authenticationData', 'a')]
    client.send(connect({ properties: [prop('authenticationMethod', 'a'), ...twice] }))
    expect(client.refusal()).toBe(0x82)
  })

  it('[MQTT5-3.1.2.11.10-a] authentication data without a method is an error', () => {
    const client = new World().open()
    client.send(connect({ properties: [prop('authenticationData', 'a')] }))
    expect(client.refusal()).toBe(0x82)
  })

  it('[MQTT5-3.1.4-1] user properties may repeat and change nothing', () => {
    const pair = prop('userProperty', ['k', 'v'])
    expect(new World().connect('c1', { properties: [pair, pair, pair] }).connack.reasonCode).toBe(0)
  })
})
