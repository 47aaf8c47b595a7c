/**
 * One window of unsettled deliveries, shared by every consumer of a session: MQTT Receive Maximum, AMQP session
 * window, 0-9-1 global prefetch. [ADR-0001]
 */
import type { Turns, TurnWork } from '../turns.ts'

/** Somebody who stopped because the pool was empty. */
export interface CreditWaiter {
  onCredit(): void
}

/** Waiters woken beyond the credit there is: what they wanted may be gone. */
const WAKES_SPARE = 16

export class CreditPool implements TurnWork {
  readonly #turns: Turns | undefined
  #isAwake = false
  #limit: number
  #used = 0
  #tag = 0
  #waiters: CreditWaiter[] = []
  /** Number in the log of the session whose it is; 0 when the log does not know one. */
  sessionNumber = 0

  /** `limit` deliveries may be unsettled at a time. With `turns` as many waiters are woken as there is credit for, not all. */
  constructor(limit: number, turns?: Turns) {
    this.#limit = limit
    this.#turns = turns
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
    if (this.#waiters.length > 0 && this.#used < this.#limit) this.#wakeSome()
  }

  /** A new absolute limit; what is unsettled stays counted, so the pool may be overdrawn for a while. */
  setLimit(limit: number): void {
    this.#limit = limit
    if (this.#used < limit) this.#wakeSome()
  }

  /** `waiter.onCredit()` follows once, when credit is back. The caller lists each waiter once. */
  waitFor(waiter: CreditWaiter): void {
    this.#waiters.push(waiter)
  }

  /** It does not wait any more. */
  forget(waiter: CreditWaiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
  }

  /** Those that were woken have had their turn: what they left goes to the next ones. */
  runTurn(): void {
    this.#isAwake = false
    if (this.#waiters.length > 0 && !this.isEmpty) this.#wakeSome()
  }

  /** Whoever was first last time comes last: else it would take each single credit before the others. */
  #wakeSome(): void {
    const count = this.#turns === undefined ? this.#waiters.length : this.#limit - this.#used + WAKES_SPARE
    const waiters = this.#waiters.splice(0, count)
    for (let index = 1; index < waiters.length; index++) waiters[index]!.onCredit()
    waiters[0]?.onCredit()
    if (this.#waiters.length === 0 || this.#isAwake) return
    this.#isAwake = true
    this.#turns?.wake(this)
  }
}
