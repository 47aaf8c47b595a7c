/**
 * One window of unsettled deliveries, shared by every consumer of a session: MQTT Receive Maximum, AMQP session
 * window, 0-9-1 global prefetch. [ADR-0001]
 */
import type { Turns, TurnWork } from '../turns.ts'
import { type BytesWaiter, UnsettledBytes } from './unsettled-bytes.ts'

/** Somebody who stopped because the pool was empty. */
export interface CreditWaiter {
  onCredit(): void
}

/** Waiters woken beyond the credit there is: what they wanted may be gone. */
const WAKES_SPARE = 16

export class CreditPool implements TurnWork, BytesWaiter {
  readonly #turns: Turns | undefined
  #isAwake = false
  #limit: number
  #used = 0
  #tag = 0
  #waiters: CreditWaiter[] = []
  /** Of all pools of the connection together. */
  readonly bytes: UnsettledBytes
  /** Number in the log of the session whose it is; 0 when the log does not know one. */
  sessionNumber = 0

  /** `limit` deliveries may be unsettled at a time. With `turns` as many waiters are woken as there is credit for, not all. */
  constructor(limit: number, turns?: Turns, bytes: UnsettledBytes = new UnsettledBytes(Infinity)) {
    this.#limit = limit
    this.#turns = turns
    this.bytes = bytes
  }

  /** Hot path. */
  get isEmpty(): boolean {
    return this.#used >= this.#limit || this.bytes.isFull
  }

  get limit(): number {
    return this.#limit
  }

  get used(): number {
    return this.#used
  }

  /** Takes one of `bytes`. Returns the delivery's tag: ascending, from 1. Hot path. */
  take(bytes: number = 0): number {
    this.#used++
    this.bytes.take(bytes)
    return ++this.#tag
  }

  /** Hot path. */
  giveBack(bytes: number = 0): void {
    this.#used--
    this.bytes.giveBack(bytes)
    if (this.#waiters.length > 0) this.#goOn(this.#limit - this.#used)
  }

  /** A new absolute limit; what is unsettled stays counted, so the pool may be overdrawn for a while. */
  setLimit(limit: number): void {
    this.#limit = limit
    this.#goOn(limit - this.#used)
  }

  /** `waiter.onCredit()` follows once, when credit is back. The caller lists each waiter once. */
  waitFor(waiter: CreditWaiter): void {
    this.#waiters.push(waiter)
    if (this.bytes.isFull) this.bytes.waitFor(this)
  }

  /** It does not wait any more. */
  forget(waiter: CreditWaiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
    if (this.#waiters.length === 0) this.bytes.forget(this)
  }

  /** There is room in bytes again, for a few: nobody knows how large what they want is. */
  onBytes(): void {
    this.#goOn(Math.min(this.#limit - this.#used, 1))
  }

  /** Those that were woken have had their turn: what they left goes to the next ones. */
  runTurn(): void {
    this.#isAwake = false
    this.#goOn(this.#limit - this.#used)
  }

  /** There is credit for `credit` waiters, if there is room in bytes. */
  #goOn(credit: number): void {
    if (this.#waiters.length === 0 || credit <= 0) return
    if (this.bytes.isFull) this.bytes.waitFor(this)
    else this.#wakeSome(credit)
  }

  /** Whoever was first last time comes last: else it would take each single credit before the others. */
  #wakeSome(credit: number): void {
    const count = this.#turns === undefined ? this.#waiters.length : credit + WAKES_SPARE
    const waiters = this.#waiters.splice(0, count)
    for (let index = 1; index < waiters.length; index++) waiters[index]!.onCredit()
    waiters[0]?.onCredit()
    if (this.#waiters.length === 0 || this.#isAwake) return
    this.#isAwake = true
    this.#turns?.wake(this)
  }
}
