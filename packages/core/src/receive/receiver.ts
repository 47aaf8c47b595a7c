/**
 * The receiving end of one subscription or link: its own credit, its own sink, and a source. Several of one session are independent of
 * each other, as STOMP and AMQP want them; MQTT's subscriptions share the session's queue instead, see `Session.bind`. A receiver ends
 * with its connection; what it reads from may stay.
 */
import { type Pattern, patternText } from '../routing/address.ts'
import type { Subject } from '../authorizer.ts'
import type { ConsumerRoom } from './consumer-room.ts'
import type { Assurance } from '../message/message.ts'
import { QueueConsumers } from './queue-consumers.ts'
import { Consumer, CREDIT_UNLIMITED, type Parting } from '../queue/consumer.ts'
import { type CreditOwner, CreditPool } from '../queue/credit.ts'
import type { BindingData, Delivery, DeliverySink, Match } from '../queue/delivery.ts'
import { Queue } from '../queue/queue.ts'
import type { UnsettledBytes } from '../queue/unsettled-bytes.ts'
import { refuse, type Result } from '../refusal.ts'
import type { Binding } from '../routing/router.ts'
import { parseSelector, type Selector } from '../selector/selector.ts'
import { type SelectorHolder, selectorHolder } from '../session/selector-costs.ts'
import type { SubscriptionSpec } from '../session/subscriptions.ts'
import type { Turns } from '../turns.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** A queue with a name, or all that a pattern (`orders.>`) matches. */
export interface QueueSource {
  readonly kind: 'queue'
  readonly queue: string
  readonly priority?: number
  readonly exclusive?: boolean
}

/** What is published from now on; lost while nobody receives. */
export interface TopicSource {
  readonly kind: 'topic'
  readonly pattern: Pattern
  /** As the client wrote it, for refusals; in core form without. */
  readonly written?: string
  /** Leave out what this session itself publishes. */
  readonly noLocal: boolean
  /** The retained messages that match come first. */
  readonly retained: boolean
}

/** A durable subscription, made if it is not there. */
export interface SubscriptionSource {
  readonly kind: 'subscription'
  readonly subscription: Omit<SubscriptionSpec, 'selector'>
}

export interface ReceiverSpec {
  readonly source: QueueSource | TopicSource | SubscriptionSource
  /** Takes what matches only. */
  readonly selector: string | undefined
  /** 0: settled by being sent. */
  readonly assuranceMax: Assurance
  /** Unsettled deliveries at a time. */
  readonly creditMax: number
  readonly data: BindingData
  readonly sink: DeliverySink
}

/** What `Session.openReceiver` has checked already: how many there are. */
export interface ReceiverOwner {
  readonly vhost: VirtualHost
  readonly subject: Subject
  /** What its connection has not settled. */
  readonly unsettled: UnsettledBytes
  /** The session, which owns the pools of all its receivers. */
  readonly pools: CreditOwner
  readonly consumerRoom: ConsumerRoom
  /** Owner of a temporary destination that this session may read from; others are refused. */
  mayReadTemporary(address: string): boolean
}

/** The consumers of a receiver, whatever it reads from. */
interface Reading {
  all(): Iterable<Consumer>
  unsettled(): Iterable<Delivery>
  /** Of a pattern: what it reads from and would not any more, if it began now. */
  leaveUnreadable?(): void
  close(parting: Parting): void
}

export class Receiver {
  readonly pool: CreditPool
  readonly spec: ReceiverSpec
  readonly #reading: Reading
  readonly #turns: Turns
  readonly #onClosed: (receiver: Receiver) => void
  #isClosed = false

  constructor(turns: Turns, spec: ReceiverSpec, pool: CreditPool, reading: Reading, onClosed: (receiver: Receiver) => void) {
    this.#turns = turns
    this.spec = spec
    this.pool = pool
    this.#reading = reading
    this.#onClosed = onClosed
  }

