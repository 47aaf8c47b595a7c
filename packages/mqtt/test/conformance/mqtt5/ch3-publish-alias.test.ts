/** Topic aliases, from the client and from the server. [MQTT5 §3.3.2.3.4] [MQTT5 §3.3.4] */
import { describe, expect, it } from 'vitest'
import { type Client, prop, publish, World } from '../../harness.ts'
import { lasting, onlyPublish, subscriber } from './scenes.ts'

const ALIAS_MAX = 4

function world5(): World {
  return new World({ settings: { topicAliasMax: ALIAS_MAX, outboundTopicAliasMax: 8 } })
}

/** `[topic, payload]` of what came, as it stood in the packets. */
function pairs(client: Client): string[][] {
  return client.publishes().map(({ topic, payload }) => [topic, payload])
}

describe('from the client', () => {
  it('[MQTT5-3.3.4-b] an alias that was set stands for its topic', () => {
    const world = world5()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    const properties = [prop('topicAlias', 1)]
    client.send(publish('a/b', '1', { properties }), publish('', '2', { properties }))
    client.send(publish('', '3', { qos: 1, id: 1, properties }), publish('', '4', { qos: 2, id: 2, properties }))
    expect(pairs(listener)).toEqual([
      ['a/b', '1'],
      ['a/b', '2'],
      ['a/b', '3'],
      ['a/b', '4'],
    ])
  })

  it('[MQTT5-3.3.4-b] a name with a known alias sets it anew; other aliases stay', () => {
    const world = world5()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    const first = [prop('topicAlias', 1)]
    const second = [prop('topicAlias', 2)]
    client.send(publish('a/b', '1', { properties: first }), publish('c', '2', { properties: second }))
    client.send(publish('d', '3', { properties: first }), publish('', '4', { properties: first }))
    client.send(publish('', '5', { properties: second }), publish('a/b', '6'))
    expect(pairs(listener)).toEqual([
      ['a/b', '1'],
      ['c', '2'],
      ['d', '3'],
      ['d', '4'],
      ['c', '5'],
      ['a/b', '6'],
    ])
  })

  it('[MQTT5-3.3.4-b] a retained PUBLISH by alias is retained under its topic', () => {
    const world = world5()
    const client = world.connect('p')
    const properties = [prop('topicAlias', 3)]
    client.send(publish('a/b', 'x', { properties }), publish('', 'kept', { retain: true, properties }))
    expect(onlyPublish(subscriber(world, 's', '#'))).toMatchObject({ topic: 'a/b', payload: 'kept' })
  })

  it('[MQTT5-3.3.4-c] an alias that was not set, with an empty name, is a protocol error', () => {
    const world = world5()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    client.send(publish('a', 'x', { properties: [prop('topicAlias', 1)] }))
    expect(onlyPublish(listener).payload).toBe('x')
    client.send(publish('', 'y', { qos: 1, id: 1, properties: [prop('topicAlias', 2)] }))
    expect(client.goodbye()).toBe(0x82)
    expect(listener.received()).toEqual([])
  })

  it.each([0, ALIAS_MAX + 1, 0xffff])(
    '[MQTT5-3.3.4-a, MQTT5-3.3.2-8, MQTT5-3.3.2-9] alias %i is answered with DISCONNECT 0x94',
    (alias) => {
      const world = world5()
      const listener = subscriber(world, 's', '#')
      for (const topic of ['a', '']) {
        const client = world.connect('p')
        client.send(publish(topic, 'x', { properties: [prop('topicAlias', alias)] }))
        expect(client.goodbye()).toBe(0x94)
      }
      expect(listener.received()).toEqual([])
    },
  )

  it('[MQTT5-3.3.2-9] no alias is taken where CONNACK allows none', () => {
    const world = new World({ settings: { topicAliasMax: 0 } })
    const client = world.connect('p')
    expect(client.connack.properties.topicAliasMaximum ?? 0).toBe(0)
    client.send(publish('a', 'x', { properties: [prop('topicAlias', 1)] }))
    expect(client.goodbye()).toBe(0x94)
  })

  it('[MQTT5-3.3.2-12] every alias from 1 to the maximum in CONNACK is taken', () => {
    const world = new World()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    const aliasMax = client.connack.properties.topicAliasMaximum ?? 0
    expect(aliasMax).toBeGreaterThan(0)
    const aliases = Array.from({ length: aliasMax }, (_, index) => index + 1)
    client.send(...aliases.map((alias) => publish(`t/${alias}`, 'set', { properties: [prop('topicAlias', alias)] })))
    client.send(...aliases.map((alias) => publish('', 'use', { properties: [prop('topicAlias', alias)] })))
    expect(pairs(listener)).toEqual([
      ...aliases.map((alias) => [`t/${alias}`, 'set']),
      ...aliases.map((alias) => [`t/${alias}`, 'use']),
    ])
  })

  it('[MQTT5-3.3.2-7] an alias is forgotten with its connection, though the session goes on', () => {
    const world = world5()
    const listener = subscriber(world, 's', '#')
    const properties = [prop('topicAlias', 1)]
    const first = world.connect('p', lasting())
    first.send(publish('a', 'x', { properties }))
    first.hangUp()
    const second = world.connect('p', lasting())
    expect(second.connack.sessionPresent).toBe(true)
    second.send(publish('', 'y', { properties }))
    expect(second.goodbye()).toBe(0x82)
    expect(pairs(listener)).toEqual([['a', 'x']])
  })

  it('[MQTT5-3.3.2-7] the alias of one connection means nothing on another', () => {
    const world = world5()
    const properties = [prop('topicAlias', 1)]
    world.connect('p1').send(publish('a', 'x', { properties }))
    const other = world.connect('p2')
    other.send(publish('', 'y', { properties }))
    expect(other.goodbye()).toBe(0x82)
  })

  it('aliases of client and server are independent', () => {
    const world = world5()
    const client = subscriber(world, 'c', 'from/#', { properties: [prop('topicAliasMaximum', 1)] })
    const listener = subscriber(world, 's', 'to/#')
    world.connect('p').send(publish('from/server', '1'))
    expect(onlyPublish(client)).toMatchObject({ topic: 'from/server', properties: { topicAlias: 1 } })
    const properties = [prop('topicAlias', 1)]
    client.send(publish('to/server', '2', { properties }), publish('', '3', { properties }))
    expect(pairs(listener)).toEqual([
      ['to/server', '2'],
      ['to/server', '3'],
    ])
  })
})

