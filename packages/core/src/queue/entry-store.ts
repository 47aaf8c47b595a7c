// long: what a queue has and what becomes of an entry, which share all of its state, next to each other
/**
 * What one queue has: its entries in their places, their weight against its limits, their expiry, and what the log knows of them; what
 * becomes of an entry that was taken out. Order and place are `Lanes`'; who gets an entry is decided by `Queue`, which is one of these.
 */
import type { Counters, Traffic } from '../counters.ts'
import { nextTurn } from '../env.ts'
import type { HoldingReport } from '../flow/gates.ts'
import type { ExpirySweep } from '../flow/sweeper.ts'
import { DISPATCH_BATCH_MAX, PAGE_LOOKS_MAX } from '../limits.ts'
import type { Assurance, Message } from '../message/message.ts'
import type { Consumer } from './consumer.ts'
import type { MoveCause, QueueContext } from './context.ts'
import { Delayed, type OnDelayOver } from './delayed.ts'
import { assuranceOf, Delivery } from './delivery.ts'
import { ExpiredMoves } from './expired-moves.ts'
import type { LastValuesHost } from './last-values.ts'
import { footprint, INDEX_BYTES, type Lane, Lanes, type LanesEnd, type Leaving } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import { Pressure } from './pressure.ts'
import type { Queue } from './queue.ts'
import { QueueCounts } from './queue-counts.ts'
import type { QueueSettings } from './settings.ts'
import { STAGE_BYTES_MAX, STAGE_MESSAGES_MAX } from './staging.ts'

export abstract class EntryStore extends QueueCounts implements LastValuesHost {
  readonly name: string
  /** In the log; 0 for a queue that does not outlive the process. */
  number = 0
  /** Messages before this one came when the queue was not in the log: the log does not wait for them. */
  #loggedFromLsn = 0
  protected readonly context: QueueContext
  protected readonly counters: Counters
  readonly contents: Lanes
  #settings: QueueSettings
  #isEnding = false
  #isClosed = false
  /** What went with it when it was closed. */
  gone: { readonly count: number; readonly bytes: number } = { count: 0, bytes: 0 }
  /** Made when the queue first fills. */
  #pressure: Pressure | undefined = undefined
  /** Made when the first entry has to wait for its next attempt. */
  #delayed: Delayed | undefined = undefined
  /** On their way to it and not yet committed: they count against the limits. Published ones only where `countsUnderWay`. */
  underWayCount = 0
  underWayBytes = 0
  /** Somebody asks whether anything is on its way to it, whatever its settings are. */
  isAskedForEmpty = false
  /** Somebody waits for room in it and hears of it by `QueueContext.onEased`. */
  isBlocking = false
  holdingReport: HoldingReport | undefined = undefined
  #sweep: ExpirySweep | undefined = undefined
  /** Flow control knows that some of its messages need not be in memory. */
  #isPageable = false
  /** Made when the first message expires whose bytes are on disk. */
  #expiredMoves: ExpiredMoves | undefined = undefined

  constructor(context: QueueContext, name: string, settings: QueueSettings) {
    super()
    this.context = context
    this.counters = context.traffic.counters
    this.name = name
    this.#settings = settings
    this.contents = new Lanes(context.waiting)
  }

  /** Itself, for those who know queues only. */
  protected abstract readonly queue: Queue
  /** Something that waits may have its turn now. */
  abstract wake(): void
  /** A younger one has taken the place of an entry that comes back. */
  protected abstract isReplaced(delivery: Delivery): boolean
  /** An entry waits again, in its old place. */
  protected abstract onReturned(priority: number, position: number): void

  get settings(): QueueSettings {
    return this.#settings
  }

  protected set settings(settings: QueueSettings) {
    this.#settings = settings
  }

  /** Takes nothing more, and has forgotten what it had. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Deleted: nothing more is sent to it, and nothing of it goes elsewhere. What was under way to or from it before that still arrives. */
  get isEnding(): boolean {
    return this.#isEnding || this.#isClosed
  }

  /** What is published to it is counted until it is committed: it may hold publishers, or go by itself once it is empty. */
  get countsUnderWay(): boolean {
    const { whenFull, autoDeleteMs } = this.#settings
    return whenFull === 'block' || whenFull === 'reject' || autoDeleteMs > 0 || this.isAskedForEmpty
  }

