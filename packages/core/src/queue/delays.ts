/**
 * The entries of one queue that wait for their next attempt: when each is due, and one timer for all of them. Numbers only, 17 bytes for
 * each; the message is where the queue has it.
 */
import type { Cancel, Clock } from '../env.ts'
import { DISPATCH_BATCH_MAX } from '../limits.ts'

/** Memory of one entry, the growth of arrays included. */
export const DELAY_BYTES = 32

/** Room for so many at first. */
const SLOTS_MIN = 16

export type DelayClock = Pick<Clock, 'monoMs' | 'after'>

/** `priority` names the line in which the position is. */
export type OnDue = (priority: number, position: number) => void

export class Delays {
  readonly #clock: DelayClock
  readonly #onDue: OnDue
  /** A binary heap in three arrays: what is due first is at 0. */
  #dueAtMs: Float64Array<ArrayBuffer> = new Float64Array(SLOTS_MIN)
  #positions: Float64Array<ArrayBuffer> = new Float64Array(SLOTS_MIN)
  #priorities: Uint8Array<ArrayBuffer> = new Uint8Array(SLOTS_MIN)
  #count = 0
  /** When the timer runs, as `Clock.monoMs`; Infinity without one. */
  #timerAtMs = Infinity
  #cancel: Cancel | undefined = undefined

  constructor(clock: DelayClock, onDue: OnDue) {
    this.#clock = clock
    this.#onDue = onDue
  }

  get count(): number {
    return this.#count
  }

  /** `onDue` follows `delayMs` from now. */
  add(delayMs: number, priority: number, position: number): void {
    if (this.#count === this.#dueAtMs.length) this.#resize(this.#count * 2)
    const dueAtMs = this.#clock.monoMs() + delayMs
    this.#up(this.#count++, dueAtMs, priority, position)
    if (dueAtMs < this.#timerAtMs) this.#wind(dueAtMs, delayMs)
  }

  /** Takes the one out that is due first, and hands it over as if it were. False when there is none. */
  takeFirst(take: OnDue): boolean {
    if (this.#count === 0) return false
    const priority = this.#priorities[0]!
    const position = this.#positions[0]!
    this.#removeFirst()
    take(priority, position)
    return true
  }

  /** Nothing is due any more. */
  close(): void {
    this.#count = 0
    this.#unwind()
  }

  #wind(atMs: number, delayMs: number): void {
    this.#unwind()
    this.#timerAtMs = atMs
    this.#cancel = this.#clock.after(delayMs, this.#onTimer)
  }

  #unwind(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#timerAtMs = Infinity
  }

  readonly #onTimer = (): void => {
    this.#unwind()
    const nowMs = this.#clock.monoMs()
    // A timer may be early by the fraction of a millisecond that its clock does not know.
    for (let left = DISPATCH_BATCH_MAX; left > 0 && this.#count > 0 && this.#dueAtMs[0]! < nowMs + 1; left--) {
      this.takeFirst(this.#onDue)
    }
    if (this.#count === 0) return
    const atMs = this.#dueAtMs[0]!
    if (this.#cancel === undefined) this.#wind(atMs, Math.max(0, atMs - nowMs))
  }

  #removeFirst(): void {
    const last = --this.#count
    if (last > 0) this.#down(this.#dueAtMs[last]!, this.#priorities[last]!, this.#positions[last]!)
    if (this.#dueAtMs.length > SLOTS_MIN && last * 4 <= this.#dueAtMs.length) this.#resize(this.#dueAtMs.length / 2)
  }

  #up(from: number, dueAtMs: number, priority: number, position: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (this.#isBefore(parent, dueAtMs, position)) break
      this.#move(parent, index)
      index = parent
    }
    this.#put(index, dueAtMs, priority, position)
  }

  #down(dueAtMs: number, priority: number, position: number): void {
    let index = 0
    for (;;) {
      let child = index * 2 + 1
      if (child >= this.#count) break
      const right = child + 1
      if (right < this.#count && this.#isBefore(right, this.#dueAtMs[child]!, this.#positions[child]!)) child = right
      if (!this.#isBefore(child, dueAtMs, position)) break
      this.#move(child, index)
      index = child
    }
    this.#put(index, dueAtMs, priority, position)
  }

  /** Of two that are due at the same moment the older one comes first. */
  #isBefore(index: number, dueAtMs: number, position: number): boolean {
    const own = this.#dueAtMs[index]!
    return own < dueAtMs || (own === dueAtMs && this.#positions[index]! < position)
  }

  #put(index: number, dueAtMs: number, priority: number, position: number): void {
    this.#dueAtMs[index] = dueAtMs
    this.#priorities[index] = priority
    this.#positions[index] = position
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#dueAtMs[from]!, this.#priorities[from]!, this.#positions[from]!)
  }

  #resize(slots: number): void {
    const [dueAtMs, positions, priorities] = [new Float64Array(slots), new Float64Array(slots), new Uint8Array(slots)]
    dueAtMs.set(this.#dueAtMs.subarray(0, this.#count))
    positions.set(this.#positions.subarray(0, this.#count))
    priorities.set(this.#priorities.subarray(0, this.#count))
    this.#dueAtMs = dueAtMs
    this.#positions = positions
    this.#priorities = priorities
  }
}
