/**
 * The sending end: one per connection, or per stream of it that has an order of its own. It decides permission once per topic and keeps
 * the answer, chooses the way of each message, and says what became of it. Publishes that have no room (`HeldPublishes`) or are on their
 * way to the log (`publish-logged.ts`) keep all later ones of the same producer behind them, within bounds, and nobody else's.
 */
import type { LogRecord } from '@ternmq/store'
import type { Subject } from '../authorizer.ts'
import type { Traffic } from '../counters.ts'
import { type Obstacle, obstacleTo } from '../flow/admission.ts'
import { parkingCost } from '../flow/parking.ts'
import { heldText, tooLargeText } from '../flow/reasons.ts'
import { HeldPublishes } from './held-publishes.ts'
import type { MetaStream, PlainMeta } from '../log/message-record.ts'
import { numbersRecord, RecordKind } from '../log/records.ts'
import type { Message } from '../message/message.ts'
import type { RefusalDetail } from '../refusal.ts'
import { CompositePublish } from './composite-publish.ts'
import { routeToAll } from '../routing/composites.ts'
import { RefusedPublish } from './publish-groups.ts'
import { publishLater, publishPlanned } from './publish-logged.ts'
import { answerDuplicate, isKnownId, publishOnce } from './publish-once.ts'
import { type Route, targetsOf } from '../routing/router.ts'
import { routeTo } from './routed-message.ts'
import type { ScheduleOptions } from '../schedule/options.ts'
import type { Session } from '../session/session.ts'
import { TracedPublishes } from '../tracing/traced-publishes.ts'
import type { PublishTrace } from '../tracing/tracer.ts'
import type { VirtualHost } from '../virtual-host.ts'

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
  /** Generation of `route` in which its adapter has made known that nobody wants its messages. Only the adapter touches it. */
  unheardAt = -1

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

/** Who waits for a producer to have less that waits. */
interface Release {
  readonly release: () => void
  readonly orWaitsForRoom: boolean
}

/** Something that takes its place among the publishes of one producer. */
export interface ProducerWork {
  /** What keeps it from being done; undefined: `go` follows at once. */
  obstacle(): Obstacle | undefined
  go(): void
  /** It cannot be done. */
  refuse(text: string): void
}

export class Producer implements MetaStream {
  readonly #vhost: VirtualHost
  readonly subject: Subject
  readonly #owner: PublishOwner | undefined
  /** Undefined while tracing is off. */
  readonly #traced: TracedPublishes | undefined
  /** Whose it is; undefined for one without a session. */
  readonly #session: Session | undefined
  /** What it publishes counts for this. */
  readonly traffic: Traffic
  /** Publishes that wait for the log. While there are any, all others of this producer wait behind them. */
  #pendingCount = 0
  /** Bytes of those, and of one that is brought into the log in pieces. */
  #pendingBytes = 0
  /** Publishes that have no room. While there are any, all others of this producer wait behind them. */
  #held: HeldPublishes | undefined = undefined
  /** The next publish waits behind others. */
  #isHeld = false
  #isPreparing = false
  /** Adapters that stopped reading; one at most, each of them once. */
  #releases: Release[] = []
  /** Why the last publish was refused. */
  refusal: RefusalDetail | undefined = undefined
  lastMeta: PlainMeta | undefined = undefined

