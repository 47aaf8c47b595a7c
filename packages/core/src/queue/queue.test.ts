import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  matchWith,
  messageOf,
  type MessageOptions,
  queueContext,
  type Receiver,
  receiverOf,
  type ReceiverOptions,
  textOf,
} from '../../test/support.ts'
import type { Delivery } from './delivery.ts'
import { BACKFILL_MESSAGES_MAX, DISPATCH_BATCH_MAX, ENTRY_BYTES } from '../limits.ts'
import type { QueueContext } from './context.ts'
import { Queue } from './queue.ts'
import { type QueueSettings, subscriptionSettings } from './settings.ts'

interface Setup {
  readonly env: VirtualEnv
  readonly context: QueueContext
  readonly queue: Queue
  readonly offer: (text: string, options?: MessageOptions) => boolean
  readonly receiver: (options?: ReceiverOptions) => Receiver
}

function setUp(settings: Partial<QueueSettings> = {}): Setup {
  const env = virtualEnv()
  const context = queueContext(env)
  const limits = { messagesMax: 100_000, bytesMax: 100_000_000 }
  const queue = new Queue(context, 'q', { ...subscriptionSettings(limits), ...settings }, true)
  return {
    env,
    context,
    queue,
    offer: (text, options) => queue.offer(messageOf('t', text, options), matchWith(2)),
    receiver: (options) => receiverOf(queue, options),
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
}

function settleFirst({ consumer, sink }: Receiver, outcome: 'accepted' | 'rejected' | 'released' | 'modified'): void {
  consumer.settle(sink.held.shift()!, outcome)
}

describe('order', () => {
  test('a message that can be taken is taken at once, while the publisher is still there', () => {
    const { offer, receiver, queue } = setUp()
    const { sink } = receiver()
    expect(offer('1')).toBe(true)
    expect([sink.texts, queue.waitingCount]).toEqual([['1'], 0])
  })

  test('a message never overtakes one that waits, though a consumer could take it now', () => {
    const { env, offer, receiver } = setUp()
    const { consumer, sink } = receiver({ credit: 0 })
    offer('1')
    consumer.grant(10)
    offer('2')
    offer('3', { assurance: 0 })
    expect(sink.texts).toEqual([])
    env.clock.settle()
    expect(sink.texts).toEqual(['1', '2', '3'])
  })

  test('a message that needs no credit waits behind one that does', () => {
    const { env, offer, receiver } = setUp()
    const one = receiver({ credit: 2 })
    one.pool.setLimit(0)
    offer('1', { assurance: 1 })
    offer('2', { assurance: 0 })
    env.clock.settle()
    expect(one.sink.texts).toEqual([])
    one.pool.setLimit(1)
    env.clock.settle()
    expect(one.sink.texts).toEqual(['1', '2'])
  })

  test('a message that needs no credit goes on when the one before it expires or is taken out', () => {
    for (const how of ['expires', 'is taken out']) {
      const { env, offer, receiver, queue } = setUp()
      const one = receiver({ credit: 2 })
      one.pool.setLimit(0)
      offer('1', { assurance: 1, expiresAtMs: env.clock.wallMs() + 100 })
      offer('2', { assurance: 0 })
      env.clock.advance(how === 'expires' ? 100 : 0)
      const { line } = queue.lanes[0]!
      if (how === 'expires') queue.dropExpired(env.clock.wallMs(), 10)
      else {
        queue.takeOut(line, line.peek())
        queue.finishAt(line, 1)
      }
      env.clock.settle()
      expect([how, one.sink.texts]).toEqual([how, ['2']])
    }
  })

  test('a sink that fills up in the middle stops the dispatch there, and a wake goes on from there', () => {
    const { env, offer, receiver, queue } = setUp()
    const { consumer, sink } = receiver()
    sink.room = 3
    for (const text of numbers(1, 10)) offer(text)
    expect([sink.texts, queue.waitingCount]).toEqual([numbers(1, 3), 7])
    sink.writable = true
    sink.room = 4
    env.clock.settle()
    expect(sink.texts).toEqual(numbers(1, 3))
    consumer.wake()
    env.clock.settle()
    expect(sink.texts).toEqual(numbers(1, 7))
    sink.writable = true
    sink.room = Infinity
    consumer.wake()
    env.clock.settle()
    expect([sink.texts, queue.waitingCount, queue.waitingBytes]).toEqual([numbers(1, 10), 0, 0])
  })

  test('waiting messages keep their bytes when the read buffer is used again', () => {
    const { env, offer, receiver } = setUp()
    const buffer = Buffer.alloc(10_000)
    const sizes = [1, 100, 5_000]
    for (const size of sizes) {
      offer('x'.repeat(size), { buffer })
      buffer.fill(0xee)
    }
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.texts.map((text) => [text.length, /^x+$/.test(text)])).toEqual(sizes.map((size) => [size, true]))
  })

  test('an unsettled delivery of a queue that keeps it has its own bytes, one that dies with its consumer has not', () => {
    for (const keepsUnsettled of [true, false]) {
      const { queue, receiver } = setUp()
      queue.keepsUnsettled = keepsUnsettled
      const { sink } = receiver()
      const buffer = Buffer.alloc(100)
      queue.offer(messageOf('t', 'text', { buffer }), matchWith(1))
      buffer.fill(0xee)
      expect(textOf(sink.held[0]!.message) === 'text').toBe(keepsUnsettled)
    }
  })
})

