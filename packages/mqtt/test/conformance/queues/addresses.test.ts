/** `$queue/NAME` in PUBLISH, SUBSCRIBE and UNSUBSCRIBE: queues under their own names. [ADR-0007] */
import type { Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { disconnect, prop, publish, puback, subscribe, subscribeWith, unsubscribe, World } from '../../harness.ts'
import { publishElsewhere } from '../adapter/elsewhere.ts'
import { lasting, payloads, subscriber, take } from '../mqtt5/scenes.ts'

function hints(world: World): string[] {
  return world.events.filter(({ kind }) => kind === 'hint').map(({ text }) => text)
}

describe('$queue/NAME', () => {
  it('keeps what is sent to it while nobody reads, QoS 0 included, and gives each message to one consumer', () => {
    const world = new World()
    const sender = world.connect('p')
    sender.send(publish('$queue/orders', '0'), publish('$queue/orders', '1', { qos: 1, id: 1 }))
    expect(sender.next('PUBACK').reasonCode).toBe(0)
    const first = subscriber(world, 'c1', '$queue/orders')
    const second = subscriber(world, 'c2', '$queue/orders')
    expect(first.publishes()).toMatchObject([
      { topic: '$queue/orders', payload: '0', qos: 0 },
      { topic: '$queue/orders', payload: '1', qos: 1 },
    ])
    sender.send(publish('$queue/orders', '2'), publish('$queue/orders', '3'))
    expect([payloads(first), payloads(second)].flat().sort()).toEqual(['2', '3'])
  })

  it.each([0, 1, 2] as const)('a subscription of QoS %i gets messages of at most that QoS', (qos) => {
    const world = new World()
    const client = world.connect('c')
    client.send(subscribe(1, { filter: '$queue/q', qos }))
    expect(client.next('SUBACK').reasonCodes).toEqual([qos])
    world.connect('p').send(publish('$queue/q', 'x', { qos: 2, id: 1 }))
    expect(client.publishes()).toMatchObject([{ payload: 'x', qos }])
  })

  it.each(['a/b', 'a.b/c.d', 'ä ö', 'x', '/', 'BIG.small'])('the name %j is taken as it is', (name) => {
    const world = new World()
    const client = subscriber(world, 'c', `$queue/${name}`)
    world.connect('p').send(publish(`$queue/${name}`, 'x', { qos: 1, id: 1 }))
    expect(client.publishes()).toMatchObject([{ topic: `$queue/${name}`, payload: 'x' }])
    expect([...world.vhost.destinations.all()].map((named) => named.name)).toEqual([name])
  })

  it('is no topic: neither # nor $queue/# nor a topic of that name meets it', () => {
    const world = new World()
    const watcher = subscriber(world, 'w', '#')
    const named = subscriber(world, 't', 'q')
    world.connect('p').send(publish('$queue/q', 'x', { qos: 1, id: 1 }))
    expect([payloads(watcher), payloads(named)]).toEqual([[], []])
  })

  it('[MQTT5-3.8.4-3] subscribing again replaces QoS and identifier, and loses nothing', () => {
    const world = new World()
    const client = world.connect('c')
    client.send(subscribeWith(1, [prop('subscriptionIdentifier', 7)], { filter: '$queue/q', qos: 2 }))
    client.next('SUBACK')
    const sender = world.connect('p')
    sender.send(publish('$queue/q', 'one', { qos: 2, id: 1 }))
    client.send(subscribeWith(2, [prop('subscriptionIdentifier', 9)], { filter: '$queue/q', qos: 1 }))
    sender.send(publish('$queue/q', 'two', { qos: 2, id: 2 }))
    const packets = client.received()
    expect(packets).toMatchObject([
      { type: 'PUBLISH', payload: 'one', qos: 2, properties: { subscriptionIdentifiers: [7] } },
      { type: 'SUBACK', reasonCodes: [1] },
      { type: 'PUBLISH', payload: 'two', qos: 1, properties: { subscriptionIdentifiers: [9] } },
    ])
    expect(world.vhost.sessions.find('c')!.bindingCount).toBe(1)
  })

  it('[MQTT5-3.10.4-1, MQTT5-3.10.4-2, MQTT5-3.10.4-5] UNSUBSCRIBE ends it, and another consumer goes on', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/q')
    client.send(unsubscribe(1, '$queue/q', '$queue/q', '$queue/other'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0, 0x11, 0x11])
    world.connect('p').send(publish('$queue/q', 'x', { qos: 1, id: 1 }))
    expect(client.received()).toEqual([])
    expect(payloads(subscriber(world, 'other', '$queue/q'))).toEqual(['x'])
  })

  it('serves MQTT 3.1.1 and MQTT 5 consumers of one queue with packets of their own', () => {
    const world = new World()
    const old = world.connect('old', { version: 4 })
    old.send(subscribe(1, { filter: '$queue/q', qos: 1 }))
    old.next('SUBACK')
    const properties = [prop('userProperty', ['k', 'v'])]
    world.connect('p').send(publish('$queue/q', 'x', { qos: 1, id: 1, properties }))
    expect(old.publishes()).toMatchObject([{ topic: '$queue/q', payload: 'x' }])
    old.send(disconnect())
    const fresh = subscriber(world, 'new', '$queue/q')
    expect(fresh.publishes()).toMatchObject([{ payload: 'x', properties: { userProperties: [['k', 'v']] } }])
  })
})

