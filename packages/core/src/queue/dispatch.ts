/**
 * Hands waiting messages to consumers. Two ways: the plain one takes the first message and the next consumer in turn; the choosing
 * one, for selectors and groups, looks for a taker for each message and goes on past those for which there is none now.
 */
import type { Consumer } from './consumer.ts'
import type { ConsumerSet } from './consumer-set.ts'
import type { Delivery } from './delivery.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import type { Staging } from './staging.ts'

/** Messages looked at for one that is handed over: then others have their turn. */
const LOOKS_PER_DELIVERY = 4
/** Messages that stay in memory though no consumer wanted them; more are left to the disk. */
const PASSED_IN_MEMORY_MAX = 1_024

/** What dispatch asks of the queue. */
export interface DispatchHost {
  readonly isChoosing: boolean
  expire(line: WaitingLine, position: number): void
  hand(consumer: Consumer, entry: Delivery): void
  /** The entry is one that this consumer wants: its selector, its group, and it has not refused it. */
  wants(consumer: Consumer, entry: Delivery): boolean
  /** The consumer is the one for this entry from now on: owner of its group. */
  onChosen(consumer: Consumer, entry: Delivery): void
}

export class Dispatch {
  readonly #host: DispatchHost
  readonly #lanes: Lanes
  readonly #consumers: ConsumerSet
  readonly #staging: Staging

  constructor(host: DispatchHost, lanes: Lanes, consumers: ConsumerSet, staging: Staging) {
    this.#host = host
    this.#lanes = lanes
    this.#consumers = consumers
    this.#staging = staging
  }

  /** Returns what is left of the budget: 0 when there may be more to hand over. Hot path. */
  run(budget: number, nowMs: number): number {
    const lanes = this.#lanes.all
    for (let index = 0; index < lanes.length && budget > 0; index++) {
      const lane = lanes[index]!
      if (lane.line.waitingCount === 0) continue
      const left = this.#host.isChoosing ? this.#choose(lane, budget, nowMs) : this.#plain(lane, budget, nowMs)
      if (left < 0) return -left - 1 // a lower priority does not overtake
      budget = left
    }
    return budget
  }

  /** As `run`; below 0 (-1 - budget) when somebody has to wait in this lane. Hot path. */
  #plain({ line }: Lane, budget: number, nowMs: number): number {
    for (; budget > 0; budget--) {
      const position = line.peek()
      if (position === 0) return budget
      const expiresAtMs = line.expiresAt(position)
      if (expiresAtMs !== 0 && expiresAtMs <= nowMs) {
        this.#host.expire(line, position)
        continue
      }
      const entry = line.entryAt(position)
      if (entry === undefined) {
        // Without a taker nothing is read: the next grant comes here again.
        if (this.#consumers.next(1) !== undefined || this.#consumers.next(0) !== undefined) this.#staging.stage(line, position)
        return -1 - budget
      }
      const consumer = this.#consumers.next(entry.assurance)
      if (consumer === undefined) return -1 - budget
      this.#staging.onTaken(line, position)
      this.#host.hand(consumer, entry)
    }
    return 0
  }

  /** Each consumer has a cursor before which nothing is for it, so that a message is looked at once for each of them. */
  #choose({ line, priority }: Lane, budget: number, nowMs: number): number {
    const { active, all } = this.#consumers
    const ready = (active === undefined ? all : [active]).filter((consumer) => consumer.canTake(1) || consumer.canTake(0))
    if (ready.length === 0) return -1 - budget
    /** They want a message that they cannot take now: none of them may have a later one. */
    const held = new Set<Consumer>()
    let looks = budget * LOOKS_PER_DELIVERY
    let position = line.nextWaiting(Math.min(...ready.map((consumer) => cursorOf(consumer, priority))) - 1)
    for (; position !== 0; position = line.nextWaiting(position)) {
      if (budget === 0 || looks-- === 0) return 0
      const expiresAtMs = line.expiresAt(position)
      if (expiresAtMs !== 0 && expiresAtMs <= nowMs) {
        this.#host.expire(line, position)
        continue
      }
      const entry = line.entryAt(position)
      if (entry === undefined) {
        this.#staging.stage(line, position)
        return -1 - budget
      }
      if (this.#give(entry, position, priority, held)) budget--
      else if (line.lsnAt(position) !== 0 && this.#lanes.loadedCount > PASSED_IN_MEMORY_MAX) this.#lanes.unload(position, line)
      if (held.size > 0 && ready.every((consumer) => held.has(consumer))) return budget
    }
    return budget
  }

  #give(entry: Delivery, position: number, priority: number, held: Set<Consumer>): boolean {
    return this.#consumers.offerInTurn((consumer) => {
      if (held.has(consumer) || position < cursorOf(consumer, priority)) return false
      if (!this.#host.wants(consumer, entry)) {
        setCursor(consumer, priority, position + 1)
        return false
      }
      if (!consumer.canTake(entry.assurance)) {
        held.add(consumer)
        return false
      }
      this.#host.onChosen(consumer, entry)
      this.#host.hand(consumer, entry)
      return true
    })
  }
}

/** A position that comes back, or a consumer that is gone, makes messages interesting again. */
export function rewindCursors(consumers: ConsumerSet, priority: number, position: number): void {
  for (const consumer of consumers.all) {
    if (cursorOf(consumer, priority) > position) setCursor(consumer, priority, position)
  }
}

function cursorOf(consumer: Consumer, priority: number): number {
  return consumer.cursors?.[priority] ?? 1
}

function setCursor(consumer: Consumer, priority: number, position: number): void {
  consumer.cursors ??= new Array<number>(10).fill(1)
  consumer.cursors[priority] = position
}
