/**
 * What a partition's log is made of: its segments in order, what is trimmed, and which records have their bodies in
 * pieces. Writing is the committer's, reading the reader's, collecting dead bytes the collector's.
 */
import type { Lsn, PartitionId } from '../engine.ts'
import type { ChunkRef } from './files/format.ts'
import type { ChunkedRecord } from './write/batch.ts'
import type { Store } from './store.ts'
import { Bell } from '../bell.ts'
import { SPARE_FILE, partitionDirectory } from './files/format.ts'
import { GoneLsns } from './collect/gone.ts'
import { ENTRY_CHUNK, type Segment } from './segment.ts'

export class Partition {
  readonly id: PartitionId
  readonly store: Store
  readonly directory: string
  /** Ascending, without overlap; the last one may grow. */
  segments: Segment[] = []
  /** Bodies in pieces, by the lsn of their record, as long as it is alive. */
  readonly chunked: Map<Lsn, readonly ChunkRef[]> = new Map()
  nextLsn: Lsn = 1
  /** The last lsn in the log, and the last one on stable storage. */
  committedLsn: Lsn = 0
  syncedLsn: Lsn = 0
  /** Bookkeeping up to here may be gone. */
  trimmedTo: Lsn = 0
  nextFileId = 1
  nextWriter = 1
  /** Number of the newest snapshot's file, and its size; 0: there is none. */
  snapshot = 0
  snapshotFileBytes = 0
  snapshotAtMs: number | undefined = undefined
  /** Bytes of unfinished groups that a crash left at the end, which the start cut off. */
  tornBytes = 0
  /** Bytes appended in this life, and how many of them, or of earlier ones, a snapshot covers. */
  appendedBytes = 0
  coveredBytes = 0
  /** Bytes of a file that waits to be used again; 0: there is none. */
  spareBytes = 0
  /** Of segments that were removed since the newest snapshot. */
  readonly gone: GoneLsns = new GoneLsns()
  readonly news: Bell = new Bell()
  /** Some segment may be worth collecting. */
  onDead: () => void = () => {}

  constructor(id: PartitionId, store: Store) {
    this.id = id
    this.store = store
    this.directory = partitionDirectory(id)
  }

  get bytesSinceSnapshot(): number {
    return this.appendedBytes - this.coveredBytes
  }

  pathOf(name: string): string {
    return `${this.directory}/${name}`
  }

  async makeDirectory(): Promise<void> {
    await this.store.disk.makeDirectory(this.directory)
    await this.store.disk.syncDirectory('')
  }

  /**
   * Keeps the file of a dead segment that nobody reads: writing over bytes that the file system knows is a third faster
   * than growing a file, and removing a large one holds up commits. What is in it is told from newer frames by its lsns.
   */
  async keepAsSpare(segment: Segment): Promise<void> {
    const { disk } = this.store
    await disk.rename(this.pathOf(segment.name), this.pathOf(SPARE_FILE))
    await disk.syncDirectory(this.directory) // or a crash gives the old name to what the next segment writes
    this.spareBytes = segment.end
  }

  async dropSpare(): Promise<void> {
    if (this.spareBytes === 0) return
    const bytes = this.spareBytes
    this.spareBytes = 0
    await this.store.disk.remove(this.pathOf(SPARE_FILE))
    this.store.space.giveBack(bytes)
  }

  /** A dead segment of full size, while there is room enough to keep it. */
  isWorthKeeping(segment: Segment): boolean {
    const { settings, space, handles } = this.store
    if (this.spareBytes > 0 || space.isTight || segment.isCompacted || handles.isUsed(segment)) return false
    if (this.excessBytes + segment.end > SPARE_SEGMENTS * settings.segmentBytes) return false
    return segment.end >= settings.segmentBytes / 2 && segment.end <= settings.segmentBytes
  }

  /** Index of the last segment that begins at `lsn` or before; -1 when none does. */
  indexOf(lsn: Lsn): number {
    let low = 0
    let high = this.segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.segments[middle]!.firstLsn <= lsn) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** The log grew by `bytes`, up to `lastLsn`. */
  grew(lastLsn: Lsn, bytes: number, chunked: readonly ChunkedRecord[]): void {
    this.committedLsn = lastLsn
    this.appendedBytes += bytes
    this.store.counters.writtenBytes += bytes
    this.store.space.use(bytes)
    for (const { lsn, chunks } of chunked) this.chunked.set(lsn, chunks)
  }

  /** A segment grows no more. */
  onSealed(): void {
    this.onDead()
  }

  /** The content from `firstLsn` to `lastLsn` is dead. Hot path. */
  release(firstLsn: Lsn, lastLsn: Lsn): void {
    const last = Math.min(lastLsn, this.committedLsn)
    for (let index = Math.max(0, this.indexOf(firstLsn)); index < this.segments.length; index++) {
      const segment = this.segments[index]!
      if (segment.firstLsn > last) return
      const count = segment.slotCount
      if (segment.liveCount === 0) continue
      let died = false
      for (let slot = segment.slotAfter(firstLsn - 1); slot < count; slot = segment.nextSlot(slot + 1)) {
        const lsn = segment.lsnOf(slot)
        if (lsn > last) break
        if ((segment.bitsOf(slot) & ENTRY_CHUNK) !== 0 || !segment.kill(slot)) continue
        died = true
        if (this.chunked.size > 0) this.#releaseBody(lsn)
      }
      if (died) this.#lookAt(segment)
    }
  }

  /** Nobody needs these pieces of bodies. */
  releaseChunks(chunks: readonly ChunkRef[]): void {
    for (const { lsn } of chunks) {
      const segment = this.segments[this.indexOf(lsn)]
      const slot = segment?.slotOf(lsn) ?? -1
      if (segment === undefined || slot < 0 || !segment.kill(slot)) continue
      this.#lookAt(segment)
    }
  }

  /** Bytes that must stay: live content, and the bookkeeping of a segment that is not trimmed as a whole. */
  neededBytes(segment: Segment): number {
    return segment.liveBytes + (segment.rangeEnd > this.trimmedTo ? segment.bookkeepingBytes : 0)
  }

  /** By how much the files are larger than twice what is needed: at most three segments, when all is well. */
  get excessBytes(): number {
    let bytes = this.spareBytes
    for (const segment of this.segments) {
      const fileBytes = this.isSealed(segment) ? segment.end : Math.max(segment.end, this.store.settings.segmentBytes)
      bytes += fileBytes - 2 * this.neededBytes(segment)
    }
    return bytes
  }

  isSealed(segment: Segment): boolean {
    return segment !== this.segments.at(-1)
  }

  #releaseBody(lsn: Lsn): void {
    const chunks = this.chunked.get(lsn)
    if (chunks === undefined) return
    this.chunked.delete(lsn)
    this.releaseChunks(chunks)
  }

  #lookAt(segment: Segment): void {
    if (!this.isSealed(segment)) return
    if (segment.liveCount > 0 && (segment.toldSparse || !this.isSparse(segment))) return
    segment.toldSparse = true
    this.onDead()
  }

  /** Copying what is needed would free more than it costs. */
  isSparse(segment: Segment): boolean {
    return !segment.damaged && segment.end > 2 * this.neededBytes(segment) + SPARSE_SLACK_BYTES
  }
}

/** A spare file must not be what breaks the promise of `excessBytes`. */
const SPARE_SEGMENTS = 2.5
/** A file smaller than this is not worth a copy by itself. */
const SPARSE_SLACK_BYTES = 1_024
