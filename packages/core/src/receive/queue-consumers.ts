/**
 * The consumers that one session has on queues with a name: on one queue, or on all that match a pattern, those that are still to
 * come included. All of them take from the session's pool, which serves them in turn.
 */
import { isLiteral, matches, type PatternLevel } from '../routing/address.ts'
import type { ConsumerRoom } from './consumer-room.ts'
import type { DestinationWatcher, NamedQueue } from '../destinations/destinations.ts'
import type { Assurance } from '../message/message.ts'
import { isQueuePattern, queuePattern } from '../destinations/policies.ts'
import { type ConsumeOptions, Consumer, CREDIT_UNLIMITED, type Parting } from '../queue/consumer.ts'
import type { CreditPool } from '../queue/credit.ts'
import type { BindingData, Delivery, DeliverySink, Match } from '../queue/delivery.ts'
import type { Result } from '../refusal.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** What a session wants of a queue, or of all queues that a pattern matches. */
export interface ConsumeSpec {
  /** Levels with `.` between; `*` and `>` as last level make it a pattern. */
  readonly queue: string
  /** 0: settled by being sent. */
  readonly assuranceMax: Assurance
  /** As `assuranceMax`, for messages that need not outlive the process; the same when left out. */
  readonly transientMax?: Assurance
  readonly data: BindingData
  readonly options?: ConsumeOptions
}

/** One subscription to a queue or to a pattern of queues. */
export interface Reading {
  readonly name: string
  readonly pattern: readonly PatternLevel[]
  readonly match: Match
  readonly options: ConsumeOptions
  /** Only `QueueConsumers` changes it. */
  readonly consumers: Map<NamedQueue, Consumer>
}

export class QueueConsumers implements DestinationWatcher {
  readonly #vhost: VirtualHost
  readonly #pool: CreditPool
  readonly #room: ConsumerRoom
  /** By key; each has a name or pattern of its own. */
  readonly #readings = new Map<string, Reading>()
  /** Readings of patterns. */
  #patternCount = 0
  /** Of readings that ended with deliveries to finish. As many as deliveries at most. */
  #departed: Consumer[] = []
  /** On queues that have been deleted since, with deliveries to finish. */
  #orphans: Consumer[] = []
  #sink: DeliverySink | undefined = undefined

  /** The session that the room belongs to may read what is added. */
  constructor(vhost: VirtualHost, pool: CreditPool, room: ConsumerRoom) {
    this.#vhost = vhost
    this.#pool = pool
    this.#room = room
  }

  get count(): number {
    return this.#readings.size
  }

  readings(): Iterable<Reading> {
    return this.#readings.values()
  }

