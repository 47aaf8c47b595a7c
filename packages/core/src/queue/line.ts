/**
 * The waiting line of a queue: which messages it holds, in order, in typed arrays and without an object per message. A message
 * has a position; the position stays its own while a consumer has it, so giving it back is setting a bit. Bodies are elsewhere: an
 * entry object is here only while its message is in memory.
 *
 * Positions ascend and are never used again. Lsns ascend with them (0: not in the log). Memory: 13 bytes for each position, 8 more in
 * chunks where something expires; a chunk goes when nothing in it is left.
 */
import type { Delivery } from './delivery.ts'

/** What became of a position. */
const GONE = 0
const WAITING = 1
/** A consumer, a transaction or a timer has it. */
const TAKEN = 2
/** On its way out with all that waited, until the log has that: nobody can have it. */
const LEAVING = 3
const STATE_MASK = 0x03
/** It may have been with a consumer in an earlier life of the process. */
const REDELIVERED = 0x04

/** The first chunk of a line, and the second: most of ten thousand queues hold a message or two. */
const CHUNK_SLOTS_FIRST = 4
const CHUNK_SLOTS_SECOND = 16
const CHUNK_SLOTS_MAX = 4_096
/** From there on each is so many times as large as the one before, up to the maximum. */
const CHUNK_GROWTH = 8
/** An empty line keeps a chunk up to this size (13 KiB): making one for every message took 600 ns. */
const CHUNK_SLOTS_KEPT_MAX = 1_024

/** Positions next to each other; slot = position - first. */
export class LineChunk {
  first: number
  readonly slots: number
  readonly lsns: Float64Array
  readonly bytes: Uint32Array
  readonly states: Uint8Array
  /** Unix ms; 0 for never. Made when the first expiring message comes. */
  expiries: Float64Array | undefined = undefined
  /** Earliest of `expiries`, perhaps of a message that is gone. */
  expiresFirstMs: number = Infinity
  failedCounts: Uint16Array | undefined = undefined
  entries: (Delivery | undefined)[] | undefined = undefined
  used = 0
  live = 0

  constructor(first: number, slots: number) {
    this.first = first
    this.slots = slots
    const buffer = new ArrayBuffer(slots * 13)
    this.lsns = new Float64Array(buffer, 0, slots)
    this.bytes = new Uint32Array(buffer, slots * 8, slots)
    this.states = new Uint8Array(buffer, slots * 12, slots)
  }

  /** Everything in it is gone: it serves the positions from `first` on. */
  reuse(first: number): void {
    this.first = first
    this.used = 0
    this.expiries = undefined
    this.expiresFirstMs = Infinity
    this.failedCounts = undefined
  }
}

function slotsAfter(slots: number): number {
  if (slots === 0) return CHUNK_SLOTS_FIRST
  return slots < CHUNK_SLOTS_SECOND ? CHUNK_SLOTS_SECOND : Math.min(CHUNK_SLOTS_MAX, slots * CHUNK_GROWTH)
}

/** A position as it is looked at; the fields of `WaitingLine.look`. */
export interface LineEntry {
  readonly position: number
  readonly lsn: number
  readonly bytes: number
  readonly isWaiting: boolean
  readonly redelivered: boolean
  readonly failedCount: number
  readonly expiresAtMs: number
  readonly entry: Delivery | undefined
}

/** Arrays of one length, of which the first `count` places are used. */
export interface LineDump {
  readonly lsns: Float64Array
  readonly bytes: Uint32Array
  readonly failedCounts: Uint16Array
  /** 1: it may have been with a consumer. */
  readonly redelivered: Uint8Array
  readonly expiries: Float64Array | undefined
  count: number
}

export class WaitingLine {
  /** By `first`, ascending; none of them empty but perhaps the last. */
  #chunks: LineChunk[] = []
  #tail: LineChunk | undefined = undefined
  /** No position before this one waits. */
  #cursor = 1
  #next = 1
  #waitingCount = 0
  #liveCount = 0

  /** Waiting now: nobody has them. */
  get waitingCount(): number {
    return this.#waitingCount
  }

  /** Waiting or taken. */
  get liveCount(): number {
    return this.#liveCount
  }

  /** The position that comes next. */
  get end(): number {
    return this.#next
  }

