/** Connections, those that have ended, and sessions, which may outlive them. */
import type { Page, ListQuery, HealthQuery, TimeQuery, VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'

/** What one that has ended has too. */
export interface AnyConnection {
  /** Unique while the process lives. */
  readonly id: string
  readonly vhost: string
  /** 'MQTT 5', 'STOMP 1.2', 'AMQP 1.0'. */
  readonly protocol: string
  readonly listener: string
  readonly address: string
  readonly port: number
  /** 'TLSv1.3'; left out without TLS. */
  readonly tls?: string | undefined
  readonly webSocket: boolean
  readonly clientId: string
  readonly user: string
  readonly connectedAtMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly messagesIn: number
  readonly messagesOut: number
}

export interface ConnectionItem extends AnyConnection {
  /** Over the last second; left out until there are two samples. */
  readonly messagesInPerSecond?: number | undefined
  readonly messagesOutPerSecond?: number | undefined
  /** Written and not yet taken by the kernel. */
  readonly pendingBytes: number
  readonly subscriptionCount: number
  /** Sent to the client and not settled by it. */
  readonly unsettledCount: number
  /** Why it does not get on: it reads slowly, or waits for room in a queue. Left out when all is well. */
  readonly problem?: string | undefined
}

export interface SubscriptionInfo {
  /** Topic pattern or queue in core form: `a/+/c`, `$queue/orders`. */
  readonly address: string
  readonly kind: 'topic' | 'queue'
  /** Of a shared subscription. */
  readonly group?: string | undefined
  /** Queue behind a durable or shared subscription, or that is read from. */
  readonly queue?: string | undefined
  /** 0, 1 or 2: at most once, at least once, exactly once. */
  readonly assurance: number
  readonly selector?: string | undefined
  readonly noLocal: boolean
  /** Deliveries that it may still get; left out where the session counts for all. */
  readonly credit?: number | undefined
  readonly unsettledCount?: number | undefined
}

export interface ConnectionDetail extends ConnectionItem {
  readonly subscriptions: readonly SubscriptionInfo[]
  readonly sessionExpiryMs: number | null
  /** 0: none. */
  readonly heartbeatMs: number
}

export interface EndedConnection extends AnyConnection {
  readonly endedAtMs: number
  readonly endedBy: 'client' | 'broker' | 'network' | 'operator' | 'takeover'
  /** Why, in a sentence. */
  readonly reason: string
  /** The rule that was broken; '' when none was. */
  readonly clause: string
}

export interface ConnectionQuery extends HealthQuery {
  readonly protocol?: string | undefined
  readonly listener?: string | undefined
  readonly user?: string | undefined
}

export interface HistoryQuery extends TimeQuery {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly clientId?: string | undefined
  readonly user?: string | undefined
  readonly address?: string | undefined
  readonly endedBy?: EndedConnection['endedBy'] | undefined
}

export interface SessionItem {
  readonly clientId: string
  readonly user: string
  readonly connected: boolean
  /** Of its connection. */
  readonly connectionId?: string | undefined
  readonly protocol?: string | undefined
  /** It outlives its connection, and the process. */
  readonly durable: boolean
  /** How long it stays without a connection; null: for ever. */
  readonly expiryMs: number | null
  readonly waitingCount: number
  readonly waitingBytes: number
  readonly inflightCount: number
  readonly droppedCount: number
  readonly subscriptionCount: number
  readonly problem?: string | undefined
}

export interface SessionDetail extends SessionItem {
  readonly subscriptions: readonly SubscriptionInfo[]
  readonly hasWill: boolean
}

export interface SessionQuery extends HealthQuery {
  readonly connected?: boolean | undefined
  readonly user?: string | undefined
  /** Only those with messages that wait. */
  readonly backlog?: boolean | undefined
}

export interface SessionParams extends VhostParams {
  readonly clientId: string
}

export interface SubscriptionItem extends SubscriptionInfo {
  readonly clientId: string
  readonly user: string
  readonly protocol?: string | undefined
  readonly connected: boolean
  /** Messages that wait for it. */
  readonly waitingCount: number
}

export const listConnections: Route<{ params: None; query: ConnectionQuery; body: None; answer: Page<ConnectionItem> }> = {
  id: 'connections.list',
  method: 'GET',
  path: '/connections',
  tag: 'connections',
  needs: 'read',
  summary: 'Who is connected.',
}

export const getConnection: Route<{ params: { readonly id: string }; query: None; body: None; answer: ConnectionDetail }> = {
  id: 'connections.get',
  method: 'GET',
  path: '/connections/{id}',
  tag: 'connections',
  needs: 'read',
  summary: 'One connection with its subscriptions.',
}

export const closeConnection: Route<{
  params: { readonly id: string }
  query: { readonly reason?: string | undefined }
  body: None
  answer: None
}> = {
  id: 'connections.close',
  method: 'DELETE',
  path: '/connections/{id}',
  tag: 'connections',
  needs: 'operate',
  summary: 'Closes a connection; its client hears `reason` where its protocol has a place for it.',
  status: 204,
}

export const listConnectionHistory: Route<{ params: None; query: HistoryQuery; body: None; answer: Page<EndedConnection> }> = {
  id: 'connections.history',
  method: 'GET',
  path: '/connection-history',
  tag: 'connections',
  needs: 'read',
  summary: 'Connections that have ended, and why, the newest first.',
}

export const listSessions: Route<{ params: VhostParams; query: SessionQuery; body: None; answer: Page<SessionItem> }> = {
  id: 'sessions.list',
  method: 'GET',
  path: '/vhosts/{vhost}/sessions',
  tag: 'sessions',
  needs: 'read',
  summary: 'Sessions of clients, connected or not.',
}

export const getSession: Route<{ params: SessionParams; query: None; body: None; answer: SessionDetail }> = {
  id: 'sessions.get',
  method: 'GET',
  path: '/vhosts/{vhost}/sessions/{clientId}',
  tag: 'sessions',
  needs: 'read',
  summary: 'One session with its subscriptions.',
}

export const deleteSession: Route<{ params: SessionParams; query: None; body: None; answer: None }> = {
  id: 'sessions.delete',
  method: 'DELETE',
  path: '/vhosts/{vhost}/sessions/{clientId}',
  tag: 'sessions',
  needs: 'operate',
  summary: 'Ends a session with all that waits in it, and its connection.',
  status: 204,
}

export const listSubscriptions: Route<{ params: VhostParams; query: ListQuery & { readonly topic?: string | undefined }; body: None; answer: Page<SubscriptionItem> }> = {
  id: 'subscriptions.list',
  method: 'GET',
  path: '/vhosts/{vhost}/subscriptions',
  tag: 'sessions',
  needs: 'read',
  summary: 'Who has subscribed to what; with `topic`, only who would get a message that is published to it.',
}
