/** All queues: how deep, how busy, who reads, and what is wrong with them. */
import { Button } from '@mantine/core'
import { listQueues, type QueueItem } from '@ternmq/api'
import { Link, useNavigate } from '@tanstack/react-router'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { ProblemMark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { Sparkline } from '../components/sparkline.tsx'
import { CreateQueue } from '../features/queues/create-queue.tsx'
import { type Depths, useDepths } from '../features/queues/depths.ts'
import { QueueMarks } from '../features/queues/queue-marks.tsx'
import { formatBytes, formatCount, formatRate } from '../lib/format.ts'
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
        <Link to="/queues/$queue" params={{ queue: row.name }} className="cell-name" title={row.name}>
          {row.name}
        </Link>
      ),
    },
    { key: 'marks', label: '', render: (row) => <QueueMarks queue={row} /> },
    { key: 'ready', label: 'Ready', sort: 'readyCount', align: 'right', render: (row) => formatCount(row.readyCount) },
    {
      key: 'depth',
      label: 'Depth',
      render: (row) => (
        <Sparkline values={depths.get(row.name) ?? []} label={`Depth of ${row.name} while this page was open`} />
      ),
    },
    {
      key: 'inflight',
      label: 'In flight',
      sort: 'inflightCount',
      align: 'right',
      render: (row) => formatCount(row.inflightCount),
    },
    { key: 'bytes', label: 'Size', sort: 'readyBytes', align: 'right', render: (row) => formatBytes(row.readyBytes) },
    {
      key: 'consumers',
      label: 'Consumers',
      sort: 'consumerCount',
      align: 'right',
      render: (row) => formatCount(row.consumerCount),
    },
    { key: 'in', label: 'In', sort: 'messagesIn', align: 'right', render: (row) => formatRate(row.inPerSecond) },
    { key: 'out', label: 'Out', sort: 'messagesOut', align: 'right', render: (row) => formatRate(row.outPerSecond) },
    {
      key: 'dead',
      label: 'Dead-lettered',
      sort: 'deadLetteredCount',
      align: 'right',
      render: (row) => formatCount(row.deadLetteredCount),
    },
    { key: 'problem', label: 'Problem', grow: true, render: (row) => <ProblemMark problem={row.problem} /> },
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
        withUnhealthy
        filters={[
          { key: 'kind', label: 'Kind', options: KINDS },
          { key: 'nonEmpty', label: 'With messages' },
          { key: 'deadLetters', label: 'Dead letters' },
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
