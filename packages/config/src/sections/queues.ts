/**
 * The `queues` section, what holds for every queue, and `policies`, what holds for some. Both are made of the same keys: in
 * `queues` each has a default, in a policy each may be left out. The core lays them over one another.
 */
import { z } from 'zod'
import {
  FORWARDS_MAX,
  isForwardTarget,
  isQueueName,
  isQueuePattern,
  POLICIES_MAX,
  QUEUE_NAME_CHARS_MAX,
} from './queue-pattern.ts'
import { typed } from '../typed.ts'
import type { QueuePolicy, QueuesConfig } from '../types.ts'

const TEBIBYTE = 1_099_511_627_776
const DAY_MS = 86_400_000
/** Longer ones are a mistake: 'for ever' is 0. */
const TTL_MS_MAX: number = 36_525 * DAY_MS
const YEAR_SECONDS = 31_536_000

const FORWARD_TARGET =
  "`$queue/` and a queue's name that does not begin with $, or a topic without + and # that does not begin with $"
const EMPTY_OR_QUEUE_NAME =
  'the name of a queue, levels divided by dots, without * and > and not with $ in front; empty: the messages are dropped, and counted'

const durability = z.enum(['memory', 'page-cache', 'fsync-local']).meta({
  description:
    'What a message that its publisher wants kept survives, once acknowledged: `fsync-local` a loss of power, `page-cache` the end of ' +
    'the process, `memory` nothing. The memory engine gives `memory` whatever stands here.',
  reload: 'live',
})
const messagesMax = z
  .int()
  .min(1)
  .max(1_000_000_000)
  .meta({ description: 'Messages waiting in one queue. Beyond it `whenFull` says what happens.', reload: 'live' })
const bytesMax = z
  .int()
  .min(1_024)
  .max(16 * TEBIBYTE)
  .meta({
    description:
      'Bytes waiting in one queue, on disk or in memory, headers included. Beyond it `whenFull` says what happens.',
    reload: 'live',
  })
const whenFull = z.enum(['block', 'reject', 'drop-oldest']).meta({
  description:
    'What a full queue does with a new message. `block`: its publisher waits, unacknowledged, and is refused after `blockMaxSeconds`. ' +
    '`reject`: it is refused at once. `drop-oldest`: the message that waits longest goes, counted.',
  reload: 'live',
})
const blockMaxSeconds = z.int().min(0).max(86_400).meta({
  description: 'Seconds that a publisher waits for room in a full queue. Then its message is refused.',
  reload: 'live',
})
const maxDeliveries = z.int().min(0).max(1_000_000).meta({
  description:
    'Deliveries of one message, the first included. After so many failed ones it is dead-lettered. 0: no limit.',
  reload: 'live',
})
const delayMs = z
  .int()
  .min(0)
  .max(30 * DAY_MS)
  .meta({ description: 'Time in ms before the second delivery. 0: at once.', reload: 'live' })
const multiplier = z
  .number()
  .min(1)
  .max(1_000)
  .meta({ description: 'Each further delay is so many times the one before. 1 keeps it.', reload: 'live' })
const delayMaxMs = z
  .int()
  .min(0)
  .max(30 * DAY_MS)
  .meta({ description: 'Longest delay between two deliveries in ms.', reload: 'live' })
