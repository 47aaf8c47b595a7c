/** Schemas of topics, retained messages, and what is to be sent later. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { ListQuery, VhostParams } from '../page.ts'
import {
  cancelSchedule,
  deleteRetained,
  getRetained,
  listRetained,
  listSchedules,
  listTopics,
  type RetainedDetail,
  type RetainedItem,
  type RetainedQuery,
  type ScheduleItem,
  type TopicNode,
  type TopicQuery,
} from '../resources/topics.ts'
import {
  ADDRESS_CHARS_MAX,
  component,
  count,
  cursorAndLimit,
  flag,
  listQuery,
  moment,
  name,
  page,
  schemasFor,
  type SchemaEntry,
  type Shape,
  text,
  vhost,
} from './fields.ts'
import { messageBody, messageFields, properties } from './messages.ts'

const topic = component(
  'Topic',
  typed<TopicNode>()(
    z.strictObject({
      name: text('The level.', 'plant'),
      topic: text('The whole topic.', 'plant'),
      hasChildren: flag('Whether there are levels below.'),
      subscriptionCount: count('Subscriptions whose filter is just this.', 2),
      retained: flag('Whether it has a retained message.', false),
    }),
  ),
)

const retainedFields: Shape<RetainedItem> = {
  topic: text('Topic.', 'plant/7/state'),
  bytes: count('Size with headers.', 96),
  bodyBytes: count('Size of the body.', 2),
  publisher: text('Client id of who published it.', 'sensor-7').optional(),
  format: text('Protocol that it came in.', 'mqtt5'),
  arrivedAtMs: moment('When its topic got it; left out for what is in memory only.').optional(),
  expiresAtMs: moment('When it ends; left out: never.', 1_795_798_800_000).optional(),
}

const retained = component('Retained', typed<RetainedItem>()(z.strictObject(retainedFields)))

const retainedDetail = component(
  'RetainedDetail',
  typed<RetainedDetail>()(
    z.strictObject({
      ...retainedFields,
      message: z.strictObject(messageFields).meta({ description: 'The message.' }),
      properties: properties(),
      body: messageBody,
    }),
  ),
)

const schedule = component(
  'Schedule',
  typed<ScheduleItem>()(
    z.strictObject({
      id: text('Id.', 's-9'),
      address: text('Where it is sent: a topic, or `$queue/NAME`.', '$queue/reports'),
      user: text('Who scheduled it, and must be allowed to send it when it is due; empty where that is not known.', 'reporter'),
      nextAtMs: moment('When it is sent next.', 1_795_798_800_000),
      cron: text('Cron expression; empty when there is none.', '0 6 * * *'),
      periodMs: count('Time between two; 0: it is sent once.', 0),
      left: z
        .int()
        .min(0)
        .nullable()
        .meta({ description: 'How often yet; null: without end.', examples: [3] }),
      durable: flag('Whether it is kept over a restart.'),
    }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const topicParams = z.strictObject({ ...vhost(), topic: name('Topic.', 'plant/7/state', ADDRESS_CHARS_MAX) })

const topicQuery = typed<TopicQuery>()(
  z.strictObject({
    ...cursorAndLimit(),
    parent: text(
      'Topic whose children are wanted; left out: the first levels.',
      'plant/7',
      ADDRESS_CHARS_MAX,
    ).optional(),
  }),
)

const retainedQuery = typed<RetainedQuery>()(
  z.strictObject({
    ...cursorAndLimit(),
    filter: text('Topic filter as in MQTT; `#` when left out.', 'plant/+/state', ADDRESS_CHARS_MAX).optional(),
  }),
)

export const topicSchemas: readonly SchemaEntry[] = [
  schemasFor(listTopics, { params: vhostParams, query: topicQuery, answer: page(topic) }),
  schemasFor(listRetained, { params: vhostParams, query: retainedQuery, answer: page(retained) }),
  schemasFor(getRetained, { params: topicParams, answer: retainedDetail }),
  schemasFor(deleteRetained, { params: topicParams }),
  schemasFor(listSchedules, {
    params: vhostParams,
    query: typed<ListQuery>()(z.strictObject(listQuery('nextAtMs'))),
    answer: page(schedule),
  }),
  schemasFor(cancelSchedule, { params: z.strictObject({ ...vhost(), id: name('Id of the schedule.', 's-9') }) }),
]
