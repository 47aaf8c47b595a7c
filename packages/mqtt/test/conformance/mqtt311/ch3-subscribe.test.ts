import type { Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { bytes, frame, hex, publish, pubrec, type QoS, subscribe, u16, unsubscribe, utf8 } from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

/** Nobody may read below 'secret'. */
const noSecrets: Authorizer = {
  generation: 0,
  mayUse: () => ({ allowed: true, rule: 'anything' }),
  mayMatch: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'no secrets' }),
}

describe('SUBSCRIBE', () => {
  it.each([0x80, 0x81, 0x83, 0x84, 0x86, 0x8a, 0x8f])(
    '[MQTT311-3.8.1-1] with the first byte %i ends the connection and subscribes to nothing',
    (first) => {
      const world = world311()
      const client = world.connect('c1')
      client.send(bytes(first, subscribe(1, 'a')(4).subarray(1)))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it.each([
    ['a filter that is no UTF-8', frame(0x82, u16(1), 0, 2, 0x61, 0xff, 0)],
    ['a filter with a surrogate', frame(0x82, u16(1), utf8(Uint8Array.of(0xed, 0xa0, 0x80)), 0)],
    ['a filter that is cut off', frame(0x82, u16(1), 0, 5, 0x61)],
  ])('[MQTT311-3.8.3-1] with %s ends the connection', (_fault, packet) => {
    const client = world311().connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.8.3-1] reads filters as UTF-8', () => {
    const world = world311()
    const client = watch(world, 'zäh/+/\u{1f9ea}')
    world.connect('publisher').send(publish('zäh/ler/\u{1f9ea}', 'x'))
    expect(client.publishes()).toMatchObject([{ payload: 'x' }])
  })

  it.each(['#', '+', 'a/#', '+/b'])('[MQTT311-3.8.3-2] to %s is granted: wildcards are supported', (filter) => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, filter))
    expect(client.next('SUBACK').reasonCodes).toEqual([2])
  })

  it.each(['#', '+', 'a/#', '+/b', '$share/group/a/+'])(
    '[MQTT311-3.8.3-2] to %s is refused where wildcards are switched off',
    (filter) => {
      const world = world311({ settings: { wildcardSubscriptionsAvailable: false } })
      const client = world.connect('c1')
      client.send(subscribe(1, 'a/b', filter))
      expect(client.next('SUBACK').reasonCodes).toEqual([2, 0x80])
      world.connect('publisher').send(publish('a/c', 'x'), publish('c/b', 'x'), publish('a', 'x'))
      expect(client.received()).toEqual([])
    },
  )

  it.each([
    ['nothing behind its identifier', frame(0x82, u16(1))],
    ['a filter without QoS', frame(0x82, u16(1), utf8('a'))],
    ['a second filter without QoS', frame(0x82, u16(1), utf8('a'), 0, utf8('b'))],
  ])('[MQTT311-3.8.3-3] with %s ends the connection', (_what, packet) => {
    const world = world311()
    const client = world.connect('c1')
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it.each([0x03, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff])(
    '[MQTT311-3.8.3-4] with the QoS byte %i ends the connection',
    (qos) => {
      const world = world311()
      const client = world.connect('c1')
      client.send(subscribe(1, { filter: 'a', qos: 1 }, { filter: 'b', qos }))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it('[MQTT311-3.8.4-1, MQTT311-3.8.4-2] is answered with SUBACK, by its packet identifier', () => {
    const client = world311().connect('c1')
    client.send(hex('82 06 abcd 0001 61 01'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('90 03 abcd 01')])
  })

  it('[MQTT311-3.8.4-1] is answered each time', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'), subscribe(2, 'a'), subscribe(3, 'b'))
    expect(client.received()).toMatchObject([
      { type: 'SUBACK', id: 1 },
      { type: 'SUBACK', id: 2 },
      { type: 'SUBACK', id: 3 },
    ])
  })
})

describe('a filter that is subscribed to again', () => {
  it('[MQTT311-3.8.4-3] replaces the subscription: one copy of each message, at the new QoS', () => {
    const world = world311()
    const client = world.connect('c1')
    const publisher = world.connect('publisher')
    for (const qos of [1, 2, 0] as QoS[]) {
      client.send(subscribe(1, { filter: 'a/+', qos }))
      expect(client.next('SUBACK').reasonCodes).toEqual([qos])
      publisher.send(publish('a/b', 'x', { qos: 2, id: qos + 1 }))
      expect(lines(client.publishes())).toEqual([`a/b x q${qos}`])
    }
    client.send(unsubscribe(2, 'a/+'))
    client.next('UNSUBACK')
    publisher.send(publish('a/b', 'x'))
    expect(client.received()).toEqual([])
  })

  it('[MQTT311-3.8.4-3] sends the retained messages once more', async () => {
    const world = await kept311()
    await world
      .connect('publisher')
      .finish(
        publish('a/1', 'one', { qos: 1, id: 1, retain: true }),
        publish('a/2', 'two', { qos: 1, id: 2, retain: true }),
      )
    const client = world.connect('c1')
    for (const id of [1, 2, 3]) {
      client.send(subscribe(id, 'a/+'))
      client.next('SUBACK')
      const messages = client.publishes()
      expect(lines(messages).sort()).toEqual(['a/1 one q1', 'a/2 two q1'])
      expect(messages.every(({ retain }) => retain)).toBe(true)
    }
  })

  it('[MQTT311-3.8.4-3] loses no message in between, whatever arrives in the same turn', () => {
    const world = world311()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    const expected: string[] = []
    for (let index = 0; index < 50; index++) {
      publisher.push(publish('a', `before ${index}`, { qos: 1, id: index + 1 }))
      client.push(subscribe(index + 2, { filter: 'a', qos: index % 3 }))
      world.connect('other').push(publish('a', `after ${index}`, { qos: 1, id: 1 }))
      expected.push(`before ${index}`, `after ${index}`)
      world.run()
    }
    const got = client.received().flatMap((packet) => (packet.type === 'PUBLISH' ? [packet.payload] : []))
    expect(got).toEqual(expected)
  })

  it('[MQTT311-3.8.4-3] loses nothing that waits or is on its way', async () => {
    const world = await kept311({ settings: { mqtt3ReceiveMaximum: 1 } })
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, { filter: 'a', qos: 1 }))
    await world
      .connect('publisher')
      .finish(...['one', 'two', 'three'].map((payload, index) => publish('a', payload, { qos: 1, id: index + 1 })))
    await client.finish(subscribe(2, { filter: 'a', qos: 2 }))
    client.vanish()
    const payloads: string[] = []
    const again = await world.join('c1', { clean: false })
    for (let messages = again.publishes(); messages.length > 0; messages = again.publishes()) {
      payloads.push(...messages.map(({ payload }) => payload))
      await again.finish(...messages.map(({ id }) => frame(0x40, u16(id))))
    }
    expect(payloads).toEqual(['one', 'two', 'three'])
  })

  it('[MQTT311-3.8.4-3] is another one when it differs in one character', () => {
    const world = world311()
    const client = watch(world, 'a/+')
    client.send(subscribe(2, { filter: 'a/#', qos: 0 }), subscribe(3, { filter: 'A/+', qos: 0 }))
    client.next('SUBACK')
    client.next('SUBACK')
    world.connect('publisher').send(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(Math.max(...client.publishes().map(({ qos }) => qos))).toBe(2)
  })
})

