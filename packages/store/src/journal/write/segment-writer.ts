/**
 * The file side of a partition's commits: writes batches to the segment that grows, begins the next one, syncs, and takes
 * out what a full disk does not take.
 */
import type { Disk, DiskFile } from '../../env.ts'
import type { Batch } from './batch.ts'
import type { JournalWriter } from './journal-writer.ts'
import type { Partition } from '../partition.ts'
import { DiskError } from '../../env.ts'
import {
  FLAG_INTERNAL,
  FLAG_LAST,
  FORMAT_VERSION,
  INTERNAL_CLOSE,
  INTERNAL_GONE,
  INTERNAL_WRITER,
  SEGMENT_HEADER_BYTES,
  SPARE_FILE,
  encodeFrame,
  encodeSegmentHeader,
  encodeWriterName,
} from '../files/format.ts'
import { Segment } from '../segment.ts'
import { DISK_FULL } from './space.ts'

const NOTHING = new Uint8Array(0)
const FLAGS = FLAG_INTERNAL | FLAG_LAST

/** The segment that grows. */
interface Active {
  readonly segment: Segment
  readonly file: DiskFile
  /** Bytes of an earlier life of the file that may be behind the segment's end. */
  readonly staleTo: number
  /** Written since the last sync. */
  isUnsynced: boolean
  /** Written since it was opened. */
  isNew: boolean
}

export class SegmentWriter {
  readonly #partition: Partition
  #active: Active | undefined = undefined
  #wantsGone = false
  /** Something was written in this life: until then it may use what is kept for starts. */
  #hasWritten = false

  constructor(partition: Partition) {
    this.#partition = partition
  }

  /** `sync` has something to do. */
  get isUnsynced(): boolean {
    return this.#active?.isUnsynced === true || (this.#active !== undefined && this.#wantsGone)
  }

  /** The next write or sync says what was removed since the newest snapshot. */
  noteGone(): void {
    this.#wantsGone = true
  }

  /** Goes on in a segment that recovery found and synced. */
  resume(segment: Segment, file: DiskFile): void {
    this.#active = { segment, file, staleTo: 0, isUnsynced: false, isNew: false }
  }

  /**
   * Writes a batch, syncs if it asks for that, and notes where its records are. What a full disk does not take falls out
   * of the batch. Rejects when it is not known what the disk has.
   */
  async write(batch: Batch): Promise<void> {
    const active = await this.#activeFor(batch)
    if (active === undefined || batch.bytes === 0) return
    const { segment, file } = active
    let prefix = this.#prefixFrames(segment, batch)
    let isSynced = false
    try {
      const parts = prefix.length === 0 ? batch.parts() : [prefix, ...batch.parts()]
      if (batch.needsSync && !active.isUnsynced && file.writeSynced !== undefined) {
        await file.writeSynced(segment.end, parts)
        isSynced = true
        this.#partition.store.counters.syncs++
      } else await file.write(segment.end, parts)
    } catch (error) {
      if (!isFull(error)) throw error
      await this.#makeRoom(active, batch)
      prefix = this.#prefixFrames(segment, batch)
      await this.#writeAgain(active, batch, prefix)
    }
    if (batch.bytes > 0) {
      this.#wantsGone = false
      this.#hasWritten = true
      active.isUnsynced = !isSynced
      active.isNew = true
      for (const writer of writersOf(batch)) segment.writers.set(writer.name.number, writer.name)
      if (batch.needsSync && !isSynced) await this.#sync(active)
      this.#index(segment, batch, segment.end + prefix.length)
      if (batch.needsSync) this.#partition.syncedLsn = segment.lastLsn
    } else if (active.isUnsynced) await this.#sync(active)
    this.#partition.releaseChunks(batch.dropped)
  }

