/**
 * Reads committed records: some by their lsns, or all of them in order. What is read is checked; a damaged record is
 * reported, and missing from the answer. Records show into the memory that was read: one that is kept keeps its
 * neighbours of one read, and `readEach` hands out memory that is used again.
 */
import type { Lsn, Stored, TailBatch } from '../../engine.ts'
import type { DiskFile } from '../../env.ts'
import type { ChunkRef } from '../files/format.ts'
import type { Partition } from '../partition.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { DiskError } from '../../env.ts'
import {
  FLAG_BODY,
  FLAG_CHUNKED,
  FLAG_INTERNAL,
  FRAME_HEADER_BYTES,
  decodeChunkRefs,
  frameCrc,
  padded,
  wordsOf,
} from '../files/format.ts'
import { Frame, scanFrames } from '../files/frames.ts'
import { READ_BUFFER_BYTES } from './read-buffers.ts'
import { ENTRY_CHUNK, ENTRY_LIVE, type Segment } from '../segment.ts'

/** Neighbours are read in one go up to this many bytes, with gaps of this many. */
const RUN_BYTES = READ_BUFFER_BYTES
const GAP_BYTES = 4 * 1024
/** A tail's batch. */
const TAIL_RECORDS = 1_024
const TAIL_BYTES = 4 * 1024 * 1024
/** How often segments may move under a reader before it gives up. Each time a whole compaction must pass. */
const MOVES_MAX = 20

/** What is read of a frame, and checked. */
type FramePart = 'whole' | 'header'

interface Wanted {
  readonly index: number
  readonly lsn: Lsn
  readonly segment: Segment
  readonly offset: number
  readonly size: number
}

/** Content by lsn, in the order asked. */
export async function readRecords(partition: Partition, lsns: readonly Lsn[]): Promise<(Stored | undefined)[]> {
  const found = new Array<Stored | undefined>(lsns.length).fill(undefined)
  await visit(partition, lsns, FRESH, (stored, index) => (found[index] = stored))
  return found
}

/** As `readRecords`, one by one in no order, with `index` into `lsns`; the record's bytes are only good during the call. */
export function readEach(
  partition: Partition,
  lsns: readonly Lsn[],
  onRecord: (stored: Stored, index: number) => void,
): Promise<void> {
  return visit(partition, lsns, partition.store.readBuffers, onRecord)
}

/** `Stored.atMs` of content by lsn, in the order asked: headers are read, and not checked against what is behind them. */
export async function readMoments(partition: Partition, lsns: readonly Lsn[]): Promise<(number | undefined)[]> {
  const found = new Array<number | undefined>(lsns.length).fill(undefined)
  await eachFrame(partition, lsns, 'header', partition.store.readBuffers, ({ index, lsn }, frame) => {
    if (frame.lsn === lsn && (frame.flags & FLAG_INTERNAL) === 0) found[index] = frame.atMs
  })
  return found
}

/** Memory for a read. */
type Buffers = Pick<ReadBuffers, 'take' | 'giveBack'>

/** Somebody keeps what was read. */
const FRESH: Buffers = { take: (bytes) => new Uint8Array(bytes), giveBack: () => {} }

async function visit(
  partition: Partition,
  lsns: readonly Lsn[],
  buffers: Buffers,
  onRecord: (stored: Stored, index: number) => void,
): Promise<void> {
  const inPieces: { readonly index: number; readonly stored: Stored; readonly chunks: readonly ChunkRef[] }[] = []
  await eachFrame(partition, lsns, 'whole', buffers, ({ index, lsn, segment }, frame) => {
    const stored = frame.lsn === lsn ? storedOf(segment, frame) : undefined
    if (stored === undefined) return
    const chunks = bodiesInPieces.get(stored)
    if (chunks === undefined) onRecord(stored, index)
    else inPieces.push({ index, stored: { ...stored, meta: stored.meta.slice() }, chunks })
  })
  for (const { index, stored, chunks } of inPieces) {
    const whole = await withBody(partition, stored, chunks)
    if (whole !== undefined) onRecord(whole, index)
  }
}

