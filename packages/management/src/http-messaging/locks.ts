/** Messages that one user has taken and not settled. What is not settled in time goes back, as a failed attempt. */
import type { Cancel, Clock, Consumer, Delivery, Outcome, Random, Receiver, SettleDetail } from '@ternmq/core'

const ID_BYTES = 16

/** What one call has taken: its receiver stays until the last of it is settled. */
interface Hand {
  readonly receiver: Receiver
  lockedCount: number
}

interface Lock {
  readonly delivery: Delivery
  /** Whoever it was taken with. Once that is gone the delivery is another's, or waits. */
  readonly consumer: Consumer | undefined
  readonly hand: Hand
  readonly lockMs: number
  cancel: Cancel
}

export class Locks {
  readonly #clock: Clock
  readonly #random: Random
  readonly #byId = new Map<string, Lock>()
  readonly #onFreed: () => void

  /** `onFreed` hears of each receiver that is closed. */
  constructor(clock: Clock, random: Random, onFreed: () => void) {
    this.#clock = clock
    this.#random = random
    this.#onFreed = onFreed
  }

  get count(): number {
    return this.#byId.size
  }

  /** Ids of the deliveries, in their order. A receiver without any is closed at once. */
  keep(receiver: Receiver, deliveries: readonly (Delivery | undefined)[], lockMs: number): (string | undefined)[] {
    const hand: Hand = { receiver, lockedCount: 0 }
    const ids = deliveries.map((delivery) => (delivery === undefined ? undefined : this.#lock(delivery, hand, lockMs)))
    this.#closeIfEmpty(hand)
    return ids
  }

  /** False for an id that it does not have, and for a message that has gone back since. */
  settle(id: string, outcome: Outcome, detail?: SettleDetail): boolean {
    const lock = this.#byId.get(id)
    if (lock === undefined) return false
    this.#byId.delete(id)
    lock.cancel()
    const { delivery, consumer, hand } = lock
    const isHere = consumer !== undefined && delivery.consumer === consumer
    if (isHere) consumer.settle(delivery, outcome, detail)
    hand.lockedCount--
    this.#closeIfEmpty(hand)
    return isHere
  }

  /** Keeps it as long again, from now. False as `settle`. */
  extend(id: string): boolean {
    const lock = this.#byId.get(id)
    if (lock === undefined || lock.delivery.consumer !== lock.consumer) return false
    lock.cancel()
    lock.cancel = this.#expireAfter(id, lock.lockMs)
    return true
  }

  /** The session is not ours any more: the core has given back what was taken, or is about to. */
  forgetAll(): void {
    for (const { cancel } of this.#byId.values()) cancel()
    this.#byId.clear()
  }

  #lock(delivery: Delivery, hand: Hand, lockMs: number): string {
    const id = Buffer.from(this.#random.bytes(ID_BYTES)).toString('base64url')
    hand.lockedCount++
    this.#byId.set(id, { delivery, consumer: delivery.consumer, hand, lockMs, cancel: this.#expireAfter(id, lockMs) })
    return id
  }

  #expireAfter(id: string, lockMs: number): Cancel {
    return this.#clock.after(lockMs, () => void this.settle(id, 'modified'))
  }

  #closeIfEmpty({ receiver, lockedCount }: Hand): void {
    if (lockedCount > 0) return
    receiver.close('goodbye')
    this.#onFreed()
  }
}
