/**
 * The virtual host's end of its partition log: submits groups, waits for their outcomes in order, and says who may go on. A
 * message to a durable queue is routed when its record is committed and acknowledged after that. [ADR-0003]
 */
import type {
  Durability,
  Engine,
  LogRecord,
  NotAppended,
  Ownership,
  PartitionLog,
  PreparedRecord,
  WriterOwner,
} from '@ternmq/store'
import type { Clock } from '../env.ts'
import type { HeaderCodec, Message } from '../message/message.ts'
import type { WaitingLine } from '../queue/line.ts'
import { Ring } from '../ring.ts'
import { Barrier, Definition, EndedQueue, type Ending, Mark, Note, NoteBatch, SettleBatch, Step } from './groups.ts'
import { Owed } from './owed.ts'
import { numbersRecord, RecordKind } from './records.ts'
import { Snapshots, type TakeSnapshot } from './snapshots.ts'
import { messageOfStored } from './stored-message.ts'

/** Something that waits for the log. */
export interface LogGroup {
  /** Set by `HostLog`. */
  ticket: number
  /** Records it submitted; 0 for what only waits for its turn behind others. */
  readonly recordCount: number
  /** Its records are in the log; the first has `lsn`. */
  onCommitted(lsn: number): void
  /** Its records are not in the log and never will be. `isFinal`: nor would they be another time, since they are too large for it. */
  onRefused(text: string, isFinal: boolean): void
}

/** The log has ended: the broker must stop, since nothing can be promised any more. */
export type LogEnded = (error: Error) => void

/** Pending beside large bodies that are being prepared: with more, the log is behind. */
const PENDING_BESIDE_LARGE_MAX = 8 * 1024 * 1024

export interface HostLogOptions {
  readonly clock: Clock
  readonly onEnded: LogEnded
  /** Closed, and something had no room to the last: what an operator should know of it. */
  readonly onUnwritten?: (text: string) => void
}

export class HostLog implements WriterOwner {
  readonly #clock: Clock
  readonly #onEnded: LogEnded
  readonly #onUnwritten: (text: string) => void
  #partition: PartitionLog | undefined = undefined
  #ownership: Ownership | undefined = undefined
  #codecs: ReadonlyMap<string, HeaderCodec> = new Map()
  #snapshots: Snapshots | undefined = undefined
  #ticket = 0
  readonly #groups = new Ring<LogGroup>()
  readonly #scratch: LogRecord[] = []
  #lastQueueNumber = 0
  /** No record that is still to come has a lower lsn. */
  #nextLsn = 1
  /** Messages that more than one queue, or a queue and the retained set, hold. */
  readonly #refs = new Map<number, number>()
  /** Of this turn, submitted at its end. */
  #settles: SettleBatch | undefined = undefined
  /** Batches of settles that are not in the log yet. */
  readonly #leaving = new Set<SettleBatch>()
  readonly #ending = new Set<EndedQueue>()
  #notes: NoteBatch | undefined = undefined
  readonly #submitBatches = (): void => this.#flushBatches()
  #isEnded = false
  /** What had no room in it and will be tried again. */
  readonly owed: Owed
  /** Bytes of large bodies on their way ahead of their records: they are to delay nobody, so they do not make the log busy. */
  #preparingBytes = 0
  /** It may be ready again. */
  onReady: () => void = () => {}

  constructor(options: HostLogOptions) {
    this.#clock = options.clock
    this.owed = new Owed(this, options.clock)
    this.#onEnded = options.onEnded
    this.#onUnwritten = options.onUnwritten ?? (() => {})
  }

  /**
   * Takes the partition; `lastQueueNumber` is the highest in it, `refs` who holds a message more than once. Rejects with the engine's
   * `Busy` when another node has it.
   */
  async open(
    engine: Engine,
    partition: number,
    node: string,
    state: { readonly lastQueueNumber: number; readonly refs: ReadonlyMap<number, number> },
    codecs: ReadonlyMap<string, HeaderCodec>,
    takeSnapshot: TakeSnapshot,
  ): Promise<void> {
    this.#lastQueueNumber = state.lastQueueNumber
    for (const [lsn, count] of state.refs) if (count > 1) this.#refs.set(lsn, count)
    this.#codecs = codecs
    const isVolatile = engine.durabilities.every((level) => level === 'memory')
    this.#partition = engine.partition(partition)
    this.#ownership = await this.#partition.own({ node, ttlMs: Infinity }, this)
    this.#snapshots = new Snapshots(this.#ownership, takeSnapshot, isVolatile, (error) => this.onEnded(error))
  }

