/**
 * What is written in one go: the frames of all groups that were submitted while the batch before was on its way. Small
 * bodies are copied into a slab, large ones are written from where they lie; no object per record or group.
 *
 * A batch also remembers who waits for it, in order: `runs`.
 */
import { crc32 } from 'node:zlib'
import type { Lsn } from '../../engine.ts'
import type { NotAppended } from '../../errors.ts'
import type { ChunkRef } from '../files/format.ts'
import type { JournalWriter } from './journal-writer.ts'
import { checksum } from '../files/checksum.ts'
import {
  CRC_FROM,
  FLAG_BODY,
  FLAG_CHUNKED,
  FLAG_INTERNAL,
  FLAG_LAST,
  FRAME_HEADER_BYTES,
  FrameHeader,
  INTERNAL_CHUNK,
  padded,
  wordsOf,
  writeFrameHeader,
} from '../files/format.ts'
import { RECORD_OVERHEAD_BYTES } from '../../engine.ts'

/** Bodies from here on are written from where they lie: copying would cost more than one more part of the write. */
export const EXTERNAL_BYTES: number = 32 * 1024
/** Copying this few bytes one by one is faster than a call. */
const SMALL_BYTES = 32

/** Memory that frames are made in. */
export class Slab {
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** See `Batch.places`. */
  places: Uint32Array = new Uint32Array(1_024)

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.words = wordsOf(this.bytes)
  }
}

/** Slabs that are used again, for all partitions of an engine. */
export class Slabs {
  readonly #size: number
  readonly #idle: Slab[] = []

  constructor(size: number) {
    this.#size = size
  }

  take(bytes: number): Slab {
    return bytes <= this.#size ? (this.#idle.pop() ?? new Slab(this.#size)) : new Slab(bytes)
  }

  /** More than a few are left to the collector: they were for a peak. */
  giveBack(slab: Slab): void {
    if (slab.bytes.length === this.#size && this.#idle.length < IDLE_SLABS_MAX) this.#idle.push(slab)
  }
}

const IDLE_SLABS_MAX = 4

/** Groups of one writer, one behind the other. */
export interface GroupsRun {
  readonly what: 'groups'
  readonly writer: JournalWriter
  readonly firstLsn: Lsn
  lastTicket: number
  groups: number
  records: number
  /** As `recordBytes` counts. */
  bytes: number
}

/** A group that is not in the log. */
export interface FailedRun {
  readonly what: 'failed'
  readonly writer: JournalWriter
  readonly ticket: number
  readonly error: NotAppended
  readonly bytes: number
}

/** Something else that waits: for the frame it has in the batch, or for all that was there before. */
export interface CallRun {
  readonly what: 'call'
  readonly frames: 0 | 1
  /** Without an error: everything up to here is in the log. */
  readonly done: (error?: Error) => void
}

export type Run = GroupsRun | FailedRun | CallRun

/** A record whose body lies in chunks before it. */
export interface ChunkedRecord {
  readonly lsn: Lsn
  readonly chunks: readonly ChunkRef[]
}

export class Batch {
  readonly atMs: number
  readonly firstLsn: Lsn
  readonly slab: Slab
  runs: Run[] = []
  /** One per group, in order. */
  tickets: number[] = []
  chunked: ChunkedRecord[] = []
  /** Bodies of groups that fell out: nobody will release them. */
  dropped: ChunkRef[] = []
  /** Someone waits for stable storage. */
  needsSync = false
  /** Bytes in the file. */
  bytes = 0
  /** Lsns that it has places for. */
  count = 0
  #parts: Uint8Array[] = []
  #partStart = 0
  #used = 0

  constructor(slab: Slab, firstLsn: Lsn, atMs: number) {
    this.slab = slab
    this.firstLsn = firstLsn
    this.atMs = atMs
  }

  get isEmpty(): boolean {
    return this.runs.length === 0
  }