describe('several filters', () => {
  it('[MQTT311-3.8.4-4] are handled as if each had come alone, with one SUBACK', async () => {
    const world = await kept311({ authorizer: noSecrets })
    await world
      .connect('publisher')
      .finish(
        publish('a', 'kept a', { qos: 2, id: 1, retain: true }),
        publish('b', 'kept b', { qos: 2, id: 2, retain: true }),
      )
    const together = world.connect('together')
    together.send(subscribe(7, { filter: 'a', qos: 0 }, 'secret', { filter: 'b', qos: 1 }, { filter: 'a', qos: 2 }))
    const [suback, ...rest] = together.received()
    expect(suback!.raw).toEqual(hex('90 06 0007 00 80 01 02'))

    const apart = world.connect('apart')
    apart.push(subscribe(1, { filter: 'a', qos: 0 }), subscribe(2, 'secret'))
    apart.push(subscribe(3, { filter: 'b', qos: 1 }), subscribe(4, { filter: 'a', qos: 2 }))
    world.run()
    const messagesApart = apart.received().filter(({ type }) => type === 'PUBLISH')
    expect(rest.map(({ raw }) => raw)).toEqual(messagesApart.map(({ raw }) => raw))

    world.connect('speaker').send(publish('a', 'x', { qos: 2, id: 1 }), publish('b', 'y', { qos: 2, id: 2 }))
    expect(lines(together.publishes())).toEqual(['a x q2', 'b y q1'])
  })

  it('[MQTT311-3.8.4-5, MQTT311-3.9.3-1] each have their return code, in their order', () => {
    const client = world311({ authorizer: noSecrets }).connect('c1')
    client.send(
      subscribe(
        1,
        { filter: 'c', qos: 2 },
        { filter: 'secret/+', qos: 2 },
        { filter: 'a', qos: 0 },
        { filter: 'b', qos: 1 },
        { filter: 'a', qos: 1 },
        { filter: 'secret/x', qos: 0 },
      ),
    )
    expect(client.next('SUBACK').raw).toEqual(hex('90 08 0001 02 80 00 01 01 80'))
  })

  it('[MQTT311-3.9.3-1] keep their order in hundreds', () => {
    const client = world311({ authorizer: noSecrets }).connect('c1')
    const wanted = Array.from({ length: 500 }, (_, index) => [0, 1, 2, 0x80][(index * 7) % 4]!)
    client.send(
      subscribe(
        1,
        ...wanted.map((code, index) => (code === 0x80 ? `secret/${index}` : { filter: `f/${index}`, qos: code })),
      ),
    )
    expect(client.next('SUBACK').reasonCodes).toEqual(wanted)
  })
})

