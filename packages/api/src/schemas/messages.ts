/** Schemas of messages in queues, of what is done to them, and of dead letters. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { VhostParams } from '../page.ts'
import {
  type ActionBody,
  actOnMessages,
  browseMessages,
  type BrowseQuery,
  browseSession,
  cancelOperation,
  type DeadLetterGroup,
  type DeadLetterInfo,
  type DeadLetterQueue,
  downloadBody,
  getMessage,
  getOperation,
  listDeadLetters,
  listOperations,
  type MessageBody,
  type MessageDetail,
  type MessageItem,
  type MessageParams,
  type OperationItem,
  type PeekQuery,
  resumeOperation,
} from '../resources/messages.ts'
import type { QueueParams } from '../resources/queues.ts'
import {
  ADDRESS_CHARS_MAX,
  choice,
  component,
  count,
  cursorAndLimit,
  flag,
  list,
  listOf,
  moment,
  name,
  page,
  queueName,
  schemasFor,
  type SchemaEntry,
  type Shape,
  text,
  TEXT_CHARS_MAX,
  vhost,
  WAIT_MS_MAX,
  whole,
} from './fields.ts'

/** Messages that one action may name; more are wanted by a selector. */
const IDS_MAX = 10_000
/** Bytes of a body that come with a message; all of them are at `…/body`. */
const PEEK_BYTES_MAX = 4_194_304

const deadLetter = component(
  'DeadLetter',
  typed<DeadLetterInfo>()(
    z.strictObject({
      cause: text('What made it one.', 'rejected'),
      reason: text('What its consumer said.', 'unknown article').optional(),
      originalQueue: text('Queue that it came from.', 'orders').optional(),
      originalAddress: text('What it was published to.', '$queue/orders').optional(),
      atMs: moment('When it became one.').optional(),
    }),
  ),
)

/** Of a message wherever it is: in a queue, retained, taken. */
export const messageFields: Shape<Omit<MessageItem, 'id' | 'state'>> = {
  address: text('What it was published to: a topic, or `$queue/NAME`.', '$queue/orders'),
  bytes: count('Size with headers.', 256),
  bodyBytes: count('Size of the body.', 120),
  durable: flag('Whether it is kept over a restart.'),
  priority: count('0 to 9; 4 is the usual.', 4, 255),
  arrivedAtMs: moment(
    'When it came to where it is, once moved by being moved; left out for what is in memory only.',
  ).optional(),
  expiresAtMs: moment('When it ends; left out: never.', 1_795_798_800_000).optional(),
  publisher: text('Client id of who published it.', 'shop-1').optional(),
  redelivered: flag('Whether it was delivered before.', false),
  failedCount: count('Deliveries that failed.', 0),
  format: text('Protocol that it came in.', 'amqp10'),
  messageId: text('Message id that its publisher gave.', 'o-1001').optional(),
  correlationId: text('Correlation id.', 'c-77').optional(),
  contentType: text('Content type.', 'application/json').optional(),
  contentEncoding: text('Encoding of the body, which the broker does not unpack.', 'gzip').optional(),
  replyTo: text('Where an answer is wanted.', '$queue/replies').optional(),
  type: text('Type that its publisher gave.', 'order').optional(),
  groupId: text('Message group.', 'customer-42').optional(),
  timestampMs: moment('When its publisher made it.').optional(),
  appId: text('Application that published it.', 'shop').optional(),
  userId: text('User that published it, where that is verified.', 'ann').optional(),
  deadLetter: deadLetter.optional(),
  withheld: text(
    'Of a dead letter whose origin the caller may not look into: which permission is missing. What its publisher gave is left out then.',
    "user 'ann' may not browse queue 'orders', where it died; it needs the permission 'browse' of '$queue/orders'",
  ).optional(),
}

export const messageBody: z.ZodType<MessageBody> = component(
  'MessageBody',
  typed<MessageBody>()(
    z.strictObject({
      encoding: choice(['text', 'json', 'base64'], '`base64` for what is no UTF-8.', 'json'),
      value: text('The body, as `encoding` says.', '{"article":7}'),
      bytes: count('Size of the whole body.', 13),
      truncated: flag('Whether only the first bytes are here.', false),
    }),
  ),
)

export function properties(): z.ZodType<ReadonlyArray<readonly [key: string, value: string]>> {
  return list(
    z
      .tuple([z.string(), z.string()])
      .readonly()
      .meta({ examples: [['colour', 'red']] }),
    'Properties in the order received; keys may come again.',
  )
}

const itemFields: Shape<MessageItem> = {
  id: text('Names it as long as it is in the queue and the process lives.', 'm-5041'),
  state: choice(['waiting', 'in flight'], 'Whether somebody has it.'),
  ...messageFields,
}

const message = component('Message', typed<MessageItem>()(z.strictObject(itemFields)))

const messageDetail = component(
  'MessageDetail',
  typed<MessageDetail>()(
    z.strictObject({
      ...itemFields,
      properties: properties(),
      annotations: z
        .record(z.string(), z.union([z.string(), z.number()]))
        .meta({ description: 'What the broker noted on it.', examples: [{ 'x-cause': 'rejected' }] }),
      body: messageBody,
    }),
  ),
)

const ACTIONS = ['move', 'copy', 'delete', 'retry'] as const

