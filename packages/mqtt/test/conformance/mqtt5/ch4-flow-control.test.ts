/** Flow control: receive maximum in both directions. [MQTT5 §4.9] [MQTT5 §3.3.4] */
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  pingreq,
  prop,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
  World,
} from '../../harness.ts'
import { lasting, payloads, sequence, subscriber, take } from './scenes.ts'

/** Sends `count` messages that go to the filter 'a', with the payloads '1', '2', … */
function feed(world: World, count: number, qos: 0 | 1 | 2, from = 1): void {
  const publisher = world.connect('feeder')
  for (let index = from; index < from + count; index++) {
    publisher.push(publish('a', `${index}`, { qos, ...(qos > 0 && { id: index }) }))
  }
  world.run()
}

function limited(world: World, receiveMaximum: number): Client {
  return subscriber(world, 's', 'a', { properties: [prop('receiveMaximum', receiveMaximum)] })
}

describe('the client’s receive maximum', () => {
  it.each([1, 2, 7])(
    '[MQTT5-3.3.4-9, MQTT5-4.9.0-1, MQTT5-4.9.0-2] with %i, so many QoS 1 messages are sent and no more until PUBACK comes',
    (maximum) => {
      const world = new World()
      const client = limited(world, maximum)
      feed(world, 20, 1)
      const unacknowledged: number[] = []
      for (let done = 0; done < 20; done++) {
        const window = client.publishes()
        // At first a whole window, afterwards one for each that was acknowledged.
        expect(window.map(({ payload }) => payload)).toEqual(
          done === 0
            ? Array.from({ length: maximum }, (_, index) => `${index + 1}`)
            : done + maximum <= 20
              ? [`${done + maximum}`]
              : [],
        )
        for (const { id } of window) unacknowledged.push(id)
        client.send(puback(unacknowledged.shift()!))
      }
      expect(unacknowledged).toEqual([])
      expect(client.received()).toEqual([])
    },
  )

  it('[MQTT5-3.3.4-9, MQTT5-4.9.0-2] QoS 2 messages keep their place in it until PUBCOMP', () => {
    const world = new World()
    const client = limited(world, 2)
    feed(world, 4, 2)
    const [first, second] = client.publishes()
    expect([first?.payload, second?.payload]).toEqual(['1', '2'])
    client.send(pubrec(first!.id), pubrec(second!.id))
    expect(sequence(client.received())).toEqual([
      ['PUBREL', first!.id],
      ['PUBREL', second!.id],
    ])
    client.send(pubcomp(second!.id))
    expect(payloads(client)).toEqual(['3'])
    client.send(pubcomp(first!.id))
    expect(payloads(client)).toEqual(['4'])
  })

  it('[MQTT5-3.3.4-9] QoS 1 and QoS 2, own and shared subscriptions have one window together', () => {
    const world = new World()
    const client = limited(world, 3)
    take(client, '$share/g/b')
    take(client, '$share/h/b')
    const publisher = world.connect('p')
    publisher.send(publish('a', 'a1', { qos: 1, id: 1 }), publish('b', 'b1', { qos: 2, id: 2 }))
    publisher.send(publish('a', 'a2', { qos: 2, id: 3 }), publish('b', 'b2', { qos: 1, id: 4 }))
    const came = client.publishes()
    expect(came).toHaveLength(3)
    let total = 3
    for (let packet = came.shift(); packet !== undefined; packet = came.shift()) {
      client.send(...(packet.qos === 1 ? [puback(packet.id)] : [pubrec(packet.id), pubcomp(packet.id)]))
      const more = client.received().filter(({ type }) => type === 'PUBLISH')
      expect(more.length).toBeLessThanOrEqual(1)
      total += more.length
      came.push(...(more as typeof came))
    }
    expect(total).toBe(6)
  })

  it('[MQTT5-4.9-a] PUBACK with an error, PUBCOMP 0x92 and PUBREC from 0x80 on each give one back', () => {
    const world = new World()
    const client = limited(world, 1)
    const publisher = world.connect('p')
    publisher.send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    publisher.send(publish('a', '3', { qos: 2, id: 3 }), publish('a', '4', { qos: 1, id: 4 }))
    const [one] = client.publishes()
    client.send(puback(one!.id, { reason: 0x97 }))
    const [two] = client.publishes()
    expect(two?.payload).toBe('2')
    client.send(pubrec(two!.id, { reason: 0x80 }))
    const [three] = client.publishes()
    expect(three?.payload).toBe('3')
    client.send(pubrec(three!.id))
    client.next('PUBREL')
    client.send(pubcomp(three!.id, { reason: 0x92 }))
    expect(payloads(client)).toEqual(['4'])
  })

  it('[MQTT5-4.9-a] nothing gives back more than was taken: the quota never exceeds its start', () => {
    const world = new World()
    const client = limited(world, 2)
    feed(world, 2, 1)
    const ids = client.publishes().map(({ id }) => id)
    client.send(
      ...ids.map((id) => puback(id)),
      ...ids.map((id) => puback(id)),
      pubcomp(ids[0]!),
      puback(900),
      pubcomp(901),
    )
    client.send(pubrec(ids[1]!, { reason: 0x80 }), pubrec(902, { reason: 0x80 }))
    client.received()
    feed(world, 5, 1, 10)
    expect(payloads(client)).toEqual(['10', '11'])
  })

  it('[MQTT5-3.3.4-10, MQTT5-4.9.0-3] with no quota left every other packet is answered and sent', () => {
    const world = new World()
    const client = limited(world, 1)
    feed(world, 3, 2)
    const [stuck] = client.publishes()
    client.send(
      pingreq(),
      subscribe(1, 'b'),
      unsubscribe(2, 'b'),
      publish('x', '', { qos: 1, id: 3 }),
      publish('x', '', { qos: 2, id: 4 }),
      pubrel(4),
      pubrec(stuck!.id),
      pubrec(555),
    )
    expect(sequence(client.received())).toEqual([
      ['PINGRESP'],
      ['SUBACK', 1],
      ['UNSUBACK', 2],
      ['PUBACK', 3],
      ['PUBREC', 4],
      ['PUBCOMP', 4],
      ['PUBREL', stuck!.id],
      ['PUBREL', 555],
    ])
  })

  it('QoS 0 messages need no quota', () => {
    const world = new World()
    const client = limited(world, 1)
    feed(world, 1, 1)
    expect(payloads(client)).toEqual(['1'])
    feed(world, 10, 0, 2)
    expect(payloads(client)).toHaveLength(10)
  })

  it('[MQTT5-4.9-b] a new connection starts with a full quota of its own', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting(prop('receiveMaximum', 2)))
    feed(world, 6, 1)
    expect(payloads(first)).toEqual(['1', '2'])
    first.vanish()
    const second = world.connect('s', lasting(prop('receiveMaximum', 5)))
    expect(payloads(second)).toEqual(['1', '2', '3', '4', '5'])
    second.vanish()
    const unlimited = world.connect('s', lasting())
    expect(payloads(unlimited)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('[MQTT5-4.9-b, MQTT5-3.3.4-9] what is sent again on a new connection keeps to the receive maximum of that one', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting())
    feed(world, 8, 1)
    expect(payloads(first)).toHaveLength(8)
    first.vanish()
    feed(world, 2, 1, 9)
    const second = world.connect('s', lasting(prop('receiveMaximum', 3)))
    const window = second.publishes()
    expect(window.map(({ payload, dup }) => [payload, dup])).toEqual([
      ['1', true],
      ['2', true],
      ['3', true],
    ])
    const got = window.map(({ payload }) => payload)
    const waiting = window.map(({ id }) => id)
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      second.send(puback(id))
      const more = second.publishes()
      expect(more.length).toBeLessThanOrEqual(1)
      for (const { payload, dup, id: nextId } of more) {
        expect(dup).toBe(Number(payload) <= 8)
        got.push(payload)
        waiting.push(nextId)
      }
    }
    expect(got).toEqual(Array.from({ length: 10 }, (_, index) => `${index + 1}`))
  })

  it('what is new waits behind what is still to be sent again, at every QoS', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting())
    feed(world, 3, 1)
    const ids = first.publishes().map(({ id }) => id)
    first.vanish()
    const second = world.connect('s', lasting(prop('receiveMaximum', 1)))
    feed(world, 2, 0, 4)
    const got = payloads(second)
    for (const id of ids) {
      second.send(puback(id))
      got.push(...payloads(second))
    }
    expect(got).toEqual(['1', '2', '3', '4', '5'])
  })

  it('[MQTT5-4.9-b, MQTT5-3.3.4-10] PUBREL packets are sent again at once, whatever the receive maximum', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting())
    feed(world, 6, 2)
    const ids = first.publishes().map(({ id }) => id)
    first.send(...ids.slice(0, 4).map((id) => pubrec(id)))
    first.vanish()
    const second = world.connect('s', lasting(prop('receiveMaximum', 1)))
    const again = second.received()
    expect(sequence(again.filter(({ type }) => type === 'PUBREL'))).toEqual(ids.slice(0, 4).map((id) => ['PUBREL', id]))
    expect(again.filter(({ type }) => type === 'PUBLISH').length).toBeLessThanOrEqual(1)
    second.send(...ids.slice(0, 4).map((id) => pubcomp(id)))
    const rest = [...again, ...second.received()].filter(({ type }) => type === 'PUBLISH')
    expect(sequence(rest)).toEqual([['PUBLISH', ids[4]]])
    second.send(pubrec(ids[4]!), pubcomp(ids[4]!))
    expect(sequence(second.received())).toEqual([
      ['PUBREL', ids[4]],
      ['PUBLISH', ids[5]],
    ])
  })

  it('[MQTT5-3.3.4-9] an acknowledgement of what was not sent again yet counts, and makes room for none too many', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting())
    feed(world, 5, 1)
    const ids = first.publishes().map(({ id }) => id)
    first.vanish()
    const second = world.connect('s', lasting(prop('receiveMaximum', 2)))
    expect(payloads(second)).toEqual(['1', '2'])
    // The client has 4 from the first connection.
    second.send(puback(ids[3]!))
    expect(second.received()).toEqual([])
    second.send(puback(ids[0]!), puback(ids[1]!))
    expect(payloads(second)).toEqual(['3', '5'])
  })

  it('[MQTT5-4.4.0-1] what is sent again goes out as fast as the connection takes it, before anything new', () => {
    const world = new World()
    const first = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    const properties = [prop('messageExpiryInterval', 100)]
    for (let id = 1; id <= 6; id++) publisher.send(publish('a', new Uint8Array(400_000), { qos: 1, id, properties }))
    const ids = first.publishes().map(({ id }) => id)
    first.vanish()
    const second = world.open()
    second.stopReading()
    second.send(connect({ clientId: 's', ...lasting() }))
    publisher.send(publish('a', 'new', { qos: 1, id: 7 }), publish('a', 'newer'))
    world.advance(10_000)
    second.readAgain()
    second.accepted()
    const again = second.publishes()
    expect(again.slice(0, 6).map(({ id, dup }) => [id, dup])).toEqual(ids.map((id) => [id, true]))
    expect(again.slice(6).map(({ payload }) => payload)).toEqual(['new', 'newer'])
    // The time left is written with the packet: the last ones were written when there was room for them.
    const secondsLeft = again.slice(0, 6).map((packet) => packet.properties.messageExpiryInterval)
    expect([secondsLeft[0], secondsLeft[5]]).toEqual([100, 90])
  })
})

