/**
 * Room on the disk: when content is refused so that bookkeeping can go on, and when it is taken again. Free bytes are
 * asked for now and then, not per batch.
 */
import type { Disk, EngineClock } from '../../env.ts'
import { DiskError } from '../../env.ts'
import { NotAppended } from '../../errors.ts'
import { RESERVE_FILE } from '../files/format.ts'

/** Clients are told it: the system's own words may have a path of the server in them. */
export const DISK_FULL = 'the disk is full (ENOSPC: no space left)'

export interface SpaceOptions {
  /** Bytes of all files; 0: as many as the disk has. */
  readonly maxBytes: number
  /** Content is refused when the disk has fewer left. */
  readonly minFreeBytes: number
  /** Size of a file that is given up when the disk is full to the last byte, so that settles still fit. */
  readonly reserveBytes: number
  /** Bytes that may wait to be written. */
  readonly pendingMaxBytes: number
}

/** Of `maxBytes`. */
const TIGHT_SHARE = 3 / 4
const LOOK_EVERY_MS = 1_000
const MIB = 1024 * 1024
/** Of the reserve, kept for starts on a full disk; what is left of it when it is not worth a file. */
const START_BYTES = 256 * 1024
const PIECE_MIN_BYTES = 1_024
/** A segment with its header, and the record of an owner: blocks, not bytes. */
const OWN_BYTES = 16 * 1024
const ZEROS = new Uint8Array(64 * 1024)

export class Space {
  readonly #disk: Disk
  readonly #clock: EngineClock
  readonly #options: SpaceOptions
  /** Of segments, snapshots and the catalog. */
  usedBytes = 0
  pendingBytes = 0
  /** Why content is refused; undefined: it is not. */
  #full: string | undefined = undefined
  /** Bytes of the reserve's file; 0: there is none. */
  #reserved = 0
  #looking = false
  #lookedAtMs = 0
  #grownBytes = 0
  /** Called when `maxBytes` is reached: dead bytes may be worth collecting now. */
  onOverMax: () => void = () => {}
  /** Called while content is refused, at most every `LOOK_EVERY_MS`, and when it is taken again: what did not fit before may fit now. */
  onRetry: () => void = () => {}
  #retriedAtMs = -Infinity

  constructor(disk: Disk, clock: EngineClock, options: SpaceOptions) {
    this.#disk = disk
    this.#clock = clock
    this.#options = options
  }

  /** Dead bytes are better collected now than later. */
  get isTight(): boolean {
    const { maxBytes } = this.#options
    return this.#full !== undefined || (maxBytes > 0 && this.usedBytes > maxBytes * TIGHT_SHARE)
  }

  get isFull(): boolean {
    return this.#full !== undefined
  }

