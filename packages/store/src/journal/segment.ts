/**
 * One segment in memory: what range of lsns it stands for, where each record lies, and which content is still alive. Four
 * bytes per lsn while the segment grows in order, eight per record once it was compacted and most lsns are gone.
 *
 * An entry is the offset of a frame, a multiple of four, with two bits of state; 0: nothing with this lsn is here.
 */
import type { Lsn } from '../engine.ts'
import type { WriterName } from './files/format.ts'
import { SEGMENT_HEADER_BYTES, segmentName } from './files/format.ts'

/** Content, or a piece of a body, that was not released. */
export const ENTRY_LIVE = 1
/** A piece of a body: goes with its record only. */
export const ENTRY_CHUNK = 2
const OFFSET_MASK = ~3

const FIRST_CAPACITY = 1_024

export interface SegmentStart {
  readonly firstLsn: Lsn
  readonly fileId: number
  /** Of a compacted segment; 0 in one that grows. */
  readonly coveredTo: Lsn
}

export class Segment {
  readonly firstLsn: Lsn
  readonly fileId: number
  readonly name: string
  /** A compacted segment stands for all lsns up to here, whether they are in it or not; 0 in one that grows. */
  readonly coveredTo: Lsn
  /** Names behind the writer numbers in the frames. */
  readonly writers: Map<number, WriterName> = new Map()
  /** Bytes of the file that are committed. */
  end: number = SEGMENT_HEADER_BYTES
  /** The highest lsn that has an entry; `firstLsn` - 1 without entries. */
  lastLsn: Lsn
  /** Live entries, pieces of bodies included, and about the bytes of their frames. */
  liveCount = 0
  liveBytes = 0
  /** Bytes of frames that are no content. */
  bookkeepingBytes = 0
  /** No longer in the log: removed, or replaced by a compacted one. */
  gone = false
  /** The collector was told that little of it is alive. */
  toldSparse = false
  /** A read found damage in it: it stays as it is. */
  damaged = false
  #entries: Uint32Array
  #count = 0
  /** lsn - firstLsn of each entry, ascending; undefined where the place of the entry says it. */
  #deltas: Uint32Array | undefined

  constructor(start: SegmentStart, layout: 'dense' | 'sparse') {
    this.firstLsn = start.firstLsn
    this.fileId = start.fileId
    this.coveredTo = start.coveredTo
    this.name = segmentName(start.firstLsn)
    this.lastLsn = start.firstLsn - 1
    this.#entries = new Uint32Array(layout === 'dense' ? FIRST_CAPACITY : 16)
    this.#deltas = layout === 'dense' ? undefined : new Uint32Array(16)
  }

  /** The last lsn that it stands for. */
  get rangeEnd(): Lsn {
    return Math.max(this.coveredTo, this.lastLsn)
  }

  get isCompacted(): boolean {
    return this.coveredTo !== 0
  }

  /** Slots of the index: entries, and in a dense one also the lsns between that have none. */
  get slotCount(): number {
    return this.#count
  }

  get indexBytes(): number {
    return this.#entries.byteLength + (this.#deltas?.byteLength ?? 0)
  }

