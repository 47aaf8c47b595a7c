// long: the ways of a message in and out of its queue, which share all of its state, next to each other
/**
 * An ordered store of entries; each goes to one consumer at a time. Every subscription of every protocol reads from one.
 * Responsible for taking messages in, for when what waits goes out, and for what becomes of an unsettled entry. What it has is
 * `EntryStore`'s, whose turn it is `ConsumerSet`'s and `Dispatch`'s, reading back from the log `Staging`'s, who gets what the router's.
 */
import { DISPATCH_BATCH_MAX } from '../limits.ts'
import type { Assurance, Message } from '../message/message.ts'
import type { Turns, TurnWork } from '../turns.ts'
import { Backfills } from './backfills.ts'
import { type Consumer, GIVEN_BACK_PER_TURN, type Parting } from './consumer.ts'
import { ConsumerSet } from './consumer-set.ts'
import type { QueueContext } from './context.ts'
import { assuranceOf, Delivery, type Match, type Outcome, type SettleDetail } from './delivery.ts'
import { Dispatch, type DispatchHost, noteReturned, rewindCursors } from './dispatch.ts'
import { type DuplicateWindow, windowFor } from './duplicate-window.ts'
import { EntryStore } from './entry-store.ts'
import { IdleWaiters } from './idle-waiters.ts'
import { footprint, type Lane } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import { propertiesOf } from './message-properties.ts'
import { Rules } from './rules.ts'
import type { Selection } from './selection.ts'
import type { QueueSettings } from './settings.ts'
import { StagedNote, type StagedNoteHost } from './staged-note.ts'
import { stageBytesIn, Staging, type StagingHost } from './staging.ts'

export class Queue extends EntryStore implements TurnWork, DispatchHost, StagingHost, StagedNoteHost {
  readonly #turns: Turns
  readonly #consumers: ConsumerSet
  /** Made when there is first something to hand out: ten thousand queues may wait for that. */
  #dispatch: Dispatch | undefined = undefined
  /** Found missing in the read that is under way. */
  #lostCount = 0
  #backfills: Backfills | undefined = undefined
  /** Groups and last values; undefined for a queue that needs neither. */
  #selection: Selection | undefined = undefined
  /** Nothing goes out, whoever asks. */
  #isPaused = false
  /** A consumer has come, and the log is told what it may get of what came before it. */
  #noting: StagedNote | undefined = undefined
  /** Consumers that have ended and not given back all that they had. Nothing goes out meanwhile: what is younger would go before it. */
  #returningCount = 0
  #isAwake = false
  #idleWaiters: IdleWaiters | undefined = undefined
  /** Unsettled deliveries can come back: their messages must outlive the turn. False for a queue that dies with its one consumer. */
  keepsUnsettled: boolean
  /** Messages of the log up to this one may have been handed out. */
  stagedLsn = 0
  /** Ids of messages that it has had; undefined for a queue that remembers none. */
  duplicates: DuplicateWindow | undefined = undefined
  /** Unix ms since when no consumer has been attached; of no meaning while one is. */
  aloneSinceMs: number
  /** Unix ms since when messages have waited and nobody has taken one. */
  idleSinceMs = 0

  constructor(context: QueueContext, name: string, settings: QueueSettings, keepsUnsettled: boolean) {
    super(context, name, settings)
    this.#turns = context.turns
    this.keepsUnsettled = keepsUnsettled
    this.aloneSinceMs = context.env.clock.wallMs()
    this.#consumers = new ConsumerSet(settings.exclusive)
    if (settings.lastValueKey !== undefined) this.#rules()
    this.duplicates = windowFor(settings, this.duplicates, context.env.clock.wallMs())
  }

  get consumers(): readonly Consumer[] {
    return this.#consumers.all
  }

