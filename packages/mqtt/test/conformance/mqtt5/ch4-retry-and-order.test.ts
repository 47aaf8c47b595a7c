/** Sending again, receiving for every session, and the order of messages. [MQTT5 §4.4] [MQTT5 §4.5] [MQTT5 §4.6] */
import { describe, expect, it } from 'vitest'
import { bytes, type Client, prop, puback, pubcomp, publish, pubrec, pubrel, subscribe, World } from '../../harness.ts'
import { lasting, onlyPublish, payloads, sequence, subscriber, take } from './scenes.ts'

const FIVE = [1, 2, 3, 4, 5]

describe('4.4 message delivery retry', () => {
  it('[MQTT5-4.4.0-1] a resumed session gets its unacknowledged PUBLISH and PUBREL packets under their old identifiers', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    for (const id of FIVE) publisher.send(publish('a', `${id}`, { qos: id % 2 === 0 ? 1 : 2, id }))
    const ids = client.publishes().map(({ id }) => id)
    client.send(puback(ids[1]!), pubrec(ids[0]!))
    client.vanish()
    for (let round = 0; round < 2; round++) {
      const again = world.connect('s', lasting())
      expect(again.connack.sessionPresent).toBe(true)
      const got = again.received()
      expect(sequence(got)).toEqual([
        ['PUBREL', ids[0]],
        ['PUBLISH', ids[2]],
        ['PUBLISH', ids[3]],
        ['PUBLISH', ids[4]],
      ])
      expect(got.slice(1)).toMatchObject([
        { payload: '3', qos: 2, dup: true },
        { payload: '4', qos: 1, dup: true },
        { payload: '5', qos: 2, dup: true },
      ])
      again.vanish()
    }
  })

  it('[MQTT5-4.4.0-1] nothing is sent again at any other time', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    world.connect('p').send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    const [, second] = client.publishes()
    client.send(pubrec(second!.id))
    client.next('PUBREL')
    world.advance(24 * 3_600_000)
    take(client, 'a')
    client.send(puback(999))
    expect(client.received()).toEqual([])
  })

  it('[MQTT5-4.4.0-1] nothing is sent again to a session that begins anew', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    world.connect('p').send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    client.vanish()
    expect(world.connect('s', { ...lasting(), clean: true }).received()).toEqual([])
  })

  it('[MQTT5-4.4.0-1] a connection that takes the session over gets them, too', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    world.connect('p').send(publish('a', 'x', { qos: 1, id: 1 }))
    const { id } = onlyPublish(client)
    const second = world.connect('s', lasting())
    expect(client.received()).toMatchObject([{ type: 'DISCONNECT', reasonCode: 0x8e }])
    expect(onlyPublish(second)).toMatchObject({ id, dup: true, payload: 'x' })
  })

  it('[MQTT5-4.4.0-1] the client’s own repetitions go on where they were', () => {
    const world = new World()
    const listener = subscriber(world, 's', 'a')
    const client = world.connect('p', lasting())
    client.send(publish('a', '1', { qos: 2, id: 1 }), publish('a', '2', { qos: 2, id: 2 }), pubrel(2))
    client.vanish()
    const again = world.connect('p', lasting())
    again.send(publish('a', '1', { qos: 2, id: 1, dup: true }), pubrel(2), pubrel(1))
    expect(sequence(again.received())).toEqual([
      ['PUBREC', 1],
      ['PUBCOMP', 2],
      ['PUBCOMP', 1],
    ])
    expect(payloads(listener)).toEqual(['1', '2'])
  })

  it('[MQTT5-4.4.0-1] a message that the new connection is too small for is not sent again', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    publisher.send(publish('a', 'x'.repeat(200), { qos: 1, id: 1 }), publish('a', 'y'.repeat(200), { qos: 2, id: 2 }))
    publisher.send(publish('a', 'small', { qos: 2, id: 3 }))
    client.vanish()
    const small = world.connect('s', lasting(prop('maximumPacketSize', 100)))
    const { id } = onlyPublish(small)
    small.send(pubrec(id), pubcomp(id))
    small.received()
    small.vanish()
    expect(world.connect('s', lasting()).received()).toEqual([])
  })

  it.each([0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])(
    '[MQTT5-4.4.0-2] a message that was answered with %i is not sent again, and its identifier is free',
    (reason) => {
      const world = new World()
      const client = subscriber(world, 's', 'a', lasting())
      world.connect('p').send(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
      const [first, second] = client.publishes()
      client.send(puback(first!.id, { reason }), pubrec(second!.id, { reason }))
      expect(client.received()).toEqual([])
      expect(world.vhost.sessions.find('s')?.pool.used).toBe(0)
      client.vanish()
      expect(world.connect('s', lasting()).received()).toEqual([])
    },
  )
})

