/** Timers of a clock that a test moves: a list, since the parts of a broker gather theirs in wheels and few remain. */
import type { Cancel } from '@ternmq/core'

export interface Timer {
  readonly atMs: number
  readonly order: number
  readonly f: () => void
  readonly repeats: false
}

export class Timers {
  #waiting: Timer[] = []
  #order = 0

  add(atMs: number, f: () => void): Cancel {
    const timer = { atMs, order: this.#order++, f, repeats: false as const }
    this.#waiting.push(timer)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== timer)
    }
  }

  /** Takes out the earliest one due by `untilMs`; those of one moment in the order they were set. */
  take(untilMs: number): Timer | undefined {
    let next: Timer | undefined = undefined
    for (const timer of this.#waiting) {
      if (timer.atMs > untilMs) continue
      if (next === undefined || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order))
        next = timer
    }
    if (next !== undefined) this.#waiting.splice(this.#waiting.indexOf(next), 1)
    return next
  }

  get count(): number {
    return this.#waiting.length
  }

  /** Moment of the earliest one; Infinity when none waits. */
  get nextAtMs(): number {
    return this.#waiting.reduce((nextMs, { atMs }) => Math.min(nextMs, atMs), Infinity)
  }
}
