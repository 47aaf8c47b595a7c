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
  type BrowseOptions,
  type BrowsedPage,
  parseEntryId,
  type Queue,
} from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { browseCheck, queueToBrowse, type Withholding, withholdingFrom } from './message-access.ts'
import { detailOf, itemOf, withheldItemOf } from './message-item.ts'
import { readSelector } from './message-selector.ts'
import { vhostOf } from '../vhost.ts'

export function messagesHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(browseMessages, async ({ params, query, caller }) => {
      const { queue } = queueToBrowse(broker, params, caller)
      const withholding = withholdingFrom(broker, caller)
      const page = await pageOf(queue, query, { mayMatch: (message) => withholding(message) === undefined })
      return toPage(broker, page, queue, query, withholding)
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
      return toPage(broker, await pageOf(session.queue, query, { check }), session.queue, query, () => undefined)
    }),
  ]
}

/** Throws ApiError('MESSAGE_GONE'), and ApiError('NOT_ALLOWED') for who may not see it. */
async function entryOf(broker: ManagedBroker, params: MessageParams, caller: Caller): Promise<BrowsedEntry> {
  const { queue } = queueToBrowse(broker, params, caller)
  const entry = await browseOne(queue, params.id)
  if (entry !== undefined) {
    const refusal = withholdingFrom(broker, caller)(entry.message)
    if (refusal === undefined) return entry
    throw new ApiError('NOT_ALLOWED', refusal, { field: 'id', value: params.id, rule: 'browse' })
  }
  const detail = `message '${params.id}' is not in queue '${params.queue}': it was taken, moved or deleted, or it never was there`
  throw new ApiError('MESSAGE_GONE', detail, { field: 'id', value: params.id })
}

const CURSOR_RULE = '`next` of a page of this list'

/** A cursor is the last entry of its page. Throws ApiError('INVALID') for a text that is none. */
function pageOf(
  queue: Queue,
  { cursor, limit = PAGE_LIMIT_DEFAULT, selector }: BrowseQuery,
  checks: Pick<BrowseOptions, 'check' | 'mayMatch'>,
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
    ...checks,
    ...(cursor !== undefined && { after: cursor }),
  })
}

/** Counting what a selector wants would mean reading it. */
async function toPage(
  { vhost }: ManagedBroker,
  { entries, cursor }: BrowsedPage,
  queue: Queue,
  { selector }: BrowseQuery,
  withholding: Withholding,
): Promise<Page<MessageItem>> {
  const arrivals = await arrivalsOf(
    vhost,
    entries.map(({ message }) => message),
  )
  const total = selector === undefined ? queue.waitingCount + queue.inflightCount : undefined
  const items = entries.map((entry, index) => {
    const withheld = withholding(entry.message)
    return withheld === undefined ? itemOf(entry, arrivals[index]) : withheldItemOf(entry, arrivals[index], withheld)
  })
  return { items, next: cursor, total }
}
