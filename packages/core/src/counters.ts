/**
 * Plain integer counters; hot paths add, a timer or an operator reads. There is one set for each protocol, and one for what the broker
 * does by itself. What happens with every message is counted once, in the session's `Traffic`, and comes to the protocol's counters when
 * somebody reads them.
 */
import type { ProtocolName } from './connection/transport.ts'

/** What a count belongs to: a protocol, messaging over HTTP, or the broker itself (wills, dead letters, the schedule, queues). */
export type CounterLabel = ProtocolName | 'http' | 'core'

export const COUNTER_LABELS: readonly CounterLabel[] = ['mqtt', 'stomp', 'amqp', 'http', 'core']

/** Bytes are those of bodies. */
export class Counters {
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
  /** Accepted by a consumer. What is settled by being sent is among `messagesOut` only. */
  settled = 0
  /** Publishes that no binding wanted. */
  unmatched = 0
  /** Not kept: the queue was at its limit of messages or bytes. */
  droppedOverLimit = 0
  /** Not kept: at most once, and nobody connected to hand it to. */
  droppedOffline = 0
  /** Removed unread because their time was over. */
  expired = 0
  /** Held back until a queue, the memory or the log had room. */
  held = 0
  /** Consumers that took nothing for too long. */
  slowConsumers = 0
  /** Refused by permission, or because a limit was reached. */
  refused = 0
  /** Handed back and handed out again. */
  redelivered = 0
  /** Waiting, and found damaged in the store. */
  lost = 0
  /** Moved to a dead-letter or expiry queue. */
  deadLettered = 0
  /** Acknowledged and not kept: their queues have had a message with that id. */
  duplicates = 0
  /** Gone, since a newer one with the same key came. */
  replaced = 0
  /** Gone, since there is no queue for what cannot be delivered. */
  undeliverable = 0
  /** The receiver said that it cannot take the message at all (too large, rejected). */
  rejected = 0
}

/** The counters of a virtual host. What becomes of a message in a queue counts for 'core', whoever published it. */
export class LabelledCounters {
  readonly mqtt: Counters = new Counters()
  readonly stomp: Counters = new Counters()
  readonly amqp: Counters = new Counters()
  readonly http: Counters = new Counters()
  readonly core: Counters = new Counters()
  /** Those that may have something to tell: as many as connections, and those that ended since somebody read. */
  readonly #watched = new Set<Traffic>()

  watch(traffic: Traffic): void {
    traffic.isWatched = true
    this.#watched.add(traffic)
  }

  /** Brings everything up to this moment. Takes a look at each connection. */
  update(): void {
    for (const traffic of this.#watched) {
      traffic.tell()
      if (traffic.isInUse) continue
      traffic.isWatched = false
      this.#watched.delete(traffic)
    }
  }

  /** All of them together, as of the last `update`. */
  sum(): Counters {
    const sum = new Counters()
    for (const label of COUNTER_LABELS) {
      for (const name of NAMES) sum[name] += this[label][name]
    }
    return sum
  }
}

/** What one session has published and been handed. */
export class Traffic {
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
  /** Of its protocol. */
  #counters: Counters
  // What of the counts above the counters know.
  #toldMessagesIn = 0
  #toldBytesIn = 0
  #toldMessagesOut = 0
  #toldBytesOut = 0
  /** The next `LabelledCounters.update` asks it. Whoever adds to one that is not watched says so there. */
  isWatched = false
  readonly #owner: { readonly isConnected: boolean } | undefined

  /** `owner` is its session; without one it is always in use. */
  constructor(counters: Counters, owner?: { readonly isConnected: boolean }) {
    this.#counters = counters
    this.#owner = owner
  }

  /** More may come. */
  get isInUse(): boolean {
    return this.#owner?.isConnected !== false
  }

  get counters(): Counters {
    return this.#counters
  }

  /** From now on it counts for another protocol. */
  countFor(counters: Counters): void {
    this.tell()
    this.#counters = counters
  }

  /** Adds to the counters what they do not know. */
  tell(): void {
    const counters = this.#counters
    counters.messagesIn += this.messagesIn - this.#toldMessagesIn
    counters.bytesIn += this.bytesIn - this.#toldBytesIn
    counters.messagesOut += this.messagesOut - this.#toldMessagesOut
    counters.bytesOut += this.bytesOut - this.#toldBytesOut
    this.#toldMessagesIn = this.messagesIn
    this.#toldBytesIn = this.bytesIn
    this.#toldMessagesOut = this.messagesOut
    this.#toldBytesOut = this.bytesOut
  }
}

const NAMES = Object.keys(new Counters()) as (keyof Counters)[]
