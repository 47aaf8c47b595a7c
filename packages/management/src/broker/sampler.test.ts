import { getOverview, getOverviewHistory, listEvents } from '@ternmq/api'
import { connectionEvent } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { FakeConnection } from '../../test/fake-connection.ts'
import { ManagedWorld } from '../../test/managed-world.ts'
import type { Bound } from '../handlers.ts'
import { overviewHandlers } from './overview.ts'
import { SAMPLES_MAX } from './sample-ring.ts'
import { Sampler } from './sampler.ts'

let world: ManagedWorld
let sampler: Sampler
let bound: readonly Bound[]

beforeEach(async () => {
  world = await ManagedWorld.open()
  sampler = new Sampler(world.broker)
  bound = overviewHandlers(world.broker, sampler)
})

describe('the sampler', () => {
  test('reads nothing before somebody looks, and nothing a minute after the last one asked', () => {
    world.advance(10_000)
    expect([sampler.isIdle, sampler.history()]).toEqual([true, []])
    sampler.ask()
    world.advance(60_000)
    expect([sampler.isIdle, sampler.history().length]).toEqual([false, 61])
    world.advance(60_000)
    expect([sampler.isIdle, sampler.history().length]).toEqual([true, 61])
  })

  test('goes on as long as somebody watches, and ticks for all of them after each sample', () => {
    const ticks = [0, 0]
    const cancels = ticks.map((_, index) => sampler.watch(() => void ticks[index]!++))
    world.advance(3_000)
    cancels[0]!()
    world.advance(100_000)
    expect(ticks).toEqual([3, 103])
    cancels[1]!()
    world.advance(70_000)
    expect([sampler.isIdle, ticks[1]]).toEqual([true, 103])
  })

  test('says how much a second came and went, over the second that was', () => {
    world.define('orders')
    sampler.ask()
    expect([sampler.rates, sampler.ratesOfProtocol('core')]).toEqual([undefined, undefined])
    for (let count = 0; count < 5; count++) world.send('$queue/orders', 'abc')
    world.advance(1_000)
    expect(sampler.rates).toMatchObject({ inPerSecond: 5, bytesInPerSecond: 15, outPerSecond: 0 })
    expect(sampler.ratesOfProtocol('core')).toMatchObject({ inPerSecond: 5 })
    world.advance(1_000)
    expect(sampler.rates).toMatchObject({ inPerSecond: 0 })
  })

  test('says what was settled, by the protocol of who settled it', () => {
    world.define('orders')
    const session = world.open('c', { protocol: 'stomp' })
    session.consume({ queue: 'orders', assuranceMax: 1, data: {} })
    session.startDelivery({
      writable: true,
      deliver: (delivery) => {
        world.clock.endOfTurn(() => delivery.consumer!.settle(delivery, 'accepted'))
        return true
      },
    })
    sampler.ask()
    world.send('$queue/orders', 'x')
    world.advance(1_000)
    expect(sampler.rates).toMatchObject({ outPerSecond: 1, settledPerSecond: 1 })
    expect(sampler.ratesOfProtocol('stomp')?.settledPerSecond).toBe(1)
  })

  test('keeps ten minutes, the oldest first', () => {
    sampler.watch(() => {})
    world.advance((SAMPLES_MAX + 5) * 1_000)
    const samples = sampler.history()
    expect(samples).toHaveLength(SAMPLES_MAX)
    expect(samples.at(-1)!.atMs - samples[0]!.atMs).toBe((SAMPLES_MAX - 1) * 1_000)
    expect(sampler.latest).toEqual(samples.at(-1))
  })

  test('finds the rate of each queue though queues come and go between', () => {
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) world.define(name)
    const send = (name: string, count: number): void => {
      for (let index = 0; index < count; index++) world.send(`$queue/${name}`, 'x')
    }
    const rates = (): unknown[] =>
      [...world.vhost.destinations.all()].map((named) => [named.name, sampler.ratesOfQueue(named.queue)?.inPerSecond])
    sampler.watch(() => {})
    send('c', 3)
    world.advance(1_000)
    expect(rates()).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 3],
      ['d', 0],
    ])
    for (const name of ['a', 'b']) world.vhost.destinations.delete(world.vhost.destinations.find(name)!)
    world.define('e')
    send('d', 4)
    world.advance(1_000)
    expect(rates()).toEqual([
      ['c', 0],
      ['d', 4],
      ['e', undefined],
    ])
    send('e', 5)
    world.advance(1_000)
    expect(rates()).toEqual([
      ['c', 0],
      ['d', 0],
      ['e', 5],
    ])
  })
})