describe('turns of consumers', () => {
  test.each([
    ['at once', true],
    ['from the line', false],
  ])('messages go round all consumers that can take one, %s', (_, attachedFirst) => {
    const { env, offer, receiver } = setUp()
    const receivers = attachedFirst ? [receiver(), receiver(), receiver()] : []
    for (const text of numbers(1, 9)) offer(text)
    if (!attachedFirst) receivers.push(receiver(), receiver(), receiver())
    env.clock.settle()
    expect(receivers.map(({ sink }) => sink.texts)).toEqual([
      ['1', '4', '7'],
      ['2', '5', '8'],
      ['3', '6', '9'],
    ])
  })

  test('a consumer without room is passed over and has its turn again when it has some', () => {
    const { env, offer, receiver } = setUp()
    const [first, second, third] = [receiver(), receiver({ credit: 1 }), receiver()]
    for (const text of numbers(1, 7)) offer(text)
    expect([first.sink.texts, second.sink.texts, third.sink.texts]).toEqual([['1', '4', '6'], ['2'], ['3', '5', '7']])
    second.consumer.grant(5)
    env.clock.settle()
    for (const text of numbers(8, 10)) offer(text)
    expect(second.sink.texts).toHaveLength(2)
  })

  test('a consumer that leaves takes nobody else with it', () => {
    const { offer, receiver, queue } = setUp()
    const [first, second, third] = [receiver(), receiver(), receiver()]
    offer('1')
    queue.removeConsumer(second.consumer)
    queue.removeConsumer(second.consumer)
    for (const text of numbers(2, 5)) offer(text)
    expect(second.sink.texts).toEqual([])
    expect([first.sink.texts.length, third.sink.texts.length].sort((a, b) => a - b)).toEqual([2, 3])
  })

  test('without consumers everything waits, also after the last one left', () => {
    const { offer, receiver, queue } = setUp()
    const { consumer } = receiver()
    queue.removeConsumer(consumer)
    offer('1')
    expect(queue.waitingCount).toBe(1)
  })

  test("a member's own assurance and data count, not those of the group's binding", () => {
    for (const direct of [true, false]) {
      const { env, offer, receiver } = setUp()
      const matches = [matchWith(0, { id: 'a' }), matchWith(1, { id: 'b' }), matchWith(2, { id: 'c' })]
      const receivers = direct ? matches.map((match) => receiver({ match })) : []
      for (const text of numbers(1, 3)) offer(text, { assurance: 2 })
      if (!direct) receivers.push(...matches.map((match) => receiver({ match })))
      env.clock.settle()
      expect(receivers.map(({ sink }) => sink.seen.map(({ assurance, match }) => [assurance, match]))).toEqual([
        [[0, matches[0]]],
        [[1, matches[1]]],
        [[2, matches[2]]],
      ])
    }
  })
})

