/** All queues: how deep, how busy, who reads, and what is wrong with them. */
import { Button } from '@mantine/core'
import { listQueues, type QueueItem } from '@ternmq/api'
import { useNavigate } from '@tanstack/react-router'
import { bytesColumn, countColumn, PROBLEM_COLUMN, rateColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { UNHEALTHY } from '../components/list-frame.tsx'
import { Page } from '../components/page.tsx'
import { Sparkline } from '../components/sparkline.tsx'
import { CreateQueue } from '../features/queues/create-queue.tsx'
import { type Depths, useDepths } from '../features/queues/depths.ts'
import { QueueLink } from '../features/queues/queue-link.tsx'
import { QueueMarks } from '../features/queues/queue-marks.tsx'
import { IfMay } from '../lib/session.tsx'
import { useUrlState } from '../lib/url-state.ts'

const KINDS = [
  { value: 'queue', label: 'Queues' },
  { value: 'subscription', label: 'Of subscriptions' },
  { value: 'temporary', label: 'Temporary' },
]

function columnsWith(depths: Depths): ReadonlyArray<Column<QueueItem>> {
  return [
    {
      key: 'name',
      label: 'Queue',
      sort: 'name',
      render: (row) => (
        <span className="row">
          <QueueLink name={row.name} />
          <QueueMarks queue={row} />
        </span>
      ),
    },
    PROBLEM_COLUMN,
    countColumn('readyCount', 'Ready', { sort: true }),
    {
      key: 'depth',
      label: 'Depth',
      width: 10,
      framePx: 12,
      isApart: true,
      render: (row) => (
        <Sparkline values={depths.get(row.name) ?? []} label={`Depth of ${row.name} while this page was open`} />
      ),
    },
    countColumn('inflightCount', 'In flight', { sort: true }),
    bytesColumn('readyBytes', 'Size', { sort: true }),
    countColumn('consumerCount', 'Consumers', { sort: true }),
    rateColumn('inPerSecond', 'In', { sort: true }),
    rateColumn('outPerSecond', 'Out', { sort: true }),
    countColumn('deadLetteredCount', 'Dead-lettered', { sort: true }),
  ]
}

export function QueuesPage() {
  const url = useUrlState()
  const navigate = useNavigate()
  const [depths, addDepths] = useDepths()
  return (
    <Page
      title="Queues"
      fills
      about="Each message of a queue goes to one of its consumers. Durable and shared subscriptions of topics have a queue too."
      actions={
        <IfMay scope="operate">
          <Button leftSection={<Icon name="plus" size={14} />} onClick={() => url.set({ create: 'true' })}>
            Create queue
          </Button>
        </IfMay>
      }
    >
      <List
        noun="queues"
        route={listQueues}
        columns={columnsWith(depths)}
        keyOf={(row) => row.name}
        isBad={(row) => row.problem !== undefined}
        filters={[
          { key: 'kind', label: 'Kind', options: KINDS },
          { key: 'nonEmpty', label: 'With messages' },
          { key: 'deadLetters', label: 'Dead letters' },
          UNHEALTHY,
        ]}
        onRows={addDepths}
        empty={
          <EmptyState icon="queues" title="No queue yet">
            A queue is made when a client sends to it or reads from it for the first time, or here.
          </EmptyState>
        }
      />
      {url.get('create') === 'true' && (
        <IfMay scope="operate">
          <CreateQueue
            onClose={() => url.set({ create: '' }, { replace: true })}
            onDone={(queue) => void navigate({ to: '/queues/$queue', params: { queue: queue.name } })}
          />
        </IfMay>
      )}
    </Page>
  )
}