describe('rates of connections', () => {
  const rateOf = (connection: FakeConnection): unknown => sampler.ratesOfConnection(connection)

  test('are read only while somebody looks at connections', () => {
    const session = world.open('c')
    const connection = FakeConnection.open(world, { clientId: 'c', session })
    sampler.watch(() => {})
    world.advance(5_000)
    expect(rateOf(connection)).toBeUndefined()
    sampler.askConnections()
    world.advance(2_000)
    expect(rateOf(connection)).toEqual({ inPerSecond: 0, outPerSecond: 0 })
    world.advance(60_000)
    expect(rateOf(connection)).toBeUndefined()
  })

  test('do not count what a session had before its connection came', () => {
    const session = world.open('c')
    const producer = session.openProducer({ onPublishSettled: () => {} })
    const publish = (count: number): void => {
      for (let index = 0; index < count; index++) world.publishBy(producer, 'a/b', 'x')
    }
    publish(7)
    const connection = FakeConnection.open(world, { clientId: 'c' })
    sampler.askConnections()
    world.advance(1_000)
    connection.session = session
    world.advance(1_000)
    expect(rateOf(connection)).toBeUndefined()
    publish(3)
    world.advance(1_000)
    expect(rateOf(connection)).toEqual({ inPerSecond: 3, outPerSecond: 0 })
  })
})

describe('the overview', () => {
  test('counts what there is', async () => {
    world.define('orders')
    const session = world.open('reader')
    session.consume({ queue: 'orders', assuranceMax: 1, data: {} })
    world.send('$queue/orders', 'x')
    world.send('a/b', 'kept', { retain: true })
    const overview = await world.call(bound, getOverview)
    expect(overview).toMatchObject({
      node: { version: '1.0.0' },
      counts: { sessions: 1, queues: 1, consumers: 1, subscriptions: 0, retained: 1, schedules: 0, connections: 0 },
      readyCount: 1,
      inflightCount: 0,
      totals: { messagesIn: 2, unmatched: 1 },
      alarms: [],
    })
    expect(overview.byProtocol.map(({ protocol, totals }) => [protocol, totals.messagesIn])).toEqual([
      ['mqtt', 0],
      ['stomp', 0],
      ['amqp', 0],
      ['http', 0],
      ['core', 2],
    ])
  })

  test('has alarms for what is wrong outside the core and in it', async () => {
    world.withResources({ eventLoop: { p99Ms: 5_000 } })
    world.storeInfo = { ...world.storeInfo, problem: 'EIO' }
    world.define('orders', { messagesMax: 1, whenFull: 'block' })
    const producer = world.open('sender').openProducer({ onPublishSettled: () => {} })
    world.send('$queue/orders', 'x')
    world.publishBy(producer, '$queue/orders', 'y')
    const { alarms } = await world.call(bound, getOverview)
    expect(alarms.map(({ id }) => id)).toEqual(['store-failed', 'event-loop-late', 'queues-blocking'])
  })

  test('tells that dead letters grow, within the last minute and while somebody looks', async () => {
    world.define('orders', { expiryTarget: 'late', ttlMs: 500 })
    world.define('late')
    await world.call(bound, getOverview)
    world.send('$queue/orders', 'x')
    world.advance(2_000)
    const ids = async (): Promise<string[]> => (await world.call(bound, getOverview)).alarms.map(({ id }) => id)
    expect(await ids()).toEqual(['dead-letters-growing'])
    world.advance(70_000)
    expect(await ids()).toEqual([])
  })

  test('has a history from the first call on', async () => {
    expect((await world.call(bound, getOverviewHistory)).samples).toHaveLength(1)
    world.advance(2_000)
    const { samples } = await world.call(bound, getOverviewHistory)
    expect(samples).toHaveLength(3)
    expect(samples[0]).not.toHaveProperty('rates')
    expect(samples[2]).toMatchObject({ connections: 0, readyCount: 0, cpuShare: 0.2, rates: { inPerSecond: 0 } })
  })
})

test('events are found by kind, client and text, the newest first, and read on from an id', async () => {
  const transport = { id: 7, peer: { listener: 'mqtt', address: '::1', port: 5 } }
  for (const [clientId, kind, text] of [
    ['a', 'connected', 'MQTT 5'],
    ['b', 'refused', 'bad password'],
    ['a', 'disconnected', 'it said goodbye'],
  ] as const) {
    const about = { transport, clientId, userName: 'ann' } as unknown as Parameters<typeof connectionEvent>[1]
    world.eventSink.emit(connectionEvent('mqtt', about, kind, text, ''))
    world.clock.advance(1_000)
  }
  const [, atMs] = (await world.call(bound, listEvents, { query: {} })).items.map((event) => event.atMs)
  const { bornId } = world.eventSink
  const ids = async (query: object): Promise<number[]> =>
    (await world.call(bound, listEvents, { query })).items.map(({ id }) => id - bornId)
  expect(await ids({})).toEqual([3, 2, 1])
  expect(await ids({ limit: 1 })).toEqual([3])
  expect(await ids({ before: bornId + 3, limit: 1 })).toEqual([2])
  // Of an earlier process: what was before it has nothing to do with these.
  for (const before of [2, bornId - 1]) expect(await ids({ before, limit: 2 })).toEqual([3, 2])
  expect(await ids({ sinceMs: atMs! })).toEqual([3, 2])
  expect(await ids({ sinceMs: atMs! - 999, untilMs: atMs! + 1 })).toEqual([2])
  expect(await ids({ kind: 'refused' })).toEqual([2])
  expect(await ids({ clientId: 'a', user: 'ann' })).toEqual([3, 1])
  expect(await ids({ q: 'PASSWORD' })).toEqual([2])
  expect(await ids({ user: 'bob' })).toEqual([])
})
