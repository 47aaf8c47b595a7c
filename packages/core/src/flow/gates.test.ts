/** A model of producers at full queues: nothing that was parked is lost, no bound is exceeded, answers come in order, and nobody waits for nothing. */
import { MemoryEngine } from '@ternmq/store'
import fc from 'fast-check'
import { deepStrictEqual, ok } from 'node:assert'
import { expect, test } from 'vitest'
import type { Consumer } from '../queue/consumer.ts'
import type { WhenFull } from '../queue/settings.ts'
import { messageOf, quiet, type Receiver, receiverOf, testCodec } from '../../test/support.ts'
import { World } from '../../test/world.ts'
import type { Producer, PublishResult } from '../publish/producer.ts'

const QUEUES = ['a', 'b', 'Consumer.1.VirtualTopic.t', 'Consumer.2.VirtualTopic.t'] as const
const TARGETS = ['$queue/a', '$queue/b', 'VirtualTopic/t', '$queue/Consumer.1.VirtualTopic.t'] as const
const MESSAGES_MAX = 3
const HELD_MAX = 6
const BLOCK_MS_MAX = 1_000

type Step =
  | { readonly kind: 'publish'; readonly who: number; readonly target: number; readonly count: number; readonly durable: boolean }
  | { readonly kind: 'take'; readonly queue: number; readonly count: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'turn' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('publish'),
      who: fc.nat(2),
      target: fc.nat(TARGETS.length - 1),
      count: fc.integer({ min: 1, max: 4 }),
      durable: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take'), queue: fc.nat(QUEUES.length - 1), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: BLOCK_MS_MAX }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn') }) },
)

interface Publisher {
  readonly producer: Producer
  /** Tags in the order of the publishes, and of the answers. */
  readonly asked: number[]
  readonly answered: number[]
  readonly results: Map<number, Exclude<PublishResult, 'pending'>>
}

class Life {
  readonly world = new World({ limits: { heldMessagesMax: HELD_MAX } })
  readonly publishers: Publisher[] = []
  readonly receivers: Receiver[] = []
  readonly taken: string[][] = []
  readonly #copies = new Map<string, number>()
  #tag = 0

  async open(whenFull: WhenFull): Promise<void> {
    const { world } = this
    await world.vhost.openLog(new MemoryEngine(world.env), [testCodec])
    for (const name of QUEUES) {
      const settings = { messagesMax: MESSAGES_MAX, blockMaxMs: BLOCK_MS_MAX, whenFull }
      const defined = world.vhost.destinations.define({ name, settings })
      if (!defined.ok) throw new Error(defined.detail.text)
      this.receivers.push(receiverOf(defined.value.queue, { credit: 0 }))
      this.taken.push([])
    }
    for (let who = 0; who < 3; who++) {
      const answered: number[] = []
      const results = new Map<number, Exclude<PublishResult, 'pending'>>()
      const onPublishSettled = (tag: number, result: Exclude<PublishResult, 'pending'>): void => {
        answered.push(tag)
        results.set(tag, result)
      }
      const { session } = world.connect(`p${who}`)
      this.publishers.push({ producer: session.openProducer({ onPublishSettled }), asked: [], answered, results })
    }
  }

  async run(one: Step): Promise<void> {
    if (one.kind === 'publish') for (let count = 0; count < one.count; count++) this.#publish(one.who, one.target, one.durable)
    else if (one.kind === 'take') this.receivers[one.queue]!.consumer.grant(one.count)
    else if (one.kind === 'pass') this.world.advance(one.ms)
    if (one.kind === 'turn') await quiet(this.world.env.clock)
    else this.world.settle()
    this.settleAll()
    this.check()
  }

  /** Room for everything, and nobody to wait for any more. Returns copies by text: those that came, and those that were promised. */
  async finish(): Promise<{ readonly got: Map<string, number>; readonly routed: Map<string, number> }> {
    for (let round = 0; round < 40; round++) {
      for (const { consumer } of this.receivers) consumer.grant(1_000)
      await quiet(this.world.env.clock)
      this.settleAll()
    }
    await quiet(this.world.env.clock)
    for (const { asked, answered } of this.publishers) deepStrictEqual(answered, asked)
    const routed = new Map<string, number>()
    for (const { results } of this.publishers) {
      for (const [tag, result] of results) if (result === 'routed') routed.set(String(tag), this.#copies.get(String(tag))!)
    }
    const got = new Map<string, number>()
    for (const texts of this.taken) for (const text of texts) got.set(text, (got.get(text) ?? 0) + 1)
    // Of one publisher each queue has the messages in the order in which they were published.
    for (const texts of this.taken) {
      for (const { asked } of this.publishers) {
        const own = texts.map(Number).filter((tag) => asked.includes(tag))
        deepStrictEqual(own, [...own].sort((one, other) => one - other))
      }
    }
    const { vhost } = this.world
    for (const { queue } of [...vhost.destinations.all()]) {
      deepStrictEqual([queue.underWayCount, queue.underWayBytes, queue.isBlocking], [0, 0, false])
    }
    deepStrictEqual(vhost.waiting.bytes, 0)
    return { got, routed }
  }

  check(): void {
    for (const { queue } of [...this.world.vhost.destinations.all()]) {
      ok(queue.waitingCount + queue.underWayCount <= MESSAGES_MAX)
    }
    for (const { asked, answered, producer } of this.publishers) {
      deepStrictEqual(answered, asked.slice(0, answered.length))
      ok(asked.length - answered.length <= HELD_MAX * 2)
      if (asked.length === answered.length) deepStrictEqual(producer.isBlocked, false)
    }
  }

  settleAll(): void {
    for (const [index, { consumer, sink }] of this.receivers.entries()) {
      this.taken[index] = sink.seen.map(({ text }) => text)
      settleHeld(consumer, sink)
    }
  }

  #publish(who: number, target: number, durable: boolean): void {
    const { producer, asked, answered, results } = this.publishers[who]!
    if (asked.length - answered.length >= HELD_MAX * 2) return
    const tag = ++this.#tag
    this.#copies.set(String(tag), TARGETS[target] === 'VirtualTopic/t' ? 2 : 1)
    const address = TARGETS[target]!
    asked.push(tag)
    const result = producer.publish(producer.target(address), messageOf(address, String(tag), { durable }), tag)
    if (result === 'pending') return
    answered.push(tag)
    results.set(tag, result)
  }
}

function settleHeld(consumer: Consumer, sink: Receiver['sink']): void {
  for (const delivery of sink.held.splice(0)) consumer.settle(delivery, 'accepted')
}

test.each(['block', 'reject'] as const)('queues that %s: no parked publish is lost, no bound is exceeded, answers come in order', async (whenFull) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
      const life = new Life()
      await life.open(whenFull)
      for (const one of steps) await life.run(one)
      const { got, routed } = await life.finish()
      expect(got).toEqual(routed)
    }),
    { numRuns: 60 },
  )
}, 60_000)
