/** Shared subscriptions. [MQTT5 §4.8.2] */
import { describe, expect, it } from 'vitest'
import { type Client, prop, puback, pubcomp, publish, pubrec, subscribe, unsubscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, sequence, subscriber, take } from './scenes.ts'

const GROUP = '$share/g/a'

function feed(world: World, count: number, qos: 0 | 1 | 2, from = 1): void {
  const publisher = world.connect('feeder')
  for (let index = from; index < from + count; index++) {
    publisher.push(publish('a', `${index}`, { qos, ...(qos > 0 && { id: index }) }))
  }
  world.run()
}

/** '1' to '`count`'. */
function numbers(count: number, from = 1): string[] {
  return Array.from({ length: count }, (_, index) => `${from + index}`)
}

function inOrder(values: readonly string[]): string[] {
  return values.toSorted((one, other) => Number(one) - Number(other))
}

describe('the filter', () => {
  it.each(['$share/g/a', '$share/g/+/b', '$share/g/#', '$share/g//a', '$share/g//', '$share/ü /a', '$share/$share/a'])(
    '[MQTT5-4.8.2-1, MQTT5-4.8.2-2] %s is a shared subscription',
    (filter) => {
      const client = new World().connect('s')
      client.send(subscribe(1, filter))
      expect(client.next('SUBACK').reasonCodes).toEqual([2])
    },
  )

  it.each(['$share/', '$share//a', '$share//', '$share//#'])(
    '[MQTT5-4.8.2-1] %s, without a share name, is refused',
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

  it.each(['$share/g', '$share/g/', '$share/+/a', '$share/g+/a', '$share/#/a', '$share/g#/a', '$share/#', '$share/+'])(
    '[MQTT5-4.8.2-2] %s, with a wrong share name or no filter behind it, is refused',
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

  it('[MQTT5-4.8.2-2] what follows the share name matches as a filter of its own', () => {
    const world = new World()
    const slash = subscriber(world, 's1', '$share/g//finance')
    const wild = subscriber(world, 's2', '$share/g/sport/+/#')
    const publisher = world.connect('p')
    publisher.send(publish('finance', '1'), publish('/finance', '2'), publish('sport/x', '3'), publish('sport', '4'))
    expect(payloads(slash)).toEqual(['2'])
    expect(payloads(wild)).toEqual(['3'])
  })
})

describe('who gets what', () => {
  it.each([0, 1, 2] as const)('[MQTT5-4.8.2-a] of three members one gets each QoS %i message, all in turn', (qos) => {
    const world = new World()
    const members = ['m1', 'm2', 'm3'].map((id) => subscriber(world, id, GROUP))
    feed(world, 30, qos)
    const got = members.map((member) => payloads(member))
    expect(inOrder(got.flat())).toEqual(numbers(30))
    expect(got.map((own) => own.length)).toEqual([10, 10, 10])
  })

  it('[MQTT5-4.8.2-a] a member that cannot take more leaves the rest to the others', () => {
    const world = new World()
    const slow = subscriber(world, 'slow', GROUP, { properties: [prop('receiveMaximum', 2)] })
    const quick = subscriber(world, 'quick', GROUP)
    feed(world, 20, 1)
    const slowGot = payloads(slow)
    const quickGot = payloads(quick)
    expect(slowGot).toHaveLength(2)
    expect(inOrder([...slowGot, ...quickGot])).toEqual(numbers(20))
  })

  it('[MQTT5-4.8.2-a] messages that nobody can take wait, and go to whoever has room first', () => {
    const world = new World()
    const one = subscriber(world, 'one', GROUP, { properties: [prop('receiveMaximum', 1)] })
    const two = subscriber(world, 'two', GROUP, { properties: [prop('receiveMaximum', 1)] })
    feed(world, 5, 1)
    const [first] = one.publishes()
    expect(payloads(two)).toHaveLength(1)
    const got = [first!.payload]
    let { id } = first!
    for (let round = 0; round < 3; round++) {
      one.send(puback(id))
      const next = onlyPublish(one)
      got.push(next.payload)
      id = next.id
    }
    expect(got.slice(1)).toEqual(['3', '4', '5'])
    expect(two.received()).toEqual([])
  })

  it('[MQTT5-4.8.2-a] a message waits for members that are all away, and goes to the first that is back', () => {
    const world = new World()
    subscriber(world, 'm1', GROUP, lasting()).hangUp()
    subscriber(world, 'm2', GROUP, lasting()).hangUp()
    feed(world, 3, 1)
    const back = world.connect('m2', lasting())
    expect(payloads(back)).toEqual(['1', '2', '3'])
    expect(world.connect('m1', lasting()).received()).toEqual([])
  })

  it('[MQTT5-4.8.2-b] each shared subscription gets its own copy, besides those that are not shared', () => {
    const world = new World()
    const g = ['g1', 'g2'].map((id) => subscriber(world, id, GROUP))
    const h = ['h1', 'h2'].map((id) => subscriber(world, id, '$share/h/a'))
    const wide = subscriber(world, 'wide', '$share/g/#')
    const own = subscriber(world, 'own', 'a')
    feed(world, 4, 1)
    const of = (clients: readonly Client[]): string[] => inOrder(clients.flatMap((client) => payloads(client)))
    expect(of(g)).toEqual(numbers(4))
    expect(of(h)).toEqual(numbers(4))
    expect(of([wide])).toEqual(numbers(4))
    expect(of([own])).toEqual(numbers(4))
  })

  it('[MQTT5-4.8.2-b] a client with an own and a shared subscription gets a copy of each', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    take(client, GROUP)
    feed(world, 1, 1)
    expect(payloads(client)).toEqual(['1', '1'])
  })

  it('[MQTT5-4.8.2-3] each member gets messages at the lower of their QoS and the one granted to it', () => {
    const world = new World()
    const members = ([0, 1, 2] as const).map((qos) => subscriber(world, `m${qos}`, { filter: GROUP, qos }))
    for (const published of [0, 1, 2] as const) {
      feed(world, 6, published, 10 * published + 1)
      members.forEach((member, granted) => {
        const levels = member.publishes().map(({ qos }) => qos)
        expect(levels).toEqual(Array.from({ length: 2 }, () => Math.min(published, granted)))
      })
    }
  })

  it('[MQTT5-4.8.2-3] so it does with messages that waited, and those that another member had first', () => {
    const world = new World()
    const first = subscriber(world, 'first', { filter: GROUP, qos: 2 }, lasting())
    first.hangUp()
    const second = subscriber(world, 'second', { filter: GROUP, qos: 0 }, lasting())
    second.hangUp()
    feed(world, 2, 2)
    const back = world.connect('second', lasting())
    expect(back.publishes().map(({ payload, qos }) => [payload, qos])).toEqual([
      ['1', 0],
      ['2', 0],
    ])
  })

  it('[MQTT5-4.8.2-3] a second SUBSCRIBE changes what is granted, and takes part once all the same', () => {
    const world = new World()
    const member = subscriber(world, 'm', { filter: GROUP, qos: 2 })
    const other = subscriber(world, 'other', GROUP)
    take(member, { filter: GROUP, qos: 0 }, prop('subscriptionIdentifier', 8))
    feed(world, 10, 2)
    const got = member.publishes()
    expect(got.map(({ qos, properties }) => [qos, properties.subscriptionIdentifiers])).toEqual(
      Array.from({ length: 5 }, () => [0, [8]]),
    )
    expect(other.publishes()).toHaveLength(5)
    member.send(unsubscribe(1, GROUP))
    expect(member.next('UNSUBACK').reasonCodes).toEqual([0])
    feed(world, 2, 0)
    expect(member.received()).toEqual([])
  })

  it('[MQTT5-4.8.2-3] a second SUBSCRIBE of the only member loses nothing that waits or is under way', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, { properties: [prop('receiveMaximum', 1)] })
    feed(world, 3, 1)
    const first = onlyPublish(member)
    take(member, { filter: GROUP, qos: 1 })
    member.send(puback(first.id))
    const second = onlyPublish(member)
    member.send(puback(second.id))
    expect([first.payload, second.payload, onlyPublish(member).payload]).toEqual(['1', '2', '3'])
  })

  it('[MQTT5-4.8.2-c] no retained message is sent to a member, the first or a later one, whatever Retain Handling says', () => {
    const world = new World()
    world.connect('p').send(publish('a', 'kept', { retain: true }))
    for (const retainHandling of [0, 1, 2]) {
      const member = subscriber(world, `m${retainHandling}`, { filter: GROUP, retainHandling })
      take(member, { filter: GROUP, retainHandling })
      expect(member.received()).toEqual([])
    }
  })
})

