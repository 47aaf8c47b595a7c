import { Message } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { mqtt3Headers } from '../../../src/headers.ts'
import { connect, frame, publish, type QoS, subscribe, u16, unsubscribe, utf8, type World } from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

/** Which of `topics` a subscriber of `filter` gets, live and retained. */
function matched(filter: string, topics: readonly string[]): { live: string[]; retained: string[] } {
  const world = world311({ settings: { maxTopicLevels: 65_536 } })
  const client = watch(world, filter)
  const publisher = world.connect('publisher')
  for (const topic of topics) publisher.send(publish(topic, 'x', { retain: true }))
  const live = client.publishes().map(({ topic }) => topic)
  const late = watch(world, filter, 'late').publishes()
  return { live, retained: topics.filter((name) => late.some(({ topic }) => topic === name)) }
}

/** As the broker publishes about itself. */
function publishOwn(world: World, topic: string): void {
  const bytes = new TextEncoder().encode('own')
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 0, end: bytes.length }
  const fields = { assurance: 0, durable: false, retain: true, expiresAtMs: 0, publisher: undefined } as const
  const message = new Message({ topic, codec: mqtt3Headers, ...at, ...fields })
  world.vhost.publish(world.vhost.router.routeOf(topic), message, world.vhost.traffic)
  world.run()
}

describe('a topic name', () => {
  it.each(['+', '#', 'a/+', 'a/#', 'a+b', 'a#b', '#/a', '+/a', 'a/+/b'])(
    '[MQTT311-4.7.1-1] %j, with a wildcard, ends the connection, in PUBLISH and in a will',
    (topic) => {
      const world = world311()
      const watcher = watch(world)
      const publisher = world.connect('publisher')
      publisher.send(publish(topic, 'x'))
      const dying = world.open()
      dying.send(connect({ clientId: 'dying', will: { topic } }))
      expect([publisher.isClosed, dying.isClosed]).toEqual([true, true])
      expect([publisher.received(), dying.received(), watcher.received()]).toEqual([[], [], []])
    },
  )

  it('[MQTT311-4.7.3-1] that is empty ends the connection', () => {
    for (const qos of [0, 1, 2] as QoS[]) {
      const client = world311().connect('c1')
      client.send(publish('', 'x', qos === 0 ? {} : { qos, id: 1 }))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    }
  })

  it.each(['/', ' ', 'a', '//'])('[MQTT311-4.7.3-1] %j is long enough', (topic) => {
    expect(matched(topic, [topic])).toEqual({ live: [topic], retained: [topic] })
  })

  it('[MQTT311-4.7.3-2] with U+0000 ends the connection', () => {
    for (const topic of ['\0', 'a\0', 'a/\0/b']) {
      const client = world311().connect('c1')
      client.send(publish(topic, 'x'))
      expect(client.isClosed).toBe(true)
    }
  })

  it('[MQTT311-4.7.3-3] of 65,535 bytes is taken, and passed on whole', () => {
    const longest = `${'ü'.repeat(32_700)}/${'x'.repeat(134)}`
    expect(Buffer.byteLength(longest)).toBe(65_535)
    for (const filter of [longest, '#', `${longest.split('/')[0]}/+`]) {
      expect(matched(filter, [longest, longest.slice(1)]).live).toContain(longest)
    }
  })

  it('[MQTT311-4.7.3-3] of 65,535 bytes can be subscribed to and unsubscribed from', () => {
    const longest = 'x'.repeat(65_535)
    const client = watch(world311(), longest)
    client.send(publish(longest, 'x'))
    expect(client.publishes()).toMatchObject([{ topic: longest }])
    client.send(unsubscribe(2, longest))
    client.next('UNSUBACK')
    client.send(publish(longest, 'x'), publish(longest.slice(1), 'x'))
    expect(client.received()).toEqual([])
  })
})

