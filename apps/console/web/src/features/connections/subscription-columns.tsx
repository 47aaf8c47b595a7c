/** What a client has subscribed to, in a table. */
import type { SubscriptionInfo } from '@ternmq/api'
import type { Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/marks.tsx'
import { formatCount } from '../../lib/format.ts'
import { QueueLink } from '../queues/queue-overview.tsx'

const ASSURANCES = ['at most once', 'at least once', 'exactly once']

export const SUBSCRIPTION_INFO_COLUMNS: ReadonlyArray<Column<SubscriptionInfo>> = [
  {
    key: 'address',
    label: 'Subscribed to',
    render: (row) => (
      <span className="mono cell-name" title={row.address}>
        {row.address}
      </span>
    ),
  },
  {
    key: 'how',
    label: 'How',
    render: (row) => (
      <span className="row">
        <Mark>{row.kind}</Mark>
        {row.group !== undefined && (
          <Mark tone="accent" hint="One of its members gets each message.">
            shared by {row.group}
          </Mark>
        )}
        {row.noLocal && <Mark hint="Not what it has published itself.">no local</Mark>}
      </span>
    ),
  },
  { key: 'assurance', label: 'Assurance', render: (row) => ASSURANCES[row.assurance] ?? row.assurance },
  { key: 'queue', label: 'Queue', render: (row) => (row.queue === undefined ? '–' : <QueueLink name={row.queue} />) },
  {
    key: 'credit',
    label: 'Credit',
    align: 'right',
    render: (row) => (row.credit === undefined ? '–' : formatCount(row.credit)),
  },
  {
    key: 'unsettled',
    label: 'Unsettled',
    align: 'right',
    render: (row) => (row.unsettledCount === undefined ? '–' : formatCount(row.unsettledCount)),
  },
  {
    key: 'selector',
    label: 'Selector',
    grow: true,
    render: (row) => row.selector !== undefined && <code title={row.selector}>{row.selector}</code>,
  },
]

export function subscriptionKey({ address, group, queue, selector }: SubscriptionInfo): string {
  return JSON.stringify([address, group, queue, selector])
}
