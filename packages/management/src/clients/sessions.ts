/** Sessions: what clients have here, connected or not. */
import {
  deleteSession,
  getSession,
  listSessions,
  type Page,
  type SessionDetail,
  type SessionItem,
  type SessionParams,
  type SessionQuery,
  several,
} from '@ternmq/api'
import { type Session, sessionInfo, stuckBecause, subscriptionsOf, type VirtualHost } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import { whenLasting } from '../lasting.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type Listing, mapPage, pageInPieces, PageMaker } from '../paging.ts'
import { subscriptionInfo } from './subscriptions.ts'
import { vhostOf } from '../vhost.ts'

export function sessionHandlers(broker: ManagedBroker): Bound[] {
  const named = (params: SessionParams): Session => sessionNamed(vhostOf(broker, params), params.clientId)
  return [
    bind(listSessions, ({ params, query }) => list(vhostOf(broker, params), query)),
    bind(getSession, ({ params }) => detailOf(named(params))),
    bind(deleteSession, async ({ params, note }) => {
      const { clientId, principal, queue } = named(params)
      const { waitingCount } = queue
      broker.vhost.sessions.delete(clientId)
      note(`ended the session of user '${principal.name}' with ${several(waitingCount, 'message')}`)
      await whenLasting(broker.vhost)
      return {}
    }),
  ]
}

/** Throws ApiError('SESSION_UNKNOWN'). */
export function sessionNamed({ sessions }: VirtualHost, clientId: string): Session {
  const session = sessions.find(clientId)
  if (session !== undefined) return session
  throw new ApiError('SESSION_UNKNOWN', `there is no session of client id '${clientId}'`, {
    field: 'clientId',
    value: clientId,
  })
}

const LISTING: Listing<Session> = {
  key: ({ clientId }) => clientId,
  sorts: {
    clientId: ({ clientId }) => clientId,
    user: ({ principal }) => principal.name,
    connected: ({ isConnected }) => Number(isConnected),
    expiryMs: ({ expiryMs }) => Math.min(expiryMs, Number.MAX_VALUE),
    waitingCount: ({ queue }) => queue.waitingCount,
    waitingBytes: ({ queue }) => queue.waitingBytes,
    inflightCount: ({ unsettledCount }) => unsettledCount,
    droppedCount: ({ queue }) => queue.droppedCount,
    subscriptionCount: ({ bindingCount }) => bindingCount,
  },
  sortDefault: 'clientId',
  texts: ({ clientId, principal }) => [clientId, principal.name],
}

async function list(vhost: VirtualHost, query: SessionQuery): Promise<Page<SessionItem>> {
  const { connected, user, backlog, unhealthy } = query
  const wants = (session: Session): boolean =>
    (connected === undefined || session.isConnected === connected) &&
    (user === undefined || session.principal.name === user) &&
    (backlog !== true || session.queue.waitingCount > 0) &&
    (unhealthy !== true || problemOf(session) !== undefined)
  const maker = new PageMaker(query, LISTING, wants)
  return mapPage(await pageInPieces(vhost.env.clock, vhost.sessions.all(), (session) => [session], maker), itemOf)
}

function itemOf(session: Session): SessionItem {
  const {
    clientId,
    user,
    protocol,
    isConnected,
    connectionId,
    isDurable,
    expiryMs,
    subscriptionCount,
    unsettledCount,
    waitingCount,
    waitingBytes,
    droppedCount,
  } = sessionInfo(session)
  const problem = problemOf(session)
  return {
    clientId,
    user,
    connected: isConnected,
    ...(connectionId !== undefined && { connectionId: String(connectionId) }),
    ...(protocol !== 'core' && { protocol }),
    durable: isDurable,
    expiryMs: expiryMs === Infinity ? null : expiryMs,
    waitingCount,
    waitingBytes,
    inflightCount: unsettledCount,
    droppedCount,
    subscriptionCount,
    ...(problem !== undefined && { problem }),
  }
}

function detailOf(session: Session): SessionDetail {
  return {
    ...itemOf(session),
    subscriptions: Array.from(subscriptionsOf(session), subscriptionInfo),
    hasWill: session.hasWill,
  }
}

/** One that waits for its client is well, as long as it has room for what comes. */
function problemOf({ queue, isConnected }: Session): string | undefined {
  if (queue.waitingCount > 0 && queue.isFullFor(1))
    return `its backlog of ${several(queue.waitingCount, 'message')} is full, and what comes is dropped: ${queue.droppedCount} so far`
  return isConnected ? stuckBecause(queue) : undefined
}