const actionBody = component(
  'Action',
  typed<ActionBody>()(
    z.strictObject({
      action: choice(ACTIONS, '`retry`: dead letters go back to where they came from, or to `target`.'),
      ids: listOf(name('Id of a message.', 'm-5041'), 'These messages.', IDS_MAX).optional(),
      selector: selector('All that this selector wants.'),
      all: flag('All messages.').optional(),
      limit: count('Messages at most, the first in the order of the queue.', 1_000).optional(),
      target: queueName().optional(),
      perSecond: z
        .number()
        .min(0.01)
        .max(1_000_000)
        .meta({ description: 'Messages a second; as fast as it goes when left out.', examples: [100] })
        .optional(),
    }),
  ),
).meta({ examples: [{ action: 'move', ids: ['m-5041'], target: 'orders-later' }] })

const operation = component(
  'Operation',
  typed<OperationItem>()(
    z.strictObject({
      id: text('Id.', 'op-12'),
      action: choice([...ACTIONS, 'apply', 'purge'], 'What is done.'),
      queue: text('Queue that it is done in.', 'DLQ'),
      target: text('Queue that messages go to.', 'orders').optional(),
      user: text('Who began it.', 'ann'),
      state: choice(['running', 'done', 'stopped', 'cancelled', 'failed', 'interrupted'], 'Whether it goes on.'),
      total: count('What it will come to, as far as that is known.', 1042).optional(),
      doneCount: count('Messages that are done.', 400),
      skippedCount: count('Messages left where they are: there is no queue to send them to.', 0),
      refusedCount: count('Messages refused by their target.', 0),
      missingIds: list(
        text('Id.', 'm-5041'),
        'Where ids were given: those of no message that waited when it began; others took them, or they never were there.',
      ).optional(),
      reason: text(
        'What is in the way, or why the first was left where it is.',
        "queue 'orders' is full: it has 1000 messages, its messagesMax is 1000",
      ).optional(),
      startedAtMs: moment('When it began.'),
      endedAtMs: moment('When it ended.').optional(),
      canResume: flag('Whether `resume` goes on with it.', false),
    }),
  ),
)

const deadLetterGroup = component(
  'DeadLetterGroup',
  typed<DeadLetterGroup>()(
    z.strictObject({
      cause: text('What made them dead letters.', 'rejected'),
      originalQueue: text('Queue that they came from.', 'orders').optional(),
      reason: text('What their consumers said.', 'unknown article').optional(),
      otherReasonsCount: count(
        'In place of a reason: the rest of this cause and origin, of so many reasons that have no group of their own.',
        595,
      ).optional(),
      count: count('How many.', 12),
      oldestAtMs: moment('When the oldest became one.').optional(),
    }),
  ),
)

const deadLetterQueue = component(
  'DeadLetterQueue',
  typed<DeadLetterQueue>()(
    z.strictObject({
      queue: text('Queue.', 'DLQ'),
      readyCount: count('Messages in it.', 12),
      groups: list(deadLetterGroup, 'Of the messages that were looked at, by cause, origin and reason; the rest last.'),
      lookedAtCount: count('Messages that were looked at.', 12),
    }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const queueParams = typed<QueueParams>()(z.strictObject({ ...vhost(), queue: queueName() }))
const messageParams = typed<MessageParams>()(
  z.strictObject({ ...vhost(), queue: queueName(), id: name('Id of the message.', 'm-5041') }),
)
const operationParams = z.strictObject({ id: name('Id of the operation.', 'op-12') })
const browseQuery = typed<BrowseQuery>()(
  z.strictObject({ ...cursorAndLimit(), selector: selector('Only what this selector wants.') }),
)
const peekQuery = typed<PeekQuery>()(
  z.strictObject({
    bodyBytesMax: count('Most bytes of the body; 65,536 when left out.', 65_536, PEEK_BYTES_MAX).optional(),
  }),
)
const waitQuery = z.strictObject({ waitMs: waitMs('How long to wait for it to end.') })

export const messageSchemas: readonly SchemaEntry[] = [
  schemasFor(browseMessages, { params: queueParams, query: browseQuery, answer: page(message) }),
  schemasFor(getMessage, { params: messageParams, query: peekQuery, answer: messageDetail }),
  schemasFor(downloadBody, { params: messageParams, answer: z.instanceof(Uint8Array) }),
  schemasFor(browseSession, {
    params: z.strictObject({ ...vhost(), clientId: name('Client id.', 'sensor-7', ADDRESS_CHARS_MAX) }),
    query: browseQuery,
    answer: page(message),
  }),
  schemasFor(actOnMessages, { params: queueParams, query: waitQuery, body: actionBody, answer: operation }),
  schemasFor(listOperations, { answer: whole(operation) }),
  schemasFor(getOperation, { params: operationParams, query: waitQuery, answer: operation }),
  schemasFor(cancelOperation, { params: operationParams, answer: operation }),
  schemasFor(resumeOperation, { params: operationParams, answer: operation }),
  schemasFor(listDeadLetters, { params: vhostParams, answer: whole(deadLetterQueue) }),
]

export function selector(description: string): z.ZodOptional<z.ZodString> {
  return text(`${description} SQL-92: \`priority > 4\`.`, "colour = 'red'", TEXT_CHARS_MAX).optional()
}

export function waitMs(description: string): z.ZodOptional<z.ZodInt> {
  return count(description, 2_000, WAIT_MS_MAX).optional()
}
