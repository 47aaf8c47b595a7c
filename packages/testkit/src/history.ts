/**
 * What clients saw of queues, and whether a broker that keeps its promises can have shown it: nothing confirmed is lost,
 * nothing settled comes back, order holds, repeats are marked. It knows nothing of brokers: the simulation of core and
 * engine writes it as well as the loop with real processes that are killed.
 */

/** Events before the history refuses more: a loop that runs for ever must check and begin anew. */
const EVENTS_MAX = 50_000_000
/** Violations that are told; the rest is counted. */
const TOLD_MAX = 10

/**
 * How far the order of a producer's messages in a queue is checked, always among first deliveries.
 * 'queue': whoever gets them. Right where every delivery is seen the moment it is made.
 * 'consumer': those of one consumer. Right for clients, where two sockets race.
 * 'none': for queues that deliver by priority or by time.
 */
export type HistoryOrder = 'queue' | 'consumer' | 'none'

export interface QueueHistoryOptions {
  /** Named in every failure. */
  readonly seed: number
  /** Default 'queue'. */
  readonly order?: HistoryOrder
}

const EVENT_NAMES = [
  'published',
  'publish confirmed',
  'publish refused',
  'delivered',
  'delivered as redelivered',
  'settle sent',
  'settle confirmed',
  'settle undone',
  'released',
  'discarded',
] as const

type EventName = (typeof EVENT_NAMES)[number]

interface Entry {
  readonly queue: string
  readonly id: string
  readonly producer: string
  /** Place among the messages of its producer in its queue, from 1. */
  readonly place: number
  /** More than 1: the client sent it again because it had no answer, so the broker may have it as often. */
  copies: number
  isConfirmed: boolean
  isRefused: boolean
  isDelivered: boolean
  isSettleSent: boolean
  isSettleConfirmed: boolean
  isDiscarded: boolean
  /** Who got it last, and in which life of the broker; undefined when it was given back. */
  holder: string | undefined
  holderLife: number
  /** Number and name of each event, in pairs. */
  readonly trail: number[]
}

export class QueueHistory {
  readonly #options: QueueHistoryOptions
  readonly #queues = new Map<string, Map<string, Entry>>()
  /** Messages so far, by queue and producer. */
  readonly #places = new Map<string, number>()
  /** Newest first delivery, by queue and producer and, as `order` says, consumer. */
  readonly #newest = new Map<string, Entry>()
  readonly #goneConsumers = new Set<string>()
  /** Event number of the end of each life. */
  readonly #ends: number[] = []
  readonly #violations: string[] = []
  #violationCount = 0
  #events = 0

  constructor(options: QueueHistoryOptions) {
    this.#options = options
  }

  get eventCount(): number {
    return this.#events
  }

  // --- producers

