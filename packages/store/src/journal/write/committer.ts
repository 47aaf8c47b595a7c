/**
 * Group commit of one partition: groups are made into frames as they come; one batch is on its way to the disk while the
 * next fills. A batch begins at the end of a turn when the disk is idle, else as soon as the one before is done; whoever
 * waits for a batch is told after the next is on its way. One write for a batch, and one sync when somebody asked.
 */
import type { EngineLimits, LogRecord, Lsn } from '../../engine.ts'
import type { DiskFile } from '../../env.ts'
import type { NotAppended, Unknown } from '../../errors.ts'
import type { Run } from './batch.ts'
import type { ChunkRef } from '../files/format.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { Partition } from '../partition.ts'
import { RECORD_OVERHEAD_BYTES } from '../../engine.ts'
import { Batch, EXTERNAL_BYTES } from './batch.ts'
import {
  FLAG_BODY,
  FLAG_CHUNKED,
  FLAG_INTERNAL,
  FLAG_LAST,
  INTERNAL_CHUNK,
  INTERNAL_LEASE,
  encodeChunkRefs,
} from '../files/format.ts'
import { ENTRY_CHUNK, ENTRY_LIVE, type Segment } from '../segment.ts'
import { SegmentWriter } from './segment-writer.ts'
import { CHUNK_BYTES, WriteAhead } from './write-ahead.ts'

const SMALL_FRAME_ROOM = 4_096
const NOTHING = new Uint8Array(0)

export class Committer {
  readonly #partition: Partition
  #filling: Batch | undefined = undefined
  /** Full ones that wait behind the one that is written. Bounded by what writers may have pending. */
  readonly #sealed: Batch[] = []
  readonly #ahead: WriteAhead
  readonly #segments: SegmentWriter
  #busy = false
  #scheduled = false
  #broken: Unknown | undefined = undefined
  readonly #start = (): void => {
    this.#scheduled = false
    if (!this.#busy) void this.#work() // settles what waits by itself; what it throws is a defect
  }

  constructor(partition: Partition) {
    this.#partition = partition
    this.#segments = new SegmentWriter(partition)
    this.#ahead = new WriteAhead((chunks) => partition.releaseChunks(chunks))
  }

  get limits(): EngineLimits {
    return this.#partition.store.limits
  }

  get pendingHighBytes(): number {
    return this.#partition.store.settings.pendingHighBytes
  }

  /** Goes on in a segment that recovery found and synced. */
  resume(segment: Segment, file: DiskFile): void {
    this.#segments.resume(segment, file)
  }

  /** Why `bytes` more of content cannot go in now. */
  refusal(bytes: number): NotAppended | undefined {
    return this.#partition.store.space.refusal(`partition ${this.#partition.id}`, bytes)
  }

