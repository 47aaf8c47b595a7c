/**
 * An engine between the virtual host and the journal: it folds every committed record as a restart would, so that the
 * living state can be compared with it, asks for snapshots when the run wants one, and for the broken variants does what a
 * faulty engine or core would do.
 */
import { applyRecord, type DurableState, RecordKind } from '@ternmq/core/log'
import type {
  Durability,
  Engine,
  Fenced,
  LogRecord,
  NotAppended,
  Ownership,
  OwnOptions,
  PartitionLog,
  PreparedRecord,
  Stored,
  Unknown,
  Writer,
  WriterOwner,
} from '@ternmq/store'
import type { Variant } from './variants.ts'

/** Above every threshold of bytes since the last snapshot. */
const SNAPSHOT_IS_DUE = Number.MAX_SAFE_INTEGER

/** Records that the core submits again and again until they are in. */
const AGAIN: ReadonlySet<number> = new Set<number>([
  RecordKind.settled,
  RecordKind.queueEnded,
  RecordKind.queueDefined,
  RecordKind.sessionOpened,
  RecordKind.bound,
  RecordKind.unbound,
])

interface Submitted {
  readonly ticket: number
  readonly records: readonly LogRecord[]
}

export interface EngineWatch {
  /** The state that a restart would read up to here. */
  readonly fold: DurableState
  readonly variant: Variant | undefined
  /** The core gives a snapshot of the state after record `at`. */
  onSnapshot(at: number, data: readonly Uint8Array[]): void
  /** A note was refused: the living state is ahead of the log from now on. */
  onBookkeepingRefused(error: NotAppended): void
}

/** What the run steers, and sees, of one life's engine. */
export class ObservedEngine implements Engine {
  readonly #engine: Engine
  readonly #watch: EngineWatch
  readonly #partitions = new Map<number, PartitionLog>()
  /** The next commit is followed by a snapshot. */
  wantsSnapshot = false
  snapshotCount = 0
  recordCount = 0

  constructor(engine: Engine, watch: EngineWatch) {
    this.#engine = engine
    this.#watch = watch
  }

  get durabilities(): readonly Durability[] {
    return this.#engine.durabilities
  }

  get limits(): Engine['limits'] {
    return this.#engine.limits
  }

  get catalog(): Engine['catalog'] {
    return this.#engine.catalog
  }

  partition(id: number): PartitionLog {
    let log = this.#partitions.get(id)
    if (log === undefined) this.#partitions.set(id, (log = this.#observed(this.#engine.partition(id))))
    return log
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #observed(log: PartitionLog): PartitionLog {
    const { variant } = this.#watch
    const read: PartitionLog['read'] = async (lsns) => {
      const found = await log.read(lsns)
      return variant === undefined ? found : variant.onRead(found)
    }
    return {
      id: log.id,
      ingest: (owner) => log.ingest(owner),
      own: (options, owner) => this.#own(log, options, owner),
      tail: (after, signal) => log.tail(after, signal),
      read,
      readEach: async (lsns, onRecord) => {
        if (variant === undefined) return log.readEach(lsns, onRecord)
        for (const [index, stored] of (await read(lsns)).entries()) if (stored !== undefined) onRecord(stored, index)
      },
      committedAtMs: (lsns) => log.committedAtMs(lsns),
      snapshot: () => log.snapshot(),
    }
  }

  async #own(log: PartitionLog, options: OwnOptions, owner: WriterOwner): Promise<Ownership> {
    const observed = new ObservedOwner(this, owner, this.#watch)
    const ownership = await log.own(options, observed)
    const { variant } = this.#watch
    const writer = new ObservedWriter(ownership.log, observed, variant)
    const isDue = (): boolean => this.wantsSnapshot
    return {
      epoch: ownership.epoch,
      lost: ownership.lost,
      log: writer,
      get bytesSinceSnapshot() {
        return isDue() ? SNAPSHOT_IS_DUE : 0
      },
      release: (first, last) => {
        if (variant?.onRelease(first, last) !== false) ownership.release(first, last)
      },
      putSnapshot: async (at, data) => {
        this.wantsSnapshot = false
        this.#watch.onSnapshot(at, data)
        await ownership.putSnapshot(at, data)
        this.snapshotCount++
      },
      renew: () => ownership.renew(),
      resign: () => ownership.resign(),
    }
  }

  /** Folds what was committed. */
  committed(records: readonly LogRecord[], firstLsn: number, atMs: number): void {
    let lsn = firstLsn
    for (const record of records) {
      const stored: Stored = { ...recordFields(record), lsn: lsn++, epoch: 0, writer: '', atMs }
      applyRecord(this.#watch.fold, stored, [])
    }
    this.recordCount += records.length
  }
}

/** A prepared or submitted record may be an object with a prototype. */
function recordFields({ kind, dest, meta, body, bodyStart, bodyEnd }: LogRecord): LogRecord {
  return { kind, dest, meta, body, bodyStart, bodyEnd }
}

class ObservedOwner implements WriterOwner {
  readonly #engine: ObservedEngine
  readonly #owner: WriterOwner
  readonly #watch: EngineWatch
  readonly #submitted: Submitted[] = []

  constructor(engine: ObservedEngine, owner: WriterOwner, watch: EngineWatch) {
    this.#engine = engine
    this.#owner = owner
    this.#watch = watch
  }

  submitted(ticket: number, records: readonly LogRecord[]): void {
    this.#submitted.push({ ticket, records })
  }

  onCommitted(lastTicket: number, firstLsn: number, atMs: number): void {
    let lsn = firstLsn
    for (let next = this.#submitted[0]; next !== undefined && next.ticket <= lastTicket; next = this.#submitted[0]) {
      this.#submitted.shift()
      this.#engine.committed(next.records, lsn, atMs)
      lsn += next.records.length
    }
    this.#owner.onCommitted(lastTicket, firstLsn, atMs)
  }

  onFailed(ticket: number, error: NotAppended): void {
    const refused = this.#submitted.shift()
    if (refused?.ticket !== ticket) throw new Error(`ticket ${ticket} has failed, but ${refused?.ticket} is next`)
    if (refused.records.some(({ body, kind }) => body === undefined && !AGAIN.has(kind)))
      this.#watch.onBookkeepingRefused(error)
    this.#owner.onFailed(ticket, error)
  }

  onEnded(error: Fenced | Unknown): void {
    const { variant } = this.#watch
    if (variant?.hidesEnd === true) {
      const last = this.#submitted.at(-1)
      if (last !== undefined) this.onCommitted(last.ticket, 1_000_000, 0)
      return
    }
    this.#owner.onEnded(error)
  }
}

class ObservedWriter implements Writer {
  readonly #writer: Writer
  readonly #owner: ObservedOwner
  readonly #variant: Variant | undefined

  constructor(writer: Writer, owner: ObservedOwner, variant: Variant | undefined) {
    this.#writer = writer
    this.#owner = owner
    this.#variant = variant
  }

  get id(): string {
    return this.#writer.id
  }

  submit(group: readonly LogRecord[], ticket: number, level: Durability): void {
    const records = group.slice()
    this.#owner.submitted(ticket, records)
    if (this.#variant === undefined) return this.#writer.submit(records, ticket, level)
    this.#variant.onSubmit(records, ticket, level, (changed, at, as) => this.#writer.submit(changed, at, as))
  }

  prepare(record: LogRecord): Promise<PreparedRecord> {
    return this.#writer.prepare(record)
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  get ready(): boolean {
    return this.#writer.ready
  }

  close(): Promise<void> {
    return this.#writer.close()
  }
}
