/** Who has subscribed to what, and who would get a message of some topic. */
import { listSubscriptions, type SubscriptionItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { countColumn, PROTOCOL_COLUMN } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { ConnectedMark, SESSION_COLUMN } from '../features/connections/client-columns.tsx'
import { SUBSCRIPTION_INFO_COLUMNS, subscriptionKey } from '../features/connections/subscription-columns.tsx'

const COLUMNS: ReadonlyArray<Column<SubscriptionItem>> = [
  {
    ...SESSION_COLUMN,
    sort: 'clientId',
    render: (row) => (
      <span className="row">
        {SESSION_COLUMN.render(row)}
        {!row.connected && <ConnectedMark connected={false} />}
      </span>
    ),
  },
  PROTOCOL_COLUMN,
  countColumn('waitingCount', 'Waiting', { sort: true }),
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
            It shows up when a client subscribes, such as <Link to="/try">Try it</Link>.
          </EmptyState>
        }
      />
    </Page>
  )
}
