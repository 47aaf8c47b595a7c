/**
 * Many coarse deadlines with one timer: keep-alive and handshake limits of 100,000 connections. Adding, moving and removing
 * cost a pointer change; the clock is only wound while somebody waits.
 */
import { type Cancel, type Clock, every } from './env.ts'

/** Something with a deadline. It implements this itself, so that waiting costs no object. */
export interface WheelEntry {
  /** Neighbours in the slot; kept by the wheel. */
  wheelPrevious: WheelEntry | undefined
  wheelNext: WheelEntry | undefined
  /** Tick at which it is due; -1 while it does not wait. Kept by the wheel. */
  wheelTick: number
  /** Its time has come; it no longer waits. It may add itself again. */
  onDue(): void
}

/** A deadline further away than this many ticks goes round more than once. */
const SLOTS = 256

export class TimerWheel {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #slots: (WheelEntry | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  #tick = 0
  #count = 0
  #cancel: Cancel | undefined = undefined
  #isClosed = false

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock
    this.#tickMs = tickMs
  }

  /** Ticks so far: a clock that costs nothing to read. */
  get tick(): number {
    return this.#tick
  }

  /** `entry.onDue()` follows after `delayMs` or up to two ticks later, never earlier. Moves an entry that waits already. */
  add(entry: WheelEntry, delayMs: number): void {
    this.remove(entry)
    if (this.#isClosed) return
    const tick = this.#tick + Math.ceil(delayMs / this.#tickMs) + 1
    const slot = tick % SLOTS
    const first = this.#slots[slot]
    entry.wheelTick = tick
    entry.wheelPrevious = undefined
    entry.wheelNext = first
    if (first !== undefined) first.wheelPrevious = entry
    this.#slots[slot] = entry
    this.#count++
    this.#cancel ??= every(this.#clock, this.#tickMs, this.#advance, this.#idleCount)
  }

  /** Safe for an entry that does not wait. */
  remove(entry: WheelEntry): void {
    if (entry.wheelTick < 0) return
    const { wheelPrevious, wheelNext } = entry
    if (wheelPrevious === undefined) this.#slots[entry.wheelTick % SLOTS] = wheelNext
    else wheelPrevious.wheelNext = wheelNext
    if (wheelNext !== undefined) wheelNext.wheelPrevious = wheelPrevious
    entry.wheelPrevious = undefined
    entry.wheelNext = undefined
    entry.wheelTick = -1
    this.#count--
  }

  /** Stops for good; whoever waits is forgotten. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#cancel = undefined
    for (let slot = 0; slot < SLOTS; slot++) {
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) this.remove(entry)
    }
  }

  readonly #advance = (ticks: number): void => {
    this.#tick += ticks
    const due: WheelEntry[] = []
    for (let entry = this.#slots[this.#tick % SLOTS]; entry !== undefined; entry = entry.wheelNext) {
      if (entry.wheelTick <= this.#tick) due.push(entry)
    }
    for (const entry of due) {
      // One before it in this tick may have removed or moved it.
      if (entry.wheelTick < 0 || entry.wheelTick > this.#tick) continue
      this.remove(entry)
      entry.onDue()
    }
    if (this.#count > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Ticks at which nothing can be due. */
  readonly #idleCount = (): number => {
    let count = 0
    while (count < SLOTS - 1 && this.#slots[(this.#tick + count + 1) % SLOTS] === undefined) count++
    return count
  }
}
