/** Flow control at the level of clients: publishes to full queues wait, are refused or dropped, and go on the moment there is room. */
import { MemoryEngine } from '@ternmq/store'
import { expect, test } from 'vitest'
import type { QueueSettings } from '../src/queue/settings.ts'
import type { NamedQueue } from '../src/destinations/destinations.ts'
import { type MessageOptions, quiet, testCodec } from './support.ts'
import { type Client, World, type WorldOptions } from './world.ts'

const DURABLE: MessageOptions = { durable: true }
const ORDERS = '$queue/orders'

function define(world: World, settings: Partial<QueueSettings>, name = 'orders'): NamedQueue {
  const defined = world.vhost.destinations.define({ name, settings })
  if (!defined.ok) throw new Error(defined.detail.text)
  return defined.value
}

async function worldOnLog(options: WorldOptions = {}): Promise<World> {
  const world = new World(options)
  await world.vhost.openLog(new MemoryEngine(world.env), [testCodec])
  return world
}

function consume(client: Client, queue = 'orders'): void {
  const consumed = client.session.consume({ queue, assuranceMax: 1, data: {} })
  if (!consumed.ok) throw new Error(consumed.detail.text)
}

function results(client: Client): string[] {
  client.world.settle()
  return client.results
}

test('a publish to a full queue waits, unanswered, and goes on the moment a message is taken', () => {
  const world = new World()
  const { queue } = define(world, { messagesMax: 2 })
  const publisher = world.connect('publisher')
  for (const text of ['1', '2', '3', '4']) publisher.publish(ORDERS, text)
  expect(results(publisher)).toEqual(['routed', 'routed'])
  expect(queue.waitingCount).toBe(2)
  const consumer = world.connect('consumer', { creditMax: 1 })
  consume(consumer)
  expect(results(publisher)).toEqual(['routed', 'routed', 'routed'])
  consumer.settleAll()
  expect(results(publisher)).toEqual(['routed', 'routed', 'routed', 'routed'])
  for (let round = 0; round < 4; round++) {
    consumer.settleAll()
    world.settle()
  }
  expect(consumer.texts).toEqual(['1', '2', '3', '4'])
  expect(world.vhost.waiting.bytes).toBe(0)
})

test('who has waited for blockMaxMs is refused with the limit, what is wrong with its consumers, and how long it waited', () => {
  const world = new World()
  define(world, { messagesMax: 1, blockMaxMs: 5_000 })
  world.advance(720_000)
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, '1')
  publisher.publish(ORDERS, '2')
  world.advance(4_999)
  expect(results(publisher)).toEqual(['routed'])
  world.advance(1)
  expect(results(publisher)).toEqual(['routed', 'refused'])
  expect(publisher.producer.refusal).toEqual({
    refusal: 'limit-reached',
    subject: ORDERS,
    text: 'orders is over its limit of 1 message: no consumer for 12 min; waited 5 s',
  })
})

test('each of those that wait has its own time, and is answered in the order of the publishes', () => {
  const world = new World()
  define(world, { messagesMax: 1, blockMaxMs: 5_000 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, '1')
  publisher.publish(ORDERS, '2')
  world.advance(3_000)
  publisher.publish(ORDERS, '3')
  publisher.publish('elsewhere', '4')
  world.advance(2_000)
  expect(results(publisher)).toEqual(['routed', 'refused'])
  world.advance(3_000)
  expect(results(publisher)).toEqual(['routed', 'refused', 'refused', 'unmatched'])
})

test('when the virtual host closes, nobody waits for anything any more', async () => {
  const world = await worldOnLog()
  define(world, { messagesMax: 1, blockMaxMs: 5_000 })
  const publisher = world.connect('publisher')
  for (const text of ['1', '2', '3']) publisher.publish(ORDERS, text, DURABLE)
  await quiet(world.env.clock)
  await world.vhost.close()
  world.env.clock.advance(10_000)
  expect(publisher.results).toEqual(['routed'])
})

test('a queue that rejects when it is full refuses at once', () => {
  const world = new World()
  define(world, { messagesMax: 1, whenFull: 'reject' })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, '1')
  expect(publisher.publish(ORDERS, '2')).toBe('refused')
  expect(publisher.producer.refusal!.text).toBe('orders is over its limit of 1 message: no consumer for 0 ms')
})