  /** Files grew by `bytes`. */
  use(bytes: number): void {
    this.usedBytes += bytes
    this.#grownBytes += bytes
    const isMuch = this.#grownBytes >= Math.max(MIB, this.#options.minFreeBytes / 8)
    if (isMuch || this.#clock.monoMs() - this.#lookedAtMs >= LOOK_EVERY_MS) this.look()
  }

  /** Files shrank by `bytes`, or are gone. */
  giveBack(bytes: number): void {
    this.usedBytes -= bytes
    if (this.#full !== undefined) this.look()
  }

  /** Why `bytes` more of content cannot go in now; `who` begins the sentence. */
  refusal(who: string, bytes: number): NotAppended | undefined {
    const { maxBytes, pendingMaxBytes } = this.#options
    if (this.#full !== undefined) {
      this.look()
      return this.fullError(who, this.#full)
    }
    const contentMaxBytes = maxBytes - Math.min(16 * MIB, maxBytes / 16)
    if (maxBytes > 0 && this.usedBytes + this.pendingBytes + bytes > contentMaxBytes) {
      this.onOverMax()
      return this.fullError(
        who,
        `${bytes} bytes do not fit, the files have ${this.usedBytes} of maxBytes ${maxBytes}, a little of it kept for settling`,
      )
    }
    if (this.pendingBytes + bytes > pendingMaxBytes) {
      return this.fullError(
        who,
        `${bytes} bytes do not fit, ${this.pendingBytes} of at most ${pendingMaxBytes} bytes wait to be written`,
      )
    }
    return undefined
  }

  /** As `refusal` for definitions, which may use what is kept for settling: without them nobody could make room. */
  refusalOfDefinition(who: string, bytes: number): NotAppended | undefined {
    const { maxBytes } = this.#options
    if (maxBytes === 0 || this.usedBytes + this.pendingBytes + bytes <= maxBytes) return undefined
    this.onOverMax()
    return this.fullError(who, `${bytes} bytes do not fit, the files have ${this.usedBytes} of maxBytes ${maxBytes}`)
  }

  fullError(who: string, why: string): NotAppended {
    return new NotAppended('full', `${who}: ${why}; consume or expire messages, or give the store more room`)
  }

  /**
   * The disk took no more: content is refused, and the reserve is given up for what must go on, but for a last piece. Of that
   * each start takes half (`isStart`): without an owner nobody can consume and make room.
   */
  async onDiskFull(isStart = false): Promise<void> {
    this.#full = DISK_FULL
    if (this.#reserved > this.#startBytes) await this.#shrinkReserve(this.#startBytes)
    else if (isStart) await this.#shrinkReserve(this.#reserved >> 1)
  }

  async #shrinkReserve(bytes: number): Promise<void> {
    if (this.#reserved === 0) return
    if (bytes < PIECE_MIN_BYTES) {
      this.#reserved = 0
      return this.#disk.remove(RESERVE_FILE)
    }
    this.#reserved = bytes
    const file = await this.#disk.open(RESERVE_FILE, 'write')
    try {
      await file.truncate(bytes)
    } finally {
      await file.close()
    }
  }

  /** What is kept back of the reserve for the next start. */
  get #startBytes(): number {
    return Math.min(START_BYTES, this.#options.reserveBytes >> 2)
  }

  /** For the operator whose broker cannot start: clients are not to know what is on the server. */
  async noRoomToStart(who: string): Promise<NotAppended> {
    const freeBytes = await this.#disk.freeBytes().catch(() => undefined)
    const where = this.#disk.place === undefined ? '' : ` of ${this.#disk.place}`
    return new NotAppended(
      'full',
      `${who}: the disk${where} is full: it has ${freeBytes ?? 'an unknown number of'} bytes free, a start needs up to ${OWN_BYTES}, ` +
        'and the reserve is used up. Make room on that disk and start again: consumers make room only when the broker runs',
    )
  }

  /** Asks for the free bytes; never more than one question at a time. */
  look(): void {
    if (this.#looking) return
    this.#looking = true
    this.#lookedAtMs = this.#clock.monoMs()
    this.#grownBytes = 0
    void this.lookNow().finally(() => {
      this.#looking = false
    })
  }

  /** Resolves when the question is answered. A disk that does not answer changes nothing. */
  async lookNow(): Promise<void> {
    const { minFreeBytes, reserveBytes } = this.#options
    try {
      const freeBytes = await this.#disk.freeBytes()
      const wasFull = this.#full !== undefined
      const resumeBytes = minFreeBytes + Math.max(2 * reserveBytes, Math.floor(minFreeBytes / 8))
      if (freeBytes < minFreeBytes) {
        this.#full = `the disk has ${freeBytes} bytes free, fewer than minFreeBytes ${minFreeBytes}`
      } else if (this.#full !== undefined && freeBytes >= resumeBytes) {
        this.#full = undefined
      }
      if (wasFull) this.#retry()
      if (this.#full === undefined && freeBytes >= resumeBytes) await this.#makeReserve()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  #retry(): void {
    const nowMs = this.#clock.monoMs()
    if (this.#full !== undefined && nowMs - this.#retriedAtMs < LOOK_EVERY_MS) return
    this.#retriedAtMs = nowMs
    this.onRetry()
  }

  /** The reserve of an earlier life counts, whatever is left of it. */
  async foundReserve(): Promise<void> {
    const file = await this.#disk.open(RESERVE_FILE, 'read')
    this.#reserved = await file.size()
    await file.close()
    if (this.#reserved === 0) await this.#disk.remove(RESERVE_FILE)
  }

  async #makeReserve(): Promise<void> {
    const { reserveBytes } = this.#options
    const left = this.#reserved
    if (left >= reserveBytes) return
    const file = await this.#disk.open(RESERVE_FILE, left === 0 ? 'create' : 'write')
    let isWhole = false
    try {
      for (let at = left; at < reserveBytes; at += ZEROS.length) {
        await file.write(at, [ZEROS.subarray(0, Math.min(ZEROS.length, reserveBytes - at))])
      }
      await file.syncData()
      isWhole = true
    } finally {
      if (!isWhole && left > 0) await file.truncate(left)
      await file.close()
      if (!isWhole && left === 0) await this.#disk.remove(RESERVE_FILE)
    }
    this.#reserved = reserveBytes
  }
}