describe('4.5 message receipt', () => {
  it('[MQTT5-4.5.0-1] a message goes to the session of every client with a matching subscription, connected or not', () => {
    const world = new World()
    const filters = ['a/b', 'a/+', '#', '+/b', 'a/b/#']
    const here = filters.map((filter, index) => subscriber(world, `here${index}`, filter))
    filters.forEach((filter, index) => subscriber(world, `away${index}`, filter, lasting()).hangUp())
    const other = subscriber(world, 'other', 'b/#')
    const client = world.connect('p')
    client.send(publish('a/b', '1', { qos: 1, id: 1 }), publish('a/b', '2', { qos: 2, id: 2 }))
    expect(sequence(client.received())).toEqual([
      ['PUBACK', 1],
      ['PUBREC', 2],
    ])
    client.vanish()
    for (const receiver of here) expect(payloads(receiver)).toEqual(['1', '2'])
    filters.forEach((_, index) => expect(payloads(world.connect(`away${index}`, lasting()))).toEqual(['1', '2']))
    expect(other.received()).toEqual([])
  })

  it('[MQTT5-4.5.0-1] so does a message of a publisher that is itself subscribed', () => {
    const world = new World()
    const client = subscriber(world, 'c', 'a')
    client.send(publish('a', 'x', { qos: 1, id: 1 }))
    expect(
      client
        .received()
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['PUBACK', 'PUBLISH'])
  })
})

