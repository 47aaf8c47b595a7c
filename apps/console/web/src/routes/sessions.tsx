/** Sessions of clients, which may outlive their connections: who is away, and what waits for them. */
import { listSessions, type SessionItem } from '@ternmq/api'
import { bytesColumn, countColumn, PROBLEM_COLUMN, PROTOCOL_COLUMN, textColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { UNHEALTHY } from '../components/list-frame.tsx'
import { Page } from '../components/page.tsx'
import { CONNECTED_COLUMN, SESSION_COLUMN } from '../features/connections/client-columns.tsx'
import { formatDuration } from '../lib/format.ts'

const CONNECTED = [
  { value: 'true', label: 'Connected' },
  { value: 'false', label: 'Away' },
]

const COLUMNS: ReadonlyArray<Column<SessionItem>> = [
  { ...SESSION_COLUMN, sort: 'clientId' },
  PROBLEM_COLUMN,
  CONNECTED_COLUMN,
  textColumn('user', 'User', { sort: true, width: 10 }),
  PROTOCOL_COLUMN,
  { key: 'expiry', label: 'Stays', width: 13, render: sayExpiry },
  countColumn('waitingCount', 'Waiting', { sort: true }),
  bytesColumn('waitingBytes', 'Size', { sort: true }),
  countColumn('inflightCount', 'In flight', { sort: true }),
  countColumn('droppedCount', 'Dropped', { sort: true }),
]

/** How long it is kept without a connection. */
function sayExpiry({ durable, expiryMs }: SessionItem): string {
  if (expiryMs === null) return 'for ever'
  return durable && expiryMs > 0 ? formatDuration(expiryMs) : 'while connected'
}

export function SessionsPage() {
  return (
    <Page
      title="Sessions"
      fills
      about="What the broker knows of a client, connected or not: its subscriptions, and what waits for it."
    >
      <List
        noun="sessions"
        route={listSessions}
        columns={COLUMNS}
        keyOf={(row) => row.clientId}
        isBad={(row) => row.problem !== undefined}
        filters={[
          { key: 'connected', label: 'State', options: CONNECTED },
          { key: 'user', label: 'User', text: true },
          { key: 'backlog', label: 'With messages' },
          UNHEALTHY,
        ]}
        empty={
          <EmptyState icon="sessions" title="No session">
            A session begins when a client connects.
          </EmptyState>
        }
      />
    </Page>
  )
}
