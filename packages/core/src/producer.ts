/**
 * The sending end: one per connection that publishes. It decides permission once per topic and keeps the answer, routes,
 * retains, and says what became of each message.
 */
import type { Subject } from './authorizer.ts'
import type { LogGroup } from './log/host-log.ts'
import { type LoggedExtras, messageRecord } from './log/records.ts'
import type { Message } from './message.ts'
import type { RefusalDetail } from './refusal.ts'
import { queueNameOf } from './address.ts'
import { durableQueues, mayBeDelivered, type Route, type Target, targetsOf } from './router.ts'
import type { ScheduleOptions } from './schedule/options.ts'
import type { ScheduledPublish } from './schedule/scheduled.ts'
import type { Session } from './session.ts'
import type { VirtualHost } from './virtual-host.ts'

/**
 * routed: every queue that wanted it has it. unmatched: nobody wanted it. refused: see `Producer.refusal`.
 * pending: it waits for the log; `PublishOwner.onPublishSettled` brings one of the others.
 */
export type PublishResult = 'routed' | 'unmatched' | 'refused' | 'pending'

/** Hears what became of publishes that had to wait. */
export interface PublishOwner {
  /** `tag` is what `publish` was given. In the order of the publishes. */
  onPublishSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void
}

/** A topic as one producer sees it; keep it for the next message to the same topic. */
export class ProducerTarget {
  readonly route: Route
  readonly size: number
  refusal: RefusalDetail | undefined = undefined
  /** Generation of the authorizer that `refusal` is from. */
  decidedAt = -1

  constructor(route: Route) {
    this.route = route
    this.size = route.topic.length
  }
}

/** What a publisher may say of one message beside what the message says itself. */
export interface PublishOptions {
  /** An exactly-once publish: the session remembers this id, over a restart where the message does, until it is released. */
  readonly receivedId?: number
  /** It is to be sent later, or again and again. */
  readonly schedule?: ScheduleOptions
}

export class Producer {
  readonly #vhost: VirtualHost
  readonly #subject: Subject
  readonly #owner: PublishOwner | undefined
  /** Whose it is; undefined for one without a session. */
  readonly #session: Session | undefined
  /** Publishes that wait for the log. While there are any, all others of this producer wait behind them. */
  #pendingCount = 0
  /** Why the last publish was refused. */
  refusal: RefusalDetail | undefined = undefined

  constructor(vhost: VirtualHost, subject: Subject, owner: PublishOwner | undefined, session: Session | undefined) {
    this.#vhost = vhost
    this.#subject = subject
    this.#owner = owner
    this.#session = session
  }

  /** What `publish` needs to know of an address, in core form. */
  target(address: string): ProducerTarget {
    const queue = queueNameOf(address)
    const { router, destinations } = this.#vhost
    return new ProducerTarget(queue === undefined ? router.routeOf(address) : destinations.routeOf(queue))
  }