describe('limits', () => {
  test('at its limit of messages the newest is not kept, and counted', () => {
    const { env, context, offer, receiver, queue } = setUp({ messagesMax: 3 })
    expect(numbers(1, 5).map((text) => offer(text))).toEqual([true, true, true, false, false])
    expect([queue.waitingCount, queue.droppedCount, context.traffic.counters.droppedOverLimit]).toEqual([3, 2, 2])
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.texts).toEqual(['1', '2', '3'])
    expect(offer('6')).toBe(true)
  })

  test('at its limit of bytes the newest is not kept; each entry counts with what it costs besides its bytes', () => {
    const size = messageOf('t', 'x').size + ENTRY_BYTES
    const { context, offer, queue } = setUp({ bytesMax: size * 2 })
    expect([offer('1'), offer('2'), offer('3')]).toEqual([true, true, false])
    expect([queue.waitingBytes, context.traffic.counters.droppedOverLimit]).toEqual([size * 2, 1])
  })

  test('a message that fits is kept though a larger one before it was not', () => {
    const { offer } = setUp({ bytesMax: 1_000 })
    expect([offer('1'), offer('x'.repeat(2_000)), offer('3')]).toEqual([true, false, true])
  })

  test('limits are for what waits: a consumer that keeps up gets any number', () => {
    const { offer, receiver } = setUp({ messagesMax: 1, bytesMax: 1 })
    const { sink } = receiver()
    for (const text of numbers(1, 50)) expect(offer(text)).toBe(true)
    expect(sink.texts).toHaveLength(50)
  })

  test('at most once is not kept for nobody, and counted as such', () => {
    const { context, offer, receiver, queue } = setUp()
    const { consumer, sink } = receiver()
    sink.writable = false
    expect(offer('waits', { assurance: 0 })).toBe(true)
    consumer.detach()
    expect(offer('lost', { assurance: 0 })).toBe(false)
    expect(offer('kept', { assurance: 1 })).toBe(true)
    expect([queue.waitingCount, context.traffic.counters.droppedOffline]).toEqual([2, 1])
  })

  test('what comes back is kept beyond the limit: it was in already', () => {
    const { env, offer, receiver, queue } = setUp({ messagesMax: 1 })
    const one = receiver({ credit: 1 })
    offer('1')
    offer('2')
    settleFirst(one, 'released')
    expect(queue.waitingCount).toBe(2)
    expect(offer('3')).toBe(false)
    one.consumer.grant(2)
    env.clock.settle()
    expect(one.sink.texts).toEqual(['1', '1', '2'])
  })
})

describe('expiry', () => {
  test('a message whose time is over while it waits goes uncounted by credit and counted as expired', () => {
    const { env, context, offer, receiver, queue } = setUp()
    const one = receiver({ credit: 0 })
    const atMs = env.clock.wallMs() + 1_000
    offer('1', { expiresAtMs: atMs })
    offer('2')
    offer('3', { expiresAtMs: atMs + 1 })
    env.clock.advance(1_000)
    one.consumer.grant(1)
    env.clock.settle()
    expect([one.sink.texts, context.traffic.counters.expired, queue.waitingCount]).toEqual([['2'], 1, 1])
    env.clock.advance(1)
    one.consumer.grant(1)
    env.clock.settle()
    expect([one.sink.texts, context.traffic.counters.expired]).toEqual([['2'], 2])
    expect([queue.waitingCount, queue.waitingBytes]).toEqual([0, 0])
    offer('4')
    expect(one.sink.texts).toEqual(['2', '4'])
  })

  test('messages whose time is over make room for new ones, though nobody is there [MQTT5-3.3.2-5]', () => {
    const { env, context, offer, receiver, queue } = setUp({ messagesMax: 2 })
    const expiresAtMs = env.clock.wallMs() + 100
    offer('1', { expiresAtMs })
    offer('2', { expiresAtMs })
    expect(offer('over')).toBe(false)
    env.clock.advance(100)
    expect([offer('3'), offer('4'), offer('over')]).toEqual([true, true, false])
    expect([queue.waitingCount, context.traffic.counters.expired, context.traffic.counters.droppedOverLimit]).toEqual([2, 2, 2])
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.texts).toEqual(['3', '4'])
  })

  test('a message is handed over until the very ms before its time', () => {
    const { env, offer, receiver } = setUp()
    const { consumer, sink } = receiver({ credit: 0 })
    offer('1', { expiresAtMs: env.clock.wallMs() + 1_000 })
    env.clock.advance(999)
    consumer.grant(1)
    env.clock.settle()
    expect(sink.texts).toEqual(['1'])
  })
})

