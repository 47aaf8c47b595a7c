/**
 * A queue with a name and the model of queue-model.ts side by side, over restarts: publish, grant, the four outcomes, cancel, expiry,
 * pause, limits, priorities; with selectors (the choosing way of dispatch) and without (the plain one).
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Consumer } from '../src/queue/consumer.ts'
import { CreditPool } from '../src/queue/credit.ts'
import type { Delivery, DeliverySink, Outcome } from '../src/queue/delivery.ts'
import { Message } from '../src/message/message.ts'
import type { Queue } from '../src/queue/queue.ts'
import { DEFAULT_QUEUE_SETTINGS } from '../src/queue/settings.ts'
import { parseSelector, type Selector } from '../src/selector/selector.ts'
import { type LifeClient, Lives, QUEUE } from './lives.ts'
import { type ModelLimits, QueueModel } from './queue-model.ts'
import { testCodec, textOf } from './support.ts'

type Kind = 'x' | 'y'

type Step =
  | { readonly do: 'publish'; readonly priority: number; readonly kind: Kind; readonly ttlMs: number }
  | { readonly do: 'attach'; readonly who: number; readonly kind: Kind | undefined }
  | { readonly do: 'grant'; readonly who: number; readonly credit: number }
  | { readonly do: 'settle'; readonly who: number; readonly which: number; readonly outcome: Outcome }
  | { readonly do: 'cancel'; readonly who: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'pause' | 'resume' | 'restart' }

const who = fc.nat({ max: 2 })
const kind = fc.constantFrom<Kind>('x', 'y')
const outcome = fc.constantFrom<Outcome>('accepted', 'accepted', 'released', 'modified', 'rejected')

function stepWith(selects: boolean): fc.Arbitrary<Step> {
  const wanted = selects ? fc.option(kind, { nil: undefined }) : fc.constant(undefined)
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        priority: fc.constantFrom(4, 4, 4, 1, 9),
        kind,
        ttlMs: fc.constantFrom(0, 0, 0, 30),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('attach' as const), who, kind: wanted }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('grant' as const), who, credit: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 7, arbitrary: fc.record({ do: fc.constant('settle' as const), who, which: fc.nat({ max: 4 }), outcome }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'restart' as const) }) },
  )
}

/** A consumer at the queue itself, which says to the model what it gets. */
class Reader implements DeliverySink {
  readonly writable = true
  readonly name: string
  readonly consumer: Consumer
  readonly held: Delivery[] = []
  readonly #model: QueueModel
  readonly #nowMs: () => number
  readonly #fail: (error: Error) => void

  constructor(
    name: string,
    queue: Queue,
    model: QueueModel,
    selector: Selector | undefined,
    nowMs: () => number,
    fail: (error: Error) => void,
  ) {
    this.name = name
    this.#model = model
    this.#nowMs = nowMs
    this.#fail = fail
    this.consumer = new Consumer(queue, new CreditPool(1_000), undefined, { selector })
    queue.addConsumer(this.consumer)
    this.consumer.attach(this)
  }

  deliver(delivery: Delivery): boolean {
    try {
      const { message, failedCount, redelivered } = delivery
      this.#model.delivered(this.name, textOf(message), failedCount, redelivered, this.#nowMs())
    } catch (error) {
      this.#fail(error as Error) // a sink must not throw
    }
    this.held.push(delivery)
    return true
  }
}

class SideBySide {
  readonly #lives: Lives
  readonly #limits: ModelLimits
  readonly #model: QueueModel
  readonly #readers = new Map<number, Reader>()
  #publisher: LifeClient
  #ids = 0
  #attachments = 0
  #failure: Error | undefined = undefined

  constructor(lives: Lives, limits: ModelLimits) {
    this.#lives = lives
    this.#limits = limits
    this.#model = new QueueModel(limits)
    this.#define()
    this.#publisher = lives.client('publisher')
  }

  async run(steps: readonly Step[]): Promise<void> {
    await this.#lives.quiet()
    for (const step of steps) {
      await this.#do(step)
      await this.#lives.quiet()
      await this.#check()
    }
  }

