/** Where clients connect, and with which certificate. */
import { type ListenerItem, listListeners } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { countColumn, nameColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Mark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { formatAgo, formatCount, formatMoment, formatProtocol } from '../lib/format.ts'
import { useNowMs } from '../lib/now.ts'

/** A certificate that ends sooner is marked. */
const CERTIFICATE_SOON_MS = 30 * 86_400_000

const COLUMNS: ReadonlyArray<Column<ListenerItem>> = [
  nameColumn('name', 'Listener', { width: 10 }),
  {
    key: 'address',
    label: 'Address',
    width: 16,
    render: (row) => <span className="mono" title={`${row.host}:${row.port}`}>{`${row.host}:${row.port}`}</span>,
  },
  { key: 'protocols', label: 'Protocols', width: 18, render: (row) => row.protocols.map(formatProtocol).join(', ') },
  {
    key: 'marks',
    label: 'How',
    width: 29,
    render: (row) => (
      <span className="row">
        <Way listener={row} />
        {row.anonymous && (
          <Mark tone="warn" hint="Clients need no login.">
            anonymous
          </Mark>
        )}
        {row.profile !== undefined && <Mark hint="How addresses are read.">{row.profile}</Mark>}
      </span>
    ),
  },
  {
    key: 'open',
    label: 'Open',
    width: 8,
    align: 'right',
    render: (row) => (
      <Link
        to="/connections"
        search={{ listener: row.name }}
        title={`${formatCount(row.openCount)} of at most ${formatCount(row.connectionsMax)}`}
      >
        {formatCount(row.openCount)}
      </Link>
    ),
  },
  countColumn('acceptedCount', 'Accepted'),
  countColumn('refusedCount', 'Refused'),
  { key: 'certificate', label: 'Certificate', render: (row) => <Certificate listener={row} /> },
]

export function ListenersPage() {
  return (
    <Page
      title="Listeners"
      fills
      about="Each accepts one or more protocols at one address. They are set in the configuration."
    >
      <List
        noun="listeners"
        route={listListeners}
        search={false}
        columns={COLUMNS}
        keyOf={(row) => row.name}
        empty={
          <EmptyState icon="listeners" title="No listener">
            No client can connect.{' '}
            <Link to="/config" search={{ q: 'listeners' }}>
              The configuration
            </Link>{' '}
            says which there are.
          </EmptyState>
        }
      />
    </Page>
  )
}

function Way({ listener: { tls, webSocket } }: { readonly listener: ListenerItem }) {
  if (!webSocket) return tls ? <Mark tone="good">TLS</Mark> : <Mark>plain</Mark>
  return tls ? (
    <Mark tone="good" hint="WebSocket with TLS">
      wss
    </Mark>
  ) : (
    <Mark hint="WebSocket">ws</Mark>
  )
}

function Certificate({ listener: { certificate } }: { readonly listener: ListenerItem }) {
  const nowMs = useNowMs()
  if (certificate === undefined) return <span className="dim">–</span>
  const isSoon = certificate.notAfterMs - nowMs < CERTIFICATE_SOON_MS
  return (
    <span className="row" title={`${certificate.subject}, until ${formatMoment(certificate.notAfterMs)}`}>
      {certificate.isDevelopment && (
        <Mark tone="warn" hint="Made at the start, for development: clients do not trust it.">
          development
        </Mark>
      )}
      {certificate.problem !== undefined && (
        <Mark tone="bad" hint={`The files are not used: ${certificate.problem}`}>
          old one kept
        </Mark>
      )}
      <Mark tone={isSoon ? 'bad' : 'plain'}>ends {formatAgo(certificate.notAfterMs, nowMs)}</Mark> {certificate.subject}
    </span>
  )
}
