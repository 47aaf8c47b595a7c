/** Who is connected, how, and who does not get on. */
import { type ConnectionItem, listConnections, listListeners } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { agoColumn, bytesColumn, PROBLEM_COLUMN, rateColumn, textColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { UNHEALTHY } from '../components/list-frame.tsx'
import { Mark, Zero } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { ConnectionLink } from '../features/connections/client-columns.tsx'
import { formatBytes, formatCount, formatMany, formatRate } from '../lib/format.ts'
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
    render: (row) => <ConnectionLink id={row.id} clientId={row.clientId} />,
  },
  PROBLEM_COLUMN,
  {
    key: 'protocol',
    label: 'Protocol',
    sort: 'protocol',
    width: 14,
    render: (row) => <Protocol connection={row} />,
  },
  textColumn('user', 'User', { sort: true }),
  {
    key: 'address',
    label: 'Address',
    width: 14,
    render: ({ address, port, listener }) => (
      <span className="mono" title={`${address}:${port}, came in by listener ${listener}`}>
        {address}
      </span>
    ),
  },
  agoColumn('connectedAtMs', 'Connected', { sort: true }),
  {
    ...rateColumn('messagesInPerSecond', 'In', { sort: true }),
    render: ({ messagesInPerSecond, messagesIn }) => (
      <Rate perSecond={messagesInPerSecond} hint={`${formatMany(messagesIn, 'message')} so far`} />
    ),
  },
  bytesColumn('bytesIn', 'Bytes in', { sort: true }),
  {
    ...rateColumn('messagesOutPerSecond', 'Out', { sort: true }),
    render: ({ messagesOutPerSecond, messagesOut, unsettledCount, pendingBytes }) => (
      <Rate
        perSecond={messagesOutPerSecond}
        hint={`${formatMany(messagesOut, 'message')} so far, ${formatCount(unsettledCount)} unsettled, ${formatBytes(pendingBytes)} not taken yet`}
      />
    ),
  },
  bytesColumn('bytesOut', 'Bytes out', { sort: true }),
]

function Rate({ perSecond, hint }: { readonly perSecond: number | undefined; readonly hint: string }) {
  const text = formatRate(perSecond)
  return <span title={hint}>{perSecond === 0 ? <Zero>{text}</Zero> : text}</span>
}

function Protocol({ connection }: { readonly connection: ConnectionItem }) {
  return (
    <span className="row">
      {connection.protocol}
      {connection.webSocket && connection.tls === undefined && <Mark hint="WebSocket">ws</Mark>}
      {connection.tls !== undefined && (
        <Mark tone="good" hint={connection.webSocket ? `WebSocket, ${connection.tls}` : connection.tls}>
          {connection.webSocket ? 'wss' : 'TLS'}
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
        filters={[
          { key: 'protocol', label: 'Protocol', options: PROTOCOLS },
          { key: 'listener', label: 'Listener', options: listeners },
          { key: 'user', label: 'User', text: true },
          UNHEALTHY,
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