describe('the return codes', () => {
  it('[MQTT311-3.8.4-5] show the QoS granted, also a lower one', () => {
    const world = world311({ settings: { maxQos: 1 } })
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 0 }, { filter: 'b', qos: 1 }, { filter: 'c', qos: 2 }))
    expect(client.next('SUBACK').reasonCodes).toEqual([0, 1, 1])
  })

  it('[MQTT311-3.9.3-2] are 0x80 for every failure there is', () => {
    const world = world311({
      authorizer: noSecrets,
      limits: { bindingsPerSessionMax: 1 },
      settings: { wildcardSubscriptionsAvailable: false, sharedSubscriptionsAvailable: false },
    })
    const client = world.connect('c1')
    client.send(subscribe(1, 'first', 'over the limit', 'secret/a', 'a/#', '$share/group/a'))
    expect(client.next('SUBACK').raw).toEqual(hex('90 07 0001 02 80 80 80 80'))
  })
})

describe('the QoS of delivery', () => {
  const pairs = ([0, 1, 2] as QoS[]).flatMap((qos) => ([0, 1, 2] as QoS[]).map((granted) => [qos, granted] as const))

  it.each(pairs)('[MQTT311-3.8.4-6] of a QoS %i message to a QoS %i subscription is the lower one', (qos, granted) => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: granted }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a', 'x', qos === 0 ? {} : { qos, id: 1 }))
    expect(client.publishes().map((message) => message.qos)).toEqual([Math.min(qos, granted)])
  })

  it.each(pairs)('[MQTT311-3.8.4-6] of QoS %i to QoS %i is the lower one after waiting, too', async (qos, granted) => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, { filter: 'a', qos: granted }))
    client.hangUp()
    await world.connect('publisher').finish(publish('a', 'x', qos === 0 ? {} : { qos, id: 1 }))
    const again = await world.join('c1', { clean: false })
    for (const message of again.publishes()) expect(message.qos).toBe(Math.min(qos, granted))
  })

  it('[MQTT311-3.8.4-6] is that of each subscriber, whoever else there is', () => {
    const world = world311()
    const clients = ([0, 1, 2] as QoS[]).map((qos) => {
      const client = world.connect(`c${qos}`)
      client.send(subscribe(1, { filter: 'a', qos }))
      client.next('SUBACK')
      return client
    })
    world.connect('publisher').send(publish('a', 'x', { qos: 2, id: 1 }), publish('a', 'y', { qos: 1, id: 2 }))
    expect(clients.map((client) => client.publishes().map(({ qos }) => qos))).toEqual([
      [0, 0],
      [1, 1],
      [2, 1],
    ])
  })

  it('[MQTT311-3.8.4-6] of an exchange is that of its delivery', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 1 }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a', 'x', { qos: 2, id: 1 }))
    const [message] = client.publishes()
    // A PUBREC does not belong to a QoS 1 delivery: nothing ends by it.
    client.send(pubrec(message!.id))
    client.send(frame(0x40, u16(message!.id)))
    expect(world.vhost.sessions.find('c1')!.queue.waitingCount).toBe(0)
    expect(client.isClosed).toBe(false)
  })
})
