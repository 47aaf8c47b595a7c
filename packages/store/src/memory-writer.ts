/** Gathers the groups of one turn and puts them into a memory log in one batch at its end. */
import type { Durability, Epoch, LogRecord, PreparedRecord, Writer, WriterId, WriterOwner } from './engine.ts'
import type { MemoryLog } from './memory-log.ts'
import { recordBytes } from './engine.ts'
import { Fenced, NotAppended } from './errors.ts'

/** A refused group among the accepted ones: what must be told before it. Kept for the rest of the turn. */
interface Refused {
  readonly ticket: number
  readonly error: NotAppended
  readonly ticketBefore: number
  readonly recordsBefore: number
}

export class MemoryWriter implements Writer {
  readonly id: WriterId
  readonly #log: MemoryLog
  readonly #owner: WriterOwner
  readonly #epoch: Epoch
  /** Records of accepted groups, in order; where one group ends makes no difference to a log in memory. */
  #records: LogRecord[] = []
  #spare: LogRecord[] = []
  #refused: Refused[] = []
  #pendingBytes = 0
  #lastTicket = -Infinity
  #lastAccepted = -Infinity
  #scheduled = false
  #closed = false
  #ended = false
  readonly #commit = (): void => this.#commitPending()

  constructor(log: MemoryLog, owner: WriterOwner, epoch: Epoch, id: WriterId) {
    this.#log = log
    this.#owner = owner
    this.#epoch = epoch
    this.id = id
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get ready(): boolean {
    return this.#pendingBytes <= this.#log.context.pendingHighBytes
  }

  submit(group: readonly LogRecord[], ticket: number, _level: Durability): void {
    if (!(ticket > this.#lastTicket)) {
      throw new RangeError(`writer ${this.id}: ticket ${ticket} does not ascend from ${this.#lastTicket}`)
    }
    if (group.length === 0) throw new RangeError(`writer ${this.id}: the group of ticket ${ticket} is empty`)
    this.#lastTicket = ticket
    if (this.#ended) return
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#log.context.clock.endOfTurn(this.#commit)
    }
    let bytes = 0
    let isContent = false
    for (const record of group) {
      bytes += recordBytes(record)
      isContent ||= record.body !== undefined
    }
    const refusal = this.#refusal(group.length, bytes, isContent)
    if (refusal !== undefined) {
      const recordsBefore = this.#records.length
      this.#refused.push({ ticket, error: refusal, ticketBefore: this.#lastAccepted, recordsBefore })
      return
    }
    for (const record of group) this.#records.push(record)
    this.#pendingBytes += bytes
    this.#lastAccepted = ticket
  }

  /** Nothing to do ahead: records are kept by reference. What cannot be appended is refused now. */
  async prepare(record: LogRecord): Promise<PreparedRecord> {
    const by = this.#log.epoch
    if (this.#epoch !== 0 && this.#epoch !== by) throw this.#fenced(by)
    const bytes = recordBytes(record)
    const refusal = this.#refusal(1, bytes, true)
    if (refusal !== undefined) throw refusal
    this.#log.context.budget.giveBack(bytes)
    return { record, discard: () => {} }
  }

  close(): Promise<void> {
    this.#closed = true
    if (!this.#scheduled) {
      this.#log.forget(this)
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#log.context.clock.endOfTurn(() => {
        this.#log.forget(this) // #commit has run: it was asked for before
        resolve()
      })
    })
  }

  #refusal(records: number, bytes: number, isContent: boolean): NotAppended | undefined {
    const { limits, budget } = this.#log.context
    if (this.#closed) return new NotAppended('closed', `writer ${this.id} is closed`)
    if (records > limits.groupRecords) {
      return new NotAppended(
        'too-big',
        `a group of ${records} records is over the limit groupRecords ${limits.groupRecords}`,
      )
    }
    if (bytes > limits.groupBytes) {
      return new NotAppended('too-big', `a group of ${bytes} bytes is over the limit groupBytes ${limits.groupBytes}`)
    }
    return budget.take(bytes, isContent) ? undefined : budget.refusal(`partition ${this.#log.id}`, bytes)
  }

  #commitPending(): void {
    this.#scheduled = false
    const bytes = this.#pendingBytes
    this.#pendingBytes = 0
    const by = this.#log.epoch
    if (this.#epoch !== 0 && this.#epoch !== by) {
      this.#log.context.budget.giveBack(bytes)
      this.#end(this.#fenced(by))
      return
    }
    const records = this.#records
    const refused = this.#refused
    const lastTicket = this.#lastAccepted
    this.#records = this.#spare // outcomes may submit again
    if (refused.length > 0) this.#refused = []
    const atMs = this.#log.context.clock.wallMs()
    const firstLsn = this.#log.append(records, { epoch: this.#epoch, writer: this.id, atMs })
    const recordCount = records.length
    records.length = 0
    this.#spare = records
    let told = 0
    for (const { ticket, error, ticketBefore, recordsBefore } of refused) {
      if (recordsBefore > told) {
        this.#owner.onCommitted(ticketBefore, firstLsn + told, atMs)
        told = recordsBefore
      }
      this.#owner.onFailed(ticket, error)
    }
    if (recordCount > told) this.#owner.onCommitted(lastTicket, firstLsn + told, atMs)
  }

  #fenced(by: Epoch): Fenced {
    return new Fenced(by, `epoch ${this.#epoch} of partition ${this.#log.id} was replaced by ${by}`)
  }

  #end(error: Fenced): void {
    this.#ended = true
    this.#records = []
    this.#refused = []
    this.#log.forget(this)
    this.#owner.onEnded(error)
  }
}