describe('names that are no queue', () => {
  it('$queue/ without a name is refused, to send to and to read from', () => {
    const client = new World().connect('c')
    client.send(publish('$queue/', 'x', { qos: 1, id: 1 }), subscribe(2, '$queue/'))
    const puback = client.next('PUBACK')
    expect(puback.reasonCode).toBe(0x90)
    expect(puback.properties.reasonString).toContain("a queue's name has 1 to 1024 characters")
    const suback = client.next('SUBACK')
    expect(suback.reasonCodes).toEqual([0x8f])
    expect(suback.properties.reasonString).toContain("the name of the queue is missing behind '$queue/'")
  })

  it.each(['$queue/+', '$queue/#', '$queue/orders/#', '$queue/orders.+', '$queue/a#b'])(
    "%s is refused with a word about '.', '*' and '>', others in the packet are not",
    (filter) => {
      const client = new World().connect('c')
      client.send(subscribe(1, 'a', filter, 'b'))
      const suback = client.next('SUBACK')
      expect(suback.reasonCodes).toEqual([2, 0x8f, 2])
      expect(suback.properties.reasonString).toContain("'orders.*' and 'orders.>' match several")
      client.send(unsubscribe(2, filter))
      expect(client.next('UNSUBACK').reasonCodes).toEqual([0x11])
    },
  )

  it('[MQTT311-3.8.4-5] an MQTT 3.1.1 client hears of it by 0x80 and stays', () => {
    const client = new World({ version: 4 }).connect('c')
    client.send(subscribe(1, '$queue/+', '$queue/', '$queue/q'))
    expect(client.next('SUBACK').reasonCodes).toEqual([0x80, 0x80, 2])
    expect(client.isClosed).toBe(false)
  })

  it("'>' before the last level is refused, and so is sending to a pattern", () => {
    const world = new World()
    const client = world.connect('c')
    client.send(subscribe(1, '$queue/a.>.b'), publish('$queue/a.>', 'x', { qos: 1, id: 2 }))
    expect(client.next('SUBACK').reasonCodes).toEqual([0x8f])
    const answer = client.next('PUBACK')
    expect(answer.reasonCode).toBe(0x90)
    expect(answer.properties.reasonString).toContain("'a.>' is a pattern of queues")
    expect(world.vhost.destinations.count).toBe(0)
  })

  it('$share/GROUP/$queue/NAME is refused: a queue needs no group', () => {
    const client = new World().connect('c')
    client.send(subscribe(1, '$share/g/$queue/q'))
    const suback = client.next('SUBACK')
    expect(suback.reasonCodes).toEqual([0x8f])
    expect(suback.properties.reasonString).toContain("subscribe to '$queue/q' without '$share/g/'")
  })

  it('No Local is refused: it is a rule for topics', () => {
    const client = new World().connect('c')
    client.send(subscribe(1, { filter: '$queue/q', qos: 1, noLocal: true }))
    const suback = client.next('SUBACK')
    expect(suback.reasonCodes).toEqual([0x83])
    expect(suback.properties.reasonString).toContain('No Local')
  })

  it('a pattern longer than any name is refused', () => {
    const client = new World().connect('c')
    client.send(subscribe(1, `$queue/${'a.'.repeat(600)}>`))
    expect(client.next('SUBACK').reasonCodes).toEqual([0x8f])
  })
})

