// long: weights, limits and outcomes of one queue change together; order, turns, reading and rules are already its neighbours
/**
 * An ordered store of entries; each goes to one consumer at a time. Every subscription of every protocol reads from one.
 * Responsible for taking messages in, limits, and what becomes of an unsettled entry. Order and place are `Lanes`', whose turn it is
 * `ConsumerSet`'s and `Dispatch`'s, reading back from the log `Staging`'s, who gets what the router's.
 */
import type { Env } from '../env.ts'
import type { Counters } from '../counters.ts'
import type { HoldingReport } from '../flow/gates.ts'
import type { QueueFlow } from '../flow/queue-flow.ts'
import type { ExpirySweep } from '../flow/sweeper.ts'
import { DISPATCH_BATCH_MAX, ENTRY_BYTES, PAGE_LOOKS_MAX } from '../limits.ts'
import type { HostLog } from '../log/host-log.ts'
import type { Assurance, Message } from '../message.ts'
import type { Turns, TurnWork } from '../turns.ts'
import { Backfills } from './backfills.ts'
import type { Consumer } from './consumer.ts'
import { ConsumerSet } from './consumer-set.ts'
import { Delivery, type Match, type Outcome, type SettleDetail } from './delivery.ts'
import { Dispatch, type DispatchHost, noteReturned, rewindCursors } from './dispatch.ts'
import { type DuplicateWindow, windowFor } from './duplicate-window.ts'
import { ExpiredMoves } from './expired-moves.ts'
import type { LastValuesHost } from './last-values.ts'
import { INDEX_BYTES, type Lane, Lanes, type LanesEnd, type Leaving, type WaitingBytes } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import { Pressure } from './pressure.ts'
import { propertiesOf } from './message-properties.ts'
import { Rules } from './rules.ts'
import type { Selection } from './selection.ts'
import type { QueueSettings } from './settings.ts'
import { Staging, STAGE_BYTES_MAX, STAGE_MESSAGES_MAX, type StagingHost } from './staging.ts'

/** Why a message leaves its queue for another one. */
export type MoveCause = 'rejected' | 'deliveries-exhausted' | 'expired' | 'undeliverable'

/** What a queue needs of its virtual host. */
export interface QueueContext {
  readonly turns: Turns
  readonly counters: Counters
  readonly env: Env
  readonly log: HostLog
  /** What waits in memory in all queues together. */
  readonly waiting: WaitingBytes
  readonly flow: QueueFlow
  /** The broker is being stopped: connections end, and nobody is at fault. */
  readonly isStopping: boolean
  /** A queue that wants the producer at hand to pause, until somebody takes note. */
  pressedBy: Queue | undefined
  /** The bindings that a message read back from the log came by. */
  matchFor(queue: Queue, message: Message): Match
  /** Takes an entry, which nobody else has now, to the queue named `target`, and out of this one when it has arrived there. */
  moveAway(queue: Queue, delivery: Delivery, target: string, cause: MoveCause, reason: string | undefined): void
  /** When and whether an entry whose delivery failed may be tried again: ms from now, or undefined for no more. */
  nextAttemptMs(settings: QueueSettings, failedCount: number): number | undefined
  /** Something happened to a queue that somebody may have waited for: it has room again, or nothing in it. */
  onEased(queue: Queue): void
  /** So many messages that waited in the queue are not in the store any more. */
  onLost(queue: Queue, count: number): void
}

