/**
 * A message that a consumer can take now passes the queue by; any other waits in it. Nobody may be able to tell which way it took: the
 * same schedule goes through a queue as it is and through one whose sinks are shut while somebody publishes, so that all must wait.
 */
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Consumer } from '../src/queue/consumer.ts'
import { CreditPool } from '../src/queue/credit.ts'
import type { Match, Outcome } from '../src/queue/delivery.ts'
import type { Assurance } from '../src/message/message.ts'
import type { QueueContext } from '../src/queue/context.ts'
import { Queue } from '../src/queue/queue.ts'
import { matchWith, messageOf, queueContext, TestSink } from './support.ts'
import { subscriptionSettings } from '../src/queue/settings.ts'

const CONSUMERS = 3
/** Each way through the queue has this much room; a turn publishes less, so that only what cannot be taken meets the limit. */
const MESSAGES_MAX = 4

interface Published {
  readonly assurance: Assurance
  /** 0 for ever. */
  readonly ttlMs: number
  readonly isRefused: boolean
}

type Step =
  | { readonly kind: 'publish'; readonly messages: readonly Published[]; readonly assuranceMax: Assurance }
  | { readonly kind: 'backfill'; readonly messages: readonly Published[] }
  | { readonly kind: 'grant'; readonly who: number; readonly credit: number }
  | { readonly kind: 'limit'; readonly who: number; readonly credit: number }
  | { readonly kind: 'settle'; readonly who: number; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'pause' | 'resume' | 'attach' | 'detach'; readonly who: number }
  | { readonly kind: 'room'; readonly who: number; readonly count: number }
  | { readonly kind: 'pass'; readonly ms: number }

const assurance = fc.constantFrom<Assurance>(0, 1, 2)
const message = fc.record({ assurance, ttlMs: fc.constantFrom(0, 0, 0, 50), isRefused: fc.nat(9).map((n) => n === 0) })
const who = fc.nat(CONSUMERS - 1)
const outcome = fc.constantFrom<Outcome>('accepted', 'accepted', 'rejected', 'released', 'modified')

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('publish'),
      messages: fc.array(message, { minLength: 1, maxLength: MESSAGES_MAX - 1 }),
      assuranceMax: fc.constantFrom<Assurance>(0, 1, 2, 2, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('backfill'), messages: fc.array(message, { maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('grant'), who, credit: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit'), who, credit: fc.nat(4) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle'), who, which: fc.nat(5), outcome }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('pause', 'resume', 'resume', 'attach', 'attach', 'detach'), who }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('room'), who, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 60 }) }) },
)

/** One queue with its consumers, and what became of every message. */
class Line {
  readonly #env: VirtualEnv = virtualEnv()
  readonly #context: QueueContext = queueContext(this.#env)
  readonly #queue: Queue = new Queue(this.#context, 'q', subscriptionSettings({ messagesMax: MESSAGES_MAX, bytesMax: 1_000_000 }), true)
  readonly #consumers: Consumer[]
  readonly #sinks: TestSink[] = Array.from({ length: CONSUMERS }, () => new TestSink())
  readonly #isForced: boolean
  #texts = 0

  constructor(isForced: boolean, matches: readonly (Match | undefined)[]) {
    this.#isForced = isForced
    this.#consumers = matches.map((match, index) => {
      const consumer = new Consumer(this.#queue, new CreditPool(2), match)
      this.#queue.addConsumer(consumer)
      consumer.attach(this.#sinks[index]!)
      consumer.grant(5)
      return consumer
    })
  }

  run(one: Step): void {
    switch (one.kind) {
      case 'publish':
        this.#publish(one.messages, one.assuranceMax)
        break
      case 'backfill':
        this.#queue.backfill(
          one.messages.map((published) => this.#make(published)),
          matchWith(2),
        )
        break
      case 'grant':
        this.#consumers[one.who]!.grant(one.credit)
        break
      case 'limit':
        this.#consumers[one.who]!.pool.setLimit(one.credit)
        break
      case 'settle': {
        const { held } = this.#sinks[one.who]!
        const [delivery] = held.splice(one.which, 1)
        if (delivery !== undefined) this.#consumers[one.who]!.settle(delivery, one.outcome)
        break
      }
      case 'pause':
        this.#sinks[one.who]!.writable = false
        break
      case 'resume':
        this.#open(one.who)
        break
      case 'attach':
        this.#consumers[one.who]!.attach(this.#sinks[one.who]!)
        this.#consumers[one.who]!.grant(3)
        break
      case 'detach':
        this.#consumers[one.who]!.detach()
        break
      case 'room':
        this.#sinks[one.who]!.room = one.count
        break
      case 'pass':
        this.#env.clock.advance(one.ms)
        break
    }
    this.#env.clock.settle()
  }

