/** Who reads from a queue, in a table. */
import type { ConsumerItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import type { Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/marks.tsx'
import { formatCount } from '../../lib/format.ts'
import { QueueLink } from './queue-overview.tsx'

export const CONSUMER_COLUMNS: ReadonlyArray<Column<ConsumerItem>> = [
  {
    key: 'client',
    label: 'Client',
    sort: 'clientId',
    render: (row) =>
      row.connectionId === undefined ? (
        row.clientId
      ) : (
        <Link to="/connections/$id" params={{ id: row.connectionId }}>
          {row.clientId}
        </Link>
      ),
  },
  { key: 'user', label: 'User', render: (row) => row.user },
  { key: 'protocol', label: 'Protocol', render: (row) => row.protocol },
  {
    key: 'credit',
    label: 'Credit',
    align: 'right',
    render: (row) =>
      row.credit === 0 ? (
        <Mark tone="warn" hint="It gets nothing until it asks for more.">
          0
        </Mark>
      ) : (
        formatCount(row.credit)
      ),
  },
  { key: 'unsettled', label: 'Unsettled', align: 'right', render: (row) => formatCount(row.unsettledCount) },
  { key: 'priority', label: 'Priority', align: 'right', render: (row) => row.priority },
  {
    key: 'marks',
    label: 'How',
    render: (row) => (
      <span className="row">
        {!row.attached && <Mark tone="warn">away</Mark>}
        {row.exclusive && <Mark>exclusive</Mark>}
        {row.browsing && <Mark>browsing</Mark>}
      </span>
    ),
  },
  {
    key: 'selector',
    label: 'Selector',
    grow: true,
    render: (row) => row.selector !== undefined && <code title={row.selector}>{row.selector}</code>,
  },
]

export const CONSUMER_COLUMNS_WITH_QUEUE: ReadonlyArray<Column<ConsumerItem>> = [
  { key: 'queue', label: 'Queue', sort: 'queue', render: (row) => <QueueLink name={row.queue} /> },
  ...CONSUMER_COLUMNS,
]

export function consumerKey(row: ConsumerItem): string {
  return `${row.queue} ${row.clientId} ${row.connectionId ?? ''} ${row.selector ?? ''} ${row.priority}`
}