/** Looks for records again whose segment has moved. */
async function eachFrame(
  partition: Partition,
  lsns: readonly Lsn[],
  part: FramePart,
  buffers: Buffers,
  onFrame: (place: Wanted, frame: Frame) => void,
): Promise<void> {
  let open = lsns.map((_, index) => index)
  for (let moves = 0; open.length > 0; moves++) {
    const wanted = open.map((index) => locate(partition, lsns[index]!, index, 0)).filter((place) => place !== undefined)
    const moved: number[] = []
    await readRuns(partition, wanted, part, buffers, (place, frame) => {
      if (frame === 'moved') moved.push(place.index)
      else onFrame(place, frame)
    })
    if (moves === MOVES_MAX) throw movesError(partition)
    open = moved
  }
}

/** Records whose body was not read yet. */
const bodiesInPieces = new WeakMap<Stored, readonly ChunkRef[]>()

/** Where live content is; `chunk` ENTRY_CHUNK: where a piece of a body is. */
function locate(partition: Partition, lsn: Lsn, index: number, chunk: number): Wanted | undefined {
  const segment = partition.segments[partition.indexOf(lsn)]
  const slot = segment?.slotOf(lsn) ?? -1
  if (segment === undefined || slot < 0 || segment.bitsOf(slot) !== (ENTRY_LIVE | chunk)) return undefined
  return { index, lsn, segment, offset: segment.offsetOf(slot), size: segment.sizeOf(slot) }
}

async function readRuns(
  partition: Partition,
  wanted: Wanted[],
  part: FramePart,
  buffers: Buffers,
  onFrame: (place: Wanted, frame: Frame | 'moved') => void,
): Promise<void> {
  wanted.sort((a, b) => a.segment.firstLsn - b.segment.firstLsn || a.offset - b.offset)
  for (let start = 0; start < wanted.length;) {
    const first = wanted[start]!
    let end = start + 1
    let runEnd = first.offset + bytesOf(first, part)
    for (let next = wanted[end]; next !== undefined && next.segment === first.segment; next = wanted[++end]) {
      const nextEnd = next.offset + bytesOf(next, part)
      if (next.offset - runEnd > GAP_BYTES || nextEnd - first.offset > RUN_BYTES) break
      runEnd = Math.max(runEnd, nextEnd)
    }
    await readRun(partition, wanted.slice(start, end), runEnd - first.offset, part, buffers, onFrame)
    start = end
  }
}

function bytesOf({ size }: Wanted, part: FramePart): number {
  return part === 'whole' ? size : FRAME_HEADER_BYTES
}

async function readRun(
  partition: Partition,
  places: readonly Wanted[],
  bytes: number,
  part: FramePart,
  buffers: Buffers,
  onFrame: (place: Wanted, frame: Frame | 'moved') => void,
): Promise<void> {
  const { segment, offset: runStart } = places[0]!
  const target = buffers.take(bytes)
  try {
    const count = await withFile(partition, segment, (file) => file.read(runStart, target))
    const words = wordsOf(target)
    const frame = new Frame()
    frame.bytes = target
    for (const place of places) {
      if (count === undefined) {
        onFrame(place, 'moved')
        continue
      }
      const start = place.offset - runStart
      if (part === 'header') {
        if (start + FRAME_HEADER_BYTES > count) continue
        frame.read(words, start)
        onFrame(place, frame)
      } else if (isGoodFrame(frame, words, start, count, partition.store.salt)) onFrame(place, frame)
      else reportDamage(partition, segment, place.offset, place.lsn)
    }
  } finally {
    buffers.giveBack(target)
  }
}

function isGoodFrame(frame: Frame, words: Uint32Array, start: number, end: number, salt: number): boolean {
  if (start + FRAME_HEADER_BYTES > end) return false
  frame.read(words, start)
  frame.start = start
  if (frame.length < FRAME_HEADER_BYTES || start + frame.length > end || frame.bodyLength < 0) return false
  return frameCrc(frame.bytes, start, frame.length, salt) === frame.crc
}

function reportDamage(partition: Partition, segment: Segment, offset: number, lsn: Lsn): void {
  segment.damaged = true
  partition.store.faults.report({
    file: partition.pathOf(segment.name),
    offset,
    what: 'the checksum of a record is wrong',
    partition: partition.id,
    lost: { after: lsn - 1, before: lsn + 1 },
  })
}

