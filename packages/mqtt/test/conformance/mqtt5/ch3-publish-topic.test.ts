/** PUBLISH: topic name and message expiry. [MQTT5 §3.3.2.1] [MQTT5 §3.3.2.3.3] */
import { describe, expect, it } from 'vitest'
import { frame, hex, prop, puback, publish, Reader, u16, utf8, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber, take } from './scenes.ts'

describe('3.3.2.1 Topic Name', () => {
  it.each([
    ['half a sequence', hex('61 c3')],
    ['an overlong slash', hex('c0 af')],
    ['a surrogate', hex('ed a0 80')],
    ['a code point above U+10FFFF', hex('f4 90 80 80')],
  ])('[MQTT5-3.3.2-1] a topic name that is not UTF-8 (%s) ends the connection', (_name, topic) => {
    const world = new World()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    client.send(publish(topic, 'x'))
    expect(client.goodbye()).toBe(0x81)
    expect(listener.received()).toEqual([])
  })

  it.each([
    ['is missing', frame(0x30)],
    ['has half a length', frame(0x30, 0)],
    ['is longer than the packet', frame(0x30, u16(5), 0x61, 0x62)],
    ['leaves no room for the packet identifier', frame(0x32, utf8('a'), 0)],
  ])('[MQTT5-3.3.2-1] a PUBLISH whose topic name %s ends the connection', (_name, packet) => {
    const client = new World().connect('p')
    client.send(packet)
    expect(client.goodbye()).toBe(0x81)
  })

  it('[MQTT5-3.3.2-1] the topic name is the first field of what goes out', () => {
    const world = new World()
    const client = subscriber(world, 's', 'größe/+')
    world.connect('p').send(publish('größe/ß', 'x', { qos: 1, id: 1, properties: [prop('contentType', 't')] }))
    const { raw } = onlyPublish(client)
    const reader = new Reader(raw, 2)
    expect(reader.utf8()).toBe('größe/ß')
  })

  it.each(['+', '#', 'a/+', 'a/#', 'a/+/b', 'a+b', 'a#', '/#'])(
    '[MQTT5-3.3.2-2, MQTT5-4.7.0-1] a PUBLISH to the topic name %s ends the connection',
    (topic) => {
      const world = new World()
      const listener = subscriber(world, 's', '#')
      take(listener, 'a/+')
      const client = world.connect('p')
      client.send(publish(topic, 'x', { qos: 1, id: 1 }))
      expect(client.goodbye()).toBe(0x90)
      expect(listener.received()).toEqual([])
    },
  )

  it('[MQTT5-3.3.2-3] every message a client gets matches its filter, and it gets every message that does', () => {
    const topics = ['a', 'a/b', 'a/b/c', 'a/', '/a', 'b', 'b/a', 'a/c', 'A/b']
    const matches: Record<string, string[]> = {
      a: ['a'],
      'a/+': ['a/b', 'a/', 'a/c'],
      'a/#': ['a', 'a/b', 'a/b/c', 'a/', 'a/c'],
      '+/b': ['a/b', 'A/b'],
      '+/a': ['/a', 'b/a'],
      '+': ['a', 'b'],
    }
    const world = new World()
    const clients = Object.keys(matches).map((filter) => subscriber(world, `s ${filter}`, filter))
    world.connect('p').send(...topics.map((topic) => publish(topic, 'x')))
    const got = clients.map((client) => client.publishes().map(({ topic }) => topic))
    expect(got).toEqual(Object.values(matches))
  })

  it('[MQTT5-3.3.2.1-a] an empty topic name without an alias is a protocol error', () => {
    const client = new World().connect('p')
    client.send(publish('', 'x'))
    expect(client.goodbye()).toBe(0x82)
  })
})

