/** Where clients connect, and with which certificate. */
import { type ListenerItem, listListeners } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { type Column, DataTable } from '../components/data-table.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { isLoss, toProblem } from '../lib/api.ts'
import { formatAgo, formatCount, formatMoment } from '../lib/format.ts'
import { useNowMs } from '../lib/now.ts'
import { useLook } from '../lib/query.ts'

const LISTENERS_MS = 3_000
/** A certificate that ends sooner is marked. */
const CERTIFICATE_SOON_MS = 30 * 86_400_000

const COLUMNS: ReadonlyArray<Column<ListenerItem>> = [
  { key: 'name', label: 'Listener', render: (row) => <b>{row.name}</b> },
  { key: 'address', label: 'Address', render: (row) => <span className="mono">{`${row.host}:${row.port}`}</span> },
  { key: 'protocols', label: 'Protocols', render: (row) => row.protocols.join(', ') },
  {
    key: 'marks',
    label: 'How',
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
    align: 'right',
    render: (row) => (
      <Link to="/connections" search={{ listener: row.name }}>
        {formatCount(row.openCount)} of {formatCount(row.connectionsMax)}
      </Link>
    ),
  },
  { key: 'accepted', label: 'Accepted', align: 'right', render: (row) => formatCount(row.acceptedCount) },
  { key: 'refused', label: 'Refused', align: 'right', render: (row) => formatCount(row.refusedCount) },
  { key: 'certificate', label: 'Certificate', grow: true, render: (row) => <Certificate listener={row} /> },
]

export function ListenersPage() {
  const { data, error, refetch } = useLook(listListeners, {}, { everyMs: LISTENERS_MS })
  return (
    <Page
      title="Listeners"
      about="Each accepts one or more protocols at one address. They are set in the configuration."
    >
      {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      <Panel flush>
        <DataTable label="Listeners" columns={COLUMNS} rows={data?.items ?? []} keyOf={(row) => row.name} />
      </Panel>
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
      <Mark tone={isSoon ? 'bad' : 'plain'}>ends {formatAgo(certificate.notAfterMs, nowMs)}</Mark> {certificate.subject}
    </span>
  )
}
