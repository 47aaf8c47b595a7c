/** A partition log on disk: who owns it, who writes, and where its parts meet. */
import type {
  Epoch,
  Lsn,
  Ownership,
  OwnOptions,
  PartitionId,
  PartitionLog,
  Snapshot,
  Stored,
  TailBatch,
  Writer,
  WriterOwner,
} from '../engine.ts'
import type { Store } from './store.ts'
import { DiskError } from '../env.ts'
import { Busy, Fenced, NotAppended, Unknown } from '../errors.ts'
import { HeldOwnership } from '../held-ownership.ts'
import { Collector } from './collect/collector.ts'
import { Committer } from './write/committer.ts'
import { snapshotName } from './files/format.ts'
import { JournalWriter } from './write/journal-writer.ts'
import { Partition } from './partition.ts'
import { TailReader, readEach, readMoments, readRecords } from './read/reader.ts'
import { recover } from './recovery/recovery.ts'
import { readSnapshot } from './files/snapshot-file.ts'
import { placeSnapshot } from './write/snapshots.ts'

export class JournalLog implements PartitionLog {
  readonly id: PartitionId
  readonly partition: Partition
  readonly committer: Committer
  readonly collector: Collector
  readonly #life: string
  readonly #writers = new Set<JournalWriter>()
  #holder: JournalOwnership | undefined = undefined
  /** Of the newest owner in this life; 0 before the first. */
  #epoch: Epoch = 0
  #ingestCount = 0
  #closed = false
  #broken: Unknown | undefined = undefined

  /** `life` is as good as fresh for every open: the names of writers without an epoch begin with it. */
  constructor(id: PartitionId, store: Store, life: string) {
    this.id = id
    this.#life = life
    this.partition = new Partition(id, store)
    this.committer = new Committer(this.partition)
    this.collector = new Collector(this.partition, this.committer)
    this.partition.onDead = () => this.collector.want()
  }

  get epoch(): Epoch {
    return this.#epoch
  }

  /** Finds out what is on disk. Changes nothing until the result is called. */
  async recover(): Promise<() => Promise<void>> {
    const recovered = await recover(this.partition)
    return async () => {
      await recovered.finish(this.committer)
      this.collector.want()
    }
  }

  ingest(owner: WriterOwner): Writer {
    return this.#addWriter(owner, 0, `ingest#${this.#life}.${this.partition.nextLsn}.${++this.#ingestCount}`)
  }

