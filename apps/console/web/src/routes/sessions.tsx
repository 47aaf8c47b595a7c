/** Sessions of clients, which may outlive their connections: who is away, and what waits for them. */
import { listSessions, type SessionItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Mark, ProblemMark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { formatBytes, formatCount, formatDuration } from '../lib/format.ts'

const CONNECTED = [
  { value: 'true', label: 'Connected' },
  { value: 'false', label: 'Away' },
]

const COLUMNS: ReadonlyArray<Column<SessionItem>> = [
  {
    key: 'client',
    label: 'Client',
    sort: 'clientId',
    render: (row) => (
      <Link to="/sessions/$clientId" params={{ clientId: row.clientId }} className="cell-name" title={row.clientId}>
        {row.clientId}
      </Link>
    ),
  },
  {
    key: 'state',
    label: 'State',
    render: (row) => (row.connected ? <Mark tone="good">connected</Mark> : <Mark>away</Mark>),
  },
  { key: 'user', label: 'User', sort: 'user', render: (row) => row.user },
  { key: 'protocol', label: 'Protocol', render: (row) => row.protocol ?? '–' },
  { key: 'expiry', label: 'Stays', render: (row) => sayExpiry(row) },
  {
    key: 'waiting',
    label: 'Waiting',
    sort: 'waitingCount',
    align: 'right',
    render: (row) => formatCount(row.waitingCount),
  },
  { key: 'bytes', label: 'Size', sort: 'waitingBytes', align: 'right', render: (row) => formatBytes(row.waitingBytes) },
  {
    key: 'inflight',
    label: 'In flight',
    sort: 'inflightCount',
    align: 'right',
    render: (row) => formatCount(row.inflightCount),
  },
  {
    key: 'dropped',
    label: 'Dropped',
    sort: 'droppedCount',
    align: 'right',
    render: (row) => formatCount(row.droppedCount),
  },
  {
    key: 'subscriptions',
    label: 'Subscriptions',
    sort: 'subscriptionCount',
    align: 'right',
    render: (row) => formatCount(row.subscriptionCount),
  },
  { key: 'problem', label: 'Problem', grow: true, render: (row) => <ProblemMark problem={row.problem} /> },
]

/** How long it is kept without a connection. */
function sayExpiry({ durable, expiryMs }: SessionItem): string {
  if (expiryMs === null) return 'for ever'
  return durable && expiryMs > 0 ? formatDuration(expiryMs) : 'with its connection'
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
        withUnhealthy
        filters={[
          { key: 'connected', label: 'State', options: CONNECTED },
          { key: 'user', label: 'User', text: true },
          { key: 'backlog', label: 'With messages' },
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
