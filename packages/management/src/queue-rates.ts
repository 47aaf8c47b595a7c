/** How many messages a second come into each queue and leave it, for all queues at once: one pass over them each second. */
import type { Queue } from '@ternmq/core'

export interface QueueRate {
  readonly inPerSecond: number
  readonly outPerSecond: number
}

/**
 * Queues are in the order of their making, before and now: those of the last pass are found again by going along, without a look-up for
 * each.
 */
export class QueueRates {
  #queues: Queue[] = []
  #in: Float64Array = new Float64Array(0)
  #out: Float64Array = new Float64Array(0)
  /** NaN: seen once. */
  #inPerSecond: Float64Array = new Float64Array(0)
  #outPerSecond: Float64Array = new Float64Array(0)
  /** Made for the first one who asks after a pass. */
  #places: Map<Queue, number> | undefined = undefined

  /** `all` are the queues that there are; `seconds` have passed since the last pass. */
  sample(all: Iterable<Queue>, count: number, seconds: number): void {
    const before = this.#queues
    const beforeCount = before.length
    this.#reserve(count)
    this.#places = undefined
    let from = 0
    let to = 0
    for (const queue of all) {
      while (from < beforeCount && before[from] !== queue) from++
      const isKnown = from < beforeCount
      const { messagesIn, messagesOut } = queue
      this.#inPerSecond[to] = isKnown ? (messagesIn - this.#in[from]!) / seconds : NaN
      this.#outPerSecond[to] = isKnown ? (messagesOut - this.#out[from]!) / seconds : NaN
      this.#in[to] = messagesIn
      this.#out[to] = messagesOut
      before[to++] = queue
      from++
    }
    before.length = to
  }

  /** Undefined until there are two passes. */
  of(queue: Queue): QueueRate | undefined {
    this.#places ??= new Map(this.#queues.map((each, place) => [each, place]))
    const place = this.#places.get(queue)
    if (place === undefined || Number.isNaN(this.#inPerSecond[place]!)) return undefined
    return { inPerSecond: this.#inPerSecond[place]!, outPerSecond: this.#outPerSecond[place]! }
  }

  /** Nobody looks any more. */
  clear(): void {
    this.#queues = []
    this.#places = undefined
  }

  #reserve(count: number): void {
    const size = Math.max(count, this.#queues.length)
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
