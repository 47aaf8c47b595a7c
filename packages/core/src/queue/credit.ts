/**
 * One window of unsettled deliveries, shared by every consumer of a session: MQTT Receive Maximum, AMQP session
 * window, 0-9-1 global prefetch. [ADR-0001]
 */
import type { Principal } from '../authorizer.ts'
import type { CounterLabel, Traffic } from '../counters.ts'
import type { Turns, TurnWork } from '../turns.ts'
import { type BytesWaiter, UnsettledBytes } from './unsettled-bytes.ts'

/** Somebody who stopped because the pool was empty. It implements this itself, so that waiting costs no object. */
export interface CreditWaiter {
  /** Neighbours among those who wait, the longest first; kept by the pool. */
  creditPrevious: CreditWaiter | undefined
  creditNext: CreditWaiter | undefined
  onCredit(): void
}

/** Whose consumers take from a pool: a session. */
export interface CreditOwner {
  readonly clientId: string
  readonly principal: Principal
  readonly protocol: CounterLabel
  /** Id of the transport of its connection; undefined while it has none. */
  readonly connectionId: number | undefined
  readonly traffic: Traffic
}

/** Waiters woken beyond the credit there is: what they wanted may be gone. */
const WAKES_SPARE = 16

export class CreditPool implements TurnWork, BytesWaiter {
  readonly #turns: Turns | undefined
  #isAwake = false
  #limit: number
  #used = 0
  #tag = 0
  /** Those who wait: as many as consumers of a session, and a wildcard has one on each of ten thousand queues. */
  #first: CreditWaiter | undefined = undefined
  #last: CreditWaiter | undefined = undefined
  /** Of all pools of the connection together. */
  readonly bytes: UnsettledBytes
  /** Number in the log of the session whose it is; 0 when the log does not know one. */
  sessionNumber = 0
  /** Set before the first consumer takes from it; undefined for a pool of no session. */
  owner: CreditOwner | undefined = undefined

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
    if (this.#first !== undefined) this.#goOn(this.#limit - this.#used)
  }

  /** A new absolute limit; what is unsettled stays counted, so the pool may be overdrawn for a while. */
  setLimit(limit: number): void {
    this.#limit = limit
    this.#goOn(limit - this.#used)
  }

  /** `waiter.onCredit()` follows once, when credit is back. The caller lists each waiter once. */
  waitFor(waiter: CreditWaiter): void {
    waiter.creditPrevious = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.creditNext = waiter
    this.#last = waiter
    if (this.bytes.isFull) this.bytes.waitFor(this)
  }

  /** It does not wait any more. Safe for one that does not wait. */
  forget(waiter: CreditWaiter): void {
    if (waiter.creditPrevious === undefined && this.#first !== waiter) return
    this.#unlink(waiter)
    if (this.#first === undefined) this.bytes.forget(this)
  }

  #unlink(waiter: CreditWaiter): void {
    const { creditPrevious, creditNext } = waiter
    if (creditPrevious === undefined) this.#first = creditNext
    else creditPrevious.creditNext = creditNext
    if (creditNext === undefined) this.#last = creditPrevious
    else creditNext.creditPrevious = creditPrevious
    waiter.creditPrevious = undefined
    waiter.creditNext = undefined
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
    if (this.#first === undefined || credit <= 0) return
    if (this.bytes.isFull) this.bytes.waitFor(this)
    else this.#wakeSome(credit)
  }

  /** Whoever was first last time comes last: else it would take each single credit before the others. */
  #wakeSome(credit: number): void {
    const count = this.#turns === undefined ? Infinity : credit + WAKES_SPARE
    const waiters: CreditWaiter[] = []
    for (let first = this.#first; first !== undefined && waiters.length < count; first = this.#first) {
      waiters.push(first)
      this.#unlink(first)
    }
    for (let index = 1; index < waiters.length; index++) waiters[index]!.onCredit()
    waiters[0]?.onCredit()
    if (this.#first === undefined || this.#isAwake) return
    this.#isAwake = true
    this.#turns?.wake(this)
  }
}
