import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { matchWith, messageOf, queueContext, receiverOf, type ReceiverOptions, TestSink } from '../../test/support.ts'
import { Consumer, CREDIT_UNLIMITED } from './consumer.ts'
import { CreditPool } from './credit.ts'
import type { QueueContext } from './context.ts'
import { Queue } from './queue.ts'
import { subscriptionSettings } from './settings.ts'

interface Setup {
  readonly env: VirtualEnv
  readonly context: QueueContext
  readonly queue: Queue
  readonly offer: (text: string, assurance?: 0 | 1 | 2) => void
  readonly receiver: (options?: ReceiverOptions) => ReturnType<typeof receiverOf>
}

function setUp(): Setup {
  const env = virtualEnv()
  const context = queueContext(env)
  const queue = new Queue(context, 'q', subscriptionSettings({ messagesMax: 1_000, bytesMax: 1_000_000 }), true)
  return {
    env,
    context,
    queue,
    offer: (text, assurance = 1) => void queue.offer(messageOf('t', text, { assurance }), matchWith(2)),
    receiver: (options) => receiverOf(queue, options),
  }
}

test('nothing arrives before the first grant', () => {
  const { env, queue, offer } = setUp()
  const consumer = new Consumer(queue, new CreditPool(10), undefined)
  const sink = new TestSink()
  queue.addConsumer(consumer)
  consumer.attach(sink)
  offer('1')
  env.clock.settle()
  expect(sink.texts).toEqual([])
  consumer.grant(1)
  env.clock.settle()
  expect(sink.texts).toEqual(['1'])
})

test('own credit is spent by deliveries of every assurance and does not come back by settling', () => {
  const { env, offer, receiver } = setUp()
  const { consumer, sink } = receiver({ credit: 2 })
  offer('1', 0)
  offer('2', 1)
  offer('3', 1)
  consumer.settle(sink.held.shift()!, 'accepted')
  env.clock.settle()
  expect(sink.texts).toEqual(['1', '2'])
  consumer.grant(1)
  env.clock.settle()
  expect(sink.texts).toEqual(['1', '2', '3'])
})

test('unlimited credit stays unlimited, however much is granted and taken', () => {
  const { offer, receiver } = setUp()
  const { consumer, sink } = receiver()
  consumer.grant(CREDIT_UNLIMITED)
  consumer.grant(5)
  for (let count = 0; count < 100; count++) offer(String(count))
  expect(sink.seen).toHaveLength(100)
})

test('the pool bounds what is unsettled, over all queues of a session', () => {
  const { env, context, queue, offer } = setUp()
  const pool = new CreditPool(3)
  const first = receiverOf(queue, { pool })
  const other = new Queue(context, 'other', subscriptionSettings({ messagesMax: 100, bytesMax: 100_000 }), true)
  const second = receiverOf(other, { pool })
  for (let count = 0; count < 4; count++) {
    offer(`a${count}`)
    other.offer(messageOf('t', `b${count}`), matchWith(1))
  }
  env.clock.settle()
  expect([first.sink.texts, second.sink.texts, pool.used]).toEqual([['a0', 'a1'], ['b0'], 3])
  second.consumer.settle(second.sink.held.shift()!, 'accepted')
  env.clock.settle()
  expect(first.sink.seen.length + second.sink.seen.length).toBe(4)
  expect(pool.used).toBe(3)
})

test('an empty pool does not hold back what is settled by being sent', () => {
  const { offer, receiver } = setUp()
  const { sink } = receiver({ pool: new CreditPool(1) })
  offer('1', 1)
  offer('2', 0)
  expect(sink.texts).toEqual(['1', '2'])
})

test('an empty pool does not hold back a member of a shared subscription that takes everything at most once', () => {
  const { env, offer, receiver } = setUp()
  const pool = new CreditPool(1)
  pool.take()
  const { sink } = receiver({ pool, match: matchWith(0) })
  offer('1', 1)
  env.clock.settle()
  expect(sink.texts).toEqual(['1'])
})

