/**
 * Time that a test moves, around a broker with real sockets: turns end as in production, by the event loop, but time stands
 * still until `advance`. What is planned for within the half hour, or the year, that a test skips happens at once and in its order; what
 * only repeats itself, and nobody sees, happens twice instead of three million times.
 */
import type { Cancel, Clock } from '@ternmq/core'
import { TurnQueue } from '@ternmq/transport'

import { type Duration, durationMs } from './duration.ts'
import { Repeats } from './repeats.ts'
import { Timers } from './timers.ts'

/**
 * Turns of the event loop after a timer that made work, and at the end: output of the broker reaches a socket of this process and is
 * read there. What takes longer a test has to wait for.
 */
const TURNS_AFTER_WORK = 4

export class MovableClock implements Clock {
  readonly #turns: TurnQueue = new TurnQueue(() => setImmediate(() => this.#turns.runPass()))
  readonly #timers = new Timers()
  readonly #repeats = new Repeats()
  /** Certificates are judged by the machine's time, so this one begins there. */
  readonly #startWallMs = Date.now()
  #nowMs = 0

  wallMs(): number {
    return this.#startWallMs + this.#nowMs
  }

  monoMs(): number {
    return this.#nowMs
  }

  /** What has no time to wait for runs without an `advance`. */
  after(delayMs: number, f: () => void): Cancel {
    if (delayMs > 0) return this.#timers.add(this.#nowMs + delayMs, f)
    const immediate = setImmediate(f)
    return () => clearImmediate(immediate)
  }

  /** See `Clock.every`: a year has three million intervals of ten seconds, of which nobody sees any. */
  every(intervalMs: number, f: (intervals: number) => void, idleCount: () => number): Cancel {
    return this.#repeats.add({ atMs: this.#nowMs + intervalMs, intervalMs, f, idleCount })
  }

  endOfTurn(f: () => void): void {
    this.#turns.endOfTurn(f)
  }

  flush(f: () => void): void {
    this.#turns.flush(f)
  }

  /**
   * Moves time: `advance('31m')`, `advance(250)` in ms. Each timer on the way runs at its moment, and what it causes inside the broker
   * before the next one. Resolves when that is done; throws RangeError for what is no duration. Clients in the same process have their own
   * clocks: one with a keep-alive that is shorter is silent all the while, and gets disconnected.
   */
  async advance(duration: Duration): Promise<void> {
    const untilMs = this.#nowMs + durationMs(duration)
    this.#repeats.onHappened()
    await this.#runTurns()
    for (;;) {
      const nextMs = Math.min(untilMs, this.#timers.nextAtMs)
      const run = this.#repeats.take(nextMs) ?? this.#timers.take(untilMs)
      if (run === undefined) break
      this.#nowMs = Math.max(this.#nowMs, run.atMs)
      run.f()
      if (this.#turns.isWaiting) await this.#runTurns()
      if (!run.repeats) this.#repeats.onHappened()
    }
    this.#nowMs = untilMs
    await this.#runTurns()
  }

  /** Timers that wait: a broker that has stopped leaves none. */
  get timerCount(): number {
    return this.#timers.count + this.#repeats.count
  }

  async #runTurns(): Promise<void> {
    for (let turnsLeft = TURNS_AFTER_WORK; turnsLeft > 0 || this.#turns.isWaiting; turnsLeft--) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
  }
}