test('at most once is dropped by the full queue, counted there, and holds nobody', () => {
  const world = new World()
  const { queue } = define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, '1')
  expect(publisher.publish(ORDERS, '2', { assurance: 0 })).toBe('routed')
  expect(queue.droppedCount).toBe(1)
  expect(world.vhost.counters.droppedOverLimit).toBe(1)
  expect(publisher.producer.isBlocked).toBe(false)
})

test('other producers and other queues go on', () => {
  const world = new World()
  define(world, { messagesMax: 1 })
  const held = world.connect('held')
  held.publish(ORDERS, '1')
  held.publish(ORDERS, '2')
  const other = world.connect('other')
  expect(other.publish('$queue/bills', '3')).toBe('routed')
  expect(held.publish('$queue/bills', '4')).toBe('pending')
})

test('a message for several queues waits for all of them and reaches none before', () => {
  const world = new World()
  const [a, b] = ['A', 'B'].map((group) => define(world, { messagesMax: 1 }, `Consumer.${group}.VirtualTopic.t`).queue)
  const publisher = world.connect('publisher')
  publisher.publish('$queue/Consumer.A.VirtualTopic.t', 'full')
  expect(publisher.publish('VirtualTopic/t', 'both')).toBe('pending')
  expect([a!.waitingCount, b!.waitingCount]).toEqual([1, 0])
  const consumer = world.connect('consumer')
  consume(consumer, 'Consumer.A.VirtualTopic.t')
  world.settle()
  expect(consumer.texts).toEqual(['full', 'both'])
  expect(b!.waitingCount).toBe(1)
})

test('what is under way counts: a turn full of publishes does not overrun the queue', async () => {
  const world = await worldOnLog()
  const { queue } = define(world, { messagesMax: 3 })
  const publisher = world.connect('publisher')
  for (let count = 0; count < 10; count++) publisher.publish(ORDERS, `${count}`, DURABLE)
  expect(queue.underWayCount).toBe(3)
  await quiet(world.env.clock)
  expect(queue.waitingCount).toBe(3)
  expect(queue.underWayCount).toBe(0)
  expect(queue.underWayBytes).toBe(0)
  const consumer = world.connect('consumer')
  consume(consumer)
  await quiet(world.env.clock)
  expect(consumer.texts).toEqual(Array.from({ length: 10 }, (_, count) => `${count}`))
  expect(publisher.results).toEqual(Array.from({ length: 10 }, () => 'routed'))
})

test('producers that wait take turns, whoever came first goes first', () => {
  const world = new World()
  define(world, { messagesMax: 1 })
  const [a, b] = [world.connect('a'), world.connect('b')]
  a.publish(ORDERS, 'full')
  for (const text of ['a1', 'a2']) a.publish(ORDERS, text)
  for (const text of ['b1', 'b2']) b.publish(ORDERS, text)
  const consumer = world.connect('consumer', { creditMax: 1 })
  consume(consumer)
  for (let round = 0; round < 6; round++) {
    world.settle()
    consumer.settleAll()
  }
  expect(consumer.texts).toEqual(['full', 'a1', 'b1', 'a2', 'b2'])
})

test('more room in the settings, and a queue that is deleted, let go as well', () => {
  const world = new World()
  const named = define(world, { messagesMax: 1, durability: 'memory' })
  const publisher = world.connect('publisher')
  for (const text of ['1', '2', '3']) publisher.publish(ORDERS, text)
  define(world, { messagesMax: 2, durability: 'memory' })
  expect(results(publisher)).toEqual(['routed', 'routed'])
  world.vhost.destinations.delete(named)
  expect(results(publisher)).toEqual(['routed', 'routed', 'routed'])
  expect(world.vhost.destinations.find('orders')!.queue.waitingCount).toBe(1)
})

test('a message larger than the queue is refused at once: there can never be room', () => {
  const world = new World()
  define(world, { bytesMax: 1_024 })
  const publisher = world.connect('publisher')
  expect(publisher.publish(ORDERS, 'x'.repeat(1_000))).toBe('refused')
  expect(publisher.producer.refusal!.text).toMatch(/^a message of 1\.2\d KiB never fits into orders, whose limit \(bytesMax\) is 1 KiB$/)
})

test('a message larger than messages may be is refused with name, value and limit', () => {
  const world = new World({ limits: { messageBytesMax: 100 } })
  const publisher = world.connect('publisher')
  expect(publisher.publish('a', 'x'.repeat(200))).toBe('refused')
  expect(publisher.producer.refusal!.text).toBe("a message of 204 bytes for 'a' exceeds limits.maxMessageBytes 100")
})

