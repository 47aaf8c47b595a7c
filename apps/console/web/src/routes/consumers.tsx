/** Who reads from which queue. */
import { listConsumers } from '@ternmq/api'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { CONSUMER_COLUMNS_WITH_QUEUE, consumerKey } from '../features/queues/consumer-columns.tsx'

export function ConsumersPage() {
  return (
    <Page title="Consumers" fills about="Who reads from queues, and how much each may still get.">
      <List
        noun="consumers"
        route={listConsumers}
        columns={CONSUMER_COLUMNS_WITH_QUEUE}
        keyOf={consumerKey}
        filters={[{ key: 'queue', label: 'Queue', text: true }]}
        empty={
          <EmptyState icon="sessions" title="Nobody reads from a queue">
            A consumer shows up when a client subscribes to a queue; until then its messages wait.
          </EmptyState>
        }
      />
    </Page>
  )
}
