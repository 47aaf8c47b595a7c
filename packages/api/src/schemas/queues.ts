/** Schemas of queues and their consumers. */
import { policySettingsSchema, typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { ListQuery, VhostParams } from '../page.ts'
import {
  type ConsumerItem,
  deleteQueue,
  getQueue,
  listConsumers,
  listQueues,
  pauseQueue,
  purgeQueue,
  type Purged,
  putQueue,
  type QueueDetail,
  type QueueItem,
  type QueueParams,
  type QueueQuery,
  type QueueSettingsInput,
  resumeQueue,
  type SettingSource,
} from '../resources/queues.ts'
import {
  ADDRESS_CHARS_MAX,
  amount,
  choice,
  component,
  count,
  flag,
  list,
  listQuery,
  page,
  queueName,
  schemasFor,
  type SchemaEntry,
  type Shape,
  text,
  unhealthy,
  vhost,
} from './fields.ts'

const KINDS = ['queue', 'subscription', 'temporary'] as const

export const queueSettings: z.ZodType<QueueSettingsInput> = component(
  'QueueSettings',
  policySettingsSchema.meta({
    description: 'Keys of `queues` in the configuration; what is left out comes from policies and defaults.',
    examples: [{ messagesMax: 10_000, whenFull: 'reject' }],
  }),
)

const queueFields: Shape<QueueItem> = {
  name: text('Name.', 'orders'),
  kind: choice(
    KINDS,
    '`subscription`: a durable or shared subscription of topics has it. `temporary`: it goes with a connection.',
  ),
  durability: text('What an acknowledged persistent message in it survives.', 'fsync-local'),
  automatic: flag('Whether it was made by being used.', false),
  paused: flag('Whether nothing is handed out.', false),
  blocking: flag('Whether publishers wait for room in it.', false),
  readyCount: count('Messages that wait.', 1042),
  readyBytes: count('Bytes that wait.', 266_752),
  inflightCount: count('Messages delivered and not settled.', 12),
  delayedCount: count('Messages that failed and wait for the next attempt.', 0),
  oldestAgeMs: count('Age of the oldest message in it, of those that are not in memory only.', 8_200).optional(),
  consumerCount: count('Consumers.', 3),
  messagesIn: count('Messages that came in.', 90_210),
  messagesOut: count('Deliveries.', 89_172),
  settledCount: count('Deliveries that were settled.', 89_160),
  redeliveredCount: count('Deliveries that were not the first of their message.', 4),
  deadLetteredCount: count('Messages that became dead letters.', 2),
  expiredCount: count('Messages whose time to live ended.', 0),
  droppedCount: count('Messages dropped because it was full.', 0),
  inPerSecond: amount('Messages a second in; left out until there are two samples.', 120).optional(),
  outPerSecond: amount('Messages a second out; left out until there are two samples.', 118).optional(),
  deadLetter: text('Queue for what it cannot deliver; empty when there is none.', 'DLQ'),
  isDeadLetter: flag('Whether other queues send here what they cannot deliver.', false),
  problem: text(
    'Why it does not get on; left out when all is well.',
    '1,042 messages wait and nobody reads',
  ).optional(),
}

const queue = component('Queue', typed<QueueItem>()(z.strictObject(queueFields)))

const consumer = component(
  'Consumer',
  typed<ConsumerItem>()(
    z.strictObject({
      queue: text('Queue that it reads from.', 'orders'),
      clientId: text('Client id.', 'worker-1'),
      user: text('User.', 'shop'),
      protocol: text('Protocol.', 'AMQP 1.0'),
      connectionId: text('Id of its connection.', '17').optional(),
      attached: flag('Whether its client is connected.'),
      credit: count('Deliveries that it may still get.', 88),
      unsettledCount: count('Deliveries that it has not settled.', 12),
      priority: z.int().meta({ description: 'Higher ones get messages first.', examples: [0] }),
      exclusive: flag('Whether it is the only one that gets messages.', false),
      browsing: flag('Whether it only looks.', false),
      selector: text('What it wants, when it does not want all.', "colour = 'red'").optional(),
    }),
  ),
)

const setting = component(
  'SettingSource',
  typed<SettingSource>()(
    z.strictObject({
      key: text('Key.', 'messagesMax'),
      value: z.unknown().meta({ description: 'Value as it counts.', examples: [10_000] }),
      from: choice(['default', 'policy', 'queue'], 'Where the value is from.'),
      policy: text('Id of the policy that it is from.', 'big-queues').optional(),
    }),
  ),
)

const queueDetail = component(
  'QueueDetail',
  typed<QueueDetail>()(
    z.strictObject({
      ...queueFields,
      settings: queueSettings,
      effective: list(setting, 'Every key as it counts.'),
      bindings: list(text('Topic pattern.', 'shop/orders/#'), 'Topic patterns whose messages come into it.'),
      consumers: list(consumer, 'Who reads from it.'),
    }),
  ),
)

const purged = component(
  'Purged',
  typed<Purged>()(
    z.strictObject({ count: count('Messages that are gone.', 12), bytes: count('Bytes that are gone.', 3_072) }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const queueParams = typed<QueueParams>()(z.strictObject({ ...vhost(), queue: queueName() }))

const queueQuery = typed<QueueQuery>()(
  z.strictObject({
    ...listQuery('-readyCount'),
    unhealthy: unhealthy(),
    kind: choice(KINDS, 'Only of this kind.').optional(),
    deadLetters: flag('Only those that hold dead letters of others; with `false`, only the others.').optional(),
    nonEmpty: flag('Only those with messages.').optional(),
  }),
)

const deleteQuery = z.strictObject({
  ifEmpty: flag('Refuse when there are messages in it.').optional(),
  ifUnused: flag('Refuse when somebody reads from it.').optional(),
})

export const queueSchemas: readonly SchemaEntry[] = [
  schemasFor(listQueues, { params: vhostParams, query: queueQuery, answer: page(queue) }),
  schemasFor(getQueue, { params: queueParams, answer: queueDetail }),
  schemasFor(putQueue, {
    params: queueParams,
    body: z.strictObject({ settings: queueSettings.optional() }),
    answer: queueDetail,
  }),
  schemasFor(deleteQueue, { params: queueParams, query: deleteQuery, answer: purged }),
  schemasFor(purgeQueue, { params: queueParams, answer: purged }),
  schemasFor(pauseQueue, { params: queueParams, answer: queue }),
  schemasFor(resumeQueue, { params: queueParams, answer: queue }),
  schemasFor(listConsumers, {
    params: vhostParams,
    query: typed<ListQuery & { readonly queue?: string | undefined }>()(
      z.strictObject({
        ...listQuery('queue'),
        queue: text('Only of this queue.', 'orders', ADDRESS_CHARS_MAX).optional(),
      }),
    ),
    answer: page(consumer),
  }),
]
