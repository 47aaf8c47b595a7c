/** The broker as a whole. */
import {
  getOverview,
  getOverviewHistory,
  listEvents,
  type EventItem,
  type EventQuery,
  type Overview,
} from '@ternmq/api'
import { type BrokerEvent, COUNTER_LABELS, type CounterLabel } from '@ternmq/core'
import { type AlarmFacts, alarmsOf } from './alarms.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import type { Sampler } from './sampler.ts'
import { totalsOf } from './totals.ts'

/** Dead letters of so long ago are no news. */
const DEAD_LETTERS_GROW_MS = 60_000

export function overviewHandlers(broker: ManagedBroker, sampler: Sampler): Bound[] {
  return [
    bind(getOverview, () => overviewOf(broker, sampler)),
    bind(getOverviewHistory, () => {
      sampler.ask()
      return { samples: sampler.history() }
    }),
    bind(listEvents, ({ query }) => ({ items: eventsOf(broker, query), lastId: broker.events.lastId })),
  ]
}

export async function overviewOf(broker: ManagedBroker, sampler: Sampler): Promise<Overview> {
  sampler.ask()
  const { vhost, node, settings } = broker
  const store = await broker.store()
  const { depths } = sampler
  const { memory, disk, eventLoop } = broker.resources()
  const facts: AlarmFacts = {
    nowMs: vhost.env.clock.wallMs(),
    memory,
    disk,
    eventLoop,
    store,
    certificates: broker.certificates(),
    blockingCount: depths.blockingCount,
    deadLetteredCount: sampler.deadLetteredWithin(DEAD_LETTERS_GROW_MS),
    damagedDefinitions: broker.definitions.damaged,
    minFreeBytes: settings.config.store.minFreeBytes,
  }
  return {
    atMs: facts.nowMs,
    node,
    counts: {
      connections: vhost.connections.count,
      sessions: vhost.sessions.count,
      queues: vhost.destinations.count + vhost.shared.count,
      consumers: depths.consumerCount,
      subscriptions: vhost.router.bindingCount,
      retained: vhost.retained.count - vhost.retained.ownCount,
      schedules: vhost.schedule.count,
    },
    readyCount: depths.readyCount,
    inflightCount: depths.inflightCount,
    totals: totalsOf(vhost.counters),
    byProtocol: protocolsOf(broker, sampler),
    rates: sampler.rates,
    memory,
    disk,
    eventLoop,
    alarms: alarmsOf(facts),
  }
}

/** `core` is what the broker does by itself: wills, dead letters, the schedule, and what becomes of messages in queues. */
function protocolsOf({ vhost }: ManagedBroker, sampler: Sampler): Overview['byProtocol'] {
  const connections: Readonly<Partial<Record<CounterLabel, { readonly openCount: number }>>> =
    vhost.connections.totals()
  return COUNTER_LABELS.map((protocol) => ({
    protocol,
    connections: connections[protocol]?.openCount ?? 0,
    totals: totalsOf(vhost.countersBy[protocol]),
    rates: sampler.ratesOfProtocol(protocol),
  }))
}

/** Newest first; a `before` of an earlier process is as none. */
export function eventsOf({ events }: ManagedBroker, query: EventQuery): EventItem[] {
  const { limit = EVENTS_DEFAULT, sinceMs = -Infinity, untilMs = Infinity } = query
  const before = query.before !== undefined && events.hasCounted(query.before) ? query.before : Infinity
  const { kind, clientId, user } = query
  const q = query.q?.toLowerCase()
  const found: EventItem[] = []
  const recent = events.recent()
  for (let index = recent.length - 1; index >= 0 && found.length < limit; index--) {
    const event = recent[index]!
    if (event.id >= before || event.atMs < sinceMs || event.atMs >= untilMs) continue
    if (kind !== undefined && event.kind !== kind) continue
    if (clientId !== undefined && event.clientId !== clientId) continue
    if (user !== undefined && event.user !== user) continue
    if (q === undefined || hasText(event, q)) found.push(eventItem(event))
  }
  return found
}

export function eventItem({
  id,
  atMs,
  kind,
  source,
  listener,
  peer,
  clientId,
  user,
  text,
  clause,
}: BrokerEvent): EventItem {
  return { id, atMs, kind, source, listener, peer, clientId, user, text, clause }
}

function hasText({ text, clientId, user, peer }: BrokerEvent, q: string): boolean {
  return [text, clientId, user, peer].some((each) => each.toLowerCase().includes(q))
}

const EVENTS_DEFAULT = 100
