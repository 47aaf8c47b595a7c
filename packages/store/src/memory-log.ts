/**
 * A partition log that lives in memory: the records themselves, by reference, in segments of fixed length. A segment
 * goes when nothing in it is alive. Nothing survives the process.
 */
import type { EngineClock } from './env.ts'
import type {
  EngineLimits,
  Epoch,
  LogRecord,
  Lsn,
  Ownership,
  OwnOptions,
  PartitionId,
  PartitionLog,
  Snapshot,
  Stored,
  TailBatch,
  Writer,
  WriterId,
  WriterOwner,
} from './engine.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { Bell } from './bell.ts'
import { recordBytes } from './engine.ts'
import { Busy, Fenced, NotAppended } from './errors.ts'
import { HeldOwnership } from './held-ownership.ts'
import { MemoryWriter } from './memory-writer.ts'

/** Slots of a segment. One record that stays keeps this many slots, 16 bytes each, from being freed. */
const SEGMENT_SLOTS = 256
const TAIL_BATCH_RECORDS = 1_024

/** What all logs of one engine share. */
export interface MemoryContext {
  readonly clock: EngineClock
  readonly limits: EngineLimits
  readonly budget: MemoryBudget
  /** `Writer.ready` is false above. */
  readonly pendingHighBytes: number
}

/** What all records of one batch share. */
export interface Stamp {
  readonly epoch: Epoch
  readonly writer: WriterId
  readonly atMs: number
}

class Segment {
  readonly first: Lsn
  readonly records: (LogRecord | undefined)[] = emptySlots()
  readonly stamps: (Stamp | undefined)[] = emptySlots()
  live = 0

  constructor(first: Lsn) {
    this.first = first
  }
}

export class MemoryLog implements PartitionLog {
  readonly id: PartitionId
  readonly context: MemoryContext
  /** By number: `first / SEGMENT_SLOTS`, ascending. */
  readonly #segments = new Map<number, Segment>()
  #head: Segment
  #last: Lsn = 0
  #trimmedTo: Lsn = 0
  #snapshot: Snapshot | undefined = undefined
  #bytesSinceSnapshot = 0
  #epoch: Epoch = 0
  #holder: MemoryOwnership | undefined = undefined
  readonly #writers = new Set<MemoryWriter>()
  #ingestCount = 0
  readonly #news = new Bell()
  #closed = false

  constructor(id: PartitionId, context: MemoryContext) {
    this.id = id
    this.context = context
    this.#head = this.#addSegment(0)
  }

  /** Of the newest owner; 0 before the first. */
  get epoch(): Epoch {
    return this.#epoch
  }

  ingest(owner: WriterOwner): Writer {
    return this.#addWriter(owner, 0, `ingest#${++this.#ingestCount}`)
  }

