/**
 * What passes between a queue and a consumer: the match that brought a message into the queue, the delivery itself,
 * and the sink that takes it. [ADR-0001]
 */
import type { Assurance, Message } from '../message/message.ts'
import type { Consumer } from './consumer.ts'
import type { Transaction } from '../transaction/transaction.ts'
import type { WaitingLine } from './line.ts'
import type { Queue } from './queue.ts'

/** How a receiver finishes a delivery: AMQP 1.0's four outcomes (§3.4) cover every other protocol. */
export type Outcome = 'accepted' | 'rejected' | 'released' | 'modified'

/** What a receiver says beside the outcome. */
export interface SettleDetail {
  /** Of `modified`: this attempt counts as failed; true when left out. [AMQP10 §3.4.5] */
  readonly deliveryFailed?: boolean
  /** Of `modified`: this consumer does not want it again. [AMQP10 §3.4.5] */
  readonly undeliverableHere?: boolean
  /** Of `modified`: said of the message from now on, for as long as it is not read back from the log. [AMQP10 §3.4.5] */
  readonly annotations?: Readonly<Record<string, string | number>>
  /** Of `rejected`: why, in the receiver's words; goes to the dead-letter queue with the message. */
  readonly reason?: string
}

/** A reason goes with every delivery of a range: each message of it has it from then on, and each is written to the log with it. */
const REASON_CHARS_MAX = 1_024

/** A receiver's words as a reason; their end is left out where they are many. */
export function reasonFrom(text: string): string {
  return text.length <= REASON_CHARS_MAX ? text : `${text.slice(0, REASON_CHARS_MAX - 1).toWellFormed()}…`
}

/** What an adapter attached to a binding; it comes back with every delivery that the binding caused. */
export type BindingData = Readonly<Record<string, string | number | boolean>>

/**
 * All bindings of one queue that matched one topic. The router makes it once and reuses it for every message, so an adapter
 * may keep what it derived from `data` in `memo`.
 */
export interface Match {
  readonly data: readonly BindingData[]
  /** The highest assurance that one of the bindings asked for. [MQTT5-3.3.4-2] */
  readonly assuranceMax: Assurance
  /** As `assuranceMax`, for messages that need not outlive the process; the same when left out. */
  readonly transientMax?: Assurance
  memo: unknown
}

/** How sure hand-overs of the message may be for a binding or a match. */
export function assuranceMaxFor(
  { durable }: Message,
  { assuranceMax, transientMax }: Pick<Match, 'assuranceMax' | 'transientMax'>,
): Assurance {
  return durable || transientMax === undefined ? assuranceMax : transientMax
}

/** How sure a hand-over of the message is: the lower of what its publisher and its receiver asked for. Hot path. */
export function assuranceOf(message: Message, match: Match): Assurance {
  const { assurance } = message
  if (assurance === 0) return 0
  const max = assuranceMaxFor(message, match)
  return assurance < max ? assurance : max
}

/**
 * An entry of a queue and, while a consumer has it, the attempt to hand it over. One object serves both lives: it is the
 * only allocation per message and receiver.
 */
export class Delivery {
  message: Message
  match: Match
  /** 0: settled by being sent; the object is only good during `deliver` and must not be kept. */
  assurance: Assurance
  /** Sent because a binding was made, not because someone published just now. */
  retained: boolean
  /** Where it stands in its queue; undefined for one that cannot come back. */
  line: WaitingLine | undefined = undefined
  /** Place in `line`; ascending. */
  position = 0
  /** Ascending in the order in which a session was handed its unsettled deliveries, whichever queue they are from. */
  tag = 0
  /** Failed attempts before this one. */
  failedCount = 0
  /** A transaction that settled it was rolled back: this attempt has failed, in however good order its consumer ends. */
  hasFailed = false
  /** A consumer had it before, or may have had it before the broker was started again. */
  redelivered = false
  /** The adapter's own: a packet id and the state of its exchange. Lasts as long as the delivery is unsettled. */
  protocolState = 0
  /** Who has it now; undefined while it waits. */
  consumer: Consumer | undefined = undefined
  /** The transaction that decides what becomes of it; until then its consumer has it unsettled. */
  transaction: Transaction | undefined = undefined
  /** Consumers that said they never want it. */
  refusedBy: Consumer[] | undefined = undefined
  /** Neighbours among the consumer's unsettled deliveries, oldest first; kept by `Consumer`. */
  previous: Delivery | undefined = undefined
  next: Delivery | undefined = undefined

  constructor(message: Message, match: Match, assurance: Assurance, retained: boolean) {
    this.message = message
    this.match = match
    this.assurance = assurance
    this.retained = retained
  }
}

/** The adapter's end of a consumer. */
export interface DeliverySink {
  /** False while the transport has enough to send; the adapter calls `consumer.wake()` when that ends. */
  readonly writable: boolean
  /** It is not writable because its client has asked for nothing, which is no fault. False when left out. */
  readonly wantsNothing?: boolean
  /** Deliveries that its client has asked for and not got; left out where it takes what comes. */
  readonly creditLeft?: number
  /**
   * Encodes and writes at once. Must not throw, await, or call back into the core. Hot path.
   * False when this receiver can never take the message (larger than its maximum): where the queue has other readers it waits for those,
   * else it counts as rejected.
   */
  deliver(delivery: Delivery): boolean
  /**
   * False when the receiver's protocol cannot name a queue that its pattern matches: it gets nothing of it, and the queue's messages stay
   * for others. Asked when a consumer of the queue begins; true when left out.
   */
  takesFrom?(queue: Queue): boolean
  /** The queue that it reads from by its name has been deleted. One of that name may come again, and is read from then. */
  onQueueDeleted?(queue: string): void
  /** Its user may not read from it any more: the adapter ends the receiver, with `text` as the reason. Ended by the core when left out. */
  onAccessLost?(text: string): void
  /** The receiver has taken nothing for too long: the adapter may end its connection, with `text` as the reason. */
  endSlow?(text: string): void
}
