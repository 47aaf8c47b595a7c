/** Every numeric limit of the core, with its unit, its reason and what happens beyond it. */

/** Deliveries of one queue in one go; then other queues and the sockets have their turn. */
export const DISPATCH_BATCH_MAX = 4_096

/** Routes remembered per virtual host; beyond it the oldest is forgotten and matched again when used. */
export const ROUTES_MAX = 100_000

/** Memory of those routes without their targets: names may be long. Beyond it the oldest is forgotten, too. */
export const ROUTES_BYTES_MAX: number = 64 * 1024 * 1024

/**
 * Memory of the targets of routes that have many; beyond it the oldest route forgets its own and is matched again when used.
 * Without it 100,000 topics that 200 clients watch with '#' take 8 GB.
 */
export const ROUTE_TARGETS_BYTES_MAX: number = 128 * 1024 * 1024

/**
 * Memory of one session's bindings; beyond it a further one is refused as 'limit-reached'. 10,000 filters of 128 levels took 435 MB.
 */
export const BINDING_BYTES_PER_SESSION_MAX: number = 32 * 1024 * 1024

/** Retained messages waiting for one queue because of several bindings; beyond it a further binding gets none, counted. */
export const BACKFILL_MESSAGES_MAX = 100_000

/**
 * Levels of the tree of retained topics, about 280 bytes each: so many for each message that may be retained, and some for trees that
 * are small. Beyond it a new topic is not retained, counted: 20,000 messages of one byte on topics of 128 levels took 700 MB.
 */
export const RETAINED_NODES_PER_MESSAGE = 4
export const RETAINED_NODES_MIN = 2_048

/** From here on a body is brought into the log in pieces ahead of its record, so that it delays nobody: what the store says is worth it. */
export const LARGE_BODY_BYTES: number = 256 * 1024

/** Memory of one waiting entry beside its bytes: message, delivery and place in the ring (measured with --expose-gc: 240). */
export const ENTRY_BYTES = 256

/**
 * Scheduled messages of a virtual host; beyond it a further one is refused as 'limit-reached', and a series of a cron expression is left
 * out. A snapshot writes them in one go: 250,000 took 150 to 370 ms (two busy cores).
 */
export const SCHEDULED_MESSAGES_MAX = 250_000

/** Memory of a scheduled message without its bytes, which are in the log. */
export const SCHEDULED_ENTRY_BYTES = 320

/** Scheduled messages that are sent in one go, and their bytes; then the sockets have their turn. */
export const SCHEDULED_BATCH_MAX = 1_024
export const SCHEDULED_BATCH_BYTES: number = 8 * 1024 * 1024

/** Wills that are published in one go after a restart; then the sockets have their turn. */
export const WILLS_BATCH_MAX = 1_024

/** Transactions that one session has open, or on their way to the log. Beyond it a further one is refused as 'limit-reached'. */
export const TRANSACTIONS_PER_SESSION_MAX = 256

/**
 * Publishes and settles of one transaction, and the memory of its messages: it is one group of the log. Beyond it a further operation is
 * refused as 'limit-reached'.
 */
export const TRANSACTION_OPERATIONS_MAX = 50_000
export const TRANSACTION_BYTES_MAX: number = 100 * 1024 * 1024

/**
 * Settles of one transaction that may write messages anew: rejected, for the dead letters, and modified. Beyond it a further one is refused
 * as 'limit-reached'. All of them are made in one go, since they are one group and a snapshot has all or nothing of it: 10 us each.
 */
export const TRANSACTION_REWRITES_MAX = 4_000

/** How exactly the age of transactions is looked at, in ms. */
export const TRANSACTION_AGE_TICK_MS = 250

/** Destinations of one message that is sent to a composite, forwards of forwards included. A longer list is refused. */
export const COMPOSITE_PARTS_MAX = 64

/** Events remembered; beyond it the oldest is forgotten. */
export const EVENTS_MAX_DEFAULT = 10_000

/** Who hears of events at a time: the log, and those that watch. Beyond it a further one hears nothing and is told so. */
export const EVENT_LISTENERS_MAX = 256

/** Ended connections remembered for "why did this client leave"; beyond it the oldest is forgotten. */
export const CONNECTION_HISTORY_MAX_DEFAULT = 10_000

/**
 * Of so many remembered connections one may be of those that were never let in: they have a ring of their own, so that a flood of them
 * makes nobody forget the others.
 */
