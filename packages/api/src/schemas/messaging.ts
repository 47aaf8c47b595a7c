/** Schemas of publishing and taking over HTTP. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { VhostParams } from '../page.ts'
import {
  type PublishBody,
  type Published,
  publishMessage,
  type SettleBody,
  type Settled,
  settleMessages,
  subscribeEvents,
  type TakeBody,
  type TakenMessage,
  takeMessages,
} from '../resources/messaging.ts'
import {
  ADDRESS_CHARS_MAX,
  choice,
  component,
  count,
  flag,
  list,
  listOf,
  moment,
  name,
  schemasFor,
  type SchemaEntry,
  text,
  TEXT_CHARS_MAX,
  vhost,
  whole,
} from './fields.ts'
import { messageBody, messageFields, properties, selector, waitMs } from './messages.ts'

/** Characters of a body; base64 of 12 MiB. */
const BODY_CHARS_MAX = 16_777_216
/** Messages of one call of `take`. */
const TAKE_MAX = 256
const LOCK_MS_MAX = 3_600_000
/** Longer ones are a mistake. */
const TTL_MS_MAX = 36_525 * 86_400_000

const publishBody = component(
  'Publish',
  typed<PublishBody>()(
    z.strictObject({
      address: address('Queue or topic.', 'queue://orders'),
      body: z
        .string()
        .max(BODY_CHARS_MAX)
        .meta({ description: 'The body, as `encoding` says.', examples: ['{"article":7}'] }),
      encoding: choice(['text', 'base64'], 'How the body is written here; `text` when left out.').optional(),
      contentType: text('Content type.', 'application/json', TEXT_CHARS_MAX).optional(),
      contentEncoding: text('Encoding of the body.', 'gzip', TEXT_CHARS_MAX).optional(),
      durable: flag('Whether it is kept over a restart; `true` when left out.').optional(),
      priority: count('0 to 9; 4 when left out.', 4, 9).optional(),
      ttlMs: count('Time to live; for ever when left out.', 60_000, TTL_MS_MAX).optional(),
      delayMs: count('How long until it is sent; at once when left out.', 5_000, TTL_MS_MAX).optional(),
      retain: flag('Whether a topic keeps it for new subscribers.', false).optional(),
      messageId: text('Message id.', 'o-1001', TEXT_CHARS_MAX).optional(),
      correlationId: text('Correlation id.', 'c-77', TEXT_CHARS_MAX).optional(),
      replyTo: text('Where an answer is wanted.', 'queue://replies', ADDRESS_CHARS_MAX).optional(),
      type: text('Type.', 'order', TEXT_CHARS_MAX).optional(),
      groupId: text('Message group.', 'customer-42', TEXT_CHARS_MAX).optional(),
      appId: text('Application that publishes it.', 'shop', TEXT_CHARS_MAX).optional(),
      properties: z
        .record(z.string().max(TEXT_CHARS_MAX), z.string().max(ADDRESS_CHARS_MAX))
        .meta({ description: 'Properties, up to 1,000.', examples: [{ colour: 'red' }] })
        .optional(),
    }),
  ),
)

const published = component(
  'Published',
  typed<Published>()(
    z.strictObject({ outcome: choice(['routed', 'unmatched'], '`unmatched`: nobody wanted the message.') }),
  ),
)

const takeBody = component(
  'Take',
  typed<TakeBody>()(
    z.strictObject({
      address: address('Queue.', 'queue://orders'),
      max: z
        .int()
        .min(1)
        .max(TAKE_MAX)
        .meta({ description: 'Messages at most; 1 when left out.', examples: [10] })
        .optional(),
      waitMs: waitMs('How long to wait for the first; not at all when left out.'),
      lockMs: z
        .int()
        .min(1_000)
        .max(LOCK_MS_MAX)
        .meta({ description: 'How long they are kept for the caller; 30,000 when left out.', examples: [30_000] })
        .optional(),
      selector: selector('Only what this selector wants.'),
      autoSettle: flag('Settle them as they are handed out: at most once.', false).optional(),
    }),
  ),
)

const taken = component(
  'TakenMessage',
  typed<TakenMessage>()(
    z.strictObject({
      ...messageFields,
      delivery: text('Names the delivery to `settle`; empty for one that is settled.', 'd-311'),
      properties: properties(),
      body: messageBody,
      lockedUntilMs: moment('When it goes back unless it is settled; 0 for one that is.'),
    }),
  ),
)

const settleBody = component(
  'Settle',
  typed<SettleBody>()(
    z.strictObject({
      deliveries: listOf(name('Delivery.', 'd-311'), 'What is settled.').meta({ examples: [['d-311']] }),
      outcome: choice(
        ['accepted', 'rejected', 'released', 'modified', 'extend'],
        '`modified`: a failed attempt that counts. `extend` keeps the lock for another `lockMs`.',
      ),
      reason: text('Of `rejected`: it stays with the dead letter.', 'unknown article', TEXT_CHARS_MAX).optional(),
    }),
  ),
)

const settled = component(
  'Settled',
  typed<Settled>()(
    z.strictObject({
      settledCount: count('Deliveries that are settled.', 1),
      unknown: list(text('Delivery.', 'd-300'), 'Those that went back before, or never were.'),
    }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))

export const messagingSchemas: readonly SchemaEntry[] = [
  schemasFor(publishMessage, { params: vhostParams, body: publishBody, answer: published }),
  schemasFor(takeMessages, { params: vhostParams, body: takeBody, answer: whole(taken) }),
  schemasFor(settleMessages, { params: vhostParams, body: settleBody, answer: settled }),
  schemasFor(subscribeEvents, {
    params: vhostParams,
    query: z.strictObject({ address: address('Topic.', 'topic://plant.*.state') }),
  }),
]

function address(description: string, example: string): z.ZodString {
  return name(`${description} As \`resolve\` reads it with protocol \`rest\`.`, example, ADDRESS_CHARS_MAX)
}
