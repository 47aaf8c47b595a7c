/**
 * Slows producers down while a queue drains. A consumer that reads keeps up after a moment and nothing is lost; one that does not
 * read within `HOLD_MS_MAX` loses the right to hold anybody until it has caught up, so a stuck subscriber costs the others one
 * short pause and not their speed.
 */
import type { Cancel, Clock } from '../env.ts'

/** Longest pause of a producer for one queue. */
export const HOLD_MS_MAX = 250

export class Pressure {
  readonly #clock: Clock
  #releases: (() => void)[] = []
  #cancel: Cancel | undefined = undefined
  #mayHold = true

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** False once a pause was in vain. */
  get mayHold(): boolean {
    return this.#mayHold
  }

  /** `release` follows, once. */
  hold(release: () => void): void {
    this.#releases.push(release)
    this.#cancel ??= this.#clock.after(HOLD_MS_MAX, () => this.#giveUp())
  }

  /** The queue has room again. */
  release(): void {
    if (this.#releases.length === 0) return
    this.#cancel?.()
    this.#cancel = undefined
    const releases = this.#releases
    this.#releases = []
    for (const release of releases) release()
  }

  /** The consumer has caught up. */
  reset(): void {
    this.#mayHold = true
  }

  #giveUp(): void {
    this.#mayHold = false
    this.release()
  }
}
