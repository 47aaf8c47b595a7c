import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import type { QueueSettings } from '../queue/settings.ts'
import { allowAll } from '../authorizer.ts'
import { DEFAULT_CORE_LIMITS } from '../limits.ts'
import { VirtualHost } from '../virtual-host.ts'
import { quiet, testCodec } from '../../test/support.ts'
import { World } from '../../test/world.ts'
import type { NamedQueue } from '../destinations/destinations.ts'

function define(world: World, name: string, settings: Partial<QueueSettings>): NamedQueue {
  const defined = world.vhost.destinations.define({ name, settings })
  if (!defined.ok) throw new Error(defined.detail.text)
  return defined.value
}

test('messages expire without a consumer, and nothing is wound when none can any more', () => {
  const world = new World()
  const { queue } = define(world, 'q', {})
  const publisher = world.connect('publisher')
  const nowMs = world.env.clock.wallMs()
  publisher.publish('$queue/q', 'late', { expiresAtMs: nowMs + 60_000 })
  publisher.publish('$queue/q', 'soon', { expiresAtMs: nowMs + 10_000 })
  publisher.publish('$queue/q', 'never')
  world.advance(11_500)
  expect(queue.waitingCount).toBe(2)
  world.advance(50_000)
  expect(queue.waitingCount).toBe(1)
  expect(world.vhost.counters.expired).toBe(2)
  expect(world.env.clock.timerCount).toBe(0)
})

test('messages of a session that is away expire', () => {
  const world = new World()
  const client = world.connect('client', { expiryMs: Infinity })
  client.bind('a')
  client.session.disconnect()
  world.publish('a', 'soon', { expiresAtMs: world.env.clock.wallMs() + 10_000 })
  world.advance(12_000)
  expect(client.session.queue.waitingCount).toBe(0)
})

test('ten thousand that expire at once go in several turns', () => {
  const world = new World()
  const { queue } = define(world, 'q', {})
  const publisher = world.connect('publisher')
  const expiresAtMs = world.env.clock.wallMs() + 1_000
  for (let count = 0; count < 10_000; count++) publisher.publish('$queue/q', 'x', { expiresAtMs })
  world.advance(3_000)
  expect(queue.waitingCount).toBe(0)
  expect(world.vhost.counters.expired).toBe(10_000)
})

test('a default time to live is given to messages without one, and the longest one caps the others', () => {
  const world = new World()
  const { queue } = define(world, 'q', { ttlMs: 20_000, ttlMaxMs: 40_000 })
  const publisher = world.connect('publisher')
  const nowMs = world.env.clock.wallMs()
  publisher.publish('$queue/q', 'default')
  publisher.publish('$queue/q', 'shorter', { expiresAtMs: nowMs + 5_000 })
  publisher.publish('$queue/q', 'longer', { expiresAtMs: nowMs + 3_600_000 })
  const left: number[] = []
  for (const ms of [7_000, 15_000, 20_000]) {
    world.advance(ms)
    left.push(queue.waitingCount)
  }
  expect(left).toEqual([2, 1, 0])
})

test('without a default, the longest time to live is given to messages without one', () => {
  const world = new World()
  const { queue } = define(world, 'q', { ttlMaxMs: 10_000 })
  world.connect('publisher').publish('$queue/q', 'x')
  world.advance(12_000)
  expect(queue.waitingCount).toBe(0)
})

test('expired messages go to the queue for such, with their cause, be their bytes in memory or on disk only', async () => {
  const world = new World({ limits: { queuedBytesTotalMax: 100_000 } })
  await world.vhost.openLog(new MemoryEngine(world.env), [testCodec])
  const { queue } = define(world, 'q', { expiryTarget: 'expired' })
  const publisher = world.connect('publisher')
  const expiresAtMs = world.env.clock.wallMs() + 10_000
  for (let count = 0; count < 600; count++) publisher.publish('$queue/q', `${count}`, { expiresAtMs, durable: true })
  await quiet(world.env.clock)
  queue.pageOut()
  publisher.publish('$queue/q', 'in memory', { expiresAtMs })
  await quiet(world.env.clock)
  world.advance(12_000)
  await quiet(world.env.clock)
  await quiet(world.env.clock)
  expect(queue.waitingCount + queue.inflightCount).toBe(0)
  const reader = world.connect('reader', { creditMax: 1_000 })
  reader.session.consume({ queue: 'expired', assuranceMax: 1, data: {} })
  await quiet(world.env.clock)
  expect(new Set(reader.texts)).toEqual(new Set([...Array.from({ length: 600 }, (_, count) => `${count}`), 'in memory']))
  expect(reader.sink.held[0]!.message.extras!.annotations).toMatchObject({ cause: 'expired', originalQueue: '$queue/q' })
})

