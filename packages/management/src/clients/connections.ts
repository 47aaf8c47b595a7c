/** Who is connected, who was, and why he left. */
import {
  type AnyConnection,
  closeConnection,
  type ConnectionDetail,
  type ConnectionItem,
  type ConnectionQuery,
  type EndedConnection,
  getConnection,
  type HistoryQuery,
  listConnectionHistory,
  listConnections,
  type Page,
  PAGE_LIMIT_DEFAULT,
} from '@ternmq/api'
import {
  type AdminConnection,
  connectionInfo,
  type ConnectionInfo,
  type EndedConnection as CoreEnded,
  subscriptionsOf,
  type VirtualHost,
} from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import type { MessageRate } from '../broker/message-rates.ts'
import { cursorAt, type Listing, mapPage, pageInPieces, PageMaker, placeAt } from '../paging.ts'
import type { Sampler } from '../broker/sampler.ts'
import { subscriptionInfo } from './subscriptions.ts'

export function connectionHandlers({ vhost }: ManagedBroker, sampler: Sampler): Bound[] {
  const look = new ConnectionLook(vhost, sampler)
  return [
    bind(listConnections, ({ query }) => look.list(query)),
    bind(getConnection, ({ params }) => look.detail(required(vhost, params.id))),
    bind(closeConnection, ({ params, query, note }) => {
      const { clientId, userName, transport } = required(vhost, params.id)
      vhost.connections.close(transport.id, query.reason ?? '')
      note(`closed the connection of client '${clientId}', user '${userName}'`)
      return {}
    }),
    bind(listConnectionHistory, ({ query }) => historyOf(vhost, query)),
  ]
}

/** The connection with that id as it is written in the API; undefined for none. */
export function connectionNamed({ connections }: VirtualHost, id: string): AdminConnection | undefined {
  return /^[1-9]\d{0,15}$/.test(id) ? connections.find(Number(id)) : undefined
}

function required(vhost: VirtualHost, id: string): AdminConnection {
  const connection = connectionNamed(vhost, id)
  if (connection !== undefined) return connection
  const detail = `there is no connection '${id}': it has ended, the list of ended connections says why, or it never was there`
  throw new ApiError('CONNECTION_UNKNOWN', detail, { field: 'id', value: id })
}

/** Sorted and filtered by what a connection has at hand; the rest is asked of those only that are shown. */
const LISTING: Listing<AdminConnection> = {
  key: ({ transport }) => idKey(transport.id),
  sorts: {
    id: ({ transport }) => transport.id,
    clientId: ({ clientId }) => clientId,
    user: ({ userName }) => userName,
    address: ({ transport }) => transport.peer.address,
    listener: ({ transport }) => transport.peer.listener,
    connectedAtMs: ({ transport }) => transport.openedAtMs,
    bytesIn: ({ transport }) => transport.bytesIn,
    bytesOut: ({ transport }) => transport.bytesOut,
    pendingBytes: ({ transport }) => transport.pendingBytes,
    messagesIn: (connection) => connection.facts().session?.traffic.messagesIn ?? 0,
    messagesOut: (connection) => connection.facts().session?.traffic.messagesOut ?? 0,
    subscriptionCount: (connection) => connection.facts().session?.bindingCount ?? 0,
    unsettledCount: (connection) => connection.facts().session?.unsettledCount ?? 0,
    protocol: (connection) => connection.facts().protocolText,
  },
  sortDefault: 'id',
  texts: ({ clientId, userName, transport }) => [clientId, userName, transport.peer.address],
}

const ID_DIGITS = 16

/** In the order of their coming. */
function idKey(id: number): string {
  return String(id).padStart(ID_DIGITS, '0')
}

class ConnectionLook {
  readonly #vhost: VirtualHost
  readonly #sampler: Sampler
  readonly #listing: Listing<AdminConnection>

