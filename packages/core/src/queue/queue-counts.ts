/** What has happened in one queue since the process began: plain integers, bytes those of bodies. The queue itself is one of these. */
import type { Traffic } from '../counters.ts'
import type { Message } from '../message.ts'

export class QueueCounts {
  /** Taken in: kept, or handed straight on. */
  messagesIn = 0
  bytesIn = 0
  /** Handed out; again after a failure, too. */
  messagesOut = 0
  bytesOut = 0
  /** Accepted by a consumer. What is settled by being sent is handed out only. */
  settledCount = 0
  redeliveredCount = 0
  expiredCount = 0
  /** Moved to its dead-letter or expiry queue. */
  deadLetteredCount = 0
  /** Not kept because of a limit. */
  droppedCount = 0

  /** Hot path. */
  protected countIn(message: Message): void {
    this.messagesIn++
    this.bytesIn += message.end - message.bodyStart
  }

  /** Hot path. */
  protected countSettled({ counters }: Traffic): void {
    this.settledCount++
    counters.settled++
  }

  /** It also counts for whom it is handed to. Hot path. */
  protected countOut(traffic: Traffic, message: Message): void {
    const bytes = message.end - message.bodyStart
    const { counters } = traffic
    this.messagesOut++
    this.bytesOut += bytes
    traffic.messagesOut++
    traffic.bytesOut += bytes
    counters.messagesOut++
    counters.bytesOut += bytes
  }
}
