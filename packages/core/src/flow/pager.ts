/**
 * Gives memory back before anything is dropped or held: what waits and is in the log needs no bytes in memory, they can be read
 * again. Queues that nobody reads from come first.
 */
import type { Queue } from '../queue/queue.ts'

/** More than was asked for, so that the next message does not ask again: a share of the limit. */
const SPARE_SHARE = 1 / 64

export class Pager {
  /** Queues with messages of the log in memory, or that had some; as many as queues. */
  readonly #queues = new Set<Queue>()

  /** A queue has a message of the log in memory. Called when that begins. */
  add(queue: Queue): void {
    this.#queues.add(queue)
  }

  /** The queue is gone. */
  remove(queue: Queue): void {
    this.#queues.delete(queue)
  }

  /** Gives back `bytes` and some, of `bytesMax` in all, as far as there is something to give. Returns how many. */
  free(bytes: number, bytesMax: number): number {
    const wanted = bytes + bytesMax * SPARE_SHARE
    const freed = this.#freeWhere(wanted, (queue) => !queue.hasAttachedConsumer)
    return freed >= wanted ? freed : freed + this.#freeWhere(wanted - freed, () => true)
  }

  #freeWhere(wanted: number, isMeant: (queue: Queue) => boolean): number {
    let freed = 0
    // One that cannot give everything back lists itself again, behind the others.
    let looks = this.#queues.size
    for (const queue of this.#queues) {
      if (freed >= wanted || looks-- === 0) break
      if (!isMeant(queue)) continue
      this.#queues.delete(queue)
      freed += queue.pageOut()
    }
    return freed
  }
}
