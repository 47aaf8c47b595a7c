import type { Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  frame,
  hex,
  pingreq,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  u16,
  unsubscribe,
  utf8,
} from '../../harness.ts'
import { kept31, lines, watch, world31 } from '../worlds.ts'

/** Nobody may do anything below 'secret'. */
const noSecrets: Authorizer = {
  generation: 0,
  mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'no secrets' }),
  mayMatch: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'no secrets' }),
}

describe('PUBLISH', () => {
  it.each(['#', '+', 'a/#', 'a/+/b'])('[MQTT31-3.3-a] to %j, with a wildcard, ends the connection', (topic) => {
    const world = world31()
    const watcher = watch(world)
    for (const qos of [0, 1, 2] as QoS[]) {
      const client = world.connect('c1')
      client.send(publish(topic, 'x', qos === 0 ? {} : { qos, id: 1 }))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    }
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT31-3.3-b] reaches subscribers under the name the publisher gave', () => {
    const world = world31()
    const clients = ['a/+/c', '#', 'a/b/c'].map((filter, index) => watch(world, filter, `c${index}`))
    world.connect('publisher').send(publish('a/b/c', 'x'))
    expect(clients.map((client) => client.publishes().map(({ topic }) => topic))).toEqual([
      ['a/b/c'],
      ['a/b/c'],
      ['a/b/c'],
    ])
  })

  it('[MQTT31-3.3-c] reaches every client with a matching subscription, and no other', async () => {
    const world = await kept31()
    const matching = ['a/b', 'a/+', '+/b', '#', 'a/b/#'].map((filter) => watch(world, filter, `m ${filter}`))
    const others = ['a', 'b', '+', 'a/b/c', '/a/b'].map((filter) => watch(world, filter, `o ${filter}`))
    const away = await world.join('away', { clean: false })
    await away.finish(subscribe(1, 'a/#'))
    away.hangUp()
    await world.connect('publisher').finish(publish('a/b', 'x', { qos: 1, id: 1 }))
    expect(matching.map((client) => client.publishes().length)).toEqual([1, 1, 1, 1, 1])
    expect(others.map((client) => client.received().length)).toEqual([0, 0, 0, 0, 0])
    expect((await world.join('away', { clean: false })).publishes()).toHaveLength(1)
  })

  it.each([0, 1, 2] as QoS[])('[MQTT31-3.3-d] with no payload, QoS %i, is valid', (qos) => {
    const world = world31()
    const client = watch(world, 'a')
    world.connect('publisher').send(publish('a', '', qos === 0 ? {} : { qos, id: 1 }))
    expect(client.publishes()).toMatchObject([{ topic: 'a', payload: '', qos }])
  })

  it('[MQTT31-3.3-e, MQTT31-3.4-a, MQTT31-3.5-a] is not answered, or by PUBACK, or by PUBREC, with its id and nothing else', () => {
    const client = world31().connect('c1')
    client.send(publish('a', 'x'))
    expect(client.received()).toEqual([])
    client.send(publish('a', 'x', { qos: 1, id: 0x0a0b }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('40 02 0a0b')])
    client.send(publish('a', 'x', { qos: 2, id: 0x0c0d }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('50 02 0c0d')])
  })

  it('[MQTT31-3.3-f] that is not allowed is acknowledged as any other, and goes nowhere', () => {
    const world = world31({ authorizer: noSecrets })
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(
      publish('secret/a', '0'),
      publish('secret/a', '1', { qos: 1, id: 1, retain: true }),
      publish('secret/a', '2', { qos: 2, id: 2 }),
      pubrel(2),
    )
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('40 02 0001'), hex('50 02 0002'), hex('70 02 0002')])
    expect(client.isClosed).toBe(false)
    expect(watcher.received()).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('the QoS 2 exchange', () => {
  it('[MQTT31-3.5-b, MQTT31-3.6-a] a PUBREC is answered by PUBREL, QoS level 1, with the same id', () => {
    const world = world31()
    const client = watch(world, 'a')
    world.connect('publisher').send(publish('a', 'x', { qos: 2, id: 77 }))
    const [message] = client.publishes()
    client.send(pubrec(message!.id))
    expect(client.received().map(({ raw }) => raw)).toEqual([frame(0x62, u16(message!.id))])
  })

  it('[MQTT31-3.6-b, MQTT31-3.7-a] a PUBREL is answered by PUBCOMP with the same id and nothing else; the message is delivered', () => {
    const world = world31()
    const watcher = watch(world)
    const client = world.connect('c1')
    client.send(publish('a', 'x', { qos: 2, id: 0x0102 }))
    client.next('PUBREC')
    client.send(pubrel(0x0102))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('70 02 0102')])
    expect(lines(watcher.publishes())).toEqual(['a x q2'])
  })

  it('[MQTT31-3.7-a] PUBCOMP ends the message, in both directions', async () => {
    const world = await kept31()
    let client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    await world.connect('publisher').finish(publish('a', 'x', { qos: 2, id: 1 }))
    const [message] = client.publishes()
    await client.finish(pubrec(message!.id), pubcomp(message!.id))
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.received()).toEqual([])

    const watcher = watch(world, 'b')
    await client.finish(publish('b', '1', { qos: 2, id: 5 }), pubrel(5), publish('b', '2', { qos: 2, id: 5 }))
    expect(lines(watcher.publishes())).toEqual(['b 1 q2', 'b 2 q2'])
  })
})