  /** Hot path. When this returns, nothing of the message is kept that was not detached. */
  publish(target: ProducerTarget, message: Message, tag: number, options?: PublishOptions): PublishResult {
    const vhost = this.#vhost
    if (target.decidedAt !== vhost.authorizer.generation) this.#decide(target)
    if (target.refusal !== undefined) return this.refuse(target.refusal, tag)
    const { route } = target
    if (options?.schedule !== undefined) return this.#publishScheduled(route, message, tag, options.schedule, options.receivedId)
    if (this.#pendingCount > 0 || vhost.mustLog(route, message)) return this.#publishLater(route, message, tag, options)
    return vhost.publish(route, message)
  }

  /** Says no in its turn: at once, or behind the publishes that wait. Acknowledgements keep their order. [MQTT5-4.6.0-2] */
  refuse(refusal: RefusalDetail, tag: number): 'refused' | 'pending' {
    this.#vhost.counters.refused++
    if (this.#pendingCount === 0) {
      this.refusal = refusal
      return 'refused'
    }
    this.#pendingCount++
    this.#vhost.log.follow(new RefusedPublish(this, refusal, tag))
    return 'pending'
  }

  /** Only what this producer has waiting calls this. */
  settle(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.#pendingCount--
    this.#owner?.onPublishSettled(tag, result)
  }

  #publishLater(route: Route, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    const { log } = this.#vhost
    const targets = targetsOf(route)
    const isLogged = this.#vhost.mustLog(route, message)
    const queues = isLogged ? durableQueues(targets, message) : NO_QUEUES
    // One that nobody will settle (at most once for every kept session) must not be in the log: it would stay for ever.
    const holders = queues.length + (isLogged && message.retain ? 1 : 0)
    if (holders === 0 && this.#pendingCount === 0) return this.#vhost.publishTo(targets, route, message)
    message.detach()
    this.#pendingCount++
    const receivedId = this.#session?.isDurable === true ? options?.receivedId : undefined
    const pending = new PendingPublish(this, this.#vhost, targets, route, message, tag, holders, receivedId)
    if (holders === 0) log.follow(pending)
    else log.append(messageRecord(message, queues, mayBeDelivered(targets), this.#extrasOf(message, receivedId)), pending, route.durability)
    return 'pending'
  }

  #publishScheduled(
    route: Route,
    message: Message,
    tag: number,
    options: ScheduleOptions,
    receivedId: number | undefined,
  ): PublishResult {
    const planned = this.#vhost.schedule.plan(route, message, options)
    if (!planned.ok) return this.refuse(planned.detail, tag)
    const scheduled = planned.value
    if (!scheduled.isLogged && this.#pendingCount === 0) {
      scheduled.arrive(0)
      return 'routed'
    }
    this.#pendingCount++
    const kept = this.#session?.isDurable === true ? receivedId : undefined
    const pending = new PendingSchedule(this, scheduled, tag, kept)
    const { log } = this.#vhost
    if (scheduled.isLogged) log.append(scheduled.record(this.#extrasOf(message, kept)), pending, scheduled.durability)
    else log.follow(pending)
    return 'pending'
  }

  #extrasOf(message: Message, receivedId: number | undefined): LoggedExtras | undefined {
    if (receivedId === undefined) return message.extras
    return { ...message.extras, received: [this.#session!.queue.number, receivedId] }
  }

  /** A publish with this id is in the log. */
  onReceived(id: number): void {
    this.#session?.onReceived(id)
  }

  #decide(target: ProducerTarget): void {
    target.decidedAt = this.#vhost.authorizer.generation
    target.refusal = this.#vhost.refusalToPublish(this.#subject, target.route.topic)
  }
}

const NO_QUEUES: readonly number[] = []

/** A refusal that waits for its turn. */
class RefusedPublish implements LogGroup {
  ticket = 0
  readonly recordCount = 0
  readonly #producer: Producer
  readonly #refusal: RefusalDetail
  readonly #tag: number

  constructor(producer: Producer, refusal: RefusalDetail, tag: number) {
    this.#producer = producer
    this.#refusal = refusal
    this.#tag = tag
  }

  onCommitted(): void {
    this.#producer.refusal = this.#refusal
    this.#producer.settle(this.#tag, 'refused')
  }

  /** It asked the log for nothing. */
  onRefused(): void {
    this.onCommitted()
  }
}

/** A publish that the schedule will have once it is in the log. */
class PendingSchedule implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #producer: Producer
  readonly #scheduled: ScheduledPublish
  readonly #tag: number
  readonly #receivedId: number | undefined

  constructor(producer: Producer, scheduled: ScheduledPublish, tag: number, receivedId: number | undefined) {
    this.#producer = producer
    this.#scheduled = scheduled
    this.#tag = tag
    this.#receivedId = receivedId
    this.recordCount = scheduled.isLogged ? 1 : 0
  }

  onCommitted(lsn: number): void {
    this.#scheduled.arrive(lsn)
    if (this.recordCount > 0 && this.#receivedId !== undefined) this.#producer.onReceived(this.#receivedId)
    this.#producer.settle(this.#tag, 'routed')
  }

  onRefused(text: string): void {
    this.#scheduled.abandon()
    this.#producer.refusal = { refusal: 'limit-reached', subject: this.#scheduled.address, text }
    this.#producer.settle(this.#tag, 'refused')
  }
}

/** A publish that waits for its record, or for its turn behind one. */
class PendingPublish implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #holders: number
  readonly #receivedId: number | undefined
  readonly #producer: Producer
  readonly #vhost: VirtualHost
  readonly #targets: readonly Target[]
  readonly #route: Route
  readonly #message: Message
  readonly #tag: number

  constructor(
    producer: Producer,
    vhost: VirtualHost,
    targets: readonly Target[],
    route: Route,
    message: Message,
    tag: number,
    holders: number,
    receivedId: number | undefined,
  ) {
    this.#producer = producer
    this.#vhost = vhost
    this.#targets = targets
    this.#route = route
    this.#message = message
    this.#tag = tag
    this.#holders = holders
    this.#receivedId = receivedId
    this.recordCount = holders > 0 ? 1 : 0
  }

  onCommitted(lsn: number): void {
    const message = this.#message
    if (this.#holders > 0) {
      message.lsn = lsn
      if (this.#holders > 1) this.#vhost.log.hold(lsn, this.#holders)
      if (this.#receivedId !== undefined) this.#producer.onReceived(this.#receivedId)
    }
    this.#producer.settle(this.#tag, this.#vhost.publishTo(this.#targets, this.#route, message))
  }

  onRefused(text: string): void {
    this.#producer.refusal = { refusal: 'limit-reached', subject: this.#route.topic, text }
    this.#producer.settle(this.#tag, 'refused')
  }
}
