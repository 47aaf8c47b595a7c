import { describe, expect, it } from 'vitest'
import {
  bytes,
  frame,
  hex,
  puback,
  publish,
  pubcomp,
  pubrec,
  subscribe,
  u16,
  unsubscribe,
  utf8,
} from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

it.each([0xa0, 0xa1, 0xa3, 0xa4, 0xa6, 0xaa, 0xaf])(
  '[MQTT311-3.10.1-1] UNSUBSCRIBE with the first byte %i ends the connection and deletes nothing',
  async (first) => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    client.send(bytes(first, unsubscribe(2, 'a')(4).subarray(1)))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.router.bindingCount).toBe(1)
  },
)

it.each([
  ['a filter that is no UTF-8', frame(0xa2, u16(2), 0, 2, 0x61, 0xff)],
  ['a byte between the filters', frame(0xa2, u16(2), utf8('a'), 0, utf8('b'))],
  ['a filter that is cut off', frame(0xa2, u16(2), utf8('a'), 0, 5, 0x61)],
])('[MQTT311-3.10.3-1] UNSUBSCRIBE with %s ends the connection', (_fault, packet) => {
  const client = watch(world311(), 'a')
  client.send(packet)
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})

it('[MQTT311-3.10.3-1] filters stand one behind the other', () => {
  const world = world311()
  const client = world.connect('c1')
  client.send(subscribe(1, 'ä', 'b/+', 'c'))
  client.next('SUBACK')
  client.send(frame(0xa2, u16(2), utf8('ä'), utf8('b/+')))
  expect(client.next('UNSUBACK').id).toBe(2)
  world.connect('publisher').send(publish('ä', 'x'), publish('b/b', 'x'), publish('c', 'left'))
  expect(client.publishes()).toMatchObject([{ payload: 'left' }])
})

it('[MQTT311-3.10.3-2] UNSUBSCRIBE without a filter ends the connection', () => {
  const client = watch(world311(), 'a')
  client.send(frame(0xa2, u16(2)))
  expect(client.received()).toEqual([])
  expect(client.isClosed).toBe(true)
})