  /** A producer sends; for each queue that gets a copy. Again for the same id: it resends, having had no answer. */
  published(queue: string, id: string, producer: string): void {
    const entries = this.#entriesOf(queue)
    let entry = entries.get(id)
    if (entry === undefined) {
      const line = JSON.stringify([queue, producer])
      const place = (this.#places.get(line) ?? 0) + 1
      this.#places.set(line, place)
      entry = { ...NEW_ENTRY, queue, id, producer, place, trail: [] }
      entries.set(id, entry)
    }
    entry.copies++
    this.#note(entry, 'published')
  }

  /** The producer knows that the broker has it. */
  publishConfirmed(queue: string, id: string): void {
    const entry = this.#known(queue, id, 'publish confirmed')
    entry.isConfirmed = true
  }

  /** The producer knows that the broker has not taken it: refused, or rolled back. */
  publishRefused(queue: string, id: string): void {
    const entry = this.#known(queue, id, 'publish refused')
    entry.isRefused = true
    if (entry.isDelivered) this.#violation('a refused message was delivered', entry)
  }

  // --- consumers

  /** `consumer` is one attachment of one connection: a client that comes back has a new name. */
  delivered(queue: string, id: string, consumer: string, redelivered: boolean): void {
    const name = redelivered ? 'delivered as redelivered' : 'delivered'
    const entry = this.#queues.get(queue)?.get(id)
    if (entry === undefined) {
      this.#events++
      this.#tell(`never published: ${id} was delivered from queue ${queue} to ${consumer}, event ${this.#events}`)
      return
    }
    this.#note(entry, name)
    if (entry.isRefused) this.#violation('a refused message was delivered', entry)
    if (entry.isDiscarded) this.#violation('it was delivered after it was discarded', entry)
    if (entry.copies === 1) this.#checkRepeat(entry, redelivered)
    // One that was to be gone unseen (purged, say) may come back behind what came since.
    if (!entry.isDelivered && !entry.isSettleSent) this.#checkOrder(entry, consumer)
    entry.isDelivered = true
    // It is here, so a settle that was sent before has had no effect.
    entry.isSettleSent = false
    entry.holder = consumer
    entry.holderLife = this.#ends.length
  }

  /** The consumer accepts: from now on the message may be gone. */
  settled(queue: string, id: string): void {
    this.#known(queue, id, 'settle sent').isSettleSent = true
  }

  /** The consumer knows that the settle is for good. */
  settleConfirmed(queue: string, id: string): void {
    const entry = this.#known(queue, id, 'settle confirmed')
    entry.isSettleSent = true
    entry.isSettleConfirmed = true
  }

  /** The consumer knows that the settle has had no effect (rolled back): it holds the message as before. */
  settleUndone(queue: string, id: string): void {
    this.#known(queue, id, 'settle undone').isSettleSent = false
  }

  /** The consumer gives it back: it may be delivered again. */
  released(queue: string, id: string): void {
    this.#known(queue, id, 'released').holder = undefined
  }

  /** The consumer's connection has ended: what it held is given back. */
  consumerGone(consumer: string): void {
    this.#events++
    this.#goneConsumers.add(consumer)
  }

  /** The broker may drop it as it is configured to: expired, beyond a limit, purged, moved away. */
  discarded(queue: string, id: string): void {
    this.#known(queue, id, 'discarded').isDiscarded = true
  }

  /** The broker has ended, in whatever way: all deliveries under way are given back, and its next life begins. */
  brokerEnded(): void {
    this.#events++
    this.#ends.push(this.#events)
    this.#goneConsumers.clear()
    if (this.#options.order === 'consumer') this.#newest.clear()
  }

  // --- the verdict

  /**
   * Everything that is wrong, each with the events of its message. `waiting` has the ids that are in the queues at the
   * end, in their order; those that a consumer holds may be there or not.
   */
  violations(waiting: ReadonlyMap<string, readonly string[]>): readonly string[] {
    const found = this.#violations.slice()
    const tell = (what: string): void => void found.push(what)
    for (const [queue, ids] of waiting) this.#checkWaiting(queue, ids, tell)
    for (const [queue, entries] of this.#queues) {
      const there = new Set(waiting.get(queue))
      for (const entry of entries.values()) {
        const mayBeGone = !entry.isConfirmed || entry.isSettleSent || entry.isDiscarded || this.#isHeld(entry)
        if (!mayBeGone && !there.has(entry.id)) tell(this.#text('a confirmed message is lost', entry))
      }
    }
    return found
  }

  /** Throws what `violations` finds, with the seed. */
  verify(waiting: ReadonlyMap<string, readonly string[]>): void {
    const found = this.violations(waiting)
    if (found.length === 0) return
    const count = found.length + this.#violationCount - this.#violations.length
    const told = found.slice(0, TOLD_MAX)
    const ends = this.#ends.length === 0 ? 'never' : `at events ${this.#ends.slice(0, 100).join(', ')}`
    throw new Error(
      `history of seed ${this.#options.seed}: ${count} violations in ${this.#events} events, the broker ended ${ends}\n` +
        told.map((text) => `  ${text}`).join('\n') +
        (count > told.length ? `\n  and ${count - told.length} more` : ''),
    )
  }

  #checkRepeat(entry: Entry, redelivered: boolean): void {
    if (!entry.isDelivered) return
    if (entry.isSettleConfirmed) this.#violation('it came back after its settle was confirmed', entry)
    else if (this.#isHeld(entry)) this.#violation('it was delivered again though nothing had given it back', entry)
    if (!redelivered) this.#violation('a repeated delivery is not marked as redelivered', entry)
  }

  #checkOrder(entry: Entry, consumer: string): void {
    const { order = 'queue' } = this.#options
    // One that was sent twice has two places.
    if (order === 'none' || entry.copies > 1) return
    const line = [entry.queue, entry.producer]
    const key = JSON.stringify(order === 'consumer' ? [...line, consumer] : line)
    const newest = this.#newest.get(key)
    if (newest !== undefined && newest.place > entry.place)
      this.#violation(`out of order: ${newest.id}, published after it, was delivered first`, entry)
    else this.#newest.set(key, entry)
  }

  #checkWaiting(queue: string, ids: readonly string[], tell: (what: string) => void): void {
    const seen = new Set<string>()
    const newest = new Map<string, Entry>()
    for (const id of ids) {
      const entry = this.#queues.get(queue)?.get(id)
      if (entry === undefined) {
        tell(`never published: ${id} waits in queue ${queue}`)
        continue
      }
      if (entry.isRefused) tell(this.#text('a refused message waits in the queue', entry))
      if (entry.copies > 1) continue
      if (entry.isSettleConfirmed) tell(this.#text('it waits in the queue after its settle was confirmed', entry))
      if (seen.has(id)) tell(this.#text('it waits in the queue twice', entry))
      seen.add(id)
      const before = newest.get(entry.producer)
      if (this.#options.order !== 'none' && before !== undefined && before.place > entry.place)
        tell(this.#text(`out of order: it waits behind ${before.id}, which was published after it`, entry))
      else newest.set(entry.producer, entry)
    }
  }

  #isHeld(entry: Entry): boolean {
    if (entry.holder === undefined || entry.holderLife !== this.#ends.length) return false
    return !this.#goneConsumers.has(entry.holder)
  }

  #entriesOf(queue: string): Map<string, Entry> {
    let entries = this.#queues.get(queue)
    if (entries === undefined) this.#queues.set(queue, (entries = new Map<string, Entry>()))
    return entries
  }

  /** The entry of an event that only a mistake of the test has for an unknown message. */
  #known(queue: string, id: string, name: EventName): Entry {
    const entry = this.#queues.get(queue)?.get(id)
    if (entry === undefined) throw new RangeError(`history: ${name} for ${id} in queue ${queue}, never published there`)
    this.#note(entry, name)
    return entry
  }

  #note(entry: Entry, name: EventName): void {
    if (++this.#events > EVENTS_MAX)
      throw new RangeError(`history: more than ${EVENTS_MAX} events: verify this one and begin another`)
    entry.trail.push(this.#events, EVENT_NAMES.indexOf(name))
  }

  #violation(what: string, entry: Entry): void {
    this.#tell(this.#text(what, entry))
  }

  #tell(text: string): void {
    this.#violationCount++
    if (this.#violations.length < TOLD_MAX) this.#violations.push(text)
  }

  /** `what`, of whom, and the events of it with the ends of the broker between them. */
  #text(what: string, { id, queue, producer, trail }: Entry): string {
    const events: [number, string][] = []
    for (let i = 0; i < trail.length; i += 2) events.push([trail[i] ?? 0, EVENT_NAMES[trail[i + 1] ?? 0] ?? ''])
    const first = events[0]?.[0] ?? 0
    for (const end of this.#ends) if (end > first) events.push([end, 'broker ended'])
    const told = events.toSorted(([a], [b]) => a - b).map(([number, name]) => `${number} ${name}`)
    if (told.length > 24) told.splice(12, told.length - 24, '…')
    return `${what}: ${id} of ${producer} in queue ${queue} (${told.join(', ')})`
  }
}

const NEW_ENTRY = {
  copies: 0,
  isConfirmed: false,
  isRefused: false,
  isDelivered: false,
  isSettleSent: false,
  isSettleConfirmed: false,
  isDiscarded: false,
  holder: undefined,
  holderLife: 0,
} as const
