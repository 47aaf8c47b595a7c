/** Connections that have ended, in a table. */
import type { EndedConnection } from '@ternmq/api'
import { agoColumn, monoColumn, PROTOCOL_COLUMN, textColumn } from '../../components/columns.tsx'
import type { Column } from '../../components/data-table.tsx'
import { Mark, type Tone } from '../../components/marks.tsx'
import { formatCount, formatDuration, formatMany } from '../../lib/format.ts'
import { SESSION_COLUMN, Why } from './client-columns.tsx'

const TONES = {
  client: 'plain',
  broker: 'bad',
  network: 'warn',
  operator: 'accent',
  takeover: 'warn',
} as const satisfies Record<EndedConnection['endedBy'], Tone>

export const ENDED_COLUMNS: ReadonlyArray<Column<EndedConnection>> = [
  agoColumn('endedAtMs', 'Ended'),
  { ...SESSION_COLUMN, width: 20 },
  { key: 'by', label: 'By', width: 9, render: (row) => <Mark tone={TONES[row.endedBy]}>{row.endedBy}</Mark> },
  { key: 'why', label: 'Why', render: Why },
  PROTOCOL_COLUMN,
  textColumn('user', 'User', { width: 9 }),
  monoColumn('address', 'Address'),
  {
    key: 'lasted',
    label: 'Lasted',
    width: 8,
    align: 'right',
    render: (row) => (
      <span title={`${formatMany(row.messagesIn, 'message')} received, ${formatCount(row.messagesOut)} sent`}>
        {formatDuration(row.endedAtMs - row.connectedAtMs)}
      </span>
    ),
  },
]

export function endedKey(row: EndedConnection): string {
  return `${row.id} ${row.endedAtMs}`
}
