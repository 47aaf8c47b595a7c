/**
 * What an operator can say about a queue. Policies and definitions are merged into one complete object; a queue takes another
 * one while messages wait. Every limit has a named consequence.
 */
import type { Durability } from '@ternmq/store'
import { DEFAULT_REDELIVERY_POLICY, type RedeliverySettings } from './redelivery-policy.ts'

/** What becomes of a message for a queue that is full: see `QueueSettings.whenFull`. */
export type WhenFull = 'block' | 'reject' | 'drop-oldest' | 'drop-newest'

export interface QueueSettings {
  /** `memory` keeps nothing over a restart, whatever a publisher asks; `page-cache` survives the process, `fsync-local` the power. */
  readonly durability: Exclude<Durability, 'fsync-quorum'>
  /** Waiting messages. */
  readonly messagesMax: number
  /** Waiting bytes, headers included. */
  readonly bytesMax: number
  /**
   * block: the publisher waits, unacknowledged, for up to `blockMaxMs`, then is refused. reject: it is refused. drop-oldest: the first
   * in line goes (a ring). drop-newest: the new one goes, counted.
   */
  readonly whenFull: WhenFull
  readonly blockMaxMs: number
  /** Messages published at most once wait here although nobody is connected: queues do, subscriptions do not. */
  readonly keepsAtMostOnce: boolean
  /** One consumer at a time has the queue; the next one takes over when it goes. */
  readonly exclusive: boolean
  /** Property whose value is a key: of each key the last message only is kept. Undefined: all are kept. */
  readonly lastValueKey: string | undefined
  readonly redelivery: RedeliverySettings
  /** Queue that takes what cannot be delivered; undefined: it goes, counted. */
  readonly deadLetter: string | undefined
  /** Queue that takes what has expired; undefined: it goes, counted. */
  readonly expiryTarget: string | undefined
  /** Time to live of messages that bring none; 0: for ever. */
  readonly ttlMs: number
  /** Longest time to live; 0: no limit. */
  readonly ttlMaxMs: number
  /** Ids of messages that are remembered to find duplicates; 0: none are. */
  readonly duplicatesMax: number
  /** An id of this age is forgotten; 0: only when there are too many. */
  readonly duplicatesMs: number
  /** Groups that are told apart; beyond it several share a consumer. */
  readonly groupsMax: number
  /** A queue that was made by being used goes after so long without messages and consumers; 0: stays. */
  readonly autoDeleteMs: number
  /** A consumer whose connection takes no bytes for so long while messages wait is slow: reported, counted; 0: nobody looks. */
  readonly slowConsumerMs: number
  /** What becomes of it then. */
  readonly slowConsumer: 'report' | 'disconnect'
  /** Addresses in core form, of queues and topics, that a message sent to this queue goes to as well: all of them or none. */
  readonly forwardTo: readonly string[]
  /** It goes there instead, not here. */
  readonly forwardOnly: boolean
}

const NO_REDELIVERY_LIMIT: RedeliverySettings = { deliveriesMax: 0, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 }

/** A subscription of a client: what it does not take in time goes, and nobody is held up by it. */
export function subscriptionSettings(limits: Pick<QueueSettings, 'messagesMax' | 'bytesMax'>): QueueSettings {
  return {
    ...DEFAULT_QUEUE_SETTINGS,
    messagesMax: limits.messagesMax,
    bytesMax: limits.bytesMax,
    whenFull: 'drop-newest',
    keepsAtMostOnce: false,
    redelivery: NO_REDELIVERY_LIMIT,
    deadLetter: undefined,
  }
}

export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  durability: 'fsync-local',
  messagesMax: 100_000_000,
  bytesMax: 1024 * 1024 * 1024,
  whenFull: 'block',
  blockMaxMs: 30_000,
  keepsAtMostOnce: true,
  exclusive: false,
  lastValueKey: undefined,
  redelivery: DEFAULT_REDELIVERY_POLICY,
  deadLetter: 'DLQ',
  expiryTarget: undefined,
  ttlMs: 0,
  ttlMaxMs: 0,
  duplicatesMax: 0,
  duplicatesMs: 0,
  groupsMax: 65_536,
  autoDeleteMs: 0,
  slowConsumerMs: 30_000,
  slowConsumer: 'report',
  forwardTo: [],
  forwardOnly: false,
}
