/** The last so many of something, in the order of their coming: what operators look back at. Older ones are forgotten. */
export class Recent<T> {
  readonly #sizeMax: number
  readonly #slots: T[] = []
  #oldest = 0
  #cameCount = 0

  /** Keeps the last `sizeMax`; with 0 none. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  /** How many there have been, kept or not. */
  get cameCount(): number {
    return this.#cameCount
  }

  get size(): number {
    return this.#slots.length
  }

  push(item: T): void {
    this.#cameCount++
    if (this.#slots.length < this.#sizeMax) {
      this.#slots.push(item)
    } else if (this.#sizeMax > 0) {
      this.#slots[this.#oldest] = item
      this.#oldest = (this.#oldest + 1) % this.#sizeMax
    }
  }

  /** Oldest first, a copy. */
  all(): T[] {
    return [...this.#slots.slice(this.#oldest), ...this.#slots.slice(0, this.#oldest)]
  }

  /** Those that came after the first `count` of all that there have been, oldest first, at most `max`. */
  after(count: number, max: number): T[] {
    const found: T[] = []
    const forgottenCount = this.#cameCount - this.size
    for (let index = Math.max(0, count - forgottenCount); index < this.size && found.length < max; index++)
      found.push(this.#at(index))
    return found
  }

  /** Nothing may come while it is looked through. */
  *newestFirst(): Generator<T> {
    for (let index = this.size - 1; index >= 0; index--) yield this.#at(index)
  }

  #at(index: number): T {
    return this.#slots[(this.#oldest + index) % this.#slots.length]!
  }
}
