/**
 * What waits in a queue: one line for each priority that has been used, the highest first, and what it all weighs. Nearly every
 * queue has a single line.
 */
import { DELAY_BYTES } from './delays.ts'
import type { Delivery } from './delivery.ts'
import { ENTRY_BYTES } from '../limits.ts'
import type { Message } from '../message/message.ts'
import { WaitingLine } from './line.ts'

/** What a message of the log costs while it waits and its bytes are on disk only. */
export const INDEX_BYTES = 16

/** What a waiting message costs, objects included: a limit in bytes must hold for short messages, too. */
export function footprint(message: Message, isLogged: boolean): number {
  return message.size + (isLogged ? INDEX_BYTES : ENTRY_BYTES)
}

/** One sum over all queues: limits per queue alone would let many of them fill the memory. */
export interface WaitingBytes {
  bytes: number
  readonly bytesMax: number
  /** Somebody waits for some of it to come back. */
  isAwaited?: boolean
}

/** The lines of one queue, highest priority first. */
export interface Lane {
  readonly priority: number
  readonly line: WaitingLine
}

/** What `Lanes.leaveAll` took along. */
export interface Leaving {
  count: number
  bytes: number
  /** Those of them that the log has, and the last of these. */
  loggedCount: number
  lastLsn: number
  /** Of the log, and with somebody or come later: not among them. */
  readonly stayingLsns: number[]
}

/** The position after the last one, of each line. */
export type LanesEnd = ReadonlyMap<WaitingLine, number>

export class Lanes {
  readonly #memory: WaitingBytes
  #lanes: Lane[] = []
  #bytes = 0
  #memoryBytes = 0
  /** Waiting messages of the log, and those of them whose bytes are in memory. */
  #loggedCount = 0
  #loadedCount = 0
  #loadedBytes = 0
  #delayedCount = 0
  #delayedBytes = 0
  #isLeaving = false

  constructor(memory: WaitingBytes) {
    this.#memory = memory
  }

  /** Highest priority first. */
  get all(): readonly Lane[] {
    return this.#lanes
  }

