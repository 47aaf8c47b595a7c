/**
 * Reads the frames of a file one behind the other, checks each, and finds the next good one behind damage. Recovery,
 * verification and tails judge what the damage means.
 */
import type { Lsn } from '../engine.ts'
import type { DiskFile } from '../env.ts'
import { FRAME_HEADER_BYTES, FrameHeader, frameCrc, lsnAt, padded, wordsOf } from './format.ts'

const BLOCK_BYTES = 2 * 1024 * 1024
/** No record is larger: more than this is damage, not a length. */
export const FRAME_BYTES_MAX = 0x4000_0000

/** A good frame: its header, and where it lies in what was read. Good during the call that shows it. */
export class Frame extends FrameHeader {
  /** In the file. */
  offset = 0
  /** Holds the frame from `start`. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0

  /** A view of the metadata. */
  get meta(): Uint8Array {
    const from = this.start + FRAME_HEADER_BYTES
    return this.bytes.subarray(from, from + this.metaLength)
  }

  /** A view of what is behind the metadata. */
  get body(): Uint8Array {
    return this.bytes.subarray(this.start + FRAME_HEADER_BYTES + this.metaLength, this.start + this.length)
  }
}

/** Bytes `from`…`to` of a file that are not frames. */
export interface Damage {
  readonly from: number
  readonly to: number
  /** Lsn of the last good frame before, and the good frame behind it, if there is one. */
  readonly afterLsn: Lsn
  readonly next: { readonly lsn: Lsn; readonly syncedLsn: Lsn } | undefined
}

export interface ScanRange {
  readonly start: number
  readonly end: number
  /** Lsns in the file are higher. */
  readonly afterLsn: Lsn
}

/**
 * Calls `onFrame` for each good frame of `range` and `onDamage` for what lies between. Stops early when `onDamage` says
 * false. Two blocks are in memory: one is read while the other is looked at.
 */
export async function scanFrames(
  file: DiskFile,
  range: ScanRange,
  salt: number,
  onFrame: (frame: Frame) => void,
  onDamage: (damage: Damage) => boolean,
): Promise<void> {
  const blocks = new BlockReader(file, range.end)
  const frame = new Frame()
  let offset = range.start
  let lsn = range.afterLsn
  let damageFrom = -1
  while (offset < range.end) {
    let block = blocks.at(offset, FRAME_HEADER_BYTES) ?? (await blocks.load(offset, FRAME_HEADER_BYTES))
    if (offset + FRAME_HEADER_BYTES > block.position + block.bytes.length) {
      if (damageFrom < 0) damageFrom = offset // the file is shorter than it should be, or ends with a piece of a header
      break
    }
    frame.read(block.words, offset - block.position)
    let isGood = isPlausible(frame, range.end - offset, lsn, damageFrom >= 0)
    if (isGood) {
      block = blocks.at(offset, frame.length) ?? (await blocks.load(offset, frame.length))
      frame.start = offset - block.position
      isGood =
        frame.start + frame.length <= block.bytes.length &&
        frameCrc(block.bytes, frame.start, frame.length, salt) === frame.crc
    }
    if (!isGood) {
      if (damageFrom < 0) damageFrom = offset
      offset = nextCandidate(block, offset + 4, range.end, lsn)
      continue
    }
    if (damageFrom >= 0) {
      const next = { lsn: frame.lsn, syncedLsn: frame.lsn - frame.unsynced }
      if (!onDamage({ from: damageFrom, to: offset, afterLsn: lsn, next })) return
      damageFrom = -1
    }
    lsn = frame.lsn
    frame.offset = offset
    frame.bytes = block.bytes
    offset += padded(frame.length)
    onFrame(frame)
  }
  if (damageFrom >= 0) onDamage({ from: damageFrom, to: range.end, afterLsn: lsn, next: undefined })
}

/** The next place in the block, from `offset` on, that may be a header; where it ends when there is none. Hot path. */
function nextCandidate(block: Block, offset: number, end: number, lsn: Lsn): number {
  const { words, position, bytes } = block
  const last = bytes.length - FRAME_HEADER_BYTES
  let start = offset - position
  for (; start <= last; start += 4) {
    const length = words[start >>> 2]!
    if (length < FRAME_HEADER_BYTES || length > end - position - start) continue
    const found = lsnAt(words, start)
    if (found >= lsn && found <= lsn + 2 ** 32) break
  }
  return position + start
}

/** Can be a header. Behind damage also its lsn must be near, so that the search is not slowed by chance hits. */
function isPlausible(frame: Frame, room: number, lsn: Lsn, strict: boolean): boolean {
  const { length } = frame
  if (length < FRAME_HEADER_BYTES || length > room || length > FRAME_BYTES_MAX || frame.bodyLength < 0) return false
  return frame.lsn >= lsn && (!strict || frame.lsn <= lsn + 2 ** 32)
}

interface Block {
  readonly position: number
  readonly bytes: Uint8Array
  readonly words: Uint32Array
}

/** Reads ahead by one block. */
class BlockReader {
  readonly #file: DiskFile
  readonly #end: number
  #block: Block = { position: 0, bytes: new Uint8Array(0), words: new Uint32Array(0) }
  #ahead: { readonly position: number; readonly block: Promise<Block> } | undefined = undefined

  constructor(file: DiskFile, end: number) {
    this.#file = file
    this.#end = end
  }

  /** The present block when it holds `count` bytes from `offset` on. */
  at(offset: number, count: number): Block | undefined {
    const start = offset - this.#block.position
    return start >= 0 && start + count <= this.#block.bytes.length ? this.#block : undefined
  }

  /** A block that begins at `offset` and holds `count` bytes, or up to the end. */
  async load(offset: number, count: number): Promise<Block> {
    const ahead = this.#ahead
    this.#ahead = undefined
    const old = this.#block
    const fresh = ahead === undefined ? undefined : await ahead.block
    const keep = offset - old.position
    if (
      fresh !== undefined &&
      keep >= 0 &&
      fresh.position === old.position + old.bytes.length &&
      count <= BLOCK_BYTES
    ) {
      // What is left of the old block, then the one behind it.
      const left = Math.max(0, old.bytes.length - keep)
      const joined = new Uint8Array(left + fresh.bytes.length)
      joined.set(old.bytes.subarray(keep, keep + left))
      joined.set(fresh.bytes, left)
      if (left < joined.length && joined.length >= Math.min(count, this.#end - offset)) {
        this.#block = { position: offset, bytes: joined, words: wordsOf(joined) }
        this.#readAhead(offset + joined.length)
        return this.#block
      }
    }
    this.#block = await this.#read(offset, Math.max(count, BLOCK_BYTES))
    this.#readAhead(offset + this.#block.bytes.length)
    return this.#block
  }

  #readAhead(position: number): void {
    if (position >= this.#end) return
    const block = this.#read(position, BLOCK_BYTES)
    block.catch(() => undefined) // told to whoever awaits it
    this.#ahead = { position, block }
  }

  async #read(position: number, count: number): Promise<Block> {
    const target = new Uint8Array(Math.min(count, this.#end - position))
    const done = await this.#file.read(position, target)
    const bytes = done === target.length ? target : target.subarray(0, done)
    return { position, bytes, words: wordsOf(bytes) }
  }
}
