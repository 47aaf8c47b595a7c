/** Everything that an adapter, an engine or the broker may import of the core. */
export * from './routing/address.ts'
export * from './authorizer.ts'
export { bindingKey, type BindingSpec } from './session/bindings.ts'
export * from './env.ts'
export * from './connection/login.ts'
export * from './message/message.ts'
export * from './connection/transport.ts'
export { copyBytes } from './message/arena.ts'
export { Consumer, CREDIT_UNLIMITED } from './queue/consumer.ts'
export {
  type ConnectionHistory,
  type EndedConnection,
  type HistoryPage,
  type HistoryQuery,
} from './connection/connection-history.ts'
export {
  type AdminConnection,
  type ConnectionFacts,
  connectionInfo,
  type ConnectionInfo,
  type ConnectionState,
  type EndedBy,
} from './connection/connection-info.ts'
export type { ConnectionEnd, Connections, ConnectionTotals } from './connection/connections.ts'
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
export { HeldInput } from './connection/held-input.ts'
export { Destinations, NamedQueue, type QueueDefinition } from './destinations/destinations.ts'
export {
  isQueuePattern,
  laidOver,
  Policies,
  type Policy,
  type PolicySettings,
  queuePattern,
} from './destinations/policies.ts'
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
export type { Producer, ProducerTarget, PublishOptions, PublishOwner, PublishResult } from './publish/producer.ts'
export { Queue } from './queue/queue.ts'
export { Recent } from './recent.ts'
export type { Refusal, RefusalDetail, Result } from './refusal.ts'
export { targetsOf } from './routing/router.ts'
export type { ScheduleOptions } from './schedule/options.ts'
export type { Schedule, ScheduledInfo, ScheduledPage } from './schedule/schedule.ts'
export { Session } from './session/session.ts'
export type { ConsumeSpec } from './receive/queue-consumers.ts'
export type { SessionOwner } from './session/session-owner.ts'
export type { SharedGroup } from './session/shared.ts'
export type { Browsing, BrowsingSpec } from './receive/browsing.ts'
export { DeadLetterSight, mayBrowseAll } from './receive/dead-letter-sight.ts'
export type { Receiver, ReceiverSpec } from './receive/receiver.ts'
export { parseSelector, type Selector } from './selector/selector.ts'
export type { OpenSession } from './session/sessions.ts'
export { subscriptionOwner, subscriptionQueueName } from './session/subscriptions.ts'
export { isTemporary } from './destinations/temporaries.ts'
export { TimerWheel, type WheelEntry } from './timer-wheel.ts'
export type { OnCommitted, Transaction, TransactionState } from './transaction/transaction.ts'
export { TopicTree } from './routing/topic-tree.ts'
export type { PublishTrace, Tracer } from './tracing/tracer.ts'
export { readTraceparent, TRACEPARENT, type TraceContext, TRACESTATE } from './tracing/trace-context.ts'
export { type InputHolder, UnfinishedInput } from './connection/unfinished-input.ts'
export { VirtualHost, type VirtualHostOptions } from './virtual-host.ts'
export type { Will } from './session/wills.ts'
