/** PUBLISH: the properties that go from publisher to subscriber untouched. [MQTT5 §3.3.2.3] */
import { describe, expect, it } from 'vitest'
import { type Part, type Properties, hex, prop, publish, u16, World } from '../../harness.ts'
import { lasting, onlyPublish, subscriber, take } from './scenes.ts'

/** The ways from a publisher to a subscriber that treat a message differently on the inside. */
const ROUTES: readonly (readonly [name: string, through: (properties: readonly Part[]) => Properties])[] = [
  ...([0, 1, 2] as const).map(
    (qos) => [`at QoS ${qos}`, (properties: readonly Part[]) => passed(qos, properties)] as const,
  ),
  ['at a lower QoS', (properties) => passed(2, properties, { filter: 'a', qos: 1 })],
  [
    'with a topic alias before and an expiry among them taken out, and others put in',
    (properties) => among(properties, prop('topicAlias', 1), prop('messageExpiryInterval', 9)),
  ],
  [
    'with an expiry before and a topic alias among them taken out, and others put in',
    (properties) => among(properties, prop('messageExpiryInterval', 9), prop('topicAlias', 1)),
  ],
  [
    'to a client that was away',
    (properties) => {
      const world = new World()
      subscriber(world, 's', 'a', lasting()).hangUp()
      world.connect('p').send(publish('a', 'ok', { qos: 1, id: 1, properties }))
      return onlyPublish(world.connect('s', lasting())).properties
    },
  ],
  [
    'sent again',
    (properties) => {
      const world = new World()
      const client = subscriber(world, 's', 'a', lasting())
      world.connect('p').send(publish('a', 'ok', { qos: 2, id: 1, properties }))
      client.vanish()
      return onlyPublish(world.connect('s', lasting())).properties
    },
  ],
  [
    'as a retained message',
    (properties) => {
      const world = new World()
      world.connect('p').send(publish('a', 'ok', { retain: true, properties }))
      return onlyPublish(subscriber(world, 's', 'a')).properties
    },
  ],
  [
    'as a will',
    (properties) => {
      const world = new World()
      const client = subscriber(world, 's', 'a')
      world.connect('p', { will: { topic: 'a', payload: 'ok', qos: 1, properties } }).vanish()
      return onlyPublish(client).properties
    },
  ],
  ['through a shared subscription', (properties) => passed(1, properties, '$share/group/a')],
]

/** To a subscriber for whom the broker adds alias, expiry and subscription identifier of its own. */
function among(properties: readonly Part[], before: Uint8Array, between: Uint8Array): Properties {
  const world = new World()
  const client = world.connect('s', { properties: [prop('topicAliasMaximum', 5)] })
  take(client, 'a-long-topic', prop('subscriptionIdentifier', 300))
  const mixed = [before, ...properties.slice(0, 1), between, ...properties.slice(1)]
  world.connect('p').send(publish('a-long-topic', 'ok', { properties: mixed }))
  const { messageExpiryInterval, subscriptionIdentifiers, topicAlias, ...rest } = onlyPublish(client).properties
  expect([messageExpiryInterval, subscriptionIdentifiers, topicAlias]).toEqual([9, [300], 1])
  return rest
}

function passed(qos: 0 | 1 | 2, properties: readonly Part[], filter: Parameters<typeof take>[1] = 'a'): Properties {
  const world = new World()
  const client = subscriber(world, 's', filter)
  world.connect('p').send(publish('a', 'ok', { qos, ...(qos > 0 && { id: 1 }), properties }))
  return onlyPublish(client).properties
}

describe.each(ROUTES)('%s', (_name, through) => {
  it.each([0, 1])('[MQTT5-3.3.2-4] Payload Format Indicator %i reaches the subscriber', (value) => {
    expect(through([prop('payloadFormatIndicator', value)])).toEqual({ payloadFormatIndicator: value })
  })

  it('[MQTT5-3.3.2-15] the Response Topic reaches the subscriber', () => {
    expect(through([prop('responseTopic', 'größe/antwort/1')])).toEqual({ responseTopic: 'größe/antwort/1' })
  })

  it('[MQTT5-3.3.2-16] Correlation Data reaches the subscriber, whatever bytes it is', () => {
    const correlationData = hex('00 ff c3 28 0d 0a 26 23')
    expect(through([prop('correlationData', correlationData)])).toEqual({ correlationData })
    expect(through([prop('correlationData', '')])).toEqual({ correlationData: new Uint8Array(0) })
  })

  it('[MQTT5-3.3.2-20] the Content Type reaches the subscriber', () => {
    expect(through([prop('contentType', 'text/plain; charset="utf-8"')])).toEqual({
      contentType: 'text/plain; charset="utf-8"',
    })
    expect(through([prop('contentType', '')])).toEqual({ contentType: '' })
  })

  it('[MQTT5-3.3.2-17, MQTT5-3.3.2-18] all User Properties reach the subscriber, in order and with repeats', () => {
    const userProperties: [string, string][] = [
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
      ['', ''],
      ['a', '\uFEFFgrün'],
      ['10', 'x'],
      ['2', 'y'],
    ]
    expect(through(userProperties.map((pair) => prop('userProperty', pair)))).toEqual({ userProperties })
  })

  it('[MQTT5-3.3.2-17, MQTT5-3.3.2-18] they keep their order among other properties', () => {
    const properties = [
      prop('userProperty', ['z', '1']),
      prop('contentType', 'c'),
      prop('userProperty', ['y', '2']),
      prop('correlationData', [1, 2]),
      prop('responseTopic', 'r'),
      prop('userProperty', ['z', '1']),
      prop('payloadFormatIndicator', 1),
    ]
    expect(through(properties)).toEqual({
      userProperties: [
        ['z', '1'],
        ['y', '2'],
        ['z', '1'],
      ],
      contentType: 'c',
      correlationData: Uint8Array.of(1, 2),
      responseTopic: 'r',
      payloadFormatIndicator: 1,
    })
  })

  it('[MQTT5-3.3.2-4, MQTT5-3.3.2-15, MQTT5-3.3.2-16, MQTT5-3.3.2-17, MQTT5-3.3.2-20] a message without them gets none', () => {
    expect(through([])).toEqual({})
  })
})