  /** The one that has the queue to itself. */
  get activeConsumer(): Consumer | undefined {
    return this.#consumers.active
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** What becomes of deliveries whose consumer ends without settling them. A stop of the broker is no fault of theirs. */
  get outcomeOfLoss(): Outcome {
    return this.context.isStopping ? 'released' : 'modified'
  }

  /** Other settings from now on. What waits stays, even where a limit is lower now; a ring drops what is too much. */
  use(settings: QueueSettings): void {
    this.settings = settings
    this.#consumers.setExclusive(settings.exclusive)
    if (settings.lastValueKey !== undefined) this.#rules()
    this.duplicates = windowFor(settings, this.duplicates, this.context.env.clock.wallMs())
    this.#selection?.use(settings)
    if (settings.whenFull === 'drop-oldest') this.makeRoom(0)
    this.ease()
    this.wake()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.wake()
  }

  addConsumer(consumer: Consumer): void {
    if (consumer.isAttached) this.beforeAttached()
    this.#consumers.add(consumer)
    this.wake()
  }

  removeConsumer(consumer: Consumer): void {
    if (!this.#consumers.remove(consumer)) return
    this.#selection?.onConsumerGone(consumer)
    this.#dropIdleRules()
    this.#rewindAll()
    this.context.onEased(this)
  }

  /** What a consumer had that has ended comes back in turns of its own. Only `Consumer.cancel` calls this. */
  takeBackInPieces(consumer: Consumer, parting: Parting): void {
    this.#returningCount++
    this.#turns.addLong(() => {
      consumer.giveBackOldest(GIVEN_BACK_PER_TURN, parting)
      if (consumer.unsettledCount > 0) return true
      this.#returningCount--
      this.#wakeForIdle()
      this.wake()
      return false
    })
  }

  /** `member` takes part in it, and somebody else does who can be reached now. */
  isSharedWith(member: Consumer): boolean {
    const all = this.#consumers.all
    if (this.settings.keepsAtMostOnce) return all.includes(member) // a queue with a name is everybody's
    return all.includes(member) && all.some((other) => other !== member && other.isAttached)
  }