describe('SUBSCRIBE', () => {
  it('[MQTT31-3.8-a, MQTT31-3.9-a] is answered with SUBACK, by its id', () => {
    const client = world31().connect('c1')
    client.send(hex('82 06 abcd 0001 61 01'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('90 03 abcd 01')])
  })

  const pairs = ([0, 1, 2] as QoS[]).flatMap((qos) => ([0, 1, 2] as QoS[]).map((granted) => [qos, granted] as const))
  it.each(pairs)('[MQTT31-3.8-b] a message of QoS %i to a subscription of QoS %i has the lower one', (qos, granted) => {
    const world = world31()
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: granted }))
    client.next('SUBACK')
    world.connect('publisher').send(publish('a', 'x', qos === 0 ? {} : { qos, id: 1 }))
    expect(client.publishes().map((message) => message.qos)).toEqual([Math.min(qos, granted)])
  })

  it.each([0x03, 0xff])('[MQTT31-3.8-c] for QoS 3 (byte %i) ends the connection', (qos) => {
    const world = world31()
    const client = world.connect('c1')
    client.send(subscribe(1, 'a', { filter: 'b', qos }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it('[MQTT31-3.8-d, MQTT31-3.9-c] that is not allowed is refused with 0x80, and gets nothing', () => {
    const world = world31({ authorizer: noSecrets })
    const client = world.connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 1 }, { filter: 'secret/#', qos: 2 }, { filter: 'b', qos: 0 }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('90 05 0001 01 80 00')])
    world.connect('publisher').send(publish('secret/a', 'x'), publish('a', 'y'))
    expect(lines(client.publishes())).toEqual(['a y q0'])
  })

  it('[MQTT31-3.9-c] is never answered with another code than 0, 1, 2 and 0x80', () => {
    const world = world31({
      authorizer: noSecrets,
      limits: { bindingsPerSessionMax: 3 },
      settings: { wildcardSubscriptionsAvailable: false, sharedSubscriptionsAvailable: false },
    })
    const client = world.connect('c1')
    const granted = [0, 1, 2].map((qos) => ({ filter: `a${qos}`, qos }))
    client.send(subscribe(1, ...granted, 'over the limit', 'secret/a', 'a/#', '$share/group/a'))
    expect(client.next('SUBACK').raw).toEqual(hex('90 09 0001 00 01 02 80 80 80 80'))
  })

  it.each([0x80, 0x84, 0x86, 0x88, 0x8c])(
    '[MQTT31-3.8-e] with another QoS level than 1 (first byte %i) ends the connection',
    (first) => {
      const world = world31()
      const client = world.connect('c1')
      client.send(frame(first, u16(1), utf8('a'), 0))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
      expect(world.vhost.router.bindingCount).toBe(0)
    },
  )

  it('[MQTT31-3.9-b] is answered with one QoS per topic, in the order of the topics', () => {
    const client = world31().connect('c1')
    const wanted = Array.from({ length: 300 }, (_, index) => (index * 7) % 3)
    client.send(subscribe(1, ...wanted.map((qos, index) => ({ filter: `f/${index}`, qos }))))
    expect(client.next('SUBACK').reasonCodes).toEqual(wanted)
  })

  it('[MQTT31-3.9-b] shows a lower QoS where the server grants less', () => {
    const client = world31({ settings: { maxQos: 1 } }).connect('c1')
    client.send(subscribe(1, { filter: 'a', qos: 2 }, { filter: 'b', qos: 0 }))
    expect(client.next('SUBACK').reasonCodes).toEqual([1, 0])
  })
})

describe('UNSUBSCRIBE', () => {
  it('[MQTT31-3.10-a] ends the messages for the topics it names, and for no others', async () => {
    const world = await kept31()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a', 'b/+', 'c', 'd/#'), unsubscribe(2, 'a', 'd/#', 'c/c', 'b/b'))
    client.received()
    const publisher = world.connect('publisher')
    const say = async (): Promise<void> =>
      await publisher.finish(
        ...['a', 'b/b', 'c', 'd', 'd/d'].map((topic, index) => publish(topic, 'x', { qos: 1, id: index + 1 })),
      )
    await say()
    expect(client.publishes().map(({ topic }) => topic)).toEqual(['b/b', 'c'])
    client.hangUp()
    await say()
    const again = await world.join('c1', { clean: false })
    expect(
      again
        .publishes()
        .filter(({ dup }) => !dup)
        .map(({ topic }) => topic),
    ).toEqual(['b/b', 'c'])
  })

  it('[MQTT31-3.10-b, MQTT31-3.11-a] is answered with UNSUBACK, by its id and with nothing else', () => {
    const client = world31().connect('c1')
    client.send(hex('a2 05 1234 0001 61'), unsubscribe(0xffff, 'a', 'b'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('b0 02 1234'), hex('b0 02 ffff')])
  })

  it.each([0xa0, 0xa4, 0xa6, 0xa8])(
    '[MQTT31-3.10-c] with another QoS level than 1 (first byte %i) ends the connection',
    (first) => {
      const world = world31()
      const client = watch(world, 'a')
      client.send(frame(first, u16(2), utf8('a')))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    },
  )

  it('[MQTT31-3.10-c] without its message id ends the connection', () => {
    const client = world31().connect('c1')
    client.send(frame(0xa2, 0x01))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

it('[MQTT31-3.12-a, MQTT31-3.13-a] PINGREQ is answered with PINGRESP, two bytes', () => {
  const client = world31().connect('c1')
  client.send(pingreq(), pingreq())
  expect(client.received().map(({ raw }) => raw)).toEqual([hex('d0 00'), hex('d0 00')])
})