  get #queue(): Queue {
    return this.#lives.vhost.destinations.find('q')!.queue
  }

  #define(): void {
    const { messagesMax, whenFull, deliveriesMax } = this.#limits
    const redelivery = { ...DEFAULT_QUEUE_SETTINGS.redelivery, deliveriesMax }
    this.#lives.vhost.destinations.define({ name: 'q', settings: { messagesMax, whenFull, redelivery } })
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.priority, step.kind, step.ttlMs)
      case 'attach':
        return this.#attach(step.who, step.kind)
      case 'grant': {
        const reader = this.#readers.get(step.who)
        if (reader === undefined) return
        this.#model.granted(reader.name, step.credit)
        return reader.consumer.grant(step.credit)
      }
      case 'settle': {
        const reader = this.#readers.get(step.who)
        const [delivery] = reader?.held.splice(step.which % Math.max(1, reader.held.length), 1) ?? []
        if (reader === undefined || delivery === undefined) return
        this.#model.settled(textOf(delivery.message), step.outcome)
        return reader.consumer.settle(delivery, step.outcome)
      }
      case 'cancel': {
        const reader = this.#readers.get(step.who)
        if (reader === undefined) return
        this.#readers.delete(step.who)
        this.#model.cancelled(reader.name)
        return reader.consumer.cancel()
      }
      case 'pass':
        return this.#pass(step.ms)
      case 'pause':
        this.#model.isPaused = true
        return this.#queue.pause()
      case 'resume':
        this.#model.isPaused = false
        return this.#queue.resume()
      case 'restart':
        return this.#restart()
    }
  }

  async #publish(priority: number, kindOf: Kind, ttlMs: number): Promise<void> {
    const id = `m${++this.#ids}`
    const nowMs = this.#lives.env.clock.wallMs()
    const expiresAtMs = ttlMs === 0 ? 0 : nowMs + ttlMs
    const expected = this.#model.published({ id, priority, kind: kindOf, expiresAtMs }, nowMs)
    const { results } = this.#publisher
    const before = results.length
    const answer = this.#publisher.send(messageWith(id, priority, kindOf, expiresAtMs), this.#ids, {})
    await this.#lives.quiet()
    const told = answer === 'pending' ? results[before] : `${this.#ids} ${answer}`
    if (told !== `${this.#ids} ${expected}`) throw new Error(`publish of ${id}: ${told}, not ${expected}`)
  }

  #attach(index: number, wanted: Kind | undefined): void {
    if (this.#readers.has(index)) return
    const name = `c${index}.${++this.#attachments}`
    const selector = wanted === undefined ? undefined : selectorOf(`kind = '${wanted}'`)
    this.#model.attached(name, wanted)
    const nowMs = (): number => this.#lives.env.clock.wallMs()
    const fail = (error: Error): void => {
      this.#failure ??= error
    }
    this.#readers.set(index, new Reader(name, this.#queue, this.#model, selector, nowMs, fail))
  }

  async #pass(ms: number): Promise<void> {
    await this.#lives.pass(ms)
    this.#model.expire(this.#lives.env.clock.wallMs())
  }

  async #restart(): Promise<void> {
    const isPaused = this.#model.isPaused
    await this.#lives.restart()
    this.#model.restarted()
    this.#readers.clear()
    this.#publisher = this.#lives.client('publisher')
    if (isPaused) this.#queue.pause()
  }

  async #check(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    // What nobody has looked at may not know yet that its time is over.
    this.#queue.dropExpired(this.#lives.env.clock.wallMs(), 1_000)
    await this.#lives.quiet()
    this.#model.expire(this.#lives.env.clock.wallMs())
    const { waitingCount, inflightCount } = this.#queue
    const waiting = this.#model.waitingIds
    const idle = this.#model.idleConsumer()
    if (idle !== undefined) throw new Error(`nothing moves, and ${idle}`)
    if (waitingCount !== waiting.length || inflightCount !== this.#model.heldCount) {
      throw new Error(`${waitingCount} wait and ${inflightCount} are in flight, not ${waiting.join(' ')} and ${this.#model.heldCount}`)
    }
    const dead = this.#lives.vhost.destinations.find('DLQ')?.queue.waitingCount ?? 0
    if (dead !== this.#model.dead.length) throw new Error(`${dead} dead letters, not ${this.#model.dead.join(' ')}`)
  }
}

/** Headers say of which kind it is. */
function messageWith(id: string, priority: number, kindOf: Kind, expiresAtMs: number): Message {
  const headers = `kind=${kindOf};`
  const bytes = Buffer.from(headers + id)
  return new Message({
    topic: `${QUEUE}q`,
    codec: testCodec,
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: headers.length,
    end: bytes.length,
    assurance: 1,
    durable: true,
    retain: false,
    expiresAtMs,
    publisher: undefined,
    priority,
  })
}

function selectorOf(text: string): Selector {
  const parsed = parseSelector(text)
  if (!parsed.ok) throw new Error(parsed.error.text)
  return parsed.selector
}

describe.each([
  { name: 'a ring', whenFull: 'drop-oldest' as const },
  { name: 'a queue that refuses', whenFull: 'reject' as const },
])('$name does what the model allows, and nothing else', ({ whenFull }) => {
  test.each([
    { way: 'without selectors', selects: false },
    { way: 'with selectors', selects: true },
  ])('$way', { timeout: 60_000 }, async ({ selects }) => {
    const run = fc.assert(
      fc.asyncProperty(fc.array(stepWith(selects), { minLength: 1, maxLength: 60, size: 'max' }), async (steps) => {
        const both = new SideBySide(await Lives.begin(), { messagesMax: 5, whenFull, deliveriesMax: 3 })
        await both.run(steps)
      }),
      { numRuns: 150 },
    )
    await expect(run).resolves.toBe(undefined)
  })
})