  /** The transport has room again. */
  wake(): void {
    for (const consumer of this.#reading.all()) consumer.wake()
  }

  /** Calls `then` once, in this turn or a later one: when none of its sources has anything for it any more. */
  whenIdle(then: () => void): void {
    const consumers = [...this.#reading.all()]
    let left = consumers.length
    for (const { queue } of consumers) queue.whenIdle(() => void (--left === 0 && then()))
    if (consumers.length === 0) this.#turns.wake({ runTurn: then })
  }

  consumers(): Iterable<Consumer> {
    return this.#reading.all()
  }

  /** It gets nothing more of what matches its pattern of queues and its user may not read any more. */
  leaveUnreadable(): void {
    this.#reading.leaveUnreadable?.()
  }

  /** What it has not settled; of each queue the oldest first. Do not settle while iterating. */
  unsettled(): Iterable<Delivery> {
    return this.#reading.unsettled()
  }

  /** Nothing more comes. What it has not settled waits again in its old place, with a failed attempt more if it is lost. Idempotent. */
  close(parting: Parting): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#reading.close(parting)
    this.#onClosed(this)
  }
}

/** Opens the source and begins to deliver. Refused without permission, or with a bad selector, whose position is told. */
export function openReceiver(owner: ReceiverOwner, spec: ReceiverSpec, onClosed: (receiver: Receiver) => void): Result<Receiver> {
  const parsed = spec.selector === undefined ? undefined : parseSelector(spec.selector)
  if (parsed?.ok === false) {
    const text = `the selector '${spec.selector}' is wrong at character ${parsed.error.position}: ${parsed.error.text}`
    return refuse('mismatch', spec.selector!, text)
  }
  const pool = new CreditPool(spec.creditMax, owner.vhost.turns, owner.unsettled)
  pool.owner = owner.pools
  const reading = readingOf(owner, spec, parsed?.selector, pool)
  return reading.ok ? { ok: true, value: new Receiver(owner.vhost.turns, spec, pool, reading.value, onClosed) } : reading
}

function readingOf(owner: ReceiverOwner, spec: ReceiverSpec, selector: Selector | undefined, pool: CreditPool): Result<Reading> {
  const { source } = spec
  switch (source.kind) {
    case 'queue':
      return readQueue(owner, spec, source, selector, pool)
    case 'topic':
      return readTopic(owner, spec, source, selector, pool)
    case 'subscription':
      return readSubscription(owner, spec, source, pool)
  }
}

function readQueue(
  owner: ReceiverOwner,
  spec: ReceiverSpec,
  source: QueueSource,
  selector: Selector | undefined,
  pool: CreditPool,
): Result<Reading> {
  const { queue, priority = 0, exclusive = false } = source
  if (!owner.mayReadTemporary(`$queue/${queue}`)) {
    return refuse('not-authorized', queue, 'only the session that made a temporary queue reads from it')
  }
  const refusal = owner.vhost.destinations.refusalOf(owner.subject, 'read', queue)
  if (refusal !== undefined) return refuse('not-authorized', queue, refusal)
  const consumers = new QueueConsumers(owner.vhost, pool, owner.consumerRoom)
  consumers.attach(spec.sink)
  const added = consumers.add(queue, queue, matchFor(spec), { priority, exclusive, selector })
  if (added.ok) return { ok: true, value: consumers }
  consumers.close('goodbye')
  return added
}

/** The selector is the subscription's: what does not match never comes into its queue. */
function readSubscription(owner: ReceiverOwner, spec: ReceiverSpec, { subscription }: SubscriptionSource, pool: CreditPool): Result<Reading> {
  const opened = owner.vhost.subscriptions.open({ ...subscription, selector: spec.selector }, owner.subject)
  if (!opened.ok) return opened
  const consumers = new QueueConsumers(owner.vhost, pool, owner.consumerRoom)
  consumers.attach(spec.sink)
  const { name } = opened.value
  const added = consumers.add(name, name, matchFor(spec), {})
  if (added.ok) return { ok: true, value: subscription.volatile === true ? new VolatileReading(owner.vhost, subscription, consumers) : consumers }
  consumers.close('goodbye')
  return added
}

/** Of a subscription that goes with its last consumer. */
class VolatileReading implements Reading {
  readonly #vhost: VirtualHost
  readonly #subscription: Pick<SubscriptionSpec, 'clientId' | 'name'>
  readonly #consumers: QueueConsumers