  /** Notes the frame of `lsn`, which is higher than all before. `bits` are ENTRY_ ones. Hot path. */
  add(lsn: Lsn, offset: number, bits: number, bytes: number): void {
    const delta = lsn - this.firstLsn
    const slot = this.#deltas === undefined ? delta : this.#count
    if (slot >= this.#entries.length) this.#grow(slot)
    this.#entries[slot] = offset | bits
    if (this.#deltas !== undefined) this.#deltas[slot] = delta
    this.#count = slot + 1
    this.lastLsn = lsn
    if ((bits & ENTRY_LIVE) === 0) this.bookkeepingBytes += bytes
    else {
      this.liveCount++
      this.liveBytes += bytes
    }
  }

  /** Gives back the memory that growing took ahead. */
  seal(): void {
    this.#entries = this.#entries.slice(0, this.#count)
    if (this.#deltas !== undefined) this.#deltas = this.#deltas.slice(0, this.#count)
  }

  /** The slot of `lsn`; -1 when it has no entry. */
  slotOf(lsn: Lsn): number {
    const slot = this.#firstSlotFrom(lsn)
    return slot < this.#count && this.lsnOf(slot) === lsn && this.#entries[slot] !== 0 ? slot : -1
  }

  lsnOf(slot: number): Lsn {
    return this.firstLsn + (this.#deltas === undefined ? slot : this.#deltas[slot]!)
  }

  bitsOf(slot: number): number {
    return this.#entries[slot]! & ~OFFSET_MASK
  }

  offsetOf(slot: number): number {
    return (this.#entries[slot]! & OFFSET_MASK) >>> 0
  }

  /** Bytes up to the next entry, or the end: the frame, and at times a frame without a place behind it. */
  sizeOf(slot: number): number {
    let next = slot + 1
    while (next < this.#count && this.#entries[next] === 0) next++
    return (next < this.#count ? this.offsetOf(next) : this.end) - this.offsetOf(slot)
  }

  /** The first slot with an entry at `slot` or behind; `slotCount` when there is none. */
  nextSlot(slot: number): number {
    let next = slot
    while (next < this.#count && this.#entries[next] === 0) next++
    return next
  }

  /** The first slot with an entry after `lsn`; `slotCount` when there is none. */
  slotAfter(lsn: Lsn): number {
    return this.nextSlot(this.#firstSlotFrom(lsn + 1))
  }

  isLive(lsn: Lsn): boolean {
    const slot = this.slotOf(lsn)
    return slot >= 0 && (this.#entries[slot]! & ENTRY_LIVE) !== 0
  }

  /** The content at `slot` is dead. False when it was, or is bookkeeping. Hot path. */
  kill(slot: number): boolean {
    const entry = this.#entries[slot]!
    if ((entry & ENTRY_LIVE) === 0) return false
    this.#entries[slot] = entry & ~ENTRY_LIVE
    this.liveCount--
    this.liveBytes = this.liveCount === 0 ? 0 : Math.max(0, this.liveBytes - this.sizeOf(slot))
    return true
  }

  /** Forgets everything after `lsn`, whose frames end at `end`: they were not a whole group. */
  cut(lsn: Lsn, end: number): void {
    for (let slot = this.slotAfter(lsn); slot < this.#count; slot++) {
      if (this.#entries[slot] === 0) continue
      const bytes = this.sizeOf(slot)
      if (!this.kill(slot)) this.bookkeepingBytes -= Math.min(bytes, this.bookkeepingBytes)
      this.#entries[slot] = 0
    }
    this.#count = Math.min(this.#count, this.#firstSlotFrom(lsn + 1))
    this.lastLsn = this.#count === 0 ? this.firstLsn - 1 : this.lsnOf(this.#count - 1)
    this.end = end
  }

  /** The first `slots` slots as they are now, to be written to a snapshot. */
  tables(slots: number): Uint32Array[] {
    const entries = this.#entries.slice(0, slots)
    return this.#deltas === undefined ? [entries] : [entries, this.#deltas.slice(0, slots)]
  }

  /** Calls `visit` with the slot of every piece of a body that is alive. */
  eachChunk(visit: (slot: number) => void): void {
    const chunk = ENTRY_LIVE | ENTRY_CHUNK
    for (let slot = 0; slot < this.#count; slot++) if ((this.#entries[slot]! & chunk) === chunk) visit(slot)
  }

  /** Takes over what `tables` gave. Throws RangeError when it cannot be an index of a file that ends at `end`. */
  load(tables: readonly Uint32Array[], end: number, bookkeepingBytes: number): void {
    const [entries, deltas] = tables
    if (entries === undefined || (deltas !== undefined) !== (this.#deltas !== undefined)) {
      throw new RangeError(`segment ${this.name}: ${tables.length} tables do not make its index`)
    }
    this.#entries = entries
    this.#deltas = deltas
    this.#count = entries.length
    this.end = end
    this.bookkeepingBytes = bookkeepingBytes
    let after = SEGMENT_HEADER_BYTES - 1
    for (let slot = 0; slot < entries.length; slot++) {
      const entry = entries[slot]!
      if (entry === 0) continue
      const offset = this.offsetOf(slot)
      if (offset <= after || offset >= end) {
        throw new RangeError(`segment ${this.name}: its index has offset ${offset} where ${after + 1} to ${end} can be`)
      }
      after = offset
      this.lastLsn = this.lsnOf(slot)
      if ((entry & ENTRY_LIVE) === 0) continue
      this.liveCount++
      this.liveBytes += this.sizeOf(slot)
    }
  }

  #firstSlotFrom(lsn: Lsn): number {
    const delta = lsn - this.firstLsn
    if (delta <= 0) return 0
    if (this.#deltas === undefined) return Math.min(delta, this.#count)
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#deltas[middle]! < delta) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(slot: number): void {
    const capacity = Math.max(FIRST_CAPACITY, slot + 1, this.#entries.length * 2)
    const entries = new Uint32Array(capacity)
    entries.set(this.#entries)
    this.#entries = entries
    if (this.#deltas === undefined) return
    const deltas = new Uint32Array(capacity)
    deltas.set(this.#deltas)
    this.#deltas = deltas
  }
}