  get waitingCount(): number {
    let count = 0
    for (let index = 0; index < this.#lanes.length; index++) count += this.#lanes[index]!.line.waitingCount
    return count
  }

  /** Waiting or with a consumer. */
  get liveCount(): number {
    let count = 0
    for (const { line } of this.#lanes) count += line.liveCount
    return count
  }

  /** Bytes of what waits. */
  get bytes(): number {
    return this.#bytes
  }

  /** Waiting for their next attempt; not among those that wait for a consumer. */
  get delayedCount(): number {
    return this.#delayedCount
  }

  get delayedBytes(): number {
    return this.#delayedBytes
  }

  get loadedCount(): number {
    return this.#loadedCount
  }

  get loadedBytes(): number {
    return this.#loadedBytes
  }

  /** Nothing waits with its bytes on disk only. */
  get isAllLoaded(): boolean {
    return this.#loadedCount >= this.#loggedCount
  }

  /** Of what waits with its bytes in memory, the last one's place in the log; 0 when there is nothing of the log. */
  lastLoadedLsn(): number {
    let last = 0
    let left = this.#loadedCount
    for (const { line } of this.#lanes) {
      for (let position = line.nextWaiting(0); position !== 0 && left > 0; position = line.nextWaiting(position)) {
        const lsn = line.lsnAt(position)
        if (lsn === 0 || line.entryAt(position) === undefined) continue
        last = Math.max(last, lsn)
        left--
      }
    }
    return last
  }

  line(priority: number): WaitingLine {
    const lanes = this.#lanes
    for (let index = 0; index < lanes.length; index++) {
      if (lanes[index]!.priority === priority) return lanes[index]!.line
    }
    const line = new WaitingLine()
    // Not by `push`: that makes room for 17.
    this.#lanes = [...lanes, { priority, line }].sort((one, other) => other.priority - one.priority)
    return line
  }

  /** After a restart: what the log kept. */
  adopt(lanes: readonly Lane[]): void {
    this.#lanes = [...lanes]
    for (const { line } of lanes) {
      this.#bytes += line.waitingBytes
      this.#loggedCount += line.waitingCount
      this.#memoryBytes += line.waitingCount * INDEX_BYTES
      this.#memory.bytes += line.waitingCount * INDEX_BYTES
    }
  }

  /** Counts a message in (`sign` 1) or out (-1) that waits: `bytes` of it, in the log or not, its bytes in memory or not. Hot path. */
  weighWaiting(bytes: number, isLogged: boolean, isLoaded: boolean, sign: 1 | -1): void {
    this.#bytes += sign * bytes
    if (isLogged) {
      this.#loggedCount += sign
      if (isLoaded) {
        this.#loadedCount += sign
        this.#loadedBytes += sign * bytes
      }
    }
    const inMemory = isLoaded ? bytes : INDEX_BYTES
    this.#memoryBytes += sign * inMemory
    this.#memory.bytes += sign * inMemory
  }

  /** Counts a message in (`sign` 1) or out (-1) that waits for its next attempt. */
  weighDelayed(bytes: number, isLoaded: boolean, sign: 1 | -1): void {
    this.#delayedCount += sign
    this.#delayedBytes += sign * bytes
    const inMemory = (isLoaded ? bytes : INDEX_BYTES) + DELAY_BYTES
    this.#memoryBytes += sign * inMemory
    this.#memory.bytes += sign * inMemory
  }

  /** The bytes of a waiting message of the log came into memory. */
  load(position: number, line: WaitingLine, entry: Delivery): void {
    const bytes = line.bytesAt(position)
    line.setEntry(position, entry)
    this.#loadedCount++
    this.#loadedBytes += bytes
    this.#memoryBytes += bytes - INDEX_BYTES
    this.#memory.bytes += bytes - INDEX_BYTES
  }

  /** They leave it again: the log has them. */
  unload(position: number, line: WaitingLine): void {
    if (line.entryAt(position) === undefined) return
    const bytes = line.bytesAt(position)
    line.setEntry(position, undefined)
    this.#loadedCount--
    this.#loadedBytes -= bytes
    this.#memoryBytes -= bytes - INDEX_BYTES
    this.#memory.bytes -= bytes - INDEX_BYTES
  }

  /**
   * Takes waiting messages of the log out of memory, looking at `looksMax` positions at most. One that a consumer said it never wants
   * stays: the log does not know that. Returns the bytes that came free.
   */
  unloadAll(looksMax: number): number {
    const before = this.#memoryBytes
    let looks = looksMax
    for (const { line } of this.#lanes) {
      for (let position = line.peek(); position !== 0 && looks-- > 0; position = line.nextWaiting(position)) {
        if (this.#loadedCount === 0) return before - this.#memoryBytes
        const entry = line.entryAt(position)
        if (entry !== undefined && entry.refusedBy === undefined && line.lsnAt(position) !== 0)
          this.unload(position, line)
      }
    }
    return before - this.#memoryBytes
  }

  /** Something is on its way out. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Where it ends now: what comes later is not before this. */
  get end(): LanesEnd {
    return new Map(this.#lanes.map(({ line }) => [line, line.end]))
  }

  /**
   * All that waits before `end` is on its way out, until `finishLeaving` or `undoLeaving`. Answers what that is, and what of the log stays
   * because somebody has it or it came later. One million entries: about 10 ms.
   */
  leaveAll(end: LanesEnd): Leaving {
    const leaving: Leaving = { count: 0, bytes: 0, loggedCount: 0, lastLsn: 0, stayingLsns: [] }
    this.#isLeaving = true
    for (const { line } of this.#lanes) {
      if (line.liveCount > line.waitingCount) noteTaken(line, leaving.stayingLsns)
      line.leave(end.get(line) ?? 0, (bytes, lsn, isLoaded) => {
        leaving.count++
        leaving.bytes += bytes
        if (lsn !== 0) leaving.loggedCount++
        if (lsn > leaving.lastLsn) leaving.lastLsn = lsn
        this.weighWaiting(bytes, lsn !== 0, isLoaded, -1)
      })
    }
    for (const { line } of this.#lanes) noteLater(line, leaving)
    return leaving
  }

  /** It is gone; `each` hears of the lsns. */
  finishLeaving(each: (lsn: number) => void): void {
    this.#isLeaving = false
    for (const { line } of this.#lanes) line.finishLeaving(each)
  }

  /** It waits again. */
  undoLeaving(): void {
    this.#isLeaving = false
    for (const { line } of this.#lanes)
      line.undoLeaving((bytes, lsn, isLoaded) => this.weighWaiting(bytes, lsn !== 0, isLoaded, 1))
  }

  /** The queue is gone. */
  clear(): void {
    this.#memory.bytes -= this.#memoryBytes
    this.#memoryBytes = 0
    this.#bytes = 0
    this.#loadedCount = 0
    this.#loadedBytes = 0
    this.#loggedCount = 0
    this.#delayedCount = 0
    this.#delayedBytes = 0
    this.#lanes = []
  }
}

function noteTaken(line: WaitingLine, lsns: number[]): void {
  for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
    const lsn = line.lsnAt(position)
    if (lsn !== 0 && !line.isWaiting(position)) lsns.push(lsn)
  }
}

/** What waits still and is among those that leave by its place in the log: another priority's, mostly none. */
function noteLater(line: WaitingLine, { lastLsn, stayingLsns }: Leaving): void {
  for (let position = line.nextWaiting(0); position !== 0; position = line.nextWaiting(position)) {
    const lsn = line.lsnAt(position)
    if (lsn > lastLsn) return
    if (lsn !== 0) stayingLsns.push(lsn)
  }
}