describe('retained messages for a new binding', () => {
  test('they come before what waits and what is published meanwhile, in batches as the sink takes them', () => {
    const { env, offer, receiver, queue } = setUp()
    const { consumer, sink } = receiver()
    sink.room = 0
    sink.writable = false
    offer('live 1')
    queue.backfill([messageOf('t', 'r1'), messageOf('t', 'r2')], matchWith(1))
    queue.backfill([messageOf('t', 'r3')], matchWith(0))
    for (const step of [1, 2, 3]) {
      sink.writable = true
      sink.room = 1
      consumer.wake()
      env.clock.settle()
      offer(`live ${step + 1}`)
    }
    expect(sink.texts).toEqual(['r1', 'r2', 'r3'])
    sink.writable = true
    sink.room = Infinity
    consumer.wake()
    env.clock.settle()
    expect(sink.texts).toEqual(['r1', 'r2', 'r3', 'live 1', 'live 2', 'live 3', 'live 4'])
    expect(sink.seen.map(({ retained }) => retained)).toEqual([true, true, true, false, false, false, false])
    expect(sink.seen.map(({ assurance }) => assurance)).toEqual([1, 1, 0, 1, 1, 1, 1])
  })

  test('they wait for a consumer, and one that has expired by then is left out', () => {
    const { env, receiver, queue } = setUp()
    const atMs = env.clock.wallMs() + 100
    queue.backfill([messageOf('t', 'r1', { expiresAtMs: atMs }), messageOf('t', 'r2')], matchWith(1))
    env.clock.advance(100)
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.texts).toEqual(['r2'])
  })

  test('one binding gets any number, further ones none while too many wait, and those are counted', () => {
    const { env, context, receiver, queue } = setUp()
    const many = Array.from({ length: BACKFILL_MESSAGES_MAX + 1 }, () => messageOf('t', 'r', { assurance: 0 }))
    queue.backfill(many, matchWith(1))
    queue.backfill([messageOf('t', 'late')], matchWith(1))
    expect([queue.droppedCount, context.traffic.counters.droppedOverLimit]).toEqual([1, 1])
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.seen).toHaveLength(BACKFILL_MESSAGES_MAX + 1)
    queue.backfill([messageOf('t', 'again')], matchWith(1))
    env.clock.settle()
    expect(sink.texts.at(-1)).toBe('again')
  })

  test('no retained messages hold nobody up', () => {
    const { offer, receiver, queue } = setUp()
    const { sink } = receiver()
    queue.backfill([], matchWith(1))
    offer('1')
    expect(sink.texts).toEqual(['1'])
  })

  test('one that comes back still says that it is retained', () => {
    const { env, receiver, queue } = setUp()
    const one = receiver()
    queue.backfill([messageOf('t', 'r1')], matchWith(1))
    env.clock.settle()
    settleFirst(one, 'released')
    env.clock.settle()
    expect(one.sink.seen.map(({ text, retained }) => [text, retained])).toEqual([
      ['r1', true],
      ['r1', true],
    ])
  })
})

