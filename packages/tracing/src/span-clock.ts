/** Times of spans: as fine as the monotonic clock, and where the wall clock is. */
import type { Cancel, Clock } from '@ternmq/core'

/** Seconds and nanoseconds since 1970, as OpenTelemetry has it. */
export type SpanTime = [seconds: number, nanos: number]

/** The wall clock is put right while we run. */
const ADJUST_MS = 60_000

export class SpanClock {
  readonly #clock: Clock
  /** From monotonic to Unix ms. */
  #offsetMs = 0
  #adjustedAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): SpanTime {
    const monoMs = this.#clock.monoMs()
    if (monoMs - this.#adjustedAtMs >= ADJUST_MS) {
      this.#adjustedAtMs = monoMs
      this.#offsetMs = this.#clock.wallMs() - monoMs
    }
    const ms = this.#offsetMs + monoMs
    const seconds = Math.floor(ms / 1_000)
    return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)]
  }

  after(delayMs: number, f: () => void): Cancel {
    return this.#clock.after(delayMs, f)
  }

  monoMs(): number {
    return this.#clock.monoMs()
  }
}