const jitter = z.number().min(0).max(1).meta({
  description:
    'Share of each delay that chance may take away, so that what failed together does not come back together.',
  reload: 'live',
})
const deadLetter = queueNameOrEmpty(
  'Queue for messages that were rejected or delivered `maxDeliveries` times in vain, with the reason and where they came from. Empty: ' +
    'they are dropped, and counted.',
)
const expiryTarget = queueNameOrEmpty(
  'Queue for messages whose time to live has ended before somebody took them. Empty: they are dropped, and counted.',
)
const ttlMs = z.int().min(0).max(TTL_MS_MAX).meta({
  description: 'Time to live in ms of messages that bring none. 0: for ever.',
  reload: 'live',
})
const ttlMaxMs = z.int().min(0).max(TTL_MS_MAX).meta({
  description: 'Longest time to live in ms; a longer one, or none, is cut to it. 0: no limit.',
  reload: 'live',
})
const exclusive = z.boolean().meta({
  description: 'Whether one consumer at a time gets the messages. The next one takes over when it goes.',
  reload: 'live',
})
const lastValueKey = z.string().max(256).meta({
  description:
    'Message property whose value is a key: of each key only the last message waits. Empty: all of them wait.',
  allowed: 'the name of a message property, of up to 256 characters, or empty',
  reload: 'live',
})
const duplicateCount = z.int().min(0).max(10_000_000).meta({
  description: 'Message ids remembered. Beyond it the oldest is forgotten. 0: duplicates are not looked for.',
  reload: 'live',
})
const duplicateSeconds = z.int().min(1).max(YEAR_SECONDS).meta({
  description: 'Seconds that a message id is remembered.',
  reload: 'live',
})
const groupBuckets = z.int().min(1).max(1_000_000).meta({
  description:
    'Message groups told apart in one queue. Beyond it several share a consumer; order inside each still holds.',
  reload: 'live',
})
const autoDeleteSeconds = z.int().min(0).max(YEAR_SECONDS).meta({
  description:
    'Seconds without messages and consumers after which a queue that was made by being used goes. 0: it stays.',
  reload: 'live',
})
const slowAfterSeconds = z
  .int()
  .min(0)
  .max(86_400)
  .meta({
    description:
      'Seconds in which the connection of a consumer takes no byte while messages wait for it; then it is slow, reported and counted. ' +
      '0: nobody looks.',
    reload: 'live',
  })
const slowThen = z.enum(['report', 'disconnect']).meta({
  description: 'What becomes of a slow consumer: `report` leaves it connected, `disconnect` ends its connection.',
  reload: 'live',
})
const forwardTo = z
  .array(z.string().refine(isForwardTarget).meta({ allowed: FORWARD_TARGET }))
  .max(FORWARDS_MAX)
  .readonly()
  .meta({
    description:
      'Where a message sent to the queue goes besides, as one with it: to all of them or to none. Queues as `$queue/NAME`, topics with `/` ' +
      'between their levels; publishers need no permission for them. Forwards of these queues are followed, each once.',
    allowed: `up to ${FORWARDS_MAX} addresses, each ${FORWARD_TARGET}`,
    reload: 'live',
  })
const forwardOnly = z.boolean().meta({
  description: 'Whether messages go to `to` only, and not into the queue itself.',
  reload: 'live',
})

const queues = z
  .strictObject({
    durability: withDefault(durability, 'fsync-local'),
    messagesMax: withDefault(messagesMax, 100_000_000),
    bytesMax: withDefault(bytesMax, 1_073_741_824),
    whenFull: withDefault(whenFull, 'block'),
    blockMaxSeconds: withDefault(blockMaxSeconds, 30),
    redelivery: z
      .strictObject({
        maxDeliveries: withDefault(maxDeliveries, 10),
        delayMs: withDefault(delayMs, 0),
        multiplier: withDefault(multiplier, 1),
        delayMaxMs: withDefault(delayMaxMs, 60_000),
        jitter: withDefault(jitter, 0),
      })
      .prefault({})
      .meta({ description: 'How often and when a message is delivered again that its consumer gave back as failed.' }),
    deadLetter: withDefault(deadLetter, 'DLQ'),
    expiryTarget: withDefault(expiryTarget, ''),
    ttlMs: withDefault(ttlMs, 0),
    ttlMaxMs: withDefault(ttlMaxMs, 0),
    exclusive: withDefault(exclusive, false),
    lastValueKey: withDefault(lastValueKey, ''),
    duplicateWindow: z
      .strictObject({ count: withDefault(duplicateCount, 0), seconds: withDefault(duplicateSeconds, 600) })
      .prefault({})
      .meta({
        description: 'How long the id of a message is remembered, so that it is taken once although sent twice.',
      }),
    groupBuckets: withDefault(groupBuckets, 65_536),
    autoCreate: z.boolean().default(true).meta({
      description:
        'Whether a queue is made when somebody publishes to its name or consumes from it for the first time. Not in policies.',
      reload: 'live',
    }),
    autoDelete: z
      .strictObject({ afterSeconds: withDefault(autoDeleteSeconds, 0) })
      .prefault({})
      .meta({ description: 'When a queue goes by itself that nobody defined.' }),
    slowConsumer: z
      .strictObject({ afterSeconds: withDefault(slowAfterSeconds, 30), action: withDefault(slowThen, 'report') })
      .prefault({})
      .meta({ description: 'When a consumer is slow, and what becomes of it.' }),
    forward: z
      .strictObject({ to: withDefault(forwardTo, []), only: withDefault(forwardOnly, false) })
      .prefault({})
      .meta({ description: 'Copies of what is sent to a queue.' }),
  })
  .prefault({})
  .meta({ description: 'What holds for every queue, where no policy says otherwise.' })