  /** Everything that a consumer or an operator could notice. */
  get outcome(): object {
    return {
      seen: this.#sinks.map(({ seen }) =>
        seen.map(({ text, assurance: got, retained, failedCount, match, tag }) => [
          text,
          got,
          retained,
          failedCount,
          match.data,
          tag,
        ]),
      ),
      unsettled: this.#consumers.map((consumer) => [...consumer.unsettled()].map(({ tag }) => tag)),
      used: this.#consumers.map(({ pool }) => pool.used),
      waiting: [this.#queue.waitingCount, this.#queue.waitingBytes, this.#queue.droppedCount],
      counters: { ...this.#context.traffic.counters },
      traffic: { ...this.#context.traffic },
      counted: [this.#queue.messagesIn, this.#queue.bytesIn, this.#queue.messagesOut, this.#queue.bytesOut, this.#queue.settledCount],
    }
  }

  #publish(messages: readonly Published[], assuranceMax: Assurance): void {
    const open = this.#isForced ? this.#sinks.filter((sink) => sink.writable) : []
    for (const sink of open) sink.writable = false
    for (const published of messages)
      this.#queue.offer(this.#make(published), matchWith(assuranceMax, { id: 'binding' }))
    for (const sink of open) sink.writable = true
    for (const consumer of this.#consumers) consumer.wake()
  }

  #make({ assurance: wanted, ttlMs, isRefused }: Published): ReturnType<typeof messageOf> {
    const text = `${++this.#texts}`
    if (isRefused) for (const sink of this.#sinks) sink.refused.add(text)
    return messageOf('t', text, { assurance: wanted, expiresAtMs: ttlMs === 0 ? 0 : this.#env.clock.wallMs() + ttlMs })
  }

  #open(index: number): void {
    const sink = this.#sinks[index]!
    sink.writable = true
    sink.room = Infinity
    this.#consumers[index]!.wake()
  }
}

test('what one consumer can never take is for the next as it came', () => {
  const refused = { assurance: 1, ttlMs: 0, isRefused: true } as const
  const steps: Step[] = [
    { kind: 'publish', messages: [refused, { ...refused, assurance: 0 }], assuranceMax: 0 },
    { kind: 'publish', messages: [{ ...refused, assurance: 0, isRefused: false }], assuranceMax: 0 },
    { kind: 'publish', messages: [{ ...refused, assurance: 2, isRefused: false }], assuranceMax: 1 },
  ]
  const own = [matchWith(2, { id: 'own' }), undefined, undefined]
  const [direct, forced] = [new Line(false, own), new Line(true, own)]
  for (const one of steps) {
    direct.run(one)
    forced.run(one)
  }
  expect(direct.outcome).toEqual(forced.outcome)
})

test('nobody can tell whether a message was handed over at once or from the line', () => {
  const match = fc.option(
    assurance.map((assuranceMax) => matchWith(assuranceMax, { id: 'own' })),
    { nil: undefined },
  )
  const matches = fc.oneof(
    fc.constant<(Match | undefined)[]>([undefined]),
    fc.array(match, { minLength: CONSUMERS, maxLength: CONSUMERS }),
  )
  fc.assert(
    fc.property(matches, fc.array(step, { minLength: 1, maxLength: 60 }), (own, steps) => {
      const [direct, forced] = [new Line(false, own), new Line(true, own)]
      for (const one of steps) {
        if ('who' in one && one.who >= own.length) continue
        direct.run(one)
        forced.run(one)
        expect(forced.outcome).toEqual(direct.outcome)
      }
    }),
    { numRuns: 500 },
  )
})
