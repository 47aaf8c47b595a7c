/** Topic names and topic filters: which are allowed, and which match. [MQTT5 §4.7] */
import { Message } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { mqtt3Headers } from '../../../src/headers.ts'
import { publish, subscribe, unsubscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber, take } from './scenes.ts'

/** Topics that each filter matches, of all that stand in the table. [MQTT5 §4.7.1] */
const MATCHES: Record<string, readonly string[]> = {
  '#': ['sport', 'sport/', 'sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking', '/', '/finance'],
  '+': ['sport'],
  '/+': ['/', '/finance'],
  '+/+': ['sport/', 'sport/tennis', '/', '/finance'],
  sport: ['sport'],
  'sport/#': ['sport', 'sport/', 'sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking'],
  'sport/+': ['sport/', 'sport/tennis'],
  'sport/tennis/+': ['sport/tennis/player1'],
  'sport/+/player1': ['sport/tennis/player1'],
  '+/tennis/#': ['sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking'],
  'sport/tennis/player1/#': ['sport/tennis/player1', 'sport/tennis/player1/ranking'],
  '+/#': ['sport', 'sport/', 'sport/tennis', 'sport/tennis/player1', 'sport/tennis/player1/ranking', '/', '/finance'],
  'sport/': ['sport/'],
  '/': ['/'],
  Sport: [],
  'sport/tennis/player1/ranking/#': ['sport/tennis/player1/ranking'],
  'sport/+/+/+/#': ['sport/tennis/player1/ranking'],
}

const TOPICS = [
  'sport',
  'sport/',
  'sport/tennis',
  'sport/tennis/player1',
  'sport/tennis/player1/ranking',
  '/',
  '/finance',
]

