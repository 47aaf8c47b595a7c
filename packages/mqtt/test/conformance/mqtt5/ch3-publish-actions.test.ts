/** PUBLISH towards subscribers: overlapping subscriptions, their identifiers, their QoS. [MQTT5 §3.3.4] */
import { describe, expect, it } from 'vitest'
import { prop, publish, subscribeWith, unsubscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, subscriber, take } from './scenes.ts'

function sorted(ids: readonly number[] | undefined): readonly number[] | undefined {
  return ids?.toSorted((first, second) => first - second)
}

describe('3.3.4 overlapping subscriptions', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
  ] as const)(
    '[MQTT5-3.3.4-2] a QoS %i message comes once, with the highest QoS that a matching subscription allows',
    (qos, expected) => {
      const world = new World()
      const client = subscriber(world, 's', { filter: 'a/b', qos: 0 })
      take(client, { filter: 'a/#', qos: 2 })
      take(client, { filter: '+/b', qos: 1 })
      take(client, { filter: 'other', qos: 2 })
      world.connect('p').send(publish('a/b', 'x', { qos, ...(qos > 0 && { id: 1 }) }))
      expect(onlyPublish(client)).toMatchObject({ payload: 'x', qos: expected })
    },
  )

  it('[MQTT5-3.3.4-2] the highest QoS is that of the matching subscriptions alone', () => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a/b', qos: 0 })
    take(client, { filter: 'a/+', qos: 1 })
    take(client, { filter: 'b/#', qos: 2 })
    const publisher = world.connect('p')
    publisher.send(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(onlyPublish(client).qos).toBe(1)
    // It falls when the subscription that allowed it goes.
    client.send(unsubscribe(1, 'a/+'))
    client.next('UNSUBACK')
    publisher.send(publish('a/b', 'x', { qos: 2, id: 2 }))
    expect(onlyPublish(client).qos).toBe(0)
  })

  it('[MQTT5-3.3.4-3, MQTT5-3.3.4-4] the one copy has the identifiers of all that matched, and of no other', () => {
    const world = new World()
    const client = world.connect('s')
    take(client, 'a/#', prop('subscriptionIdentifier', 1))
    take(client, 'a/+', prop('subscriptionIdentifier', 268_435_455))
    take(client, { filter: 'a/b', qos: 0 }, prop('subscriptionIdentifier', 128))
    take(client, '+/b')
    take(client, 'b', prop('subscriptionIdentifier', 99))
    world.connect('p').send(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(sorted(onlyPublish(client).properties.subscriptionIdentifiers)).toEqual([1, 128, 268_435_455])
  })

  it('[MQTT5-3.3.4-4] an identifier that several matching subscriptions share comes once for each', () => {
    const world = new World()
    const client = world.connect('s')
    client.send(subscribeWith(1, [prop('subscriptionIdentifier', 7)], 'a/#', 'a/b', 'c'))
    client.next('SUBACK')
    world.connect('p').send(publish('a/b', 'x'))
    expect(onlyPublish(client).properties.subscriptionIdentifiers).toEqual([7, 7])
  })

  it('[MQTT5-3.3.4-3] a message for subscriptions without identifier has none', () => {
    const world = new World()
    const client = world.connect('s')
    take(client, 'other', prop('subscriptionIdentifier', 3))
    take(client, 'a/#')
    world.connect('p').send(publish('a/b', 'x', { qos: 1, id: 1 }))
    expect(onlyPublish(client).properties).toEqual({})
  })

  it('[MQTT5-3.3.4-3] identifiers come with messages that waited, are sent again, or were retained', () => {
    const world = new World()
    const client = world.connect('s', lasting())
    take(client, 'a/#', prop('subscriptionIdentifier', 4))
    take(client, 'a/b', prop('subscriptionIdentifier', 5))
    client.hangUp()
    world.connect('p').send(publish('a/b', 'x', { qos: 1, id: 1, retain: true }))
    const second = world.connect('s', lasting())
    expect(sorted(onlyPublish(second).properties.subscriptionIdentifiers)).toEqual([4, 5])
    second.vanish()
    const third = world.connect('s', lasting())
    expect(sorted(onlyPublish(third).properties.subscriptionIdentifiers)).toEqual([4, 5])
    // A retained message is sent because of one subscription, and has the identifier of that one.
    take(third, 'a/b', prop('subscriptionIdentifier', 6))
    expect(onlyPublish(third)).toMatchObject({ retain: true, properties: { subscriptionIdentifiers: [6] } })
  })

  it('[MQTT5-3.3.4-5] copies for an own and for a shared subscription each have their own identifier', () => {
    const world = new World()
    const client = world.connect('s')
    take(client, 'a/#', prop('subscriptionIdentifier', 1))
    take(client, '$share/g/a/b', prop('subscriptionIdentifier', 2))
    take(client, '$share/h/a/b')
    world.connect('p').send(publish('a/b', 'x', { qos: 1, id: 1 }))
    const ids = client.publishes().map(({ properties }) => properties.subscriptionIdentifiers)
    expect(ids).toHaveLength(3)
    expect(ids).toEqual(expect.arrayContaining([[1], [2], undefined]))
  })

  it('[MQTT5-3.3.4-e] each receiver gets its own identifiers only', () => {
    const world = new World()
    const clients = [11, 22, undefined].map((id, index) => {
      const client = world.connect(`s${index}`)
      take(client, 'a/b', ...(id === undefined ? [] : [prop('subscriptionIdentifier', id)]))
      return client
    })
    const publisher = world.connect('p')
    publisher.send(publish('a/b', 'x'), publish('a/b', 'y', { qos: 1, id: 1 }))
    const ids = clients.map((client) => client.publishes().map(({ properties }) => properties.subscriptionIdentifiers))
    expect(ids).toEqual([
      [[11], [11]],
      [[22], [22]],
      [undefined, undefined],
    ])
  })

  it('[MQTT5-3.3.4-e] members of one shared subscription get the identifier they gave themselves', () => {
    const world = new World()
    const clients = [1, 2, 3].map((id) => {
      const client = world.connect(`s${id}`)
      take(client, '$share/g/a', prop('subscriptionIdentifier', id))
      return client
    })
    const publisher = world.connect('p')
    for (let id = 1; id <= 9; id++) publisher.send(publish('a', 'x', { qos: 1, id }))
    const ids = clients.map((client) => client.publishes().map(({ properties }) => properties.subscriptionIdentifiers))
    expect(ids.flat()).toHaveLength(9)
    expect(ids.map((own) => [...new Set(own.flat())])).toEqual([[1], [2], [3]])
  })

  it.each([0, 1, 2] as const)(
    '[MQTT5-3.3.4-6] a QoS %i PUBLISH with a subscription identifier is a protocol error',
    (qos) => {
      const world = new World()
      const listener = subscriber(world, 's', '#')
      const client = world.connect('p')
      const properties = [prop('subscriptionIdentifier', 1)]
      client.send(publish('a', 'x', { qos, ...(qos > 0 && { id: 1 }), properties }))
      expect(client.goodbye()).toBe(0x82)
      expect(listener.received()).toEqual([])
    },
  )
})