  /**
   * The first consumer is about to come. Messages that were logged while there was none do not say that they may have been handed out:
   * the log must say so before they are, or they would come again unmarked after a crash. What is on disk only is noted when it is
   * read back. Only `Consumer.attach` calls this.
   */
  beforeAttached(): void {
    const { log } = this.context
    if (this.number === 0 || this.#consumers.hasAttached()) return
    if (this.#noting !== undefined) return this.#noting.repeat()
    if (log.isIdle && this.contents.lastLoadedLsn() <= this.stagedLsn) return
    this.#noting = new StagedNote(log, this)
    this.#noting.submit()
  }

  /** Only `StagedNote` calls this. */
  onNoted(): void {
    this.#noting = undefined
    this.#wakeForIdle()
    this.wake()
  }

  /** Up to this one, messages of the log may be handed out without another word to it: what a snapshot has to say of them. */
  get deliverableLsn(): number {
    return this.hasAttachedConsumer ? Math.max(this.stagedLsn, this.contents.lastLoadedLsn()) : this.stagedLsn
  }

  get hasAttachedConsumer(): boolean {
    return this.#consumers.hasAttached()
  }

  /**
   * Takes a routed message: straight to a consumer when nothing waits before it, else behind what waits. Hot path.
   * False when it was not kept.
   */
  offer(given: Message, match: Match): boolean {
    const message = given.lives === undefined ? given : given.livingUntil(given.lives.get(this) ?? given.expiresAtMs)
    const assurance = assuranceOf(message, match)
    if (this.#selection !== undefined) this.#dropIdleRules()
    if (message.extras !== undefined) this.#heed(message)
    if (
      !this.#hasRules &&
      !this.#isPaused &&
      this.#returningCount === 0 &&
      !(this.#noting !== undefined && message.lsn !== 0) &&
      this.contents.waitingCount === 0 &&
      this.#backfills === undefined
    ) {
      const consumer = this.#consumers.next(assurance)
      // One whose time is over already goes the way of all that expire.
      if (
        consumer !== undefined &&
        (message.expiresAtMs === 0 || !isExpired(message, this.context.env.clock.wallMs()))
      ) {
        this.#handOver(consumer, message, match, assurance, false)
        return true
      }
    }
    return this.#wait(message, match, assurance)
  }

  /** Retained messages for a new binding; they go before all that waits or comes. */
  backfill(messages: readonly Message[], match: Match): void {
    if (messages.length === 0) return
    this.#backfills ??= new Backfills()
    if (!this.#backfills.add(messages, match)) {
      this.counters.droppedOverLimit += messages.length
      this.droppedCount += messages.length
    }
    this.wake()
  }

  /** Dispatches at the end of this turn. */
  override wake(): void {
    if (this.#isAwake || (this.contents.waitingCount === 0 && this.#backfills === undefined)) return
    this.#isAwake = true
    this.#turns.wake(this)
  }

  /**
   * Calls `then` once, at the end of this turn or in a later one: as soon as nothing that waits can be handed to a consumer that has asked
   * for it. A paused queue has nothing to hand out; while messages are read back from the log there may be something.
   */
  whenIdle(then: () => void): void {
    ;(this.#idleWaiters ??= new IdleWaiters()).add(then)
    this.#wakeForIdle()
  }

  /** Moves entries to consumers until either side, or the batch, runs out. Hot path. */
  runTurn(nowMs: number): void {
    this.#isAwake = false
    if (this.#noting !== undefined || this.#returningCount > 0) return
    if (this.#isPaused) return this.#idleWaiters?.tell()
    let budget = DISPATCH_BATCH_MAX
    if (this.#backfills !== undefined) {
      budget = this.#runBackfills(this.#backfills, budget, nowMs)
      if (this.#backfills !== undefined) return this.#yieldIfSpent(budget)
    }
    this.#dispatch ??= new Dispatch(
      this,
      this.contents,
      this.#consumers,
      new Staging(this.context.log, this),
      this.context.env.clock,
    )
    const left = this.#dispatch.run(budget, nowMs)
    if (left < budget) this.idleSinceMs = nowMs
    if (this.contents.waitingCount > 0) this.#watchConsumers()
    if (left > 0 && !this.#dispatch.isReading) this.#idleWaiters?.tell()
    this.#yieldIfSpent(left)
  }

  /** A consumer finished a delivery; only `Consumer.settle` calls this. Hot path. */
  onSettled(delivery: Delivery, outcome: Outcome, consumer: Consumer, detail?: SettleDetail): void {
    if (outcome === 'accepted') {
      this.countSettled(consumer.traffic)
      return this.finish(delivery, consumer.pool.sessionNumber)
    }
    if (outcome === 'rejected') return this.reject(delivery, 'rejected', detail?.reason, consumer.pool.sessionNumber)
    if (this.isEnding) return this.finish(delivery)
    if (detail?.annotations !== undefined) delivery.message = delivery.message.annotated(detail.annotations)
    // Before it waits: what it waits for must know.
    if (detail?.undeliverableHere === true) {
      ;(delivery.refusedBy ??= []).push(consumer)
      this.#rules().heedRefusals()
    }
    if (outcome === 'released' || detail?.deliveryFailed === false) this.putBack(delivery, delivery.failedCount)
    else this.retry(delivery, delivery.failedCount + 1)
  }

  /** As `onLeft`, after the turn of the others: they may be past it. Only `Consumer.leave` calls this. */
  onLeftLate(consumer: Consumer, entry: Delivery): void {
    if (this.onLeft(consumer, entry)) this.onReturned(entry.message.priority, entry.position)
  }

  /**
   * A consumer can never take an entry that it was handed: others may, where the queue has others, now or later. True when it waits for
   * them. What nobody else reads is done with. [MQTT5-3.1.2-25]
   */
  onLeft(consumer: Consumer, entry: Delivery): boolean {
    if (consumer.match === undefined || entry.retained || this.isEnding) {
      if (entry.assurance > 0) this.reject(entry, 'rejected', undefined, consumer.pool.sessionNumber)
      else this.counters.rejected++
      return false
    }
    if (this.#consumers.noteLeaving(consumer)) this.context.onTooLarge(this, consumer, entry.message)
    entry.protocolState = 0
    this.waitAgain(entry)
    this.wake()
    return true
  }

  /** After a restart: takes back what the log kept. */
  restore(lanes: readonly Lane[]): void {
    this.contents.adopt(lanes)
    this.#selection?.onRestored()
    this.idleSinceMs = this.context.env.clock.wallMs()
    this.expectExpiry(this.expiresFirstMs)
    this.wake()
  }

  /** After a restart: the consumer has the entry, and its group with it. */
  onAdopted(consumer: Consumer, entry: Delivery): void {
    this.#heed(entry.message)
    // One that has left finishes what it has, and its group is free.
    if (this.#consumers.all.includes(consumer)) this.onChosen(consumer, entry)
  }

  /** Also of the retained messages that were still to come. */
  override close(): number[] {
    this.#backfills = undefined
    this.#wakeForIdle()
    return super.close()
  }

  // ── EntryStore ──

  protected override get queue(): Queue {
    return this
  }

  protected override isReplaced(delivery: Delivery): boolean {
    return this.#selection?.isReplaced(delivery) === true
  }

  protected override onReturned(priority: number, position: number): void {
    if (this.isChoosing) noteReturned(this.#consumers, priority, position)
    this.wake()
  }

  // ── DispatchHost ──

  get isChoosing(): boolean {
    return this.#selection?.isChoosing === true || this.#consumers.isSelective
  }

  wants(consumer: Consumer, entry: Delivery): boolean {
    if (entry.refusedBy?.includes(consumer) === true) return false
    if (this.#selection?.wants(consumer, entry) === false) return false
    return consumer.selector?.matches(propertiesOf(entry.message, entry.failedCount, entry.redelivered)) ?? true
  }

  beginsGroup(entry: Delivery): boolean {
    return this.#selection?.beginsGroup(entry) ?? false
  }

  fewestGroups(consumers: readonly Consumer[]): Consumer | undefined {
    return this.#selection?.fewestGroups(consumers)
  }

  onChosen(consumer: Consumer, entry: Delivery): void {
    if (this.#selection?.onChosen(consumer, entry) === true) this.#rewindAll()
  }

  /** Serves an entry that waited. Hot path. */
  hand(consumer: Consumer, entry: Delivery): boolean {
    const { assurance, match } = entry
    this.takeWaiting(entry.line!, entry.position, true)
    const own = consumer.match
    if (own !== undefined) {
      entry.match = own
      entry.assurance = assuranceOf(entry.message, own)
    }
    const isTaken = consumer.take(entry)
    const isSettled = entry.assurance === 0
    // What it was when it came says whether the log has it.
    if (isSettled || !isTaken) entry.assurance = assurance
    if (!isTaken && this.onLeft(consumer, entry)) {
      entry.match = match
      return false
    }
    this.countServed(consumer.traffic, entry.message)
    if (!isSettled || (!isTaken && assurance > 0)) return true
    this.finish(entry)
    entry.line = undefined
    return true
  }

  // ── StagingHost ──

  /** What is read now may be handed out: after a crash nobody could say any more that it was not. */
  beforeStaging(lastLsn: number): Promise<void> | undefined {
    if (lastLsn <= this.stagedLsn) return undefined
    this.stagedLsn = lastLsn
    return new Promise((resolve) => this.context.log.noteStaged(this.number, lastLsn, resolve))
  }

  onStaged(line: WaitingLine, position: number, message: Message | undefined): void {
    if (message === undefined) {
      // The store has not got it any more: what is lost must be told, and must not stop the queue.
      this.takeWaiting(line, position, false)
      this.counters.lost++
      this.#lostCount++
      return this.finishAt(line, position)
    }
    this.#heed(message)
    this.contents.load(position, line, this.entryOf(message, line, position))
    this.notePageable()
  }

  get stageBytesMax(): number {
    return stageBytesIn(this.context.waiting)
  }

  onStagingDone(): void {
    if (this.#lostCount > 0) {
      this.context.onLost(this, this.#lostCount)
      this.#lostCount = 0
    }
    this.#wakeForIdle()
    this.wake()
  }

  /** Messages of groups need rules from the first one on. */
  #heed(message: Message): void {
    if (message.extras?.groupId !== undefined) this.#rules().heedGroups()
  }

  #rules(): Selection {
    return (this.#selection ??= new Rules(this, this.settings))
  }

  /** No message goes past what waits, be it nothing. */
  get #hasRules(): boolean {
    return this.#selection !== undefined || this.#consumers.isSelective
  }

  /** An empty queue without groups takes the plain way again. */
  #dropIdleRules(): void {
    if (this.#selection?.isIdle === true && this.contents.liveCount === 0) this.#selection = undefined
  }

  /** What others passed over may be for them now. */
  #rewindAll(): void {
    for (const { priority } of this.contents.all) rewindCursors(this.#consumers, priority, 1)
    this.wake()
  }

  /** Serves one message that never waited. Only an unsettled one costs an object of its own. Hot path. */
  #handOver(consumer: Consumer, message: Message, match: Match, assurance: Assurance, retained: boolean): void {
    const own = consumer.match
    const effective = own === undefined ? assurance : assuranceOf(message, own)
    if (effective === 0) {
      const delivery = settledDelivery
      delivery.message = message
      delivery.match = own ?? match
      delivery.retained = retained
      if (!consumer.take(delivery)) return this.#onLeftAtOnce(consumer, message, match, assurance, retained)
      if (assurance !== 0) this.settleUnkept(message, retained)
      this.countHandedOn(consumer.traffic, message)
      return
    }
    const delivery = new Delivery(message, own ?? match, effective, retained)
    const isLogged = this.isInLog(message) && !retained
    if (this.keepsUnsettled || isLogged) {
      message.detach()
      this.place(delivery, isLogged, true)
    }
    if (consumer.take(delivery) || !this.onLeft(consumer, delivery))
      return this.countHandedOn(consumer.traffic, message)
    // For others it is as it came.
    delivery.match = match
    delivery.assurance = assurance
    this.countKept(message)
  }

  /** Of one that would have been settled by being sent, and has no place yet. */
  #onLeftAtOnce(consumer: Consumer, message: Message, match: Match, assurance: Assurance, retained: boolean): void {
    if (consumer.match === undefined || retained) {
      this.counters.rejected++
      if (assurance !== 0) this.settleUnkept(message, retained)
      return this.countHandedOn(consumer.traffic, message)
    }
    const delivery = new Delivery(message, match, assurance, false)
    message.detach()
    this.place(delivery, assurance !== 0 && this.isInLog(message), true)
    if (this.onLeft(consumer, delivery)) this.countKept(message)
  }

  #wait(message: Message, match: Match, assurance: Assurance): boolean {
    if (this.isClosed) {
      if (assurance !== 0) this.settleUnkept(message, false)
      return false
    }
    if (assurance === 0 && !this.settings.keepsAtMostOnce && !this.#consumers.hasAttached()) {
      this.counters.droppedOffline++
      return false
    }
    const isLogged = assurance !== 0 && this.isInLog(message)
    const bytes = footprint(message, isLogged)
    const isFull = !this.hasRoomFor(bytes, isLogged)
    if (isFull && !this.makeRoomFor(bytes, isLogged, assurance)) {
      this.counters.droppedOverLimit++
      this.droppedCount++
      if (assurance !== 0) this.settleUnkept(message, false)
      return false
    }
    this.countKept(message)
    if (this.contents.waitingCount === 0) {
      this.idleSinceMs = this.context.env.clock.wallMs()
      this.#watchConsumers()
    }
    if (message.expiresAtMs !== 0) this.expectExpiry(message.expiresAtMs)
    const entry = new Delivery(message, match, assurance, false)
    const isLoaded = !isLogged || this.keepsInMemory(bytes)
    if (isLoaded) {
      message.detach()
      this.place(entry, isLogged, false)
    } else {
      entry.line = this.contents.line(message.priority)
      entry.position = entry.line.push(message.lsn, bytes, message.expiresAtMs, undefined, false)
    }
    this.contents.weighWaiting(bytes, isLogged, isLoaded, 1)
    if (isLogged && isLoaded) this.notePageable()
    this.#selection?.onWaiting(message, entry.line!, entry.position)
    if (this.isFilling) this.press()
    // The first one now is another, there is a taker for this one only, or it was too late for the one that there is.
    if (isFull || this.#hasRules || message.expiresAtMs !== 0) this.wake()
    return true
  }

  /** A consumer of it has lost its connection. */
  onConsumerDetached(): void {
    if (!this.#consumers.hasAttached()) this.aloneSinceMs = this.context.env.clock.wallMs()
  }

  /** Those who wait for it must hear, even if all that was waiting has gone. */
  #wakeForIdle(): void {
    if (this.#idleWaiters?.isEmpty !== false || this.#isAwake) return
    this.#isAwake = true
    this.#turns.wake(this)
  }

  #watchConsumers(): void {
    if (this.settings.slowConsumerMs > 0 && this.#consumers.hasAttached()) this.context.flow.watchConsumers(this)
  }

  #runBackfills(backfills: Backfills, budget: number, nowMs: number): number {
    const left = backfills.run(budget, (message, match) => {
      if (isExpired(message, nowMs)) return 'expired'
      const assurance = assuranceOf(message, match)
      const consumer = this.#consumers.next(assurance)
      if (consumer === undefined) return 'later'
      this.#handOver(consumer, message, match, assurance, true)
      return 'taken'
    })
    if (backfills.isEmpty) this.#backfills = undefined
    return left
  }

  #yieldIfSpent(budget: number): void {
    if (budget > 0 || this.#isAwake) return
    this.#isAwake = true
    this.#turns.wakeNextTurn(this)
  }
}

/** Reused for every delivery that is settled by being sent. */
const settledDelivery: Delivery = new Delivery(undefined as never, undefined as never, 0, false)

function isExpired(message: Message, nowMs: number): boolean {
  return message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs
}
