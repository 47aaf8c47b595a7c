/** For how long a server has been away, and when that is worth a word: at once, and again whenever it has been twice as long. */

/** Two heartbeats of a quiet broker, and some: a stream on which nothing comes for so long is broken, one that does not open as well. */
export const STREAM_SILENCE_MAX_MS = 12_000

/** Who wants to know that a stream waits. Times in ms since something came. */
export interface AbsenceObserver {
  readonly onAway: (reason: string, awayMs: number) => void
  /** After `onAway`: something came again. */
  readonly onBack: (awayMs: number) => void
}

/** Time that has to pass before it is told once more. */
const AGAIN_MIN_MS = 30_000

export class Absence {
  readonly #observer: AbsenceObserver | undefined
  readonly #nowMs: () => number
  #heardAtMs: number
  /** Undefined while it is there. */
  #tellAgainMs: number | undefined = undefined

  constructor(observer: AbsenceObserver | undefined, nowMs: () => number) {
    this.#observer = observer
    this.#nowMs = nowMs
    this.#heardAtMs = nowMs()
  }

  heard(): void {
    const nowMs = this.#nowMs()
    const awayMs = nowMs - this.#heardAtMs
    const wasTold = this.#tellAgainMs !== undefined
    this.#heardAtMs = nowMs
    this.#tellAgainMs = undefined
    if (wasTold) this.#observer?.onBack(awayMs)
  }

  lost(reason: string): void {
    const awayMs = this.#nowMs() - this.#heardAtMs
    if (this.#tellAgainMs !== undefined && awayMs < this.#tellAgainMs) return
    this.#tellAgainMs = Math.max(AGAIN_MIN_MS, 2 * awayMs)
    this.#observer?.onAway(reason, awayMs)
  }
}