  /** What counts for no session. */
  get traffic(): Traffic {
    return this.context.traffic
  }

  /** Undefined while tracing is off. */
  get tracer(): QueueContext['tracer'] {
    return this.context.tracer
  }

  /** Unix seconds of this turn. Hot path. */
  get turnSecond(): number {
    return this.context.turns.second
  }

  get waitingCount(): number {
    return this.contents.waitingCount
  }

  get waitingBytes(): number {
    return this.contents.bytes
  }

  /** With consumers, in a transaction, or waiting for their next attempt. */
  get inflightCount(): number {
    return this.contents.liveCount - this.contents.waitingCount
  }

  get lanes(): readonly Lane[] {
    return this.contents.all
  }

  /** From now on it outlives the process, as `number` of the log. What it has already does not. */
  enterLog(number: number): void {
    this.number = number
    this.#loggedFromLsn = Infinity
    this.context.log.mark((nextLsn) => {
      this.#loggedFromLsn = nextLsn
    })
  }

  /** The log says that this queue has the message, and has to hear when it has not any more. */
  isLogged(delivery: Delivery): boolean {
    return this.isInLog(delivery.message) && delivery.assurance !== 0 && !delivery.retained
  }

  protected isInLog({ lsn }: Message): boolean {
    return this.number !== 0 && lsn !== 0 && lsn >= this.#loggedFromLsn
  }

  /** It is deleted, and closed when the log has that. Who waits for room in it looks for another one. */
  beginEnd(): void {
    this.#isEnding = true
    this.#pressure?.release()
    this.context.onEased(this.queue)
  }