describe('who means a shared subscription of EMQX', () => {
  it('is told what the name means here, once, when the queue is new', () => {
    const world = new World()
    subscriber(world, 'c', '$queue/plant/temperature')
    subscriber(world, 'd', '$queue/plant/temperature')
    expect(hints(world)).toEqual([
      '"$queue/plant/temperature" is the queue "plant/temperature" here, new with this subscription; ' +
        'for a shared subscription use "$share/GROUP/plant/temperature"',
    ])
  })

  it("a name without '/' and a queue that somebody has sent to are what they are", () => {
    const world = new World()
    subscriber(world, 'c', '$queue/temperature')
    world.connect('p').send(publish('$queue/a/b', 'x'))
    subscriber(world, 'd', '$queue/a/b')
    expect(hints(world)).toEqual([])
  })
})

describe('a pattern of queues', () => {
  it('$queue/orders.> reads from all below, those to come included, under the name of each', () => {
    const world = new World()
    const sender = world.connect('p')
    sender.send(publish('$queue/orders.eu', '1', { qos: 1, id: 1 }), publish('$queue/other', 'no', { qos: 1, id: 2 }))
    const client = subscriber(world, 'c', '$queue/orders.>')
    sender.send(
      publish('$queue/orders.us.east', '2', { qos: 1, id: 3 }),
      publish('$queue/orders.eu', '3'),
      publish('$queue/orders.us.east', '4'),
    )
    expect(client.publishes().map(({ topic, payload }) => `${topic} ${payload}`)).toEqual([
      '$queue/orders.eu 1',
      '$queue/orders.us.east 2',
      '$queue/orders.eu 3',
      '$queue/orders.us.east 4',
    ])
  })

  it('$queue/orders.* reads from one level', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/orders.*')
    world
      .connect('p')
      .send(publish('$queue/orders.eu', 'yes'), publish('$queue/orders.eu.de', 'no'), publish('$queue/orders', 'no'))
    expect(payloads(client)).toEqual(['yes'])
    client.send(unsubscribe(1, '$queue/orders.*'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    world.connect('p').send(publish('$queue/orders.eu', 'no more'))
    expect(payloads(client)).toEqual([])
  })

  it('is refused where wildcards are switched off, and a queue by its name is not', () => {
    const world = new World({ settings: { wildcardSubscriptionsAvailable: false } })
    const client = world.connect('c')
    client.send(subscribe(1, '$queue/orders.*', '$queue/orders.>', '$queue/orders'))
    expect(client.next('SUBACK').reasonCodes).toEqual([0xa2, 0xa2, 2])
  })

  it('needs one credit pool for all its queues', () => {
    const world = new World()
    const sender = world.connect('p')
    for (let id = 1; id <= 6; id++) sender.send(publish(`$queue/o.${id % 2}`, String(id), { qos: 1, id }))
    const client = world.connect('c', { properties: [prop('receiveMaximum', 2)] })
    take(client, '$queue/o.*')
    const got: string[] = []
    for (let batch = client.publishes(); batch.length > 0; batch = client.publishes()) {
      expect(batch.length).toBeLessThanOrEqual(2)
      for (const packet of batch) got.push(packet.payload)
      client.send(...batch.map(({ id }) => puback(id)))
    }
    expect(got.sort()).toEqual(['1', '2', '3', '4', '5', '6'])
  })
})

describe('[MQTT5-3.3.2-2] [MQTT311-3.3.2-2] a queue of another protocol with a name that no PUBLISH can have', () => {
  it.each(['C++', 'a.#', 'a\0b'])('%j: $queue/> gets nothing of it, its messages stay for others, and operators are told', (name) => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/>')
    publishElsewhere(world, `$queue/${name}`, '1')
    publishElsewhere(world, '$queue/plain', '2')
    expect(client.publishes()).toMatchObject([{ topic: '$queue/plain', payload: '2' }])
    const { queue } = world.vhost.destinations.find(name)!
    expect([queue.waitingCount, world.vhost.counters.rejected]).toEqual([1, 0])
    expect(hints(world)).toEqual([expect.stringMatching(/matches a subscription and MQTT cannot write its name/)])
  })

  it('also one that was there before, and after the client has come back', () => {
    const world = new World()
    publishElsewhere(world, '$queue/C++', '1')
    const first = subscriber(world, 'c', '$queue/>', lasting())
    first.hangUp()
    publishElsewhere(world, '$queue/C++', '2')
    const second = world.connect('c', lasting())
    expect([...first.publishes(), ...second.publishes()]).toEqual([])
    expect(world.vhost.destinations.find('C++')!.queue.waitingCount).toBe(2)
    expect(hints(world)).toHaveLength(1)
  })
})