export const queuesSchema: z.ZodType<QueuesConfig> = typed<QueuesConfig>()(queues)

const policySettings = z.strictObject({
  durability: durability.optional(),
  messagesMax: messagesMax.optional(),
  bytesMax: bytesMax.optional(),
  whenFull: whenFull.optional(),
  blockMaxSeconds: blockMaxSeconds.optional(),
  redelivery: z
    .strictObject({
      maxDeliveries: maxDeliveries.optional(),
      delayMs: delayMs.optional(),
      multiplier: multiplier.optional(),
      delayMaxMs: delayMaxMs.optional(),
      jitter: jitter.optional(),
    })
    .optional(),
  deadLetter: deadLetter.optional(),
  expiryTarget: expiryTarget.optional(),
  ttlMs: ttlMs.optional(),
  ttlMaxMs: ttlMaxMs.optional(),
  exclusive: exclusive.optional(),
  lastValueKey: lastValueKey.optional(),
  duplicateWindow: z
    .strictObject({ count: duplicateCount.optional(), seconds: duplicateSeconds.optional() })
    .optional(),
  groupBuckets: groupBuckets.optional(),
  autoDelete: z.strictObject({ afterSeconds: autoDeleteSeconds.optional() }).optional(),
  slowConsumer: z.strictObject({ afterSeconds: slowAfterSeconds.optional(), action: slowThen.optional() }).optional(),
  forward: z.strictObject({ to: forwardTo.optional(), only: forwardOnly.optional() }).optional(),
})

/** Settings of some queues or of one, each of which may be left out. */
export const policySettingsSchema: z.ZodType<QueuePolicy['settings']> = typed<QueuePolicy['settings']>()(policySettings)

const policy = z.strictObject({
  match: z
    .string()
    .refine(isQueuePattern)
    .meta({
      description: 'Which queues: levels divided by dots, `*` for one level, `>` at the end for all below.',
      allowed: `a pattern of queue names of up to ${QUEUE_NAME_CHARS_MAX} characters: levels divided by dots, none empty, * and > alone in their level, > only as the last`,
    }),
  settings: policySettings.meta({ description: 'Keys of `queues`.' }),
})

export const policiesSchema: z.ZodType<readonly QueuePolicy[]> = typed<readonly QueuePolicy[]>()(
  z
    .array(policy)
    .max(POLICIES_MAX)
    .readonly()
    .default([])
    .meta({
      description:
        'What holds for some queues, in place of `queues`. Each has `match`, a pattern of names (levels divided by dots, `*` for one level, ' +
        '`>` at the end for all below: `orders.>` is `orders` too), and `settings`, any keys of ' +
        '`queues`. All policies that match a queue count, one key at a time; ' +
        'of several that set the same key the last in the list wins, so the general ones come first.',
      reload: 'live',
    }),
)

/** What is said about the values is said about the key. */
function withDefault<S extends z.ZodType>(schema: S, value: Exclude<z.output<S>, undefined>): z.ZodDefault<S> {
  return z._default(schema, () => value).meta(schema.meta() ?? {})
}

function queueNameOrEmpty(description: string) {
  return z
    .string()
    .refine((text) => text === '' || isQueueName(text))
    .meta({ description, allowed: EMPTY_OR_QUEUE_NAME, reload: 'live' })
}
