/**
 * The publishes of one producer that cannot go on yet, in their order, with the refusals that must not be told before them. Bounded
 * by number and bytes, and by the memory that all queues share.
 */
import { ENTRY_BYTES } from '../limits.ts'
import type { Message } from '../message/message.ts'
import type { ProducerWork, PublishOptions } from '../publish/producer.ts'
import type { WaitingBytes } from '../queue/lanes.ts'
import type { RefusalDetail } from '../refusal.ts'
import { Ring } from '../ring.ts'
import type { Route } from '../routing/router.ts'

/** A publish that waits. */
export interface Parked {
  readonly route: Route
  readonly message: Message
  readonly tag: number
  readonly options: PublishOptions | undefined
  /** Monotonic ms of the publish. */
  readonly sinceMs: number
}

/** A transaction's commit that waits. Its messages are the transaction's. */
export interface ParkedWork {
  readonly work: ProducerWork
  /** Monotonic ms of the commit. */
  readonly sinceMs: number
}

/** An answer that waits for its turn. */
export interface ParkedRefusal {
  readonly refusal: RefusalDetail
  readonly tag: number
}

export class Parking {
  readonly #memory: WaitingBytes
  readonly #ring = new Ring<Parked | ParkedRefusal | ParkedWork>()
  #bytes = 0

  constructor(memory: WaitingBytes) {
    this.#memory = memory
  }

  get count(): number {
    return this.#ring.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The message is detached. */
  add(parked: Parked): void {
    parked.message.detach()
    this.#ring.push(parked)
    this.#weigh(parkingCost(parked.message))
  }

  addWork(parked: ParkedWork): void {
    this.#ring.push(parked)
    this.#weigh(ENTRY_BYTES)
  }

  addRefusal(parked: ParkedRefusal): void {
    this.#ring.push(parked)
    this.#weigh(ENTRY_BYTES)
  }

  peek(): Parked | ParkedRefusal | ParkedWork | undefined {
    return this.#ring.peek()
  }

  shift(): void {
    const parked = this.#ring.shift()!
    this.#weigh(-('message' in parked ? parkingCost(parked.message) : ENTRY_BYTES))
  }

  #weigh(bytes: number): void {
    this.#bytes += bytes
    this.#memory.bytes += bytes
  }
}

export function isParkedRefusal(parked: Parked | ParkedRefusal | ParkedWork): parked is ParkedRefusal {
  return 'refusal' in parked
}

export function isParkedWork(parked: Parked | ParkedRefusal | ParkedWork): parked is ParkedWork {
  return 'work' in parked
}

/** What it counts for while it waits. */
export function parkingCost(message: Message): number {
  return message.size + ENTRY_BYTES
}