  async own(options: OwnOptions, owner: WriterOwner): Promise<Ownership> {
    const holder = this.#holder
    const nowMs = this.context.clock.monoMs()
    if (holder !== undefined && holder.node !== options.node && nowMs < holder.untilMs) {
      throw new Busy(
        holder.node,
        `partition ${this.id} is node ${holder.node}'s for another ${holder.untilMs - nowMs} ms: ${options.node} has to wait`,
      )
    }
    this.#epoch = ++this.#last // the lease takes a place in the order and shows in no tail
    this.#holder = new MemoryOwnership(
      this,
      options,
      this.#epoch,
      this.#addWriter(owner, this.#epoch, `${options.node}#${this.#epoch}`),
    )
    holder?.end()
    return this.#holder
  }

  /** Ends `ownership` if it is the present one. */
  letGo(ownership: MemoryOwnership): void {
    if (this.#holder === ownership) this.#holder = undefined
  }

  async *tail(after: Lsn, signal: AbortSignal): AsyncGenerator<TailBatch, void, void> {
    let position = after
    let isFirst = true
    while (!signal.aborted && !this.#closed) {
      if (!isFirst && position >= this.#last) {
        await this.#news.wait(signal)
        continue
      }
      isFirst = false
      const trimmedTo = this.#trimmedTo
      const records = this.#collect(Math.max(position, trimmedTo))
      const head = records.length < TAIL_BATCH_RECORDS
      position = head ? this.#last : (records.at(-1)?.lsn ?? this.#last)
      yield { trimmedTo, records, head }
    }
  }

  async read(lsns: readonly Lsn[]): Promise<(Stored | undefined)[]> {
    return lsns.map((lsn) => {
      const segment = this.#segments.get(Math.floor(lsn / SEGMENT_SLOTS))
      const stored = segment === undefined ? undefined : storedAt(segment, lsn)
      return stored?.body === undefined ? undefined : stored
    })
  }

  async readEach(lsns: readonly Lsn[], onRecord: (stored: Stored, index: number) => void): Promise<void> {
    const found = await this.read(lsns)
    for (const [index, stored] of found.entries()) if (stored !== undefined) onRecord(stored, index)
  }

  async committedAtMs(lsns: readonly Lsn[]): Promise<(number | undefined)[]> {
    return (await this.read(lsns)).map((stored) => stored?.atMs)
  }

  async snapshot(): Promise<Snapshot | undefined> {
    return this.#snapshot
  }

  /** Bytes of the records since the newest snapshot, released ones included. */
  get bytesSinceSnapshot(): number {
    return this.#bytesSinceSnapshot
  }

  /** Commits `records`. Returns the first one's lsn; the others follow without holes. Hot path. */
  append(records: readonly LogRecord[], stamp: Stamp): Lsn {
    const firstLsn = this.#last + 1
    let segment = this.#head
    for (const record of records) {
      const lsn = ++this.#last
      if (lsn >= segment.first + SEGMENT_SLOTS) segment = this.#roll(lsn)
      const slot = lsn - segment.first
      segment.records[slot] = record
      segment.stamps[slot] = stamp
      segment.live++
      this.#bytesSinceSnapshot += recordBytes(record)
    }
    this.#news.ring()
    return firstLsn
  }

  /** Frees content from `firstLsn` to `lastLsn`. Hot path. */
  release(firstLsn: Lsn, lastLsn: Lsn): void {
    this.#drop(firstLsn, Math.min(lastLsn, this.#last), true)
  }

  replaceSnapshot(at: Lsn, data: readonly Uint8Array[]): void {
    const oldest = this.#snapshot?.at ?? 0
    if (!(at >= oldest && at <= this.#last)) {
      throw new RangeError(
        `snapshot of partition ${this.id} at ${at}: must be from ${oldest} to ${this.#last}, the last committed record`,
      )
    }
    const moreBytes = byteCount(data) - byteCount(this.#snapshot?.data ?? [])
    if (!this.context.budget.take(moreBytes, false))
      throw this.context.budget.refusal(`snapshot of partition ${this.id}`, moreBytes)
    this.#snapshot = { at, data }
    this.#bytesSinceSnapshot = 0
    this.#drop(this.#trimmedTo + 1, at, false)
    this.#trimmedTo = at
  }

  /** `writer` has ended by itself. */
  forget(writer: MemoryWriter): void {
    this.#writers.delete(writer)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.close()))
    this.#holder?.end()
    this.#holder = undefined
    this.#closed = true
    this.#news.ring()
  }

  #addWriter(owner: WriterOwner, epoch: Epoch, id: WriterId): MemoryWriter {
    const writer = new MemoryWriter(this, owner, epoch, id)
    this.#writers.add(writer)
    return writer
  }

  #addSegment(number: number): Segment {
    const segment = new Segment(number * SEGMENT_SLOTS)
    this.#segments.set(number, segment)
    return segment
  }

  #roll(lsn: Lsn): Segment {
    if (this.#head.live === 0) this.#segments.delete(this.#head.first / SEGMENT_SLOTS)
    this.#head = this.#addSegment(Math.floor(lsn / SEGMENT_SLOTS))
    return this.#head
  }

  /** Frees the content, or the bookkeeping, from `first` to `last`. */
  #drop(first: Lsn, last: Lsn, content: boolean): void {
    for (let lsn = first; lsn <= last;) {
      const number = Math.floor(lsn / SEGMENT_SLOTS)
      const segment = this.#segments.get(number)
      const end = Math.min(last, (number + 1) * SEGMENT_SLOTS - 1)
      if (segment !== undefined) {
        for (let slot = lsn - segment.first; slot <= end - segment.first; slot++) {
          const record = segment.records[slot]
          if (record === undefined || (record.body !== undefined) !== content) continue
          segment.records[slot] = undefined
          segment.stamps[slot] = undefined
          segment.live--
          this.context.budget.giveBack(recordBytes(record))
        }
        if (segment.live === 0 && segment !== this.#head) this.#segments.delete(number)
      }
      lsn = end + 1
    }
  }

  /** The next records after `position`, at most a batch. */
  #collect(position: Lsn): Stored[] {
    const records: Stored[] = []
    for (let lsn = position + 1; lsn <= this.#last;) {
      const number = Math.floor(lsn / SEGMENT_SLOTS)
      const segment = this.#segments.get(number)
      const end = Math.min(this.#last, (number + 1) * SEGMENT_SLOTS - 1)
      if (segment === undefined) lsn = end + 1
      else {
        for (; lsn <= end && records.length < TAIL_BATCH_RECORDS; lsn++) {
          const stored = storedAt(segment, lsn)
          if (stored !== undefined) records.push(stored)
        }
        if (records.length === TAIL_BATCH_RECORDS) break
      }
    }
    return records
  }
}

class MemoryOwnership extends HeldOwnership<MemoryWriter> {
  readonly #partition: MemoryLog

  constructor(partition: MemoryLog, options: OwnOptions, epoch: Epoch, log: MemoryWriter) {
    super(partition.context.clock, options, epoch, log)
    this.#partition = partition
  }

  release(firstLsn: Lsn, lastLsn: Lsn): void {
    if (this.isHeld) this.#partition.release(firstLsn, lastLsn)
  }

  get bytesSinceSnapshot(): number {
    return this.#partition.bytesSinceSnapshot
  }

  async putSnapshot(at: Lsn, data: readonly Uint8Array[]): Promise<void> {
    this.assertHeld()
    this.#partition.replaceSnapshot(at, data)
  }

  protected assertHeld(): void {
    const by = this.#partition.epoch
    if (by !== this.epoch)
      throw new Fenced(by, `epoch ${this.epoch} of partition ${this.#partition.id} was replaced by ${by}`)
    if (!this.isHeld) throw new NotAppended('closed', `node ${this.node} has let go of partition ${this.#partition.id}`)
  }

  protected letGo(): void {
    this.#partition.letGo(this)
  }
}

function storedAt(segment: Segment, lsn: Lsn): Stored | undefined {
  const slot = lsn - segment.first
  const record = segment.records[slot]
  const stamp = segment.stamps[slot]
  if (record === undefined || stamp === undefined) return undefined
  const { kind, dest, meta, body, bodyStart, bodyEnd } = record
  const { epoch, writer, atMs } = stamp
  return { kind, dest, meta, body, bodyStart, bodyEnd, lsn, epoch, writer, atMs }
}

/** Several times faster than `Array.from`. */
function emptySlots(): undefined[] {
  return new Array<undefined>(SEGMENT_SLOTS).fill(undefined)
}

function byteCount(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}
