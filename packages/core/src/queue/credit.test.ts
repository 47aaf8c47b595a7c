import { virtualEnv } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { matchWith, messageOf, queueContext, TestSink } from '../../test/support.ts'
import { Turns } from '../turns.ts'
import { Consumer, CREDIT_UNLIMITED } from './consumer.ts'
import { CreditPool, type CreditWaiter } from './credit.ts'
import { Queue } from './queue.ts'
import { subscriptionSettings } from './settings.ts'

/** Counts its wake-ups. */
class Waiter implements CreditWaiter {
  creditPrevious: CreditWaiter | undefined = undefined
  creditNext: CreditWaiter | undefined = undefined
  wakes = 0
  readonly #then: (() => void) | undefined

  constructor(then?: () => void) {
    this.#then = then
  }

  onCredit(): void {
    this.wakes++
    this.#then?.()
  }
}

test('a pool gives out its limit and no more, and is not empty again before something came back', () => {
  const pool = new CreditPool(3)
  expect([pool.take(), pool.take(), pool.isEmpty, pool.take(), pool.isEmpty]).toEqual([1, 2, false, 3, true])
  expect(pool.used).toBe(3)
  pool.giveBack()
  expect(pool.isEmpty).toBe(false)
  expect(pool.take()).toBe(4)
  expect(pool.isEmpty).toBe(true)
})

test('a waiter is woken once by the first credit that comes back', () => {
  const pool = new CreditPool(2)
  const waiter = new Waiter()
  pool.take()
  pool.take()
  pool.waitFor(waiter)
  pool.giveBack()
  pool.giveBack()
  expect(waiter.wakes).toBe(1)
})

test('a lowered limit leaves the pool overdrawn until enough came back, and only then wakes', () => {
  const pool = new CreditPool(4)
  const waiter = new Waiter()
  for (let count = 0; count < 4; count++) pool.take()
  pool.setLimit(2)
  pool.waitFor(waiter)
  pool.giveBack()
  pool.giveBack()
  expect([pool.isEmpty, waiter.wakes]).toEqual([true, 0])
  pool.giveBack()
  expect([pool.isEmpty, waiter.wakes]).toEqual([false, 1])
})

test('with turns, a credit wakes a few of many that wait, and goes on to the next ones when they leave it', () => {
  const env = virtualEnv()
  const pool = new CreditPool(1, new Turns(env.clock))
  const order: number[] = []
  const waiters = Array.from({ length: 100 }, (_, index) => new Waiter(() => void order.push(index)))
  pool.take()
  for (const waiter of waiters) pool.waitFor(waiter)
  pool.giveBack()
  expect(order.length).toBeLessThan(20)
  env.clock.turn()
  expect(order.toSorted((one, other) => one - other)).toEqual(waiters.map((_, index) => index))
})

test('a credit that one of those it woke has taken wakes nobody else', () => {
  const env = virtualEnv()
  const pool = new CreditPool(1, new Turns(env.clock))
  let wakes = 0
  pool.take()
  for (let count = 0; count < 100; count++) {
    const take = (): void => {
      wakes++
      if (!pool.isEmpty) pool.take()
    }
    pool.waitFor(new Waiter(take))
  }
  pool.giveBack()
  env.clock.turn()
  expect(wakes).toBeLessThan(20)
})

test('a raised limit wakes who waits', () => {
  const pool = new CreditPool(1)
  const waiter = new Waiter()
  pool.take()
  pool.waitFor(waiter)
  pool.setLimit(1)
  expect(waiter.wakes).toBe(0)
  pool.setLimit(2)
  expect(waiter.wakes).toBe(1)
})

test('a waiter that lists itself again while it is woken waits for the next credit', () => {
  const pool = new CreditPool(1)
  const again: Waiter = new Waiter(() => pool.waitFor(again))
  pool.take()
  pool.waitFor(again)
  pool.giveBack()
  expect(again.wakes).toBe(1)
  pool.take()
  pool.giveBack()
  expect(again.wakes).toBe(2)
})

test('a waiter that is forgotten is not woken, the others are', () => {
  const pool = new CreditPool(1)
  const waiters = Array.from({ length: 6 }, () => new Waiter())
  pool.take()
  for (const waiter of waiters) pool.waitFor(waiter)
  // The first, one in the middle, the last, one that is forgotten already, and one that never waited.
  for (const waiter of [waiters[0]!, waiters[2]!, waiters[5]!, waiters[2]!, new Waiter()]) pool.forget(waiter)
  pool.giveBack()
  expect(waiters.map(({ wakes }) => wakes)).toEqual([0, 1, 0, 1, 1, 0])
  pool.take()
  pool.waitFor(waiters[0]!)
  pool.forget(waiters[0]!)
  pool.waitFor(waiters[1]!)
  pool.giveBack()
  expect(waiters.map(({ wakes }) => wakes)).toEqual([0, 2, 0, 1, 1, 0])
})

test('a consumer stands in the list of its pool once, however often it is woken, attached and detached', () => {
  const pool = new CreditPool(1)
  let listed = 0
  const { waitFor, forget } = pool
  pool.waitFor = (waiter) => {
    listed++
    waitFor.call(pool, waiter)
  }
  pool.forget = (waiter) => {
    listed--
    forget.call(pool, waiter)
  }
  const env = virtualEnv()
  const queue = new Queue(queueContext(env), 'q', subscriptionSettings({ messagesMax: 10, bytesMax: 10_000 }), true)
  const consumer = new Consumer(queue, pool, undefined)
  queue.addConsumer(consumer)
  const sink = new TestSink()
  consumer.attach(sink)
  consumer.grant(CREDIT_UNLIMITED)
  for (const text of ['1', '2', '3']) queue.offer(messageOf('t', text), matchWith(1))
  for (let round = 0; round < 5; round++) {
    consumer.wake()
    env.clock.settle()
    expect(listed).toBe(1)
  }
  consumer.detach()
  expect(listed).toBe(0)
  consumer.attach(sink)
  consumer.grant(CREDIT_UNLIMITED)
  env.clock.settle()
  expect(listed).toBe(1)
  consumer.settle(sink.held.shift()!, 'accepted')
  env.clock.settle()
  expect(sink.texts).toEqual(['1', '2'])
})
