/** Whether somebody is still there, by what comes from him: a broker that hangs closes nothing. */

/** Calls `onSilence` once when nothing has been heard for `maxMs`, and from the beginning of it on; never after `end`. */
export class Silence {
  readonly #maxMs: number
  readonly #onSilence: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(maxMs: number, onSilence: () => void) {
    this.#maxMs = maxMs
    this.#onSilence = onSilence
    this.heard()
  }

  /** The time begins anew. */
  heard(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onSilence, this.#maxMs)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}
