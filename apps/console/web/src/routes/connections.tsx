/** Who is connected, how, and who does not get on. */
import { type ConnectionItem, listConnections, listListeners } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Ago, Mark, ProblemMark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { formatBytes, formatCount } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'

const VERSIONS = ['MQTT 3.1', 'MQTT 3.1.1', 'MQTT 5', 'STOMP 1.0', 'STOMP 1.1', 'STOMP 1.2', 'AMQP 1.0']
const PROTOCOLS = [
  { value: 'mqtt', label: 'MQTT, any' },
  { value: 'stomp', label: 'STOMP, any' },
  { value: 'amqp', label: 'AMQP, any' },
  ...VERSIONS.map((value) => ({ value, label: value })),
]

const COLUMNS: ReadonlyArray<Column<ConnectionItem>> = [
  {
    key: 'client',
    label: 'Client',
    sort: 'clientId',
    render: (row) => (
      <Link to="/connections/$id" params={{ id: row.id }} className="cell-name" title={row.clientId}>
        {row.clientId === '' ? '(without a client id)' : row.clientId}
      </Link>
    ),
  },
  { key: 'protocol', label: 'Protocol', sort: 'protocol', render: (row) => <Protocol connection={row} /> },
  { key: 'user', label: 'User', sort: 'user', render: (row) => row.user },
  { key: 'address', label: 'Address', render: (row) => <span className="mono">{`${row.address}:${row.port}`}</span> },
  { key: 'listener', label: 'Listener', render: (row) => row.listener },
  { key: 'since', label: 'Connected', sort: 'connectedAtMs', render: (row) => <Ago atMs={row.connectedAtMs} /> },
  { key: 'in', label: 'Received', sort: 'messagesIn', align: 'right', render: (row) => formatCount(row.messagesIn) },
  { key: 'out', label: 'Sent', sort: 'messagesOut', align: 'right', render: (row) => formatCount(row.messagesOut) },
  {
    key: 'unsettled',
    label: 'Unsettled',
    sort: 'unsettledCount',
    align: 'right',
    render: (row) => formatCount(row.unsettledCount),
  },
  {
    key: 'pending',
    label: 'To be written',
    sort: 'pendingBytes',
    align: 'right',
    render: (row) => formatBytes(row.pendingBytes),
  },
  { key: 'problem', label: 'Problem', grow: true, render: (row) => <ProblemMark problem={row.problem} /> },
]

function Protocol({ connection }: { readonly connection: ConnectionItem }) {
  return (
    <span className="row">
      {connection.protocol}
      {connection.webSocket && <Mark>ws</Mark>}
      {connection.tls !== undefined && (
        <Mark tone="good" hint={connection.tls}>
          TLS
        </Mark>
      )}
    </span>
  )
}

export function ConnectionsPage() {
  const listeners = useLook(listListeners).data?.items.map(({ name }) => ({ value: name, label: name })) ?? []
  return (
    <Page
      title="Connections"
      fills
      about="Every protocol alike. Those that have gone, and why, are under Ended connections."
    >
      <List
        noun="connections"
        route={listConnections}
        columns={COLUMNS}
        keyOf={(row) => row.id}
        isBad={(row) => row.problem !== undefined}
        withUnhealthy
        filters={[
          { key: 'protocol', label: 'Protocol', options: PROTOCOLS },
          { key: 'listener', label: 'Listener', options: listeners },
          { key: 'user', label: 'User', text: true },
        ]}
        empty={
          <EmptyState icon="connections" title="Nobody is connected">
            <Link to="/listeners">Listeners</Link> has the addresses; <Link to="/try">Try it</Link> connects from here.
          </EmptyState>
        }
      />
    </Page>
  )
}
