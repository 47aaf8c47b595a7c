/**
 * Names of headers that mean something here, by number: a name is found by a perfect hash over its bytes, without making a
 * string of it. Every other name is just a header, whatever it is called. Names are case sensitive. [STOMP12-STOMP_Frames-c]
 */

/** Numbers from 1; 0 is any other header. */
export const HeaderId = {
  // The specification's own.
  destination: 1,
  id: 2,
  ack: 3,
  receipt: 4,
  transaction: 5,
  contentLength: 6,
  contentType: 7,
  messageId: 8,
  subscription: 9,
  receiptId: 10,
  message: 11,
  version: 12,
  acceptVersion: 13,
  host: 14,
  login: 15,
  passcode: 16,
  heartBeat: 17,
  session: 18,
  server: 19,
  selector: 20,
  // Of messages.
  persistent: 21,
  priority: 22,
  expires: 23,
  correlationId: 24,
  replyTo: 25,
  type: 26,
  timestamp: 27,
  contentEncoding: 28,
  groupId: 29,
  groupSequence: 30,
  userId: 31,
  appId: 32,
  messageType: 33,
  transformation: 34,
  redelivered: 35,
  originalDestination: 36,
  deadLetterCause: 37,
  duplicateId: 38,
  amqpMessageId: 39,
  retain: 40,
  retainJms: 41,
  retainedJms: 42,
  scheduledDelay: 43,
  scheduledPeriod: 44,
  scheduledRepeat: 45,
  scheduledCron: 46,
  destinationType: 47,
  // Of subscriptions.
  clientId: 48,
  subscriptionName: 49,
  durableSubscriptionName: 50,
  exclusive: 51,
  exclusiveShort: 52,
  consumerPriority: 53,
  retroactive: 54,
  prefetchSize: 55,
  prefetchCount: 56,
  noLocal: 57,
  noLocalShort: 58,
  browser: 59,
  durable: 60,
  autoDelete: 61,
  queueName: 62,
  requeue: 63,
  subscriptionType: 64,
  // Of messages, again.
  scheduledTime: 65,
  scheduledId: 66,
  deliveryCount: 67,
  deathQueue: 68,
  deathCause: 69,
  deathReason: 70,
  deathCount: 71,
  deathExpiredAt: 72,
  deathTime: 73,
} as const

export type KnownHeader = (typeof HeaderId)[keyof typeof HeaderId]

/** By number; '' for 0. */
export const HEADER_NAMES: readonly string[] = [
  '',
  'destination',
  'id',
  'ack',
  'receipt',
  'transaction',
  'content-length',
  'content-type',
  'message-id',
  'subscription',
  'receipt-id',
  'message',
  'version',
  'accept-version',
  'host',
  'login',
  'passcode',
  'heart-beat',
  'session',
  'server',
  'selector',
  'persistent',
  'priority',
  'expires',
  'correlation-id',
  'reply-to',
  'type',
  'timestamp',
  'content-encoding',
  'JMSXGroupID',
  'JMSXGroupSeq',
  'JMSXUserID',
  'app-id',
  'amq-msg-type',
  'transformation',
  'redelivered',
  'original-destination',
  'dlqDeliveryFailureCause',
  '_AMQ_DUPL_ID',
  'amqp-message-id',
  'retain',
  'ActiveMQ.Retain',
  'ActiveMQ.Retained',
  'AMQ_SCHEDULED_DELAY',
  'AMQ_SCHEDULED_PERIOD',
  'AMQ_SCHEDULED_REPEAT',
  'AMQ_SCHEDULED_CRON',
  'destination-type',
  'client-id',
  'activemq.subscriptionName',
  'durable-subscription-name',
  'activemq.exclusive',
  'exclusive',
  'activemq.priority',
  'activemq.retroactive',
  'activemq.prefetchSize',
  'prefetch-count',
  'activemq.noLocal',
  'no-local',
  'browser',
  'durable',
  'auto-delete',
  'x-queue-name',
  'requeue',
  'subscription-type',
  'AMQ_SCHEDULED_TIME',
  'scheduledJobId',
  'JMSXDeliveryCount',
  'x-death-queue',
  'x-death-cause',
  'x-death-reason',
  'x-death-count',
  'x-death-expired-at',
  'x-death-time',
]

const NAME_BYTES: readonly Uint8Array[] = HEADER_NAMES.map((name) => Buffer.from(name, 'latin1'))
const NAME_BYTES_MAX = Math.max(...NAME_BYTES.map((name) => name.length))

const SLOT_COUNT = 1_024
const SLOT_SHIFT = 22
const SEEDS_MAX = 1_000_000
const SLOTS = new Uint8Array(SLOT_COUNT)
/** With this multiplier every name has a slot of its own; a test says so when other names need another one. */
export const SEED_KNOWN: number = 0x9e37_79c1 | 0
/** The one in use: found in a search of half a second when the known one does not do. */
export const SEED: number = fillSlots()

/** The known header that is called exactly `bytes[start, end)`; 0 when there is none. Hot path. */
export function headerIdOf(bytes: Uint8Array, start: number, end: number): KnownHeader | 0 {
  const size = end - start
  if (size > NAME_BYTES_MAX || size === 0) return 0
  const id = SLOTS[slotOf(bytes, start, size, SEED)]!
  const name = NAME_BYTES[id]!
  if (name.length !== size) return 0
  for (let index = 0; index < size; index++) if (name[index] !== bytes[start + index]) return 0
  return id as KnownHeader
}

/** From length, first, middle, last byte and the one two before that. */
function slotOf(bytes: Uint8Array, start: number, size: number, seed: number): number {
  const near = bytes[start + (size > 2 ? size - 3 : 0)]!
  const sum = bytes[start]! | (bytes[start + (size >> 1)]! << 8) | (bytes[start + size - 1]! << 16)
  return Math.imul(sum ^ (size << 24) ^ (near << 12), seed) >>> SLOT_SHIFT
}

/** Tries odd multipliers from the known one on until every name has a slot of its own. */
function fillSlots(): number {
  for (let seed = SEED_KNOWN, tries = 0; tries < SEEDS_MAX; seed = (seed + 2) | 0, tries++) {
    SLOTS.fill(0)
    let id = 1
    for (; id < NAME_BYTES.length; id++) {
      const slot = slotOf(NAME_BYTES[id]!, 0, NAME_BYTES[id]!.length, seed)
      if (SLOTS[slot] !== 0) break
      SLOTS[slot] = id
    }
    if (id === NAME_BYTES.length) return seed
  }
  throw new Error('two header names agree in all that slotOf looks at: let it look at more of them')
}