  /** False until there is an engine: then nothing is durable. */
  get isOpen(): boolean {
    return this.#ownership !== undefined
  }

  /** Nothing is taken any more. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** A number for a durable queue; 0, not durable, without an engine. */
  newQueueNumber(): number {
    return this.isOpen ? ++this.#lastQueueNumber : 0
  }

  get lastQueueNumber(): number {
    return this.#lastQueueNumber
  }

  /** Nothing waits for an outcome. */
  get isIdle(): boolean {
    return this.#groups.length === 0 && this.#settles === undefined && this.#notes === undefined
  }

  /** Bytes on their way to the log: too many, and producers should pause. */
  get isReady(): boolean {
    const log = this.#ownership?.log
    if (log === undefined || log.ready) return true
    return this.#preparingBytes > 0 && log.pendingBytes - this.#preparingBytes < PENDING_BESIDE_LARGE_MAX
  }

  /** Submitted, without an outcome. */
  get pendingBytes(): number {
    return this.#ownership?.log.pendingBytes ?? 0
  }

  /**
   * Brings a large body into the log ahead of its record, in pieces between other groups' commits. Resolves with the record to submit
   * or to discard, with the reason for which there can be none, or with undefined once the log has ended.
   */
  async prepare(record: LogRecord): Promise<PreparedRecord | string | undefined> {
    const bytes = record.bodyEnd - record.bodyStart
    this.#preparingBytes += bytes
    try {
      const prepared = await this.#ownership!.log.prepare(record)
      return this.#isEnded ? undefined : prepared
    } catch (error) {
      if (isNotAppended(error)) return error.message
      this.onEnded(error as Error)
      return undefined
    } finally {
      this.#preparingBytes -= bytes
    }
  }

  /** Submits one record; `group` hears of it. Hot path for durable messages. */
  append(record: LogRecord, group: LogGroup, level: Durability = 'fsync-local'): void {
    if (this.owed.hasDefinitions && record.body !== undefined) this.owed.defineAgain()
    const scratch = this.#scratch
    scratch[0] = record
    scratch.length = 1
    group.ticket = ++this.#ticket
    this.#groups.push(group)
    this.#ownership!.log.submit(scratch, group.ticket, level)
  }

  /** Submits records that are committed together or not at all. */
  appendAll(records: readonly LogRecord[], group: LogGroup, level: Durability = 'fsync-local'): void {
    if (this.owed.hasDefinitions) this.owed.defineAgain()
    group.ticket = ++this.#ticket
    this.#groups.push(group)
    this.#ownership!.log.submit(records, group.ticket, level)
  }

  /** `group` has its turn when everything that was submitted before has had its own. */
  follow(group: LogGroup): void {
    group.ticket = this.#ticket
    this.#groups.push(group)
  }