  constructor(vhost: VirtualHost, sampler: Sampler) {
    this.#vhost = vhost
    this.#sampler = sampler
    const rate = (connection: AdminConnection): Partial<MessageRate> => sampler.ratesOfConnection(connection) ?? {}
    this.#listing = {
      ...LISTING,
      sorts: {
        ...LISTING.sorts,
        messagesInPerSecond: (connection) => rate(connection).inPerSecond ?? 0,
        messagesOutPerSecond: (connection) => rate(connection).outPerSecond ?? 0,
      },
    }
  }

  async list(query: ConnectionQuery): Promise<Page<ConnectionItem>> {
    this.#sampler.askConnections()
    const { protocol, listener, user, unhealthy } = query
    const wants = (connection: AdminConnection): boolean =>
      (listener === undefined || connection.transport.peer.listener === listener) &&
      (user === undefined || connection.userName === user) &&
      (protocol === undefined || isOf(connection, protocol)) &&
      (unhealthy !== true || connectionInfo(connection).blockedBecause !== undefined)
    const maker = new PageMaker(query, this.#listing, wants)
    const { env, connections } = this.#vhost
    const page = await pageInPieces(env.clock, connections.all(), (connection) => [connection], maker)
    return mapPage(page, (connection) => this.#item(connection, connectionInfo(connection)))
  }

  detail(connection: AdminConnection): ConnectionDetail {
    this.#sampler.askConnections()
    const info = connectionInfo(connection)
    const { session } = connection.facts()
    const expiryMs = session?.expiryMs ?? 0
    return {
      ...this.#item(connection, info),
      subscriptions: session === undefined ? [] : Array.from(subscriptionsOf(session), subscriptionInfo),
      sessionExpiryMs: expiryMs === Infinity ? null : expiryMs,
      heartbeatMs: info.keepAliveMs,
    }
  }

  #item(connection: AdminConnection, info: ConnectionInfo): ConnectionItem {
    const { pendingBytes, subscriptionCount, unsettledCount, blockedBecause } = info
    const rate = this.#sampler.ratesOfConnection(connection)
    return {
      ...commonOf(this.#vhost, info),
      ...(rate !== undefined && { messagesInPerSecond: rate.inPerSecond, messagesOutPerSecond: rate.outPerSecond }),
      pendingBytes,
      subscriptionCount,
      unsettledCount,
      ...(blockedBecause !== undefined && { problem: blockedBecause }),
    }
  }
}

/** 'mqtt' and 'MQTT 5' are both of it. */
function isOf(connection: AdminConnection, wanted: string): boolean {
  const { protocol, protocolText } = connection.facts()
  return protocol === wanted || protocolText === wanted
}

/** What a connection that has ended has too. */
function commonOf({ name: vhost }: VirtualHost, info: ConnectionInfo): AnyConnection {
  return {
    id: String(info.id),
    vhost,
    protocol: info.protocolText,
    listener: info.listener,
    address: info.address,
    port: info.port,
    ...(info.tlsVersion !== undefined && { tls: info.tlsVersion }),
    webSocket: info.isWebSocket,
    clientId: info.clientId,
    user: info.user,
    connectedAtMs: info.openedAtMs,
    bytesIn: info.bytesIn,
    bytesOut: info.bytesOut,
    messagesIn: info.messagesIn,
    messagesOut: info.messagesOut,
  }
}

const HISTORY = 'connection-history'

function historyOf(
  vhost: VirtualHost,
  { cursor, limit = PAGE_LIMIT_DEFAULT, ...wanted }: HistoryQuery,
): Page<EndedConnection> {
  const before = placeAt(HISTORY, cursor)
  const page = vhost.connections.history.find({
    before: before === undefined ? undefined : Number(before),
    limit,
    ...wanted,
  })
  return {
    items: page.entries.map((ended) => endedOf(vhost, ended)),
    ...(page.cursor !== undefined && { next: cursorAt(HISTORY, page.cursor) }),
  }
}

function endedOf(vhost: VirtualHost, ended: CoreEnded): EndedConnection {
  const { endedAtMs, endedBy, reason, clause } = ended
  return { ...commonOf(vhost, ended), endedAtMs, endedBy, reason, clause }
}