  constructor(vhost: VirtualHost, subscription: Pick<SubscriptionSpec, 'clientId' | 'name'>, consumers: QueueConsumers) {
    this.#vhost = vhost
    this.#subscription = subscription
    this.#consumers = consumers
  }

  all(): Iterable<Consumer> {
    return this.#consumers.all()
  }

  unsettled(): Iterable<Delivery> {
    return this.#consumers.unsettled()
  }

  close(parting: Parting): void {
    this.#consumers.close(parting)
    this.#vhost.subscriptions.endVolatile(this.#subscription.clientId, this.#subscription.name)
  }
}

function readTopic(
  owner: ReceiverOwner,
  spec: ReceiverSpec,
  source: TopicSource,
  selector: Selector | undefined,
  pool: CreditPool,
): Result<Reading> {
  const { vhost, subject } = owner
  const { pattern } = source
  const name = patternText(pattern)
  if (!owner.mayReadTemporary(name)) {
    return refuse('not-authorized', name, 'only the session that made a temporary topic reads from it')
  }
  if (!vhost.authorizer.mayMatch(subject, 'read', pattern).allowed) {
    const { written = `topic '${name}'` } = source
    return refuse('not-authorized', name, `user '${subject.principal.name}' may not subscribe to ${written}`)
  }
  const tooDear = vhost.selectorCosts.refusalOf(selectorHolder(subject.clientId, subject.principal.name), name, selector?.cost ?? 0)
  if (tooDear !== undefined) return { ok: false, detail: tooDear }
  return { ok: true, value: new TopicReading(owner, spec, source, selector, pool) }
}

/** A queue of the receiver's own, bound to the topics. */
class TopicReading implements Reading {
  readonly #vhost: VirtualHost
  readonly #binding: Binding
  readonly #holder: SelectorHolder
  readonly #consumer: Consumer

  constructor(owner: ReceiverOwner, spec: ReceiverSpec, source: TopicSource, selector: Selector | undefined, pool: CreditPool) {
    const { vhost, subject } = owner
    this.#vhost = vhost
    const queue = new Queue(vhost, subject.clientId, vhost.subscriptionSettings, spec.assuranceMax > 0)
    this.#consumer = new Consumer(queue, pool, undefined)
    queue.addConsumer(this.#consumer)
    this.#binding = {
      pattern: source.pattern.levels,
      queue,
      assuranceMax: spec.assuranceMax,
      exceptFrom: source.noLocal ? subject.clientId : undefined,
      ...(selector !== undefined && { selector }),
      data: spec.data,
    }
    vhost.router.bind(this.#binding)
    this.#holder = selectorHolder(subject.clientId, subject.principal.name)
    vhost.selectorCosts.add(this.#holder, this.#binding)
    if (source.retained) vhost.offerRetained(this.#binding)
    this.#consumer.grant(CREDIT_UNLIMITED)
    this.#consumer.attach(spec.sink)
  }

  all(): Iterable<Consumer> {
    return [this.#consumer]
  }

  unsettled(): Iterable<Delivery> {
    return this.#consumer.unsettled()
  }

  close(): void {
    const { queue } = this.#consumer
    this.#vhost.router.unbind(this.#binding)
    this.#vhost.selectorCosts.remove(this.#holder, this.#binding)
    this.#consumer.detach()
    queue.removeConsumer(this.#consumer)
    queue.close()
  }
}

function matchFor({ data, assuranceMax }: ReceiverSpec): Match {
  return { data: [data], assuranceMax, memo: undefined }
}
