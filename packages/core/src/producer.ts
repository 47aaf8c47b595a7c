// long: deciding, logging, parking and answering are one order; the parked part is the next to go into a file of its own
/**
 * The sending end: one per connection, or per stream of it that has an order of its own. It decides permission once per topic and keeps
 * the answer, routes, retains, and says what became of each message. Publishes that have no room wait here, in their order and within
 * bounds; those that wait keep all later ones of the same producer behind them, and nobody else's.
 */
import type { Durability, LogRecord, PreparedRecord } from '@ternmq/store'
import type { Subject } from './authorizer.ts'
import type { Cancel } from './env.ts'
import { type Obstacle, obstacleTo, weighUnderWay } from './flow/admission.ts'
import type { Gate, Waiter } from './flow/gates.ts'
import { isParkedRefusal, isParkedWork, type Parked, type ParkedWork, Parking, parkingCost } from './flow/parking.ts'
import { heldText, tooLargeText } from './flow/reasons.ts'
import { durationText } from './flow/units.ts'
import type { LogGroup } from './log/host-log.ts'
import { messageRecord, numbersRecord, RecordKind } from './log/records.ts'
import { LARGE_BODY_BYTES } from './limits.ts'
import type { Message } from './message.ts'
import type { RefusalDetail } from './refusal.ts'
import { CompositePublish } from './composite-publish.ts'
import { routeToAll } from './composites.ts'
import { PendingPublish, PendingSchedule, RefusedPublish } from './publish-groups.ts'
import { DuplicatePublish, idRecords, isDuplicate, OncePublish, rememberId, unseenTargets } from './publish-once.ts'
import { durableQueues, mayBeDelivered, type Route, type Target, targetsOf } from './router.ts'
import { routeTo } from './routed-message.ts'
import type { ScheduleOptions } from './schedule/options.ts'
import type { ScheduledPublish } from './schedule/scheduled.ts'
import type { Session } from './session.ts'
import type { VirtualHost } from './virtual-host.ts'

/**
 * routed: every queue that wanted it has it. unmatched: nobody wanted it. refused: see `Producer.refusal`.
 * pending: it waits for room or for the log; `PublishOwner.onPublishSettled` brings one of the others.
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
  /** Who sends to it must be allowed to send to all of these. */
  readonly addresses: readonly string[]
  readonly size: number
  refusal: RefusalDetail | undefined = undefined
  /** Generation of the authorizer that `refusal` is from. */
  decidedAt = -1

  constructor(route: Route, addresses: readonly string[] = [route.topic]) {
    this.route = route
    this.addresses = addresses
    this.size = route.topic.length
  }
}

/** What a publisher may say of one message beside what the message says itself. */
export interface PublishOptions {
  /** An exactly-once publish: the session remembers this id, over a restart where the message does, until it is released. */
  readonly receivedId?: number
  /** It is to be sent later, or again and again. */
  readonly schedule?: ScheduleOptions
  /** Queues that remember ids take one message only of each; a further one is answered as the first was. Not of scheduled ones. */
  readonly dedupId?: string
}

/** Something that takes its place among the publishes of one producer. */
export interface ProducerWork {
  /** What keeps it from being done; undefined: `go` follows at once. */
  obstacle(): Obstacle | undefined
  go(): void
  /** It cannot be done. */
  refuse(text: string): void
}

