/**
 * Plain integer counters of one virtual host; hot paths add, a timer or an operator reads. Protocol is a label of the
 * reader, not of the counter.
 */
export class Counters {
  messagesIn = 0
  bytesIn = 0
  messagesOut = 0
  bytesOut = 0
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
