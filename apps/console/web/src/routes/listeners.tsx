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
  nameColumn('name', 'Listener', { width: 12 }),
  {
    key: 'address',
    label: 'Address',
    width: 18,
    render: (row) => <span className="mono">{`${row.host}:${row.port}`}</span>,
  },
  { key: 'protocols', label: 'Protocols', width: 18, render: (row) => row.protocols.map(formatProtocol).join(', ') },
  {
    key: 'marks',
    label: 'How',
    width: 36,
    render: (row) => (
      <span className="row">
        {row.tls ? <Mark tone="good">TLS</Mark> : <Mark>plain</Mark>}
        {row.webSocket && <Mark>WebSocket</Mark>}
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
    width: 13,
    align: 'right',
    render: (row) => (
      <Link to="/connections" search={{ listener: row.name }}>
        {formatCount(row.openCount)} of {formatCount(row.connectionsMax)}
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
