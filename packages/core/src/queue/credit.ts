/**
 * One window of unsettled deliveries, shared by every consumer of a session: MQTT Receive Maximum, AMQP session
 * window, 0-9-1 global prefetch. [ADR-0001]
 */

/** Somebody who stopped because the pool was empty. */
export interface CreditWaiter {
  onCredit(): void
}

export class CreditPool {
  #limit: number
  #used = 0
  #tag = 0
  #waiters: CreditWaiter[] = []
  /** Number in the log of the session whose it is; 0 when the log does not know one. */
  sessionNumber = 0

  /** `limit` deliveries may be unsettled at a time. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#used >= this.#limit
  }

  get limit(): number {
    return this.#limit
  }

  get used(): number {
    return this.#used
  }

  /** Takes one. Returns the delivery's tag: ascending, from 1. */
  take(): number {
    this.#used++
    return ++this.#tag
  }

  giveBack(): void {
    this.#used--
    if (this.#waiters.length > 0 && this.#used < this.#limit) this.#wakeAll()
  }

  /** A new absolute limit; what is unsettled stays counted, so the pool may be overdrawn for a while. */
  setLimit(limit: number): void {
    this.#limit = limit
    if (this.#used < limit) this.#wakeAll()
  }

  /** `waiter.onCredit()` follows once, when credit is back. The caller lists each waiter once. */
  waitFor(waiter: CreditWaiter): void {
    this.#waiters.push(waiter)
  }

  /** It does not wait any more. */
  forget(waiter: CreditWaiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
  }

  /** Whoever was first last time comes last: else it would take each single credit before the others. */
  #wakeAll(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (let index = 1; index < waiters.length; index++) waiters[index]!.onCredit()
    waiters[0]?.onCredit()
  }
}