describe('3.3.2.3.3 Message Expiry Interval', () => {
  const expiring = (seconds: number): { properties: Uint8Array[] } => ({
    properties: [prop('messageExpiryInterval', seconds)],
  })

  it('[MQTT5-3.3.2-5] a message that expires before its subscriber is back is deleted; others are not', () => {
    const world = new World()
    subscriber(world, 's', 'a/#', lasting()).hangUp()
    world
      .connect('p')
      .send(
        publish('a/1', 'short', { qos: 1, id: 1, ...expiring(5) }),
        publish('a/2', 'long', { qos: 1, id: 2, ...expiring(60) }),
        publish('a/3', 'without', { qos: 2, id: 3 }),
      )
    world.advance(6_000)
    expect(payloads(world.connect('s', lasting()))).toEqual(['long', 'without'])
  })

  it('[MQTT5-3.3.2-5] the copy of one subscriber expires while another has had its own in time', () => {
    const world = new World()
    subscriber(world, 'away', 'a', lasting()).hangUp()
    const client = subscriber(world, 'here', 'a')
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1, ...expiring(5) }))
    expect(payloads(client)).toEqual(['x'])
    world.advance(4_900)
    expect(payloads(world.connect('away', lasting()))).toEqual(['x'])
  })

  it('[MQTT5-3.3.2-5] a message that waits for the receive maximum expires, and what is behind it comes', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', { properties: [prop('receiveMaximum', 1)] })
    const publisher = world.connect('p')
    publisher.send(publish('a', 'first', { qos: 1, id: 1 }), publish('a', 'short', { qos: 1, id: 2, ...expiring(5) }))
    publisher.send(publish('a', 'last', { qos: 1, id: 3 }))
    const first = onlyPublish(client)
    world.advance(5_500)
    client.send(puback(first.id))
    expect(payloads(client)).toEqual(['last'])
  })

  it('[MQTT5-3.3.2-6] a message that did not wait has the interval it came with', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    const publisher = world.connect('p')
    for (const seconds of [1, 30, 86_400, 0xffff_ffff]) publisher.send(publish('a', `${seconds}`, expiring(seconds)))
    publisher.send(publish('a', 'none'))
    expect(client.publishes().map(({ properties }) => properties.messageExpiryInterval)).toEqual([
      1,
      30,
      86_400,
      0xffff_ffff,
      undefined,
    ])
  })

  it('[MQTT5-3.3.2-6] the time that messages waited for a client that does not read is taken off', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    client.stopReading()
    const publisher = world.connect('p')
    // More than the broker lets wait in a connection that takes nothing.
    for (let count = 0; count < 2; count++) publisher.send(publish('a', new Uint8Array(700_000)))
    publisher.send(
      publish('a', '0', expiring(30)),
      publish('a', '1', { qos: 1, id: 1, ...expiring(30) }),
      publish('a', '2', { qos: 2, id: 2, ...expiring(30) }),
    )
    world.advance(10_000)
    client.readAgain()
    const last = client.publishes().slice(2)
    expect(last.map(({ payload, properties }) => [payload, properties.messageExpiryInterval])).toEqual([
      ['0', 20],
      ['1', 20],
      ['2', 20],
    ])
  })

  it('[MQTT5-3.3.2-6] the time that a message waited for an absent client is taken off', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1, ...expiring(30) }))
    world.advance(12_000)
    const client = world.connect('s', lasting())
    expect(onlyPublish(client).properties.messageExpiryInterval).toBe(18)
    // Sent again, it has waited longer.
    client.vanish()
    world.advance(5_000)
    expect(onlyPublish(world.connect('s', lasting()))).toMatchObject({
      dup: true,
      properties: { messageExpiryInterval: 13 },
    })
  })

  it('[MQTT5-3.3.2-6] the time that a retained message waited for a subscriber is taken off', () => {
    const world = new World()
    world.connect('p').send(publish('a', 'x', { retain: true, ...expiring(30) }))
    world.advance(7_000)
    expect(onlyPublish(subscriber(world, 's', 'a')).properties.messageExpiryInterval).toBe(23)
  })

  it('[MQTT5-3.3.2-6] the time of a will counts from the moment it is published', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    const properties = [prop('willDelayInterval', 20), prop('messageExpiryInterval', 30)]
    const will = { topic: 'a', payload: 'gone', properties }
    world.connect('p', { ...lasting(), will }).vanish()
    world.advance(20_000)
    expect(onlyPublish(client)).toMatchObject({ payload: 'gone', properties: { messageExpiryInterval: 30 } })
  })
})