describe('a topic filter', () => {
  it.each(['a#', 'a/b#', '#/a', 'a/#/b', 'a/##', '##', '#a', '/#/', 'a/#/'])(
    "[MQTT311-4.7.1-2] %j, with '#' beside something or before the end, ends the connection",
    (filter) => {
      for (const packet of [subscribe(1, 'a', filter), unsubscribe(1, filter)]) {
        const world = world311()
        const client = world.connect('c1')
        client.send(packet)
        expect(client.received()).toEqual([])
        expect(client.isClosed).toBe(true)
        expect(world.vhost.router.bindingCount).toBe(0)
      }
    },
  )

  it.each(['a+', '+a', 'a/+b', 'a/b+/c', '++', 'a/++', '+#', '#+'])(
    "[MQTT311-4.7.1-3] %j, with '+' beside something, ends the connection",
    (filter) => {
      for (const packet of [subscribe(1, 'a', filter), unsubscribe(1, filter)]) {
        const client = world311().connect('c1')
        client.send(packet)
        expect(client.received()).toEqual([])
        expect(client.isClosed).toBe(true)
      }
    },
  )

  it.each([
    ['#', ['a', 'a/b', '/', '/a', 'a/', '//'], ['$a', '$SYS/a']],
    ['a/#', ['a', 'a/', 'a/b', 'a/b/c', 'a//'], ['b', 'ab', 'A', '/a', 'ab/c']],
    ['/#', ['/', '/a', '/a/b', '//'], ['a', 'a/']],
    ['a/b/#', ['a/b', 'a/b/', 'a/b/c/d'], ['a', 'a/', 'a/bc', 'a//b']],
    ['sport/tennis/player1/#', ['sport/tennis/player1', 'sport/tennis/player1/ranking'], ['sport/tennis/player2']],
  ])('[MQTT311-4.7.1-2] %j matches its parent and everything below', (filter, yes, no) => {
    const topics = [...yes, ...no.filter((topic) => !topic.startsWith('$'))]
    expect(matched(filter, topics)).toEqual({ live: yes, retained: yes })
  })

  it.each([
    ['+', ['a', 'b b'], ['/', 'a/', '/a', 'a/b']],
    ['a/+', ['a/b', 'a/'], ['a', 'a/b/c', 'b/c', 'a//']],
    ['+/a', ['b/a', '/a'], ['a', 'b/a/', 'b/b/a']],
    ['a/+/c', ['a/b/c', 'a//c'], ['a/c', 'a/b/b/c', 'a/b/c/d']],
    ['+/+', ['a/b', '/a', 'a/', '/'], ['a', 'a/b/c', '//']],
    ['/+', ['/a', '/'], ['a', 'a/b', '//']],
    ['+/+/+', ['a/b/c', '//', '/b/'], ['a/b', 'a/b/c/d']],
    ['+/b/#', ['a/b', '/b/c', 'a/b/c/d'], ['a', 'b', 'a/c/b']],
  ])("[MQTT311-4.7.1-3] %j: '+' stands for exactly one level, an empty one included", (filter, yes, no) => {
    expect(matched(filter, [...yes, ...no])).toEqual({ live: yes, retained: yes })
  })

  it('[MQTT311-4.7.3-1] that is empty ends the connection', () => {
    for (const packet of [frame(0x82, u16(1), utf8(''), 0), frame(0xa2, u16(1), utf8(''))]) {
      const client = world311().connect('c1')
      client.send(packet)
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    }
  })

  it('[MQTT311-4.7.3-2] with U+0000 ends the connection', () => {
    for (const filter of ['\0', 'a\0', 'a/\0/#']) {
      for (const packet of [subscribe(1, filter), unsubscribe(1, filter)]) {
        const client = world311().connect('c1')
        client.send(packet)
        expect(client.isClosed).toBe(true)
      }
    }
  })
})

