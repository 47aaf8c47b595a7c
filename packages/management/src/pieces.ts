/**
 * Work of one call on very much, in pieces: between two of them everybody else has a turn. What the work is about must not be in its way
 * meanwhile: it takes note of all of it first, or says that it may have changed.
 */
import { type Clock, nextTurn } from '@ternmq/core'

/** Of one piece: items, whatever they cost. */
export const PIECE_ITEMS_MAX = 256
/** Of one piece, of which the last item may take longer. */
const PIECE_MS_MAX = 8

export class Pieces {
  readonly #clock: Pick<Clock, 'after' | 'monoMs'>
  #itemCount = 0
  #startedAtMs: number

  constructor(clock: Pick<Clock, 'after' | 'monoMs'>) {
    this.#clock = clock
    this.#startedAtMs = clock.monoMs()
  }

  /** To be called after each item; resolves when the next one may follow. */
  async step(): Promise<void> {
    const isOver = ++this.#itemCount >= PIECE_ITEMS_MAX || this.#clock.monoMs() - this.#startedAtMs > PIECE_MS_MAX
    if (isOver) await this.rest()
  }

  /** Others have their turn now. */
  async rest(): Promise<void> {
    await nextTurn(this.#clock)
    this.#itemCount = 0
    this.#startedAtMs = this.#clock.monoMs()
  }

  /** As `Array.map`. Rejects with what `work` throws. */
  async map<T, U>(items: Iterable<T>, work: (item: T, index: number) => U): Promise<U[]> {
    const results: U[] = []
    for (const item of items) {
      results.push(work(item, results.length))
      await this.step()
    }
    return results
  }
}