test('after a restart messages expire at the time that they were given before', async () => {
  const world = new World()
  const engine = new MemoryEngine(world.env)
  await world.vhost.openLog(engine, [testCodec])
  define(world, 'q', { ttlMs: 10_000 })
  const publisher = world.connect('publisher')
  publisher.publish('$queue/q', 'x', { durable: true })
  await quiet(world.env.clock)
  world.advance(5_000)
  world.vhost.flow.close()
  const second = new VirtualHost({ env: world.env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  await second.openLog(engine, [testCodec])
  const { queue } = second.destinations.find('q')!
  world.advance(4_000)
  expect(queue.waitingCount).toBe(1)
  world.advance(3_000)
  await quiet(world.env.clock)
  expect([queue.waitingCount, queue.inflightCount, second.counters.expired]).toEqual([0, 0, 1])
})

test('an automatic queue goes when nobody has used it for so long, a defined one stays', () => {
  const world = new World()
  world.vhost.policies.use({ ...world.vhost.policies.settingsFor('any'), autoDeleteMs: 60_000 }, [])
  define(world, 'defined', {})
  const publisher = world.connect('publisher')
  publisher.publish('$queue/automatic', 'x')
  world.advance(300_000)
  expect(world.vhost.destinations.find('automatic')).toBeDefined()
  const reader = world.connect('reader')
  reader.session.consume({ queue: 'automatic', assuranceMax: 1, data: {} })
  world.settle()
  reader.settleAll()
  world.advance(300_000)
  expect(world.vhost.destinations.find('automatic')).toBeDefined()
  reader.session.stopConsuming('automatic')
  world.advance(59_000)
  expect(world.vhost.destinations.find('automatic')).toBeDefined()
  world.advance(31_000)
  expect(world.vhost.destinations.find('automatic')).toBeUndefined()
  expect(world.vhost.destinations.find('defined')).toBeDefined()
})

test('a consumer whose connection takes nothing while messages wait is told of once, and ended where that is asked for', () => {
  const world = new World()
  define(world, 'q', { slowConsumerMs: 10_000, slowConsumer: 'disconnect' })
  const reader = world.connect('reader')
  reader.session.consume({ queue: 'q', assuranceMax: 1, data: {} })
  const ended: string[] = []
  Object.assign(reader.sink, { writable: false, endSlow: (text: string) => void ended.push(text) })
  const publisher = world.connect('publisher')
  publisher.publish('$queue/q', 'x')
  world.advance(9_000)
  expect(ended).toEqual([])
  world.advance(40_000)
  const text = 'a consumer of q has taken nothing for 10 s (slowConsumerMs) while 1 message waits: its connection takes no more bytes'
  expect(ended).toEqual([text])
  expect(world.events).toEqual([text])
  expect(world.vhost.counters.slowConsumers).toBe(1)
})

test('a consumer that takes some now and then is not slow, nor is one without credit', () => {
  const world = new World()
  define(world, 'q', { slowConsumerMs: 10_000 })
  const reader = world.connect('reader', { creditMax: 10 })
  reader.session.consume({ queue: 'q', assuranceMax: 1, data: {} })
  const publisher = world.connect('publisher')
  reader.sink.room = 1
  for (let count = 0; count < 10; count++) publisher.publish('$queue/q', 'x')
  for (let round = 0; round < 9; round++) {
    world.advance(8_000)
    reader.sink.room = 1
    reader.sink.writable = true
    reader.session.onWritable()
    world.settle()
  }
  expect(reader.sink.seen.length).toBeGreaterThan(1)
  expect(world.vhost.counters.slowConsumers).toBe(0)
})