export class Producer implements Waiter {
  readonly #vhost: VirtualHost
  readonly #subject: Subject
  readonly #owner: PublishOwner | undefined
  /** Whose it is; undefined for one without a session. */
  readonly #session: Session | undefined
  /** Publishes that wait for the log. While there are any, all others of this producer wait behind them. */
  #pendingCount = 0
  /** Bytes of those, and of one that is brought into the log in pieces. */
  #pendingBytes = 0
  /** Publishes that have no room. While there are any, all others of this producer wait behind them. */
  #parking: Parking | undefined = undefined
  /** The next publish waits behind others. */
  #isHeld = false
  /** A large body is on its way into the log; its record follows, and no other before it. */
  #isPreparing = false
  gate: Gate | undefined = undefined
  #cancelDeadline: Cancel | undefined = undefined
  /** Adapters that stopped reading; one at most, each of them once. */
  #releases: (() => void)[] = []
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
    return new ProducerTarget(routeTo(this.#vhost, address))
  }

  /** As `target`, of a list of addresses: a message to it goes to all of them, or to none. */
  targetOfAll(addresses: readonly string[]): ProducerTarget {
    return new ProducerTarget(routeToAll(this.#vhost, addresses), addresses)
  }

  /** Hot path. When this returns, nothing of the message is kept that was not detached. */
  publish(target: ProducerTarget, message: Message, tag: number, options?: PublishOptions): PublishResult {
    const vhost = this.#vhost
    if (target.decidedAt !== vhost.authorizer.generation) this.#decide(target)
    if (target.refusal !== undefined) return this.refuse(target.refusal, tag)
    const { route } = target
    targetsOf(route)
    if (route.flaw !== undefined) return this.refuse(route.flaw, tag)
    if (message.end - message.headerStart > vhost.limits.messageBytesMax) return this.#refuseTooLarge(route, message, tag)
    if (route.hasTtl && route.parts === undefined) route.limitLife(message, vhost.env.clock.wallMs())
    if (this.#isHeld || this.#pendingCount > 0) {
      if (this.#isOver(message)) return this.#refuseOver(route, message, tag, undefined)
      if (this.#isHeld) return this.#park(route, message, tag, options, undefined)
    }
    if (route.parts !== undefined) return this.#publishToAll(route, message, tag, options)
    if (options?.schedule !== undefined) return this.#publishScheduled(route, message, tag, options.schedule, options.receivedId)
    if (this.#isDuplicate(route, options)) return this.#answerDuplicate(route, options!.dedupId!, tag)
    const mustLog = vhost.mustLog(route, message)
    const obstacle = obstacleTo(vhost, route, message, mustLog)
    if (obstacle !== undefined) return this.#stop(obstacle, route, message, tag, options)
    if (options?.dedupId !== undefined) return this.#publishOnce(route, message, tag, options, options.dedupId)
    if (this.#pendingCount > 0 || mustLog) return this.#publishLater(route, message, tag, options)
    return vhost.publish(route, message)
  }

  /** What is against a publish, but for room: permission and size. Gives the message the time to live that its queue asks for. */
  check(target: ProducerTarget, message: Message): RefusalDetail | undefined {
    const { authorizer, limits, env } = this.#vhost
    if (target.decidedAt !== authorizer.generation) this.#decide(target)
    if (target.refusal !== undefined) return target.refusal
    const { route } = target
    targetsOf(route)
    if (route.flaw !== undefined) return route.flaw
    const bytes = message.end - message.headerStart
    if (bytes > limits.messageBytesMax) {
      return { refusal: 'limit-reached', subject: route.topic, text: tooLargeText(route.topic, bytes, limits.messageBytesMax) }
    }
    if (route.hasTtl && route.parts === undefined) route.limitLife(message, env.clock.wallMs())
    return undefined
  }

  /** Something of it waits for the log. */
  get isPending(): boolean {
    return this.#pendingCount > 0
  }

  /** A transaction's commit, in its turn among the publishes: at once, or behind those that wait; later ones wait behind it. */
  perform(work: ProducerWork): void {
    const obstacle = this.#isHeld ? undefined : work.obstacle()
    if (!this.#isHeld && obstacle === undefined) return work.go()
    if (obstacle?.mayWait === false) return work.refuse(obstacle.text())
    const { flow, env } = this.#vhost
    this.#parkingPlace().addWork({ work, sinceMs: env.clock.monoMs() })
    this.#isHeld = true
    if (obstacle === undefined) return
    flow.gates.wait(this, obstacle.place)
    this.#arm(obstacle.waitMsMax)
  }

  /** A group is on its way to the log: what is published now waits behind it, until it `leave`s, or is settled with these `bytes`. */
  enter(bytes = 0): void {
    this.#pendingCount++
    this.#pendingBytes += bytes
  }

  leave(): void {
    this.#pendingCount--
    if (this.#releases.length > 0) this.#ease()
  }

  /** Says no in its turn: at once, or behind the publishes that wait. Acknowledgements keep their order. [MQTT5-4.6.0-2] */
  refuse(refusal: RefusalDetail, tag: number): 'refused' | 'pending' {
    this.#vhost.counters.refused++
    // Twice the bound is more than any protocol can have unanswered: who gets there has broken its rules, and the order of answers.
    if ((!this.#isHeld && this.#pendingCount === 0) || this.#heldCount >= this.#vhost.limits.heldMessagesMax * 2) {
      this.refusal = refusal
      return 'refused'
    }
    if (this.#isHeld) this.#parkingPlace().addRefusal({ refusal, tag })
    else this.#refuseBehind(refusal, tag)
    return 'pending'
  }

  /**
   * So much waits that its sender should be stopped: an adapter stops reading, unless the client's acknowledgements are what would
   * help, until `whenUnblocked`.
   */
  get isBlocked(): boolean {
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    return this.#heldCount * 2 > heldMessagesMax || this.#heldBytes * 2 > heldBytesMax
  }

  /** Calls `release` once, when half of what made it blocked has gone. */
  whenUnblocked(release: () => void): void {
    this.#releases.push(release)
    this.#ease()
  }

  // ── Waiter ──

  goOn(max: number): number {
    const parking = this.#parking!
    const { gates } = this.#vhost.flow
    let count = 0
    for (; count < max && !this.#isPreparing; count++) {
      const first = parking.peek()
      if (first === undefined) break
      if (isParkedRefusal(first)) {
        parking.shift()
        this.answer(first.tag, first.refusal)
      } else if (isParkedWork(first) ? !this.#goOnWithWork(first, parking) : !this.#goOnWith(first, parking)) {
        this.#ease()
        return count
      }
    }
    if (parking.count === 0 || this.#isPreparing) {
      gates.leave(this)
      this.#disarm()
      this.#isHeld = this.#isPreparing
    }
    this.#ease()
    return count
  }

  /** False when it has to wait still. */
  #goOnWith({ route, message, tag, options, sinceMs }: Parked, parking: Parking): boolean {
    const vhost = this.#vhost
    targetsOf(route)
    if (route.parts !== undefined) return this.#goOnWithAll(this.#compositeOf(route, message, tag, options), tag, sinceMs, parking)
    if (route.hasTtl) route.limitLife(message, vhost.env.clock.wallMs())
    if (this.#isDuplicate(route, options)) {
      parking.shift()
      const answer = this.#answerDuplicate(route, options!.dedupId!, tag)
      if (answer !== 'pending') this.#owner?.onPublishSettled(tag, answer)
      return true
    }
    const mustLog = vhost.mustLog(route, message)
    const obstacle = options?.schedule === undefined ? obstacleTo(vhost, route, message, mustLog) : undefined
    if (obstacle !== undefined) {
      if (this.#waitsFor(obstacle, sinceMs)) return false
      parking.shift()
      vhost.counters.refused++
      this.answer(tag, { refusal: 'limit-reached', subject: route.topic, text: textOf(obstacle) })
      return true
    }
    parking.shift()
    const result = this.#publishUnparked(route, message, tag, options, mustLog)
    if (result !== 'pending') this.#owner?.onPublishSettled(tag, result)
    return true
  }

  #goOnWithAll(composite: CompositePublish, tag: number, sinceMs: number, parking: Parking): boolean {
    if (!this.#goOnWithWork({ work: composite, sinceMs }, parking)) return false
    if (composite.result !== 'pending') this.#owner?.onPublishSettled(tag, composite.result)
    return true
  }

  #goOnWithWork({ work, sinceMs }: ParkedWork, parking: Parking): boolean {
    const obstacle = work.obstacle()
    if (obstacle !== undefined && this.#waitsFor(obstacle, sinceMs)) return false
    parking.shift()
    if (obstacle === undefined) work.go()
    else work.refuse(textOf(obstacle))
    return true
  }

  /** The first in line, which has waited since then, goes on waiting. */
  #waitsFor(obstacle: Obstacle, sinceMs: number): boolean {
    const leftMs = sinceMs + obstacle.waitMsMax - this.#vhost.env.clock.monoMs()
    if (!obstacle.mayWait || leftMs <= 0) return false
    this.#vhost.flow.gates.wait(this, obstacle.place)
    this.#arm(leftMs)
    return true
  }

  #publishUnparked(
    route: Route,
    message: Message,
    tag: number,
    options: PublishOptions | undefined,
    mustLog: boolean,
  ): PublishResult {
    if (options?.schedule !== undefined) {
      const planned = this.#vhost.schedule.plan(route, message, options.schedule)
      if (planned.ok) return this.#takeScheduled(planned.value, tag, options.receivedId)
      this.#vhost.counters.refused++
      this.answer(tag, planned.detail)
      return 'pending'
    }
    if (options?.dedupId !== undefined) return this.#publishOnce(route, message, tag, options, options.dedupId)
    if (this.#pendingCount > 0 || mustLog) return this.#publishLater(route, message, tag, options)
    return this.#vhost.publish(route, message)
  }

  /** Only what this producer has waiting for the log calls this; `bytes` is what it counted for. */
  settle(tag: number, result: Exclude<PublishResult, 'pending'>, bytes = 0): void {
    this.#pendingCount--
    this.#pendingBytes -= bytes
    this.#owner?.onPublishSettled(tag, result)
    if (this.#releases.length > 0) this.#ease()
  }

  /** Unanswered, but for publishes of which the caller knows at once. */
  get #heldCount(): number {
    return this.#pendingCount + (this.#parking?.count ?? 0) + (this.#isPreparing ? 1 : 0)
  }

  get #heldBytes(): number {
    return this.#pendingBytes + (this.#parking?.bytes ?? 0)
  }

  /** One more would be too many. A single one may be as large as messages may be. */
  #isOver(message: Message): boolean {
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    return this.#heldCount >= heldMessagesMax || this.#heldBytes + parkingCost(message) > heldBytesMax
  }

  #refuseTooLarge(route: Route, message: Message, tag: number): 'refused' | 'pending' {
    const text = tooLargeText(route.topic, message.end - message.headerStart, this.#vhost.limits.messageBytesMax)
    return this.refuse({ refusal: 'limit-reached', subject: route.topic, text }, tag)
  }

  /** `why` it cannot go on, where that is known. At most once needs no answer, and no place in the order of answers. */
  #refuseOver(route: Route, message: Message, tag: number, why: string | undefined): 'refused' | 'pending' {
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    const text = why ?? heldText(this.#heldCount, this.#heldBytes, heldMessagesMax, heldBytesMax)
    const refusal: RefusalDetail = { refusal: 'limit-reached', subject: route.topic, text }
    if (message.assurance > 0) return this.refuse(refusal, tag)
    this.#vhost.counters.droppedOverLimit++
    this.refusal = refusal
    return 'refused'
  }

  #stop(obstacle: Obstacle, route: Route, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    if (!obstacle.mayWait) return this.refuse({ refusal: 'limit-reached', subject: route.topic, text: obstacle.text() }, tag)
    return this.#park(route, message, tag, options, obstacle)
  }

  /** Behind those that wait; the first one waits for `obstacle`. */
  #park(
    route: Route,
    message: Message,
    tag: number,
    options: PublishOptions | undefined,
    obstacle: Obstacle | undefined,
  ): 'refused' | 'pending' {
    const { flow, counters, env } = this.#vhost
    if (!flow.hasMemoryFor(parkingCost(message))) {
      const why = obstacle === undefined ? '' : `${obstacle.text()}; `
      return this.#refuseOver(route, message, tag, `${why}no memory is left to hold the publish (limits.waitingBytesMax)`)
    }
    counters.held++
    this.#parkingPlace().add({ route, message, tag, options, sinceMs: env.clock.monoMs() })
    this.#isHeld = true
    if (obstacle !== undefined) {
      flow.gates.wait(this, obstacle.place)
      this.#arm(obstacle.waitMsMax)
    }
    return 'pending'
  }

  #parkingPlace(): Parking {
    return (this.#parking ??= new Parking(this.#vhost.waiting))
  }

  /** Of one that waited: told now, or behind those that wait for the log. */
  answer(tag: number, refusal: RefusalDetail): void {
    if (this.#pendingCount > 0) return this.#refuseBehind(refusal, tag)
    this.refusal = refusal
    this.#owner?.onPublishSettled(tag, 'refused')
  }

  #refuseBehind(refusal: RefusalDetail, tag: number): void {
    this.#pendingCount++
    this.#vhost.log.follow(new RefusedPublish(this, refusal, tag))
  }

  #arm(leftMs: number): void {
    this.#disarm()
    this.#cancelDeadline = this.#vhost.env.clock.after(Math.min(leftMs, TIMER_MAX_MS), () => this.#onDeadline())
  }

  #disarm(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
  }

  #onDeadline(): void {
    this.#cancelDeadline = undefined
    const { gate } = this
    this.goOn(ANSWERS_PER_DEADLINE)
    if (gate !== undefined) this.#vhost.flow.gates.onGivenUp(gate)
  }

  #ease(): void {
    if (this.#releases.length === 0) return
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    if (this.#heldCount * 4 > heldMessagesMax || this.#heldBytes * 4 > heldBytesMax) return
    const releases = this.#releases
    this.#releases = []
    for (const release of releases) release()
  }

  #publishToAll(route: Route, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    const composite = this.#compositeOf(route, message, tag, options)
    const obstacle = composite.obstacle()
    if (obstacle !== undefined) return this.#stop(obstacle, route, message, tag, options)
    composite.go()
    return composite.result
  }

  #compositeOf(route: Route, message: Message, tag: number, options: PublishOptions | undefined): CompositePublish {
    const receivedId = this.#session?.isDurable === true ? options?.receivedId : undefined
    const publish = { route, message, schedule: options?.schedule, dedupId: options?.dedupId, atMs: this.#vhost.env.clock.wallMs() }
    return new CompositePublish(this.#vhost, this, publish, tag, receivedId)
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
    const receivedId = this.#session?.isDurable === true ? options?.receivedId : undefined
    if (holders > 0 && message.size >= LARGE_BODY_BYTES) {
      this.#publishLarge(route, message, tag, options, queues, messageRecord(message, queues, true))
      return 'pending'
    }
    const pending = this.#pendingOf(route, message, tag, holders, receivedId)
    if (holders === 0) log.follow(pending)
    else this.#append(messageRecord(message, queues, mayBeDelivered(targets)), receivedId, pending, route.durability)
    return 'pending'
  }

  #pendingOf(
    route: Route,
    message: Message,
    tag: number,
    holders: number,
    receivedId: number | undefined,
    targets: readonly Target[] = targetsOf(route),
  ): PendingPublish {
    this.#pendingCount++
    this.#pendingBytes += message.size
    return new PendingPublish(this, this.#vhost, targets, route, message, tag, holders, receivedId)
  }

  #isDuplicate(route: Route, options: PublishOptions | undefined): boolean {
    if (options?.dedupId === undefined || options.schedule !== undefined) return false
    return isDuplicate(targetsOf(route), options.dedupId, this.#vhost.env.clock.wallMs())
  }

  /** As the first one was answered, which may be on its way to the log still. */
  #answerDuplicate(route: Route, id: string, tag: number): 'routed' | 'pending' {
    const { counters, log, env } = this.#vhost
    counters.duplicates++
    if (log.isIdle && this.#pendingCount === 0) return 'routed'
    this.#pendingCount++
    log.follow(new DuplicatePublish(this, targetsOf(route), id, tag, () => env.clock.wallMs()))
    return 'pending'
  }

  /**
   * To the queues that have not had a message with this id. A large body goes as it is: while it would be brought into the log in
   * pieces, nobody could say what a duplicate has to wait for.
   */
  #publishOnce(route: Route, message: Message, tag: number, options: PublishOptions, id: string): PublishResult {
    const vhost = this.#vhost
    const nowMs = vhost.env.clock.wallMs()
    const targets = unseenTargets(targetsOf(route), id, nowMs)
    const isLogged = vhost.mustLog(route, message)
    const queues = isLogged ? durableQueues(targets, message) : NO_QUEUES
    const holders = queues.length + (isLogged && message.retain ? 1 : 0)
    rememberId(targets, id, nowMs)
    if (holders === 0 && this.#pendingCount === 0) return vhost.publishTo(targets, route, message)
    message.detach()
    const receivedId = this.#session?.isDurable === true ? options.receivedId : undefined
    const ids = holders === 0 ? [] : idRecords(targets, id, nowMs)
    const group = new OncePublish(this.#pendingOf(route, message, tag, holders, receivedId, targets), ids.length, targets, id)
    if (holders === 0) vhost.log.follow(group)
    else {
      const record = messageRecord(message, queues, mayBeDelivered(targets))
      vhost.log.appendAll([record, ...this.receivedRecords(receivedId), ...ids], group, route.durability)
    }
    return 'pending'
  }

  /** Brings the body into the log in pieces, so that it does not delay what others commit; then its record. */
  #publishLarge(
    route: Route,
    message: Message,
    tag: number,
    options: PublishOptions | undefined,
    queues: readonly number[],
    record: LogRecord,
  ): void {
    const vhost = this.#vhost
    const { hasLimits } = route
    const targets = targetsOf(route)
    this.#isPreparing = true
    this.#isHeld = true
    this.#pendingBytes += message.size
    if (hasLimits) weighUnderWay(vhost, targets, message, 1)
    void vhost.log.prepare(record).then((prepared) => {
      if (prepared === undefined) return // the log has ended, and with it all that waited for it
      this.#isPreparing = false
      this.#pendingBytes -= message.size
      if (hasLimits) weighUnderWay(vhost, targets, message, -1)
      this.#onPrepared(route, message, tag, options, queues, prepared)
      if ((this.#parking?.count ?? 0) > 0) vhost.flow.gates.release(this)
      else this.#isHeld = this.#isPreparing
    })
  }

  #onPrepared(
    route: Route,
    message: Message,
    tag: number,
    options: PublishOptions | undefined,
    queues: readonly number[],
    prepared: PreparedRecord | string,
  ): void {
    if (typeof prepared === 'string') return this.answer(tag, { refusal: 'limit-reached', subject: route.topic, text: prepared })
    const now = durableQueues(targetsOf(route), message)
    if (now.length !== queues.length || now.some((number, index) => number !== queues[index])) {
      // A queue has come or gone meanwhile: the record says something else now, so the body goes its way again.
      prepared.discard()
      if (route.hasTtl) route.limitLife(message, this.#vhost.env.clock.wallMs())
      const result = this.#publishLater(route, message, tag, options)
      if (result !== 'pending') this.#owner?.onPublishSettled(tag, result)
      return
    }
    const receivedId = this.#session?.isDurable === true ? options?.receivedId : undefined
    const pending = this.#pendingOf(route, message, tag, queues.length + (message.retain ? 1 : 0), receivedId)
    this.#append(prepared.record, receivedId, pending, route.durability)
  }

  #publishScheduled(
    route: Route,
    message: Message,
    tag: number,
    options: ScheduleOptions,
    receivedId: number | undefined,
  ): PublishResult {
    const planned = this.#vhost.schedule.plan(route, message, options)
    return planned.ok ? this.#takeScheduled(planned.value, tag, receivedId) : this.refuse(planned.detail, tag)
  }

  #takeScheduled(scheduled: ScheduledPublish, tag: number, receivedId: number | undefined): PublishResult {
    if (!scheduled.isLogged && this.#pendingCount === 0) {
      scheduled.arrive(0)
      return 'routed'
    }
    this.#pendingCount++
    const kept = this.#session?.isDurable === true ? receivedId : undefined
    const pending = new PendingSchedule(this, scheduled, tag, kept)
    if (scheduled.isLogged) this.#append(scheduled.record(), kept, pending, scheduled.durability)
    else this.#vhost.log.follow(pending)
    return 'pending'
  }

  /** A message's record, with the id that it was received with where that is to last: both or none. Hot path. */
  #append(record: LogRecord, receivedId: number | undefined, group: LogGroup, level: Durability): void {
    const { log } = this.#vhost
    if (receivedId === undefined) log.append(record, group, level)
    else log.appendAll([record, ...this.receivedRecords(receivedId)], group, level)
  }

  /** For the group of a message that was received with this id. */
  receivedRecords(receivedId: number | undefined): LogRecord[] {
    return receivedId === undefined ? [] : [numbersRecord(RecordKind.received, this.#session!.queue.number, 0, receivedId)]
  }

  /** A publish with this id is in the log. */
  onReceived(id: number): void {
    this.#session?.onReceived(id)
  }

  #decide(target: ProducerTarget): void {
    target.decidedAt = this.#vhost.authorizer.generation
    target.refusal = undefined
    for (const address of target.addresses) target.refusal ??= this.#vhost.refusalToPublish(this.#subject, address)
  }
}

const NO_QUEUES: readonly number[] = []

/** Why somebody is refused who may have waited. */
function textOf(obstacle: Obstacle): string {
  return obstacle.text() + (obstacle.mayWait ? `; waited ${durationText(obstacle.waitMsMax)}` : '')
}

/** Timers take no more; who waits longer has another look in between. */
const TIMER_MAX_MS = 2_147_483_647
/** Refusals in one go of publishes that have waited for too long; more follow in the same turn. */
const ANSWERS_PER_DEADLINE = 64
