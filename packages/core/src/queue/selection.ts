/**
 * Rules by which a queue's messages choose their consumer, or replace one another: selectors, groups, last values. A queue has one of
 * these as soon as one of the rules applies to it, and takes the plain way otherwise.
 */
import type { Consumer } from './consumer.ts'
import type { Delivery } from './delivery.ts'
import type { Queue } from './queue.ts'
import type { QueueSettings } from './settings.ts'

export interface Selection {
  use(settings: QueueSettings): void
  /** The entry's selector and group allow this consumer. */
  wants(consumer: Consumer, entry: Delivery): boolean
  /** The consumer gets the entry: its group is this consumer's from now on. */
  onChosen(consumer: Consumer, entry: Delivery): void
  onConsumerGone(consumer: Consumer): void
  /** An entry has come to wait: it replaces the one before with the same key. */
  onWaiting(entry: Delivery, queue: Queue): void
}
