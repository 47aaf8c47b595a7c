/** Whose turn it is: by priority, in turn, or one alone. */
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, test } from 'vitest'
import { selectorOf } from '../../test/durable.ts'
import { queueContext, TestSink } from '../../test/support.ts'
import { Consumer, type ConsumeOptions, CREDIT_UNLIMITED } from './consumer.ts'
import { ConsumerSet } from './consumer-set.ts'
import { CreditPool } from './credit.ts'
import { Queue } from './queue.ts'
import { DEFAULT_QUEUE_SETTINGS } from './settings.ts'

const queue = new Queue(queueContext(virtualEnv()), 'q', DEFAULT_QUEUE_SETTINGS, true)

/** One that can take anything. */
function consumer(options: ConsumeOptions = {}): Consumer {
  const made = new Consumer(queue, new CreditPool(1_000), undefined, options)
  made.attach(new TestSink())
  made.grant(CREDIT_UNLIMITED)
  return made
}

function setOf(isExclusive: boolean, ...consumers: Consumer[]): ConsumerSet {
  const set = new ConsumerSet(isExclusive)
  for (const each of consumers) set.add(each)
  return set
}

describe('turns', () => {
  test('equals take turns, and one that cannot take is passed over', () => {
    const [a, b, c] = [consumer(), consumer(), consumer()]
    const set = setOf(false, a, b, c)
    expect([set.next(1), set.next(1), set.next(1), set.next(1)]).toEqual([a, b, c, a])
    c.detach()
    expect([set.next(1), set.next(1), set.next(1)]).toEqual([b, a, b])
  })

  test('a higher priority is served as long as it can take', () => {
    const [low, high] = [consumer(), consumer({ priority: 3 })]
    const set = setOf(false, low, high)
    expect([set.next(1), set.next(1)]).toEqual([high, high])
    high.detach()
    expect(set.next(1)).toBe(low)
  })

  test('nobody, where nobody can take', () => {
    const a = consumer()
    a.detach()
    expect([setOf(false).next(1), setOf(false, a).next(1), setOf(false, a).hasAttached()]).toEqual([undefined, undefined, false])
  })

  test('who is offered in turn comes by priority, after the last that took', () => {
    const [a, b, top] = [consumer(), consumer(), consumer({ priority: 1 })]
    const set = setOf(false, a, b, top)
    const order = (taker: Consumer | undefined): Consumer[] => {
      const asked: Consumer[] = []
      expect(set.offerInTurn((each) => asked.push(each) > 0 && each === taker)).toBe(taker !== undefined)
      return asked
    }
    expect(order(a)).toEqual([top, a])
    expect(order(undefined)).toEqual([top, b, a])
    expect(order(b)).toEqual([top, b])
    expect(order(undefined)).toEqual([top, a, b])
  })

  test('one that leaves twice has left once', () => {
    const [a, b] = [consumer(), consumer()]
    const set = setOf(false, a, b)
    expect([set.remove(a), set.remove(a), set.all]).toEqual([true, false, [b]])
    expect([set.next(1), set.next(1)]).toEqual([b, b])
  })

  test('it is selective as long as a consumer with a selector is there', () => {
    const [a, b] = [consumer(), consumer({ selector: selectorOf('x = 1') })]
    const set = setOf(false, a, b)
    expect(set.isSelective).toBe(true)
    set.remove(b)
    expect(set.isSelective).toBe(false)
  })
})

describe('exclusive', () => {
  test('the first has the queue, also while it cannot take, and the next one after it', () => {
    const [a, b] = [consumer(), consumer()]
    const set = setOf(true, a, b)
    expect([set.active, set.next(1), set.next(1)]).toEqual([a, a, a])
    a.detach()
    expect(set.next(1)).toBeUndefined()
    set.remove(a)
    expect([set.active, set.next(1)]).toEqual([b, b])
    set.remove(b)
    expect(set.active).toBeUndefined()
  })

  test('one of a higher priority takes over, one of the same does not', () => {
    const [a, b, c] = [consumer(), consumer(), consumer({ priority: 5 })]
    const set = setOf(true, a, b)
    set.add(c)
    expect(set.active).toBe(c)
    set.remove(c)
    expect(set.active).toBe(a)
  })

  test('a consumer that wants the queue to itself has it, where the queue itself is shared', () => {
    const [a, alone] = [consumer(), consumer({ exclusive: true })]
    const set = setOf(false, a)
    expect(set.active).toBeUndefined()
    set.add(alone)
    expect([set.active, set.next(1)]).toEqual([alone, alone])
    set.remove(alone)
    expect([set.active, set.next(1)]).toEqual([undefined, a])
  })

  test('switched on and off while consumers are there', () => {
    const [a, b] = [consumer(), consumer()]
    const set = setOf(false, a, b)
    set.setExclusive(true)
    expect([set.next(1), set.next(1)]).toEqual([a, a])
    set.setExclusive(false)
    expect(new Set([set.next(1), set.next(1)])).toEqual(new Set([a, b]))
  })
})