  /** Adds a message behind all others; `entry` when it is in memory. Returns its position. Hot path. */
  push(lsn: number, bytes: number, expiresAtMs: number, entry: Delivery | undefined, isTaken: boolean): number {
    let chunk = this.#tail
    if (chunk === undefined || chunk.used === chunk.slots) chunk = this.#grow()
    const slot = chunk.used++
    chunk.lsns[slot] = lsn
    chunk.bytes[slot] = bytes
    chunk.states[slot] = isTaken ? TAKEN : WAITING
    chunk.live++
    if (expiresAtMs !== 0) this.#setExpiry(chunk, slot, expiresAtMs)
    if (entry !== undefined) {
      // The first one of a line takes one place: growing an empty array makes room for 17.
      if (chunk.entries === undefined && slot === 0) chunk.entries = [entry]
      else (chunk.entries ??= [])[slot] = entry
    }
    this.#liveCount++
    if (!isTaken) this.#waitingCount++
    return this.#next++
  }

  /** First waiting position; 0 when none waits. Hot path. */
  peek(): number {
    if (this.#waitingCount === 0) return 0
    const position = this.nextWaiting(this.#cursor - 1)
    this.#cursor = position
    return position
  }

  /** The first waiting position after `after`; 0 when there is none. */
  nextWaiting(after: number): number {
    return this.#nextWhere(after, true)
  }

  /** The first position after `after` that is waiting or taken; 0 when there is none. */
  nextLive(after: number): number {
    return this.#nextWhere(after, false)
  }

  /** Its message when that is in memory. Hot path. */
  entryAt(position: number): Delivery | undefined {
    const chunk = this.#chunkOf(position)
    return chunk?.entries?.[position - chunk.first]
  }

  /** Puts a message into memory, or with undefined takes it out. */
  setEntry(position: number, entry: Delivery | undefined): void {
    const chunk = this.#chunkOf(position)
    if (chunk === undefined) return
    if (entry === undefined && chunk.entries === undefined) return
    ;(chunk.entries ??= [])[position - chunk.first] = entry
  }

  lsnAt(position: number): number {
    const chunk = this.#chunkOf(position)
    return chunk === undefined ? 0 : chunk.lsns[position - chunk.first]!
  }

  bytesAt(position: number): number {
    const chunk = this.#chunkOf(position)
    return chunk === undefined ? 0 : chunk.bytes[position - chunk.first]!
  }

  /** Unix ms; 0: never. */
  expiresAt(position: number): number {
    const chunk = this.#chunkOf(position)
    return chunk?.expiries?.[position - chunk.first] ?? 0
  }

  isWaiting(position: number): boolean {
    const chunk = this.#chunkOf(position)
    return chunk !== undefined && (chunk.states[position - chunk.first]! & STATE_MASK) === WAITING
  }

  /** Undefined for a position that is gone. */
  look(position: number): LineEntry | undefined {
    const chunk = this.#chunkOf(position)
    if (chunk === undefined) return undefined
    const slot = position - chunk.first
    const state = chunk.states[slot]!
    if ((state & STATE_MASK) === GONE) return undefined
    return {
      position,
      lsn: chunk.lsns[slot]!,
      bytes: chunk.bytes[slot]!,
      isWaiting: (state & STATE_MASK) === WAITING,
      redelivered: (state & REDELIVERED) !== 0,
      failedCount: chunk.failedCounts?.[slot] ?? 0,
      expiresAtMs: chunk.expiries?.[slot] ?? 0,
      entry: chunk.entries?.[slot],
    }
  }

  /** Somebody has it now. Hot path. */
  take(position: number): void {
    const chunk = this.#chunkOf(position)!
    const slot = position - chunk.first
    chunk.states[slot] = (chunk.states[slot]! & ~STATE_MASK) | TAKEN
    this.#waitingCount--
  }

  /** It waits again, in its old place. */
  putBack(position: number): void {
    const chunk = this.#chunkOf(position)!
    const slot = position - chunk.first
    chunk.states[slot] = (chunk.states[slot]! & ~STATE_MASK) | WAITING | REDELIVERED
    this.#waitingCount++
    if (position < this.#cursor) this.#cursor = position
  }

  /** Failed attempts, up to 65,535. */
  setFailedCount(position: number, count: number): void {
    const chunk = this.#chunkOf(position)
    if (chunk === undefined) return
    chunk.failedCounts ??= new Uint16Array(chunk.slots)
    chunk.failedCounts[position - chunk.first] = Math.min(count, 0xffff)
  }

  /** It may have been with a consumer before. */
  markRedelivered(position: number): void {
    const chunk = this.#chunkOf(position)
    if (chunk !== undefined) chunk.states[position - chunk.first]! |= REDELIVERED
  }

  /** It is finished. False when it was gone already. Hot path. */
  remove(position: number): boolean {
    const chunk = this.#chunkOf(position)
    if (chunk === undefined) return false
    const slot = position - chunk.first
    const state = chunk.states[slot]! & STATE_MASK
    if (state === GONE) return false
    chunk.states[slot] = GONE
    if (state === WAITING) this.#waitingCount--
    this.#liveCount--
    if (chunk.entries !== undefined) chunk.entries[slot] = undefined
    if (--chunk.live === 0) this.#drop(chunk)
    return true
  }

  /** All that waits before `end` is on its way out: `each` hears of it. `finishLeaving` or `undoLeaving` follows. */
  leave(end: number, each: (bytes: number, lsn: number, isLoaded: boolean) => void): void {
    for (const { first, states, bytes, lsns, entries, used } of this.#chunks) {
      const endSlot = Math.min(used, end - first)
      for (let slot = 0; slot < endSlot; slot++) {
        const state = states[slot]!
        if ((state & STATE_MASK) !== WAITING) continue
        states[slot] = (state & ~STATE_MASK) | LEAVING
        this.#waitingCount--
        each(bytes[slot]!, lsns[slot]!, entries?.[slot] !== undefined)
      }
    }
  }

  /** What is on its way out is gone: `each` hears of the lsns, in their order. */
  finishLeaving(each: (lsn: number) => void): void {
    for (const chunk of [...this.#chunks]) {
      const { states, lsns, entries, used } = chunk
      const liveBefore = chunk.live
      for (let slot = 0; slot < used; slot++) {
        if ((states[slot]! & STATE_MASK) !== LEAVING) continue
        states[slot] = GONE
        if (entries !== undefined) entries[slot] = undefined
        chunk.live--
        each(lsns[slot]!)
      }
      this.#liveCount -= liveBefore - chunk.live
      if (chunk.live === 0 && liveBefore > 0) this.#drop(chunk)
    }
  }

  /** It waits again: `each` hears of it. */
  undoLeaving(each: (bytes: number, lsn: number, isLoaded: boolean) => void): void {
    for (const { states, bytes, lsns, entries, used } of this.#chunks) {
      for (let slot = 0; slot < used; slot++) {
        const state = states[slot]!
        if ((state & STATE_MASK) !== LEAVING) continue
        states[slot] = (state & ~STATE_MASK) | WAITING
        this.#waitingCount++
        each(bytes[slot]!, lsns[slot]!, entries?.[slot] !== undefined)
      }
    }
    this.#cursor = 1
  }

  /** Position of a message of the log; 0 when it is not in the line. */
  find(lsn: number): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (firstLsn(this.#chunks[middle]!) <= lsn) low = middle
      else high = middle - 1
    }
    // Messages that are not in the log have 0 and break the order: a chunk that begins with such may lie before or after.
    for (let index = low; index >= 0; index--) {
      const chunk = this.#chunks[index]
      if (chunk === undefined) break
      const slot = slotOf(chunk, lsn)
      if (slot >= 0) return chunk.first + slot
      if (firstLsn(chunk) > 0 && firstLsn(chunk) <= lsn) break
    }
    return 0
  }

  /**
   * Waiting positions whose time is over, at most `max` of them. Looks at chunks in which something may have expired only.
   */
  expired(nowMs: number, max: number): number[] {
    const found: number[] = []
    for (const chunk of this.#chunks) {
      if (chunk.expiresFirstMs > nowMs) continue
      let earliest = Infinity
      for (let slot = 0; slot < chunk.used; slot++) {
        const state = chunk.states[slot]! & STATE_MASK
        const expiresAtMs = chunk.expiries![slot]!
        if (state === GONE || expiresAtMs === 0) continue
        if (state !== WAITING || expiresAtMs > nowMs || found.length >= max) earliest = Math.min(earliest, expiresAtMs)
        else found.push(chunk.first + slot)
      }
      chunk.expiresFirstMs = earliest
      if (found.length >= max) break
    }
    return found
  }

  /** Unix ms before which nothing here expires; Infinity for never. */
  get expiresFirstMs(): number {
    let first = Infinity
    for (const chunk of this.#chunks) if (chunk.expiresFirstMs < first) first = chunk.expiresFirstMs
    return first
  }

  /** Everything in it that the log has, in order, for a snapshot. A taken position counts as one that may be with somebody. */
  dump(): LineDump {
    const dump: LineDump = {
      lsns: new Float64Array(this.#liveCount),
      bytes: new Uint32Array(this.#liveCount),
      failedCounts: new Uint16Array(this.#liveCount),
      redelivered: new Uint8Array(this.#liveCount),
      expiries: this.#chunks.some(({ expiries }) => expiries !== undefined)
        ? new Float64Array(this.#liveCount)
        : undefined,
      count: 0,
    }
    for (const chunk of this.#chunks) dumpChunk(chunk, dump)
    return dump
  }

  /** What waits, one after the other; nobody has any of it yet. */
  get waitingBytes(): number {
    let sum = 0
    for (const { states, bytes, used } of this.#chunks) {
      for (let slot = 0; slot < used; slot++) if ((states[slot]! & STATE_MASK) === WAITING) sum += bytes[slot]!
    }
    return sum
  }

  #nextWhere(after: number, waiting: boolean): number {
    const chunks = this.#chunks
    let index = this.#indexOf(after + 1)
    for (; index < chunks.length; index++) {
      const chunk = chunks[index]!
      if (chunk.live === 0) continue
      const { states, used } = chunk
      for (let slot = Math.max(0, after + 1 - chunk.first); slot < used; slot++) {
        const state = states[slot]! & STATE_MASK
        if (state === WAITING || (!waiting && state !== GONE)) return chunk.first + slot
      }
    }
    return 0
  }

  #setExpiry(chunk: LineChunk, slot: number, expiresAtMs: number): void {
    chunk.expiries ??= new Float64Array(chunk.slots)
    chunk.expiries[slot] = expiresAtMs
    if (expiresAtMs < chunk.expiresFirstMs) chunk.expiresFirstMs = expiresAtMs
  }

  #grow(): LineChunk {
    const before = this.#tail
    const chunk = new LineChunk(this.#next, slotsAfter(before?.slots ?? 0))
    if (this.#chunks.length === 0) this.#chunks = [chunk]
    else this.#chunks.push(chunk)
    this.#tail = chunk
    return chunk
  }

  #drop(chunk: LineChunk): void {
    if (chunk !== this.#tail) this.#chunks.splice(this.#indexOf(chunk.first), 1)
    else if (chunk.slots <= CHUNK_SLOTS_KEPT_MAX) chunk.reuse(this.#next)
    else {
      this.#tail = undefined
      this.#chunks.pop()
    }
  }

  /** Hot path: first or last chunk nearly always. */
  #chunkOf(position: number): LineChunk | undefined {
    const tail = this.#tail
    if (tail !== undefined && position >= tail.first) return position < tail.first + tail.used ? tail : undefined
    const head = this.#chunks[0]
    if (head === undefined || position < head.first) return undefined
    if (position < head.first + head.slots) return head
    const chunk = this.#chunks[this.#indexOf(position)]
    return chunk !== undefined && position >= chunk.first ? chunk : undefined
  }

  /** Index of the chunk that has `position`, or of the first one after it. */
  #indexOf(position: number): number {
    const chunks = this.#chunks
    const head = chunks[0]
    if (head === undefined || position < head.first + head.slots) return 0
    let low = 0
    let high = chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = chunks[middle]!
      if (chunk.first + chunk.slots <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}

function dumpChunk({ states, lsns, bytes, failedCounts, expiries, used }: LineChunk, dump: LineDump): void {
  let at = dump.count
  for (let slot = 0; slot < used; slot++) {
    const state = states[slot]!
    const lsn = lsns[slot]!
    if ((state & STATE_MASK) === GONE || lsn === 0) continue
    dump.lsns[at] = lsn
    dump.bytes[at] = bytes[slot]!
    if (failedCounts !== undefined) dump.failedCounts[at] = failedCounts[slot]!
    if (state !== WAITING) dump.redelivered[at] = 1
    if (expiries !== undefined) dump.expiries![at] = expiries[slot]!
    at++
  }
  dump.count = at
}

/** Lsn of its first message that is in the log; 0 when none is. */
function firstLsn(chunk: LineChunk): number {
  for (let slot = 0; slot < chunk.used; slot++) if (chunk.lsns[slot]! !== 0) return chunk.lsns[slot]!
  return 0
}

/** Slot of a live message of the log; -1 when it is not here. */
function slotOf(chunk: LineChunk, lsn: number): number {
  let low = 0
  let high = chunk.used - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    // Step over messages that are not in the log: they have no place in this order.
    let probe = middle
    while (probe <= high && chunk.lsns[probe] === 0) probe++
    if (probe > high) {
      high = middle - 1
      continue
    }
    const found = chunk.lsns[probe]!
    if (found === lsn) return (chunk.states[probe]! & STATE_MASK) === GONE ? -1 : probe
    if (found < lsn) low = probe + 1
    else high = middle - 1
  }
  return -1
}
