/** Who has subscribed to what, and who would get a message. */
import { type ListQuery, listSubscriptions, type Page, type SubscriptionInfo, type SubscriptionItem } from '@ternmq/api'
import {
  bindingKey,
  matches,
  type NamedQueue,
  type Queue,
  queueLevels,
  queueNameOf,
  queuePattern,
  QUEUE_PREFIX,
  type Session,
  type SubscriptionInfo as CoreSubscription,
  subscriptionOwner,
  subscriptionsOf,
  type VirtualHost,
} from '@ternmq/core'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type Listing, mapPage, pageInPieces, PageMaker } from '../paging.ts'
import { filterText } from '../destinations/pattern-text.ts'
import { vhostOf } from '../vhost.ts'

export function subscriptionHandlers(broker: ManagedBroker): Bound[] {
  return [bind(listSubscriptions, ({ params, query }) => list(vhostOf(broker, params), query))]
}

/** In the words of the API. */
export function subscriptionInfo(subscription: CoreSubscription): SubscriptionInfo {
  const { kind, shareName, queue, assuranceMax, selector, noLocal, creditLeft, unsettledCount } = subscription
  return {
    address: addressOf(subscription),
    kind: kind === 'queue' ? 'queue' : 'topic',
    ...(shareName !== undefined && { group: shareName }),
    ...(queue !== undefined && { queue }),
    assurance: assuranceMax,
    ...(selector !== undefined && { selector }),
    noLocal,
    ...(creditLeft !== undefined && Number.isFinite(creditLeft) && { credit: creditLeft }),
    ...(unsettledCount !== undefined && { unsettledCount }),
  }
}

/** What one session has subscribed to, or a queue that gets a topic's messages while nobody is there. */
interface Row {
  readonly clientId: string
  readonly user: string
  /** Undefined: nobody is there. */
  readonly session: Session | undefined
  readonly subscription: CoreSubscription
  /** Among the subscriptions of its client. */
  readonly index: number
}

const LISTING: Listing<Row> = {
  key: ({ clientId, subscription, index }) =>
    `${clientId}\0${subscription.queue ?? ''}\0${String(index).padStart(INDEX_DIGITS, '0')}`,
  sorts: {
    clientId: ({ clientId }) => clientId,
    user: ({ user }) => user,
    address: ({ subscription }) => addressOf(subscription),
    assurance: ({ subscription }) => subscription.assuranceMax,
  },
  sortDefault: 'clientId',
  texts: ({ clientId, subscription }) => [clientId, addressOf(subscription)],
}

const INDEX_DIGITS = 6

function list(
  vhost: VirtualHost,
  query: ListQuery & { readonly topic?: string | undefined },
): Promise<Page<SubscriptionItem>> {
  const wants = query.topic === undefined ? undefined : wantsTopic(query.topic)
  const maker = new PageMaker(query, LISTING, wants)
  return pageInPieces(vhost.env.clock, holders(vhost), rowsOf, maker).then((page) =>
    mapPage(page, (row) => itemOf(vhost, row)),
  )
}

function* holders({ sessions, destinations }: VirtualHost): Generator<Session | NamedQueue> {
  yield* sessions.all()
  yield* destinations.all()
}

function* rowsOf(holder: Session | NamedQueue): Generator<Row> {
  if ('clientId' in holder) {
    const { clientId, principal } = holder
    let index = 0
    for (const subscription of subscriptionsOf(holder))
      yield { clientId, user: principal.name, session: holder, subscription, index: index++ }
    return
  }
  const { binding, subscription, queue } = holder
  // Whoever reads from a durable subscription is a session that has it.
  if (binding === undefined || (subscription !== undefined && queue.consumers.length > 0)) return
  const owner = subscriptionOwner(holder)
  yield {
    clientId: owner?.clientId ?? '',
    user: owner?.principal.name ?? '',
    session: undefined,
    subscription: {
      kind: 'topic',
      pattern: binding.pattern,
      queue: holder.name,
      shareName: undefined,
      assuranceMax: binding.assuranceMax,
      noLocal: binding.exceptFrom !== undefined,
      selector: binding.selector?.text,
      priority: 0,
      exclusive: false,
      consumerCount: queue.consumers.length,
      creditLeft: undefined,
      unsettledCount: undefined,
      data: binding.data,
    },
    index: 0,
  }
}

/** Who would get what is published to an address in core form; a selector may still refuse it. */
function wantsTopic(topic: string): (row: Row) => boolean {
  const queue = queueNameOf(topic)
  if (queue === undefined) {
    const levels = topic.split('/')
    return ({ subscription: { pattern } }) => pattern !== undefined && matches(pattern, levels)
  }
  const levels = queueLevels(queue)
  return ({ subscription: { kind, queue: read } }) =>
    kind === 'queue' && read !== undefined && (read === queue || matches(queuePattern(read), levels))
}

function addressOf({ pattern, queue }: CoreSubscription): string {
  return pattern === undefined ? QUEUE_PREFIX + (queue ?? '') : filterText(pattern)
}

function itemOf(vhost: VirtualHost, { clientId, user, session, subscription }: Row): SubscriptionItem {
  const protocol = session?.protocol
  return {
    ...subscriptionInfo(subscription),
    clientId,
    user,
    ...(protocol !== undefined && protocol !== 'core' && { protocol }),
    connected: session?.isConnected === true,
    waitingCount: queueBehind(vhost, session, subscription)?.waitingCount ?? 0,
  }
}

/** Where its messages wait; undefined for a receiver's own queue, which nobody knows by name, and for a pattern of queues. */
function queueBehind(
  { name, destinations, shared }: VirtualHost,
  session: Session | undefined,
  { kind, pattern, shareName, queue, creditLeft }: CoreSubscription,
): Queue | undefined {
  const named = queue === undefined ? undefined : destinations.find(queue)?.queue
  if (named !== undefined) return named
  if (kind === 'group' && pattern !== undefined && shareName !== undefined)
    return shared.find(bindingKey(shareName, { vhost: name, kind: 'topic', levels: pattern }))
  return kind === 'topic' && creditLeft === undefined ? session?.queue : undefined
}