  /** Undefined when everything so far is in the log; otherwise resolves when that is so, which it never is once the log has ended. */
  settledSoFar(): Promise<void> | undefined {
    if (this.isIdle && this.owed.count === 0 && !this.#isEnded) return undefined
    return new Promise((resolve) => this.afterBatches(resolve))
  }

  /**
   * Runs `f` when all settles and notes so far are in the log, those that have to be tried again included. At once when there are
   * none. Never once the log has ended: nothing can be promised any more.
   */
  afterBatches(f: () => void): void {
    if (this.#isEnded) return
    this.#flushBatches()
    const tell = (): void => this.owed.whenPaid(f)
    if (this.#groups.length === 0) tell()
    else this.follow(new Barrier(tell))
  }

  /** `note` hears the lsn from which on records were submitted after this call; at once when nothing is under way. */
  mark(note: (nextLsn: number) => void): void {
    if (this.#groups.length === 0) note(this.#nextLsn)
    else this.follow(new Mark(note))
  }

  /** A record of something that is done already; `undo` runs if it cannot be kept. */
  note(record: LogRecord, undo: (text: string) => void, then: () => void = () => {}): void {
    this.append(record, new Note(undo, then))
  }

  /**
   * A record of something that is done already and that must be in the log before any message that comes later. `make` gives it as it
   * is to be at the moment, undefined when it is not wanted any more. Where there is no room for it, there is none for messages.
   */
  insist(make: () => LogRecord | undefined): void {
    const record = make()
    if (record !== undefined) this.append(record, new Definition(this, make))
  }

  /** A queue, or a retained message, is gone for good, and with it what it holds when all that was submitted so far has its outcome. */
  endQueue(record: LogRecord, ending: Ending): void {
    this.#flushBatches()
    const ended = new EndedQueue(this, record, ending)
    this.#ending.add(ended)
    this.append(record, ended)
  }

  /** Only an ended queue that is in the log calls this. */
  onEndedQueue(ended: EndedQueue): void {
    this.#ending.delete(ended)
  }

  /** What ended queues held whose ends are not in the log: for a snapshot, which has those queues no more. */
  *ending(): Generator<number> {
    for (const { ending } of this.#ending) yield* ending.held()
  }

  /**
   * A queue has finished with a message, which leaves `line` when the log has that. Goes with the other settles of the turn. Hot
   * path. `session` (0: none) has it in `state` until then.
   */
  settle(
    queue: number,
    lsn: number,
    line: WaitingLine | undefined,
    position: number,
    session: number = 0,
    state: number = 0,
  ): void {
    if (this.#settles?.isFull === true) this.#flushSettles()
    if (this.#settles === undefined) {
      this.#settles = new SettleBatch(this)
      this.#leaving.add(this.#settles)
      this.#schedule()
    }
    this.#settles.add(queue, lsn, line, position, session, state)
  }

  /** What sessions have finished with and the log still gives them: for a snapshot. */
  *leaving(): Generator<readonly [queue: number, lsn: number, session: number, state: number]> {
    for (const batch of this.#leaving) yield* batch.kept()
  }

  /** Only a settle batch that is in the log calls this. */
  left(batch: SettleBatch): void {
    this.#leaving.delete(batch)
  }

  /** The adapter's state of a delivery that `session` has unsettled; `then` runs when the log has it. Hot path. */
  noteDelivered(queue: number, lsn: number, session: number, state: number, then?: () => void): void {
    if (this.#notes?.isFull === true) this.#flushNotes()
    if (this.#notes === undefined) {
      this.#notes = new NoteBatch()
      this.#schedule()
    }
    this.#notes.add(queue, lsn, session, state, then)
  }

  /** A failed attempt is remembered over a restart; losing the record costs one attempt more. */
  noteFailed(queue: number, lsn: number, failedCount: number): void {
    this.note(numbersRecord(RecordKind.failed, queue, lsn, failedCount), () => {})
  }

  /** Runs `then` when the log knows that messages of the queue up to `lsn` may have been handed out. */
  noteStaged(queue: number, lsn: number, then: () => void): void {
    this.append(numbersRecord(RecordKind.staged, queue, lsn, 0), new Step(then))
  }

  /** `count` queues, or the retained set, hold a message of the log. Only to be called for more than one. */
  hold(lsn: number, count: number): void {
    this.#refs.set(lsn, count)
  }

  /** As `unref` for all from `firstLsn` to `lastLsn`, each of which the caller held. */
  unrefRun(firstLsn: number, lastLsn: number): void {
    if (this.#refs.size === 0) return this.#ownership!.release(firstLsn, lastLsn)
    for (let lsn = firstLsn; lsn <= lastLsn; lsn++) this.unref(lsn)
  }

  /** One who held the message does not any more; the last one releases its content. Hot path. */
  unref(lsn: number): void {
    const count = this.#refs.size === 0 ? undefined : this.#refs.get(lsn)
    if (count === undefined) return this.#ownership!.release(lsn, lsn)
    if (count > 2) this.#refs.set(lsn, count - 1)
    else this.#refs.delete(lsn)
  }

  /** After a restart: nobody holds the message any more. */
  release(lsn: number): void {
    this.#ownership!.release(lsn, lsn)
  }

  /** Who holds a message more than once, for a snapshot. */
  get refs(): ReadonlyMap<number, number> {
    return this.#refs
  }

  /**
   * Messages with their bytes, in the order asked; undefined for one that the store has lost. Resolves with undefined once the log has
   * ended.
   */
  async readMessages(lsns: readonly number[]): Promise<(Message | undefined)[] | undefined> {
    if (this.#partition === undefined || this.#isEnded) return undefined
    try {
      const messages = new Array<Message | undefined>(lsns.length).fill(undefined)
      await this.#partition.readEach(lsns, (record, index) => (messages[index] = messageOfStored(record, this.#codecs)))
      return this.#isEnded ? undefined : messages
    } catch (error) {
      this.onEnded(error as Error)
      return undefined
    }
  }

  /** Unix ms at which messages were committed, in the order asked; undefined for one that is gone or never was in the log (lsn 0). */
  async committedAtMs(lsns: readonly number[]): Promise<(number | undefined)[]> {
    if (this.#partition === undefined || this.#isEnded) return lsns.map(() => undefined)
    try {
      return await this.#partition.committedAtMs(lsns)
    } catch (error) {
      this.onEnded(error as Error)
      return lsns.map(() => undefined)
    }
  }

  /** Waits for all outcomes, leaves a snapshot for a fast start, and lets the partition go. */
  async close(): Promise<void> {
    const ownership = this.#ownership
    if (ownership === undefined || this.#isEnded) return
    this.owed.close()
    if (!this.isIdle) await this.#outcomesSoFar()
    if (this.owed.count > 0) await this.#tryOnceMore()
    if (!this.#snapshots!.isVolatile) await this.#snapshots!.write(this.#nextLsn - 1)
    await ownership.resign()
  }

  /** There may be room now, and there is no later. */
  async #tryOnceMore(): Promise<void> {
    this.owed.tryOnceMore()
    await this.#outcomesSoFar()
    if (!this.#isEnded && this.owed.count > 0) this.#onUnwritten(this.owed.unwrittenText())
  }

  /** As `settledSoFar`, but what was refused does not hold up the end. */
  #outcomesSoFar(): Promise<void> {
    return new Promise((resolve) => {
      this.#flushBatches()
      this.follow(new Barrier(resolve))
    })
  }

  // ── WriterOwner ──

  onCommitted(lastTicket: number, firstLsn: number): void {
    let lsn = firstLsn
    for (
      let group = this.#groups.peek();
      group !== undefined && group.ticket <= lastTicket;
      group = this.#groups.peek()
    ) {
      this.#groups.shift()
      this.#nextLsn = lsn + group.recordCount
      group.onCommitted(lsn)
      lsn += group.recordCount
    }
    const snapshots = this.#snapshots!
    snapshots.recordCount += lsn - firstLsn
    this.onReady()
    if (snapshots.isDue) void snapshots.write(this.#nextLsn - 1) // it never rejects
  }

  onFailed(ticket: number, error: NotAppended): void {
    for (let group = this.#groups.peek(); group !== undefined && group.ticket <= ticket; group = this.#groups.peek()) {
      this.#groups.shift()
      if (group.recordCount > 0) group.onRefused(error.message, error.reason === 'too-big')
      else group.onCommitted(this.#nextLsn)
    }
    this.onReady()
  }

  onEnded(error: Error): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#groups.clear()
    this.#settles = undefined
    this.#notes = undefined
    this.#onEnded(error)
  }

  #schedule(): void {
    if (this.#settles !== undefined && this.#notes !== undefined) return
    this.#clock.endOfTurn(this.#submitBatches)
  }

  #flushBatches(): void {
    if (this.#isEnded) return
    this.#flushNotes()
    this.#flushSettles()
  }

  #flushSettles(): void {
    const batch = this.#settles
    if (batch === undefined) return
    this.#settles = undefined
    this.append(batch.record(), batch)
  }

  #flushNotes(): void {
    const batch = this.#notes
    if (batch === undefined) return
    this.#notes = undefined
    this.append(batch.record(), batch)
  }
}

/** By its code: the core knows the store's interfaces only. */
function isNotAppended(error: unknown): error is NotAppended {
  return (error as { code?: unknown } | undefined)?.code === 'STORE_NOT_APPENDED'
}
