/** How fast an action goes over messages: as fast as it may, or so many in a second; and whether it goes on at all. */
import type { Clock, Pace } from '@ternmq/core'

/** Batches of a second: at 10,000 messages a second a thousand at a time, at 3 one every third of a second. */
const BATCHES_PER_SECOND = 10

export class MessagePace implements Pace {
  readonly batchMax: number
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #perSecond: number
  readonly #countNow: () => number
  readonly #begunAtMs: number
  readonly #countAtFirst: number

  /** `countNow` is how many have been acted on. Without `perSecond` only `signal` holds it up. */
  constructor(clock: Clock, signal: AbortSignal, perSecond: number | undefined, countNow: () => number) {
    this.batchMax = perSecond === undefined ? Infinity : Math.max(1, Math.ceil(perSecond / BATCHES_PER_SECOND))
    this.#clock = clock
    this.#signal = signal
    this.#perSecond = perSecond ?? Infinity
    this.#countNow = countNow
    this.#begunAtMs = clock.monoMs()
    this.#countAtFirst = countNow()
  }

  /** When as many have gone as may have by then. */
  async next(): Promise<boolean> {
    const dueMs = ((this.#countNow() - this.#countAtFirst) * 1_000) / this.#perSecond
    const waitMs = dueMs - (this.#clock.monoMs() - this.#begunAtMs)
    if (waitMs > 0 && !this.#signal.aborted) await this.#pause(waitMs)
    return !this.#signal.aborted
  }

  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel()
        this.#signal.removeEventListener('abort', finish)
        resolve()
      }
      const cancel = this.#clock.after(waitMs, finish)
      this.#signal.addEventListener('abort', finish)
    })
  }
}
