/**
 * Plain integer counters; hot paths add, a timer or an operator reads. There is one set for each protocol, and one for what the broker
 * does by itself: who counts holds the set that is meant, so that a protocol costs no look-up.
 */
import type { ProtocolName } from './transport.ts'

/** What a count belongs to: a protocol, messaging over HTTP, or the broker itself (wills, dead letters, the schedule, `$SYS`, queues). */
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

  /** All of them together, as they are now. */
  sum(): Counters {
    const sum = new Counters()
    for (const label of COUNTER_LABELS) {
      for (const name of NAMES) sum[name] += this[label][name]
    }
    return sum
  }
}

/** What one session has published and been handed. Its parties add to it and to the counters of its protocol in one go. */
export class Traffic {
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
  /** Those of its protocol. */
  counters: Counters

  constructor(counters: Counters) {
    this.counters = counters
  }
}

const NAMES = Object.keys(new Counters()) as (keyof Counters)[]