describe('4.7.1 wildcards', () => {
  it.each(['+', 'a/+', '#', 'a/#', 'a+', '+a/b'])('[MQTT5-4.7.0-1] the topic name %s is refused', (topic) => {
    const world = new World()
    const listener = subscriber(world, 's', '#')
    const client = world.connect('p')
    client.send(publish(topic, 'x'))
    expect(client.goodbye()).toBe(0x90)
    expect(listener.received()).toEqual([])
  })

  it.each(['#', 'a/#', '/#', '+/#', 'a/+/#', 'a//#', '$share/g/#'])(
    '[MQTT5-4.7.1-1] the filter %s is taken',
    (filter) => {
      const client = new World().connect('s')
      client.send(subscribe(1, filter))
      expect(client.next('SUBACK').reasonCodes).toEqual([2])
    },
  )

  it.each(['#/', '#/a', 'a/#/b', 'a#', 'a/b#', '##', 'a/##', '#+', '+#', 'a/#b', '$share/g/#/a'])(
    '[MQTT5-4.7.1-1] the filter %s is refused, in SUBSCRIBE and in UNSUBSCRIBE',
    (filter) => {
      const world = new World()
      for (const packet of [subscribe(1, filter), unsubscribe(1, filter)]) {
        const client = world.connect('s')
        client.send(packet)
        expect(client.goodbye()).toBe(0x8f)
      }
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it.each(['+', '+/a', 'a/+', 'a/+/b', '+/+', '/+', '+/', '+/tennis/#', '$share/g/+/a'])(
    '[MQTT5-4.7.1-2] the filter %s is taken',
    (filter) => {
      const client = new World().connect('s')
      client.send(subscribe(1, filter))
      expect(client.next('SUBACK').reasonCodes).toEqual([2])
    },
  )

  it.each(['a+', '+a', 'a/b+', 'a/+b', 'a/+b/c', '++', '+a/#', '$share/g/a+'])(
    '[MQTT5-4.7.1-2] the filter %s is refused, in SUBSCRIBE and in UNSUBSCRIBE',
    (filter) => {
      const world = new World()
      for (const packet of [subscribe(1, filter), unsubscribe(1, filter)]) {
        const client = world.connect('s')
        client.send(packet)
        expect(client.goodbye()).toBe(0x8f)
      }
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it.each(Object.entries(MATCHES))(
    '[MQTT5-4.7.1-1, MQTT5-4.7.1-2] %s matches what it should, live and retained',
    (filter, expected) => {
      const world = new World()
      const live = subscriber(world, 'live', filter)
      world.connect('p').send(...TOPICS.map((topic) => publish(topic, topic, { retain: true })))
      expect(payloads(live)).toEqual(expected)
      expect(payloads(subscriber(world, 'late', filter)).toSorted()).toEqual([...expected].toSorted())
    },
  )
})

/** Publishes as the broker itself does: clients cannot use names with '$'. */
function announce(world: World, topic: string): void {
  const bytes = new TextEncoder().encode('own')
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 0, end: bytes.length }
  const rest = { durable: false, retain: true, expiresAtMs: 0, publisher: undefined }
  world.vhost.publish(
    world.vhost.router.routeOf(topic),
    new Message({ topic, codec: mqtt3Headers, assurance: 0, ...at, ...rest }),
    world.vhost.traffic,
  )
  world.run()
}

describe('4.7.2 names that start with $', () => {
  it.each(['#', '+', '+/#', '+/monitor/Clients', '+/+/+', '+/monitor/#', '$share/g/#', '$share/g/+/monitor/Clients'])(
    '[MQTT5-4.7.2-1] the filter %s does not match them, live or retained',
    (filter) => {
      const world = new World()
      const client = subscriber(world, 's', filter)
      announce(world, '$SYS/monitor/Clients')
      announce(world, '$SYS')
      take(client, filter)
      expect(client.received()).toEqual([])
    },
  )

  it.each(['$SYS/#', '$SYS/monitor/+', '$SYS/+/Clients', '$SYS/monitor/Clients', '$share/g/$SYS/#'])(
    '[MQTT5-4.7.2-1] the filter %s, which names them, does',
    (filter) => {
      const world = new World()
      const client = subscriber(world, 's', filter)
      announce(world, '$SYS/monitor/Clients')
      expect(onlyPublish(client)).toMatchObject({ topic: '$SYS/monitor/Clients', payload: 'own' })
    },
  )

  it('[MQTT5-4.7.2-1] a $ in another place is a character like any other', () => {
    const world = new World()
    const client = subscriber(world, 's', '#')
    world.connect('p').send(publish('a/$SYS', '1', { retain: true }), publish('a$', '2'))
    expect(payloads(client)).toEqual(['1', '2'])
    expect(payloads(subscriber(world, 's2', 'a/+'))).toEqual(['1'])
  })

  it.each(['$SYS/x', '$x', '$', '$share/g/a'])('[MQTT5-4.7.2-a] a client cannot publish to %s', (topic) => {
    const world = new World()
    const listener = world.connect('s')
    for (const filter of ['$SYS/#', '$x', '$', 'a', '#']) take(listener, filter)
    const client = world.connect('p')
    client.send(
      publish(topic, '0'),
      publish(topic, '1', { qos: 1, id: 1, retain: true }),
      publish(topic, '2', { qos: 2, id: 2 }),
    )
    expect(client.received()).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode: 0x87 },
      { type: 'PUBREC', id: 2, reasonCode: 0x87 },
    ])
    expect(listener.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('4.7.3 what names and filters are made of', () => {
  it('[MQTT5-4.7.3-1] an empty topic name or filter is refused', () => {
    const world = new World()
    const refused = [
      [publish('', 'x'), 0x82],
      [subscribe(1, ''), 0x8f],
      [subscribe(1, 'a', ''), 0x8f],
      [unsubscribe(1, ''), 0x8f],
    ] as const
    for (const [packet, reason] of refused) {
      const client = world.connect('c')
      client.send(packet)
      expect(client.goodbye()).toBe(reason)
    }
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it('[MQTT5-4.7.3-1] one character is enough, be it a slash or a space', () => {
    const world = new World()
    for (const name of ['/', ' ', 'x', 'ü']) {
      const client = subscriber(world, 's', name)
      world.connect('p').send(publish(name, name))
      expect(payloads(client)).toEqual([name])
    }
  })

  it('[MQTT5-4.7.3-2] U+0000 in a topic name or filter is malformed', () => {
    const world = new World()
    for (const name of ['\0', 'a\0b', 'a/\0']) {
      for (const packet of [publish(name, 'x'), subscribe(1, name), unsubscribe(1, name)]) {
        const client = world.connect('c')
        client.send(packet)
        expect(client.goodbye()).toBe(0x81)
      }
    }
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it.each([
    ['one level', 'x'.repeat(65_535)],
    ['two bytes each', 'ü'.repeat(32_767)],
    ['100 levels', `${'y'.repeat(655)}/`.repeat(99)],
  ])('[MQTT5-4.7.3-3] a name and filter of about 65,535 bytes (%s) works', (_name, topic) => {
    const world = new World()
    const client = subscriber(world, 's', topic)
    world.connect('p').send(publish(topic, 'x', { qos: 1, id: 1, retain: true }))
    expect(onlyPublish(client).topic).toBe(topic)
    expect(onlyPublish(subscriber(world, 's2', '#')).topic).toBe(topic)
    client.send(unsubscribe(1, topic))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
  })

  it.each([
    ['composed and decomposed letters', 'caf\u00e9', 'cafe\u0301'],
    ['upper and lower case', 'Accounts', 'ACCOUNTS'],
    ['a slash at the end', 'a/b', 'a/b/'],
    ['a slash at the beginning', 'a/b', '/a/b'],
    ['doubled slashes', 'a/b', 'a//b'],
    ['a space at the end', 'a', 'a '],
    ['a byte order mark', 'a', '\uFEFFa'],
    ['a private character', '\uE000', '\uFFFD'],
    ['dots', 'a/./b', 'a/b'],
    ['percent signs', 'a%2Fb', 'a/b'],
  ])('[MQTT5-4.7.3-4] %s make another name, which arrives as it was sent', (_name, one, other) => {
    const world = new World()
    const client = subscriber(world, 's', one)
    const all = subscriber(world, 'all', '#')
    world.connect('p').send(publish(one, 'one', { retain: true }), publish(other, 'other', { retain: true }))
    expect(payloads(client)).toEqual(['one'])
    expect(all.publishes().map(({ topic }) => topic)).toEqual([one, other])
    expect(payloads(subscriber(world, 'late', other))).toEqual(['other'])
  })

  it('[MQTT5-4.7.3-4] names are the same after a restart, byte order marks included', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const first = await World.withLog({}, env, engine)
    const names = ['\uFEFFa', 'a', 'caf\u00e9', 'cafe\u0301', '\uFEFF/\uFEFF']
    const away = await first.join('away', lasting())
    await away.finish(subscribe(1, '\uFEFFa'))
    away.next('SUBACK')
    away.vanish()
    const client = await first.join('p')
    await client.finish(...names.map((name, index) => publish(name, name, { qos: 1, id: index + 1, retain: true })))
    const second = await World.withLog({}, env, engine)
    const got = subscriber(second, 's', '#').publishes()
    expect(new Set(got.map(({ topic }) => topic))).toEqual(new Set(names))
    expect(got.map(({ payload }) => payload)).toEqual(got.map(({ topic }) => topic))
    const back = await second.join('away', lasting())
    expect(back.publishes().map(({ topic }) => topic)).toEqual(['\uFEFFa'])
    await (await second.join('p')).finish(publish('\uFEFFa', 'still'), publish('a', 'other'))
    expect(payloads(back)).toEqual(['still'])
  })
})
