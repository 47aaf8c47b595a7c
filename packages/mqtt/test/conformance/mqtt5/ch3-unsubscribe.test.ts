/** UNSUBSCRIBE and UNSUBACK. [MQTT5 §3.10] [MQTT5 §3.11] */
import { describe, expect, it } from 'vitest'
import {
  frame,
  hex,
  pingreq,
  prop,
  puback,
  pubcomp,
  publish,
  pubrec,
  u16,
  unsubscribe,
  unsubscribeWith,
  utf8,
  World,
} from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber, take } from './scenes.ts'

describe('3.10.1 fixed header', () => {
  it.each([0xa0, 0xa1, 0xa3, 0xa6, 0xaa, 0xaf])(
    '[MQTT5-3.10.1-1] UNSUBSCRIBE with the first byte %i is malformed and ends the connection',
    (first) => {
      const world = new World()
      const client = subscriber(world, 's', 'a', lasting())
      client.send(frame(first, u16(1), 0, utf8('a')))
      expect(client.goodbye()).toBe(0x81)
      expect(world.vhost.router.bindingCount).toBe(1)
    },
  )
})

describe('3.10.3 payload', () => {
  it.each([
    ['half a sequence', hex('61 c3')],
    ['a surrogate', hex('ed a0 80')],
    ['an overlong null', hex('c0 80')],
  ])('[MQTT5-3.10.3-1] a filter that is not UTF-8 (%s) ends the connection', (_name, filter) => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    client.send(unsubscribe(1, 'a', filter))
    expect(client.goodbye()).toBe(0x81)
    expect(world.vhost.router.bindingCount).toBe(1)
  })

  it('[MQTT5-3.10.3-2] UNSUBSCRIBE without a filter is a protocol error', () => {
    const client = new World().connect('s')
    client.send(unsubscribe(1))
    expect(client.goodbye()).toBe(0x82)
  })

  it('user properties are taken, repeats and all; any other property is refused', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    client.send(unsubscribeWith(1, [prop('userProperty', ['k', 'v']), prop('userProperty', ['k', 'v'])], 'a'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    client.send(unsubscribeWith(2, [prop('subscriptionIdentifier', 1)], 'a'))
    expect(client.goodbye()).toBe(0x81)
  })

  it('with packet identifier 0 it is a protocol error', () => {
    const client = new World().connect('s')
    client.send(unsubscribe(0, 'a'))
    expect(client.goodbye()).toBe(0x82)
  })
})

