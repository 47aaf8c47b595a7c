/** One queue: how it is, what is in it, who reads from it, how it is set, and what can be done with it. */
import { Button } from '@mantine/core'
import { getQueue, pauseQueue, type QueueDetail, resumeQueue } from '@ternmq/api'
import { useState } from 'react'
import { DataTable } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { ProblemMark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { type Tab, UrlTabs } from '../components/url-tabs.tsx'
import { MessageBrowser } from '../features/messages/message-browser.tsx'
import { PublishDialog } from '../features/messages/publish-dialog.tsx'
import { CONSUMER_COLUMNS, consumerKey } from '../features/queues/consumer-columns.tsx'
import { QueueDanger } from '../features/queues/queue-danger.tsx'
import { QueueMarks } from '../features/queues/queue-marks.tsx'
import { QueueOverview } from '../features/queues/queue-overview.tsx'
import { QueueSettingsPanel } from '../features/queues/queue-settings-panel.tsx'
import { isLoss, toProblem } from '../lib/api.ts'
import { formatCount } from '../lib/format.ts'
import { useAct, useLook } from '../lib/query.ts'
import { IfMay, useMay } from '../lib/session.tsx'
import { usePathText, useUrlState } from '../lib/url-state.ts'

const QUEUE_MS = 2_000
const ABOVE = { label: 'Queues', to: '/queues' }

export function QueuePage() {
  const name = usePathText('queue')
  const { data, error, refetch } = useLook(getQueue, { params: { queue: name } }, { everyMs: QUEUE_MS })
  const fills = useUrlState().get('tab') === 'messages'
  if (data === undefined || (error !== null && !isLoss(error))) {
    return (
      <Page title={name} above={ABOVE}>
        {error !== null && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      </Page>
    )
  }
  return (
    <Page
      title={name}
      above={ABOVE}
      fills={fills}
      marks={<QueueMarks queue={data} />}
      about={<ProblemMark problem={data.problem} />}
      actions={<QueueActions queue={data} />}
    >
      <QueueTabs queue={data} />
    </Page>
  )
}

function QueueTabs({ queue }: { readonly queue: QueueDetail }) {
  const mayOperate = useMay('operate')
  const tabs: Tab[] = [
    { key: 'overview', label: 'Overview', content: () => <QueueOverview queue={queue} /> },
    {
      key: 'messages',
      label: `Messages ${formatCount(queue.readyCount + queue.inflightCount)}`,
      content: () => (
        <MessageBrowser
          key={queue.name}
          queue={queue.name}
          readyCount={queue.readyCount}
          isDeadLetter={queue.isDeadLetter}
        />
      ),
    },
    {
      key: 'consumers',
      label: `Consumers ${formatCount(queue.consumerCount)}`,
      content: () => <Consumers queue={queue} />,
    },
    {
      key: 'bindings',
      label: `Bindings ${formatCount(queue.bindings.length)}`,
      content: () => <Bindings queue={queue} />,
    },
    { key: 'settings', label: 'Settings', content: () => <QueueSettingsPanel queue={queue} /> },
  ]
  if (mayOperate) tabs.push({ key: 'danger', label: 'Purge and delete', content: () => <QueueDanger queue={queue} /> })
  return <UrlTabs tabs={tabs} label={`Parts of ${queue.name}`} />
}

function QueueActions({ queue }: { readonly queue: QueueDetail }) {
  const [isPublishing, setPublishing] = useState(false)
  const pause = useAct(pauseQueue, {
    tellProblem: true,
    says: () => `${queue.name} is paused: messages come in, none go out.`,
  })
  const resume = useAct(resumeQueue, { tellProblem: true, says: () => `${queue.name} hands out again.` })
  const input = { params: { queue: queue.name } }
  return (
    <>
      <IfMay scope="messages">
        <Button onClick={() => setPublishing(true)}>Publish</Button>
      </IfMay>
      <IfMay scope="operate">
        {queue.paused ? (
          <Button variant="default" loading={resume.isRunning} onClick={() => resume.run(input)}>
            Resume
          </Button>
        ) : (
          <Button variant="default" loading={pause.isRunning} onClick={() => pause.run(input)}>
            Pause
          </Button>
        )}
      </IfMay>
      {isPublishing && <PublishDialog address={`queue://${queue.name}`} onClose={() => setPublishing(false)} />}
    </>
  )
}

function Consumers({ queue }: { readonly queue: QueueDetail }) {
  if (queue.consumers.length === 0) {
    return (
      <Panel>
        <EmptyState icon="sessions" title="Nobody reads from it">
          Messages wait until a consumer comes.
        </EmptyState>
      </Panel>
    )
  }
  return (
    <Panel title="Who reads from it" flush>
      <DataTable label="Consumers" columns={CONSUMER_COLUMNS} rows={queue.consumers} keyOf={consumerKey} />
    </Panel>
  )
}

function Bindings({ queue }: { readonly queue: QueueDetail }) {
  if (queue.bindings.length === 0) {
    return (
      <Panel>
        <EmptyState icon="topics" title="No topic comes into it">
          Only what is sent to the queue itself is in it.
        </EmptyState>
      </Panel>
    )
  }
  return (
    <Panel title="Topics that come into it">
      <ul className="plain-list">
        {queue.bindings.map((pattern) => (
          <li key={pattern} className="mono">
            {pattern}
          </li>
        ))}
      </ul>
    </Panel>
  )
}
