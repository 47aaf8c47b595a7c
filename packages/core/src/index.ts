/** Everything that an adapter, an engine or the broker may import of the core. */
export * from './address.ts'
export * from './authorizer.ts'
export { bindingKey, type BindingSpec } from './bindings.ts'
export * from './env.ts'
export * from './login.ts'
export * from './message.ts'
export * from './transport.ts'
export { copyBytes } from './arena.ts'
export { Consumer, CREDIT_UNLIMITED } from './queue/consumer.ts'
export {
  type ConnectionHistory,
  type EndedConnection,
  type HistoryPage,
  type HistoryQuery,
} from './connection-history.ts'
export {
  type AdminConnection,
  type ConnectionFacts,
  connectionInfo,
  type ConnectionInfo,
  type ConnectionState,
  type EndedBy,
} from './connection-info.ts'
export type { ConnectionEnd, Connections, ConnectionTotals } from './connections.ts'
export { COUNTER_LABELS, type CounterLabel, Counters, LabelledCounters, Traffic } from './counters.ts'
export { CreditPool } from './queue/credit.ts'
export {
  type BindingData,
  Delivery,
  type DeliverySink,
  type Match,
  type Outcome,
  reasonFrom,
  type SettleDetail,
} from './queue/delivery.ts'
export { HeldInput } from './held-input.ts'
export { Destinations, NamedQueue, type QueueDefinition } from './destinations.ts'
export { isQueuePattern, laidOver, Policies, type Policy, queuePattern } from './policies.ts'
export { checkRedeliveryPolicy, type RedeliverySettings } from './queue/redelivery-policy.ts'
export { deliveryCountOf } from './queue/message-properties.ts'
export { DEFAULT_QUEUE_SETTINGS, type QueueSettings, type WhenFull } from './queue/settings.ts'
export { arrivalsOf, oldestAgesMs, oldestLsn } from './operations/arrivals.ts'
export { parseEntryId } from './operations/entry-id.ts'
export {
  browse,
  BROWSE_PAGE_MAX,
  type BrowsedEntry,
  type BrowsedPage,
  browseOne,
  type BrowseOptions,
} from './operations/browse.ts'
export { consumerInfo, type ConsumerInfo, queueInfo, type QueueInfo, stuckBecause } from './operations/info.ts'
export {
  sessionInfo,
  type SessionInfo,
  type SubscriptionInfo,
  type SubscriptionKind,
  subscriptionsOf,
} from './operations/sessions.ts'
export { purge, type Purged } from './operations/purge.ts'
export { type Pace, Scan, type Selecting } from './operations/scan.ts'
export {
  retainedPage,
  type RetainedOptions,
  type RetainedPage,
  TOPICS_PAGE_MAX,
  topicsBelow,
  type TopicNode,
  type TopicsOptions,
  type TopicsPage,
} from './operations/topics.ts'
export {
  copyWhere,
  deleteWhere,
  moveWhere,
  redrive,
  type TransferOptions,
  type Transferred,
} from './operations/transfer.ts'
export { EventThrottle } from './event-throttle.ts'
export {
  type BrokerEvent,
  connectionEvent,
  type EventDetails,
  type EventKind,
  Events,
  type EventsAfter,
  type EventSubject,
  peerText,
} from './events.ts'
export {
  CONNECTION_HISTORY_MAX_DEFAULT,
  type CoreLimits,
  DEFAULT_CORE_LIMITS,
  EVENT_LISTENERS_MAX,
  EVENTS_MAX_DEFAULT,
  HISTORY_PAGE_MAX,
} from './limits.ts'
export type { Producer, ProducerTarget, PublishOptions, PublishOwner, PublishResult } from './producer.ts'
export { Queue } from './queue/queue.ts'
export { Recent } from './recent.ts'
export type { Refusal, RefusalDetail, Result } from './refusal.ts'
export { targetsOf } from './router.ts'
export type { ScheduleOptions } from './schedule/options.ts'
export type { Schedule, ScheduledInfo, ScheduledPage } from './schedule/schedule.ts'
export { Session } from './session.ts'
export type { ConsumeSpec } from './queue-consumers.ts'
export type { SessionOwner } from './session-owner.ts'
export type { SharedGroup } from './shared.ts'
export type { Browsing, BrowsingSpec } from './browsing.ts'
export { DeadLetterSight } from './dead-letter-sight.ts'
export type { Receiver, ReceiverSpec } from './receiver.ts'
export { parseSelector, type Selector } from './selector/selector.ts'
export type { OpenSession } from './sessions.ts'
export { subscriptionOwner, subscriptionQueueName } from './subscriptions.ts'
export { isTemporary } from './temporaries.ts'
export { TimerWheel, type WheelEntry } from './timer-wheel.ts'
export type { OnCommitted, Transaction, TransactionState } from './transaction/transaction.ts'
export { TopicTree } from './topic-tree.ts'
export type { PublishTrace, Tracer } from './tracer.ts'
export { readTraceparent, TRACEPARENT, type TraceContext, TRACESTATE } from './trace-context.ts'
export { type InputHolder, UnfinishedInput } from './unfinished-input.ts'
export { VirtualHost, type VirtualHostOptions } from './virtual-host.ts'
export type { Will } from './wills.ts'
