/**
 * Room on the disk: when content is refused so that bookkeeping can go on, and when it is taken again. Free bytes are
 * asked for now and then, not per batch.
 */
import type { Disk, EngineClock } from '../env.ts'
import { DiskError } from '../env.ts'
import { NotAppended } from '../errors.ts'
import { RESERVE_FILE } from './format.ts'

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
  #hasReserve = false
  #looking = false
  #lookedAtMs = 0
  #grownBytes = 0
  /** Called when `maxBytes` is reached: dead bytes may be worth collecting now. */
  onOverMax: () => void = () => {}

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

  /** The disk took no more: content is refused, and the reserve is given up for what must go on. */
  async onDiskFull(): Promise<void> {
    this.#full = DISK_FULL
    if (!this.#hasReserve) return
    this.#hasReserve = false
    await this.#disk.remove(RESERVE_FILE)
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
      const resumeBytes = minFreeBytes + Math.max(2 * reserveBytes, Math.floor(minFreeBytes / 8))
      if (freeBytes < minFreeBytes) {
        this.#full = `the disk has ${freeBytes} bytes free, fewer than minFreeBytes ${minFreeBytes}`
      } else if (this.#full !== undefined && freeBytes >= resumeBytes) {
        this.#full = undefined
      }
      if (this.#full === undefined && freeBytes >= resumeBytes) await this.#makeReserve()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  /** The reserve of an earlier life counts. */
  foundReserve(): void {
    this.#hasReserve = true
  }

  async #makeReserve(): Promise<void> {
    const { reserveBytes } = this.#options
    if (this.#hasReserve || reserveBytes === 0) return
    const file = await this.#disk.open(RESERVE_FILE, 'create')
    let isWhole = false
    try {
      for (let at = 0; at < reserveBytes; at += ZEROS.length) {
        await file.write(at, [ZEROS.subarray(0, Math.min(ZEROS.length, reserveBytes - at))])
      }
      await file.syncData()
      isWhole = true
    } finally {
      await file.close()
      if (!isWhole) await this.#disk.remove(RESERVE_FILE)
    }
    this.#hasReserve = true
  }
}
