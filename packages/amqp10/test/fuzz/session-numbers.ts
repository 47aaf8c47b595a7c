/** Serial numbers as they are meant: a client counts on without wrapping around, and frames carry 32 bits of it. [RFC 1982] */

/** What `wire` means, close to `known`. */
export function near(wire: number, known: number): number {
  return known + ((wire - known) | 0)
}

export function wireOf(known: number): number {
  return known >>> 0
}

/** What the other side may reach: it may not have heard of the last word yet, so all of them count that it may go by. */
export class Limits {
  #all: number[]

  constructor(first: number) {
    this.#all = [first]
  }

  get max(): number {
    return Math.max(...this.#all)
  }

  get last(): number {
    return this.#all.at(-1)!
  }

  add(limit: number): void {
    this.#all.push(limit)
  }

  /** It has heard everything by now. */
  settle(): void {
    this.#all = [this.last]
  }
}