/** Undefined when the segment has moved: look for its records again. */
async function withFile<T>(
  partition: Partition,
  segment: Segment,
  use: (file: DiskFile) => Promise<T>,
): Promise<T | undefined> {
  if (segment.gone) return undefined
  const { handles } = partition.store
  let file: DiskFile
  try {
    file = await handles.use(segment, partition.pathOf(segment.name))
  } catch (error) {
    if (error instanceof DiskError && error.code === 'not-found' && segment.gone) return undefined
    throw error
  }
  try {
    return await use(file)
  } finally {
    handles.giveBack(segment)
  }
}

/** The record in `frame`; its body is missing when it is in pieces. */
function storedOf(segment: Segment, frame: Frame): Stored | undefined {
  if ((frame.flags & FLAG_INTERNAL) !== 0) return undefined
  const { bytes, start, kind, dest, lsn, atMs, metaLength } = frame
  const metaStart = start + FRAME_HEADER_BYTES
  const meta = bytes.subarray(metaStart, metaStart + metaLength)
  const { epoch, id: writer } = segment.writers.get(frame.writer) ?? UNNAMED
  const isContent = (frame.flags & FLAG_BODY) !== 0
  if ((frame.flags & FLAG_CHUNKED) !== 0) {
    const stored = { kind, dest, meta, body: bytes, bodyStart: 0, bodyEnd: 0, lsn, epoch, writer, atMs }
    bodiesInPieces.set(stored, decodeChunkRefs(frame.body))
    return stored
  }
  const bodyStart = isContent ? metaStart + metaLength : 0
  const bodyEnd = isContent ? start + frame.length : 0
  return { kind, dest, meta, body: isContent ? bytes : undefined, bodyStart, bodyEnd, lsn, epoch, writer, atMs }
}

/** The frame that named the writer was damaged. */
const UNNAMED = { epoch: 0, id: '?' }

/** `stored` with its body put together; undefined when a piece is no longer there: it was released meanwhile. */
async function withBody(
  partition: Partition,
  stored: Stored,
  chunks: readonly ChunkRef[],
): Promise<Stored | undefined> {
  const body = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const { lsn, length } of chunks) {
    let isThere: boolean | 'moved' = 'moved'
    for (let moves = 0; isThere === 'moved'; moves++) {
      if (moves === MOVES_MAX) throw movesError(partition)
      isThere = false
      const place = locate(partition, lsn, 0, ENTRY_CHUNK)
      if (place === undefined) break
      await readRuns(partition, [place], 'whole', partition.store.readBuffers, (_, frame) => {
        if (frame === 'moved') isThere = 'moved'
        else if (frame.lsn === lsn && frame.bodyLength === length) {
          body.set(frame.body, at)
          isThere = true
        }
      })
    }
    if (!isThere) return undefined
    at += length
  }
  return { ...stored, body, bodyStart: 0, bodyEnd: body.length }
}

function movesError(partition: Partition): Error {
  return new Error(`partition ${partition.id}: its segments moved ${MOVES_MAX} times during one read: this is a defect`)
}

/** A block of a segment that a tail reads from. */
interface TailBlock {
  readonly segment: Segment
  readonly position: number
  readonly bytes: Uint8Array
  readonly words: Uint32Array
}

/** One reader's place in a log. */
export class TailReader {
  readonly #partition: Partition
  #block: TailBlock | undefined = undefined

  constructor(partition: Partition) {
    this.#partition = partition
  }