  /** Makes frames of a group. Returns its size as `recordBytes` counts. Hot path. */
  append(
    writer: JournalWriter,
    group: readonly LogRecord[],
    ticket: number,
    needsSync: boolean,
    slabBytes: number,
    fileBytes: number,
    prepared: WeakMap<LogRecord, readonly ChunkRef[]> | undefined,
  ): number {
    const partition = this.#partition
    const batch = this.#batchFor(slabBytes, fileBytes)
    const firstLsn = partition.nextLsn
    const { salt } = partition.store
    const { number } = writer.name
    const synced = partition.syncedLsn
    const last = group.length - 1
    let bytes = 0
    let lsn = firstLsn
    for (let index = 0; index <= last; index++) {
      const { kind, dest, meta, body, bodyStart, bodyEnd } = group[index]!
      const flags = index === last ? FLAG_LAST : 0
      bytes += RECORD_OVERHEAD_BYTES + meta.length
      if (body === undefined) {
        batch.put(lsn, kind, flags, dest, meta, undefined, 0, 0, number, lsn - synced, 0, salt)
      } else {
        const chunks = prepared?.get(group[index]!)
        if (chunks === undefined) {
          batch.put(
            lsn,
            kind,
            flags | FLAG_BODY,
            dest,
            meta,
            body,
            bodyStart,
            bodyEnd,
            number,
            lsn - synced,
            ENTRY_LIVE,
            salt,
          )
          bytes += bodyEnd - bodyStart
        } else {
          prepared?.delete(group[index]!)
          const refs = encodeChunkRefs(chunks)
          const all = flags | FLAG_BODY | FLAG_CHUNKED
          batch.put(lsn, kind, all, dest, meta, refs, 0, refs.length, number, lsn - synced, ENTRY_LIVE, salt)
          batch.chunked.push({ lsn, chunks })
          bytes += refs.length
        }
      }
      lsn++
    }
    partition.nextLsn = lsn
    const run = batch.runs.at(-1)
    if (run?.what === 'groups' && run.writer === writer && run.firstLsn + run.records === firstLsn) {
      run.lastTicket = ticket
      run.groups++
      run.records += group.length
      run.bytes += bytes
    } else {
      batch.runs.push({ what: 'groups', writer, firstLsn, lastTicket: ticket, groups: 1, records: group.length, bytes })
    }
    batch.tickets.push(ticket)
    partition.store.space.pendingBytes += bytes
    if (needsSync) batch.needsSync = true
    if (!this.#busy && !this.#scheduled) this.#wake()
    return bytes
  }

  /** The group of `ticket` has failed: its outcome comes in its turn. */
  fail(writer: JournalWriter, ticket: number, error: NotAppended): void {
    this.#await({ what: 'failed', writer, ticket, error, bytes: 0 })
  }

  /** `done` when everything before has its outcome. */
  #await(run: Run): void {
    this.#batchFor(0, 0).runs.push(run)
    this.#wake()
  }

