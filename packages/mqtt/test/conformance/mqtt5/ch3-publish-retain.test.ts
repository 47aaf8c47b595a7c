/** Retained messages: what is kept, what a new subscription gets, which RETAIN flag goes out. [MQTT5 §3.3.1.3] */
import { describe, expect, it } from 'vitest'
import { prop, publish, subscribe, unsubscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber, take } from './scenes.ts'

/** A broker that retains 'old' for the topic 'a/b'. */
function retaining(): World {
  const world = new World()
  world.connect('keeper').send(publish('a/b', 'old', { retain: true, qos: 1, id: 1 }))
  return world
}

describe('3.3.1.3 what is retained', () => {
  it('[MQTT5-3.3.1-5] the last retained message of a topic replaces the one before', () => {
    const world = retaining()
    const client = world.connect('p')
    client.send(publish('a/b', 'new', { retain: true, qos: 2, id: 1 }), publish('a/c', 'other', { retain: true }))
    expect(onlyPublish(subscriber(world, 's1', 'a/b'))).toMatchObject({ topic: 'a/b', payload: 'new', qos: 2 })
    expect(payloads(subscriber(world, 's2', 'a/+')).toSorted()).toEqual(['new', 'other'])
  })

  it('[MQTT5-3.3.1-5] a retained message is there for each later subscriber, also after its publisher has left', () => {
    const world = new World()
    const client = world.connect('p')
    client.send(publish('a/b', 'kept', { retain: true }))
    client.hangUp()
    expect(payloads(subscriber(world, 's1', 'a/b'))).toEqual(['kept'])
    expect(payloads(subscriber(world, 's2', '#'))).toEqual(['kept'])
  })

  it('[MQTT5-3.3.1-6] an empty retained PUBLISH goes to subscribers and removes what was retained', () => {
    const world = retaining()
    const early = subscriber(world, 'early', { filter: 'a/b', retainHandling: 2 })
    world.connect('p').send(publish('a/b', '', { retain: true, qos: 1, id: 1 }))
    expect(onlyPublish(early)).toMatchObject({ topic: 'a/b', payload: '', qos: 1, retain: false })
    expect(subscriber(world, 'late', 'a/b').received()).toEqual([])
    expect(subscriber(world, 'late2', '#').received()).toEqual([])
  })

  it('[MQTT5-3.3.1-6] an empty retained PUBLISH leaves the topics beside, above and below alone', () => {
    const world = retaining()
    const client = world.connect('p')
    client.send(publish('a', 'above', { retain: true }), publish('a/b/c', 'below', { retain: true }))
    client.send(publish('a/B', 'beside', { retain: true }), publish('a/b', '', { retain: true }))
    expect(payloads(subscriber(world, 's', '#')).toSorted()).toEqual(['above', 'below', 'beside'])
  })

  it('[MQTT5-3.3.1-7] an empty message is not retained, on a topic with or without a retained message', () => {
    const world = retaining()
    world.connect('p').send(publish('a/b', '', { retain: true }), publish('fresh', '', { retain: true, qos: 1, id: 1 }))
    expect(subscriber(world, 's', '#').received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT5-3.3.1-8] a message without RETAIN is not retained', () => {
    const world = new World()
    world.connect('p').send(publish('a/b', 'x'), publish('a/b', 'y', { qos: 1, id: 1 }))
    expect(subscriber(world, 's', '#').received()).toEqual([])
  })

  it('[MQTT5-3.3.1-8] a message without RETAIN, empty or not, leaves the retained one as it is', () => {
    const world = retaining()
    world.connect('p').send(publish('a/b', 'passing'), publish('a/b', ''), publish('a/b', '', { qos: 1, id: 1 }))
    expect(onlyPublish(subscriber(world, 's', 'a/b'))).toMatchObject({ payload: 'old', retain: true })
  })

  it('[MQTT5-3.3.1.3-b] a retained message that expires is gone', () => {
    const world = new World()
    const properties = [prop('messageExpiryInterval', 10)]
    world.connect('p').send(publish('a/b', 'x', { retain: true, qos: 1, id: 1, properties }))
    world.advance(9_000)
    expect(payloads(subscriber(world, 's1', 'a/b'))).toEqual(['x'])
    world.advance(1_500)
    expect(subscriber(world, 's2', 'a/b').received()).toEqual([])
    expect(subscriber(world, 's3', '#').received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT5-4.1-b] retained messages stay when the session that published them ends', () => {
    const world = new World()
    const client = world.connect('p', { properties: [prop('sessionExpiryInterval', 5)] })
    client.send(publish('a/b', 'kept', { retain: true, qos: 1, id: 1 }))
    client.vanish()
    world.advance(10_000)
    expect(world.vhost.sessions.find('p')).toBeUndefined()
    expect(payloads(subscriber(world, 's', 'a/b'))).toEqual(['kept'])
    // The same client id with a fresh session does not sweep them away either.
    world.connect('p')
    expect(payloads(subscriber(world, 's2', 'a/b'))).toEqual(['kept'])
  })
})

