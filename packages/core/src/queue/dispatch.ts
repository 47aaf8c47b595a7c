/**
 * Hands waiting messages to consumers. Two ways: the plain one takes the first message and the next consumer in turn; the choosing
 * one, for selectors and groups, looks for a taker for each message and goes on past those for which there is none now.
 */
import type { Clock } from '../env.ts'
import type { Consumer } from './consumer.ts'
import type { ConsumerSet } from './consumer-set.ts'
import type { Delivery } from './delivery.ts'
import type { Lane, Lanes } from './lanes.ts'
import type { WaitingLine } from './line.ts'
import type { Staging } from './staging.ts'

/** Messages looked at for one that is handed over: then others have their turn. */
const LOOKS_PER_DELIVERY = 4
/** Time for one go of looking: a selector and what it reads may be long. */
const LOOKING_MS_MAX = 10
/** Messages that stay in memory though no consumer wanted them; more are left to the disk. */
const PASSED_IN_MEMORY_MAX = 1_024

/** What dispatch asks of the queue. */
export interface DispatchHost {
  readonly isChoosing: boolean
  expire(line: WaitingLine, position: number): void
  /** False when this consumer can never take the entry: it waits as before, for others. */
  hand(consumer: Consumer, entry: Delivery): boolean
  /** The entry is one that this consumer wants: its selector, its group, and it has not refused it. */
  wants(consumer: Consumer, entry: Delivery): boolean
  /** The one of its takers with the fewest groups should have it, not the next in turn. */
  beginsGroup(entry: Delivery): boolean
  fewestGroups(consumers: readonly Consumer[]): Consumer | undefined
  /** The consumer is the one for this entry from now on: owner of its group. */
  onChosen(consumer: Consumer, entry: Delivery): void
}

export class Dispatch {
  readonly #host: DispatchHost
  readonly #lanes: Lanes
  readonly #consumers: ConsumerSet
  readonly #staging: Staging
  readonly #clock: Clock
  /** Monotonic ms at which others have their turn. */
  #untilMs = 0

  constructor(host: DispatchHost, lanes: Lanes, consumers: ConsumerSet, staging: Staging, clock: Clock) {
    this.#host = host
    this.#lanes = lanes
    this.#consumers = consumers
    this.#staging = staging
    this.#clock = clock
  }

  /** What waits is being read back from the log. */
  get isReading(): boolean {
    return this.#staging.isReading
  }

  /** Returns what is left of the budget: 0 when there may be more to hand over. Hot path. */
  run(budget: number, nowMs: number): number {
    const lanes = this.#lanes.all
    const held = this.#host.isChoosing ? new Set<Consumer>() : undefined
    if (held !== undefined) this.#untilMs = this.#clock.monoMs() + LOOKING_MS_MAX
    for (let index = 0; index < lanes.length && budget > 0; index++) {
      const lane = lanes[index]!
      if (lane.line.waitingCount === 0) continue
      const left = held === undefined ? this.#plain(lane, budget, nowMs) : this.#choose(lane, budget, nowMs, held)
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
      // Whoever leaves something has made this a queue that chooses: the rest goes that way.
      if (!this.#host.hand(consumer, entry)) return -1 - budget
    }
    return 0
  }

  /**
   * Each consumer has a cursor before which nothing is for it, so that a message is looked at once for each of them. `held` want a
   * message that they cannot take now: none of them may have a later one, or one of a lower priority.
   */
  #choose({ line, priority }: Lane, budget: number, nowMs: number, held: Set<Consumer>): number {
    const { active, all } = this.#consumers
    // Who can take nothing does not take part: what is passed now it has not looked at.
    holdClosed(all, held)
    let open = (active === undefined ? all : [active]).filter((consumer) => !held.has(consumer))
    if (open.length === 0) return -1 - budget
    budget = this.#chooseReturned(line, priority, budget, nowMs, open, held)
    if (budget < 0) return budget
    // Who has taken its last one has nothing to look for.
    holdClosed(open, held)
    open = open.filter((consumer) => !held.has(consumer))
    if (budget === 0 || open.length === 0) return budget
    let looks = budget * LOOKS_PER_DELIVERY
    let heldBefore = held.size
    let position = line.nextWaiting(firstCursor(open, priority) - 1)
    for (; position !== 0; position = line.nextWaiting(position)) {
      if (budget === 0 || looks-- === 0 || this.#isLate) return 0
      const expiresAtMs = line.expiresAt(position)
      if (expiresAtMs !== 0 && expiresAtMs <= nowMs) {
        this.#host.expire(line, position)
        continue
      }
      const entry = line.entryAt(position)
      if (entry !== undefined) {
        if (this.#give(entry, position, priority, held, false)) budget--
        else this.#mayUnload(line, position)
      } else {
        holdClosed(open, held)
        if (held.size === heldBefore) {
          this.#staging.stage(line, position)
          return -1 - budget
        }
        position-- // looked at by those who are left
      }
      if (held.size === heldBefore) continue
      heldBefore = held.size
      open = open.filter((consumer) => !held.has(consumer))
      if (open.length === 0) return budget
      // What only the held ones have not seen must not be looked at again and again.
      position = Math.max(position, firstCursor(open, priority) - 1)
    }
    for (const consumer of open) setCursor(consumer, priority, line.end)
    return budget
  }

  get #isLate(): boolean {
    return this.#consumers.isSelective && this.#clock.monoMs() > this.#untilMs
  }

  /** Nobody wants it now. */
  #mayUnload(line: WaitingLine, position: number): void {
    if (line.lsnAt(position) !== 0 && this.#lanes.loadedCount > PASSED_IN_MEMORY_MAX) this.#lanes.unload(position, line)
  }

  /** What came back behind the cursors of `open`, oldest first. Returns as `#plain`: below 0 while one of them is read from the log. */
  #chooseReturned(
    line: WaitingLine,
    priority: number,
    budget: number,
    nowMs: number,
    open: readonly Consumer[],
    held: Set<Consumer>,
  ): number {
    const returned = new Set<number>()
    for (const consumer of open) for (const position of returnedTo(consumer, priority)) returned.add(position)
    const positions = [...returned].sort((one, other) => one - other)
    for (const [index, position] of positions.entries()) {
      if (budget === 0 || this.#isLate) return 0
      const expiresAtMs = line.expiresAt(position)
      if (!line.isWaiting(position)) forgetReturned(open, priority, position)
      else if (expiresAtMs !== 0 && expiresAtMs <= nowMs) this.#host.expire(line, position)
      else {
        const entry = line.entryAt(position)
        if (entry === undefined) {
          this.#staging.stageThese(line, positions.slice(index))
          return -1 - budget
        }
        if (this.#give(entry, position, priority, held, true)) budget--
        else this.#mayUnload(line, position)
      }
    }
    return budget
  }

  /** `isReturned`: to those that were past it only; the others come to it in their order. */
  #give(entry: Delivery, position: number, priority: number, held: Set<Consumer>, isReturned: boolean): boolean {
    const takers: Consumer[] | undefined = this.#host.beginsGroup(entry) ? [] : undefined
    const isGiven = this.#consumers.offerInTurn((consumer) => {
      const isPast = position < cursorOf(consumer, priority)
      if (held.has(consumer) || isPast !== isReturned) return false
      if (isReturned && consumer.returned?.[priority]?.has(position) !== true) return false
      if (!this.#host.wants(consumer, entry)) {
        if (isReturned) consumer.returned?.[priority]?.delete(position)
        else setCursor(consumer, priority, position + 1)
        return false
      }
      if (!consumer.canTake(entry.assurance)) {
        held.add(consumer)
        return false
      }
      if (takers === undefined) return this.#hand(consumer, entry, position, priority)
      if (takers.length === 0 || takers[0]!.priority === consumer.priority) takers.push(consumer)
      return false
    })
    if (takers === undefined) return isGiven
    for (let left = takers; left.length > 0; ) {
      const taker = this.#host.fewestGroups(left)!
      if (this.#hand(taker, entry, position, priority)) return true
      left = left.filter((other) => other !== taker)
    }
    return false
  }