describe("names that start with '$'", () => {
  it.each(['#', '+', '+/broker', '+/broker/#', '+/+', '+/#'])('[MQTT311-4.7.2-1] are not matched by %j', (filter) => {
    const world = world311()
    const client = watch(world, filter)
    for (const topic of ['$SYS', '$SYS/broker', '$SYS/broker/uptime', '$other/broker']) publishOwn(world, topic)
    expect(client.received()).toEqual([])
    expect(watch(world, filter, 'late').received()).toEqual([])
  })

  it.each([
    ['$SYS/#', ['$SYS', '$SYS/broker', '$SYS/broker/uptime']],
    ['$SYS/+', ['$SYS/broker']],
    ['$SYS/+/uptime', ['$SYS/broker/uptime']],
    ['$other/broker', ['$other/broker']],
  ])("[MQTT311-4.7.2-1] are matched by %j, which has the '$' itself", (filter, topics) => {
    const world = world311()
    const client = watch(world, filter)
    for (const topic of ['$SYS', '$SYS/broker', '$SYS/broker/uptime', '$other/broker']) publishOwn(world, topic)
    expect(client.publishes().map(({ topic }) => topic)).toEqual(topics)
    expect(
      watch(world, filter, 'late')
        .publishes()
        .map(({ topic }) => topic)
        .sort(),
    ).toEqual(topics)
  })

  it("[MQTT311-4.7.2-1] are another matter than names with '$' further on", () => {
    const world = world311()
    const client = watch(world, '+/$SYS')
    world.connect('publisher').send(publish('a/$SYS', 'x'), publish('a$b/$SYS', 'y'))
    expect(lines(client.publishes())).toEqual(['a/$SYS x q0', 'a$b/$SYS y q0'])
  })

  it('[MQTT311-4.7.2-a] do not carry messages from client to client', async () => {
    const world = await kept311()
    const client = world.connect('reader')
    client.send(subscribe(1, '$SYS/#', '$mine/a', '$'))
    client.next('SUBACK')
    const publisher = world.connect('publisher')
    for (const topic of ['$SYS/broker/uptime', '$mine/a', '$']) {
      await publisher.finish(publish(topic, 'x', { retain: true }), publish(topic, 'x', { qos: 1, id: 1 }))
    }
    const dying = world.open()
    dying.send(connect({ clientId: 'dying', will: { topic: '$mine/a' } }))
    dying.vanish()
    expect(client.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('matching', () => {
  it('[MQTT311-4.7.3-4] neither normalises nor replaces any character', () => {
    const names = [
      'caf\u00e9', // composed
      'cafe\u0301', // decomposed
      'CAF\u00c9',
      '\u212b', // Ångström sign
      '\u00c5', // the letter it is normalised to
      'A\u030a',
      '\ufb01', // ligature fi
      'fi',
      '\uff21', // full width A
      'A',
      'a',
      '\ufffd', // what decoders put in place of bytes they do not know
      '\ufeffa',
      '\u200ba',
      'a ',
      ' a',
      '\u0001',
      '\u{1f600}',
      '%41',
      'a\\b',
      'ı',
      'I',
      'ſ',
      'S',
    ]
    const world = world311()
    const readers = names.map((name, index) => watch(world, name, `reader ${index}`))
    const publisher = world.connect('publisher')
    names.forEach((name, index) => publisher.send(publish(name, String(index))))
    readers.forEach((reader, index) => {
      expect(reader.publishes().map(({ topic, payload }) => [topic, payload])).toEqual([[names[index], String(index)]])
    })
  })

  it('[MQTT311-4.7.3-4] finds retained messages by exactly their name', async () => {
    const world = await kept311()
    const publisher = world.connect('publisher')
    await publisher.finish(
      publish('e/caf\u00e9', 'composed', { retain: true }),
      publish('e/cafe\u0301', 'decomposed', { retain: true }),
    )
    expect(watch(world, 'e/cafe\u0301', 'one').publishes()).toMatchObject([{ payload: 'decomposed' }])
    expect(watch(world, 'e/caf\u00e9', 'two').publishes()).toMatchObject([{ payload: 'composed' }])
    expect(watch(world, '+/+', 'three').publishes()).toHaveLength(2)
  })
})
