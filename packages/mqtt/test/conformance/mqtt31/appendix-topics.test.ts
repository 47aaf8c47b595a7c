import { describe, expect, it } from 'vitest'
import { connect, frame, publish, subscribe, u16, unsubscribe, utf8 } from '../../harness.ts'
import { lines, watch, world31 } from '../worlds.ts'

/** Which of `topics` a subscriber of `filter` gets, live and retained. */
function matched(filter: string, topics: readonly string[]): { live: string[]; retained: string[] } {
  const world = world31()
  const client = watch(world, filter)
  const publisher = world.connect('publisher')
  for (const topic of topics) publisher.send(publish(topic, 'x', { retain: true }))
  const live = client.publishes().map(({ topic }) => topic)
  const late = watch(world, filter, 'late').publishes()
  return { live, retained: topics.filter((name) => late.some(({ topic }) => topic === name)) }
}

describe('matching', () => {
  const cases: [clause: string, filter: string, yes: string[], no: string[]][] = [
    ['MQTT31-A-a', 'a/b', ['a/b'], ['ab', 'a', 'b', 'a.b', 'a/b/', 'a//b']],
    ['MQTT31-A-a', '+/+', ['a/b', 'a.b/c'], ['a', 'a/b/c']],
    ['MQTT31-A-b', '#', ['a', 'a/b', '/', '/a/b/c'], []],
    [
      'MQTT31-A-b',
      'finance/#',
      ['finance', 'finance/', 'finance/stock', 'finance/stock/ibm'],
      ['financed', '/finance'],
    ],
    ['MQTT31-A-b', 'finance/stock/ibm/#', ['finance/stock/ibm', 'finance/stock/ibm/closingprice'], ['finance/stock']],
    ['MQTT31-A-d', 'finance/stock/+', ['finance/stock/ibm', 'finance/stock/xyz'], ['finance/stock/ibm/closingprice']],
    ['MQTT31-A-d', 'finance/+', ['finance/stock', 'finance/'], ['finance', 'finance/stock/ibm']],
    ['MQTT31-A-d', '+', ['a', 'finance'], ['a/b', '/finance', 'a/']],
    ['MQTT31-A-e', 'finance/+/ibm', ['finance/stock/ibm', 'finance//ibm'], ['finance/ibm', 'finance/a/b/ibm']],
    ['MQTT31-A-e', '+/tennis/#', ['sport/tennis', 'sport/tennis/a'], ['tennis', 'sport/golf']],
    ['MQTT31-A-g', 'ACCOUNTS', ['ACCOUNTS'], ['Accounts', 'accounts']],
    ['MQTT31-A-h', 'Accounts payable', ['Accounts payable'], ['Accountspayable', 'Accounts', 'Accounts  payable']],
    ['MQTT31-A-h', ' /+', [' / ', ' /a b'], ['/a']],
    ['MQTT31-A-i', '+/+', ['/finance'], ['finance']],
    ['MQTT31-A-i', '/+', ['/finance'], ['finance', '/finance/a']],
    ['MQTT31-A-i', '/finance', ['/finance'], ['finance', '//finance']],
  ]
  it.each(cases)('[%s] %j', (_clause, filter, yes, no) => {
    expect(matched(filter, [...yes, ...no])).toEqual({ live: yes, retained: yes })
  })
})

describe('what ends the connection', () => {
  it.each(['finance#', 'a/b#', '#/a', 'finance/#/closingprice', '##', 'a/#/'])(
    "[MQTT31-A-c] '#' as in %j",
    (filter) => {
      for (const packet of [subscribe(1, 'a', filter), unsubscribe(1, filter)]) {
        const client = world31().connect('c1')
        client.send(packet)
        expect(client.received()).toEqual([])
        expect(client.isClosed).toBe(true)
      }
    },
  )

  it.each(['finance+', '+finance', 'a/b+', 'a/+b/c', '++', 'a/++'])("[MQTT31-A-e] '+' as in %j", (filter) => {
    for (const packet of [subscribe(1, 'a', filter), unsubscribe(1, filter)]) {
      const client = world31().connect('c1')
      client.send(packet)
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    }
  })

  it.each([
    ['to publish to', publish('', 'x')],
    ['to publish to with QoS 1', publish('', 'x', { qos: 1, id: 1 })],
    ['to subscribe to', frame(0x82, u16(1), utf8(''), 0)],
    ['to unsubscribe from', frame(0xa2, u16(1), utf8(''))],
  ])('[MQTT31-A-f] an empty topic %s', (_what, packet) => {
    const client = world31().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT31-A-f] an empty topic for a will', () => {
    const client = world31().open()
    client.send(connect({ clientId: 'c1', will: { topic: '' } }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it.each([
    ['to publish to', publish('a\0b', 'x')],
    ['to subscribe to', subscribe(1, 'a\0/#')],
    ['to unsubscribe from', unsubscribe(1, '\0')],
  ])('[MQTT31-A-j] U+0000 in a topic %s', (_what, packet) => {
    const client = world31().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe('levels and roots', () => {
  it('[MQTT31-A-k] there may be any number of roots', () => {
    const world = world31()
    const client = watch(world, '+/x')
    const publisher = world.connect('publisher')
    for (let root = 0; root < 2_000; root++) publisher.send(publish(`root ${root}/x`, 'x'))
    expect(new Set(client.publishes().map(({ topic }) => topic)).size).toBe(2_000)
  })

  it('[MQTT31-A-k] there may be as many levels as mqtt.maxTopicLevels says, and not more', () => {
    const world = world31({ settings: { maxTopicLevels: 5 } })
    const client = watch(world, 'a/b/c/d/+')
    world.connect('publisher').send(publish('a/b/c/d/e', 'five'))
    expect(lines(client.publishes())).toEqual(['a/b/c/d/e five q0'])
    for (const packet of [publish('a/b/c/d/e/f', 'six'), subscribe(1, 'a/b/c/d/e/f')]) {
      const other = world.connect('other')
      other.send(packet)
      expect(other.isClosed).toBe(true)
    }
  })

  it('[MQTT31-A-k] there may be a thousand levels where the operator says so', () => {
    const world = world31({ settings: { maxTopicLevels: 1_024 } })
    const deepest = '/'.repeat(1_023)
    const clients = [deepest, '+/'.repeat(1_023) + '+', `${deepest.slice(1)}#`, '#'].map((filter, index) =>
      watch(world, filter, `c${index}`),
    )
    world.connect('publisher').send(publish(deepest, 'x', { retain: true }))
    for (const client of clients) expect(client.publishes()).toMatchObject([{ topic: deepest, payload: 'x' }])
    expect(watch(world, `+${'/+'.repeat(1_023)}`, 'late').publishes()).toMatchObject([{ topic: deepest, retain: true }])
  })
})
