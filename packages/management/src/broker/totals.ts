/** The core's counters in the words of the API, and what two readings of them say of the time between. */
import type { Rates, Totals } from '@ternmq/api'
import type { Counters } from '@ternmq/core'

export function totalsOf(counters: Readonly<Counters>): Totals {
  return {
    messagesIn: counters.messagesIn,
    messagesOut: counters.messagesOut,
    settled: counters.settled,
    bytesIn: counters.bytesIn,
    bytesOut: counters.bytesOut,
    unmatched: counters.unmatched,
    dropped: counters.droppedOverLimit + counters.droppedOffline,
    expired: counters.expired,
    redelivered: counters.redelivered,
    deadLettered: counters.deadLettered,
    refused: counters.refused,
  }
}

export function ratesBetween(before: Totals, now: Totals, seconds: number): Rates {
  return {
    inPerSecond: (now.messagesIn - before.messagesIn) / seconds,
    outPerSecond: (now.messagesOut - before.messagesOut) / seconds,
    settledPerSecond: (now.settled - before.settled) / seconds,
    bytesInPerSecond: (now.bytesIn - before.bytesIn) / seconds,
    bytesOutPerSecond: (now.bytesOut - before.bytesOut) / seconds,
  }
}
