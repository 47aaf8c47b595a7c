/**
 * How the core tells of single messages on their way to somebody who follows some of them. There is none unless tracing is on: what is
 * here is asked for with one look at a field that is undefined then, and costs nothing more.
 */
import type { Subject } from '../authorizer.ts'
import type { CounterLabel } from '../counters.ts'
import type { Message } from '../message/message.ts'
import type { PublishResult } from '../publish/producer.ts'
import type { Consumer } from '../queue/consumer.ts'
import type { Delivery, Outcome, SettleDetail } from '../queue/delivery.ts'
import type { Queue } from '../queue/queue.ts'
import type { RefusalDetail } from '../refusal.ts'

/** Nothing here may throw, await, or keep the message: its bytes may be good for this call only. */
export interface Tracer {
  /** A producer is given a message, and nothing is decided yet. Undefined: nobody follows this one. */
  onPublish(message: Message, subject: Subject, protocol: CounterLabel): PublishTrace | undefined
  /** A consumer is about to be handed what it has to settle. */
  onHandedOver(consumer: Consumer, delivery: Delivery): void
  /** A consumer was handed what is settled by being sent; false: it can never take it. The delivery is good for this call only. */
  onSent(consumer: Consumer, delivery: Delivery, isTaken: boolean): void
  /** What became of a delivery that was handed over. */
  onSettled(delivery: Delivery, outcome: Outcome, detail: SettleDetail | undefined): void
  /** The message of `delivery` goes to a queue of dead letters as `copy`, whose annotations say why. */
  onDeadLettered(origin: Queue, delivery: Delivery, target: Queue, copy: Message): void
  /** The time of a message was over while it waited, and it is gone. Not told of what is on disk only. */
  onExpired(queue: Queue, message: Message): void
}

/** One publish that somebody follows. */
export interface PublishTrace {
  /** It is answered. Called once. */
  end(result: Exclude<PublishResult, 'pending'>, refusal: RefusalDetail | undefined): void
}