describe('properties that must be well-formed', () => {
  it.each([
    ['MQTT5-3.3.2-13', 'responseTopic'],
    ['MQTT5-3.3.2-19', 'contentType'],
  ] as const)('[%s] %s that is not UTF-8 ends the connection', (_id, name) => {
    for (const value of [hex('c3'), hex('ed a0 80'), hex('61 00'), hex('ff')]) {
      const world = new World()
      const listener = subscriber(world, 's', '#')
      const client = world.connect('p')
      client.send(publish('a', 'x', { properties: [prop(name, value)] }))
      expect(client.goodbye()).toBe(0x81)
      expect(listener.received()).toEqual([])
    }
  })

  it('[MQTT5-3.3.2-14] a Response Topic with a wildcard is a protocol error', () => {
    for (const topic of ['+', '#', 'a/+/b', 'a/#', 'a#']) {
      const world = new World()
      const listener = subscriber(world, 's', '#')
      const client = world.connect('p')
      client.send(publish('a', 'x', { qos: 1, id: 1, properties: [prop('responseTopic', topic)] }))
      expect(client.goodbye()).toBe(0x82)
      expect(listener.received()).toEqual([])
    }
  })

  it('[MQTT5-3.3.2.3.4-a] Topic Alias twice is a protocol error', () => {
    expect(answersWhenTwice(prop('topicAlias', 1))).toEqual([0x82, 0x82])
  })

  it('[MQTT5-3.3.2.3.5-a] Response Topic twice is a protocol error', () => {
    expect(answersWhenTwice(prop('responseTopic', 'r'))).toEqual([0x82, 0x82])
  })

  it('[MQTT5-3.3.2.3.6-a] Correlation Data twice is a protocol error', () => {
    expect(answersWhenTwice(prop('correlationData', [7]))).toEqual([0x82, 0x82])
  })

  it('[MQTT5-3.3.2.3.9-a] Content Type twice is a protocol error', () => {
    expect(answersWhenTwice(prop('contentType', 'c'))).toEqual([0x82, 0x82])
  })
})

/** DISCONNECT reasons for the property twice, side by side and with another between. Once must be fine; nobody gets the others. */
function answersWhenTwice(property: Uint8Array): number[] {
  const world = new World()
  const listener = subscriber(world, 's', '#')
  world.connect('p').send(publish('a', 'once', { properties: [property] }))
  expect(onlyPublish(listener).payload).toBe('once')
  const reasons = [[], [prop('userProperty', ['k', 'v'])]].map((between) => {
    const client = world.connect('p')
    client.send(publish('a', 'twice', { properties: [property, ...between, property] }))
    return client.goodbye()
  })
  expect(listener.received()).toEqual([])
  return reasons
}

describe('3.3.2.3.2 Payload Format Indicator', () => {
  const text = [prop('payloadFormatIndicator', 1)]
  const notText = hex('74 65 ff')

  it('a payload declared as UTF-8 that is none is refused: PUBACK or PUBREC 0x99, and nobody gets it', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', notText, { qos: 1, id: 1, properties: text }))
    expect(client.next('PUBACK')).toMatchObject({ id: 1, reasonCode: 0x99 })
    client.send(publish('a', notText, { qos: 2, id: 2, properties: text, retain: true }))
    expect(client.next('PUBREC')).toMatchObject({ id: 2, reasonCode: 0x99 })
    expect(listener.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
    // The refusal ended the exchange, so the identifier carries a new message.
    client.send(publish('a', 'right', { qos: 2, id: 2, properties: text }))
    expect(client.next('PUBREC')).toMatchObject({ id: 2, reasonCode: 0 })
    expect(onlyPublish(listener).payload).toBe('right')
  })

  it('at QoS 0, which has no answer, it ends the connection with 0x99', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', notText, { properties: text }))
    expect(client.goodbye()).toBe(0x99)
    expect(listener.received()).toEqual([])
  })

  it('without the indicator, or with 0, a payload may be any bytes', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    client.send(publish('a', notText), publish('a', notText, { properties: [prop('payloadFormatIndicator', 0)] }))
    expect(listener.publishes().map(({ payloadBytes }) => payloadBytes)).toEqual([notText, notText])
  })

  it('a value other than 0 and 1 is a protocol error', () => {
    const client = new World().connect('p')
    client.send(publish('a', 'x', { properties: [prop('payloadFormatIndicator', 2)] }))
    expect(client.goodbye()).toBe(0x82)
  })

  it('a property length that reaches into the payload or beyond the packet ends the connection', () => {
    const world = new World()
    const client = world.connect('p')
    client.send(Uint8Array.of(0x30, 6, ...u16(1), 0x61, 200, 1, 1))
    expect(client.goodbye()).toBe(0x81)
  })
})
