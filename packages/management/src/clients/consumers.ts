/** Who reads from which queue. */
import { type ConsumerItem, listConsumers, type ListQuery, type Page } from '@ternmq/api'
import { type Consumer, consumerInfo, CREDIT_UNLIMITED, type VirtualHost } from '@ternmq/core'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type Listing, mapPage, pageInPieces, PageMaker } from '../paging.ts'
import { type ListedQueue, listedQueueOf, listedQueues } from '../destinations/queue-list.ts'
import { vhostOf } from '../vhost.ts'

export function consumerHandlers(broker: ManagedBroker): Bound[] {
  return [bind(listConsumers, ({ params, query }) => list(vhostOf(broker, params), query))]
}

interface Row {
  readonly queue: string
  readonly consumer: Consumer
  /** Its place among those of its queue. */
  readonly index: number
}

const LISTING: Listing<Row> = {
  key: ({ queue, index }) => `${queue}\0${String(index).padStart(INDEX_DIGITS, '0')}`,
  sorts: {
    queue: ({ queue }) => queue,
    clientId: ({ consumer }) => consumer.pool.owner?.clientId ?? '',
    priority: ({ consumer }) => consumer.priority,
    unsettledCount: ({ consumer }) => consumer.unsettledCount,
    credit: ({ consumer }) => consumer.creditLeft,
  },
  sortDefault: 'queue',
  texts: ({ queue, consumer }) => [
    queue,
    consumer.pool.owner?.clientId ?? '',
    consumer.pool.owner?.principal.name ?? '',
  ],
}

const INDEX_DIGITS = 6

async function list(
  vhost: VirtualHost,
  query: ListQuery & { readonly queue?: string | undefined },
): Promise<Page<ConsumerItem>> {
  const queues = query.queue === undefined ? listedQueues(vhost) : [listedQueueOf(vhost, query.queue)]
  return mapPage(await pageInPieces(vhost.env.clock, queues, rowsOf, new PageMaker(query, LISTING)), itemOf)
}

/** In the order of their coming. */
export function consumersOf(listed: ListedQueue): ConsumerItem[] {
  return rowsOf(listed).map(itemOf)
}

function rowsOf({ name, queue }: ListedQueue): Row[] {
  return queue.consumers.map((consumer, index) => ({ queue: name, consumer, index }))
}

function itemOf({ queue, consumer }: Row): ConsumerItem {
  const {
    clientId,
    user,
    protocol,
    connectionId,
    isAttached,
    creditLeft,
    unsettledCount,
    priority,
    exclusive,
    selector,
  } = consumerInfo(consumer)
  return {
    queue,
    clientId,
    user,
    protocol,
    ...(connectionId !== undefined && { connectionId: String(connectionId) }),
    attached: isAttached,
    credit: Math.min(creditLeft, CREDIT_UNLIMITED),
    unsettledCount,
    priority,
    exclusive,
    // Who only looks is no consumer of the queue.
    browsing: false,
    ...(selector !== undefined && { selector }),
  }
}