  /** Offset in the batch + 4, with the bits of an entry, by lsn - `firstLsn`; 0: not in it. */
  get places(): Uint32Array {
    return this.slab.places
  }

  /** Bytes of slab that are left. */
  get room(): number {
    return this.slab.bytes.length - this.#used
  }

  /**
   * Appends a frame. There must be room for its header, its metadata and its body unless that is external, and twelve
   * bytes more. Hot path.
   */
  put(
    lsn: Lsn,
    kind: number,
    flags: number,
    dest: number,
    meta: Uint8Array,
    body: Uint8Array | undefined,
    bodyStart: number,
    bodyEnd: number,
    writer: number,
    unsynced: number,
    bits: number,
    salt: number,
  ): void {
    const { bytes, words } = this.slab
    const at = this.#used
    const metaLength = meta.length
    const bodyLength = bodyEnd - bodyStart
    const length = FRAME_HEADER_BYTES + metaLength + bodyLength
    writeFrameHeader(words, at, length, lsn, kind, flags, dest, metaLength, writer, this.atMs, unsynced)
    const metaEnd = at + FRAME_HEADER_BYTES + metaLength
    if (this.count >= this.slab.places.length) this.#growPlaces()
    this.slab.places[this.count++] = (this.bytes + 4) | bits
    this.bytes += padded(length)
    if (bodyLength >= EXTERNAL_BYTES) {
      bytes.set(meta, at + FRAME_HEADER_BYTES)
      const part = body!.subarray(bodyStart, bodyEnd)
      words[(at >>> 2) + 1] = crc32(part, checksum(bytes, at + CRC_FROM, metaEnd, salt))
      this.#parts.push(bytes.subarray(this.#partStart, metaEnd), part)
      this.#used = afterExternal(metaEnd, length)
      this.#partStart = this.#used - (padded(length) - length)
      bytes.fill(0, this.#partStart, this.#used)
      return
    }
    const end = at + length
    if ((end & 3) !== 0) words[end >>> 2] = 0 // the zeros behind; what belongs in this word is written next
    if (metaLength > SMALL_BYTES) bytes.set(meta, at + FRAME_HEADER_BYTES)
    else for (let index = 0; index < metaLength; index++) bytes[at + FRAME_HEADER_BYTES + index] = meta[index]!
    if (bodyLength > 0) bytes.set(bodyLength === body!.length ? body! : body!.subarray(bodyStart, bodyEnd), metaEnd)
    words[(at >>> 2) + 1] = checksum(bytes, at + CRC_FROM, end, salt)
    this.#used = at + padded(length)
  }

  /** The bytes of the batch, one part behind the other. */
  parts(): readonly Uint8Array[] {
    if (this.#used > this.#partStart) {
      this.#parts.push(this.slab.bytes.subarray(this.#partStart, this.#used))
      this.#partStart = this.#used
    }
    return this.#parts
  }

  /** Takes out every group with content, and pieces of bodies: each fails with `error`. The others keep their lsns. */
  dropContent(error: NotAppended): void {
    this.#drop(error, (hasContent) => hasContent)
  }

  /** Takes out everything: it fails with `error`. */
  dropAll(error: NotAppended): void {
    this.#drop(error, () => true)
  }

  #drop(error: NotAppended, goes: (hasContent: boolean) => boolean): void {
    const frames = new SlabFrames(this.slab)
    const tickets = this.tickets
    const runs: Run[] = []
    this.tickets = []
    this.#parts = []
    this.bytes = 0
    let ticketIndex = 0
    for (const run of this.runs) {
      if (run.what === 'failed' || (run.what === 'call' && run.frames === 0)) {
        runs.push(run)
        continue
      }
      for (let index = 0; index < (run.what === 'groups' ? run.groups : 1); index++) {
        const group = frames.nextGroup()
        const gone = goes(group.hasContent)
        this.#keepPlaces(group, gone)
        if (run.what === 'call') {
          runs.push(gone ? { ...run, frames: 0, done: () => run.done(error) } : run)
          continue
        }
        const ticket = tickets[ticketIndex++]!
        if (gone) {
          runs.push({ what: 'failed', writer: run.writer, ticket, error, bytes: group.bytes })
        } else {
          this.tickets.push(ticket)
          this.#keepRun(runs, run, group, ticket)
        }
      }
    }
    this.runs = runs
    this.#partStart = this.#used // all parts are made
  }