  constructor(vhost: VirtualHost, subject: Subject, owner: PublishOwner | undefined, session: Session | undefined) {
    this.#vhost = vhost
    this.subject = subject
    this.#session = session
    this.#traced =
      vhost.tracer && new TracedPublishes(vhost.tracer, subject, session, owner, this.#take.bind(this), () => this.refusal)
    this.#owner = this.#traced ?? owner
    this.traffic = session?.traffic ?? vhost.traffic
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
    if (this.#traced !== undefined) return this.#traced.publish(target, message, tag, options)
    return this.#take(target, message, tag, options)
  }

  /** A publish begins that goes another way than `publish`. Undefined: nobody follows it. */
  beginTrace(message: Message): PublishTrace | undefined {
    return this.#traced?.begin(message)
  }

  #take(target: ProducerTarget, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    const vhost = this.#vhost
    if (target.decidedAt !== vhost.authorizer.generation) this.#decide(target)
    if (target.refusal !== undefined) return this.refuse(target.refusal, tag)
    const { route } = target
    targetsOf(route)
    if (route.flaw !== undefined) return this.refuse(route.flaw, tag)
    if (message.end - message.headerStart > vhost.limits.messageBytesMax) return this.#refuseTooLarge(route, message, tag)
    if (route.hasTtl && route.parts === undefined) route.limitLife(message, vhost.env.clock.wallMs())
    if (this.#isHeld || this.#pendingCount > 0) {
      if (this.#isOver()) return this.#refuseOver(route, message, tag, undefined)
      if (this.#isHeld) return this.#park(route, message, tag, options, undefined)
    }
    if (route.parts !== undefined) return this.#publishToAll(route, message, tag, options)
    if (options?.schedule !== undefined) return this.#publishScheduled(route, message, tag, options.schedule, options.receivedId)
    if (isKnownId(vhost, route, options)) return answerDuplicate(this, vhost, route, options!.dedupId!, tag)
    const mustLog = vhost.mustLog(route, message)
    const obstacle = obstacleTo(vhost, route, message, mustLog)
    if (obstacle !== undefined) return this.#stop(obstacle, route, message, tag, options)
    if (options?.dedupId !== undefined) return publishOnce(this, vhost, route, message, tag, options, options.dedupId)
    if (this.#pendingCount > 0 || mustLog) return publishLater(this, vhost, route, message, tag, options)
    return vhost.publish(route, message, this.traffic)
  }

  /** Why nothing may be sent there; undefined when something may. */
  refusalOf(target: ProducerTarget): RefusalDetail | undefined {
    if (target.decidedAt !== this.#vhost.authorizer.generation) this.#decide(target)
    return target.refusal
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
    this.#isHeld = true
    this.#holding().addWork(work, obstacle)
  }

  /** A group is on its way to the log: what is published now waits behind it, until it `leave`s, or is settled with these `bytes`. */
  enter(bytes = 0): void {
    this.#pendingCount++
    this.#pendingBytes += bytes
  }

  leave(): void {
    this.#pendingCount--
    if (this.#releases.length > 0) this.ease()
  }

  /** Says no in its turn: at once, or behind the publishes that wait. Acknowledgements keep their order. [MQTT5-4.6.0-2] */
  refuse(refusal: RefusalDetail, tag: number): 'refused' | 'pending' {
    this.traffic.counters.refused++
    // Twice the bound is more than any protocol can have unanswered: who gets there has broken its rules, and the order of answers.
    if ((!this.#isHeld && this.#pendingCount === 0) || this.#heldCount >= this.#vhost.limits.heldMessagesMax * 2) {
      this.refusal = refusal
      return 'refused'
    }
    if (this.#isHeld) this.#holding().addRefusal(refusal, tag)
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

  /**
   * What waits does so for room, which acknowledgements of its own client may make. All else waits for the log, and goes on whatever
   * the client does.
   */
  get waitsForRoom(): boolean {
    return this.#held?.gate !== undefined
  }

  /** What that is, as `room in queue 'q'`; undefined while nothing waits but for the log. */
  get waitsFor(): string | undefined {
    return this.#held?.gate?.what
  }

  /** As `waitsFor`, of one that is blocked: it waits for the log then, if for nothing else. */
  get blockedFor(): string {
    return this.waitsFor ?? 'the store to write what it has sent'
  }

  /**
   * Calls `release` once, when half of what made it blocked has gone; with `orWaitsForRoom` when it has come to wait for room, too:
   * then the client's acknowledgements have to be read.
   */
  whenUnblocked(release: () => void, orWaitsForRoom = false): void {
    this.#releases.push({ release, orWaitsForRoom })
    this.ease()
  }

  /** Only `HeldPublishes` calls this, when the first in line has to wait for room. */
  onWaitsForRoom(): void {
    const releases = this.#releases.filter(({ orWaitsForRoom }) => orWaitsForRoom)
    if (releases.length === 0) return
    this.#releases = this.#releases.filter(({ orWaitsForRoom }) => !orWaitsForRoom)
    for (const { release } of releases) release()
  }

  /** Only what this producer has waiting for the log calls this; `bytes` is what it counted for. */
  settle(tag: number, result: Exclude<PublishResult, 'pending'>, bytes = 0): void {
    this.#pendingCount--
    this.#pendingBytes -= bytes
    this.#owner?.onPublishSettled(tag, result)
    if (this.#releases.length > 0) this.ease()
  }

  /** What became of a publish that waited, of which nothing waits for the log. */
  tell(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.#owner?.onPublishSettled(tag, result)
  }

  /** Unanswered, but for publishes of which the caller knows at once. */
  get #heldCount(): number {
    return this.#pendingCount + (this.#held?.count ?? 0) + (this.#isPreparing ? 1 : 0)
  }

  get #heldBytes(): number {
    return this.#pendingBytes + (this.#held?.bytes ?? 0)
  }

  /** One more would be too many. The last one may go beyond the bytes: who sends it could not know. */
  #isOver(): boolean {
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    return this.#heldCount >= heldMessagesMax || this.#heldBytes >= heldBytesMax
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
    this.traffic.counters.droppedOverLimit++
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
    const { flow } = this.#vhost
    if (!flow.hasMemoryFor(parkingCost(message))) {
      const why = obstacle === undefined ? '' : `${obstacle.text()}; `
      return this.#refuseOver(route, message, tag, `${why}no memory is left to hold the publish (limits.waitingBytesMax)`)
    }
    this.traffic.counters.held++
    this.#isHeld = true
    this.#holding().add(route, message, tag, options, obstacle)
    return 'pending'
  }

  #holding(): HeldPublishes {
    return (this.#held ??= new HeldPublishes(this.#vhost, this))
  }

  /** Nothing waits at a gate any more: the next publish waits for a large body at most. Only `HeldPublishes` calls this. */
  onNoneAtGate(): void {
    this.#isHeld = this.#isPreparing
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

  /** Lets adapters read again when little enough waits. */
  ease(): void {
    if (this.#releases.length === 0) return
    const { heldMessagesMax, heldBytesMax } = this.#vhost.limits
    if (this.#heldCount * 4 > heldMessagesMax || this.#heldBytes * 4 > heldBytesMax) return
    const releases = this.#releases
    this.#releases = []
    for (const { release } of releases) release()
  }

  #publishToAll(route: Route, message: Message, tag: number, options: PublishOptions | undefined): PublishResult {
    const composite = this.compositeOf(route, message, tag, options)
    const obstacle = composite.obstacle()
    if (obstacle !== undefined) return this.#stop(obstacle, route, message, tag, options)
    composite.go()
    return composite.result
  }

  /** A publish to all parts of a composite, as a piece of work. */
  compositeOf(route: Route, message: Message, tag: number, options: PublishOptions | undefined): CompositePublish {
    const receivedId = this.lastingId(options?.receivedId)
    const publish = { route, message, schedule: options?.schedule, dedupId: options?.dedupId, atMs: this.#vhost.env.clock.wallMs() }
    return new CompositePublish(this.#vhost, this, publish, tag, receivedId)
  }

  /** A large body is brought into the log in pieces: nothing overtakes it, and its `bytes` count until `endPreparing`. */
  beginPreparing(bytes: number): void {
    this.#isPreparing = true
    this.#isHeld = true
    this.#pendingBytes += bytes
  }

  /** The pieces are there, or will never be; `onPrepared` follows once it is settled how its publish goes on. */
  endPreparing(bytes: number): void {
    this.#isPreparing = false
    this.#pendingBytes -= bytes
  }

  onPrepared(): void {
    if (this.#held !== undefined && this.#held.count > 0) this.#held.release()
    else this.#isHeld = this.#isPreparing
  }

  /** A large body is on its way into the log; its record follows, and no other before it. */
  get isPreparing(): boolean {
    return this.#isPreparing
  }

  #publishScheduled(
    route: Route,
    message: Message,
    tag: number,
    options: ScheduleOptions,
    receivedId: number | undefined,
  ): PublishResult {
    const planned = this.#vhost.schedule.plan(route, message, options, { subject: this.subject, composite: undefined })
    return planned.ok ? publishPlanned(this, this.#vhost, planned.value, tag, receivedId) : this.refuse(planned.detail, tag)
  }

  /** The id that an exactly-once publish was received with, where it is to last as long as its session. */
  lastingId(receivedId: number | undefined): number | undefined {
    return this.#session?.isDurable === true ? receivedId : undefined
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
    for (const address of target.addresses) target.refusal ??= this.#vhost.refusalToPublish(this.subject, address)
  }
}
