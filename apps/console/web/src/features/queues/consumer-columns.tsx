/** Who reads from a queue, in a table. */
import type { ConsumerItem } from '@ternmq/api'
import { countColumn, PROTOCOL_COLUMN, textColumn } from '../../components/columns.tsx'
import type { Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/marks.tsx'
import { formatCount } from '../../lib/format.ts'
import { ConnectionLink } from '../connections/client-columns.tsx'
import { QueueLink } from './queue-link.tsx'

/** Of what only some messages are wanted. */
export const SELECTOR_COLUMN: Column<{ readonly selector?: string | undefined }> = {
  key: 'selector',
  label: 'Selector',
  render: ({ selector }) => selector !== undefined && <code title={selector}>{selector}</code>,
}

export const CONSUMER_COLUMNS: ReadonlyArray<Column<ConsumerItem>> = [
  {
    key: 'client',
    label: 'Client',
    sort: 'clientId',
    render: (row) => <ConnectionLink id={row.connectionId} clientId={row.clientId} />,
  },
  textColumn('user', 'User'),
  PROTOCOL_COLUMN,
  {
    key: 'credit',
    label: 'Credit',
    width: 7,
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
  countColumn('unsettledCount', 'Unsettled'),
  countColumn('priority', 'Priority'),
  {
    key: 'marks',
    label: 'How',
    width: 16,
    render: (row) => (
      <span className="row">
        {!row.attached && <Mark tone="warn">away</Mark>}
        {row.exclusive && <Mark>exclusive</Mark>}
        {row.browsing && <Mark>browsing</Mark>}
      </span>
    ),
  },
  SELECTOR_COLUMN,
]

export const CONSUMER_COLUMNS_WITH_QUEUE: ReadonlyArray<Column<ConsumerItem>> = [
  { key: 'queue', label: 'Queue', sort: 'queue', render: (row) => <QueueLink name={row.queue} /> },
  ...CONSUMER_COLUMNS,
]

export function consumerKey(row: ConsumerItem): string {
  return `${row.queue} ${row.clientId} ${row.connectionId ?? ''} ${row.selector ?? ''} ${row.priority}`
}
