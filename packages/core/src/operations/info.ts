/** What there is to know of a queue at one moment, for operators. */
import type { CounterLabel } from '../counters.ts'
import { type Consumer, CREDIT_UNLIMITED } from '../queue/consumer.ts'
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { oldestAgesMs } from './arrivals.ts'

/** Who has settled something within it works: that it can take nothing just now is how credit goes. */
const WORKING_SECONDS = 10

export interface ConsumerInfo {
  /** Of its session; '' and 'core' for one without. */
  readonly clientId: string
  readonly user: string
  readonly protocol: CounterLabel
  /** Of the connection of its session; undefined while it has none. */
  readonly connectionId: number | undefined
  readonly priority: number
  readonly selector: string | undefined
  readonly exclusive: boolean
  readonly isAttached: boolean
  readonly unsettledCount: number
  /** Deliveries that it may still be handed now; Infinity where nothing bounds them. */
  readonly creditLeft: number
  /** Handed to it so far. */
  readonly takenCount: number
  /** Unix ms at which it last settled something, exact to a second; undefined: it has not, or it settles by being sent. */
  readonly settledAtMs: number | undefined
}

export interface QueueInfo {
  readonly name: string
  /** It outlives the process. */
  readonly isDurable: boolean
  readonly isPaused: boolean
  /** Somebody waits for room in it. */
  readonly isBlocking: boolean
  readonly waitingCount: number
  readonly waitingBytes: number
  readonly inflightCount: number
  readonly underWayCount: number
  /** Since the process began, as all counts that follow; bytes are those of bodies. */
  readonly messagesIn: number
  readonly bytesIn: number
  readonly messagesOut: number
  readonly bytesOut: number
  /** Accepted; what is settled by being sent is not among them. */
  readonly settledCount: number
  readonly redeliveredCount: number
  readonly expiredCount: number
  readonly deadLetteredCount: number
  /** Not kept because of a limit. */
  readonly droppedCount: number
  /** Of the oldest message that the log has; undefined when there is none. */
  readonly oldestAgeMs: number | undefined
  readonly consumers: readonly ConsumerInfo[]
  /** Why nobody gets anything though messages wait, or why nothing more comes in; undefined when all is well. */
  readonly stuckBecause: string | undefined
}

export async function queueInfo(vhost: VirtualHost, queue: Queue): Promise<QueueInfo> {
  const [oldestAgeMs] = await oldestAgesMs(vhost, [queue])
  return {
    name: queue.name,
    isDurable: queue.number !== 0,
    isPaused: queue.isPaused,
    isBlocking: queue.isBlocking,
    waitingCount: queue.waitingCount,
    waitingBytes: queue.waitingBytes,
    inflightCount: queue.inflightCount,
    underWayCount: queue.underWayCount,
    messagesIn: queue.messagesIn,
    bytesIn: queue.bytesIn,
    messagesOut: queue.messagesOut,
    bytesOut: queue.bytesOut,
    settledCount: queue.settledCount,
    redeliveredCount: queue.redeliveredCount,
    expiredCount: queue.expiredCount,
    deadLetteredCount: queue.deadLetteredCount,
    droppedCount: queue.droppedCount,
    oldestAgeMs,
    consumers: queue.consumers.map(consumerInfo),
    stuckBecause: stuckBecause(queue),
  }
}

export function consumerInfo(consumer: Consumer): ConsumerInfo {
  const { pool, priority, selector, exclusive, isAttached, unsettledCount, takenCount, settledSecond } = consumer
  const { creditLeft } = consumer
  const { owner } = pool
  return {
    clientId: owner?.clientId ?? '',
    user: owner?.principal.name ?? '',
    protocol: owner?.protocol ?? 'core',
    connectionId: owner?.connectionId,
    priority,
    selector: selector?.text,
    exclusive,
    isAttached,
    unsettledCount,
    creditLeft: creditLeft >= CREDIT_UNLIMITED ? Infinity : creditLeft,
    takenCount,
    settledAtMs: settledSecond === 0 ? undefined : settledSecond * 1_000,
  }
}

/**
 * Why nobody gets anything though messages wait, or why nothing more comes in; undefined when all is well. Dead letters wait for an operator:
 * their queue needs no consumer, and that something is in it is what he has to hear of.
 */
export function stuckBecause(queue: Queue, isDeadLetter = false): string | undefined {
  const { consumers, settings, waitingCount } = queue
  const { messagesMax, bytesMax } = settings
  const { delayedCount, delayedBytes } = queue.contents
  const isAlone = consumers.length === 1
  if (queue.isPaused) return 'it is paused; resume it'
  if (delayedCount > 0 && queue.isFullFor(1)) {
    return `it is full: what has failed waits for its next attempt, messages: ${delayedCount}, bytes: ${delayedBytes}`
  }
  if (waitingCount === 0) return undefined
  if (waitingCount >= messagesMax) return `it is full: messagesMax is ${messagesMax}, and ${waitingCount} wait`
  if (queue.isFullFor(1)) return `it is full: bytesMax is ${bytesMax}, and ${queue.waitingBytes} wait`
  if (consumers.length === 0) return isDeadLetter ? 'dead letters wait in it' : 'it has no consumer'
  if (!queue.hasAttachedConsumer) {
    return isAlone ? 'its consumer is not connected' : `none of its ${consumers.length} consumers is connected`
  }
  const works = (consumer: Consumer): boolean =>
    consumer.isAttached && (consumer.canTake(1) || queue.turnSecond - consumer.settledSecond < WORKING_SECONDS)
  if (!consumers.some(works)) {
    return isAlone
      ? 'its consumer has to settle or read first'
      : `none of its ${consumers.length} consumers takes more: they have to settle or read first`
  }
  return consumers.every(({ selector }) => selector !== undefined)
    ? 'perhaps no selector matches what waits'
    : undefined
}
