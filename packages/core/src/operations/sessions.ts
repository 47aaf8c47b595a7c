/** What there is to know of a session and of what it has subscribed to, whether it is connected or not, for operators. */
import type { PatternLevel } from '../routing/address.ts'
import { sharedOf } from '../session/bindings.ts'
import type { CounterLabel } from '../counters.ts'
import type { Assurance } from '../message/message.ts'
import type { Consumer } from '../queue/consumer.ts'
import type { BindingData } from '../queue/delivery.ts'
import type { Receiver } from '../receive/receiver.ts'
import type { Session } from '../session/session.ts'
import { subscriptionQueueName } from '../session/subscriptions.ts'

export interface SessionInfo {
  readonly clientId: string
  readonly user: string
  /** Of its present connection, or of its last one in this process; 'core' when there was none. */
  readonly protocol: CounterLabel
  readonly isConnected: boolean
  readonly connectionId: number | undefined
  /** It would be there after a restart. */
  readonly isDurable: boolean
  /** How long it stays without a connection; Infinity: for ever. */
  readonly expiryMs: number
  /** Unix ms; undefined while it is connected. */
  readonly offlineSinceMs: number | undefined
  readonly subscriptionCount: number
  readonly consumerCount: number
  readonly unsettledCount: number
  /** In its own queue: what its subscriptions to topics have for it. */
  readonly waitingCount: number
  readonly waitingBytes: number
  readonly droppedCount: number
  /** Of all its connections in this process; bytes are those of bodies. */
  readonly messagesIn: number
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** topic: what is published there comes into a queue of the session's or receiver's own. group: into one that several share. queue: it is read from. */
export type SubscriptionKind = 'topic' | 'group' | 'queue'

export interface SubscriptionInfo {
  readonly kind: SubscriptionKind
  /** Pattern of topics; undefined where it reads from queues. */
  readonly pattern: readonly PatternLevel[] | undefined
  /** Name of the queue that is read from, or pattern of such names; of a group or of a durable subscription the name of what is behind it. */
  readonly queue: string | undefined
  readonly shareName: string | undefined
  readonly assuranceMax: Assurance
  readonly noLocal: boolean
  readonly selector: string | undefined
  readonly priority: number
  readonly exclusive: boolean
  /** Consumers on queues. */
  readonly consumerCount: number
  /** Deliveries that its client may still be handed; undefined where the session counts for all of them. */
  readonly creditLeft: number | undefined
  /** Not settled; undefined where the session counts for all of them. */
  readonly unsettledCount: number | undefined
  /** What the adapter attached: options in its protocol's own words. */
  readonly data: BindingData
}

export function sessionInfo(session: Session): SessionInfo {
  const {
    clientId,
    principal,
    protocol,
    isConnected,
    connectionId,
    isDurable,
    expiryMs,
    offlineSinceMs,
    queue,
    traffic,
  } = session
  return {
    clientId,
    user: principal.name,
    protocol,
    isConnected,
    connectionId,
    isDurable,
    expiryMs,
    offlineSinceMs,
    subscriptionCount: session.bindingCount,
    consumerCount: session.consumerCount,
    unsettledCount: session.unsettledCount,
    waitingCount: queue.waitingCount,
    waitingBytes: queue.waitingBytes,
    droppedCount: queue.droppedCount,
    messagesIn: traffic.messagesIn,
    messagesOut: traffic.messagesOut,
    bytesIn: traffic.bytesIn,
    bytesOut: traffic.bytesOut,
  }
}

/** One after the other, as they are asked for: a session may have many. Nothing of it may change while it is looked through. */
export function* subscriptionsOf(session: Session): Generator<SubscriptionInfo> {
  const { bindings, queues, receivers } = session.subscribed
  for (const { pattern, assuranceMax, exceptFrom, selector, data } of bindings?.own() ?? []) {
    yield {
      ...NONE,
      kind: 'topic',
      pattern,
      assuranceMax,
      noLocal: exceptFrom !== undefined,
      selector: selector?.text,
      data,
    }
  }
  for (const [key, consumer] of bindings?.shared() ?? []) {
    const { shareName, levels } = sharedOf(key)
    const { queue, match, unsettledCount } = consumer
    const [data = NO_DATA] = match?.data ?? []
    const assuranceMax = match?.assuranceMax ?? 0
    yield {
      ...NONE,
      kind: 'group',
      pattern: levels,
      queue: queue.name,
      shareName,
      assuranceMax,
      consumerCount: 1,
      unsettledCount,
      data,
    }
  }
  for (const { name, match, options, consumers } of queues?.readings() ?? []) {
    const [data = NO_DATA] = match.data
    const { priority = 0, exclusive = false, selector } = options
    const own = {
      priority,
      exclusive,
      selector: selector?.text,
      consumerCount: consumers.size,
      unsettledCount: unsettledOf(consumers.values()),
    }
    yield { ...NONE, ...own, kind: 'queue', queue: name, assuranceMax: match.assuranceMax, data }
  }
  for (const receiver of receivers ?? []) yield receiverInfo(receiver)
}

function receiverInfo(receiver: Receiver): SubscriptionInfo {
  const { source, selector, assuranceMax, data, sink } = receiver.spec
  const consumers = [...receiver.consumers()]
  const { limit, used } = receiver.pool
  const creditLeft = Math.min(Math.max(0, limit - used), sink.creditLeft ?? Infinity)
  const common = {
    ...NONE,
    selector,
    assuranceMax,
    data,
    consumerCount: consumers.length,
    creditLeft,
    unsettledCount: used,
  }
  switch (source.kind) {
    case 'queue':
      return {
        ...common,
        kind: 'queue',
        queue: source.queue,
        priority: source.priority ?? 0,
        exclusive: source.exclusive ?? false,
      }
    case 'topic':
      return { ...common, kind: 'topic', pattern: source.pattern.levels, noLocal: source.noLocal }
    case 'subscription': {
      const { clientId, name, pattern, noLocal = false, shared, volatile } = source.subscription
      const queue = subscriptionQueueName(clientId, name, volatile)
      return {
        ...common,
        kind: shared ? 'group' : 'topic',
        pattern: pattern.levels,
        noLocal,
        queue,
        ...(shared && { shareName: name }),
      }
    }
  }
}

function unsettledOf(consumers: Iterable<Consumer>): number {
  let count = 0
  for (const { unsettledCount } of consumers) count += unsettledCount
  return count
}

const NO_DATA: BindingData = {}

const NONE = {
  pattern: undefined,
  queue: undefined,
  shareName: undefined,
  noLocal: false,
  selector: undefined,
  priority: 0,
  exclusive: false,
  consumerCount: 0,
  creditLeft: undefined,
  unsettledCount: undefined,
} as const satisfies Partial<SubscriptionInfo>
