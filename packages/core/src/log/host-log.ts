/**
 * The virtual host's end of its partition log: submits groups, waits for their outcomes in order, and says who may go on. A
 * message to a durable queue is routed when its record is committed and acknowledged after that. [ADR-0003]
 */
import type { Engine, LogRecord, Ownership, WriterOwner } from '@ternmq/store'
import type { Message } from '../message.ts'
import { Ring } from '../ring.ts'
import { settledRecord } from './records.ts'

/** Something that waits for the log. */
export interface LogGroup {
  /** Set by `HostLog`. */
  ticket: number
  /** Records it submitted; 0 for what only waits for its turn behind others. */
  readonly recordCount: number
  /** Its records are in the log; the first has `lsn`. */
  onCommitted(lsn: number): void
  /** Its records are not in the log and never will be. */
  onRefused(text: string): void
}

/** The log has ended: the broker must stop, since nothing can be promised any more. */
export type LogEnded = (error: Error) => void

/** Bookkeeping records after which the engine may forget them. */
const SNAPSHOT_RECORDS = 65_536

/** Messages that a queue has finished with: their content goes once nobody else holds it. */
class Release implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  readonly #log: HostLog
  readonly #messages: readonly Message[]

  constructor(log: HostLog, messages: readonly Message[]) {
    this.#log = log
    this.#messages = messages
  }

  onCommitted(): void {
    for (const message of this.#messages) this.#log.unref(message)
  }

  /** Not in the log: after a restart the messages are there again. At least once is kept. */
  onRefused(): void {
    this.onCommitted()
  }
}

class Note implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  readonly #undo: (text: string) => void

  constructor(undo: (text: string) => void) {
    this.#undo = undo
  }

  onCommitted(): void {}

  onRefused(text: string): void {
    this.#undo(text)
  }
}

class Barrier implements LogGroup {
  ticket = 0
  readonly recordCount = 0
  readonly #resolve: () => void

  constructor(resolve: () => void) {
    this.#resolve = resolve
  }

  onCommitted(): void {
    this.#resolve()
  }

  onRefused(): void {
    this.#resolve()
  }
}

/** Wants to know which record comes next. */
class Mark implements LogGroup {
  ticket = 0
  readonly recordCount = 0
  readonly #note: (nextLsn: number) => void

  constructor(note: (nextLsn: number) => void) {
    this.#note = note
  }

  onCommitted(lsn: number): void {
    this.#note(lsn)
  }

  /** It asked the log for nothing. */
  onRefused(): void {}
}

export class HostLog implements WriterOwner {
  #ownership: Ownership | undefined = undefined
  #ticket = 0
  readonly #groups = new Ring<LogGroup>()
  readonly #scratch: LogRecord[] = []
  readonly #onEnded: LogEnded
  #recordsSinceSnapshot = 0
  #isVolatile = false
  #lastQueueNumber = 0
  /** No record that is still to come has a lower lsn. */
  #nextLsn = 0

  constructor(onEnded: LogEnded) {
    this.#onEnded = onEnded
  }

  /** Takes the partition; `lastQueueNumber` is the highest in it. Rejects with the engine's `Busy` when another node has it. */
  async open(engine: Engine, partition: number, node: string, lastQueueNumber: number): Promise<void> {
    this.#lastQueueNumber = lastQueueNumber
    this.#isVolatile = engine.durabilities.every((level) => level === 'memory')
    this.#ownership = await engine.partition(partition).own({ node, ttlMs: Infinity }, this)
  }

  /** False until there is an engine: then nothing is durable. */
  get isOpen(): boolean {
    return this.#ownership !== undefined
  }

  /** A number for a durable queue; 0, not durable, without an engine. */
  newQueueNumber(): number {
    return this.isOpen ? ++this.#lastQueueNumber : 0
  }

  /** Nothing waits for an outcome. */
  get isIdle(): boolean {
    return this.#groups.length === 0
  }

  /** Submits one record; `group` hears of it. Hot path for durable messages. */
  append(record: LogRecord, group: LogGroup): void {
    const scratch = this.#scratch
    scratch[0] = record
    group.ticket = ++this.#ticket
    this.#groups.push(group)
    this.#ownership!.log.submit(scratch, group.ticket, 'fsync-local')
  }

  /** `group` has its turn when everything that was submitted before has had its own. */
  follow(group: LogGroup): void {
    group.ticket = this.#ticket
    this.#groups.push(group)
  }

  /** Undefined when everything submitted has its outcome; otherwise resolves when that is so. */
  settledSoFar(): Promise<void> | undefined {
    if (this.isIdle) return undefined
    return new Promise((resolve) => this.follow(new Barrier(resolve)))
  }

  /** `note` hears the lsn from which on records were submitted after this call; at once when nothing is under way. */
  mark(note: (nextLsn: number) => void): void {
    if (this.isIdle) note(this.#nextLsn)
    else this.follow(new Mark(note))
  }

  /** A record of something that is done already; `undo` runs if it cannot be kept. */
  note(record: LogRecord, undo: (text: string) => void): void {
    this.append(record, new Note(undo))
  }

  /** A queue is gone for good, and with it what it held. */
  endQueue(record: LogRecord, held: readonly Message[]): void {
    this.append(record, new Release(this, held))
  }

  /** A queue has finished with a message of the log. */
  settle(queue: number, message: Message): void {
    this.append(settledRecord(queue, message.lsn), new Release(this, [message]))
  }

  /** One who held the message does not any more; the last one releases its content. */
  unref(message: Message): void {
    if (--message.logRefs === 0) this.#ownership!.release(message.lsn, message.lsn)
  }

  /** After a restart: nobody holds the message any more. */
  releaseUnheld(message: Message): void {
    this.#ownership!.release(message.lsn, message.lsn)
  }

  /** Waits for all outcomes and lets the partition go. */
  async close(): Promise<void> {
    await this.#ownership?.resign()
  }

  // ── WriterOwner ──

  onCommitted(lastTicket: number, firstLsn: number): void {
    let lsn = firstLsn
    for (let group = this.#groups.peek(); group !== undefined && group.ticket <= lastTicket; group = this.#groups.peek()) {
      this.#groups.shift()
      group.onCommitted(lsn)
      lsn += group.recordCount
    }
    this.#nextLsn = lsn
    this.#recordsSinceSnapshot += lsn - firstLsn
    if (this.#isVolatile && this.#recordsSinceSnapshot > SNAPSHOT_RECORDS) this.#forgetBookkeeping(lsn - 1)
  }

  onFailed(ticket: number, error: Error): void {
    for (let group = this.#groups.peek(); group !== undefined && group.ticket <= ticket; group = this.#groups.peek()) {
      this.#groups.shift()
      if (group.recordCount > 0) group.onRefused(error.message)
      else group.onCommitted(this.#nextLsn)
    }
  }

  onEnded(error: Error): void {
    this.#groups.clear()
    this.#onEnded(error)
  }

  /** An engine that keeps nothing over a restart need not keep what only a restart would read. */
  #forgetBookkeeping(lsn: number): void {
    this.#recordsSinceSnapshot = 0
    this.#ownership!.putSnapshot(lsn, []).catch((error: unknown) => this.onEnded(error as Error))
  }
}