describe('what comes back', () => {
  test('a released delivery goes first again, before what waits, and is counted', () => {
    const { env, context, offer, receiver } = setUp()
    const one = receiver({ credit: 2 })
    for (const text of numbers(1, 4)) offer(text)
    one.consumer.settle(one.sink.held[1]!, 'released')
    one.consumer.settle(one.sink.held[0]!, 'released')
    one.consumer.grant(4)
    env.clock.settle()
    expect(one.sink.texts).toEqual(['1', '2', '1', '2', '3', '4'])
    expect([context.traffic.counters.redelivered, context.traffic.messagesOut]).toEqual([2, 6])
  })

  test('released in any order, everything waits in its old order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7]), fc.nat(8), (order, accepted) => {
        const { env, offer, receiver, queue } = setUp()
        const one = receiver({ credit: 8 })
        for (const text of numbers(0, 11)) offer(text)
        const held = [...one.sink.held]
        for (const index of order.slice(0, accepted)) one.consumer.settle(held[index]!, 'accepted')
        const back = order.slice(accepted)
        for (const index of back) one.consumer.settle(held[index]!, 'released')
        expect(queue.waitingCount).toBe(4 + back.length)
        one.consumer.grant(100)
        env.clock.settle()
        const again = [...back].sort((a, b) => a - b).map(String)
        expect(one.sink.texts.slice(8)).toEqual([...again, ...numbers(8, 11)])
      }),
    )
  })

  test('two members that give back tens of thousands at once hold nobody up', () => {
    const { env, offer, receiver, queue } = setUp()
    const members = [receiver(), receiver()]
    for (let number = 0; number < 40_000; number++) offer(String(number))
    for (const { consumer } of members) consumer.detach()
    for (const { consumer, sink } of members) for (const delivery of sink.held) consumer.settle(delivery, 'released')
    expect(queue.waitingCount).toBe(40_000)
    const { sink } = receiver()
    env.clock.settle()
    expect(sink.texts.every((text, index) => text === String(index))).toBe(true)
    expect([sink.seen.length, queue.waitingCount, queue.waitingBytes]).toEqual([40_000, 0, 0])
  })

  test('modified counts a failed attempt, released does not, and the protocol state starts anew', () => {
    const { env, offer, receiver } = setUp()
    const one = receiver()
    offer('1')
    one.sink.held[0]!.protocolState = 77
    settleFirst(one, 'modified')
    env.clock.settle()
    expect(one.sink.held[0]!.protocolState).toBe(0)
    settleFirst(one, 'released')
    env.clock.settle()
    expect(one.sink.seen.map(({ failedCount }) => failedCount)).toEqual([0, 1, 1])
  })

  test('another consumer may get what one released', () => {
    const { env, offer, receiver, queue } = setUp()
    const first = receiver()
    offer('1')
    first.consumer.detach()
    queue.removeConsumer(first.consumer)
    settleFirst(first, 'released')
    const second = receiver()
    env.clock.settle()
    expect(second.sink.texts).toEqual(['1'])
    expect(second.sink.held[0]!.consumer).toBe(second.consumer)
    expect(first.consumer.unsettledCount).toBe(0)
  })

  test('what expired while it was unsettled is not handed out again', () => {
    const { env, context, offer, receiver } = setUp()
    const one = receiver()
    offer('1', { expiresAtMs: env.clock.wallMs() + 100 })
    env.clock.advance(100)
    settleFirst(one, 'released')
    env.clock.settle()
    expect([one.sink.texts, context.traffic.counters.expired]).toEqual([['1'], 1])
  })

  test('rejected is gone and counted, accepted is gone', () => {
    const { env, context, offer, receiver, queue } = setUp()
    const one = receiver()
    offer('1')
    offer('2')
    settleFirst(one, 'rejected')
    settleFirst(one, 'accepted')
    env.clock.settle()
    expect([one.sink.texts, queue.waitingCount, context.traffic.counters.rejected]).toEqual([['1', '2'], 0, 1])
  })
})

describe('batches', () => {
  test('one queue hands out DISPATCH_BATCH_MAX in a turn; another queue and the sockets have their turn then', () => {
    const { env, context, offer, receiver, queue } = setUp()
    const total = DISPATCH_BATCH_MAX * 2 + 10
    for (let count = 0; count < total; count++) offer('x')
    const other = new Queue(context, 'other', queue.settings, true)
    other.offer(messageOf('t', 'y'), matchWith(1))
    const [one, beside] = [receiver(), receiverOf(other)]
    const flushedAt: number[] = []
    env.clock.flush(() => flushedAt.push(one.sink.seen.length, beside.sink.seen.length))
    env.clock.turn()
    expect(flushedAt).toEqual([DISPATCH_BATCH_MAX, 1])
    env.clock.settle()
    expect(one.sink.seen).toHaveLength(total)
  })

  test('retained messages count for the batch', () => {
    const { env, offer, receiver, queue } = setUp()
    const retained: ReturnType<typeof messageOf>[] = Array.from({ length: DISPATCH_BATCH_MAX + 5 }, () =>
      messageOf('t', 'r'),
    )
    queue.backfill(retained, matchWith(1))
    for (const text of numbers(1, 3)) offer(text)
    const { sink } = receiver()
    env.clock.turn()
    expect(sink.seen).toHaveLength(DISPATCH_BATCH_MAX)
    env.clock.settle()
    expect(sink.texts.slice(-5)).toEqual(['r', 'r', ...numbers(1, 3)])
  })

  test('a queue that spent its batch takes no second one in the same turn, whoever wakes it', () => {
    const { env, offer, receiver, queue } = setUp()
    for (let count = 0; count < DISPATCH_BATCH_MAX + 10; count++) offer('x')
    const { consumer, sink } = receiver()
    env.clock.endOfTurn(() => env.clock.endOfTurn(() => consumer.wake()))
    env.clock.turn()
    expect(sink.seen).toHaveLength(DISPATCH_BATCH_MAX)
    env.clock.settle()
    expect([sink.seen.length, queue.waitingCount]).toEqual([DISPATCH_BATCH_MAX + 10, 0])
  })

  test('expired messages count for the batch, too', () => {
    const { env, context, offer, receiver } = setUp()
    const expiresAtMs = env.clock.wallMs() + 1
    for (let count = 0; count < DISPATCH_BATCH_MAX + 1; count++) offer('x', { expiresAtMs })
    env.clock.advance(1)
    receiver()
    env.clock.turn()
    expect(context.traffic.counters.expired).toBe(DISPATCH_BATCH_MAX)
    env.clock.settle()
    expect(context.traffic.counters.expired).toBe(DISPATCH_BATCH_MAX + 1)
  })
})

