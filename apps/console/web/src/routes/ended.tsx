/** Connections that have ended, and why. */
import { listConnectionHistory } from '@ternmq/api'
import { EmptyState } from '../components/empty-state.tsx'
import { TIME_FILTERS } from '../components/list-frame.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { ENDED_COLUMNS, endedKey } from '../features/connections/ended-columns.tsx'

const ENDED_BY = [
  { value: 'client', label: 'By the client' },
  { value: 'broker', label: 'By the broker' },
  { value: 'network', label: 'By the network' },
  { value: 'operator', label: 'By an operator' },
  { value: 'takeover', label: 'By a takeover' },
]

export function EndedPage() {
  return (
    <Page
      title="Ended connections"
      fills
      about="Why clients left or were made to, the newest first. The broker remembers as many as its configuration says."
    >
      <List
        noun="ended connections"
        route={listConnectionHistory}
        columns={ENDED_COLUMNS}
        keyOf={endedKey}
        search={{ key: 'clientId', label: 'Client id' }}
        filters={[
          { key: 'endedBy', label: 'Ended by', options: ENDED_BY },
          { key: 'user', label: 'User', text: true },
          { key: 'address', label: 'Address', text: true },
          ...TIME_FILTERS,
        ]}
        empty={
          <EmptyState icon="check" title="Nobody has left yet">
            Every connection since the start is still there.
          </EmptyState>
        }
      />
    </Page>
  )
}
