/**
 * What a subscription was sent and has not settled, in the order it was sent, for an ACK that settles all up to one. What an open
 * transaction settles is not among them: else each ACK of many in one transaction would look through all before it.
 */

/** So many that are gone are left in front of the others at most, and never more than there are others. */
const GONE_MIN = 1_024

export class UnsettledTags {
  /** Ascending from `#start` on. */
  #tags: number[] = []
  #start = 0

  /** The highest so far. Hot path. */
  add(tag: number): void {
    this.#tags.push(tag)
  }

  /** Takes out all up to `tag`, oldest first. */
  takeUpTo(tag: number): number[] {
    const tags = this.#tags
    const from = this.#start
    let to = from
    while (to < tags.length && tags[to]! <= tag) to++
    const taken = tags.slice(from, to)
    this.#start = to
    if (to > GONE_MIN && to * 2 > tags.length) this.#drop()
    return taken
  }

  /** What was taken out, in any order, is to be settled again. */
  putBack(taken: readonly number[]): void {
    const tags = taken.toSorted(byValue)
    const at = this.#start - tags.length
    if (at >= 0 && !(tags.at(-1)! > this.#tags[this.#start]!)) {
      for (let index = 0; index < tags.length; index++) this.#tags[at + index] = tags[index]!
      this.#start = at
      return
    }
    this.#drop()
    this.#tags = [...tags, ...this.#tags].sort(byValue)
  }

  clear(): void {
    this.#tags = []
    this.#start = 0
  }

  #drop(): void {
    this.#tags = this.#tags.slice(this.#start)
    this.#start = 0
  }
}

function byValue(one: number, other: number): number {
  return one - other
}
