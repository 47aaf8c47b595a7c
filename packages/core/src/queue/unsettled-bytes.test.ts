import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { matchWith, messageOf, queueContext, receiverOf, type Receiver } from '../../test/support.ts'
import { Turns } from '../turns.ts'
import type { QueueContext } from './context.ts'
import { CreditPool } from './credit.ts'
import { Queue } from './queue.ts'
import { subscriptionSettings } from './settings.ts'
import { UnsettledBytes } from './unsettled-bytes.ts'

const settings = subscriptionSettings({ messagesMax: 10_000, bytesMax: 10_000_000 })

interface Scene {
  readonly env: VirtualEnv
  readonly context: QueueContext
  readonly queue: Queue
}

function scene(): Scene {
  const env = virtualEnv()
  const context = queueContext(env)
  return { env, context, queue: new Queue(context, 'q', settings, true) }
}

function offer(queue: Queue, text: string, assurance: 0 | 1 = 1): void {
  queue.offer(messageOf('t', text, { assurance }), matchWith(2))
}

function settleFirst({ consumer, sink }: Receiver): void {
  consumer.settle(sink.held.shift()!, 'accepted')
}

const KB = 'x'.repeat(1_000)

test('a consumer that never acknowledges is handed bytes up to the limit, however many messages it may have', () => {
  const { env, queue } = scene()
  const bytes = new UnsettledBytes(10_000)
  const { sink } = receiverOf(queue, { pool: new CreditPool(65_535, undefined, bytes) })
  for (let count = 0; count < 100; count++) offer(queue, KB)
  env.clock.settle()
  expect(sink.held.length).toBeLessThanOrEqual(10)
  expect(sink.held.length).toBeGreaterThan(8)
  expect(bytes.bytes).toBe(sink.held.reduce((sum, { message }) => sum + message.size, 0))
})

test('what is acknowledged makes room for as much, and in the end nothing is counted', () => {
  const { env, queue } = scene()
  const bytes = new UnsettledBytes(10_000)
  const receiver = receiverOf(queue, { pool: new CreditPool(65_535, undefined, bytes) })
  for (let count = 0; count < 100; count++) offer(queue, KB)
  env.clock.settle()
  for (let count = 0; count < 100; count++) {
    settleFirst(receiver)
    env.clock.settle()
  }
  expect([receiver.sink.seen.length, receiver.sink.held.length, bytes.bytes]).toEqual([100, 0, 0])
})

test('a message that is larger than the limit goes, and the next one when it is settled', () => {
  const { env, queue } = scene()
  const receiver = receiverOf(queue, { pool: new CreditPool(10, undefined, new UnsettledBytes(100)) })
  offer(queue, KB)
  offer(queue, 'small')
  env.clock.settle()
  expect(receiver.sink.texts).toEqual([KB])
  settleFirst(receiver)
  env.clock.settle()
  expect(receiver.sink.texts).toEqual([KB, 'small'])
})

test('deliveries that are settled by being sent neither count nor wait', () => {
  const { env, context, queue } = scene()
  const bytes = new UnsettledBytes(3_000)
  const { sink } = receiverOf(queue, { pool: new CreditPool(65_535, undefined, bytes) })
  for (let count = 0; count < 10; count++) offer(queue, KB, 0)
  env.clock.settle()
  expect([sink.seen.length, bytes.bytes]).toEqual([10, 0])
  for (let count = 0; count < 5; count++) offer(queue, KB, 1)
  const other = new Queue(context, 'other', settings, true)
  const second = receiverOf(other, { pool: new CreditPool(10, undefined, bytes) })
  offer(other, 'alone', 0)
  env.clock.settle()
  expect(second.sink.texts).toEqual(['alone'])
})

test('receivers of one connection share the bytes: what one settles lets the others go on, each in turn', () => {
  const { env, context } = scene()
  const bytes = new UnsettledBytes(3_000)
  const turns = new Turns(env.clock)
  const all = Array.from({ length: 3 }, (_, index) => {
    const queue = new Queue(context, `q${index}`, settings, true)
    return { queue, receiver: receiverOf(queue, { pool: new CreditPool(100, turns, bytes) }) }
  })
  for (const { queue } of all) for (let count = 0; count < 30; count++) offer(queue, KB)
  env.clock.settle()
  for (let count = 0; count < 60; count++) {
    settleFirst(all.find(({ receiver }) => receiver.sink.held.length > 0)!.receiver)
    env.clock.settle()
  }
  for (const { receiver } of all) expect(receiver.sink.seen.length).toBeGreaterThanOrEqual(10)
})

test('a pool that waited for credit, and then for bytes, is not forgotten', () => {
  const { env, context, queue } = scene()
  const bytes = new UnsettledBytes(2_000)
  const first = receiverOf(queue, { pool: new CreditPool(1, undefined, bytes) })
  offer(queue, 'one')
  offer(queue, 'two')
  env.clock.settle()
  expect(first.sink.texts).toEqual(['one'])
  const other = new Queue(context, 'other', settings, true)
  const second = receiverOf(other, { pool: new CreditPool(10, undefined, bytes) })
  for (let count = 0; count < 2; count++) offer(other, KB)
  env.clock.settle()
  expect([second.sink.held.length, bytes.isFull]).toEqual([2, true])
  settleFirst(first) // credit comes back, and the bytes are taken by the other
  env.clock.settle()
  expect([first.sink.texts, bytes.isFull]).toEqual([['one'], true])
  settleFirst(second)
  env.clock.settle()
  expect(first.sink.texts).toEqual(['one', 'two'])
})

test('bytes that come free wake a few of many consumers, not all of them', () => {
  const env = virtualEnv()
  const bytes = new UnsettledBytes(100)
  const pool = new CreditPool(65_535, new Turns(env.clock), bytes)
  let wakes = 0
  bytes.take(150)
  for (let count = 0; count < 1_000; count++) pool.waitFor({ creditPrevious: undefined, creditNext: undefined, onCredit: () => void wakes++ })
  bytes.take(20)
  bytes.giveBack(100)
  bytes.take(50) // whoever was woken first has taken it
  env.clock.settle()
  expect(wakes).toBeGreaterThan(0)
  expect(wakes).toBeLessThan(40)
})

test('a consumer that has left is not woken, and its pool is not remembered', () => {
  const { env, context } = scene()
  const bytes = new UnsettledBytes(1_000)
  bytes.take(1_000)
  const queue = new Queue(context, 'q', settings, true)
  const { consumer, sink } = receiverOf(queue, { pool: new CreditPool(10, undefined, bytes) })
  offer(queue, 'never')
  env.clock.settle()
  consumer.detach()
  bytes.giveBack(1_000)
  env.clock.settle()
  expect(sink.texts).toEqual([])
})

test('a higher limit lets those go on who wait', () => {
  const { env, queue } = scene()
  const bytes = new UnsettledBytes(2_000)
  const { sink } = receiverOf(queue, { pool: new CreditPool(100, undefined, bytes) })
  for (let count = 0; count < 5; count++) offer(queue, KB)
  env.clock.settle()
  expect(sink.held.length).toBe(2)
  bytes.setMax(4_000)
  env.clock.settle()
  expect(sink.held.length).toBe(4)
})