test('no queue of a session starves behind another one that always has something waiting', () => {
  const { env, context, queue, offer } = setUp()
  const pool = new CreditPool(1)
  const queues = [queue, ...['b', 'c'].map((name) => new Queue(context, name, queue.settings, true))]
  const receivers = queues.map((one) => receiverOf(one, { pool }))
  for (let count = 0; count < 20; count++) offer('x')
  for (const other of queues.slice(1))
    for (let count = 0; count < 20; count++) other.offer(messageOf('t', 'x'), matchWith(1))
  env.clock.settle()
  for (let count = 0; count < 12; count++) {
    const holder = receivers.find(({ sink }) => sink.held.length > 0)!
    holder.consumer.settle(holder.sink.held.shift()!, 'accepted')
    env.clock.settle()
  }
  for (const { sink } of receivers) expect(sink.seen.length).toBeGreaterThanOrEqual(4)
})

test('tags ascend over all queues of a session', () => {
  const { env, context, queue, offer } = setUp()
  const pool = new CreditPool(100)
  const other = new Queue(context, 'other', queue.settings, true)
  const [first, second] = [receiverOf(queue, { pool }), receiverOf(other, { pool })]
  for (let count = 0; count < 3; count++) {
    offer('a')
    other.offer(messageOf('t', 'b'), matchWith(1))
  }
  env.clock.settle()
  expect(first.sink.seen.map(({ tag }) => tag)).toEqual([1, 3, 5])
  expect(second.sink.seen.map(({ tag }) => tag)).toEqual([2, 4, 6])
})

test('unsettled deliveries are listed oldest first, whichever are settled in between', () => {
  const { offer, receiver } = setUp()
  const { consumer, sink } = receiver()
  for (const text of ['1', '2', '3', '4', '5']) offer(text)
  const tags = (): number[] => [...consumer.unsettled()].map(({ tag }) => tag)
  expect([tags(), consumer.unsettledCount]).toEqual([[1, 2, 3, 4, 5], 5])
  for (const [index, left] of [
    [2, [1, 2, 4, 5]],
    [0, [2, 4, 5]],
    [4, [2, 4]],
    [1, [4]],
    [3, []],
  ] as const) {
    consumer.settle(sink.held[index]!, 'accepted')
    expect([tags(), consumer.unsettledCount]).toEqual([left, left.length])
  }
})

test('a delivery can be settled once, and only by the consumer that has it', () => {
  const { offer, receiver, context } = setUp()
  const first = receiver()
  offer('1')
  const second = receiver()
  const foreign = receiverOf(new Queue(context, 'other', subscriptionSettings({ messagesMax: 1, bytesMax: 1_000 }), true))
  const delivery = first.sink.held[0]!
  expect(() => second.consumer.settle(delivery, 'accepted')).toThrow('not with this consumer of q')
  expect(() => foreign.consumer.settle(delivery, 'accepted')).toThrow('not with this consumer of other')
  expect([first.consumer.unsettledCount, first.pool.used]).toEqual([1, 1])
  first.consumer.settle(delivery, 'accepted')
  expect(() => first.consumer.settle(delivery, 'accepted')).toThrow('not with this consumer')
  expect([first.consumer.unsettledCount, first.pool.used]).toEqual([0, 0])
})

test('a detached consumer gets nothing and keeps what it has not settled, which it may still settle', () => {
  const { env, queue, offer, receiver } = setUp()
  const { consumer, sink, pool } = receiver()
  offer('1')
  consumer.detach()
  offer('2')
  env.clock.settle()
  expect([sink.texts, queue.waitingCount, consumer.unsettledCount]).toEqual([['1'], 1, 1])
  consumer.settle(sink.held[0]!, 'accepted')
  expect(pool.used).toBe(0)
  const again = new TestSink()
  consumer.attach(again)
  env.clock.settle()
  expect(again.texts).toEqual([])
  consumer.grant(CREDIT_UNLIMITED)
  env.clock.settle()
  expect(again.texts).toEqual(['2'])
})

test('a delivery that the receiver can never take counts as rejected, gives its credit back and lets the next one pass', () => {
  const { env, context, queue, offer, receiver } = setUp()
  const { consumer, sink, pool } = receiver({ pool: new CreditPool(1) })
  sink.refused.add('bad')
  offer('bad', 1)
  offer('bad', 0)
  offer('1', 1)
  offer('bad', 1)
  offer('2', 1)
  env.clock.settle()
  expect(sink.texts).toEqual(['1'])
  consumer.settle(sink.held.shift()!, 'accepted')
  env.clock.settle()
  expect(sink.texts).toEqual(['1', '2'])
  expect(context.traffic.counters.rejected).toBe(3)
  expect([pool.used, consumer.unsettledCount, queue.waitingCount]).toEqual([1, 1, 0])
})
