/**
 * The receiving end of a queue: whose turn it is, what it may still take, and what it has not settled.
 */
import type { Traffic } from '../counters.ts'
import type { CreditPool, CreditWaiter } from './credit.ts'
import type { Delivery, DeliverySink, Match, Outcome, SettleDetail } from './delivery.ts'
import type { Assurance } from '../message/message.ts'
import type { Selector } from '../selector/selector.ts'
import type { Tracer } from '../tracing/tracer.ts'
import type { Queue } from './queue.ts'

/** `credit` of a consumer that is bounded by its pool and transport alone. */
export const CREDIT_UNLIMITED = 0x3fff_ffff

/** What a consumer wants beside its turn. */
export interface ConsumeOptions {
  /** Higher ones are served first, as long as they can take. */
  readonly priority?: number
  /** Takes what it matches only. */
  readonly selector?: Selector | undefined
  /** Wants the queue to itself. */
  readonly exclusive?: boolean
}

const NO_OPTIONS: ConsumeOptions = {}

/** How a consumer ends: one that says goodbye gives back what it did not come to; one that is lost may have died of what it had. */
export type Parting = 'goodbye' | 'lost'

/** Deliveries that a consumer which ends gives back in one turn: each may become a dead letter, which takes 10 us. */
export const GIVEN_BACK_PER_TURN = 1_024

const NOT_FAILED: SettleDetail = { deliveryFailed: false }

export class Consumer implements CreditWaiter {
  readonly queue: Queue
  readonly pool: CreditPool
  readonly priority: number
  readonly selector: Selector | undefined
  readonly exclusive: boolean
  /** What it is handed counts for this. */
  readonly traffic: Traffic
  /** A member of a shared subscription has its own match, and gets another when it subscribes again; undefined takes the binding's. */
  match: Match | undefined
  /** Deliveries it may still take, of any assurance; 0 at first: nothing arrives before a grant. */
  #credit = 0
  #sink: DeliverySink | undefined = undefined
  #oldest: Delivery | undefined = undefined
  #newest: Delivery | undefined = undefined
  #unsettledCount = 0
  #isListed = false
  /** Undefined while tracing is off. */
  readonly #tracer: Tracer | undefined
  creditPrevious: CreditWaiter | undefined = undefined
  creditNext: CreditWaiter | undefined = undefined
  /** Deliveries that it was handed; for those who look whether it takes any. */
  takenCount = 0
  /** Unix seconds at which it last settled something; 0: it has not. */
  settledSecond = 0

  /** It left a message to others because it can never take it: more such may come. */
  leavesSome = false

  /** By priority of messages: no position before it has anything for this consumer. Only its queue touches it. */
  cursors: number[] | undefined = undefined
  /** By priority of messages: positions before its cursor to which messages came back that it has not looked at since. As `cursors`. */
  returned: (Set<number> | undefined)[] | undefined = undefined

  constructor(queue: Queue, pool: CreditPool, match: Match | undefined, options: ConsumeOptions = NO_OPTIONS) {
    this.queue = queue
    this.pool = pool
    this.match = match
    this.priority = options.priority ?? 0
    this.selector = options.selector
    this.exclusive = options.exclusive ?? false
    this.traffic = pool.owner?.traffic ?? queue.traffic
    this.#tracer = queue.tracer
  }

  /** Where its deliveries go; undefined while they go nowhere. */
  get sink(): DeliverySink | undefined {
    return this.#sink
  }

  get isAttached(): boolean {
    return this.#sink !== undefined
  }

  get unsettledCount(): number {
    return this.#unsettledCount
  }

