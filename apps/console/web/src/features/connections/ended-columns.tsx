/** Connections that have ended, in a table. */
import type { EndedConnection } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import type { Column } from '../../components/data-table.tsx'
import { Ago, Mark, type Tone } from '../../components/marks.tsx'
import { formatCount, formatDuration } from '../../lib/format.ts'

const TONES = {
  client: 'plain',
  broker: 'bad',
  network: 'warn',
  operator: 'accent',
  takeover: 'warn',
} as const satisfies Record<EndedConnection['endedBy'], Tone>

export const ENDED_COLUMNS: ReadonlyArray<Column<EndedConnection>> = [
  { key: 'when', label: 'Ended', render: (row) => <Ago atMs={row.endedAtMs} /> },
  {
    key: 'client',
    label: 'Client',
    render: (row) => (
      <Link to="/sessions/$clientId" params={{ clientId: row.clientId }} className="cell-name" title={row.clientId}>
        {row.clientId}
      </Link>
    ),
  },
  { key: 'by', label: 'By', render: (row) => <Mark tone={TONES[row.endedBy]}>{row.endedBy}</Mark> },
  { key: 'protocol', label: 'Protocol', render: (row) => row.protocol },
  { key: 'user', label: 'User', render: (row) => row.user },
  { key: 'address', label: 'Address', render: (row) => <span className="mono">{row.address}</span> },
  {
    key: 'lasted',
    label: 'Lasted',
    align: 'right',
    render: (row) => formatDuration(row.endedAtMs - row.connectedAtMs),
  },
  { key: 'in', label: 'Received', align: 'right', render: (row) => formatCount(row.messagesIn) },
  { key: 'out', label: 'Sent', align: 'right', render: (row) => formatCount(row.messagesOut) },
  {
    key: 'why',
    label: 'Why',
    grow: true,
    render: (row) => (
      <span title={row.reason}>
        {row.reason} {row.clause !== '' && <code className="dim">[{row.clause}]</code>}
      </span>
    ),
  },
]

export function endedKey(row: EndedConnection): string {
  return `${row.id} ${row.endedAtMs}`
}