export const CONNECTIONS_PER_REFUSED = 10

/** Ended connections of one page of the history. */
export const HISTORY_PAGE_MAX = 1_000

/** Positions that a queue looks at to find messages whose bytes can go from memory: they stand at its head, with few others between. */
export const PAGE_LOOKS_MAX = 8_192

/** Permissions looked at again in one turn, after a change of rules; the rest follows in later turns. */
export const ACCESS_CHECKS_PER_TURN = 1_000

/** Queues that take other settings in one turn, after a change of policies; the rest follows in later turns. */
export const QUEUES_PER_TURN = 500

/** Sessions, subscriptions and scheduled messages of users that are gone that end in one turn; the rest follows in later turns. */
export const DEPARTURES_PER_TURN = 100

/** Limits of one virtual host; apps/broker fills them from the configuration. */
export interface CoreLimits {
  /** Sessions, connected or not. Beyond it a new one is refused as 'limit-reached'. */
  readonly sessionsMax: number
  /** Bindings of one session. Beyond it a new one is refused as 'limit-reached'. */
  readonly bindingsPerSessionMax: number
  /**
   * Consumers on queues of one session; a pattern has one on each queue that it matches. Beyond it a further subscription is refused as
   * 'limit-reached'; a queue made later is not read by the patterns that match it, and reported.
   */
  readonly consumersPerSessionMax: number
  /**
   * What the selectors of one session's topic subscriptions cost together, durable ones included, in the units of selector/cost.ts.
   * Beyond it a further one is refused as 'limit-reached'.
   */
  readonly selectorCostPerSessionMax: number
  /** Waiting in one subscription's queue. Beyond it the newest is not kept, and counted. */
  readonly queuedMessagesMax: number
  readonly queuedBytesMax: number
  /** Waiting in all queues together. Beyond it the newest is not kept, whichever queue it is for, and counted. */
  readonly queuedBytesTotalMax: number
  /** Handed to one connection and not settled. Beyond it nothing more is handed out until something is; the last message may go beyond it. */
  readonly unsettledBytesMax: number
  /** Headers and body of one message. Beyond it a publish is refused as 'limit-reached'. */
  readonly messageBytesMax: number
  /** Begun to come and not complete, of all connections. Beyond it the connection that holds most ends. */
  readonly unfinishedBytesMax: number
  /**
   * Of one connection: publishes that wait for room or for the log, in number and in bytes. At half of it the adapter stops reading,
   * where it may; beyond it a further one is refused as 'limit-reached'. The last one may go beyond the bytes.
   */
  readonly heldMessagesMax: number
  readonly heldBytesMax: number
  /** Messages of all open transactions of one session. Beyond it a further one is refused as 'limit-reached'. */
  readonly transactionBytesMax: number
  /** How long a transaction may be open, in ms; then it is rolled back. 0: for ever. */
  readonly transactionAgeMaxMs: number
  /** Queues with a name. Beyond it a new one is refused as 'limit-reached'. */
  readonly queuesMax: number
  /** Whether sending to a queue, or reading from it, makes it. */
  readonly queuesAutoCreate: boolean
  /** Retained messages in all. Beyond it a new topic is not retained, counted and reported. */
  readonly retainedMessagesMax: number
  readonly retainedBytesMax: number
}

export const DEFAULT_CORE_LIMITS: CoreLimits = {
  sessionsMax: 1_000_000,
  bindingsPerSessionMax: 10_000,
  consumersPerSessionMax: 20_000,
  selectorCostPerSessionMax: 50_000,
  queuedMessagesMax: 250_000,
  queuedBytesMax: 64 * 1024 * 1024,
  queuedBytesTotalMax: 1024 * 1024 * 1024,
  unsettledBytesMax: 64 * 1024 * 1024,
  messageBytesMax: 64 * 1024 * 1024,
  unfinishedBytesMax: 256 * 1024 * 1024,
  heldMessagesMax: 65_536,
  heldBytesMax: 16 * 1024 * 1024,
  transactionBytesMax: 100 * 1024 * 1024,
  transactionAgeMaxMs: 600_000,
  queuesMax: 100_000,
  queuesAutoCreate: true,
  retainedMessagesMax: 1_000_000,
  retainedBytesMax: 1024 * 1024 * 1024,
}
