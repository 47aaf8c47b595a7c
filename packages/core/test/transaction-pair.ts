/**
 * Two queues with several transactions open, beside a model that is a few lists: at every moment each message is where the model says it
 * is, in the order it says, and a restart finds what was committed and nothing else.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Outcome } from '../src/queue/delivery.ts'
import type { Transaction } from '../src/transaction/transaction.ts'
import { type LifeClient, type Lives, QUEUE } from './lives.ts'
import { textOf } from './support.ts'

export const QUEUES = ['a', 'b'] as const
/** Deliveries of the worker at a time. */
const CREDIT = 4

export type Step =
  | { readonly kind: 'publish'; readonly queue: number }
  | { readonly kind: 'begin' | 'turn' | 'restart' | 'reconnect' }
  | { readonly kind: 'commit' | 'rollback'; readonly transaction: number }
  | { readonly kind: 'stage'; readonly transaction: number; readonly queue: number }
  | { readonly kind: 'settle'; readonly transaction: number; readonly held: number; readonly outcome: Outcome }
  | { readonly kind: 'leave'; readonly queue: number }
  | { readonly kind: 'accept'; readonly held: number }

const index = fc.nat({ max: 3 })
const queue = fc.nat({ max: 1 })
const outcome = fc.constantFrom<Outcome>('accepted', 'rejected', 'released', 'modified')
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish' as const), queue }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('stage' as const), transaction: index, queue }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), transaction: index, held: index, outcome }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), queue }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('accept' as const), held: index }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'rollback' as const), transaction: index }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'reconnect' as const) }) },
)

/** A transaction of the model: what it will do. */
interface Plan {
  readonly transaction: Transaction
  readonly publishes: [queue: string, text: string][]
  readonly settles: Map<string, Outcome>
}

/** Both sides. Texts are numbers that ascend, so the order of a queue is the order of its texts. */
export class Pair {
  readonly lives: Lives
  worker: LifeClient
  /** Publishes and settles that were committed: a run without any says nothing. */
  committedCount = 0
  #number = 0
  #plans: Plan[] = []
  /** What each queue has, with consumers or waiting, and the dead letters. */
  readonly #model: Record<string, string[]> = { a: [], b: [], DLQ: [] }

  constructor(lives: Lives) {
    this.lives = lives
    this.worker = this.#connect()
  }