  async own(options: OwnOptions, owner: WriterOwner): Promise<Ownership> {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#closed) throw new NotAppended('closed', `partition ${this.id}: the engine is closed`)
    const old = this.#holder
    const { clock } = this.partition.store
    const nowMs = clock.monoMs()
    if (old !== undefined && old.node !== options.node && nowMs < old.untilMs) {
      throw new Busy(
        old.node,
        `partition ${this.id} is node ${old.node}'s for another ${old.untilMs - nowMs} ms: ${options.node} has to wait`,
      )
    }
    const { epoch, written } = this.committer.appendLease(options.node, this.partition.nextWriter, old?.log)
    this.#epoch = epoch
    old?.log.end(this.fencedError(old.epoch))
    const holder = new JournalOwnership(this, options, epoch, this.#addWriter(owner, epoch, `${options.node}#${epoch}`))
    this.#holder = holder
    old?.end()
    try {
      await written
    } catch (error) {
      this.letGo(holder)
      holder.end()
      const isFull = error instanceof NotAppended && error.reason === 'full'
      throw isFull ? await this.partition.store.space.noRoomToStart(`partition ${this.id} has no owner`) : error
    }
    return holder
  }

  fencedError(epoch: Epoch): Fenced {
    return new Fenced(this.#epoch, `epoch ${epoch} of partition ${this.id} was replaced by ${this.#epoch}`)
  }

  /** Ends `ownership` if it is the present one. */
  letGo(ownership: JournalOwnership): void {
    if (this.#holder === ownership) this.#holder = undefined
  }

  async *tail(after: Lsn, signal: AbortSignal): AsyncGenerator<TailBatch, void, void> {
    const reader = new TailReader(this.partition)
    let position = after
    let isFirst = true
    while (!signal.aborted && !this.#closed) {
      if (!isFirst && position >= this.partition.committedLsn) {
        await this.partition.news.wait(signal)
        continue
      }
      isFirst = false
      const next = await this.#nextOrEnd(reader, position)
      if (next === undefined) return
      position = Math.max(position, next.position)
      yield next.batch
    }
  }

  /** Undefined when the engine was closed meanwhile. */
  async #nextOrEnd(reader: TailReader, position: Lsn): Promise<{ batch: TailBatch; position: Lsn } | undefined> {
    try {
      return await reader.next(position)
    } catch (error) {
      if (error instanceof NotAppended && error.reason === 'closed') return undefined
      throw error
    }
  }

  read(lsns: readonly Lsn[]): Promise<(Stored | undefined)[]> {
    return readRecords(this.partition, lsns)
  }

  readEach(lsns: readonly Lsn[], onRecord: (stored: Stored, index: number) => void): Promise<void> {
    return readEach(this.partition, lsns, onRecord)
  }

  committedAtMs(lsns: readonly Lsn[]): Promise<(number | undefined)[]> {
    return readMoments(this.partition, lsns)
  }

  snapshot(): Promise<Snapshot | undefined> {
    return this.collector.exclusive(async () => {
      const { snapshot, store } = this.partition
      if (snapshot === 0) return undefined
      const path = this.partition.pathOf(snapshotName(snapshot))
      const loaded = await readSnapshot(store.disk, path)
      if (typeof loaded !== 'string' && 'state' in loaded) return { at: loaded.at, data: loaded.state }
      const what = typeof loaded === 'string' ? loaded : `format ${loaded.version}`
      store.faults.report({ file: path, offset: 0, what, partition: this.id, lost: undefined })
      throw new Unknown(`${path} cannot be read any more: ${what}. Restore the newest backup`)
    })
  }

  putSnapshot(at: Lsn, data: readonly Uint8Array[], ownership: JournalOwnership): Promise<void> {
    this.#assertSnapshotAt(at)
    return this.collector.exclusive(async () => {
      ownership.assertHeld()
      this.#assertSnapshotAt(at)
      if (this.#broken !== undefined) throw this.#broken
      try {
        await placeSnapshot(this.partition, this.committer, at, data)
      } catch (error) {
        if (!(error instanceof DiskError)) throw error
        this.partition.store.fail(error)
        throw this.#broken ?? error
      }
      this.collector.want()
    })
  }

  /** The disk failed: every writer ends. */
  breakOff(error: Unknown): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    this.committer.breakOff(error)
    for (const writer of this.#writers) {
      writer.end(error)
      writer.tellEnd()
    }
    this.#writers.clear()
    this.#holder?.end()
    this.#holder = undefined
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.close()))
    this.#closed = true
    this.#holder?.end()
    this.#holder = undefined
    this.partition.news.ring()
    await this.collector.close()
    await this.committer.settled()
    await this.committer.close()
  }

  #assertSnapshotAt(at: Lsn): void {
    const { trimmedTo, committedLsn } = this.partition
    if (at >= trimmedTo && at <= committedLsn) return
    throw new RangeError(
      `snapshot of partition ${this.id} at ${at}: must be from ${trimmedTo} to ${committedLsn}, the last committed record`,
    )
  }

  #addWriter(owner: WriterOwner, epoch: Epoch, id: string): JournalWriter {
    const writer = new JournalWriter(this.committer, owner, { number: this.partition.nextWriter++, epoch, id })
    if (this.#broken === undefined) {
      this.#writers.add(writer)
      writer.onClosed = () => this.#writers.delete(writer)
    } else writer.end(this.#broken)
    return writer
  }
}

class JournalOwnership extends HeldOwnership<JournalWriter> {
  readonly #partition: JournalLog

  constructor(partition: JournalLog, options: OwnOptions, epoch: Epoch, log: JournalWriter) {
    super(partition.partition.store.clock, options, epoch, log)
    this.#partition = partition
  }

  get bytesSinceSnapshot(): number {
    return this.#partition.partition.bytesSinceSnapshot
  }

  release(firstLsn: Lsn, lastLsn: Lsn): void {
    if (this.isHeld) this.#partition.partition.release(firstLsn, lastLsn)
  }

  async putSnapshot(at: Lsn, data: readonly Uint8Array[]): Promise<void> {
    this.assertHeld()
    return this.#partition.putSnapshot(at, data, this)
  }

  assertHeld(): void {
    if (this.#partition.epoch !== this.epoch) throw this.#partition.fencedError(this.epoch)
    if (this.isHeld) return
    throw new NotAppended('closed', `node ${this.node} has let go of partition ${this.#partition.id}`)
  }

  protected letGo(): void {
    this.#partition.letGo(this)
  }
}