describe('3.3.1.3 Retain Handling', () => {
  it('[MQTT5-3.3.1-9] 0 sends every matching retained message, for a new and for a repeated subscription', () => {
    const world = retaining()
    world.connect('p').send(publish('a/c', 'second', { retain: true }), publish('b', 'no', { retain: true }))
    const client = subscriber(world, 's', { filter: 'a/+', retainHandling: 0 })
    expect(payloads(client).toSorted()).toEqual(['old', 'second'])
    take(client, { filter: 'a/+', retainHandling: 0 })
    expect(payloads(client).toSorted()).toEqual(['old', 'second'])
  })

  it('[MQTT5-3.3.1-10] 1 sends them for a new subscription and not for a repeated one', () => {
    const world = retaining()
    const client = subscriber(world, 's', { filter: 'a/+', retainHandling: 1 })
    expect(payloads(client)).toEqual(['old'])
    take(client, { filter: 'a/+', retainHandling: 1 })
    take(client, { filter: 'a/+', qos: 0, retainAsPublished: true, retainHandling: 1 })
    expect(client.received()).toEqual([])
    // Another filter is another subscription, whatever it matches.
    take(client, { filter: 'a/b', retainHandling: 1 })
    expect(payloads(client)).toEqual(['old'])
  })

  it('[MQTT5-3.3.1-10] 1 finds the subscription of a resumed session, and none after UNSUBSCRIBE', () => {
    const world = retaining()
    const first = subscriber(world, 's', { filter: 'a/+', qos: 0, retainHandling: 1 }, lasting())
    expect(payloads(first)).toEqual(['old'])
    first.hangUp()
    const client = world.connect('s', lasting())
    take(client, { filter: 'a/+', retainHandling: 1 })
    expect(client.received()).toEqual([])
    client.send(unsubscribe(2, 'a/+'))
    client.next('UNSUBACK')
    take(client, { filter: 'a/+', retainHandling: 1 })
    expect(payloads(client)).toEqual(['old'])
  })

  it('[MQTT5-3.3.1-11] 2 sends none on subscribing, but what is published later', () => {
    const world = retaining()
    const client = subscriber(world, 's', { filter: 'a/+', retainHandling: 2 })
    take(client, { filter: 'a/+', retainHandling: 2 })
    expect(client.received()).toEqual([])
    world.connect('p').send(publish('a/b', 'live', { retain: true }))
    expect(payloads(client)).toEqual(['live'])
  })

  it('[MQTT5-3.3.1-9, MQTT5-3.3.1-10, MQTT5-3.3.1-11] each filter of one SUBSCRIBE follows its own Retain Handling', () => {
    const world = retaining()
    const client = world.connect('s')
    client.send(
      subscribe(
        1,
        { filter: 'a/b', retainHandling: 2 },
        { filter: 'a/+', retainHandling: 1 },
        { filter: 'a/b', retainHandling: 0 },
      ),
    )
    expect(client.next('SUBACK').reasonCodes).toEqual([2, 2, 2])
    expect(payloads(client)).toEqual(['old', 'old'])
  })
})

