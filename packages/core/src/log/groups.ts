/** The small things that wait for the log: settles of a turn, notes, and those who only want to know how far it is. */
import type { LogRecord } from '@ternmq/store'
import type { WaitingLine } from '../queue/line.ts'
import type { HostLog, LogGroup } from './host-log.ts'
import type { Retried } from './owed.ts'
import { deliveredRecord, settledRecord } from './records.ts'

/** Something that must get into the log and had no room in it: tried again until it does, and nobody is told before that it is done. */
export abstract class Insistent implements LogGroup, Retried {
  ticket = 0
  readonly recordCount = 1
  protected readonly log: HostLog
  #isOwed = false

  constructor(log: HostLog) {
    this.log = log
  }

  abstract record(): LogRecord
  protected abstract onDone(): void
  abstract readonly messageCount: number

  onCommitted(): void {
    this.onDone()
    if (this.#isOwed) this.log.owed.paid()
  }

  onRefused(text: string): void {
    if (!this.#isOwed) this.log.owed.owe()
    this.#isOwed = true
    this.log.owed.tryLater(this, text)
  }

  again(): void {
    this.log.append(this.record(), this)
  }
}

/** Pairs in one record: 96 KiB of it. */
const BATCH_MAX = 8_192

/** Messages that queues have finished with in one turn: their content goes once nobody else holds it. */
export class SettleBatch extends Insistent {
  readonly #queues: number[] = []
  readonly #lsns: number[] = []
  readonly #lines: (WaitingLine | undefined)[] = []
  readonly #positions: number[] = []
  readonly #sessions: number[] = []
  readonly #states: number[] = []

  get isFull(): boolean {
    return this.#queues.length >= BATCH_MAX
  }

  override get messageCount(): number {
    return this.#lsns.length
  }

  /** Hot path. */
  add(
    queue: number,
    lsn: number,
    line: WaitingLine | undefined,
    position: number,
    session: number,
    state: number,
  ): void {
    this.#queues.push(queue)
    this.#lsns.push(lsn)
    this.#lines.push(line)
    this.#positions.push(position)
    this.#sessions.push(session)
    this.#states.push(state)
  }

  /** Those that a session had, in the state in which it had them, and that are still in their queue. */
  *kept(): Generator<readonly [queue: number, lsn: number, session: number, state: number]> {
    for (let index = 0; index < this.#lsns.length; index++) {
      const session = this.#sessions[index]!
      if (session === 0 || this.#lines[index]?.look(this.#positions[index]!) === undefined) continue
      yield [this.#queues[index]!, this.#lsns[index]!, session, this.#states[index]!]
    }
  }

  override record(): LogRecord {
    return settledRecord(this.#queues, this.#lsns)
  }

  protected override onDone(): void {
    this.log.left(this)
    for (let index = 0; index < this.#lsns.length; index++) {
      const line = this.#lines[index]
      // A queue that ended meanwhile has let go of it already.
      if (line !== undefined && !line.remove(this.#positions[index]!)) continue
      this.log.unref(this.#lsns[index]!)
    }
  }
}

/** Where the deliveries of one turn stand. */
export class NoteBatch implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  readonly #queues: number[] = []
  readonly #lsns: number[] = []
  readonly #sessions: number[] = []
  readonly #states: number[] = []
  #waiting: (() => void)[] | undefined = undefined

  get isFull(): boolean {
    return this.#queues.length >= BATCH_MAX
  }

  /** Hot path. */
  add(queue: number, lsn: number, session: number, state: number, then: (() => void) | undefined): void {
    this.#queues.push(queue)
    this.#lsns.push(lsn)
    this.#sessions.push(session)
    this.#states.push(state)
    if (then !== undefined) (this.#waiting ??= []).push(then)
  }

  record(): LogRecord {
    return deliveredRecord(this.#queues, this.#lsns, this.#sessions, this.#states)
  }

  onCommitted(): void {
    if (this.#waiting === undefined) return
    for (const then of this.#waiting) then()
  }

  /** A store that takes no bookkeeping any more takes no messages either: going on is better than a client that waits for ever. */
  onRefused(): void {
    this.onCommitted()
  }
}

/** What ends: a queue, or what was left of one. */
export interface Ending {
  /** Lsns of what the log has for it now. */
  held(): readonly number[]
  /** The log has its end. Returns the lsns of what went with it. */
  close(): readonly number[]
}

/** A queue, or a retained message, is gone, and with it what it held. */
export class EndedQueue extends Insistent {
  readonly ending: Ending
  readonly #record: LogRecord

  constructor(log: HostLog, record: LogRecord, ending: Ending) {
    super(log)
    this.#record = record
    this.ending = ending
  }

  override get messageCount(): number {
    return this.ending.held().length
  }

  override record(): LogRecord {
    return this.#record
  }

  protected override onDone(): void {
    this.log.onEndedQueue(this)
    for (const lsn of this.ending.close()) this.log.unref(lsn)
  }
}

/** Of what is closed already. */
export function endingWith(held: readonly number[]): Ending {
  return { held: () => held, close: () => held }
}

/** What later records lean on: a queue's definition, a session's. Refused, it goes in before any message does. */
export class Definition implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  /** As it is to be at the moment; undefined when it is not wanted any more. */
  readonly make: () => LogRecord | undefined
  readonly #log: HostLog
  #isOwed = false

  constructor(log: HostLog, make: () => LogRecord | undefined) {
    this.#log = log
    this.make = make
  }

  onCommitted(): void {
    if (this.#isOwed) this.#log.owed.paid()
  }

  onRefused(): void {
    if (!this.#isOwed) this.#log.owed.owe()
    this.#isOwed = true
    this.#log.owed.define(this)
  }
}

export class Note implements LogGroup {
  ticket = 0
  readonly recordCount = 1
  readonly #undo: (text: string) => void
  readonly #then: () => void

  constructor(undo: (text: string) => void, then: () => void) {
    this.#undo = undo
    this.#then = then
  }

  onCommitted(): void {
    this.#then()
  }

  onRefused(text: string): void {
    this.#undo(text)
  }
}

/** Goes on whatever the outcome is: of its own record, or of everything before it. */
abstract class Onward implements LogGroup {
  ticket = 0
  abstract readonly recordCount: number
  readonly #then: () => void

  constructor(then: () => void) {
    this.#then = then
  }

  onCommitted(): void {
    this.#then()
  }

  onRefused(): void {
    this.#then()
  }
}

/** Wants to know when everything before it has its outcome. */
export class Barrier extends Onward {
  readonly recordCount = 0
}

/** A record whose fate does not matter to whoever waits for it: it goes on either way. */
export class Step extends Onward {
  readonly recordCount = 1
}

/** Wants to know which record comes next. */
export class Mark implements LogGroup {
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