test('one connection holds so many publishes and no more; its reader is told to stop at half of that', () => {
  const world = new World({ limits: { heldMessagesMax: 4 } })
  define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'full')
  const stopped: boolean[] = []
  for (let count = 0; count < 5; count++) {
    publisher.publish(ORDERS, `${count}`)
    stopped.push(publisher.producer.isBlocked)
  }
  expect(stopped).toEqual([false, false, true, true, true])
  let released = 0
  publisher.producer.whenUnblocked(() => released++)
  const consumer = world.connect('consumer')
  consume(consumer)
  world.settle()
  expect(released).toBe(1)
  expect(publisher.results).toEqual(['routed', 'routed', 'routed', 'routed', 'routed', 'refused'])
  expect(publisher.producer.refusal!.text).toMatch(/^4 publishes of this connection \(.*\) wait already/)
})

test('of the bytes, the last publish may go beyond the limit: who sends it could not know', () => {
  const world = new World({ limits: { heldBytesMax: 2_000 } })
  define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'full')
  expect(publisher.publish(ORDERS, 'small')).toBe('pending')
  expect(publisher.producer.isBlocked).toBe(false)
  expect(publisher.publish(ORDERS, 'x'.repeat(5_000))).toBe('pending')
  publisher.publish(ORDERS, 'one too many')
  world.advance(30_000)
  expect(publisher.producer.refusal!.text).toMatch(/^2 publishes of this connection/)
})

test('who reads on for acknowledgements is let go when what waited for the log comes to wait for room', async () => {
  const world = await worldOnLog({ limits: { heldMessagesMax: 4 } })
  define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'x'.repeat(300_000), DURABLE)
  for (const text of ['1', '2', '3']) publisher.publish(ORDERS, text, DURABLE)
  const { producer } = publisher
  expect([producer.isBlocked, producer.waitsForRoom]).toEqual([true, false])
  let [released, releasedForRoom] = [0, 0]
  producer.whenUnblocked(() => released++)
  producer.whenUnblocked(() => releasedForRoom++, true)
  await quiet(world.env.clock)
  expect([producer.isBlocked, producer.waitsForRoom]).toEqual([true, true])
  expect([released, releasedForRoom]).toEqual([0, 1])
})

test('at most once behind publishes that wait keeps its place, and is dropped where there is none', () => {
  const world = new World({ limits: { heldMessagesMax: 2 } })
  define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'full')
  publisher.publish(ORDERS, 'waits')
  expect(publisher.publish('a', 'behind', { assurance: 0 })).toBe('pending')
  expect(publisher.publish('a', 'too many', { assurance: 0 })).toBe('refused')
  const reader = world.connect('reader')
  reader.bind('a')
  consume(world.connect('consumer'))
  world.settle()
  expect(reader.texts).toEqual(['behind'])
  expect(world.vhost.counters.droppedOverLimit).toBe(1)
})

test('operators hear once when a queue begins to hold publishers, and when that ends', () => {
  const world = new World()
  define(world, { messagesMax: 1 })
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, '1')
  publisher.publish(ORDERS, '2')
  publisher.publish(ORDERS, '3')
  expect(world.events).toEqual(['orders is over its limit of 1 message: no consumer for 0 ms; publishers wait'])
  consume(world.connect('consumer'))
  world.settle()
  expect(world.events).toEqual([
    'orders is over its limit of 1 message: no consumer for 0 ms; publishers wait',
    'orders has room again; no publisher waits any more',
  ])
})

test('the reason says whether consumers stand still, are slow, or the queue is paused', () => {
  const world = new World()
  const { queue } = define(world, { messagesMax: 1, whenFull: 'reject' })
  const consumer = world.connect('consumer', { creditMax: 1 })
  consume(consumer)
  const publisher = world.connect('publisher')
  for (const text of ['taken', 'waits']) publisher.publish(ORDERS, text)
  const reason = (): string => {
    publisher.publish(ORDERS, 'too many')
    return publisher.producer.refusal!.text
  }
  expect(reason()).toBe('orders is over its limit of 1 message: 1 consumer, slower than its producers')
  world.advance(40_000)
  expect(reason()).toBe('orders is over its limit of 1 message: 1 consumer, none took a message for 40 s')
  queue.pause()
  expect(reason()).toBe('orders is over its limit of 1 message: it is paused')
})