/** Topics of what came, aliases resolved as a client would. */
function resolved(client: Client, known = new Map<number, string>()): string[] {
  return client.publishes().map(({ topic, properties: { topicAlias } }) => {
    if (topicAlias !== undefined && topic !== '') known.set(topicAlias, topic)
    return topic === '' ? (known.get(topicAlias!) ?? 'unknown alias') : topic
  })
}

describe('from the server', () => {
  const topics = ['topic/one', 'topic/two', 'topic/one', 'topic/three', 'topic/two', 'topic/one', 'topic/three']

  it.each([1, 2, 3, 100])(
    '[MQTT5-3.3.2-8, MQTT5-3.3.2-11] aliases stay between 1 and the %i that CONNECT allows, and lead to the right topic',
    (aliasMax) => {
      for (const qos of [0, 1, 2] as const) {
        const world = world5()
        const wishes = { properties: [prop('topicAliasMaximum', aliasMax)] }
        const client = subscriber(world, 's', { filter: '#', qos }, wishes)
        const publisher = world.connect('p')
        topics.forEach((topic, index) => publisher.push(publish(topic, 'x', { qos: 2, id: index + 1 })))
        world.run()
        const packets = client.publishes()
        const aliases = packets.map(({ properties }) => properties.topicAlias)
        for (const alias of aliases) expect(alias ?? 1).toBeGreaterThanOrEqual(1)
        for (const alias of aliases) expect(alias ?? 1).toBeLessThanOrEqual(Math.min(aliasMax, 8))
        expect(packets.filter(({ topic }) => topic === '').length).toBeGreaterThan(0)
        publisher.push(...topics.map((topic) => publish(topic, 'x')))
        world.run()
        const known = new Map<number, string>()
        for (const { topic, properties } of packets) if (topic !== '') known.set(properties.topicAlias ?? 0, topic)
        expect(resolved(client, known)).toEqual(topics)
      }
    },
  )

  it('[MQTT5-3.3.2-11] a client that allows no aliases gets none', () => {
    const world = world5()
    for (const properties of [[], [prop('topicAliasMaximum', 0)]]) {
      const client = subscriber(world, 's', '#', { properties })
      world.connect('p').send(...topics.map((topic) => publish(topic, 'x')))
      const packets = client.publishes()
      expect(packets.map(({ topic }) => topic)).toEqual(topics)
      expect(packets.filter(({ properties: { topicAlias } }) => topicAlias !== undefined)).toEqual([])
    }
  })

  it('[MQTT5-3.3.2-7] on the next connection the server sets its aliases anew', () => {
    const world = world5()
    const client = subscriber(world, 's', '#', lasting(prop('topicAliasMaximum', 5)))
    const publisher = world.connect('p')
    publisher.send(publish('topic/one', 'x', { qos: 1, id: 1 }), publish('topic/one', 'y', { qos: 1, id: 2 }))
    expect(resolved(client)).toEqual(['topic/one', 'topic/one'])
    client.vanish()
    // What is sent again was first sent by alias; the new connection does not know it.
    const again = world.connect('s', lasting(prop('topicAliasMaximum', 5)))
    expect(resolved(again)).toEqual(['topic/one', 'topic/one'])
    again.vanish()
    const without = world.connect('s', lasting())
    expect(without.publishes().map(({ topic }) => topic)).toEqual(['topic/one', 'topic/one'])
  })

  it('an alias is not set by a message that was too large to be sent', () => {
    const world = world5()
    const wishes = { properties: [prop('topicAliasMaximum', 5), prop('maximumPacketSize', 100)] }
    const client = subscriber(world, 's', '#', wishes)
    const publisher = world.connect('p')
    publisher.send(publish('topic/one', 'x'.repeat(100)), publish('topic/one', 'fits'), publish('topic/one', 'too'))
    expect(resolved(client)).toEqual(['topic/one', 'topic/one'])
  })
})