  #keepRun(runs: Run[], { writer }: GroupsRun, group: SlabGroup, ticket: number): void {
    const last = runs.at(-1)
    if (last?.what === 'groups' && last.writer === writer && last.firstLsn + last.records === group.firstLsn) {
      last.lastTicket = ticket
      last.groups++
      last.records += group.records
      last.bytes += group.bytes
    } else {
      const { firstLsn, records, bytes } = group
      runs.push({ what: 'groups', writer, firstLsn, lastTicket: ticket, groups: 1, records, bytes })
    }
  }

  #keepPlaces(group: SlabGroup, gone: boolean): void {
    if (gone) {
      this.places.fill(0, group.firstLsn - this.firstLsn, group.firstLsn - this.firstLsn + group.records)
      const isOfGroup = ({ lsn }: ChunkedRecord): boolean =>
        lsn >= group.firstLsn && lsn < group.firstLsn + group.records
      this.dropped.push(...this.chunked.filter(isOfGroup).flatMap(({ chunks }) => chunks))
      this.chunked = this.chunked.filter((record) => !isOfGroup(record))
      return
    }
    for (let index = 0; index < group.parts.length; index++) {
      const place = group.firstLsn - this.firstLsn + index
      this.places[place] = (this.bytes + 4) | (this.places[place]! & 3)
      this.#parts.push(group.parts[index]!)
      this.bytes += group.parts[index]!.length
    }
  }

  #growPlaces(): void {
    const places = new Uint32Array(this.places.length * 4)
    places.set(this.places)
    this.slab.places = places
  }
}

/** Where a slab goes on behind the header and metadata of an external body, zeros of the frame's end included. */
function afterExternal(metaEnd: number, length: number): number {
  return padded(metaEnd) + (length % 4 === 0 ? 0 : 4)
}

interface SlabGroup {
  readonly firstLsn: Lsn
  readonly records: number
  readonly hasContent: boolean
  readonly bytes: number
  /** The frames, when there is no content among them. */
  readonly parts: readonly Uint8Array[]
}

/** Walks a slab group by group. */
class SlabFrames {
  readonly #slab: Slab
  readonly #header = new FrameHeader()
  #at = 0

  constructor(slab: Slab) {
    this.#slab = slab
  }

  nextGroup(): SlabGroup {
    const header = this.#header
    const parts: Uint8Array[] = []
    let firstLsn: Lsn = 0
    let records = 0
    let bytes = 0
    let hasContent = false
    do {
      header.read(this.#slab.words, this.#at)
      if (records++ === 0) firstLsn = header.lsn
      const bodyLength = header.bodyLength
      bytes += RECORD_OVERHEAD_BYTES + header.metaLength + bodyLength
      const isChunk = (header.flags & FLAG_INTERNAL) !== 0 && header.kind === INTERNAL_CHUNK
      if ((header.flags & (FLAG_BODY | FLAG_CHUNKED)) !== 0 || isChunk) hasContent = true
      const start = this.#at
      const end = start + padded(header.length)
      if (!hasContent) parts.push(this.#slab.bytes.subarray(start, end))
      this.#at =
        bodyLength >= EXTERNAL_BYTES
          ? afterExternal(start + FRAME_HEADER_BYTES + header.metaLength, header.length)
          : end
    } while ((header.flags & FLAG_LAST) === 0)
    return { firstLsn, records, hasContent, bytes, parts }
  }
}