  /** Oldest first. Do not settle while iterating. */
  *unsettled(): Generator<Delivery> {
    for (let delivery = this.#oldest; delivery !== undefined; delivery = delivery.next) yield delivery
  }

  /** Deliveries go to `sink` from now on. */
  attach(sink: DeliverySink): void {
    if (this.#sink === undefined) this.queue.beforeAttached()
    this.#sink = sink
    this.wake()
  }

  /** No more deliveries; what is unsettled stays so until someone settles it. */
  detach(): void {
    const wasAttached = this.#sink !== undefined
    this.#sink = undefined
    if (wasAttached) this.queue.onConsumerDetached()
    this.#credit = 0
    if (!this.#isListed) return
    this.#isListed = false
    this.pool.forget(this)
  }

  grant(credit: number): void {
    this.#credit = Math.min(CREDIT_UNLIMITED, this.#credit + credit)
    this.wake()
  }

  /** Something it waited for may have come: credit of its own, room in the transport, a sink. */
  wake(): void {
    this.queue.wake()
  }

  /** Its pool has credit again; only `CreditPool` calls this. */
  onCredit(): void {
    this.#isListed = false
    this.queue.wake()
  }

  /** Hot path. True when a delivery of this assurance could be handed over now. */
  canTake(assurance: Assurance): boolean {
    if (this.#sink === undefined || this.#credit === 0 || !this.#sink.writable) return false
    if (assurance === 0 || !this.pool.isEmpty || this.match?.assuranceMax === 0) return true
    if (!this.#isListed) {
      this.#isListed = true
      this.pool.waitFor(this)
    }
    return false
  }

  /** Hot path. Hands over; only after `canTake`. False when its receiver can never take it: then it is as if it had not been asked. */
  take(delivery: Delivery): boolean {
    this.takenCount++
    if (this.#credit !== CREDIT_UNLIMITED) this.#credit--
    if (delivery.assurance === 0) {
      delivery.consumer = this
      const isTaken = this.#sink!.deliver(delivery)
      if (this.#tracer !== undefined) this.#tracer.onSent(this, delivery, isTaken)
      if (!isTaken) this.#untake(delivery)
      return isTaken
    }
    delivery.tag = this.pool.take(delivery.message.size)
    this.#link(delivery)
    if (this.#tracer !== undefined) this.#tracer.onHandedOver(this, delivery)
    if (this.#sink!.deliver(delivery)) return true
    this.letGo(delivery)
    if (this.#tracer !== undefined) this.#tracer.onSettled(delivery, 'rejected', undefined)
    this.#untake(delivery)
    return false
  }

  #untake(delivery: Delivery): void {
    delivery.consumer = undefined
    this.takenCount--
    if (this.#sink !== undefined && this.#credit !== CREDIT_UNLIMITED) this.#credit++
  }

  /** As `take` that says no, for what its receiver can never take as came out later. */
  leave(delivery: Delivery): void {
    this.letGo(delivery)
    if (this.#tracer !== undefined) this.#tracer.onSettled(delivery, 'rejected', undefined)
    this.#untake(delivery)
    this.queue.onLeftLate(this, delivery)
  }

  /** It takes what it matches only, or what is small enough for it. */
  get isSelective(): boolean {
    return this.selector !== undefined || this.leavesSome
  }

  /** Deliveries that it could be handed now, by its own credit, that of its session and what its client has asked for. */
  get creditLeft(): number {
    if (this.#sink === undefined) return 0
    const left = Math.max(0, this.pool.limit - this.pool.used)
    return Math.min(this.#credit, left, this.#sink.creditLeft ?? Infinity)
  }

  /** It has asked for more, and its transport has no room. */
  get isStalled(): boolean {
    return this.#sink?.writable === false && this.#credit > 0 && this.#sink.wantsNothing !== true
  }

  /** It takes nothing, and an operator wants such connections ended; `text` says so to a client. */
  endSlow(text: string): void {
    this.#sink?.endSlow?.(text)
  }

  /**
   * Finishes an unsettled delivery. Hot path. A delivery that this consumer does not hold is a caller's bug. What a transaction has is let
   * go of only: the transaction says what becomes of it.
   */
  settle(delivery: Delivery, outcome: Outcome, detail?: SettleDetail): void {
    this.letGo(delivery)
    this.settledSecond = this.queue.turnSecond
    if (delivery.transaction !== undefined) return
    this.queue.onSettled(delivery, outcome, this, detail)
    if (this.#tracer !== undefined) this.#tracer.onSettled(delivery, outcome, detail)
  }

  /** After a restart: it has this delivery unsettled. */
  adopt(delivery: Delivery): void {
    delivery.tag = this.pool.take(delivery.message.size)
    this.#link(delivery)
    this.queue.onAdopted(this, delivery)
  }

  /**
   * Ends it: what it has not settled waits again in its old place, very much of it in later turns; with a failed attempt more if it is lost
   * and the broker goes on.
   */
  cancel(parting: Parting = 'lost'): void {
    this.detach()
    this.queue.removeConsumer(this)
    if (this.#unsettledCount > GIVEN_BACK_PER_TURN) this.queue.takeBackInPieces(this, parting)
    else this.giveBackOldest(this.#unsettledCount, parting)
  }

  /** As `cancel` does with all of them. Each returns to its own place; what goes to the dead letters goes in its order. */
  giveBackOldest(count: number, parting: Parting): void {
    for (let left = count; left > 0 && this.#oldest !== undefined; left--) this.giveBack(this.#oldest, parting)
  }

  /** As `cancel` does with all of them. */
  giveBack(delivery: Delivery, parting: Parting): void {
    const detail = parting === 'goodbye' && !delivery.hasFailed ? NOT_FAILED : undefined
    this.settle(delivery, this.queue.outcomeOfLoss, detail)
  }

  /** Gives a delivery up to somebody who settles it elsewhere; its place among the unsettled and its credit are free. */
  letGo(delivery: Delivery): void {
    if (delivery.consumer !== this)
      throw new Error(`settle of a delivery that is not with this consumer of ${this.queue.name}`)
    this.#unlink(delivery)
    this.pool.giveBack(delivery.message.size)
  }

  #link(delivery: Delivery): void {
    delivery.consumer = this
    delivery.previous = this.#newest
    delivery.next = undefined
    if (this.#newest === undefined) this.#oldest = delivery
    else this.#newest.next = delivery
    this.#newest = delivery
    this.#unsettledCount++
  }

  #unlink(delivery: Delivery): void {
    const { previous, next } = delivery
    if (previous === undefined) this.#oldest = next
    else previous.next = next
    if (next === undefined) this.#newest = previous
    else next.previous = previous
    delivery.consumer = undefined
    delivery.previous = undefined
    delivery.next = undefined
    this.#unsettledCount--
  }
}
