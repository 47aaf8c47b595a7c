/**
 * The consumers of one queue and whose turn it is: the highest priority first, among equals one after the other. With an
 * exclusive consumer one of them has the queue to itself.
 */
import type { Assurance } from '../message/message.ts'
import type { Consumer } from './consumer.ts'

/** Consumers of one priority. */
interface Level {
  readonly priority: number
  readonly consumers: Consumer[]
  /** Where the search for a taker starts: the one after the last that got something. */
  turnOf: number
}

export class ConsumerSet {
  /** In the order of their coming. */
  readonly #all: Consumer[] = []
  /** Highest priority first. */
  #levels: Level[] = []
  #isExclusive: boolean
  /** Undefined: all of them take part. */
  #active: Consumer | undefined = undefined
  #selectiveCount = 0
  #exclusiveCount = 0

  constructor(isExclusive: boolean) {
    this.#isExclusive = isExclusive
  }

  get all(): readonly Consumer[] {
    return this.#all
  }

  /** Some consumer takes some messages only. */
  get isSelective(): boolean {
    return this.#selectiveCount > 0
  }

  /** Who has the queue to itself; undefined when it is shared. */
  get active(): Consumer | undefined {
    return this.#active
  }

  setExclusive(isExclusive: boolean): void {
    this.#isExclusive = isExclusive
    this.#choose()
  }

  add(consumer: Consumer): void {
    this.#all.push(consumer)
    if (consumer.isSelective) this.#selectiveCount++
    if (consumer.exclusive) this.#exclusiveCount++
    let level = this.#levels.find(({ priority }) => priority === consumer.priority)
    if (level === undefined) {
      level = { priority: consumer.priority, consumers: [], turnOf: 0 }
      this.#levels.push(level)
      this.#levels.sort((one, other) => other.priority - one.priority)
    }
    level.consumers.push(consumer)
    this.#choose()
  }

  /** It leaves a message to others, and may leave more. True the first time. */
  noteLeaving(consumer: Consumer): boolean {
    if (consumer.leavesSome) return false
    if (!consumer.isSelective && this.#all.includes(consumer)) this.#selectiveCount++
    consumer.leavesSome = true
    return true
  }

  /** False when it was not among them. */
  remove(consumer: Consumer): boolean {
    const index = this.#all.indexOf(consumer)
    if (index < 0) return false
    this.#all.splice(index, 1)
    if (consumer.isSelective) this.#selectiveCount--
    if (consumer.exclusive) this.#exclusiveCount--
    for (const level of this.#levels) {
      const place = level.consumers.indexOf(consumer)
      if (place >= 0) level.consumers.splice(place, 1)
    }
    this.#levels = this.#levels.filter(({ consumers }) => consumers.length > 0)
    if (this.#active === consumer) this.#active = undefined
    this.#choose()
    return true
  }

  /** The next consumer in turn that can take a delivery of this assurance, whatever it is. Hot path. */
  next(assurance: Assurance): Consumer | undefined {
    if (this.#active !== undefined) return this.#active.canTake(assurance) ? this.#active : undefined
    const levels = this.#levels
    for (let index = 0; index < levels.length; index++) {
      const found = nextOf(levels[index]!, assurance)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Asks `take` of one consumer after the other in the order in which they have a claim, until one says yes. */
  offerInTurn(take: (consumer: Consumer) => boolean): boolean {
    if (this.#active !== undefined) return take(this.#active)
    for (const level of this.#levels) {
      const count = level.consumers.length
      for (let step = 0; step < count; step++) {
        const index = (level.turnOf + step) % count
        if (!take(level.consumers[index]!)) continue
        level.turnOf = index + 1
        return true
      }
    }
    return false
  }

  hasAttached(): boolean {
    for (const consumer of this.#all) if (consumer.isAttached) return true
    return false
  }

  /** The first of the highest priority keeps the queue until it goes; one of a higher priority takes over. */
  #choose(): void {
    if (!this.#isExclusive && this.#exclusiveCount === 0) {
      this.#active = undefined
      return
    }
    const claimants = this.#levels.flatMap(({ consumers }) => consumers)
    const wanted = claimants.filter(({ exclusive }) => exclusive)
    const [first] = wanted.length > 0 ? wanted : claimants
    if (this.#active === undefined || (first !== undefined && first.priority > this.#active.priority)) this.#active = first
    this.#active?.wake()
  }
}

/** Hot path. */
function nextOf(level: Level, assurance: Assurance): Consumer | undefined {
  const { consumers } = level
  const count = consumers.length
  if (count === 1) {
    const only = consumers[0]!
    return only.canTake(assurance) ? only : undefined
  }
  for (let step = 0; step < count; step++) {
    const index = (level.turnOf + step) % count
    const consumer = consumers[index]!
    if (consumer.canTake(assurance)) {
      level.turnOf = index + 1
      return consumer
    }
  }
  return undefined
}