describe('a topic of another protocol that is longer than any of MQTT', () => {
  it.each([0, 1] as const)('does not come, and is counted as rejected (QoS %i)', (qos) => {
    const world = new World()
    const client = subscriber(world, 'c', { filter: '#', qos })
    publishElsewhere(world, 'é'.repeat(32_768), '1')
    publishElsewhere(world, 'é'.repeat(32_767), '2')
    expect(payloads(client)).toEqual(['2'])
    expect(world.vhost.counters.rejected).toBe(1)
  })
})

describe('[MQTT5-3.3.2-3] the topic of a PUBLISH matches the filter', () => {
  it.each([0, 1, 2] as const)('a message of QoS %i of a virtual topic comes under the name of its queue', (qos) => {
    const world = new World()
    const queue = subscriber(world, 'c', '$queue/Consumer.A.VirtualTopic.orders')
    const all = subscriber(world, 'd', '$queue/Consumer.*.VirtualTopic.orders')
    const topic = subscriber(world, 't', 'VirtualTopic/orders')
    const sender = world.connect('p')
    for (let id = 1; id <= 2; id++) {
      sender.send(publish('VirtualTopic/orders', String(id), qos === 0 ? {} : { qos, id }))
    }
    const seen = [...queue.publishes(), ...all.publishes()]
    expect(seen.map(({ payload }) => payload).sort()).toEqual(['1', '2'])
    for (const packet of seen) expect(packet.topic).toBe('$queue/Consumer.A.VirtualTopic.orders')
    expect(topic.publishes().map((packet) => packet.topic)).toEqual(['VirtualTopic/orders', 'VirtualTopic/orders'])
  })

  it('with topic aliases, too, and none of them gets a second meaning', () => {
    const world = new World()
    const client = world.connect('c', { properties: [prop('topicAliasMaximum', 5)] })
    take(client, '$queue/Consumer.A.VirtualTopic.orders')
    take(client, 'VirtualTopic/orders')
    const sender = world.connect('p')
    sender.send(publish('VirtualTopic/orders', '1'), publish('VirtualTopic/orders', '2'))
    const seen = client.publishes()
    expect(seen).toHaveLength(4)
    const names = new Map<unknown, string>()
    for (const { topic, properties } of seen) {
      const alias = properties.topicAlias
      if (topic !== '') names.set(alias, topic)
    }
    const resolved = seen.map(({ topic, properties }) => (topic === '' ? names.get(properties.topicAlias)! : topic))
    expect(resolved.sort()).toEqual([
      '$queue/Consumer.A.VirtualTopic.orders',
      '$queue/Consumer.A.VirtualTopic.orders',
      'VirtualTopic/orders',
      'VirtualTopic/orders',
    ])
  })
})