  /** Resolves when everything before has its outcome. */
  settled(): Promise<void> {
    if (this.#broken !== undefined || (!this.#busy && !this.#scheduled)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#await({ what: 'call', frames: 0, done: () => resolve() })
    })
  }

  /** Resolves when everything before is on stable storage. Rejects with Unknown. */
  sync(): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    if (!this.#busy && !this.#scheduled && !this.#segments.isUnsynced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#await({ what: 'call', frames: 0, done: (error) => (error === undefined ? resolve() : reject(error)) })
      this.#filling!.needsSync = true
    })
  }

  /** As `sync`, and says in the log what was removed since the newest snapshot. On a full disk it is said later. */
  syncWithGone(): Promise<void> {
    this.#segments.noteGone()
    return this.sync()
  }

  /**
   * Appends the record that gives the partition an owner; its lsn is the epoch, told at once. `fenced` can do nothing any
   * more, and is told so behind its last outcome.
   */
  appendLease(node: string, writer: number, fenced: JournalWriter | undefined): { epoch: Lsn; written: Promise<void> } {
    const partition = this.#partition
    const batch = this.#batchFor(SMALL_FRAME_ROOM + node.length * 3, 0)
    const epoch = partition.nextLsn++
    const meta = new TextEncoder().encode(node)
    const flags = FLAG_INTERNAL | FLAG_LAST
    const unsynced = epoch - partition.syncedLsn
    batch.put(epoch, INTERNAL_LEASE, flags, 0, meta, undefined, 0, 0, writer, unsynced, 0, partition.store.salt)
    batch.needsSync = true
    const written = new Promise<void>((resolve, reject) => {
      batch.runs.push({
        what: 'call',
        frames: 1,
        done: (error) => {
          fenced?.tellEnd()
          if (error === undefined) resolve()
          else reject(error)
        },
      })
    })
    this.#wake()
    return { epoch, written }
  }

  /** Brings `body` into the log in pieces. `ended` says why its writer can do nothing any more. */
  writeAhead(body: Uint8Array, ended: () => Error | undefined): Promise<readonly ChunkRef[]> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    const written = this.#ahead.add(body, ended)
    this.#wake()
    return written
  }

  /** Nobody will use these pieces. */
  forget(chunks: readonly ChunkRef[]): void {
    this.#partition.releaseChunks(chunks)
  }

  /** A writer that can do nothing any more has submitted. It is told with its outcomes, or now when there are none. */
  answerEnded(writer: JournalWriter): void {
    if (this.#broken !== undefined) this.#partition.store.clock.endOfTurn(() => writer.tellEnd())
  }

  /** The disk failed: nothing is written any more, and whoever waits is told so. */
  breakOff(error: Unknown): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    const batches = [...this.#sealed.splice(0), ...(this.#filling === undefined ? [] : [this.#filling])]
    this.#filling = undefined
    for (const { runs } of batches) this.#break(runs)
    this.#ahead.breakOff(error)
  }

  /** Says in the log that all of it was synced, and gives the file back. */
  close(): Promise<void> {
    return this.#segments.close(this.#broken !== undefined)
  }

  #wake(): void {
    if (this.#busy || this.#scheduled) return
    this.#scheduled = true
    this.#partition.store.clock.endOfTurn(this.#start)
  }

  /** The batch that fills, with room for a group. Hot path. */
  #batchFor(slabBytes: number, fileBytes: number): Batch {
    const batch = this.#filling
    const { settings, slabs, clock } = this.#partition.store
    if (batch !== undefined) {
      const fits = batch.bytes === 0 || batch.bytes + fileBytes <= settings.batchBytesMax
      if (batch.room >= slabBytes && fits) return batch
      this.#sealed.push(batch)
    }
    return (this.#filling = new Batch(slabs.take(slabBytes), this.#partition.nextLsn, clock.wallMs()))
  }

  #next(): Batch | undefined {
    if (this.#sealed.length === 0 && !this.#ahead.isEmpty) this.#addChunk()
    const sealed = this.#sealed.shift()
    if (sealed !== undefined) return sealed
    const batch = this.#filling
    this.#filling = undefined
    return batch
  }

  async #work(): Promise<void> {
    this.#busy = true
    let finished: Batch | undefined = undefined
    for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
      const writing = this.#write(batch)
      if (finished !== undefined) this.#tell(finished)
      finished = undefined
      try {
        await writing
      } catch (error) {
        this.#partition.store.fail(error)
      }
      if (this.#broken !== undefined) return this.#break(batch.runs)
      finished = batch
    }
    this.#busy = false
    if (finished !== undefined) this.#tell(finished)
  }

  #tell(batch: Batch): void {
    for (const run of batch.runs) {
      if (run.what === 'call') {
        run.done()
        continue
      }
      this.#partition.store.space.pendingBytes -= run.bytes
      if (run.what === 'groups') run.writer.committed(run.lastTicket, run.firstLsn, batch.atMs, run.bytes)
      else run.writer.failed(run.ticket, run.error, run.bytes)
    }
    this.#partition.store.slabs.giveBack(batch.slab)
    this.#partition.news.ring()
  }

  /** The writers are told by the log, once for each. */
  #break(runs: readonly Run[]): void {
    for (const run of runs) if (run.what === 'call') run.done(this.#broken)
  }

  async #write(batch: Batch): Promise<void> {
    const startedMs = this.#partition.store.clock.monoMs()
    if (batch.bytes > 0) await this.#segments.write(batch)
    else if (batch.needsSync) await this.#segments.sync()
    this.#partition.store.counters.onCommit(batch.bytes, this.#partition.store.clock.monoMs() - startedMs)
  }

  /** Adds the next piece of a body to the batch that fills. */
  #addChunk(): void {
    const partition = this.#partition
    const piece = this.#ahead.next(partition.nextLsn, this.refusal(CHUNK_BYTES))
    if (piece === undefined) return
    const { body, start, end, done } = piece
    const batch = this.#batchFor(SMALL_FRAME_ROOM + Math.min(end - start, EXTERNAL_BYTES), 0)
    const lsn = partition.nextLsn++
    const flags = FLAG_INTERNAL | FLAG_LAST
    const bits = ENTRY_LIVE | ENTRY_CHUNK
    const unsynced = lsn - partition.syncedLsn
    batch.put(lsn, INTERNAL_CHUNK, flags, 0, NOTHING, body, start, end, 0, unsynced, bits, partition.store.salt)
    batch.runs.push({ what: 'call', frames: 1, done })
  }
}