  /** Everything that was written is on stable storage when it resolves. */
  async sync(): Promise<void> {
    const active = this.#active
    if (active === undefined) return
    if (this.#wantsGone) await this.#writeGone(active)
    if (!active.isUnsynced) return
    const { committedLsn } = this.#partition
    await this.#sync(active)
    this.#partition.syncedLsn = committedLsn
  }

  /** Says in the log that all of it was synced, unless it is not known, and gives the file back. */
  async close(isBroken: boolean): Promise<void> {
    const active = this.#active
    if (active === undefined) return
    this.#active = undefined
    if (!isBroken && active.isNew) await this.#writeClose(active)
    if (!isBroken) await this.#partition.dropSpare()
    await active.file.close()
  }

  async #writeClose(active: Active): Promise<void> {
    const { segment, file } = active
    const { store } = this.#partition
    const fields = { lsn: segment.lastLsn, kind: INTERNAL_CLOSE, flags: FLAGS, dest: 0, writer: 0 }
    const frame = encodeFrame({ ...fields, atMs: store.clock.wallMs(), unsynced: 0 }, NOTHING, store.salt)
    try {
      await file.syncData()
      await file.write(segment.end, [frame])
      await file.syncData()
      segment.end += frame.length
      store.space.use(frame.length)
      await cutStale(active)
    } catch (error) {
      // It proves something, nothing rests on it: the next start reads a torn frame away.
      if (!(error instanceof DiskError)) throw error
    }
  }

  /** Only bookkeeping is left of the batch, and nothing when not even that fits. */
  async #writeAgain({ segment, file }: Active, batch: Batch, prefix: Uint8Array): Promise<void> {
    if (batch.bytes === 0) return
    try {
      await file.write(segment.end, [prefix, ...batch.parts()])
    } catch (error) {
      if (!isFull(error)) throw error
      await file.truncate(segment.end)
      batch.dropAll(this.#partition.store.space.fullError(`partition ${this.#partition.id}`, DISK_FULL))
    }
  }