describe('4.6 message ordering', () => {
  it('[MQTT5-4.6.0-1] what is sent again is in the order of the first time, also when identifiers came round', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting())
    const publisher = world.connect('p')
    // Moves the server's identifiers close to their end.
    const burst = bytes(...Array.from({ length: 1_310 }, (_, index) => publish('a', '', { qos: 1, id: index + 1 })(5)))
    for (let sent = 0; sent < 65_500; sent += 1_310) {
      publisher.send(burst)
      publisher.received()
      client.send(...client.publishes().map(({ id }) => puback(id)))
    }
    for (let id = 1; id <= 100; id++) publisher.push(publish('a', `${id}`, { qos: id % 3 === 0 ? 2 : 1, id }))
    world.run()
    const first = client.publishes()
    expect(first.some(({ id }) => id > 65_000) && first.some(({ id }) => id < 1_000)).toBe(true)
    client.send(
      ...first.filter((_, index) => index % 5 === 0).map(({ id, qos }) => (qos === 1 ? puback(id) : pubrec(id))),
    )
    client.vanish()
    const again = world.connect('s', lasting())
    const expected = first.filter(({ qos }, index) => index % 5 !== 0 || qos === 2).map(({ id }) => id)
    const ids = sequence(again.received()).map(([, id]) => id)
    expect(ids).toEqual(expected)
  })

  it('[MQTT5-4.6.0-2, MQTT5-4.6.0-3] PUBACK and PUBREC go out in the order in which the PUBLISH packets came', () => {
    const world = new World()
    subscriber(world, 's', 'wanted')
    const client = world.connect('p')
    // Matched, unmatched and refused messages are answered in different ways, and at once or not.
    const topics = ['wanted', 'unwanted', '$refused', 'wanted', 'unwanted', 'wanted']
    const ids = [50, 9, 65_535, 3, 800, 1]
    for (const qos of [1, 2] as const) {
      client.send(...topics.map((topic, index) => publish(topic, 'x', { qos, id: ids[index]! })))
      expect(sequence(client.received())).toEqual(ids.map((id) => [qos === 1 ? 'PUBACK' : 'PUBREC', id]))
    }
  })

  it('[MQTT5-4.6.0-2, MQTT5-4.6.0-3] so they do where some messages wait for the log and some do not', async () => {
    const world = await World.withLog()
    const listener = await world.join('s', lasting())
    await listener.finish(subscribe(1, 'kept'))
    listener.next('SUBACK')
    const client = await world.join('p')
    const topics = ['passing', 'kept', 'passing', 'kept', '$refused', 'kept', 'no text', 'kept', 'passing']
    const noText = { properties: [prop('payloadFormatIndicator', 1)] }
    for (const qos of [1, 2] as const) {
      const drafts = topics.map((topic, index) =>
        topic === 'no text'
          ? publish('kept', Uint8Array.of(0xff), { qos, id: 10 * qos + index, ...noText })
          : publish(topic, `${index}`, { qos, id: 10 * qos + index }),
      )
      await client.finish(...drafts)
      const answers = client.received()
      expect(sequence(answers)).toEqual(topics.map((_, index) => [qos === 1 ? 'PUBACK' : 'PUBREC', 10 * qos + index]))
      const codes = answers.map((answer) => 'reasonCode' in answer && answer.reasonCode)
      expect(codes).toEqual([0x10, 0, 0x10, 0, 0x87, 0, 0x99, 0, 0x10])
    }
    expect(payloads(listener)).toEqual(['1', '3', '5', '7', '1', '3', '5', '7'])
  })

  it('[MQTT5-4.6.0-4] PUBREL go out in the order in which the PUBREC packets came', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a')
    const publisher = world.connect('p')
    for (const id of FIVE) publisher.send(publish('a', `${id}`, { qos: 2, id }))
    const ids = client.publishes().map(({ id }) => id)
    const order = [3, 0, 4, 1, 2].map((index) => ids[index]!)
    client.send(...order.map((id) => pubrec(id)))
    expect(sequence(client.received())).toEqual(order.map((id) => ['PUBREL', id]))
  })

  it.each([0, 1, 2] as const)(
    '[MQTT5-4.6.0-5, MQTT5-4.6.0-6] QoS %i messages of one publisher keep their order for every subscriber',
    (qos) => {
      const world = new World()
      const clients = ['a/b', 'a/+', '#'].map((filter, index) =>
        subscriber(world, `s${index}`, filter, { properties: [prop('receiveMaximum', index + 2)] }),
      )
      const publishers = [world.connect('p1'), world.connect('p2')]
      for (let index = 0; index < 30; index++) {
        publishers.forEach((publisher, which) =>
          publisher.push(publish('a/b', `${which}:${index}`, { qos, ...(qos > 0 && { id: index + 1 }) })),
        )
        if (index % 7 === 0) world.run()
      }
      world.run()
      for (const client of clients) {
        const got = takeAll(client)
        for (const which of [0, 1]) {
          const own = got.filter((payload) => payload.startsWith(`${which}:`))
          expect(own).toEqual(Array.from({ length: 30 }, (_, index) => `${which}:${index}`))
        }
      }
    },
  )

  it('[MQTT5-4.6.0-5, MQTT5-4.6.0-6] messages that waited come before those that did not', () => {
    const world = new World()
    subscriber(world, 's', 'a', lasting()).hangUp()
    const publisher = world.connect('p')
    for (const id of FIVE) publisher.send(publish('a', `${id}`, { qos: 1, id }))
    const client = world.connect('s', lasting(prop('receiveMaximum', 2)))
    for (const id of [6, 7, 8]) publisher.send(publish('a', `${id}`, { qos: 1, id }))
    expect(takeAll(client)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
  })

  it('[MQTT5-4.6.0-5, MQTT5-4.6.0-6] a message that comes in the turn in which there is room again stays behind those that waited', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', { properties: [prop('receiveMaximum', 1)] })
    const publisher = world.connect('p')
    for (const id of [1, 2, 3]) publisher.send(publish('a', `${id}`, { qos: 1, id }))
    const got: string[] = []
    for (let next = 4; next <= 8; next++) {
      const { id, payload } = onlyPublish(client)
      got.push(payload)
      client.push(puback(id))
      publisher.push(publish('a', `${next}`, { qos: 1, id: next }))
      world.run()
    }
    expect([...got, ...takeAll(client)]).toEqual(['1', '2', '3', '4', '5', '6', '7', '8'])
  })

  it('[MQTT5-4.6.0-5, MQTT5-4.6.0-6] a retained message comes before what its publisher sends in the turn of the SUBSCRIBE', () => {
    const world = new World()
    const publisher = world.connect('p')
    publisher.send(publish('a', 'kept', { qos: 1, id: 1, retain: true }))
    const client = world.connect('s')
    client.push(subscribe(1, 'a'))
    publisher.push(publish('a', 'live', { qos: 1, id: 2 }))
    world.run()
    client.next('SUBACK')
    expect(payloads(client)).toEqual(['kept', 'live'])
  })

  it('[MQTT5-4.6.0-5, MQTT5-4.6.0-6] a resumed session gets what is sent again before what is new', () => {
    const world = new World()
    const client = subscriber(world, 's', 'a', lasting(prop('receiveMaximum', 3)))
    const publisher = world.connect('p')
    for (const id of FIVE) publisher.send(publish('a', `${id}`, { qos: 1, id }))
    expect(payloads(client)).toEqual(['1', '2', '3'])
    client.vanish()
    publisher.send(publish('a', '6', { qos: 1, id: 6 }))
    const again = world.connect('s', lasting(prop('receiveMaximum', 10)))
    expect(payloads(again)).toEqual(['1', '2', '3', '4', '5', '6'])
  })

  it('[MQTT5-4.6.0-5, MQTT5-4.6.0-6] with a log, order is kept between messages that wait for it and those that do not', async () => {
    const world = await World.withLog()
    const kept = await world.join('kept', lasting())
    await kept.finish(subscribe(1, 'a'))
    kept.next('SUBACK')
    const passing = subscriber(world, 'passing', 'a')
    const client = await world.join('p')
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
    await client.finish(...numbers.map((id) => publish('a', `${id}`, { qos: 1, id, retain: id % 4 === 0 })))
    const expected = numbers.map((id) => `${id}`)
    expect(payloads(passing)).toEqual(expected)
    expect(payloads(kept)).toEqual(expected)
  })
})

/** Every payload, in order, acknowledged as it comes. */
function takeAll(client: Client): string[] {
  const got: string[] = []
  for (let packets = client.received(); packets.length > 0; packets = client.received()) {
    for (const packet of packets) {
      if (packet.type === 'PUBREL') client.push(pubcomp(packet.id))
      if (packet.type !== 'PUBLISH') continue
      got.push(packet.payload)
      if (packet.qos > 0) client.push(packet.qos === 1 ? puback(packet.id) : pubrec(packet.id))
    }
    client.send()
  }
  return got
}
