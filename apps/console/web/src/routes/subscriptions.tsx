/** Who has subscribed to what, and who would get a message of some topic. */
import { listSubscriptions, type SubscriptionItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Mark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { SUBSCRIPTION_INFO_COLUMNS, subscriptionKey } from '../features/connections/subscription-columns.tsx'
import { formatCount } from '../lib/format.ts'

const COLUMNS: ReadonlyArray<Column<SubscriptionItem>> = [
  {
    key: 'client',
    label: 'Client',
    sort: 'clientId',
    render: (row) => (
      <Link to="/sessions/$clientId" params={{ clientId: row.clientId }} className="cell-name" title={row.clientId}>
        {row.clientId}
      </Link>
    ),
  },
  {
    key: 'state',
    label: 'State',
    render: (row) => (row.connected ? <Mark tone="good">connected</Mark> : <Mark>away</Mark>),
  },
  { key: 'user', label: 'User', render: (row) => row.user },
  { key: 'protocol', label: 'Protocol', render: (row) => row.protocol ?? '–' },
  {
    key: 'waiting',
    label: 'Waiting',
    sort: 'waitingCount',
    align: 'right',
    render: (row) => formatCount(row.waitingCount),
  },
  ...SUBSCRIPTION_INFO_COLUMNS,
]

export function SubscriptionsPage() {
  return (
    <Page
      title="Subscriptions"
      fills
      about="Give a topic without wildcards to see only who would get a message that is published to it."
    >
      <List
        noun="subscriptions"
        route={listSubscriptions}
        columns={COLUMNS}
        keyOf={(row) => `${row.clientId} ${subscriptionKey(row)}`}
        filters={[{ key: 'topic', label: 'Who would get topic', text: true }]}
        empty={
          <EmptyState icon="messages" title="No subscription">
            It shows up when a client subscribes.
          </EmptyState>
        }
      />
    </Page>
  )
}