  /** Nothing rests on it but what `verify` can tell: a full disk takes it with the next batch that fits. */
  async #writeGone(active: Active): Promise<void> {
    const { segment, file } = active
    const { store } = this.#partition
    const frame = this.#goneFrame(segment, store.clock.wallMs())
    try {
      await file.write(segment.end, [frame])
    } catch (error) {
      if (!isFull(error)) throw error
      await file.truncate(segment.end)
      active.isUnsynced = true
      return
    }
    this.#wantsGone = false
    active.isUnsynced = true
    active.isNew = true
    segment.end += frame.length
    store.space.use(frame.length)
  }

  #goneFrame(segment: Segment, atMs: number): Uint8Array {
    const { store, gone, syncedLsn } = this.#partition
    const unsynced = Math.max(0, segment.lastLsn - syncedLsn)
    const fields = { lsn: segment.lastLsn, kind: INTERNAL_GONE, flags: FLAGS, dest: 0, writer: 0, atMs, unsynced }
    return encodeFrame(fields, gone.encode(), store.salt)
  }

  async #makeRoom(active: Active, batch: Batch): Promise<void> {
    const { space } = this.#partition.store
    const { segment, file } = active
    await file.truncate(segment.end)
    active.isUnsynced = true
    batch.needsSync = true // or what is told as refused comes back after a power loss
    await this.#partition.dropSpare()
    await space.onDiskFull(!this.#hasWritten)
    batch.dropContent(space.fullError(`partition ${this.#partition.id}`, DISK_FULL))
  }

  async #sync(active: Active): Promise<void> {
    await active.file.syncData()
    active.isUnsynced = false
    this.#partition.store.counters.syncs++
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
    this.#partition.grew(segment.lastLsn, bytes, batch.chunked)
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
      await space.onDiskFull(!this.#hasWritten)
      if (active !== undefined) return active // it grows beyond its size until there is space
      return this.#rollIntoReserve(batch)
    }
  }

  /** The first segment of a life on a full disk: who settles needs an owner, and an owner needs a segment. */
  async #rollIntoReserve(batch: Batch): Promise<Active | undefined> {
    const full = this.#partition.store.space.fullError(`partition ${this.#partition.id}`, DISK_FULL)
    batch.dropContent(full)
    try {
      return await this.#roll(undefined)
    } catch (again) {
      if (!isFull(again)) throw again
      batch.dropAll(full)
      return undefined
    }
  }

  async #roll(old: Active | undefined): Promise<Active> {
    const partition = this.#partition
    const { disk, salt, space } = partition.store
    // Behind a segment that was not synced nothing may stand, or a crash could leave a hole in the middle.
    await this.sync()
    if (partition.segments.length === 0) await partition.makeDirectory()
    // What was committed last may be damaged, and its segment end before it.
    const firstLsn = Math.max(partition.committedLsn, partition.segments.at(-1)?.rangeEnd ?? partition.trimmedTo) + 1
    const segment = new Segment({ firstLsn, fileId: partition.nextFileId++, coveredTo: 0 }, 'dense')
    const path = partition.pathOf(segment.name)
    if (old !== undefined) await cutStale(old)
    const { fileId } = segment
    const header = { version: FORMAT_VERSION, partition: partition.id, firstLsn, lastLsn: 0, fileId }
    const staleTo = partition.spareBytes
    const draft = staleTo > 0 ? partition.pathOf(SPARE_FILE) : path
    let file = staleTo > 0 ? await disk.open(draft, 'write') : await createAnew(disk, draft)
    try {
      await file.write(0, [encodeSegmentHeader(header, salt)])
      await file.syncAll()
      if (staleTo > 0) {
        await disk.rename(draft, path) // only now: under its own name it has its own header
        await file.close()
        file = await disk.open(path, 'write')
      }
      await disk.syncDirectory(partition.directory)
    } catch (error) {
      await file.close()
      if (isFull(error)) {
        // For good, before the old segment grows beyond the lsn in this name.
        if (staleTo > 0) await partition.dropSpare()
        else await disk.remove(draft)
        await disk.syncDirectory(partition.directory)
      }
      throw error
    }
    if (staleTo > 0) partition.spareBytes = 0 // else one that the collector kept meanwhile stays
    space.giveBack(staleTo)
    space.use(SEGMENT_HEADER_BYTES)
    old?.segment.seal()
    await old?.file.close()
    partition.segments.push(segment)
    this.#active = { segment, file, staleTo, isUnsynced: false, isNew: false }
    partition.onSealed()
    return this.#active
  }

  /** What goes before a batch: what was removed, and frames that name the writers which the segment does not know yet. */
  #prefixFrames(segment: Segment, batch: Batch): Uint8Array {
    const { salt } = this.#partition.store
    const lsn = segment.lastLsn // not that of a group before that fell out: the next life may give it again
    const unsynced = Math.max(0, lsn - this.#partition.syncedLsn)
    const frames: Uint8Array[] = this.#wantsGone ? [this.#goneFrame(segment, batch.atMs)] : []
    for (const { name } of writersOf(batch)) {
      if (segment.writers.has(name.number)) continue
      const fields = {
        lsn,
        kind: INTERNAL_WRITER,
        flags: FLAGS,
        dest: 0,
        writer: name.number,
        atMs: batch.atMs,
        unsynced,
      }
      frames.push(encodeFrame(fields, encodeWriterName(name), salt))
    }
    return frames.length === 0 ? NOTHING : Buffer.concat(frames)
  }
}

/** A segment that is complete ends where its file ends. */
async function cutStale({ segment, file, staleTo }: Active): Promise<void> {
  if (staleTo <= segment.end) return
  await file.truncate(segment.end)
  await file.syncAll()
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
async function createAnew(disk: Disk, path: string): Promise<DiskFile> {
  try {
    return await disk.open(path, 'create')
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'exists')) throw error
  }
  const file = await disk.open(path, 'write')
  const size = await file.size()
  if (size <= SEGMENT_HEADER_BYTES) {
    await file.truncate(0)
    return file
  }
  await file.close()
  throw new DiskError('exists', path, `a file with ${size} bytes is there that nobody knows of: it is not written over`)
}