describe('members that go', () => {
  it('[MQTT5-4.8.2-4] a QoS 2 delivery cut off by a lost connection is finished with the same member, in every state', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, lasting())
    feed(world, 3, 2)
    const other = subscriber(world, 'other', GROUP)
    const [first, second, third] = member.publishes()
    member.send(pubrec(second!.id), pubrec(third!.id), pubcomp(third!.id))
    member.received()
    member.vanish()
    expect(other.received()).toEqual([])
    const back = world.connect('m', lasting())
    expect(new Set(sequence(back.received()).map(String))).toEqual(
      new Set([`PUBLISH,${first!.id}`, `PUBREL,${second!.id}`]),
    )
    back.send(pubrec(first!.id), pubcomp(first!.id), pubcomp(second!.id))
    expect(back.next('PUBREL')).toMatchObject({ id: first!.id, reasonCode: 0 })
    expect(other.received()).toEqual([])
  })

  it('[MQTT5-4.8.2-5] if that member’s session ends first, nobody gets the message', () => {
    const world = new World()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 10)] }
    const member = subscriber(world, 'm', GROUP, wishes)
    const other = subscriber(world, 'other', GROUP)
    feed(world, 6, 2)
    const own = payloads(member)
    expect(own).toHaveLength(3)
    expect(payloads(other)).toHaveLength(3)
    member.vanish()
    world.advance(11_000)
    expect(world.vhost.sessions.find('m')).toBeUndefined()
    expect(other.received()).toEqual([])
    feed(world, 2, 2, 7)
    expect(payloads(other)).toEqual(['7', '8'])
    expect(world.connect('m', wishes).received()).toEqual([])
  })

  it('[MQTT5-4.8.2-5] nor when it begins a new session, or unsubscribes first', () => {
    const world = new World()
    const one = subscriber(world, 'one', GROUP, lasting())
    const two = subscriber(world, 'two', GROUP)
    const other = subscriber(world, 'other', GROUP)
    feed(world, 3, 2)
    for (const client of [one, two, other]) expect(payloads(client)).toHaveLength(1)
    one.vanish()
    expect(world.connect('one', { clean: true }).received()).toEqual([])
    two.send(unsubscribe(1, GROUP))
    two.vanish()
    expect(other.received()).toEqual([])
  })

  it.each([0x80, 0x87, 0x97, 0x99])(
    '[MQTT5-4.8.2-6] a message that a member answers with %i goes to nobody else',
    (reason) => {
      const world = new World()
      const members = ['m1', 'm2'].map((id) => subscriber(world, id, GROUP, lasting()))
      for (const qos of [1, 2] as const) {
        feed(world, 2, qos, 10 * qos)
        const packets = members.map((member) => onlyPublish(member))
        members[0]!.send(qos === 1 ? puback(packets[0]!.id, { reason }) : pubrec(packets[0]!.id, { reason }))
        members[1]!.send(...(qos === 1 ? [puback(packets[1]!.id)] : [pubrec(packets[1]!.id), pubcomp(packets[1]!.id)]))
        members[1]!.received()
      }
      members[0]!.vanish()
      world.advance(10_000)
      expect(members[1]!.received()).toEqual([])
      expect(world.connect('m1', lasting()).received()).toEqual([])
    },
  )

  it('[MQTT5-4.8.2-d] a member leaves by UNSUBSCRIBE with the whole filter; the others go on', () => {
    const world = new World()
    const founder = subscriber(world, 'founder', GROUP)
    const other = subscriber(world, 'other', GROUP)
    founder.send(unsubscribe(1, 'a', '$share/h/a', GROUP))
    expect(founder.next('UNSUBACK').reasonCodes).toEqual([0x11, 0x11, 0])
    feed(world, 4, 1)
    expect(founder.received()).toEqual([])
    expect(payloads(other)).toEqual(numbers(4))
  })

  it('[MQTT5-4.8.2-d] a member leaves when its session ends', () => {
    const world = new World()
    const other = subscriber(world, 'other', GROUP)
    subscriber(world, 'brief', GROUP).vanish()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 10)] }
    subscriber(world, 'm', GROUP, wishes).vanish()
    world.advance(11_000)
    feed(world, 4, 1)
    expect(payloads(other)).toEqual(numbers(4))
    const back = world.connect('m', wishes)
    feed(world, 4, 1, 5)
    expect(back.received()).toEqual([])
    expect(payloads(other)).toEqual(numbers(4, 5))
  })

  it('[MQTT5-4.8.2-e] when the last member leaves, what it would have got is deleted', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, { properties: [prop('receiveMaximum', 1)] })
    feed(world, 3, 1)
    expect(payloads(member)).toEqual(['1'])
    member.send(unsubscribe(1, GROUP))
    member.next('UNSUBACK')
    expect(world.vhost.shared.count).toBe(0)
    expect(world.vhost.router.bindingCount).toBe(0)
    take(member, GROUP)
    const other = subscriber(world, 'other', GROUP)
    expect([...member.received(), ...other.received()]).toEqual([])
    feed(world, 2, 0, 4)
    expect(inOrder([...payloads(member), ...payloads(other)])).toEqual(['4', '5'])
  })

  it('[MQTT5-4.8.2-e] when the session of the last member ends, too', () => {
    const world = new World()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 10)] }
    subscriber(world, 'm', GROUP, wishes).vanish()
    feed(world, 3, 1)
    world.advance(11_000)
    expect(world.vhost.shared.count).toBe(0)
    expect(subscriber(world, 'other', GROUP).received()).toEqual([])
  })

  it('[MQTT5-4.8.2-f] a QoS 1 message that its member did not acknowledge goes to another when the connection is lost', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, lasting())
    const other = subscriber(world, 'other', GROUP)
    feed(world, 6, 1)
    const packets = member.publishes()
    const others = payloads(other)
    member.send(puback(packets[0]!.id))
    member.vanish()
    const moved = other.publishes()
    expect(moved.map(({ payload, dup }) => [payload, dup])).toEqual(
      packets.slice(1).map(({ payload }) => [payload, false]),
    )
    expect(inOrder([...others, packets[0]!.payload, ...moved.map(({ payload }) => payload)])).toEqual(numbers(6))
    expect(world.connect('m', lasting()).received()).toEqual([])
  })

  it('[MQTT5-4.8.2-f] it goes to another when the session ends, though nobody was there when the connection was lost', () => {
    const world = new World()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 10)] }
    const member = subscriber(world, 'm', GROUP, wishes)
    subscriber(world, 'other', GROUP, lasting()).hangUp()
    feed(world, 2, 1)
    expect(payloads(member)).toEqual(['1', '2'])
    member.vanish()
    world.advance(11_000)
    expect(payloads(world.connect('other', lasting()))).toEqual(['1', '2'])
  })

  it('[MQTT5-4.8.2-f] it goes to another when the member had unsubscribed and its session ends', () => {
    const world = new World()
    const wishes = { clean: false, properties: [prop('sessionExpiryInterval', 10)] }
    const member = subscriber(world, 'm', GROUP, wishes)
    feed(world, 2, 1)
    expect(payloads(member)).toEqual(['1', '2'])
    const other = subscriber(world, 'other', GROUP)
    member.send(unsubscribe(1, GROUP))
    member.next('UNSUBACK')
    member.vanish()
    expect(other.received()).toEqual([])
    world.advance(11_000)
    expect(payloads(other)).toEqual(['1', '2'])
  })

  it('[MQTT5-4.4.0-1] without another member it is sent again to the same one, under its packet identifier', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, lasting())
    feed(world, 2, 1)
    const packets = member.publishes()
    member.vanish()
    const back = world.connect('m', lasting())
    expect(back.publishes().map(({ id, payload, dup }) => [id, payload, dup])).toEqual(
      packets.map(({ id, payload }) => [id, payload, true]),
    )
    back.send(...packets.map(({ id }) => puback(id)))
    feed(world, 1, 1, 3)
    expect(payloads(back)).toEqual(['3'])
  })

  it('a member that acknowledges what has gone to another harms neither', () => {
    const world = new World()
    const member = subscriber(world, 'm', GROUP, lasting())
    const other = subscriber(world, 'other', GROUP)
    feed(world, 2, 1)
    const { id } = onlyPublish(member)
    const [own] = other.publishes()
    member.vanish()
    const moved = onlyPublish(other)
    const back = world.connect('m', lasting())
    back.send(puback(id))
    feed(world, 2, 1, 3)
    expect(payloads(back)).toHaveLength(1)
    expect(payloads(other)).toHaveLength(1)
    other.send(puback(moved.id), puback(own!.id))
    expect(other.received()).toEqual([])
    expect(other.isClosed || back.isClosed).toBe(false)
  })
})

describe('with a log', () => {
  it('[MQTT5-4.8.2-a, MQTT5-4.8.2-b] members that last share what is in the log', async () => {
    const world = await World.withLog()
    const members = await Promise.all(['m1', 'm2'].map((id) => world.join(id, lasting())))
    for (const member of members) {
      await member.finish(subscribe(1, GROUP))
      member.next('SUBACK')
    }
    const passing = subscriber(world, 'passing', GROUP)
    const publisher = await world.join('p')
    await publisher.finish(...numbers(9).map((payload) => publish('a', payload, { qos: 1, id: Number(payload) })))
    expect(publisher.received().map(({ type }) => type)).toEqual(numbers(9).map(() => 'PUBACK'))
    const got = [...members, passing].map((member) => payloads(member))
    expect(inOrder(got.flat())).toEqual(numbers(9))
    expect(got.map((own) => own.length)).toEqual([3, 3, 3])
    for (const member of members) member.vanish()
    await world.settle()
    // Everything that they had not acknowledged is with the third one now.
    expect(inOrder([...got[2]!, ...payloads(passing)])).toEqual(numbers(9))
  })
})
