/**
 * Group commit of one partition: groups are made into frames as they come; one batch is on its way to the disk while the
 * next fills. A batch begins at the end of a turn when the disk is idle, else as soon as the one before is done; whoever
 * waits for a batch is told after the next is on its way. One write for a batch, and one sync when somebody asked.
 */
import type { EngineLimits, LogRecord, Lsn } from '../engine.ts'
import type { DiskFile } from '../env.ts'
import type { NotAppended, Unknown } from '../errors.ts'
import type { Run } from './batch.ts'
import type { ChunkRef } from './format.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { Partition } from './partition.ts'
import { DiskError } from '../env.ts'
import { Batch } from './batch.ts'
import {
  FLAG_BODY,
  FLAG_CHUNKED,
  FLAG_INTERNAL,
  FLAG_LAST,
  FORMAT_VERSION,
  INTERNAL_CHUNK,
  INTERNAL_CLOSE,
  INTERNAL_LEASE,
  INTERNAL_WRITER,
  SEGMENT_HEADER_BYTES,
  encodeChunkRefs,
  encodeFrame,
  encodeSegmentHeader,
  encodeWriterName,
} from './format.ts'
import { ENTRY_CHUNK, ENTRY_LIVE, Segment } from './segment.ts'

/** A piece of a body that is written ahead: what one commit can carry beside others without being felt. */
const CHUNK_BYTES = 1024 * 1024
const SMALL_FRAME_ROOM = 4_096
const NOTHING = new Uint8Array(0)

/** A body on its way into the log ahead of its record. */
interface WriteAhead {
  readonly body: Uint8Array
  readonly chunks: ChunkRef[]
  readonly ended: () => Error | undefined
  readonly resolve: (chunks: readonly ChunkRef[]) => void
  readonly reject: (error: Error) => void
  offset: number
  committed: number
  failed: boolean
}

/** The segment that grows. */
interface Active {
  readonly segment: Segment
  readonly file: DiskFile
  /** Written since the last sync. */
  isUnsynced: boolean
  /** Written since it was opened. */
  isNew: boolean
}

export class Committer {
  readonly #partition: Partition
  #filling: Batch | undefined = undefined
  /** Full ones that wait behind the one that is written. Bounded by what writers may have pending. */
  readonly #sealed: Batch[] = []
  readonly #ahead: WriteAhead[] = []
  #active: Active | undefined = undefined
  #busy = false
  #scheduled = false
  #broken: Unknown | undefined = undefined
  readonly #start = (): void => {
    this.#scheduled = false
    if (!this.#busy) void this.#work() // settles what waits by itself; what it throws is a defect
  }

  constructor(partition: Partition) {
    this.#partition = partition
  }

  get limits(): EngineLimits {
    return this.#partition.store.limits
  }

  get pendingHighBytes(): number {
    return this.#partition.store.settings.pendingHighBytes
  }

  /** Goes on in a segment that recovery found and synced. */
  resume(segment: Segment, file: DiskFile): void {
    this.#active = { segment, file, isUnsynced: false, isNew: false }
  }