describe('3.10.4 actions', () => {
  it('[MQTT5-3.10.4-1] the filter that is the same text goes; filters that mean more or less do not', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a/+')
    take(client, 'a/b')
    const others = ['a/#', '#', '+/+', 'a/', 'A/+', 'a/+/', '/a/+', '$share/g/a/+', 'a/c', 'a']
    client.send(unsubscribe(1, ...others))
    expect(client.next('UNSUBACK').reasonCodes).toEqual(others.map(() => 0x11))
    world.connect('p').send(publish('a/b', 'still'), publish('a/x', 'too'))
    expect(payloads(client)).toEqual(['still', 'too'])
    client.send(unsubscribe(2, 'a/+'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    world.connect('p').send(publish('a/x', 'gone'), publish('a/b', 'by the other'))
    expect(payloads(client)).toEqual(['by the other'])
  })

  it('[MQTT5-3.10.4-1] characters that look alike are not the same', () => {
    const world = new World()
    const client = subscriber(world, 's', 'caf\u00e9')
    client.send(unsubscribe(1, 'cafe\u0301'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0x11])
    client.send(unsubscribe(2, 'caf\u00e9'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
  })

  it('[MQTT5-3.10.4-1] the subscription of another client with the same filter stays', () => {
    const world = new World()
    const client = subscriber(world, 's1', 'a')
    const other = subscriber(world, 's2', 'a')
    client.send(unsubscribe(1, 'a'))
    client.next('UNSUBACK')
    world.connect('p').send(publish('a', 'x'))
    expect(client.received()).toEqual([])
    expect(payloads(other)).toEqual(['x'])
  })

  it('[MQTT5-3.10.4-1] an own and a shared subscription of the same filter are two', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    take(client, '$share/g/a')
    client.send(unsubscribe(1, 'a'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    world.connect('p').send(publish('a', 'shared'))
    expect(payloads(client)).toEqual(['shared'])
    client.send(unsubscribe(2, '$share/g/a'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    world.connect('p').send(publish('a', 'gone'))
    expect(client.received()).toEqual([])
  })

  it.each([0, 1, 2] as const)(
    '[MQTT5-3.10.4-2] after UNSUBSCRIBE no QoS %i message is added, not even for later',
    (qos) => {
      const world = new World()
      const client = subscriber(world, 's', 'a', lasting())
      const publisher = world.connect('p')
      publisher.send(publish('a', 'before', { qos, ...(qos > 0 && { id: 1 }) }))
      expect(payloads(client)).toEqual(['before'])
      client.send(unsubscribe(1, 'a'))
      client.next('UNSUBACK')
      publisher.send(publish('a', 'after', { qos, ...(qos > 0 && { id: 2 }) }))
      expect(client.received()).toEqual([])
      client.hangUp()
      publisher.send(publish('a', 'away', { qos, ...(qos > 0 && { id: 3 }) }))
      const packets = world.connect('s', lasting()).received()
      expect(packets.filter((packet) => packet.type === 'PUBLISH' && packet.payload !== 'before')).toEqual([])
    },
  )

  it.each(['a', '$share/g/a'])(
    '[MQTT5-3.10.4-3] QoS 1 and 2 messages under way are finished after UNSUBSCRIBE from %s',
    (filter) => {
      const world = new World()
      const client = subscriber(world, 's', filter)
      world
        .connect('p')
        .send(
          publish('a', 'one', { qos: 1, id: 1 }),
          publish('a', 'two', { qos: 2, id: 2 }),
          publish('a', 'three', { qos: 2, id: 3 }),
        )
      const [one, two, three] = client.publishes()
      client.send(pubrec(three!.id))
      expect(client.next('PUBREL').id).toBe(three!.id)
      client.send(unsubscribe(1, filter))
      expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
      client.send(puback(one!.id), pubrec(two!.id), pubcomp(three!.id))
      expect(client.next('PUBREL')).toMatchObject({ id: two!.id, reasonCode: 0 })
      client.send(pubcomp(two!.id), pingreq())
      expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
      expect(world.vhost.sessions.find('s')?.pool.used).toBe(0)
      expect(world.events.filter(({ text }) => text.includes('not in use'))).toEqual([])
    },
  )

  it.each(['a', '$share/g/a'])(
    '[MQTT5-3.10.4-3] messages under way are sent again on the next connection, though %s was unsubscribed',
    (filter) => {
      const world = new World()
      const client = subscriber(world, 's', filter, lasting())
      world.connect('p').send(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
      const sent = client.publishes()
      client.send(unsubscribe(1, filter))
      client.next('UNSUBACK')
      client.vanish()
      const again = world.connect('s', lasting())
      expect(again.publishes()).toMatchObject([
        { payload: 'one', dup: true, id: sent[0]!.id },
        { payload: 'two', dup: true, id: sent[1]!.id },
      ])
    },
  )

  it('[MQTT5-3.10.4-4, MQTT5-3.10.4-5] each UNSUBSCRIBE is answered with its packet identifier, also when nothing was deleted', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    client.send(unsubscribe(0xffff, 'a'), unsubscribe(1, 'a'), unsubscribe(0x0203, 'never'))
    expect(client.received()).toMatchObject([
      { type: 'UNSUBACK', id: 0xffff, reasonCodes: [0] },
      { type: 'UNSUBACK', id: 1, reasonCodes: [0x11] },
      { type: 'UNSUBACK', id: 0x0203, reasonCodes: [0x11] },
    ])
  })

  it('[MQTT5-3.10.4-6, MQTT5-3.11.3-1] several filters are taken one by one and answered by one UNSUBACK, in their order', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    take(client, 'b/#')
    take(client, 'c')
    client.send(unsubscribe(9, 'x', 'b/#', 'a', 'a', 'y/+'))
    expect(client.received()).toMatchObject([{ type: 'UNSUBACK', id: 9, reasonCodes: [0x11, 0, 0, 0x11, 0x11] }])
    world.connect('p').send(publish('a', 'no'), publish('b', 'no'), publish('c', 'yes'))
    expect(payloads(client)).toEqual(['yes'])
  })

  it('a subscription made anew after UNSUBSCRIBE works like any other', () => {
    const world = new World()
    world.connect('keeper').send(publish('a', 'kept', { retain: true }))
    const client = subscriber(world, 's', { filter: 'a', qos: 0 })
    expect(payloads(client)).toEqual(['kept'])
    client.send(unsubscribe(1, 'a'))
    client.next('UNSUBACK')
    take(client, { filter: 'a', qos: 2, retainHandling: 1 })
    expect(onlyPublish(client)).toMatchObject({ payload: 'kept', retain: true })
  })
})

describe('3.11 UNSUBACK', () => {
  it('[MQTT5-3.11.3-2] codes are 0x00, 0x11 and, for a filter that this server does not take, 0x8f', () => {
    const world = new World({ settings: { maxTopicLevels: 3 } })
    const client = subscriber(world, 's', 'a')
    client.send(unsubscribe(1, 'a', 'a/b/c/d', 'b'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0x00, 0x8f, 0x11])
  })

  it('[MQTT5-3.11.2-1, MQTT5-3.11.2-2] a reason string that would make UNSUBACK too long is left out, codes stay', () => {
    const world = new World({ settings: { maxTopicLevels: 3 } })
    const roomy = world.connect('roomy')
    roomy.send(unsubscribe(1, 'a', 'a/b/c/d'))
    const full = roomy.next('UNSUBACK')
    expect(full.properties.reasonString).toContain('a/b/c/d')
    const size = full.raw.length
    for (const [maximum, hasReason] of [
      [size, true],
      [size - 1, false],
      [40, false],
    ] as const) {
      const client = world.connect('small', { properties: [prop('maximumPacketSize', maximum)] })
      client.send(unsubscribe(1, 'a', 'a/b/c/d'))
      const unsuback = client.next('UNSUBACK')
      expect(unsuback.raw.length).toBeLessThanOrEqual(maximum)
      expect(unsuback.reasonCodes).toEqual([0x11, 0x8f])
      expect(unsuback.properties.reasonString !== undefined).toBe(hasReason)
    }
  })
})
