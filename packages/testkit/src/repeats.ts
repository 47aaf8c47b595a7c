/** What a clock that a test moves has to do again and again, and may leave out where nobody can see it: `Clock.every` of core. */
import type { Cancel } from '@ternmq/core'

export interface Repeat {
  /** When it runs next. */
  atMs: number
  readonly intervalMs: number
  readonly f: (intervals: number) => void
  readonly idleCount: () => number
}

/** One run, at its moment. */
export interface Run {
  readonly atMs: number
  readonly f: () => void
  readonly repeats: true
}

export class Repeats {
  /** With those that have run since something else happened. As many as parts of a broker that repeat something. */
  readonly #all = new Map<Repeat, boolean>()

  add(repeat: Repeat): Cancel {
    this.#all.set(repeat, false)
    return () => void this.#all.delete(repeat)
  }

  get count(): number {
    return this.#all.size
  }

  /** Something else has happened: each runs once more before it may leave anything out. */
  onHappened(): void {
    for (const repeat of this.#all.keys()) this.#all.set(repeat, false)
  }

  /** The next run by `untilMs`, until when nothing else happens; undefined when there is none. */
  take(untilMs: number): Run | undefined {
    let next: Repeat | undefined = undefined
    for (const repeat of this.#all.keys()) {
      if (repeat.atMs <= untilMs && (next === undefined || repeat.atMs < next.atMs)) next = repeat
    }
    if (next === undefined) return undefined
    const { atMs, intervalMs, f } = next
    const mayLeaveOut = this.#all.get(next) === true ? next.idleCount() : 0
    const leftOut = Math.min(Math.floor((untilMs - atMs) / intervalMs), mayLeaveOut)
    const runAtMs = atMs + leftOut * intervalMs
    next.atMs = runAtMs + intervalMs
    this.#all.set(next, true)
    return { atMs: runAtMs, f: () => f(leftOut + 1), repeats: true }
  }
}