  get activeSegment(): Segment | undefined {
    return this.#active?.segment
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
      bytes += 64 + meta.length
      if (body === undefined) {
        batch.put(lsn, kind, flags, dest, meta, undefined, 0, 0, number, lsn - synced, 0, salt)
      } else {
        const chunks = prepared?.get(group[index]!)
        if (chunks === undefined) {
          batch.put(lsn, kind, flags | FLAG_BODY, dest, meta, body, bodyStart, bodyEnd, number, lsn - synced, 1, salt)
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
    if (!this.#busy && !this.#scheduled && this.#active?.isUnsynced !== true) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#await({ what: 'call', frames: 0, done: (error) => (error === undefined ? resolve() : reject(error)) })
      this.#filling!.needsSync = true
    })
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
    return new Promise((resolve, reject) => {
      this.#ahead.push({ body, chunks: [], ended, resolve, reject, offset: 0, committed: 0, failed: false })
      this.#wake()
    })
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
    for (const job of this.#ahead.splice(0)) job.reject(error)
  }

  /** Says in the log that all of it was synced, and gives the file back. */
  async close(): Promise<void> {
    const active = this.#active
    if (active === undefined) return
    this.#active = undefined
    if (this.#broken === undefined && active.isNew) await this.#writeClose(active)
    await active.file.close()
  }

  async #writeClose({ segment, file }: Active): Promise<void> {
    const { store, nextLsn } = this.#partition
    const lsn = nextLsn - 1
    const fields = { lsn, kind: INTERNAL_CLOSE, flags: FLAG_INTERNAL | FLAG_LAST, dest: 0, writer: 0 }
    const frame = encodeFrame({ ...fields, atMs: store.clock.wallMs(), unsynced: 0 }, NOTHING, store.salt)
    try {
      await file.syncData()
      await file.write(segment.end, [frame])
      await file.syncData()
      segment.end += frame.length
    } catch (error) {
      // It proves something, nothing rests on it: the next start reads a torn frame away.
      if (!(error instanceof DiskError)) throw error
    }
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
    const sealed = this.#sealed.shift()
    if (sealed !== undefined) return sealed
    if (this.#ahead.length > 0) this.#addChunk()
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
    if (batch.bytes > 0) await this.#writeBytes(batch)
    else if (batch.needsSync) await this.#syncActive(this.#partition.syncedLsn)
    this.#partition.store.counters.lastCommitMs = this.#partition.store.clock.monoMs() - startedMs
  }

  async #writeBytes(batch: Batch): Promise<void> {
    const active = await this.#activeFor(batch)
    if (active === undefined) return
    const { segment, file } = active
    let prefix = this.#writerFrames(segment, batch)
    try {
      await file.write(segment.end, prefix.length === 0 ? batch.parts() : [prefix, ...batch.parts()])
    } catch (error) {
      if (!isFull(error)) throw error
      await this.#makeRoom(active, batch, error)
      prefix = this.#writerFrames(segment, batch)
      if (batch.bytes > 0 && !(await this.#writeAgain(active, batch, prefix))) prefix = NOTHING
    }
    if (batch.bytes > 0) {
      active.isUnsynced = true
      active.isNew = true
      for (const writer of writersOf(batch)) segment.writers.set(writer.name.number, writer.name)
      if (batch.needsSync) await this.#syncActive(batch.lastLsn)
      this.#index(segment, batch, segment.end + prefix.length)
    }
    this.#partition.releaseChunks(batch.dropped)
  }

  /** Only bookkeeping is left of the batch. False, and nothing is left, when not even that fits. */
  async #writeAgain({ segment, file }: Active, batch: Batch, prefix: Uint8Array): Promise<boolean> {
    try {
      await file.write(segment.end, [prefix, ...batch.parts()])
      return true
    } catch (error) {
      if (!isFull(error)) throw error
      await file.truncate(segment.end)
      batch.dropAll(this.#partition.store.space.fullError(`partition ${this.#partition.id}`, error.message))
      return false
    }
  }

  async #makeRoom({ segment, file }: Active, batch: Batch, error: DiskError): Promise<void> {
    const { space } = this.#partition.store
    await file.truncate(segment.end)
    await space.onDiskFull(error)
    batch.dropContent(space.fullError(`partition ${this.#partition.id}`, error.message))
  }

  async #syncActive(lsn: Lsn): Promise<void> {
    const active = this.#active
    if (active === undefined || !active.isUnsynced) return
    await active.file.syncData()
    active.isUnsynced = false
    this.#partition.store.counters.syncs++
    this.#partition.syncedLsn = Math.max(lsn, this.#partition.syncedLsn)
  }

  /** Everything of the batch has its place from `base` on. */
  #index(segment: Segment, batch: Batch, base: number): void {
    const { places } = batch
    let lsn = 0
    let place = 0
    for (let index = 0; index < batch.count; index++) {
      const next = places[index]!
      if (next === 0) continue
      if (lsn !== 0) segment.add(lsn, base + (place & ~3) - 4, place & 3, (next & ~3) - (place & ~3))
      lsn = batch.firstLsn + index
      place = next
    }
    const bytes = base + batch.bytes - segment.end
    segment.end = base + batch.bytes
    if (lsn !== 0) segment.add(lsn, base + (place & ~3) - 4, place & 3, batch.bytes + 4 - (place & ~3))
    this.#partition.grew(batch.lastLsn, bytes, batch.chunked)
  }

  /** The segment that the batch goes to: a new one when the present one is full. Undefined when there can be none. */
  async #activeFor(batch: Batch): Promise<Active | undefined> {
    const active = this.#active
    const { settings, space } = this.#partition.store
    const isEmpty = active?.segment.end === SEGMENT_HEADER_BYTES
    if (active !== undefined && (isEmpty || active.segment.end + batch.bytes <= settings.segmentBytes)) return active
    try {
      return await this.#roll(active)
    } catch (error) {
      if (!isFull(error)) throw error
      await space.onDiskFull(error)
      if (active !== undefined) return active // it grows beyond its size until there is space
      batch.dropAll(space.fullError(`partition ${this.#partition.id}`, error.message))
      return undefined
    }
  }

