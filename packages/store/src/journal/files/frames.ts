/**
 * Reads the frames of a file one behind the other, checks each, and finds the next good one behind damage. Recovery,
 * verification and tails judge what the damage means.
 */
import type { Lsn } from '../../engine.ts'
import type { DiskFile } from '../../env.ts'
import { FRAME_HEADER_BYTES, FrameHeader, frameCrc, lsnAt, padded, wordsOf } from './format.ts'

const BLOCK_BYTES = 1024 * 1024
/** What can be left of a block when the next one is needed; a multiple of four. */
const HEADROOM_BYTES = 128 * 1024
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
 * false. One block is read while another is looked at.
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

/**
 * Reads ahead by one block, in memory that is used again. What is left of a block is copied in front of the next one, so
 * that frames lie in one piece.
 */
class BlockReader {
  readonly #file: DiskFile
  readonly #end: number
  #block: Block = { position: 0, bytes: new Uint8Array(0), words: new Uint32Array(0) }
  #ahead: { readonly position: number; readonly into: Uint8Array; readonly count: Promise<number> } | undefined =
    undefined
  readonly #idle: Uint8Array[] = []

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
    const old = this.#block
    const ahead = this.#ahead
    this.#ahead = undefined
    const got = ahead === undefined ? 0 : await ahead.count
    const left = old.position + old.bytes.length - offset
    const isNext = ahead !== undefined && ahead.position === old.position + old.bytes.length
    if (isNext && left >= 0 && left <= HEADROOM_BYTES && left + got >= Math.min(count, this.#end - offset)) {
      ahead.into.set(old.bytes.subarray(old.bytes.length - left), HEADROOM_BYTES - left)
      this.#block = blockOf(offset, ahead.into.subarray(HEADROOM_BYTES - left, HEADROOM_BYTES + got))
    } else {
      const target = new Uint8Array(Math.min(Math.max(count, BLOCK_BYTES), this.#end - offset))
      const done = await this.#file.read(offset, target)
      this.#block = blockOf(offset, target.subarray(0, done))
      if (ahead !== undefined) this.#idle.push(ahead.into)
    }
    if (old.bytes.buffer.byteLength === HEADROOM_BYTES + BLOCK_BYTES) this.#idle.push(new Uint8Array(old.bytes.buffer))
    this.#readAhead(offset + this.#block.bytes.length)
    return this.#block
  }

  #readAhead(position: number): void {
    if (position >= this.#end) return
    const into = this.#idle.pop() ?? new Uint8Array(HEADROOM_BYTES + BLOCK_BYTES)
    const bytes = Math.min(BLOCK_BYTES, this.#end - position)
    const count = this.#file.read(position, into.subarray(HEADROOM_BYTES, HEADROOM_BYTES + bytes))
    count.catch(() => undefined) // told to whoever awaits it
    this.#ahead = { position, into, count }
  }
}

function blockOf(position: number, bytes: Uint8Array): Block {
  return { position, bytes, words: wordsOf(bytes) }
}
