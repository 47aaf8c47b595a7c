/** Looks into queues without changing them. A page is as much as is held of a queue, however long it is. */
import {
  browseMessages,
  type BrowseQuery,
  browseSession,
  downloadBody,
  getMessage,
  type MessageItem,
  type MessageParams,
  type Page,
  PAGE_LIMIT_DEFAULT,
} from '@ternmq/api'
import {
  arrivalsOf,
  browse,
  type BrowsedEntry,
  browseOne,
  type BrowsedPage,
  parseEntryId,
  type Queue,
} from '@ternmq/core'
import { ApiError } from './errors.ts'
import { bind, type Bound, type Caller } from './handlers.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { browseCheck, type MessageCheck, queueToBrowse } from './message-access.ts'
import { detailOf, itemOf } from './message-item.ts'
import { readSelector } from './message-selector.ts'
import { vhostOf } from './vhost.ts'

export function messagesHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(browseMessages, async ({ params, query, caller }) => {
      const { queue } = queueToBrowse(broker, params, caller)
      return toPage(broker, await pageOf(queue, query), queue, query)
    }),
    bind(getMessage, async ({ params, query, caller }) => {
      const entry = await entryOf(broker, params, caller)
      const [arrivedAtMs] = await arrivalsOf(broker.vhost, [entry.message])
      return detailOf(entry, arrivedAtMs, query.bodyBytesMax)
    }),
    bind(downloadBody, async ({ params, caller }) => (await entryOf(broker, params, caller)).message.foreignBody),
    bind(browseSession, async ({ params, query, caller }) => {
      const session = vhostOf(broker, params).sessions.find(params.clientId)
      if (session === undefined) {
        const detail = `there is no session of client id '${params.clientId}'`
        throw new ApiError('SESSION_UNKNOWN', detail, { field: 'clientId', value: params.clientId })
      }
      const check = browseCheck(broker, caller)
      return toPage(broker, await pageOf(session.queue, query, check), session.queue, query)
    }),
  ]
}

/** Throws ApiError('MESSAGE_GONE'). */
async function entryOf(broker: ManagedBroker, params: MessageParams, caller: Caller): Promise<BrowsedEntry> {
  const { queue } = queueToBrowse(broker, params, caller)
  const entry = await browseOne(queue, params.id)
  if (entry !== undefined) return entry
  const detail = `message '${params.id}' is not in queue '${params.queue}': it was taken, moved or deleted, or it never was there`
  throw new ApiError('MESSAGE_GONE', detail, { field: 'id', value: params.id })
}

const CURSOR_RULE = '`next` of a page of this list'

/** A cursor is the last entry of its page. Throws ApiError('INVALID') for a text that is none. */
function pageOf(
  queue: Queue,
  { cursor, limit = PAGE_LIMIT_DEFAULT, selector }: BrowseQuery,
  check?: MessageCheck,
): Promise<BrowsedPage> {
  if (cursor !== undefined && parseEntryId(cursor) === undefined) {
    throw new ApiError('INVALID', `'${cursor}' is no cursor of this list`, {
      field: 'cursor',
      value: cursor,
      rule: CURSOR_RULE,
    })
  }
  return browse(queue, {
    limit,
    selector: readSelector(selector),
    check,
    ...(cursor !== undefined && { after: cursor }),
  })
}

/** Counting what a selector wants would mean reading it. */
async function toPage(
  { vhost }: ManagedBroker,
  { entries, cursor }: BrowsedPage,
  queue: Queue,
  { selector }: BrowseQuery,
): Promise<Page<MessageItem>> {
  const arrivals = await arrivalsOf(
    vhost,
    entries.map(({ message }) => message),
  )
  const total = selector === undefined ? queue.waitingCount + queue.inflightCount : undefined
  return { items: entries.map((entry, index) => itemOf(entry, arrivals[index])), next: cursor, total }
}