  async run(given: Step): Promise<void> {
    switch (given.kind) {
      case 'publish': {
        const name = QUEUES[given.queue]!
        this.worker.publish(QUEUE + name, this.#newText())
        this.#model[name]!.push(`${this.#number}`)
        return
      }
      case 'begin':
        if (this.#plans.length < 4) this.#plans.push({ transaction: this.worker.begin(), publishes: [], settles: new Map() })
        return
      case 'stage': {
        const plan = this.#planAt(given.transaction)
        const name = QUEUES[given.queue]!
        if (plan === undefined) return
        assert.equal(this.worker.stage(plan.transaction, QUEUE + name, this.#newText()), undefined)
        plan.publishes.push([name, `${this.#number}`])
        return
      }
      case 'leave':
        return this.#leave(QUEUES[given.queue]!)
      case 'settle':
        return this.#settle(given.transaction, given.held, given.outcome)
      case 'accept': {
        const { held } = this.worker.sink
        const delivery = held[given.held % held.length]
        if (delivery === undefined || delivery.transaction !== undefined) return
        this.#drop(textOf(delivery.message))
        held.splice(held.indexOf(delivery), 1)
        delivery.consumer!.settle(delivery, 'accepted')
        return
      }
      case 'commit':
        return this.#commit(this.#take(given.transaction))
      case 'rollback':
        this.#take(given.transaction)?.transaction.rollback()
        return
      case 'turn':
        return this.lives.quiet()
      case 'restart':
        // Only what has been answered is known to last: the model knows no commit that is under way.
        await this.lives.quiet()
        await this.lives.restart()
        this.#plans = []
        this.worker = this.#connect()
        return
      case 'reconnect':
        this.worker.session.disconnect()
        for (const { transaction } of this.#plans) assert.equal(transaction.state, 'rolled-back')
        this.#plans = []
        this.worker = this.#connect()
    }
  }

  /** Every queue holds what the model says, and the log as well. */
  async check(): Promise<void> {
    await this.lives.quiet()
    const folded = await this.lives.folded()
    for (const [name, texts] of Object.entries(this.#model)) {
      const { vhost } = this.lives
      const found = vhost.destinations.find(name)
      const lsns = [...(found?.queue.lanes ?? [])].flatMap(({ line }) => lsnsOf(line))
      const messages = await vhost.log.readMessages(lsns)
      // Dead letters come in the order of the settles.
      const order = name === 'DLQ' ? (all: string[]) => all.toSorted() : (all: string[]) => all
      assert.deepEqual([name, order(messages!.map((message) => textOf(message!)))], [name, order(texts)])
      const lines = found === undefined ? undefined : folded.lines.get(found.queue.number)
      assert.deepEqual(
        [...(lines?.values() ?? [])].flatMap((line) => lsnsOf(line)),
        lsns,
      )
    }
    assert.deepEqual(this.lives.captured().refs, folded.refs)
    // What a consumer that is gone had, and no transaction has, has come again.
    const known = this.worker.sink.held.map((delivery) => textOf(delivery.message))
    assert.equal(known.length, new Set(known).size)
    for (const { settles } of this.#plans) for (const text of settles.keys()) assert(!this.#isHeldOutside(text), text)
    // Nothing is out with nobody.
    const settling = this.#plans.flatMap(({ settles }) => [...settles.keys()])
    const out = QUEUES.map((name) => this.lives.vhost.destinations.find(name)!.queue.inflightCount)
    assert.equal(out[0]! + out[1]!, new Set([...known, ...settling]).size)
    assert.equal(this.lives.vhost.transactions.count, this.#plans.length)
    assert(!this.lives.vhost.log.isEnded)
  }

  /** The worker has it, and no transaction. */
  #isHeldOutside(text: string): boolean {
    const found = this.worker.sink.held.find((delivery) => textOf(delivery.message) === text)
    return found !== undefined && found.transaction === undefined
  }

  /** The consumer ends, and another one comes. Its deliveries are not the worker's any more, be they in a transaction or not. */
  #leave(name: string): void {
    this.worker.session.stopConsuming(name)
    const { held } = this.worker.sink
    for (let at = held.length - 1; at >= 0; at--) if (held[at]!.consumer === undefined) held.splice(at, 1)
    this.worker.consume(name)
  }

  #settle(at: number, heldAt: number, given: Outcome): void {
    const plan = this.#planAt(at)
    const { held } = this.worker.sink
    const delivery = held[heldAt % held.length]
    if (plan === undefined || delivery === undefined) return
    const refusal = plan.transaction.settle(delivery.consumer!, delivery, given)
    const isTaken = this.#plans.some(({ settles }) => settles.has(textOf(delivery.message)))
    assert.equal(refusal?.refusal, isTaken ? 'in-use' : undefined)
    if (!isTaken) plan.settles.set(textOf(delivery.message), given)
  }

  #planAt(at: number): Plan | undefined {
    return this.#plans[at % this.#plans.length]
  }

  #take(at: number): Plan | undefined {
    return this.#plans.splice(at % this.#plans.length, 1)[0]
  }

  #commit(plan: Plan | undefined): void {
    if (plan === undefined) return
    plan.transaction.commit((refusal) => assert.equal(refusal, undefined))
    for (const [name, text] of plan.publishes) this.#model[name]!.push(text)
    this.committedCount += plan.publishes.length + plan.settles.size
    for (const [text, given] of plan.settles) {
      const { held } = this.worker.sink
      const heldAt = held.findIndex((delivery) => textOf(delivery.message) === text)
      if (heldAt >= 0) held.splice(heldAt, 1)
      if (given === 'accepted' || given === 'rejected') this.#drop(text)
      if (given === 'rejected') this.#model['DLQ']!.push(text)
    }
  }

  #drop(text: string): void {
    for (const name of QUEUES) this.#model[name] = this.#model[name]!.filter((other) => other !== text)
  }

  #newText(): string {
    return `${++this.#number}`
  }

  #connect(): LifeClient {
    const client = this.lives.client('worker')
    client.session.pool.setLimit(CREDIT)
    for (const name of QUEUES) client.consume(name)
    return client
  }
}

function lsnsOf(line: { nextLive(after: number): number; lsnAt(position: number): number }): number[] {
  const lsns: number[] = []
  for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) lsns.push(line.lsnAt(position))
  return lsns
}
