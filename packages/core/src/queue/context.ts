/** What a queue needs of its virtual host. */
import type { Traffic } from '../counters.ts'
import type { Env } from '../env.ts'
import type { QueueFlow } from '../flow/queue-flow.ts'
import type { HostLog } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import type { Tracer } from '../tracing/tracer.ts'
import type { Turns } from '../turns.ts'
import type { Consumer } from './consumer.ts'
import type { Delivery, Match } from './delivery.ts'
import type { WaitingBytes } from './lanes.ts'
import type { Queue } from './queue.ts'
import type { QueueSettings } from './settings.ts'

/** Why a message leaves its queue for another one. */
export type MoveCause = 'rejected' | 'deliveries-exhausted' | 'expired' | 'undeliverable'

export interface QueueContext {
  readonly turns: Turns
  /** What counts for no session: what becomes of messages in queues, and what consumers without a session take. */
  readonly traffic: Traffic
  readonly env: Env
  readonly log: HostLog
  /** What waits in memory in all queues together. */
  readonly waiting: WaitingBytes
  readonly flow: QueueFlow
  /** Undefined while tracing is off. */
  readonly tracer: Tracer | undefined
  /** The broker is being stopped: connections end, and nobody is at fault. */
  readonly isStopping: boolean
  /** A queue that wants the producer at hand to pause, until somebody takes note. */
  pressedBy: Queue | undefined
  /** The bindings that a message read back from the log came by. */
  matchFor(queue: Queue, message: Message): Match
  /** Takes an entry, which nobody else has now, to the queue named `target`, and out of this one when it has arrived there. */
  moveAway(queue: Queue, delivery: Delivery, target: string, cause: MoveCause, reason: string | undefined): void
  /** When and whether an entry whose delivery failed may be tried again: ms from now, or undefined for no more. */
  nextAttemptMs(settings: QueueSettings, failedCount: number): number | undefined
  /** Something happened to a queue that somebody may have waited for: it has room again, or nothing in it. */
  onEased(queue: Queue): void
  /** A consumer can never take a message that others may; told once of each. */
  onTooLarge(queue: Queue, consumer: Consumer, message: Message): void
  /** So many messages that waited in the queue are not in the store any more. */
  onLost(queue: Queue, count: number): void
}