describe('3.3.1.3 the RETAIN flag of what goes out', () => {
  it('[MQTT5-3.3.1.3-a] a retained message for a new subscription has RETAIN 1, whatever Retain As Published says', () => {
    const world = retaining()
    expect(onlyPublish(subscriber(world, 's1', { filter: 'a/b', retainAsPublished: false })).retain).toBe(true)
    expect(onlyPublish(subscriber(world, 's2', { filter: 'a/b', retainAsPublished: true })).retain).toBe(true)
    expect(onlyPublish(subscriber(world, 's3', { filter: 'a/b', qos: 0 })).retain).toBe(true)
  })

  it('[MQTT5-3.3.1.3-a] a retained message keeps RETAIN 1 when it has to wait for the receive maximum', () => {
    const world = retaining()
    world.connect('p').send(publish('a/c', 'second', { retain: true, qos: 1, id: 1 }))
    const client = subscriber(world, 's', 'a/+', lasting(prop('receiveMaximum', 1)))
    expect(onlyPublish(client).retain).toBe(true)
    client.vanish()
    const again = world.connect('s', lasting())
    expect(again.publishes()).toMatchObject([
      { retain: true, dup: true },
      { retain: true, dup: false },
    ])
  })

  it.each([0, 1, 2] as const)('[MQTT5-3.3.1-12] Retain As Published 0: RETAIN 0 goes out at QoS %i', (qos) => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a/b', qos, retainAsPublished: false })
    const publisher = world.connect('p')
    publisher.send(publish('a/b', 'x', { retain: true, qos: 2, id: 1 }), publish('a/b', 'y', { qos: 2, id: 2 }))
    expect(client.publishes()).toMatchObject([
      { payload: 'x', retain: false, qos },
      { payload: 'y', retain: false, qos },
    ])
  })

  it.each([0, 1, 2] as const)(
    '[MQTT5-3.3.1-13] Retain As Published 1: RETAIN goes out as it came, at QoS %i',
    (qos) => {
      const world = new World()
      const client = subscriber(world, 's', { filter: 'a/b', qos, retainAsPublished: true })
      const publisher = world.connect('p')
      publisher.send(publish('a/b', 'x', { retain: true, qos: 2, id: 1 }), publish('a/b', 'y', { qos: 2, id: 2 }))
      expect(client.publishes()).toMatchObject([
        { payload: 'x', retain: true, qos },
        { payload: 'y', retain: false, qos },
      ])
    },
  )

  it('[MQTT5-3.3.1-12, MQTT5-3.3.1-13] the flag is the same when the message waited for a client that was away', () => {
    const world = new World()
    const rapClient = subscriber(world, 'rap', { filter: 'a/b', retainAsPublished: true }, lasting())
    const plainClient = subscriber(world, 'plain', { filter: 'a/b' }, lasting())
    rapClient.hangUp()
    plainClient.hangUp()
    world.connect('p').send(publish('a/b', 'x', { retain: true, qos: 1, id: 1 }))
    expect(onlyPublish(world.connect('rap', lasting())).retain).toBe(true)
    expect(onlyPublish(world.connect('plain', lasting())).retain).toBe(false)
  })

  it('[MQTT5-3.3.1-12, MQTT5-3.3.1-13] a repeated subscription changes the option', () => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a/b', retainAsPublished: true })
    const publisher = world.connect('p')
    publisher.send(publish('a/b', 'x', { retain: true }))
    expect(onlyPublish(client).retain).toBe(true)
    take(client, { filter: 'a/b', retainAsPublished: false, retainHandling: 2 })
    publisher.send(publish('a/b', 'x', { retain: true }))
    expect(onlyPublish(client).retain).toBe(false)
  })
})
