/**
 * The order of a turn's end: first every `endOfTurn` function, those added meanwhile included, then every `flush` function.
 * The real clock and the virtual one share it, so that a test sees the order that production has.
 */

/**
 * Functions that one pass runs before it lets the sockets speak again. Two functions that wake each other for ever then cost
 * latency, not the process: the rest runs in the next pass.
 */
export const PASS_FUNCTIONS_MAX = 100_000

export class TurnQueue {
  readonly #schedule: () => void
  readonly #ends: (() => void)[] = []
  #flushes: (() => void)[] = []
  /** Empty; takes what is added while `#flushes` run. */
  #nextFlushes: (() => void)[] = []
  #isScheduled = false

  /** `schedule` is called once when the first function waits; `runPass` must follow. */
  constructor(schedule: () => void) {
    this.#schedule = schedule
  }

  endOfTurn(f: () => void): void {
    this.#ends.push(f)
    this.#wake()
  }

  flush(f: () => void): void {
    this.#flushes.push(f)
    this.#wake()
  }

  /** True while functions wait for a pass. */
  get isWaiting(): boolean {
    return this.#ends.length > 0 || this.#flushes.length > 0
  }

  /** Runs one pass. What a function throws passes through; the functions behind it then run in the next pass. */
  runPass(): void {
    this.#isScheduled = true // functions added while this runs do not schedule: the end of it does
    const flushes = this.#flushes
    try {
      runGrowing(this.#ends)
      // A flush that adds another one (a peer became writable) waits for the next pass, so that reading gets its turn.
      this.#flushes = this.#nextFlushes
      this.#nextFlushes = flushes
      runGrowing(flushes)
    } finally {
      if (flushes !== this.#flushes && flushes.length > 0) this.#flushes = flushes.splice(0).concat(this.#flushes)
      this.#isScheduled = false
      if (this.isWaiting) this.#wake()
    }
  }

  #wake(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#schedule()
  }
}

/** Runs the functions of `list`, which may grow meanwhile, and leaves in it those that did not have their turn. */
function runGrowing(list: (() => void)[]): void {
  let index = 0
  try {
    while (index < list.length && index < PASS_FUNCTIONS_MAX) (list[index++] as () => void)()
  } finally {
    if (index === list.length) list.length = 0
    else list.splice(0, index)
  }
}
