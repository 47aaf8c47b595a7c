/**
 * Which lsns are in no segment any more although the newest snapshot may say that something of them is alive: what was
 * released and removed since. The log has it beside what it removed, so that who verifies a store can tell a segment that
 * is missing from one that nobody needs.
 */
import type { Lsn } from '../../engine.ts'

/** More stretches are told as one: a check of what is missing then finds less. */
const STRETCHES_MAX = 1_024
const STRETCH_BYTES = 16

export interface Stretch {
  /** Both included. */
  readonly firstLsn: Lsn
  readonly lastLsn: Lsn
}

export class GoneLsns {
  /** Ascending, without overlap. */
  #stretches: readonly Stretch[] = []

  get isEmpty(): boolean {
    return this.#stretches.length === 0
  }

  has(lsn: Lsn): boolean {
    return this.#stretches.some(({ firstLsn, lastLsn }) => firstLsn <= lsn && lsn <= lastLsn)
  }

  add(stretch: Stretch): void {
    let { firstLsn, lastLsn } = stretch
    const apart = this.#stretches.filter((each) => {
      if (each.lastLsn + 1 < firstLsn || each.firstLsn > lastLsn + 1) return true
      firstLsn = Math.min(firstLsn, each.firstLsn)
      lastLsn = Math.max(lastLsn, each.lastLsn)
      return false
    })
    const all = [...apart, { firstLsn, lastLsn }].toSorted((a, b) => a.firstLsn - b.firstLsn)
    this.#stretches = all.length <= STRETCHES_MAX ? all : [{ firstLsn: all[0]!.firstLsn, lastLsn: all.at(-1)!.lastLsn }]
  }

  clear(): void {
    this.#stretches = []
  }

  /** As the log has it. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(this.#stretches.length * STRETCH_BYTES)
    const view = new DataView(bytes.buffer)
    this.#stretches.forEach(({ firstLsn, lastLsn }, index) => {
      view.setFloat64(index * STRETCH_BYTES, firstLsn, true)
      view.setFloat64(index * STRETCH_BYTES + 8, lastLsn, true)
    })
    return bytes
  }

  /** Adds what `encode` gave. */
  take(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at + STRETCH_BYTES <= bytes.length; at += STRETCH_BYTES) {
      this.add({ firstLsn: view.getFloat64(at, true), lastLsn: view.getFloat64(at + 8, true) })
    }
  }
}
