/** SUBSCRIBE and SUBACK. [MQTT5 §3.8] [MQTT5 §3.9] */
import { describe, expect, it } from 'vitest'
import { type Authorizer } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { bytes, frame, hex, pingreq, prop, publish, subscribe, subscribeWith, u16, utf8, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, subscriber, take } from './scenes.ts'

describe('3.8.1 fixed header', () => {
  it.each([0x80, 0x81, 0x83, 0x86, 0x8a, 0x8f])(
    '[MQTT5-3.8.1-1] SUBSCRIBE with the first byte %i is malformed and ends the connection',
    (first) => {
      const world = new World()
      const client = world.connect('s')
      client.send(frame(first, u16(1), 0, utf8('a'), 0))
      expect(client.goodbye()).toBe(0x81)
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )
})

describe('3.8.2 variable header', () => {
  it('[MQTT5-3.8.2.1.2-a] Subscription Identifier 0, or two of them, is a protocol error', () => {
    const once = prop('subscriptionIdentifier', 5)
    for (const properties of [
      [prop('subscriptionIdentifier', 0)],
      [once, once],
      [once, prop('subscriptionIdentifier', 6)],
    ]) {
      const world = new World()
      const client = world.connect('s')
      client.send(subscribeWith(1, properties, 'a'))
      expect(client.goodbye()).toBe(0x82)
      expect(world.vhost.router.bindingCount).toBe(0)
    }
  })

  it('user properties are taken, repeats and all', () => {
    const client = new World().connect('s')
    client.send(subscribeWith(1, [prop('userProperty', ['k', 'v']), prop('userProperty', ['k', 'v'])], 'a'))
    expect(client.next('SUBACK').reasonCodes).toEqual([2])
  })
})

describe('3.8.3 payload', () => {
  it.each([
    ['half a sequence', hex('61 c3')],
    ['a surrogate', hex('ed a0 80')],
    ['an overlong null', hex('c0 80')],
  ])('[MQTT5-3.8.3-1] a filter that is not UTF-8 (%s) ends the connection', (_name, filter) => {
    const world = new World()
    const client = world.connect('s')
    client.send(subscribe(1, 'fine', { filter }))
    expect(client.goodbye()).toBe(0x81)
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it('[MQTT5-3.8.3-2] SUBSCRIBE without a filter is a protocol error', () => {
    const client = new World().connect('s')
    client.send(subscribe(1))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-3.8.3-2] a filter without its options ends the connection', () => {
    const world = new World()
    const client = world.connect('s')
    client.send(frame(0x82, u16(1), 0, utf8('a'), 0, utf8('b')))
    expect(client.goodbye()).toBe(0x81)
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it.each([0x40, 0x80, 0xc0, 0x42])(
    '[MQTT5-3.8.3-5] options %i with a reserved bit make the packet malformed',
    (options) => {
      const world = new World()
      const client = world.connect('s')
      client.send(frame(0x82, u16(1), 0, utf8('fine'), 1, utf8('a'), options))
      expect(client.goodbye()).toBe(0x81)
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it('[MQTT5-3.8.3.1-a] maximum QoS 3 is a protocol error', () => {
    const client = new World().connect('s')
    client.send(subscribe(1, { filter: 'a', qos: 3 }))
    expect(client.goodbye()).toBe(0x82)
  })

  it('[MQTT5-3.8.3.1-b] Retain Handling 3 is a protocol error', () => {
    const client = new World().connect('s')
    client.send(subscribe(1, { filter: 'a', retainHandling: 3 }))
    expect(client.goodbye()).toBe(0x82)
  })
})

describe('3.8.3.1 No Local', () => {
  it.each([0, 1, 2] as const)(
    '[MQTT5-3.8.3-3] what a client publishes at QoS %i does not come back to it; what others publish does',
    (qos) => {
      const world = new World()
      const client = subscriber(world, 'c', { filter: 'a', noLocal: true })
      const other = subscriber(world, 'other', 'a')
      client.push(publish('a', 'own', { qos, ...(qos > 0 && { id: 1 }) }))
      world.run()
      expect(client.received().filter(({ type }) => type === 'PUBLISH')).toEqual([])
      expect(payloads(other)).toEqual(['own'])
      other.push(publish('a', 'foreign'))
      world.run()
      expect(payloads(client)).toEqual(['foreign'])
    },
  )

  it('[MQTT5-3.8.3-3] without it a client gets its own messages', () => {
    const world = new World()
    const client = subscriber(world, 'c', { filter: 'a', noLocal: false })
    client.send(publish('a', 'own'))
    expect(payloads(client)).toEqual(['own'])
  })

  it('[MQTT5-3.8.3-3] it holds for its own subscription; one without it brings the message, as that one allows', () => {
    const world = new World()
    const client = world.connect('c')
    take(client, { filter: 'a/#', noLocal: true }, prop('subscriptionIdentifier', 1))
    take(client, { filter: 'a/b', qos: 0 }, prop('subscriptionIdentifier', 2))
    client.send(publish('a/c', 'one'), publish('a/b', 'both', { qos: 1, id: 1 }))
    const came = client.received().filter((packet) => packet.type === 'PUBLISH')
    expect(came).toMatchObject([{ payload: 'both', qos: 0, properties: { subscriptionIdentifiers: [2] } }])
  })

  it('[MQTT5-3.8.3-3] it holds for the messages that a client itself has retained, from this session or an earlier one', () => {
    const world = new World()
    const first = world.connect('c')
    first.send(publish('a', 'earlier', { retain: true }))
    first.hangUp()
    const client = world.connect('c')
    client.send(publish('b', 'own', { retain: true }))
    world.connect('other').send(publish('d', 'foreign', { retain: true }))
    take(client, { filter: '#', noLocal: true })
    expect(payloads(client)).toEqual(['foreign'])
  })

  it('[MQTT5-3.8.3-3] it holds for the messages that a client has retained before the broker was started again', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const first = await World.withLog({}, env, engine)
    await (await first.join('c')).finish(publish('a', 'own', { retain: true }))
    await (await first.join('other')).finish(publish('b', 'foreign', { retain: true, qos: 1, id: 1 }))
    const client = (await World.withLog({}, env, engine)).connect('c')
    take(client, { filter: '#', noLocal: true })
    expect(payloads(client)).toEqual(['foreign'])
    take(client, { filter: '#', noLocal: false })
    expect(payloads(client).toSorted()).toEqual(['foreign', 'own'])
  })

  it('[MQTT5-3.8.3-3] it holds for what a client published and would have waited for it', () => {
    const world = new World()
    const client = subscriber(world, 'c', { filter: 'a', noLocal: true }, lasting(prop('receiveMaximum', 1)))
    world.connect('p').send(publish('a', 'first', { qos: 1, id: 1 }))
    client.send(publish('a', 'own', { qos: 1, id: 1 }))
    world.connect('p').send(publish('a', 'last', { qos: 1, id: 1 }))
    client.vanish()
    const again = world.connect('c', lasting())
    expect(payloads(again)).toEqual(['first', 'last'])
  })

  it('[MQTT5-3.8.3-3] it holds for its own will', () => {
    const world = new World()
    const will = { topic: 'a', payload: 'gone', qos: 1 } as const
    const client = subscriber(world, 'c', { filter: 'a', noLocal: true }, { ...lasting(), will })
    client.vanish()
    expect(world.connect('c', lasting()).received()).toEqual([])
  })

  it('[MQTT5-3.8.3-4] on a shared subscription it is a protocol error', () => {
    const world = new World()
    const client = world.connect('c')
    client.send(subscribe(1, { filter: 'fine', noLocal: true }, { filter: '$share/g/a', noLocal: true }))
    expect(client.goodbye()).toBe(0x82)
    expect(world.vhost.router.bindingCount).toBe(0)
  })
})

describe('3.8.4 actions', () => {
  it('[MQTT5-3.8.4-1, MQTT5-3.8.4-2] each SUBSCRIBE is answered by a SUBACK with its packet identifier', () => {
    const client = new World().connect('s')
    client.send(subscribe(1, 'a'), subscribe(0xffff, 'b', 'c'), subscribe(0x0102, 'a'))
    expect(client.received()).toMatchObject([
      { type: 'SUBACK', id: 1, reasonCodes: [2] },
      { type: 'SUBACK', id: 0xffff, reasonCodes: [2, 2] },
      { type: 'SUBACK', id: 0x0102, reasonCodes: [2] },
    ])
  })

  it('[MQTT5-3.8.4-3] the same filter again replaces the subscription: one copy, with the new options', () => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a/+', qos: 2, retainAsPublished: true })
    take(client, { filter: 'a/+', qos: 1 })
    world.connect('p').send(publish('a/b', 'x', { qos: 2, id: 1, retain: true }))
    expect(onlyPublish(client)).toMatchObject({ qos: 1, retain: false })
    expect(world.vhost.router.bindingCount).toBe(1)
  })

  it('[MQTT5-3.8.4-3] a filter that matches the same topics but is another text is another subscription', () => {
    const world = new World()
    const client = subscriber(world, 's', { filter: 'a/+', qos: 0 })
    take(client, { filter: 'a/b', qos: 1 })
    take(client, { filter: '+/b', qos: 2 })
    expect(world.vhost.router.bindingCount).toBe(3)
  })

  it('[MQTT5-3.8.4-3] the same filter in a resumed session replaces the subscription', () => {
    const world = new World()
    subscriber(world, 's', { filter: 'a', qos: 2 }, lasting()).hangUp()
    const client = world.connect('s', lasting())
    take(client, { filter: 'a', qos: 0 })
    world.connect('p').send(publish('a', 'x', { qos: 2, id: 1 }))
    expect(onlyPublish(client).qos).toBe(0)
  })

  it('[MQTT5-3.8.4-4] replacing sends the retained messages again and loses none that is on its way', () => {
    const world = new World()
    const publisher = world.connect('p')
    publisher.send(publish('a', 'kept', { qos: 1, id: 1, retain: true }))
    const client = subscriber(
      world,
      's',
      { filter: 'a', retainHandling: 2 },
      { properties: [prop('receiveMaximum', 1)] },
    )
    for (let id = 1; id <= 4; id++) publisher.push(publish('a', `${id}`, { qos: 1, id }))
    client.push(subscribe(9, { filter: 'a', qos: 1, retainHandling: 0 }))
    for (let id = 5; id <= 8; id++) publisher.push(publish('a', `${id}`, { qos: 1, id }))
    world.run()
    const got: [string, boolean][] = []
    for (let packets = client.received(); packets.length > 0; packets = client.received()) {
      for (const packet of packets) {
        if (packet.type !== 'PUBLISH') continue
        got.push([packet.payload, packet.retain])
        client.send(frame(0x40, u16(packet.id)))
      }
    }
    const live = got.filter(([, retain]) => !retain).map(([payload]) => payload)
    expect(live).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
    expect(got.filter(([, retain]) => retain)).toEqual([['kept', true]])
  })

  it('[MQTT5-3.8.4-5, MQTT5-3.8.4-6] several filters are taken one by one and answered by one SUBACK', () => {
    const world = new World()
    world.connect('p').send(publish('a', 'kept', { retain: true }))
    const client = world.connect('s')
    const again = { filter: 'a', qos: 0, retainHandling: 1 }
    client.send(subscribe(7, { filter: 'a', qos: 2 }, { filter: 'b/#', qos: 1 }, again, { filter: 'c', qos: 0 }))
    expect(client.next('SUBACK')).toMatchObject({ id: 7, reasonCodes: [2, 1, 0, 0] })
    // The repeated filter found the first one there, and replaced it.
    expect(payloads(client)).toEqual(['kept'])
    expect(world.vhost.router.bindingCount).toBe(3)
    world.connect('p2').send(publish('a', 'x', { qos: 2, id: 1 }))
    expect(onlyPublish(client).qos).toBe(0)
  })

  it('[MQTT5-3.8.4-6] SUBACK has a code for each of 300 filters', () => {
    const client = new World().connect('s')
    const filters = Array.from({ length: 300 }, (_, index) => ({ filter: `f/${index}`, qos: index % 3 }))
    client.send(subscribe(1, ...filters))
    expect(client.next('SUBACK').reasonCodes).toEqual(filters.map(({ qos }) => qos))
  })

  it.each([0, 1, 2] as const)('[MQTT5-3.8.4-7] QoS %i is granted as asked, and kept to', (qos) => {
    const world = new World()
    const client = world.connect('s')
    client.send(subscribe(1, { filter: 'a', qos }))
    expect(client.next('SUBACK').reasonCodes).toEqual([qos])
    world.connect('p').send(publish('a', 'x', { qos: 2, id: 1 }))
    expect(onlyPublish(client).qos).toBe(qos)
  })

  it('[MQTT5-3.8.4-a] the same filter again replaces or removes its subscription identifier', () => {
    const world = new World()
    const client = world.connect('s')
    const publisher = world.connect('p')
    const idsNow = (): readonly number[] | undefined => {
      publisher.send(publish('a/b', 'x'))
      return onlyPublish(client).properties.subscriptionIdentifiers
    }
    take(client, 'a/+', prop('subscriptionIdentifier', 1))
    expect(idsNow()).toEqual([1])
    take(client, 'a/+', prop('subscriptionIdentifier', 2))
    expect(idsNow()).toEqual([2])
    take(client, 'a/+')
    expect(idsNow()).toBeUndefined()
  })
})

/** Lets nobody read below 'secret'. */
const guarded: Authorizer = {
  generation: 0,
  mayUse: () => ({ allowed: true, rule: 'test' }),
  mayMatch: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'test' }),
}

describe('3.9 SUBACK', () => {
  const mixed = [{ filter: 'a', qos: 1 }, 'secret/#', 'a/b/c/d', { filter: 'b', qos: 0 }, 'c']

  it('[MQTT5-3.9.3-1, MQTT5-3.8.4-7] codes stand in the order of the filters, grants and refusals alike', () => {
    const world = new World({ authorizer: guarded, settings: { maxTopicLevels: 3 } })
    const client = world.connect('s')
    client.send(subscribe(1, ...mixed))
    expect(client.next('SUBACK').reasonCodes).toEqual([1, 0x87, 0x8f, 0, 2])
    world.connect('p').send(publish('secret/x', 'no'), publish('a', 'yes'), publish('c', 'yes'))
    expect(payloads(client)).toEqual(['yes', 'yes'])
  })

  it('[MQTT5-3.9.3-2] beyond the number of subscriptions allowed the code is 0x97, and earlier ones stay', () => {
    const world = new World({ limits: { bindingsPerSessionMax: 2 } })
    const client = world.connect('s')
    client.send(subscribe(1, 'a', 'b', 'c', 'a', '$share/g/c'))
    expect(client.next('SUBACK').reasonCodes).toEqual([2, 2, 0x97, 2, 0x97])
    world.connect('p').send(publish('b', 'yes'), publish('c', 'no'))
    expect(payloads(client)).toEqual(['yes'])
  })

  it('[MQTT5-3.9.2-1, MQTT5-3.9.2-2] a reason string that would make SUBACK too long is left out, codes stay', () => {
    const world = new World({ authorizer: guarded })
    const roomy = world.connect('roomy')
    roomy.send(subscribe(1, 'a', 'secret/#'))
    const full = roomy.next('SUBACK')
    expect(full.properties.reasonString).toContain('may not subscribe')
    const size = full.raw.length
    for (const [maximum, hasReason] of [
      [size, true],
      [size - 1, false],
      [40, false],
    ] as const) {
      const client = world.connect('small', { properties: [prop('maximumPacketSize', maximum)] })
      client.send(subscribe(1, 'a', 'secret/#'), pingreq())
      const suback = client.next('SUBACK')
      expect(suback.raw.length).toBeLessThanOrEqual(maximum)
      expect(suback.reasonCodes).toEqual([2, 0x87])
      expect(suback.properties.reasonString !== undefined).toBe(hasReason)
      client.next('PINGRESP')
    }
  })
})

it('SUBSCRIBE with packet identifier 0 is a protocol error', () => {
  const client = new World().connect('s')
  client.send(subscribe(0, 'a'))
  expect(client.goodbye()).toBe(0x82)
})

it('SUBSCRIBE that arrives byte by byte is taken like any other', () => {
  const client = new World().connect('s')
  const packet = bytes(subscribe(5, 'a/b', { filter: '$share/g/c', qos: 1 })(5))
  for (const byte of packet) client.send([byte])
  expect(client.next('SUBACK')).toMatchObject({ id: 5, reasonCodes: [2, 1] })
})