export class Queue implements TurnWork, DispatchHost, StagingHost, LastValuesHost {
  readonly name: string
  /** In the log; 0 for a queue that does not outlive the process. */
  number = 0
  /** Messages before this one came when the queue was not in the log: the log does not wait for them. */
  #loggedFromLsn = 0
  readonly #context: QueueContext
  readonly #turns: Turns
  readonly #counters: Counters
  readonly #consumers: ConsumerSet
  readonly #lanes: Lanes
  /** Made when there is first something to hand out: ten thousand queues may wait for that. */
  #dispatch: Dispatch | undefined = undefined
  #settings: QueueSettings
  /** Found missing in the read that is under way. */
  #lostCount = 0
  #backfills: Backfills | undefined = undefined
  /** Groups and last values; undefined for a queue that needs neither. */
  #selection: Selection | undefined = undefined
  /** Nothing goes out, whoever asks. */
  #isPaused = false
  /** A consumer has come, and the log is told what it may get of what came before it. */
  #isNoting = false
  #notesAgain = false
  #isAwake = false
  #isClosed = false
  /** Made when the queue first fills. */
  #pressure: Pressure | undefined = undefined
  /** Unsettled deliveries can come back: their messages must outlive the turn. False for a queue that dies with its one consumer. */
  keepsUnsettled: boolean
  /** Entries not kept because of a limit. */
  droppedCount = 0
  /** Published and not yet committed: they count against the limits. */
  underWayCount = 0
  underWayBytes = 0
  /** Messages of the log up to this one may have been handed out. */
  stagedLsn = 0
  /** Ids of messages that it has had; undefined for a queue that remembers none. */
  duplicates: DuplicateWindow | undefined = undefined
  /** Somebody waits for room in it and hears of it by `QueueContext.onEased`. */
  isBlocking = false
  holdingReport: HoldingReport | undefined = undefined
  /** Unix ms since when no consumer has been attached; of no meaning while one is. */
  aloneSinceMs: number
  /** Unix ms since when messages have waited and nobody has taken one. */
  idleSinceMs = 0
  #sweep: ExpirySweep | undefined = undefined
  /** Flow control knows that some of its messages need not be in memory. */
  #isPageable = false
  /** Made when the first message expires whose bytes are on disk. */
  #expiredMoves: ExpiredMoves | undefined = undefined

  constructor(context: QueueContext, name: string, settings: QueueSettings, keepsUnsettled: boolean) {
    this.#context = context
    this.#turns = context.turns
    this.#counters = context.counters
    this.name = name
    this.#settings = settings
    this.keepsUnsettled = keepsUnsettled
    this.aloneSinceMs = context.env.clock.wallMs()
    this.#consumers = new ConsumerSet(settings.exclusive)
    this.#lanes = new Lanes(context.waiting)
    if (settings.lastValueKey !== undefined) this.#rules()
    this.duplicates = windowFor(settings, this.duplicates, context.env.clock.wallMs())
  }

  get settings(): QueueSettings {
    return this.#settings
  }

  get waitingCount(): number {
    return this.#lanes.waitingCount
  }

  get waitingBytes(): number {
    return this.#lanes.bytes
  }