describe('permission', () => {
  const deny = (action: string): Authorizer => ({
    generation: 0,
    mayUse: (_subject, wanted, address) => ({
      allowed: !(address.kind === 'queue' && address.levels[0] === 'secret' && wanted === action),
      rule: 'of this test',
    }),
    mayMatch: () => ({ allowed: true, rule: 'of this test' }),
  })

  it('to send is asked of the queue', () => {
    const client = new World({ authorizer: deny('write') }).connect('c')
    client.send(publish('$queue/secret.x', 'x', { qos: 1, id: 1 }), publish('$queue/open', 'x', { qos: 1, id: 2 }))
    expect(client.received()).toMatchObject([
      { type: 'PUBACK', id: 1, reasonCode: 0x87 },
      { type: 'PUBACK', id: 2, reasonCode: 0 },
    ])
  })

  it('to make it is asked of a queue that is not there and read from', () => {
    const world = new World({ authorizer: deny('create') })
    const client = world.connect('c')
    client.send(subscribe(1, '$queue/secret.x', '$queue/open'))
    expect(client.next('SUBACK').reasonCodes).toEqual([0x87, 2])
    expect(world.vhost.destinations.find('secret.x')).toBeUndefined()
  })

  it('to read is asked of the queue', () => {
    const client = new World({ authorizer: deny('read') }).connect('c')
    client.send(subscribe(1, '$queue/secret.x', '$queue/open'))
    expect(client.next('SUBACK').reasonCodes).toEqual([0x87, 2])
  })

  describe('that is taken back', () => {
    const taken = (...filters: string[]) => {
      const closed = { isSo: false }
      const isAllowed = (levels: readonly unknown[]): boolean => !closed.isSo || levels[0] !== 'secret'
      const authorizer: Authorizer = {
        generation: 0,
        mayUse: (_subject, _action, { levels }) => ({ allowed: isAllowed(levels), rule: 'of this test' }),
        mayMatch: (_subject, _action, { levels }) => ({ allowed: isAllowed(levels), rule: 'of this test' }),
      }
      const world = new World({ authorizer })
      const takeBack = (): void => {
        closed.isSo = true
        world.vhost.recheckAccess()
        world.run()
      }
      const client = world.connect('c', lasting())
      client.send(subscribe(1, ...filters))
      client.next('SUBACK')
      return { world, client, takeBack }
    }

    it.each(['secret/#', '$share/g/secret/+', '$queue/secret.x'])(
      'of %s ends the connection with 0x87 and the name; the session is there without it',
      (filter) => {
        const { world, client, takeBack } = taken(filter, 'open')
        takeBack()
        const goodbye = client.next('DISCONNECT')
        expect(goodbye.reasonCode).toBe(0x87)
        expect(goodbye.properties.reasonString).toMatch(/^user '.*' may not read (queue )?'secret.* any more$/)
        expect(client.isClosed).toBe(true)
        const again = world.connect('c', lasting())
        expect(again.connack.sessionPresent).toBe(true)
        expect(world.vhost.sessions.find('c')!.bindingCount).toBe(1)
        world.connect('p').send(publish('open', 'yes'), publish('secret/x', 'no'))
        expect(payloads(again)).toEqual(['yes'])
      },
    )

    it('closes the connection of an MQTT 3 client, which has no word for it', () => {
      const { world, takeBack } = taken('open')
      const old = world.connect('old', { version: 4 })
      old.send(subscribe(1, 'secret/+'))
      old.next('SUBACK')
      takeBack()
      expect(old.received()).toEqual([])
      expect(old.isClosed).toBe(true)
    })

    it('leaves alone who has subscribed to nothing of it', () => {
      const { client, takeBack } = taken('open', '$queue/open')
      takeBack()
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(false)
    })
  })

  it('a queue that is not made by being used is refused by name', () => {
    const world = new World({ limits: { queuesAutoCreate: false } })
    world.vhost.destinations.define({ name: 'defined' })
    const client = world.connect('c', lasting())
    client.send(publish('$queue/new', 'x', { qos: 1, id: 1 }), subscribe(1, '$queue/new', '$queue/defined'))
    const answer = client.next('PUBACK')
    expect(answer.reasonCode).toBe(0x80)
    expect(answer.properties.reasonString).toContain("there is no queue 'new'")
    expect(client.next('SUBACK').reasonCodes).toEqual([0x80, 2])
  })
})