describe('re-entrancy', () => {
  test('a sink that rejects in the middle of a dispatch neither nests nor reorders it', () => {
    const { env, offer, receiver } = setUp()
    const { consumer, sink } = receiver({ credit: 0 })
    let depth = 0
    const deliver = sink.deliver.bind(sink)
    sink.deliver = (delivery: Delivery): boolean => {
      depth++
      expect(depth).toBe(1)
      const taken = deliver(delivery)
      depth--
      return taken
    }
    for (const text of numbers(1, 20)) {
      if (Number(text) % 3 === 0) sink.refused.add(text)
      offer(text)
    }
    consumer.grant(100)
    env.clock.settle()
    expect(sink.texts).toEqual(numbers(1, 20).filter((text) => Number(text) % 3 !== 0))
  })

  test('settling, granting and waking hand nothing out before the end of the turn', () => {
    const { env, offer, receiver } = setUp()
    const one = receiver({ credit: 1 })
    for (const text of numbers(1, 3)) offer(text)
    one.consumer.grant(5)
    one.consumer.wake()
    settleFirst(one, 'released')
    expect(one.sink.texts).toEqual(['1'])
    env.clock.settle()
    expect(one.sink.texts).toEqual(['1', '1', '2', '3'])
  })
})

describe('a closed queue', () => {
  test('forgets what waits, takes nothing more and never dispatches', () => {
    const { env, offer, receiver, queue } = setUp()
    const { consumer, sink } = receiver({ credit: 0 })
    offer('1')
    queue.backfill([messageOf('t', 'r')], matchWith(1))
    consumer.detach()
    queue.removeConsumer(consumer)
    queue.close()
    expect([queue.waitingCount, queue.waitingBytes, offer('2')]).toEqual([0, 0, false])
    env.clock.settle()
    expect(sink.texts).toEqual([])
  })
})

describe('pressure on producers', () => {
  test('a queue more than a quarter full asks producers to pause until it is an eighth full', () => {
    const { env, context, offer, receiver, queue } = setUp({ messagesMax: 16 })
    const { consumer, sink } = receiver({ credit: 0 })
    for (let count = 0; count < 4; count++) offer('x')
    expect(context.pressedBy).toBeUndefined()
    offer('x')
    expect(context.pressedBy).toBe(queue)
    let released = 0
    queue.holdProducer(() => released++)
    consumer.grant(2)
    env.clock.settle()
    expect([sink.seen.length, released]).toEqual([2, 0])
    consumer.grant(1)
    env.clock.settle()
    expect([sink.seen.length, released]).toEqual([3, 1])
    expect(env.clock.timerCount).toBe(0)
  })

  test('a queue that nobody reads holds a producer once and then not again until it was empty', () => {
    const { env, context, offer, receiver, queue } = setUp({ messagesMax: 16 })
    for (let count = 0; count < 5; count++) offer('x')
    let released = 0
    queue.holdProducer(() => released++)
    env.clock.advance(1_000)
    expect(released).toBe(1)
    context.pressedBy = undefined
    offer('x')
    expect(context.pressedBy).toBeUndefined()
    const { consumer } = receiver()
    env.clock.settle()
    consumer.detach()
    for (let count = 0; count < 5; count++) offer('x')
    expect(context.pressedBy).toBe(queue)
  })

  test('a queue that is closed lets its producers go', () => {
    const { offer, queue } = setUp({ messagesMax: 4 })
    for (let count = 0; count < 3; count++) offer('x')
    let released = 0
    queue.holdProducer(() => released++)
    queue.close()
    expect(released).toBe(1)
  })
})
