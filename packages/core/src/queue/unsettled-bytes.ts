/**
 * What one connection has been sent and has not settled, in bytes, whatever it reads from: a window of messages alone bounds no memory,
 * because each of them may be large.
 */

/** Somebody who stopped because there were too many bytes. */
export interface BytesWaiter {
  onBytes(): void
}

export class UnsettledBytes {
  #max: number
  #bytes = 0
  /** As many as the pools of a session. */
  #waiters: Set<BytesWaiter> | undefined = undefined

  /**
   * From `max` bytes on nothing more is handed out until something is settled. A message is not asked for its size before it goes: what
   * is unsettled may be larger by one message, and one that is larger than `max` goes when there is room at all.
   */
  constructor(max: number) {
    this.#max = max
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Another limit from now on; what is unsettled stays counted. */
  setMax(max: number): void {
    this.#max = max
    this.giveBack(0)
  }

  /** Hot path. */
  get isFull(): boolean {
    return this.#bytes >= this.#max
  }

  /** Hot path. */
  take(bytes: number): void {
    this.#bytes += bytes
  }

  /** Hot path. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes
    if (this.#waiters !== undefined && this.#bytes < this.#max) this.#wakeAll(this.#waiters)
  }

  /** `waiter.onBytes()` follows once, when there is room again. */
  waitFor(waiter: BytesWaiter): void {
    ;(this.#waiters ??= new Set()).add(waiter)
  }

  /** It does not wait any more. */
  forget(waiter: BytesWaiter): void {
    this.#waiters?.delete(waiter)
  }

  /** Whoever was first last time comes last: else it would have all that comes free. */
  #wakeAll(waiters: Set<BytesWaiter>): void {
    this.#waiters = undefined
    const [first, ...others] = waiters
    for (const waiter of others) waiter.onBytes()
    first?.onBytes()
  }
}