  *all(): Generator<Consumer> {
    for (const { consumers } of this.#readings.values()) yield* consumers.values()
  }

  /** Also of queues that are gone. */
  *unsettled(): Generator<Delivery> {
    for (const consumer of this.all()) yield* consumer.unsettled()
    for (const consumer of this.#orphans) yield* consumer.unsettled()
  }

  has(key: string): boolean {
    return this.#readings.has(key)
  }

  /**
   * Reads from the queue, or the queues, of that name; again with the same key changes what it wants. Refused as 'limit-reached' when the
   * session would have too many consumers; with `isRestored` it reads from as many queues as there is room for.
   */
  add(key: string, name: string, match: Match, options: ConsumeOptions, isRestored: boolean = false): Result<void> {
    const before = this.#readings.get(key)
    const reading: Reading = { name, pattern: queuePattern(name), match, options, consumers: before?.consumers ?? new Map<NamedQueue, Consumer>() }
    const found = isQueuePattern(name) ? this.#matching(reading, isRestored) : this.#named(reading, isRestored)
    if (!found.ok) return found
    for (const consumer of reading.consumers.values()) consumer.match = match
    for (const named of found.value) this.#join(reading, named)
    this.#readings.set(key, reading)
    if (before === undefined) this.#watch(name)
    return { ok: true, value: undefined }
  }

  /** Ends a reading: what it has not settled goes back, unless it `keepsUnsettled`. False when there was none. */
  remove(key: string, keepsUnsettled: boolean, parting: Parting = 'goodbye'): boolean {
    const reading = this.#readings.get(key)
    if (reading === undefined) return false
    this.#readings.delete(key)
    this.#unwatch(reading.name)
    this.#room.giveBack(reading.consumers.size)
    if (keepsUnsettled) this.#departed = this.#departed.filter(({ unsettledCount }) => unsettledCount > 0)
    for (const consumer of reading.consumers.values()) {
      if (keepsUnsettled) this.#leave(consumer, parting)
      else consumer.cancel(parting)
    }
    return true
  }

  /**
   * Patterns get nothing more of virtual topics that the user may not read any more; what has begun may be finished. Whether it may read
   * by a name or pattern at all is decided by who made the reading.
   */
  leaveUnreadable(): void {
    this.#departed = this.#departed.filter(({ unsettledCount }) => unsettledCount > 0)
    for (const { pattern, consumers } of this.#readings.values()) {
      if (isLiteral(pattern)) continue
      for (const [named, consumer] of consumers) {
        if (this.#mayReadFeed(named.name)) continue
        consumers.delete(named)
        this.#room.giveBack(1)
        this.#leave(consumer, 'goodbye')
      }
    }
  }

  /** It gets nothing more, and has what it has not settled to finish. */
  #leave(consumer: Consumer, parting: Parting): void {
    if (consumer.unsettledCount === 0) return consumer.cancel(parting)
    consumer.detach()
    consumer.queue.removeConsumer(consumer)
    this.#departed.push(consumer)
  }

  /** Those that get nothing more and have deliveries to finish. */
  get departed(): readonly Consumer[] {
    return this.#departed
  }

  attach(sink: DeliverySink): void {
    this.#sink = sink
    for (const consumer of this.all()) start(consumer, sink)
  }

  /** The connection is gone; what is unsettled stays so until the adapter gives it back or the session ends. */
  detach(): void {
    this.#sink = undefined
    for (const consumer of this.all()) consumer.detach()
  }

  /** The session has ended. */
  close(parting: Parting): void {
    for (const key of [...this.#readings.keys()]) this.remove(key, false, parting)
    for (const consumer of [...this.#departed, ...this.#orphans]) consumer.cancel(parting)
    this.#departed = []
    this.#orphans = []
  }

  /** Consumer on the queue with that number in the log. */
  on(queueNumber: number): Consumer | undefined {
    for (const consumer of this.all()) if (consumer.queue.number === queueNumber) return consumer
    return undefined
  }

  /** After a restart: one that gets nothing more, for what its session had of that queue before it left. Undefined: there is no such queue. */
  departedFrom(queueNumber: number): Consumer | undefined {
    const known = this.#departed.find(({ queue }) => queue.number === queueNumber)
    if (known !== undefined) return known
    for (const { queue } of this.#vhost.destinations.all()) {
      if (queue.number !== queueNumber) continue
      const consumer = new Consumer(queue, this.#pool, undefined)
      this.#departed.push(consumer)
      return consumer
    }
    return undefined
  }

  // ── DestinationWatcher ──

  onQueueCreated(named: NamedQueue): void {
    for (const reading of this.#readings.values()) {
      if (!this.#wants(reading, named)) continue
      if (this.#room.left > 0) this.#join(reading, named)
      else this.#room.reportUnread(reading.name, named.name)
    }
  }

  onQueueDeleted(named: NamedQueue): void {
    for (const { name, consumers } of [...this.#readings.values()]) {
      const consumer = consumers.get(named)
      if (consumer === undefined) continue
      consumers.delete(named)
      this.#room.giveBack(1)
      this.#orphans = this.#orphans.filter(({ unsettledCount }) => unsettledCount > 0)
      if (consumer.unsettledCount > 0) this.#orphans.push(consumer)
      if (name === named.name) this.#sink?.onQueueDeleted?.(name)
    }
  }

  #watch(name: string): void {
    if (!isQueuePattern(name)) this.#vhost.destinations.watch(this, name)
    else if (this.#patternCount++ === 0) this.#vhost.destinations.watch(this)
  }

  #unwatch(name: string): void {
    if (!isQueuePattern(name)) this.#vhost.destinations.unwatch(this, name)
    else if (--this.#patternCount === 0) this.#vhost.destinations.unwatch(this)
  }

  /** The queue of that name, if it is not read from yet. */
  #named(reading: Reading, isRestored: boolean): Result<NamedQueue[]> {
    const { name } = reading
    if (this.#room.left === 0 && reading.consumers.size === 0) return { ok: false, detail: this.#room.refusal(name) }
    const { destinations } = this.#vhost
    const named = isRestored ? destinations.ensure(name) : destinations.ensureFor(this.#room.subject, name)
    if (!named.ok) return named
    return { ok: true, value: this.#wants(reading, named.value) ? [named.value] : [] }
  }

  /** The queues that there are and that it does not read from yet. */
  #matching(reading: Reading, isRestored: boolean): Result<NamedQueue[]> {
    const found: NamedQueue[] = []
    const { left } = this.#room
    for (const named of this.#vhost.destinations.all()) {
      if (!this.#wants(reading, named)) continue
      if (found.length < left) {
        found.push(named)
        continue
      }
      if (!isRestored) return { ok: false, detail: this.#room.refusal(reading.name) }
      this.#room.reportUnread(reading.name, named.name)
      break
    }
    return { ok: true, value: found }
  }

  /** It matches and is not read from yet. */
  #wants({ pattern, consumers }: Reading, named: NamedQueue): boolean {
    if (consumers.has(named)) return false
    return matches(pattern, named.levels) && (isLiteral(pattern) || this.#mayReadFeed(named.name))
  }

  #join({ match, options, consumers }: Reading, named: NamedQueue): void {
    this.#room.take()
    const consumer = new Consumer(named.queue, this.#pool, match, options)
    consumers.set(named, consumer)
    named.queue.addConsumer(consumer)
    if (this.#sink !== undefined) start(consumer, this.#sink)
  }

  /** Who may read all queues that match reads none of a topic that is kept from it. */
  #mayReadFeed(name: string): boolean {
    return this.#vhost.destinations.mayReadFeed(this.#room.subject, name)
  }
}

function start(consumer: Consumer, sink: DeliverySink): void {
  if (sink.takesFrom?.(consumer.queue) === false) return
  consumer.grant(CREDIT_UNLIMITED)
  consumer.attach(sink)
}