describe('3.8.4 the QoS of what goes out', () => {
  it('[MQTT5-3.8.4-8] is the lower of the published and the granted one', () => {
    for (const granted of [0, 1, 2] as const) {
      const world = new World()
      const client = subscriber(world, 's', { filter: 'a', qos: granted })
      world
        .connect('p')
        .send(publish('a', '0'), publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
      const got = client.publishes().map(({ payload, qos }) => [payload, qos])
      expect(got).toEqual([0, 1, 2].map((qos) => [`${qos}`, Math.min(qos, granted)]))
    }
  })

  it('[MQTT5-3.8.4-8] is so for retained messages and for wills, too', () => {
    for (const granted of [0, 1, 2] as const) {
      const world = new World()
      world.connect('p').send(publish('a', 'kept', { qos: 2, id: 1, retain: true }))
      const client = subscriber(world, 's', { filter: '#', qos: granted })
      expect(onlyPublish(client).qos).toBe(granted)
      world.connect('w', { will: { topic: 'b', payload: 'gone', qos: 1 } }).vanish()
      expect(onlyPublish(client).qos).toBe(Math.min(1, granted))
    }
  })

  it('[MQTT5-3.8.4-8] is so for each of several clients', () => {
    const world = new World()
    const clients = ([0, 1, 2] as const).map((qos) => subscriber(world, `s${qos}`, { filter: 'a', qos }))
    world.connect('p').send(publish('a', 'x', { qos: 2, id: 1 }))
    expect(clients.map((client) => onlyPublish(client).qos)).toEqual([0, 1, 2])
  })
})

describe('4.10 request and response', () => {
  it('a request carries its response topic and correlation data to the responder, and the answer finds its way back', () => {
    const world = new World()
    const requester = world.connect('requester', { properties: [prop('requestResponseInformation', 1)] })
    const base = requester.connack.properties.responseInformation
    expect(base).toBeTypeOf('string')
    take(requester, `${base}/#`)
    const responder = subscriber(world, 'responder', 'service/time')
    const asked = [prop('responseTopic', `${base}/time`), prop('correlationData', [0, 255, 7])]
    requester.send(publish('service/time', 'now?', { properties: asked }))
    const request = onlyPublish(responder)
    const { responseTopic, correlationData } = request.properties
    responder.send(publish(responseTopic!, 'noon', { properties: [prop('correlationData', correlationData!)] }))
    expect(onlyPublish(requester)).toMatchObject({
      topic: `${base}/time`,
      payload: 'noon',
      properties: { correlationData: Uint8Array.of(0, 255, 7) },
    })
  })
})
