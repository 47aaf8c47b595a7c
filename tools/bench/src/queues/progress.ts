/** How fast something went, and whether it became slower on its way. */

const PARTS = 10

export class Progress {
  readonly #total: number
  readonly #startedMs = performance.now()
  /** Time at the end of each tenth, in ms from the start. */
  readonly #endsMs: number[] = []
  #count = 0

  constructor(total: number) {
    this.#total = total
  }

  add(count: number): void {
    this.#count += count
    while (this.#endsMs.length < PARTS && this.#count * PARTS >= (this.#endsMs.length + 1) * this.#total)
      this.#endsMs.push(performance.now() - this.#startedMs)
  }

  /** Per second, over all. */
  get rate(): number {
    return this.#total / ((this.#endsMs.at(-1) ?? NaN) / 1_000)
  }

  /** Per second, of each tenth. */
  get rates(): number[] {
    return this.#endsMs.map((ms, index) => this.#total / PARTS / ((ms - (this.#endsMs[index - 1] ?? 0)) / 1_000))
  }
}
