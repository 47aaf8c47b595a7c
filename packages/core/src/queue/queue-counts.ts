/** What has happened in one queue since the process began: plain integers, bytes those of bodies. The queue itself is one of these. */
import type { Traffic } from '../counters.ts'
import type { Message } from '../message/message.ts'

export class QueueCounts {
  // A message that never waits is counted once, for its way in and out.
  #handedOn = 0
  #handedOnBytes = 0
  #kept = 0
  #keptBytes = 0
  #served = 0
  #servedBytes = 0
  /** Accepted by a consumer. What is settled by being sent is handed out only. */
  settledCount = 0
  redeliveredCount = 0
  expiredCount = 0
  /** Moved to its dead-letter or expiry queue. */
  deadLetteredCount = 0
  /** Not kept because of a limit. */
  droppedCount = 0

  /** Taken in: kept, or handed straight on. */
  get messagesIn(): number {
    return this.#handedOn + this.#kept
  }

  get bytesIn(): number {
    return this.#handedOnBytes + this.#keptBytes
  }

  /** Handed out; again after a failure, too. */
  get messagesOut(): number {
    return this.#handedOn + this.#served
  }

  get bytesOut(): number {
    return this.#handedOnBytes + this.#servedBytes
  }

  /** It waits. Hot path. */
  protected countKept(message: Message): void {
    this.#kept++
    this.#keptBytes += message.end - message.bodyStart
  }

  /** One that waited goes out. Hot path. */
  protected countServed(traffic: Traffic, message: Message): void {
    const bytes = message.end - message.bodyStart
    this.#served++
    this.#servedBytes += bytes
    traffic.messagesOut++
    traffic.bytesOut += bytes
  }

  /** One that never waited came and goes out. Hot path. */
  protected countHandedOn(traffic: Traffic, message: Message): void {
    const bytes = message.end - message.bodyStart
    this.#handedOn++
    this.#handedOnBytes += bytes
    traffic.messagesOut++
    traffic.bytesOut += bytes
  }

  /** Hot path. */
  protected countSettled({ counters }: Traffic): void {
    this.settledCount++
    counters.settled++
  }
}
