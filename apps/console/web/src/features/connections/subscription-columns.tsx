/** What a client has subscribed to, in a table. */
import type { SubscriptionInfo } from '@ternmq/api'
import { countColumn } from '../../components/columns.tsx'
import type { Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/marks.tsx'
import { SELECTOR_COLUMN } from '../queues/consumer-columns.tsx'
import { QueueLink } from '../queues/queue-link.tsx'

const ASSURANCES = ['at most once', 'at least once', 'exactly once']

export const SUBSCRIPTION_INFO_COLUMNS: ReadonlyArray<Column<SubscriptionInfo>> = [
  {
    key: 'address',
    label: 'Subscribed to',
    render: (row) => (
      <span className="mono" title={row.address}>
        {row.address}
      </span>
    ),
  },
  {
    key: 'how',
    label: 'How',
    width: 14,
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
  { key: 'assurance', label: 'Assurance', width: 11, render: (row) => ASSURANCES[row.assurance] ?? row.assurance },
  {
    key: 'queue',
    label: 'Queue',
    width: 14,
    render: (row) => (row.queue === undefined ? '–' : <QueueLink name={row.queue} />),
  },
  countColumn('credit', 'Credit'),
  countColumn('unsettledCount', 'Unsettled'),
  SELECTOR_COLUMN,
]

export function subscriptionKey({ address, group, queue, selector }: SubscriptionInfo): string {
  return JSON.stringify([address, group, queue, selector])
}