  /** False when the consumer can never take it: it has seen it, and others have their chance. */
  #hand(consumer: Consumer, entry: Delivery, position: number, priority: number): boolean {
    if (this.#host.hand(consumer, entry)) {
      this.#host.onChosen(consumer, entry)
      return true
    }
    consumer.returned?.[priority]?.delete(position)
    if (cursorOf(consumer, priority) <= position) setCursor(consumer, priority, position + 1)
    return false
  }
}

function isOpen(consumer: Consumer): boolean {
  return consumer.canTake(1) || consumer.canTake(0)
}

function holdClosed(consumers: readonly Consumer[], held: Set<Consumer>): void {
  for (const consumer of consumers) if (!isOpen(consumer)) held.add(consumer)
}

function firstCursor(consumers: readonly Consumer[], priority: number): number {
  let first = Infinity
  for (const consumer of consumers) first = Math.min(first, cursorOf(consumer, priority))
  return first
}

/** A consumer that is gone makes messages interesting again that others have passed. */
export function rewindCursors(consumers: ConsumerSet, priority: number, position: number): void {
  rewind(consumers.all, priority, position)
}

function rewind(consumers: readonly Consumer[], priority: number, position: number): void {
  for (const consumer of consumers) {
    if (cursorOf(consumer, priority) > position) setCursor(consumer, priority, position)
  }
}

/** Returned messages that a consumer has to look at again one by one; beyond it, it goes over all that is behind the first of them. */
const RETURNED_MAX = 1_024

/** A message has come back: who is past it looks at it again, and at nothing between there and its cursor. */
export function noteReturned(consumers: ConsumerSet, priority: number, position: number): void {
  for (const consumer of consumers.all) {
    if (cursorOf(consumer, priority) <= position) continue
    const returned = ((consumer.returned ??= [])[priority] ??= new Set())
    returned.add(position)
    if (returned.size <= RETURNED_MAX) continue
    setCursor(consumer, priority, Math.min(...returned))
    returned.clear()
  }
}

function forgetReturned(consumers: readonly Consumer[], priority: number, position: number): void {
  for (const consumer of consumers) consumer.returned?.[priority]?.delete(position)
}

/** What came back to it. A cursor that was put back since has its own way to what is behind it. */
function returnedTo(consumer: Consumer, priority: number): ReadonlySet<number> {
  const returned = consumer.returned?.[priority]
  if (returned === undefined) return NOTHING
  const cursor = cursorOf(consumer, priority)
  for (const position of returned) if (position >= cursor) returned.delete(position)
  return returned
}

const NOTHING: ReadonlySet<number> = new Set()

function cursorOf(consumer: Consumer, priority: number): number {
  return consumer.cursors?.[priority] ?? 1
}

function setCursor(consumer: Consumer, priority: number, position: number): void {
  consumer.cursors ??= new Array<number>(10).fill(1)
  consumer.cursors[priority] = position
}