  /** With consumers, in a transaction, or waiting for their next attempt. */
  get inflightCount(): number {
    return this.#lanes.liveCount - this.#lanes.waitingCount
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

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What becomes of deliveries whose consumer ends without settling them. A stop of the broker is no fault of theirs. */
  get outcomeOfLoss(): Outcome {
    return this.#context.isStopping ? 'released' : 'modified'
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.all
  }

  /** Other settings from now on. What waits stays, even where a limit is lower now; a ring drops what is too much. */
  use(settings: QueueSettings): void {
    this.#settings = settings
    this.#consumers.setExclusive(settings.exclusive)
    if (settings.lastValueKey !== undefined) this.#rules()
    this.duplicates = windowFor(settings, this.duplicates, this.#context.env.clock.wallMs())
    this.#selection?.use(settings)
    if (settings.whenFull === 'drop-oldest') this.#makeRoom(0)
    this.#ease()
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
    this.#context.onEased(this)
  }

  /** `member` takes part in it, and somebody else does who can be reached now. */
  isSharedWith(member: Consumer): boolean {
    const all = this.#consumers.all
    if (this.#settings.keepsAtMostOnce) return all.includes(member) // a queue with a name is everybody's
    return all.includes(member) && all.some((other) => other !== member && other.isAttached)
  }

  /**
   * The first consumer is about to come. Messages that were logged while there was none do not say that they may have been handed out:
   * the log must say so before they are, or they would come again unmarked after a crash. What is on disk only is noted when it is
   * read back. Only `Consumer.attach` calls this.
   */
  beforeAttached(): void {
    const { log } = this.#context
    if (this.number === 0 || this.#consumers.hasAttached()) return
    if (this.#isNoting) {
      this.#notesAgain = true // more may have come since the last one left
      return
    }
    if (log.isIdle && this.#lanes.lastLoadedLsn() <= this.stagedLsn) return
    this.#isNoting = true
    this.#noteWaiting()
  }

  /** When everything submitted so far has come in. */
  #noteWaiting(): void {
    const { log } = this.#context
    log.mark(() => {
      const lsn = this.#lanes.lastLoadedLsn()
      if (lsn <= this.stagedLsn) return this.#onNoted()
      this.stagedLsn = lsn
      log.noteStaged(this.number, lsn, () => this.#onNoted())
    })
  }

  /** Up to this one, messages of the log may be handed out without another word to it: what a snapshot has to say of them. */
  get deliverableLsn(): number {
    return this.hasAttachedConsumer ? Math.max(this.stagedLsn, this.#lanes.lastLoadedLsn()) : this.stagedLsn
  }

  #onNoted(): void {
    if (this.#notesAgain) {
      this.#notesAgain = false
      return this.#noteWaiting()
    }
    this.#isNoting = false
    this.wake()
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
    const assurance = lower(message.assurance, match.assuranceMax)
    if (this.#selection !== undefined) this.#dropIdleRules()
    if (message.extras !== undefined) this.#heed(message)
    if (
      !this.#hasRules &&
      !this.#isPaused &&
      !(this.#isNoting && message.lsn !== 0) &&
      this.#lanes.waitingCount === 0 &&
      this.#backfills === undefined
    ) {
      const consumer = this.#consumers.next(assurance)
      // One whose time is over already goes the way of all that expire.
      if (
        consumer !== undefined &&
        (message.expiresAtMs === 0 || !isExpired(message, this.#context.env.clock.wallMs()))
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
      this.#counters.droppedOverLimit += messages.length
      this.droppedCount += messages.length
    }
    this.wake()
  }

  /** Dispatches at the end of this turn. */
  wake(): void {
    if (this.#isAwake || (this.#lanes.waitingCount === 0 && this.#backfills === undefined)) return
    this.#isAwake = true
    this.#turns.wake(this)
  }

  /** Moves entries to consumers until either side, or the batch, runs out. Hot path. */
  runTurn(nowMs: number): void {
    this.#isAwake = false
    if (this.#isPaused || this.#isNoting) return
    let budget = DISPATCH_BATCH_MAX
    if (this.#backfills !== undefined) {
      budget = this.#runBackfills(this.#backfills, budget, nowMs)
      if (this.#backfills !== undefined) return this.#yieldIfSpent(budget)
    }
    this.#dispatch ??= new Dispatch(this, this.#lanes, this.#consumers, new Staging(this.#context.log, this))
    const left = this.#dispatch.run(budget, nowMs)
    if (left < budget) this.idleSinceMs = nowMs
    if (this.#lanes.waitingCount > 0) this.#watchConsumers()
    this.#yieldIfSpent(left)
  }

  /** A consumer finished a delivery; only `Consumer.settle` calls this. Hot path. */
  onSettled(delivery: Delivery, outcome: Outcome, consumer: Consumer, detail?: SettleDetail): void {
    if (outcome === 'accepted') return this.#finish(delivery, consumer.pool.sessionNumber)
    if (outcome === 'rejected') return this.#reject(delivery, 'rejected', detail?.reason, consumer.pool.sessionNumber)
    if (this.#isClosed) return this.#finish(delivery)
    if (outcome === 'released' || detail?.deliveryFailed === false) this.#putBack(delivery, delivery.failedCount)
    else this.#retry(delivery, delivery.failedCount + 1)
    if (detail?.undeliverableHere !== true) return
    ;(delivery.refusedBy ??= []).push(consumer)
    this.#rules().heedRefusals()
  }

  /** A transaction has finished a delivery, and the log knows. */
  onSettledInLog(delivery: Delivery, outcome: 'accepted' | 'rejected'): void {
    if (outcome === 'rejected') this.#counters.rejected++
    const isLogged = this.isLogged(delivery)
    const wasThere = delivery.line?.remove(delivery.position) ?? true
    if (isLogged && wasThere) this.#context.log.unref(delivery.message.lsn)
  }

  /** A settled delivery that its receiver can never take; only `Consumer.take` calls this. */
  onUndeliverable(): void {
    this.#counters.rejected++
  }

  /** From now on it outlives the process, as `number` of the log. What it has already does not. */
  enterLog(number: number): void {
    this.number = number
    this.#loggedFromLsn = Infinity
    this.#context.log.mark((nextLsn) => {
      this.#loggedFromLsn = nextLsn
    })
  }

  /** After a restart: takes back what the log kept. */
  restore(lanes: readonly Lane[]): void {
    this.#lanes.adopt(lanes)
    this.#selection?.onRestored()
    this.idleSinceMs = this.#context.env.clock.wallMs()
    this.expectExpiry(this.expiresFirstMs)
    this.wake()
  }

  /** After a restart: the entry of a message, for the consumer who had it. Undefined when it is not here any more. */
  claim(message: Message): Delivery | undefined {
    const line = this.#lanes.line(message.priority)
    const position = line.find(message.lsn)
    if (position === 0 || !line.isWaiting(position)) return undefined
    const entry = this.#entryOf(message, line, position)
    entry.redelivered = true
    this.#takeWaiting(line, position, false)
    return entry
  }

  /** After a restart: the consumer has the entry, and its group with it. */
  onAdopted(consumer: Consumer, entry: Delivery): void {
    this.#heed(entry.message)
    // One that has left finishes what it has, and its group is free.
    if (this.#consumers.all.includes(consumer)) this.onChosen(consumer, entry)
  }

  /** Forgets everything that waits and takes nothing more. Returns the lsns of what the log has for it, with consumers or waiting. */
  close(): number[] {
    this.#isClosed = true
    const lsns: number[] = []
    for (const { line } of this.#lanes.all) {
      for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
        const lsn = line.lsnAt(position)
        if (lsn !== 0) lsns.push(lsn)
        line.remove(position) // a settle that is on its way to the log finds it gone
      }
    }
    this.#lanes.clear()
    this.#backfills = undefined
    this.#pressure?.release()
    this.#context.flow.forget(this, this.#sweep)
    this.#context.onEased(this)
    return lsns
  }

  /** The log says that this queue has the message, and has to hear when it has not any more. */
  isLogged(delivery: Delivery): boolean {
    return this.#isInLog(delivery.message) && delivery.assurance !== 0 && !delivery.retained
  }

  /** There is no room for `bytes` more, counting what is on its way. */
  isFullFor(bytes: number): boolean {
    const { messagesMax, bytesMax } = this.#settings
    return (
      this.#lanes.waitingCount + this.underWayCount >= messagesMax ||
      this.#lanes.bytes + this.underWayBytes + bytes > bytesMax
    )
  }

  /** A quarter of a limit is waiting: time to slow producers down, while there is still room for what is on its way. */
  get isFilling(): boolean {
    const { messagesMax, bytesMax } = this.#settings
    return this.#lanes.waitingCount * 4 > messagesMax || this.#lanes.bytes * 4 > bytesMax
  }

  /** Calls `release` when the queue has drained to an eighth of its limits, or has proved too slow to wait for. */
  holdProducer(release: () => void): void {
    this.#pressure!.hold(release)
  }

  /** For a purge: all that waits before `end` is on its way out, until `contents` finishes or undoes that. */
  leaveAll(end: LanesEnd): Leaving {
    const leaving = this.#lanes.leaveAll(end)
    this.#ease()
    return leaving
  }

  get contents(): Lanes {
    return this.#lanes
  }

  /** The entry of a waiting position; `message` is its own, read from the log. */
  entryFor(message: Message, line: WaitingLine, position: number): Delivery {
    return line.entryAt(position) ?? this.#entryOf(message, line, position)
  }

  /** Takes a waiting entry out, for somebody who moves, deletes or replaces it, and then finishes it or puts it back. */
  takeOut(line: WaitingLine, position: number): void {
    const { lsn, bytes, entry } = line.look(position)!
    this.#lanes.weighWaiting(bytes, lsn !== 0, entry !== undefined, -1)
    line.take(position)
    this.#ease()
    this.wake() // the one behind it may need less
  }

  /** Somebody who took it out has finished with it. */
  finishAt(line: WaitingLine, position: number): void {
    const lsn = line.lsnAt(position)
    if (lsn === 0) line.remove(position)
    else this.#context.log.settle(this.number, lsn, line, position)
  }

  /** An entry that somebody took out, or could not move away, waits again. */
  takeBack(delivery: Delivery): void {
    if (!this.#isClosed) this.#putBack(delivery, delivery.failedCount)
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

  // ── LastValuesHost ──

  readMessages(lsns: readonly number[]): Promise<(Message | undefined)[] | undefined> {
    return this.#context.log.readMessages(lsns)
  }

  replace(line: WaitingLine, position: number): void {
    this.#counters.replaced++
    this.takeOut(line, position)
    this.finishAt(line, position)
  }

  /** Serves an entry that waited. Hot path. */
  hand(consumer: Consumer, entry: Delivery): void {
    const line = entry.line!
    this.#takeWaiting(line, entry.position, true)
    const own = consumer.match
    if (own !== undefined) {
      entry.match = own
      if (own.assuranceMax === 0) {
        this.#finish(entry)
        entry.line = undefined
      }
      entry.assurance = lower(entry.message.assurance, own.assuranceMax)
    }
    this.#count(entry.message)
    if (entry.assurance === 0 && entry.line !== undefined) {
      line.remove(entry.position)
      entry.line = undefined
    }
    consumer.take(entry)
  }

  expire(line: WaitingLine, position: number): void {
    const { entry } = line.look(position)!
    this.#takeWaiting(line, position, entry !== undefined)
    this.#counters.expired++
    const target = this.#settings.expiryTarget
    if (target === undefined) return this.finishAt(line, position)
    if (entry !== undefined) return this.#context.moveAway(this, entry, target, 'expired', undefined)
    this.#expiredMoves ??= new ExpiredMoves(this.#context.log, (from, at, message) =>
      this.#moveExpired(from, at, message),
    )
    this.#expiredMoves.add(line, position)
  }

  #moveExpired(line: WaitingLine, position: number, message: Message | undefined): void {
    const target = this.#settings.expiryTarget
    if (message === undefined || target === undefined || this.#isClosed) return this.finishAt(line, position)
    this.#context.moveAway(this, this.#entryOf(message, line, position), target, 'expired', undefined)
  }

  // ── StagingHost ──

  /** What is read now may be handed out: after a crash nobody could say any more that it was not. */
  beforeStaging(lastLsn: number): Promise<void> | undefined {
    if (lastLsn <= this.stagedLsn) return undefined
    this.stagedLsn = lastLsn
    return new Promise((resolve) => this.#context.log.noteStaged(this.number, lastLsn, resolve))
  }

  onStaged(line: WaitingLine, position: number, message: Message | undefined): void {
    if (message === undefined) {
      // The store has not got it any more: what is lost must be told, and must not stop the queue.
      this.#takeWaiting(line, position, false)
      this.#counters.lost++
      this.#lostCount++
      return this.finishAt(line, position)
    }
    this.#heed(message)
    this.#lanes.load(position, line, this.#entryOf(message, line, position))
    this.#notePageable()
  }

  get stageBytesMax(): number {
    const { bytes, bytesMax } = this.#context.waiting
    return bytes > bytesMax * MEMORY_SHORT_SHARE ? STAGE_BYTES_SHORT : STAGE_BYTES_MAX
  }

  onStagingDone(): void {
    if (this.#lostCount > 0) {
      this.#context.onLost(this, this.#lostCount)
      this.#lostCount = 0
    }
    this.wake()
  }

  /** Messages of groups need rules from the first one on. */
  #heed(message: Message): void {
    if (message.extras?.groupId !== undefined) this.#rules().heedGroups()
  }

  #rules(): Selection {
    return (this.#selection ??= new Rules(this, this.#settings))
  }

  /** No message goes past what waits, be it nothing. */
  get #hasRules(): boolean {
    return this.#selection !== undefined || this.#consumers.isSelective
  }

  /** An empty queue without groups takes the plain way again. */
  #dropIdleRules(): void {
    if (this.#selection?.isIdle === true && this.#lanes.liveCount === 0) this.#selection = undefined
  }

  /** What others passed over may be for them now. */
  #rewindAll(): void {
    for (const { priority } of this.#lanes.all) rewindCursors(this.#consumers, priority, 1)
    this.wake()
  }

  #entryOf(message: Message, line: WaitingLine, position: number): Delivery {
    const match = this.#context.matchFor(this, message)
    // At least 1: its binding may be at most once by now, but then it was logged before.
    const assurance = match.assuranceMax === 0 ? 1 : lower(message.assurance, match.assuranceMax)
    const { failedCount, redelivered, expiresAtMs } = line.look(position)!
    const entry = new Delivery(message.livingUntil(expiresAtMs), match, assurance, false)
    entry.line = line
    entry.position = position
    entry.failedCount = failedCount
    entry.redelivered = redelivered
    return entry
  }

  /** A message that the log gave this queue, and that it does not keep. */
  #settleUnkept(message: Message, retained: boolean): void {
    if (this.#isInLog(message) && !retained) this.#context.log.settle(this.number, message.lsn, undefined, 0)
  }

  #isInLog({ lsn }: Message): boolean {
    return this.number !== 0 && lsn !== 0 && lsn >= this.#loggedFromLsn
  }

  /** `session` had it, by its number in the log: until the settle is there, a restart gives it back to that one. Hot path. */
  #finish(delivery: Delivery, session: number = 0): void {
    const { line, position, protocolState } = delivery
    if (this.#isClosed) return
    if (!this.isLogged(delivery)) line?.remove(position)
    else {
      const isKept = protocolState !== 0 && (session === this.number || delivery.assurance === 2)
      this.#context.log.settle(this.number, delivery.message.lsn, line, position, isKept ? session : 0, protocolState)
    }
  }

  #reject(delivery: Delivery, cause: MoveCause, reason: string | undefined, session: number = 0): void {
    this.#counters.rejected++
    const target = this.#settings.deadLetter
    if (target === undefined || target === this.name || this.#isClosed) return this.#finish(delivery, session)
    this.#context.moveAway(this, delivery, target, cause, reason)
  }

  /** A delivery failed: again at once, later, or never. */
  #retry(delivery: Delivery, failedCount: number): void {
    const delayMs = this.#context.nextAttemptMs(this.#settings, failedCount)
    if (delayMs === undefined) {
      delivery.failedCount = failedCount
      return this.#reject(delivery, 'deliveries-exhausted', undefined)
    }
    if (this.isLogged(delivery)) this.#context.log.noteFailed(this.number, delivery.message.lsn, failedCount)
    if (delayMs === 0) return this.#putBack(delivery, failedCount)
    delivery.failedCount = failedCount
    delivery.line?.setFailedCount(delivery.position, failedCount) // a snapshot may come before its time
    this.#context.env.clock.after(delayMs, () => {
      if (!this.#isClosed) this.#putBack(delivery, failedCount)
    })
  }

  /** Serves one message that never waited. Only an unsettled one costs an object of its own. Hot path. */
  #handOver(consumer: Consumer, message: Message, match: Match, assurance: Assurance, retained: boolean): void {
    const own = consumer.match
    const effective = own === undefined ? assurance : lower(message.assurance, own.assuranceMax)
    if (effective === 0) {
      if (assurance !== 0) this.#settleUnkept(message, retained)
      const delivery = settledDelivery
      delivery.message = message
      delivery.match = own ?? match
      delivery.retained = retained
      this.#count(message)
      consumer.take(delivery)
      return
    }
    const delivery = new Delivery(message, own ?? match, effective, retained)
    const isLogged = this.#isInLog(message) && !retained
    if (this.keepsUnsettled || isLogged) {
      message.detach()
      this.#place(delivery, isLogged, true)
    }
    this.#count(message)
    consumer.take(delivery)
  }

  #place(delivery: Delivery, isLogged: boolean, isTaken: boolean): void {
    const { message } = delivery
    const line = this.#lanes.line(message.priority)
    delivery.line = line
    delivery.position = line.push(
      isLogged ? message.lsn : 0,
      footprint(message, isLogged),
      message.expiresAtMs,
      // One that a consumer has and the log has not is seen by those who browse.
      isTaken && isLogged ? undefined : delivery,
      isTaken,
    )
  }

  #count(message: Message): void {
    this.#counters.messagesOut++
    this.#counters.bytesOut += message.end - message.bodyStart
  }

  #wait(message: Message, match: Match, assurance: Assurance): boolean {
    if (this.#isClosed) {
      if (assurance !== 0) this.#settleUnkept(message, false)
      return false
    }
    if (assurance === 0 && !this.#settings.keepsAtMostOnce && !this.#consumers.hasAttached()) {
      this.#counters.droppedOffline++
      return false
    }
    const isLogged = assurance !== 0 && this.#isInLog(message)
    const bytes = footprint(message, isLogged)
    const isFull = !this.#hasRoomFor(bytes, isLogged)
    if (isFull && !this.#makeRoomFor(bytes, isLogged, assurance)) {
      this.#counters.droppedOverLimit++
      this.droppedCount++
      if (assurance !== 0) this.#settleUnkept(message, false)
      return false
    }
    if (this.#lanes.waitingCount === 0) {
      this.idleSinceMs = this.#context.env.clock.wallMs()
      this.#watchConsumers()
    }
    if (message.expiresAtMs !== 0) this.expectExpiry(message.expiresAtMs)
    const entry = new Delivery(message, match, assurance, false)
    const isLoaded = !isLogged || this.#keepsInMemory(bytes)
    if (isLoaded) {
      message.detach()
      this.#place(entry, isLogged, false)
    } else {
      entry.line = this.#lanes.line(message.priority)
      entry.position = entry.line.push(message.lsn, bytes, message.expiresAtMs, undefined, false)
    }
    this.#lanes.weighWaiting(bytes, isLogged, isLoaded, 1)
    if (isLogged && isLoaded) this.#notePageable()
    this.#selection?.onWaiting(message, entry.line!, entry.position)
    if (this.isFilling) this.#press()
    // The first one now is another, there is a taker for this one only, or it was too late for the one that there is.
    if (isFull || this.#hasRules || message.expiresAtMs !== 0) this.wake()
    return true
  }

  /** A message of the log may stay in memory while it waits: nothing before it is on disk only, and there is room. */
  #keepsInMemory(bytes: number): boolean {
    const lanes = this.#lanes
    const { waiting } = this.#context
    return (
      lanes.isAllLoaded &&
      lanes.loadedCount < STAGE_MESSAGES_MAX &&
      lanes.loadedBytes + bytes <= STAGE_BYTES_MAX &&
      waiting.bytes + bytes <= waiting.bytesMax
    )
  }

  #hasRoomFor(bytes: number, isLogged: boolean): boolean {
    const { messagesMax, bytesMax } = this.#settings
    const { waiting } = this.#context
    return (
      this.#lanes.waitingCount < messagesMax &&
      this.#lanes.bytes + bytes <= bytesMax &&
      waiting.bytes + (isLogged ? INDEX_BYTES : bytes) <= waiting.bytesMax
    )
  }

  /** Nobody may be there to take the next entry, and so to find out that its time is over. [MQTT5-3.3.2-5] */
  #makeRoomFor(bytes: number, isLogged: boolean, assurance: Assurance): boolean {
    this.dropExpired(this.#context.env.clock.wallMs(), DISPATCH_BATCH_MAX)
    this.#context.flow.hasMemoryFor(isLogged ? INDEX_BYTES : bytes)
    if (this.#hasRoomFor(bytes, isLogged)) return true
    const { whenFull } = this.#settings
    if (whenFull === 'drop-oldest') this.#makeRoom(bytes)
    if (whenFull === 'drop-oldest') return this.#hasRoomFor(bytes, isLogged)
    // Who may wait or be refused has been asked before: what is published so, or has been, must have its place.
    return whenFull !== 'drop-newest' && assurance !== 0
  }

  /** A ring: the oldest go until there is room for one more of `bytes`; with 0, until the limits hold. */
  #makeRoom(bytes: number): void {
    const { messagesMax, bytesMax } = this.#settings
    const lanes = this.#lanes
    while (lanes.waitingCount > messagesMax - (bytes === 0 ? 0 : 1) || lanes.bytes + bytes > bytesMax) {
      const lane = lanes.all.findLast(({ line }) => line.waitingCount > 0)
      if (lane === undefined) return
      const position = lane.line.peek()
      this.#takeWaiting(lane.line, position, lane.line.entryAt(position) !== undefined)
      this.#counters.droppedOverLimit++
      this.droppedCount++
      this.finishAt(lane.line, position)
    }
  }

  /** Takes out waiting entries whose time is over, at most `max`. Returns their number. */
  dropExpired(nowMs: number, max: number): number {
    let count = 0
    if (this.#expiredMoves?.isBusy === true) return 0
    for (const { line } of this.#lanes.all) {
      if (line.expiresFirstMs > nowMs) continue
      const positions = line.expired(nowMs, max - count)
      for (const position of positions) this.expire(line, position)
      count += positions.length
    }
    // One that needs no credit may have waited behind them.
    if (count > 0) this.wake()
    return count
  }

  /** A message that waits expires at `atMs`, Unix ms; Infinity for never. */
  expectExpiry(atMs: number): void {
    if (atMs !== Infinity) this.#sweep = this.#context.flow.expects(this, atMs, this.#sweep)
  }

  /** Takes what it can out of memory: the log has it. Returns the bytes that came free. */
  pageOut(): number {
    this.#isPageable = false
    const freed = this.#lanes.unloadAll(PAGE_LOOKS_MAX)
    if (this.#lanes.loadedCount > 0) this.#notePageable()
    return freed
  }

  #notePageable(): void {
    if (this.#isPageable) return
    this.#isPageable = true
    this.#context.flow.onPageable(this)
  }

  /** A consumer of it has lost its connection. */
  onConsumerDetached(): void {
    if (!this.#consumers.hasAttached()) this.aloneSinceMs = this.#context.env.clock.wallMs()
  }

  #watchConsumers(): void {
    if (this.#settings.slowConsumerMs > 0 && this.#consumers.hasAttached()) this.#context.flow.watchConsumers(this)
  }

  /** Unix ms before which nothing here expires. */
  get expiresFirstMs(): number {
    let first = Infinity
    for (const { line } of this.#lanes.all) first = Math.min(first, line.expiresFirstMs)
    return first
  }

  #press(): void {
    if (this.#settings.whenFull !== 'drop-newest') return
    this.#pressure ??= new Pressure(this.#context.env.clock)
    if (this.#pressure.mayHold) this.#context.pressedBy = this
  }

  /** Hot path. */
  #takeWaiting(line: WaitingLine, position: number, isLoaded: boolean): void {
    this.#lanes.weighWaiting(line.bytesAt(position), line.lsnAt(position) !== 0, isLoaded, -1)
    line.take(position)
    this.#ease()
  }

  /** Hot path. */
  #ease(): void {
    if (this.isBlocking || this.#context.waiting.isAwaited === true) this.#context.onEased(this)
    const pressure = this.#pressure
    if (pressure === undefined) return
    const { messagesMax, bytesMax } = this.#settings
    const count = this.#lanes.waitingCount
    if (count * 8 <= messagesMax && this.#lanes.bytes * 8 <= bytesMax) pressure.release()
    if (count === 0) pressure.reset()
  }

  /** Back to its old place: before every entry that is younger. */
  #putBack(delivery: Delivery, failedCount: number): void {
    this.#counters.redelivered++
    delivery.protocolState = 0
    delivery.failedCount = failedCount
    delivery.redelivered = true
    const line = delivery.line!
    const { position } = delivery
    if (this.#selection?.isReplaced(delivery) === true) {
      this.#counters.replaced++
      return this.finishAt(line, position)
    }
    line.putBack(position)
    line.setEntry(position, delivery)
    if (failedCount > 0) line.setFailedCount(position, failedCount)
    if (delivery.message.expiresAtMs !== 0) this.expectExpiry(delivery.message.expiresAtMs)
    this.#lanes.weighWaiting(line.bytesAt(position), line.lsnAt(position) !== 0, true, 1)
    if (this.isChoosing) noteReturned(this.#consumers, delivery.message.priority, position)
    this.wake()
  }

  #runBackfills(backfills: Backfills, budget: number, nowMs: number): number {
    const left = backfills.run(budget, (message, match) => {
      if (isExpired(message, nowMs)) return 'expired'
      const assurance = lower(message.assurance, match.assuranceMax)
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

/** From this share of the memory for what waits on, queues read little ahead. */
const MEMORY_SHORT_SHARE = 3 / 4
const STAGE_BYTES_SHORT: number = 64 * 1024

/** Reused for every delivery that is settled by being sent. */
const settledDelivery: Delivery = new Delivery(undefined as never, undefined as never, 0, false)

/** What a waiting message costs, objects included: a limit in bytes must hold for short messages, too. */
function footprint(message: Message, isLogged: boolean): number {
  return message.size + (isLogged ? INDEX_BYTES : ENTRY_BYTES)
}

function lower(first: Assurance, second: Assurance): Assurance {
  return first < second ? first : second
}

function isExpired(message: Message, nowMs: number): boolean {
  return message.expiresAtMs !== 0 && message.expiresAtMs <= nowMs
}