  async #roll(old: Active | undefined): Promise<Active> {
    const partition = this.#partition
    const { disk, salt, space } = partition.store
    // Behind a segment that was not synced nothing may stand, or a crash could leave a hole in the middle.
    await this.#syncActive(partition.committedLsn)
    if (partition.segments.length === 0) await partition.makeDirectory()
    const firstLsn = (partition.segments.at(-1)?.rangeEnd ?? 0) + 1
    const segment = new Segment({ firstLsn, fileId: partition.nextFileId, coveredTo: 0 }, 'dense')
    const path = partition.pathOf(segment.name)
    const file = await createAnew(disk, path)
    const { fileId } = segment
    const header = { version: FORMAT_VERSION, partition: partition.id, firstLsn, lastLsn: 0, fileId }
    try {
      await file.write(0, [encodeSegmentHeader(header, salt)])
      await file.syncAll()
      await disk.syncDirectory(partition.directory)
    } catch (error) {
      await file.close()
      if (isFull(error)) await disk.remove(path)
      throw error
    }
    partition.nextFileId++
    space.use(SEGMENT_HEADER_BYTES)
    old?.segment.seal()
    await old?.file.close()
    partition.segments.push(segment)
    this.#active = { segment, file, isUnsynced: false, isNew: false }
    partition.onSealed()
    return this.#active
  }

  /** Frames that name the writers which the segment does not know yet. */
  #writerFrames(segment: Segment, batch: Batch): Uint8Array {
    const frames: Uint8Array[] = []
    for (const { name } of writersOf(batch)) {
      if (segment.writers.has(name.number)) continue
      const flags = FLAG_INTERNAL | FLAG_LAST
      const fields = { lsn: batch.firstLsn - 1, kind: INTERNAL_WRITER, flags, dest: 0, writer: name.number }
      const unsynced = batch.firstLsn - 1 - this.#partition.syncedLsn
      frames.push(
        encodeFrame(
          { ...fields, atMs: batch.atMs, unsynced: Math.max(0, unsynced) },
          encodeWriterName(name),
          this.#partition.store.salt,
        ),
      )
    }
    if (frames.length === 0) return NOTHING
    const joined = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0))
    let at = 0
    for (const frame of frames) {
      joined.set(frame, at)
      at += frame.length
    }
    return joined
  }

  /** Adds a piece of the body that is next to the batch that fills. */
  #addChunk(): void {
    const partition = this.#partition
    const job = this.#ahead.shift()!
    const error = job.ended() ?? this.refusal(CHUNK_BYTES)
    if (error !== undefined) return this.#failAhead(job, error)
    const end = Math.min(job.offset + CHUNK_BYTES, job.body.length)
    const batch = this.#batchFor(SMALL_FRAME_ROOM + (end - job.offset), 0)
    const lsn = partition.nextLsn++
    const flags = FLAG_INTERNAL | FLAG_LAST
    const bits = ENTRY_LIVE | ENTRY_CHUNK
    const unsynced = lsn - partition.syncedLsn
    const { salt } = partition.store
    batch.put(lsn, INTERNAL_CHUNK, flags, 0, NOTHING, job.body, job.offset, end, 0, unsynced, bits, salt)
    const chunk = { lsn, length: end - job.offset }
    job.chunks.push(chunk)
    job.offset = end
    if (end < job.body.length) this.#ahead.push(job) // behind the others: they take turns
    batch.runs.push({
      what: 'call',
      frames: 1,
      done: (failure) => {
        if (failure !== undefined) this.#failAhead(job, failure)
        else if (job.failed) this.forget([chunk])
        else if ((job.committed += chunk.length) === job.body.length) job.resolve(job.chunks)
      },
    })
  }

  #failAhead(job: WriteAhead, error: Error): void {
    if (job.failed) return
    job.failed = true
    const waiting = this.#ahead.indexOf(job)
    if (waiting >= 0) this.#ahead.splice(waiting, 1)
    this.forget(job.chunks)
    job.reject(error)
  }
}

function writersOf(batch: Batch): Set<JournalWriter> {
  const writers = new Set<JournalWriter>()
  for (const run of batch.runs) if (run.what === 'groups') writers.add(run.writer)
  return writers
}

export function isFull(error: unknown): error is DiskError {
  return error instanceof DiskError && error.code === 'full'
}

/** A file that is there under this name is what a failed attempt left: nothing of it was ever told. */
async function createAnew(disk: Partition['store']['disk'], path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'create')
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'exists')) throw error
  }
  const file = await disk.open(path, 'write')
  await file.truncate(0)
  return file
}
