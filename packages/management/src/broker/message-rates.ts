/** How many messages a second come into each of many things and leave it, for all of them at once: one pass over them each second. */

export interface MessageRate {
  readonly inPerSecond: number
  readonly outPerSecond: number
}

/** Since whenever. */
export interface MessageCounts {
  readonly messagesIn: number
  readonly messagesOut: number
}

/**
 * Of queues, or of connections. They are in the order of their making, before and now: those of the last pass are found again by going
 * along, without a look-up for each.
 */
export class MessageRates<T extends object> {
  readonly #countsOf: (thing: T) => MessageCounts
  #things: T[] = []
  #in: Float64Array = new Float64Array(0)
  #out: Float64Array = new Float64Array(0)
  /** NaN: seen once. */
  #inPerSecond: Float64Array = new Float64Array(0)
  #outPerSecond: Float64Array = new Float64Array(0)
  /** Made for the first one who asks after a pass. */
  #places: Map<T, number> | undefined = undefined

  constructor(countsOf: (thing: T) => MessageCounts) {
    this.#countsOf = countsOf
  }

  /** `all` are those that there are; `seconds` have passed since the last pass. */
  sample(all: Iterable<T>, count: number, seconds: number): void {
    const before = this.#things
    const beforeCount = before.length
    this.#reserve(count)
    this.#places = undefined
    let from = 0
    let to = 0
    for (const thing of all) {
      while (from < beforeCount && before[from] !== thing) from++
      const isKnown = from < beforeCount
      const { messagesIn, messagesOut } = this.#countsOf(thing)
      this.#inPerSecond[to] = isKnown ? (messagesIn - this.#in[from]!) / seconds : NaN
      this.#outPerSecond[to] = isKnown ? (messagesOut - this.#out[from]!) / seconds : NaN
      this.#in[to] = messagesIn
      this.#out[to] = messagesOut
      before[to++] = thing
      from++
    }
    before.length = to
  }

  /** Undefined until there are two passes. */
  of(thing: T): MessageRate | undefined {
    this.#places ??= new Map(this.#things.map((each, place) => [each, place]))
    const place = this.#places.get(thing)
    if (place === undefined || Number.isNaN(this.#inPerSecond[place]!)) return undefined
    return { inPerSecond: this.#inPerSecond[place]!, outPerSecond: this.#outPerSecond[place]! }
  }

  /** Nobody looks any more. */
  clear(): void {
    this.#things = []
    this.#places = undefined
  }

  #reserve(count: number): void {
    const size = Math.max(count, this.#things.length)
    if (this.#in.length >= size) return
    this.#in = grown(this.#in, size)
    this.#out = grown(this.#out, size)
    this.#inPerSecond = grown(this.#inPerSecond, size)
    this.#outPerSecond = grown(this.#outPerSecond, size)
  }
}

const SIZE_MIN = 64

function grown(values: Float64Array, size: number): Float64Array {
  const larger = new Float64Array(Math.max(SIZE_MIN, size, values.length * 2))
  larger.set(values)
  return larger
}