test('messages of the log leave memory before a message that is not in it has to wait', async () => {
  const world = await worldOnLog({ limits: { queuedBytesTotalMax: 20_000 } })
  const durable = define(world, {}, 'durable').queue
  define(world, { durability: 'memory' }, 'transient')
  const publisher = world.connect('publisher')
  for (let count = 0; count < 10; count++) publisher.publish('$queue/durable', 'x'.repeat(1_500), DURABLE)
  await quiet(world.env.clock)
  expect(world.vhost.waiting.bytes).toBeGreaterThan(15_000)
  expect(publisher.publish('$queue/transient', 'y'.repeat(10_000))).toBe('routed')
  expect(world.vhost.waiting.bytes).toBeLessThan(12_000)
  expect(publisher.publish('$queue/transient', 'z'.repeat(15_000))).toBe('refused')
  expect(publisher.producer.refusal!.text).toMatch(/of messages wait in memory, the limit \(limits\.waitingBytesMax\) is 19\.5 KiB; transient: no consumer/)
  consume(world.connect('consumer'), 'durable')
  await quiet(world.env.clock)
  expect(durable.waitingCount).toBe(0)
})

test('who waits for memory goes on when some other queue gives it back', () => {
  const world = new World({ limits: { queuedBytesTotalMax: 20_000 } })
  define(world, {}, 'a')
  define(world, {}, 'b')
  const publisher = world.connect('publisher')
  publisher.publish('$queue/a', 'x'.repeat(9_000))
  publisher.publish('$queue/a', 'y'.repeat(4_000))
  expect(world.connect('other').publish('$queue/b', 'z'.repeat(6_000))).toBe('routed')
  expect(publisher.publish('$queue/b', 'w'.repeat(500))).toBe('refused')
  consume(world.connect('consumer'), 'a')
  world.settle()
  expect(publisher.publish('$queue/b', 'w'.repeat(500))).toBe('routed')
})

test('a log that is behind holds producers of messages that need it, and nobody else', async () => {
  const world = new World()
  await world.vhost.openLog(new MemoryEngine(world.env, { pendingHighBytes: 2_000 }), [testCodec])
  define(world, {})
  const publisher = world.connect('publisher')
  for (let count = 0; count < 20; count++) publisher.publish(ORDERS, `${count}`.padEnd(500), DURABLE)
  expect(world.vhost.log.pendingBytes).toBeLessThan(4_000)
  expect(world.connect('other').publish(ORDERS, 'transient')).toBe('routed')
  await quiet(world.env.clock)
  expect(publisher.results).toEqual(Array.from({ length: 20 }, () => 'routed'))
})

test('a large body goes its own way into the log, in its place among the publishes of its producer', async () => {
  const world = await worldOnLog()
  define(world, {})
  const publisher = world.connect('publisher')
  const large = 'x'.repeat(300_000)
  publisher.publish(ORDERS, 'before', DURABLE)
  expect(publisher.publish(ORDERS, large, DURABLE)).toBe('pending')
  publisher.publish(ORDERS, 'after', DURABLE)
  const other = world.connect('other')
  other.publish(ORDERS, 'other', DURABLE)
  await quiet(world.env.clock)
  expect(publisher.results).toEqual(['routed', 'routed', 'routed'])
  const consumer = world.connect('consumer')
  consume(consumer)
  await quiet(world.env.clock)
  expect(consumer.texts.filter((text) => text !== 'other')).toEqual(['before', large, 'after'])
  expect(consumer.texts).toContain('other')
})

test('a large body whose queue is deleted meanwhile ends in the queue that is there then', async () => {
  const world = await worldOnLog()
  const named = define(world, {})
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'x'.repeat(300_000), DURABLE)
  world.vhost.destinations.delete(named)
  await quiet(world.env.clock)
  expect(publisher.results).toEqual(['routed'])
  const { queue } = world.vhost.destinations.find('orders')!
  expect(queue.waitingCount).toBe(1)
  expect(queue.number).not.toBe(named.queue.number)
})

test('a large body that the log does not take is refused with its reason, and what is behind it goes on', async () => {
  const world = new World()
  await world.vhost.openLog(new MemoryEngine(world.env, { maxBytes: 200_000 }), [testCodec])
  define(world, {})
  const publisher = world.connect('publisher')
  publisher.publish(ORDERS, 'x'.repeat(300_000), DURABLE)
  publisher.publish(ORDERS, 'after', DURABLE)
  await quiet(world.env.clock)
  expect(publisher.results).toEqual(['refused', 'routed'])
  expect(world.vhost.destinations.find('orders')!.queue.underWayBytes).toBe(0)
})