  /** Records after `after`, at most a batch of them, and the place where the next one goes on. */
  async next(after: Lsn): Promise<{ batch: TailBatch; position: Lsn }> {
    const partition = this.#partition
    const { trimmedTo, committedLsn } = partition
    const records: Stored[] = []
    let position = Math.max(after, trimmedTo)
    let bytes = 0
    let moves = 0
    let isEnough = false
    for (;;) {
      if (position >= committedLsn || isEnough) break
      const segment = this.#segmentAfter(position)
      if (segment === undefined) {
        position = committedLsn
        break
      }
      const offset = segment.offsetOf(segment.slotAfter(position))
      const reached = await this.#take(segment, offset, position, committedLsn, (stored) => {
        records.push(stored)
        bytes += stored.meta.length + stored.bodyEnd - stored.bodyStart
        isEnough = records.length >= TAIL_RECORDS || bytes >= TAIL_BYTES
        return !isEnough
      })
      if (reached === position && ++moves > MOVES_MAX) throw movesError(partition)
      position = reached
    }
    const head = position >= committedLsn
    return { batch: { trimmedTo, records, head }, position: head ? committedLsn : position }
  }

  /** The segment with the next entry after `lsn`. */
  #segmentAfter(lsn: Lsn): Segment | undefined {
    const { segments } = this.#partition
    for (let index = Math.max(0, this.#partition.indexOf(lsn)); index < segments.length; index++) {
      const segment = segments[index]!
      if (segment.lastLsn > lsn && segment.slotAfter(lsn) < segment.slotCount) return segment
    }
    return undefined
  }

  /** Takes the records from `offset` on until `onRecord` says enough or the segment ends or moves. Returns the lsn reached. */
  async #take(
    segment: Segment,
    offset: number,
    after: Lsn,
    limit: Lsn,
    onRecord: (stored: Stored) => boolean,
  ): Promise<Lsn> {
    const { salt } = this.#partition.store
    const frame = new Frame()
    let reached = after
    for (let at = offset; at < segment.end; at += padded(frame.length)) {
      let block =
        this.#blockWith(segment, at, FRAME_HEADER_BYTES) ?? (await this.#load(segment, at, FRAME_HEADER_BYTES))
      if (block === undefined) return reached
      if (at + FRAME_HEADER_BYTES > block.position + block.bytes.length) return this.#skip(segment, at, reached)
      frame.read(block.words, at - block.position)
      if (frame.length > segment.end - at) return this.#skip(segment, at, reached)
      block = this.#blockWith(segment, at, frame.length) ?? (await this.#load(segment, at, frame.length))
      if (block === undefined) return reached
      frame.bytes = block.bytes
      if (!isGoodFrame(frame, block.words, at - block.position, block.bytes.length, salt)) {
        return this.#skip(segment, at, reached)
      }
      if (!frame.hasPlace || frame.lsn <= reached) continue
      if (frame.lsn > limit) return limit
      reached = frame.lsn
      const stored = this.#recordIn(segment, frame)
      if (stored === undefined) continue
      const chunks = bodiesInPieces.get(stored)
      const whole = chunks === undefined ? stored : await withBody(this.#partition, stored, chunks)
      if (whole !== undefined && !onRecord(whole)) return reached
    }
    return Math.max(reached, Math.min(segment.lastLsn, limit))
  }

  /** The present block when it holds `bytes` from `offset` of the segment on. */
  #blockWith(segment: Segment, offset: number, bytes: number): TailBlock | undefined {
    const block = this.#block
    if (block?.segment !== segment || segment.gone || offset < block.position) return undefined
    return offset + bytes <= block.position + block.bytes.length ? block : undefined
  }

  /** Reads a block from `offset` on, of `bytes` or more; shorter when the file is. Undefined when the segment has moved. */
  async #load(segment: Segment, offset: number, bytes: number): Promise<TailBlock | undefined> {
    this.#block = undefined
    const target = new Uint8Array(Math.min(Math.max(bytes, RUN_BYTES), segment.end - offset))
    const count = await withFile(this.#partition, segment, (file) => file.read(offset, target))
    if (count === undefined) return undefined
    const read = count === target.length ? target : target.subarray(0, count)
    this.#block = { segment, position: offset, bytes: read, words: wordsOf(read) }
    return this.#block
  }

  /** The record of a frame, unless it was released. */
  #recordIn(segment: Segment, frame: Frame): Stored | undefined {
    const isContent = (frame.flags & FLAG_BODY) !== 0
    return isContent && !segment.isLive(frame.lsn) ? undefined : storedOf(segment, frame)
  }

  /** Reports the damage at `offset` and returns the lsn behind which the next good record lies. */
  async #skip(segment: Segment, offset: number, after: Lsn): Promise<Lsn> {
    const { store, id } = this.#partition
    let before: Lsn | undefined = undefined
    let from = offset
    const range = { start: offset, end: segment.end, afterLsn: after }
    await withFile(this.#partition, segment, (file) =>
      scanFrames(
        file,
        range,
        store.salt,
        () => {},
        (damage) => {
          from = damage.from
          before = damage.next?.lsn
          return false
        },
      ),
    )
    segment.damaged = true
    const what = 'the checksum of a frame is wrong'
    const file = this.#partition.pathOf(segment.name)
    store.faults.report({ file, offset: from, what, partition: id, lost: { after, before } })
    return before === undefined ? segment.lastLsn : before - 1
  }
}
