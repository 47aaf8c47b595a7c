/** Retained messages: the last one of each topic that was to stay. */
import {
  deleteRetained,
  getRetained,
  listRetained,
  type Page,
  PAGE_LIMIT_DEFAULT,
  type RetainedDetail,
  type RetainedItem,
  type RetainedQuery,
} from '@ternmq/api'
import { arrivalsOf, type Message, type PatternLevel, retainedPage, type VirtualHost } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import { whenLasting } from '../lasting.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { checkMayBrowseTopic, checkMayManage } from '../messages/message-access.ts'
import { bodyOf } from '../messages/message-body.ts'
import { factsOf } from '../messages/message-item.ts'
import { cursorAt, placeAt } from '../paging.ts'
import { filterLevels } from './pattern-text.ts'
import { vhostOf } from '../vhost.ts'

export function retainedHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(listRetained, ({ params, query }) => list(vhostOf(broker, params), query)),
    bind(getRetained, async ({ params, caller }) => {
      const vhost = vhostOf(broker, params)
      const message = messageOf(vhost, params.topic)
      checkMayBrowseTopic(broker, params.topic, caller)
      const [arrivedAtMs] = await arrivalsOf(vhost, [message])
      return detailOf(message, arrivedAtMs)
    }),
    bind(deleteRetained, async ({ params, caller, note }) => {
      const vhost = vhostOf(broker, params)
      checkMayManage(broker, params.topic, caller)
      const { publisher = '' } = messageOf(vhost, params.topic)
      vhost.clearRetained(params.topic.split('/'))
      note(`forgot the retained message of topic '${params.topic}', which client '${publisher}' published`)
      await whenLasting(vhost)
      return {}
    }),
  ]
}

async function list(
  vhost: VirtualHost,
  { filter = '#', cursor, limit = PAGE_LIMIT_DEFAULT }: RetainedQuery,
): Promise<Page<RetainedItem>> {
  const listName = `retained ${filter}`
  const page = retainedPage(vhost, { pattern: patternOf(filter), after: placeAt(listName, cursor)?.toString(), limit })
  const arrivals = await arrivalsOf(vhost, page.messages)
  return {
    items: page.messages.map((message, index) => itemOf(message, arrivals[index])),
    ...(page.cursor !== undefined && { next: cursorAt(listName, page.cursor) }),
  }
}

const FILTER_RULE = "an MQTT topic filter: '+' stands for one whole level, '#' for all that follow, last"

/** Throws ApiError('INVALID') where MQTT would refuse the filter. [MQTT5-4.7.1-1] [MQTT5-4.7.1-2] */
function patternOf(filter: string): PatternLevel[] {
  const parts = filter.split('/')
  const wrong = parts.find((level, index) =>
    level.length > 1 ? /[+#]/.test(level) : level === '#' && index < parts.length - 1,
  )
  if (filter !== '' && wrong === undefined) return filterLevels(filter)
  const what = filter === '' ? 'the filter is empty' : `level '${wrong}' of the filter cannot stand where it does`
  throw new ApiError('INVALID', `${what}; ${FILTER_RULE}`, { field: 'filter', value: filter, rule: FILTER_RULE })
}

/** Throws ApiError('TOPIC_UNKNOWN'). What has expired is not there, and stays until its time to go. */
function messageOf({ retained, env }: VirtualHost, topic: string): Message {
  const message = retained.get(topic.split('/'))
  if (message !== undefined && (message.expiresAtMs === 0 || message.expiresAtMs > env.clock.wallMs())) return message
  throw new ApiError('TOPIC_UNKNOWN', `topic '${topic}' has no retained message`, { field: 'topic', value: topic })
}

function itemOf(message: Message, arrivedAtMs: number | undefined): RetainedItem {
  const { address: topic, bytes, bodyBytes, publisher, format, expiresAtMs } = factsOf(message)
  return {
    topic,
    bytes,
    bodyBytes,
    ...(publisher !== undefined && { publisher }),
    format,
    ...(arrivedAtMs !== undefined && { arrivedAtMs }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  }
}

function detailOf(message: Message, arrivedAtMs: number | undefined): RetainedDetail {
  return {
    ...itemOf(message, arrivedAtMs),
    message: { ...factsOf(message, arrivedAtMs), redelivered: false, failedCount: 0 },
    properties: message.headers.properties,
    body: bodyOf(message.foreignBody),
  }
}
