/** Messages that other protocols send without asking that they be kept, at the QoS of `foreignTransientQos`. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { mqtt3Headers } from '../../../src/headers.ts'
import { publish, pubrel, puback, subscribe, World } from '../../harness.ts'
import { lasting, subscriber } from '../mqtt5/scenes.ts'
import { publishElsewhere } from './elsewhere.ts'

const AT_MOST_ONCE = { settings: { foreignTransientQos: 0 } } as const

describe('a message of another protocol that is not persistent', () => {
  it.each(['a/b', '$share/g/a/b'])('comes with QoS 1 to %s, unless the setting says 0', (filter) => {
    const usual = new World()
    const other = new World(AT_MOST_ONCE)
    const qos = [usual, other].map((world) => {
      const client = subscriber(world, 'c', { filter, qos: 2 })
      publishElsewhere(world, 'a/b', 'x')
      return client.publishes().map((packet) => packet.qos)
    })
    expect(qos).toEqual([[1], [0]])
  })

  it('comes from a queue with QoS 0, whether it waited or not, and leaves nothing behind', () => {
    const world = new World(AT_MOST_ONCE)
    publishElsewhere(world, '$queue/q', '1')
    const client = subscriber(world, 'c', { filter: '$queue/q', qos: 1 })
    publishElsewhere(world, '$queue/q', '2')
    expect(client.publishes()).toMatchObject([
      { payload: '1', qos: 0 },
      { payload: '2', qos: 0 },
    ])
    const { queue } = world.vhost.destinations.find('q')!
    expect([queue.waitingCount, queue.inflightCount]).toEqual([0, 0])
  })

  it('comes as retained with QoS 0', () => {
    const world = new World(AT_MOST_ONCE)
    publishElsewhere(world, 'a', 'x', { retain: true })
    expect(subscriber(world, 'c', { filter: 'a', qos: 1 }).publishes()).toMatchObject([
      { payload: 'x', qos: 0, retain: true },
    ])
  })

  it('does not wait for a client that is away', () => {
    for (const [options, payloads] of [
      [AT_MOST_ONCE, []],
      [{}, ['x']],
    ] as const) {
      const world = new World(options)
      subscriber(world, 'c', { filter: 'a', qos: 1 }, lasting()).hangUp()
      publishElsewhere(world, 'a', 'x')
      expect(
        world
          .connect('c', lasting())
          .publishes()
          .map(({ payload }) => payload),
      ).toEqual(payloads)
    }
  })

  it('of two subscriptions to the topic the one that gives more counts', () => {
    const world = new World(AT_MOST_ONCE)
    const client = subscriber(world, 'c', { filter: 'a', qos: 1 })
    client.send(subscribe(2, { filter: '+', qos: 0 }))
    client.next('SUBACK')
    publishElsewhere(world, 'a', 'x')
    publishElsewhere(world, 'a', 'y', { durable: true })
    expect(client.publishes().map(({ payload, qos }) => [payload, qos])).toEqual([
      ['x', 0],
      ['y', 1],
    ])
  })
})

describe('with the setting 0, what is to be kept', () => {
  it('of other protocols comes with QoS 1', () => {
    const world = new World(AT_MOST_ONCE)
    const client = subscriber(world, 'c', { filter: 'a', qos: 2 })
    publishElsewhere(world, 'a', 'x', { durable: true })
    expect(client.publishes()).toMatchObject([{ payload: 'x', qos: 1 }])
  })

  it('of MQTT comes with its own QoS', () => {
    const world = new World(AT_MOST_ONCE)
    const client = subscriber(world, 'c', { filter: 'a', qos: 2 })
    world
      .connect('p')
      .send(publish('a', '0'), publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 2, id: 2 }), pubrel(2))
    expect(client.publishes().map(({ qos }) => qos)).toEqual([0, 1, 2])
  })
})

describe('after a restart', () => {
  it.each(['a', '$share/g/a', '$queue/q'])('subscription %s is as it was', async (filter) => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const before = await World.withLog(AT_MOST_ONCE, env, engine)
    const first = await before.join('c', lasting())
    await first.finish(subscribe(1, { filter, qos: 1 }))
    const after = await World.withLog({}, env, engine)
    const client = await after.join('c', lasting())
    publishElsewhere(after, filter.startsWith('$queue') ? filter : 'a', 'x')
    expect(client.publishes()).toMatchObject([{ payload: 'x', qos: 0 }])
  })

  it('a retained message that a kept session had is not given to it again', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const before = await World.withLog(AT_MOST_ONCE, env, engine)
    const client = await before.join('c', lasting())
    await client.finish(subscribe(1, { filter: 'a', qos: 1 }))
    client.next('SUBACK')
    const sender = await before.join('p')
    await sender.finish(publish('a', 'kept', { qos: 1, id: 1, retain: true }))
    await client.finish(puback(client.publishes()[0]!.id))
    publishElsewhere(before, 'a', 'x', { retain: true, codec: mqtt3Headers })
    await client.finish()
    expect(client.publishes()).toMatchObject([{ payload: 'x', qos: 0 }])
    const after = await World.withLog(AT_MOST_ONCE, env, engine)
    const again = await after.join('c', lasting())
    expect(again.publishes()).toEqual([])
  })
})