  /** Lsns of what the log has for it, with consumers or waiting. */
  held(): number[] {
    const lsns: number[] = []
    for (const { line } of this.contents.all) {
      for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
        const lsn = line.lsnAt(position)
        if (lsn !== 0) lsns.push(lsn)
      }
    }
    return lsns
  }

  /** Forgets everything that waits and takes nothing more. Returns the lsns of what the log has for it, with consumers or waiting. */
  close(): number[] {
    this.#isClosed = true
    this.gone = { count: this.contents.liveCount, bytes: this.contents.bytes }
    const lsns: number[] = []
    for (const { line } of this.contents.all) {
      for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
        const lsn = line.lsnAt(position)
        if (lsn !== 0) lsns.push(lsn)
        line.remove(position) // a settle that is on its way to the log finds it gone
      }
    }
    this.contents.clear()
    this.#delayed?.close()
    this.#pressure?.release()
    this.context.flow.forget(this.queue, this.#sweep)
    this.context.onEased(this.queue)
    return lsns
  }

  // ── Places ──

  /** The entry of a waiting position; `message` is its own, read from the log. */
  entryFor(message: Message, line: WaitingLine, position: number): Delivery {
    return line.entryAt(position) ?? this.entryOf(message, line, position)
  }

  /** After a restart: the entry of a message, for the consumer who had it. Undefined when it is not here any more. */
  claim(message: Message): Delivery | undefined {
    const line = this.contents.line(message.priority)
    const position = line.find(message.lsn)
    if (position === 0 || !line.isWaiting(position)) return undefined
    const entry = this.entryOf(message, line, position)
    entry.redelivered = true
    this.takeWaiting(line, position, false)
    return entry
  }

  protected entryOf(message: Message, line: WaitingLine, position: number): Delivery {
    const match = this.context.matchFor(this.queue, message)
    // At least 1: its binding may be at most once by now, but then it was logged before.
    const assurance = assuranceOf(message, match) || 1
    const { failedCount, redelivered, expiresAtMs } = line.look(position)!
    const entry = new Delivery(message.livingUntil(expiresAtMs), match, assurance, false)
    entry.line = line
    entry.position = position
    entry.failedCount = failedCount
    entry.redelivered = redelivered
    return entry
  }

  protected place(delivery: Delivery, isLogged: boolean, isTaken: boolean): void {
    const { message } = delivery
    const line = this.contents.line(message.priority)
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

  /** Hot path. */
  protected takeWaiting(line: WaitingLine, position: number, isLoaded: boolean): void {
    this.contents.weighWaiting(line.bytesAt(position), line.lsnAt(position) !== 0, isLoaded, -1)
    line.take(position)
    this.ease()
  }

  /** Takes a waiting entry out, for somebody who moves, deletes or replaces it, and then finishes it or puts it back. */
  takeOut(line: WaitingLine, position: number): void {
    const { lsn, bytes, entry } = line.look(position)!
    this.contents.weighWaiting(bytes, lsn !== 0, entry !== undefined, -1)
    line.take(position)
    this.ease()
    this.wake() // the one behind it may need less
  }

  /** Somebody who took it out has finished with it. */
  finishAt(line: WaitingLine, position: number): void {
    const lsn = line.lsnAt(position)
    if (lsn === 0) line.remove(position)
    else this.context.log.settle(this.number, lsn, line, position)
  }

  /** An entry that somebody took out, or could not move away, waits again. */
  takeBack(delivery: Delivery): void {
    if (!this.#isClosed) this.putBack(delivery, delivery.failedCount)
  }

  /** For a purge: all that waits before `end` is on its way out, until `contents` finishes or undoes that. */
  leaveAll(end: LanesEnd): Leaving {
    const leaving = this.contents.leaveAll(end)
    this.ease()
    return leaving
  }

  /** For who looks how long it has taken; only differences mean something. */
  monoMs(): number {
    return this.context.env.clock.monoMs()
  }

  /** For who goes through very much of it: the sockets and other queues have their turn first. */
  othersFirst(): Promise<void> {
    return nextTurn(this.context.env.clock)
  }

  // ── LastValuesHost ──

  readMessages(lsns: readonly number[]): Promise<(Message | undefined)[] | undefined> {
    return this.context.log.readMessages(lsns)
  }

  replace(line: WaitingLine, position: number): void {
    this.counters.replaced++
    this.takeOut(line, position)
    this.finishAt(line, position)
  }

  // ── Outcomes ──

  /** `session` had it, by its number in the log: until the settle is there, a restart gives it back to that one. Hot path. */
  protected finish(delivery: Delivery, session: number = 0): void {
    const { line, position, protocolState } = delivery
    if (this.isEnding) return
    if (!this.isLogged(delivery)) line?.remove(position)
    else {
      const isKept = protocolState !== 0 && (session === this.number || delivery.assurance === 2)
      this.context.log.settle(this.number, delivery.message.lsn, line, position, isKept ? session : 0, protocolState)
    }
  }

  /** A transaction has finished a delivery, and the log knows. */
  onSettledInLog(delivery: Delivery, outcome: 'accepted' | 'rejected', consumer: Consumer): void {
    if (outcome === 'rejected') this.counters.rejected++
    else this.countSettled(consumer.traffic)
    const isLogged = this.isLogged(delivery)
    const wasThere = delivery.line?.remove(delivery.position) ?? true
    if (isLogged && wasThere) this.context.log.unref(delivery.message.lsn)
  }

  /** A message that the log gave this queue, and that it does not keep. */
  protected settleUnkept(message: Message, retained: boolean): void {
    if (this.isInLog(message) && !retained) this.context.log.settle(this.number, message.lsn, undefined, 0)
  }

  protected reject(delivery: Delivery, cause: MoveCause, reason: string | undefined, session: number = 0): void {
    this.counters.rejected++
    const target = this.#settings.deadLetter
    if (target === undefined || target === this.name || this.isEnding) return this.finish(delivery, session)
    this.context.moveAway(this.queue, delivery, target, cause, reason)
  }

  /** A delivery failed: again at once, later, or never. */
  protected retry(delivery: Delivery, failedCount: number): void {
    const delayMs = this.context.nextAttemptMs(this.#settings, failedCount)
    if (delayMs === undefined) {
      delivery.failedCount = failedCount
      return this.reject(delivery, 'deliveries-exhausted', undefined)
    }
    if (this.isLogged(delivery)) this.context.log.noteFailed(this.number, delivery.message.lsn, failedCount)
    if (delayMs === 0) return this.putBack(delivery, failedCount)
    delivery.failedCount = failedCount
    delivery.line!.setFailedCount(delivery.position, failedCount) // a snapshot may come before its time
    // What the log does not know is to be remembered: a consumer that refused it, the key that a newer one may have.
    const isLoaded =
      !this.isLogged(delivery) || delivery.refusedBy !== undefined || this.#settings.lastValueKey !== undefined
    this.#delayed ??= new Delayed(this.context.env.clock, this.contents, (...over) => this.#onDelayOver(...over))
    this.#delayed.add(delivery, delayMs, isLoaded)
  }

  #onDelayOver(...[line, priority, position, entry]: Parameters<OnDelayOver>): void {
    if (entry !== undefined) return this.putBack(entry, entry.failedCount)
    this.counters.redelivered++
    this.redeliveredCount++
    line.putBack(position)
    const expiresAtMs = line.expiresAt(position)
    if (expiresAtMs !== 0) this.expectExpiry(expiresAtMs)
    this.contents.weighWaiting(line.bytesAt(position), true, false, 1)
    this.onReturned(priority, position)
  }

  /** Back to its old place: before every entry that is younger. */
  protected putBack(delivery: Delivery, failedCount: number): void {
    this.counters.redelivered++
    this.redeliveredCount++
    delivery.protocolState = 0
    delivery.hasFailed = false
    delivery.failedCount = failedCount
    delivery.redelivered = true
    const line = delivery.line!
    const { position } = delivery
    if (this.isReplaced(delivery)) {
      this.counters.replaced++
      return this.finishAt(line, position)
    }
    if (failedCount > 0) line.setFailedCount(position, failedCount)
    this.waitAgain(delivery)
    this.onReturned(delivery.message.priority, position)
  }

  /** In its old place, as if nobody had had it. Who is past it does not hear. */
  protected waitAgain(delivery: Delivery): void {
    const line = delivery.line!
    const { position } = delivery
    line.putBack(position)
    line.setEntry(position, delivery)
    if (delivery.message.expiresAtMs !== 0) this.expectExpiry(delivery.message.expiresAtMs)
    this.contents.weighWaiting(line.bytesAt(position), line.lsnAt(position) !== 0, true, 1)
  }

  // ── Limits ──

  /** What the limits are about: what waits for a consumer, or for its next attempt. */
  get #keptCount(): number {
    return this.contents.waitingCount + this.contents.delayedCount
  }

  get #keptBytes(): number {
    return this.contents.bytes + this.contents.delayedBytes
  }

  /** There is no room for `bytes` more, counting what is on its way. */
  isFullFor(bytes: number): boolean {
    const { messagesMax, bytesMax } = this.#settings
    return (
      this.#keptCount + this.underWayCount >= messagesMax || this.#keptBytes + this.underWayBytes + bytes > bytesMax
    )
  }

  /** A quarter of a limit is waiting: time to slow producers down, while there is still room for what is on its way. */
  get isFilling(): boolean {
    const { messagesMax, bytesMax } = this.#settings
    return this.contents.waitingCount * 4 > messagesMax || this.contents.bytes * 4 > bytesMax
  }

  /** A message of the log may stay in memory while it waits: nothing before it is on disk only, and there is room. */
  protected keepsInMemory(bytes: number): boolean {
    const lanes = this.contents
    const { waiting } = this.context
    return (
      lanes.isAllLoaded &&
      lanes.loadedCount < STAGE_MESSAGES_MAX &&
      lanes.loadedBytes + bytes <= STAGE_BYTES_MAX &&
      waiting.bytes + bytes <= waiting.bytesMax
    )
  }

  protected hasRoomFor(bytes: number, isLogged: boolean): boolean {
    const { messagesMax, bytesMax } = this.#settings
    const { waiting } = this.context
    return (
      this.#keptCount < messagesMax &&
      this.#keptBytes + bytes <= bytesMax &&
      waiting.bytes + (isLogged ? INDEX_BYTES : bytes) <= waiting.bytesMax
    )
  }

  /** Nobody may be there to take the next entry, and so to find out that its time is over. [MQTT5-3.3.2-5] */
  protected makeRoomFor(bytes: number, isLogged: boolean, assurance: Assurance): boolean {
    this.dropExpired(this.context.env.clock.wallMs(), DISPATCH_BATCH_MAX)
    this.context.flow.hasMemoryFor(isLogged ? INDEX_BYTES : bytes)
    if (this.hasRoomFor(bytes, isLogged)) return true
    const { whenFull } = this.#settings
    if (whenFull === 'drop-oldest') this.makeRoom(bytes)
    if (whenFull === 'drop-oldest') return this.hasRoomFor(bytes, isLogged)
    // Who may wait or be refused has been asked before: what is published so, or has been, must have its place.
    return whenFull !== 'drop-newest' && assurance !== 0
  }

  /** A ring: the oldest go until there is room for one more of `bytes`; with 0, until the limits hold. */
  protected makeRoom(bytes: number): void {
    const { messagesMax, bytesMax } = this.#settings
    const lanes = this.contents
    while (this.#keptCount > messagesMax - (bytes === 0 ? 0 : 1) || this.#keptBytes + bytes > bytesMax) {
      const lane = lanes.all.findLast(({ line }) => line.waitingCount > 0)
      if (lane === undefined) {
        if (this.#delayed?.takeFirst((line, position) => this.finishAt(line, position)) !== true) return
      } else {
        const position = lane.line.peek()
        this.takeWaiting(lane.line, position, lane.line.entryAt(position) !== undefined)
        this.finishAt(lane.line, position)
      }
      this.counters.droppedOverLimit++
      this.droppedCount++
    }
  }

  /** Calls `release` when the queue has drained to an eighth of its limits, or has proved too slow to wait for. */
  holdProducer(release: () => void): void {
    this.#pressure!.hold(release)
  }

  protected press(): void {
    if (this.#settings.whenFull !== 'drop-newest') return
    this.#pressure ??= new Pressure(this.context.env.clock)
    if (this.#pressure.mayHold) this.context.pressedBy = this.queue
  }

  /** Hot path. */
  protected ease(): void {
    if (this.isBlocking || this.context.waiting.isAwaited === true) this.context.onEased(this.queue)
    const pressure = this.#pressure
    if (pressure === undefined) return
    const { messagesMax, bytesMax } = this.#settings
    const count = this.contents.waitingCount
    if (count * 8 <= messagesMax && this.contents.bytes * 8 <= bytesMax) pressure.release()
    if (count === 0) pressure.reset()
  }

  // ── Expiry, and memory ──

  /** A message that waits expires at `atMs`, Unix ms; Infinity for never. */
  expectExpiry(atMs: number): void {
    if (atMs !== Infinity) this.#sweep = this.context.flow.expects(this.queue, atMs, this.#sweep)
  }

  /** Unix ms before which nothing here expires. */
  get expiresFirstMs(): number {
    let first = Infinity
    for (const { line } of this.contents.all) first = Math.min(first, line.expiresFirstMs)
    return first
  }

  /** Takes out waiting entries whose time is over, at most `max`. Returns their number. */
  dropExpired(nowMs: number, max: number): number {
    let count = 0
    if (this.#expiredMoves?.isBusy === true) return 0
    for (const { line } of this.contents.all) {
      if (line.expiresFirstMs > nowMs) continue
      const positions = line.expired(nowMs, max - count)
      for (const position of positions) this.expire(line, position)
      count += positions.length
    }
    // One that needs no credit may have waited behind them.
    if (count > 0) this.wake()
    return count
  }

  expire(line: WaitingLine, position: number): void {
    const { entry } = line.look(position)!
    this.takeWaiting(line, position, entry !== undefined)
    this.counters.expired++
    this.expiredCount++
    const target = this.isEnding ? undefined : this.#settings.expiryTarget
    if (target === undefined && entry !== undefined) this.context.tracer?.onExpired(this.queue, entry.message)
    if (target === undefined) return this.finishAt(line, position)
    if (entry !== undefined) return this.context.moveAway(this.queue, entry, target, 'expired', undefined)
    this.#expiredMoves ??= new ExpiredMoves(this.context.log, (from, at, message) =>
      this.#moveExpired(from, at, message),
    )
    this.#expiredMoves.add(line, position)
  }

  #moveExpired(line: WaitingLine, position: number, message: Message | undefined): void {
    const target = this.#settings.expiryTarget
    if (message === undefined || target === undefined || this.isEnding) return this.finishAt(line, position)
    this.context.moveAway(this.queue, this.entryOf(message, line, position), target, 'expired', undefined)
  }

  /** Takes what it can out of memory: the log has it. Returns the bytes that came free. */
  pageOut(): number {
    this.#isPageable = false
    const freed = this.contents.unloadAll(PAGE_LOOKS_MAX)
    if (this.contents.loadedCount > 0) this.notePageable()
    return freed
  }

  protected notePageable(): void {
    if (this.#isPageable) return
    this.#isPageable = true
    this.context.flow.onPageable(this.queue)
  }
}
