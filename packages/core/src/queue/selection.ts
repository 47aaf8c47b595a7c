/**
 * Rules by which a queue's messages choose their consumer, or replace one another: groups, last values. A queue has one of these as
 * soon as one of the rules applies to it, and none otherwise.
 */
import type { Message } from '../message/message.ts'
import type { Consumer } from './consumer.ts'
import type { Delivery } from './delivery.ts'
import type { WaitingLine } from './line.ts'
import type { QueueSettings } from './settings.ts'

export interface Selection {
  /** Some messages are for one consumer only: each looks for its taker. */
  readonly isChoosing: boolean
  /** It has nothing to say of an empty queue. */
  readonly isIdle: boolean
  use(settings: QueueSettings): void
  /** A message of a group is about to come, or has been read back. */
  heedGroups(): void
  /** A consumer does not want an entry again. */
  heedRefusals(): void
  /** The entry's group allows this consumer. */
  wants(consumer: Consumer, entry: Delivery): boolean
  /** Whoever takes the entry begins its group: not the next in turn should have it, but the one with the fewest groups. */
  beginsGroup(entry: Delivery): boolean
  fewestGroups(consumers: readonly Consumer[]): Consumer | undefined
  /**
   * The consumer gets the entry: its group is this consumer's from now on. True when the group ends with it, so that what others
   * passed over may be for them now.
   */
  onChosen(consumer: Consumer, entry: Delivery): boolean
  onConsumerGone(consumer: Consumer): void
  /** A message has come to wait: it replaces the one before with the same key. */
  onWaiting(message: Message, line: WaitingLine, position: number): void
  /** A newer one with its key is there: an entry that was given back has nothing more to say. */
  isReplaced(entry: Delivery): boolean
  /** Entries have come that it was not told of: those of an earlier life of the process. */
  onRestored(): void
}
