/** Which page is at which address. Each comes with its own script, when it is wanted. */
import type { ComponentType } from 'react'

export type LoadPage = () => Promise<ComponentType>

export const PAGES: Readonly<Record<string, LoadPage>> = {
  '/': async () => (await import('./routes/overview.tsx')).OverviewPage,
  '/listeners': async () => (await import('./routes/listeners.tsx')).ListenersPage,
  '/events': async () => (await import('./routes/events.tsx')).EventsPage,
  '/queues': async () => (await import('./routes/queues.tsx')).QueuesPage,
  '/queues/$queue': async () => (await import('./routes/queue.tsx')).QueuePage,
  '/consumers': async () => (await import('./routes/consumers.tsx')).ConsumersPage,
  '/topics': async () => (await import('./routes/topics.tsx')).TopicsPage,
  '/dead-letters': async () => (await import('./routes/dead-letters.tsx')).DeadLettersPage,
  '/schedules': async () => (await import('./routes/schedules.tsx')).SchedulesPage,
  '/operations': async () => (await import('./routes/operations.tsx')).OperationsPage,
  '/connections': async () => (await import('./routes/connections.tsx')).ConnectionsPage,
  '/connections/$id': async () => (await import('./routes/connection.tsx')).ConnectionPage,
  '/ended': async () => (await import('./routes/ended.tsx')).EndedPage,
  '/sessions': async () => (await import('./routes/sessions.tsx')).SessionsPage,
  '/sessions/$clientId': async () => (await import('./routes/session.tsx')).SessionPage,
  '/subscriptions': async () => (await import('./routes/subscriptions.tsx')).SubscriptionsPage,
  '/users': async () => (await import('./routes/users.tsx')).UsersPage,
  '/permissions': async () => (await import('./routes/permissions.tsx')).PermissionsPage,
  '/tokens': async () => (await import('./routes/tokens.tsx')).TokensPage,
  '/audit': async () => (await import('./routes/audit.tsx')).AuditPage,
  '/policies': async () => (await import('./routes/policies.tsx')).PoliciesPage,
  '/definitions': async () => (await import('./routes/definitions.tsx')).DefinitionsPage,
  '/config': async () => (await import('./routes/config.tsx')).ConfigPage,
  '/store': async () => (await import('./routes/store.tsx')).StorePage,
  '/try': async () => (await import('./routes/try.tsx')).TryPage,
  '/resolve': async () => (await import('./routes/resolve.tsx')).ResolvePage,
  '/reference': async () => (await import('./routes/reference.tsx')).ApiPage,
}