describe('what an UNSUBSCRIBE deletes', () => {
  it.each([
    ['a/+', ['a/b', 'a/#', '#', '+/+', 'A/+', 'a/+/', '/a/+']],
    ['a/b', ['a/+', 'a', 'b', 'a/b/', '/a/b', 'a/B', 'a/b/c', 'a/bb']],
    ['#', ['+', 'a', '+/#', '/#']],
    ['caf\u00e9', ['cafe\u0301', 'cafe', 'CAF\u00c9']],
  ])('[MQTT311-3.10.4-1] is %j only by exactly that', (filter, others) => {
    const world = world311()
    const client = watch(world, filter)
    const topic = filter.replace('+', 'b').replace('#', 'anything')
    for (const [index, other] of others.entries()) {
      client.send(unsubscribe(10 + index, other))
      client.next('UNSUBACK')
    }
    world.connect('publisher').send(publish(topic, 'still'))
    expect(client.publishes()).toMatchObject([{ payload: 'still' }])
    client.send(unsubscribe(99, filter))
    client.next('UNSUBACK')
    world.connect('publisher').send(publish(topic, 'gone'))
    expect(client.received()).toEqual([])
  })

  it("[MQTT311-3.10.4-1] is the client's own alone", () => {
    const world = world311()
    const stays = watch(world, 'a', 'stays')
    const leaves = watch(world, 'a', 'leaves')
    leaves.send(unsubscribe(2, 'a'))
    leaves.next('UNSUBACK')
    world.connect('publisher').send(publish('a', 'x'))
    expect(stays.publishes()).toHaveLength(1)
    expect(leaves.received()).toEqual([])
  })

  it('[MQTT311-3.10.4-1] is one subscription at a time: the others can be deleted as well', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, 'a', 'b', 'c'))
    client.next('SUBACK')
    const publisher = world.connect('publisher')
    for (const [index, left] of [['b', 'c'], ['c'], []].entries()) {
      client.send(unsubscribe(index + 2, ['a', 'b', 'c'][index]!))
      client.next('UNSUBACK')
      publisher.send(...['a', 'b', 'c'].map((topic) => publish(topic, 'x')))
      expect(client.publishes().map(({ topic }) => topic)).toEqual(left)
    }
  })

  it('[MQTT311-3.10.4-1] leaves a subscription that overlaps', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, 'a/b', { filter: 'a/+', qos: 1 }))
    client.next('SUBACK')
    client.send(unsubscribe(2, 'a/b'))
    client.next('UNSUBACK')
    world.connect('publisher').send(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(lines(client.publishes())).toEqual(['a/b x q1'])
  })

  it('[MQTT311-3.10.4-1] is deleted for good: it is not there in the next connection either', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a', 'b'), unsubscribe(2, 'a'))
    client.hangUp()
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }), publish('b', 'y', { qos: 1, id: 2 }))
    const again = await world.join('c1', { clean: false })
    expect(lines(again.publishes())).toEqual(['b y q1'])
  })

  it('[MQTT311-3.10.4-2] gets no new message, from the very packet on', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(
      subscribe(1, 'a'),
      publish('a', 'before', { qos: 1, id: 1 }),
      unsubscribe(2, 'a'),
      publish('a', 'after', { qos: 1, id: 2 }),
    )
    expect(client.received().map((packet) => (packet.type === 'PUBLISH' ? packet.payload : packet.type))).toEqual([
      'SUBACK',
      'before',
      'PUBACK',
      'UNSUBACK',
      'PUBACK',
    ])
  })

  it('[MQTT311-3.10.4-2] gets no new message while the client is away', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    await client.finish(unsubscribe(2, 'a'))
    client.hangUp()
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toEqual([])
  })

  it('[MQTT311-3.10.4-3] had begun to be sent is completed', () => {
    const world = world311()
    const client = watch(world, 'a')
    world.connect('publisher').send(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    const [one, two] = client.publishes()
    client.send(unsubscribe(2, 'a'))
    client.next('UNSUBACK')
    client.send(puback(one!.id), pubrec(two!.id))
    expect(client.next('PUBREL').id).toBe(two!.id)
    client.send(pubcomp(two!.id))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(false)
  })

  it('[MQTT311-3.10.4-3] had begun to be sent is completed in the next connection if need be', async () => {
    const world = await kept311()
    const client = await world.join('c1', { clean: false })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    await world
      .connect('publisher')
      .finish(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    const [, two] = client.publishes()
    await client.finish(unsubscribe(2, 'a'), pubrec(two!.id))
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.next('PUBLISH')).toMatchObject({ payload: 'one', dup: true })
    expect(again.next('PUBREL').id).toBe(two!.id)
  })
})

describe('UNSUBACK', () => {
  it('[MQTT311-3.10.4-4] answers UNSUBSCRIBE by its packet identifier', () => {
    const client = watch(world311(), 'a')
    client.send(hex('a2 05 fedc 0001 61'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('b0 02 fedc')])
  })

  it('[MQTT311-3.10.4-5] comes even if nothing was deleted', async () => {
    const world = await kept311()
    const clean = world.connect('clean')
    clean.send(unsubscribe(1, 'a'), unsubscribe(2, 'a/#', '+'))
    expect(clean.received().map(({ raw }) => raw)).toEqual([hex('b0 02 0001'), hex('b0 02 0002')])
    const kept = await world.join('kept', { clean: false })
    await kept.finish(unsubscribe(1, 'a'))
    expect(kept.received().map(({ raw }) => raw)).toEqual([hex('b0 02 0001')])
  })

  it('[MQTT311-3.10.4-6] comes once for several filters, which are handled as if each had come alone', () => {
    const world = world311()
    const client = world.connect('c1')
    client.send(subscribe(1, 'a', 'b', 'c', 'd'))
    client.next('SUBACK')
    client.send(unsubscribe(2, 'a', 'unknown', 'c', 'a'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('b0 02 0002')])
    world.connect('publisher').send(...['a', 'b', 'c', 'd'].map((topic) => publish(topic, 'x')))
    expect(lines(client.publishes())).toEqual(['b x q0', 'd x q0'])
  })
})