describe('the server’s receive maximum', () => {
  it('[MQTT5-3.3.4-7, MQTT5-3.3.4-d] one QoS 2 message more than it allows is answered with DISCONNECT 0x93', () => {
    const world = new World({ settings: { receiveMaximum: 3 } })
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    expect(client.connack.properties.receiveMaximum).toBe(3)
    for (const id of [1, 2, 3]) client.send(publish('a', `${id}`, { qos: 2, id }))
    expect(sequence(client.received())).toEqual([1, 2, 3].map((id) => ['PUBREC', id]))
    client.send(publish('a', '4', { qos: 2, id: 4 }))
    expect(client.goodbye()).toBe(0x93)
    expect(payloads(listener)).toEqual(['1', '2', '3'])
  })

  it('[MQTT5-3.3.4-7] the maximum itself is taken, again and again, and what is finished does not count', () => {
    const world = new World({ settings: { receiveMaximum: 3 } })
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    for (let round = 0; round < 4; round++) {
      for (const id of [1, 2, 3]) client.send(publish('a', 'x', { qos: 2, id }))
      // A repetition is not a message more, a refused one is over, QoS 1 ends with its PUBACK.
      client.send(publish('a', 'x', { qos: 2, id: 2, dup: true }))
      client.send(pubrel(1), publish('$refused', 'x', { qos: 2, id: 9 }), publish('$refused', 'x', { qos: 2, id: 10 }))
      client.send(...[20, 21, 22, 23, 24].map((id) => publish('a', 'y', { qos: 1, id })))
      client.send(pubrel(2), pubrel(3))
    }
    expect(client.isClosed).toBe(false)
    expect(payloads(listener).filter((payload) => payload === 'x')).toHaveLength(12)
  })

  it('[MQTT5-4.9-b] what an earlier connection left open does not count on a new one', () => {
    const world = new World({ settings: { receiveMaximum: 2 } })
    const first = world.connect('p', lasting())
    first.send(publish('a', '1', { qos: 2, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    first.vanish()
    const second = world.connect('p', lasting())
    second.send(publish('a', '3', { qos: 2, id: 3 }), publish('a', '4', { qos: 2, id: 4 }))
    expect(sequence(second.received())).toEqual([
      ['PUBREC', 3],
      ['PUBREC', 4],
    ])
    second.send(pubrel(1), pubrel(2), pubrel(3), pubrel(4))
    expect(second.received()).toMatchObject([1, 2, 3, 4].map((id) => ({ type: 'PUBCOMP', id, reasonCode: 0 })))
    for (const id of [5, 6]) second.send(publish('a', 'x', { qos: 2, id }))
    expect(sequence(second.received())).toEqual([5, 6].map((id) => ['PUBREC', id]))
    second.send(publish('a', 'x', { qos: 2, id: 7 }))
    expect(second.goodbye()).toBe(0x93)
  })
})

describe('the client’s maximum packet size', () => {
  it.each([0, 1, 2] as const)(
    'a QoS %i message that is too large for one subscriber is not sent to it, and others get it',
    (qos) => {
      const world = new World()
      const small = subscriber(world, 'small', { filter: 'a', qos }, lasting(prop('maximumPacketSize', 60)))
      const large = subscriber(world, 'large', { filter: 'a', qos })
      const publisher = world.connect('p')
      publisher.send(publish('a', 'x'.repeat(100), { qos: 2, id: 1 }), publish('a', 'fits', { qos: 2, id: 2 }))
      expect(payloads(small)).toEqual(['fits'])
      expect(payloads(large)).toEqual(['x'.repeat(100), 'fits'])
      expect(world.vhost.sessions.find('small')?.pool.used).toBe(qos === 0 ? 0 : 1)
    },
  )

  it.each([0, 1, 2] as const)('a QoS %i message of exactly that size is sent, one byte more is not', (qos) => {
    for (const properties of [[], [prop('userProperty', ['key', 'value'])], [prop('messageExpiryInterval', 100)]]) {
      const maximum = 100
      const world = new World()
      const client = subscriber(world, 's', { filter: 'a', qos }, { properties: [prop('maximumPacketSize', maximum)] })
      const empty = publish('a', '', { qos, ...(qos > 0 && { id: 1 }), properties })(5).length
      const publisher = world.connect('p')
      publisher.send(publish('a', 'x'.repeat(maximum - empty + 1), { qos, ...(qos > 0 && { id: 1 }), properties }))
      expect(client.received()).toEqual([])
      publisher.send(publish('a', 'x'.repeat(maximum - empty), { qos, ...(qos > 0 && { id: 2 }), properties }))
      expect(client.publishes().map(({ raw }) => raw.length)).toEqual([maximum])
    }
  })

  it('what the broker itself adds counts: a subscription identifier can make a message too large', () => {
    const world = new World()
    const client = world.connect('s', { properties: [prop('maximumPacketSize', 50)] })
    take(client, 'a', prop('subscriptionIdentifier', 268_435_455))
    const size = publish('a', '')(5).length
    const publisher = world.connect('p')
    publisher.send(publish('a', 'x'.repeat(50 - size)), publish('a', 'x'.repeat(50 - size - 5)))
    expect(client.publishes().map(({ raw }) => raw.length)).toEqual([50])
  })
})

describe('the server’s maximum packet size', () => {
  it('a packet as large as CONNACK allows is taken, one byte more ends the connection with 0x95', () => {
    const world = new World({ settings: { maxPacketBytes: 1_000 } })
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p')
    expect(client.connack.properties.maximumPacketSize).toBe(1_000)
    const rest = 1_000 - 1 - 2 - 3 - 1
    client.send(publish('a', 'x'.repeat(rest)))
    expect(payloads(listener)).toEqual(['x'.repeat(rest)])
    // Refused as soon as its length is known, before the rest has come.
    client.send(publish('a', 'x'.repeat(rest + 1))(5).slice(0, 3))
    expect(client.goodbye()).toBe(0x95)
    expect(listener.received()).toEqual([])
  })
})
