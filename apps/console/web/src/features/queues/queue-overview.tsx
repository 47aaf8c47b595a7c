/** One queue at a glance. */
import type { QueueDetail } from '@ternmq/api'
import { useMemo } from 'react'
import { Chart } from '../../components/chart.tsx'
import { Facts } from '../../components/facts.tsx'
import { Panel } from '../../components/page.tsx'
import { formatBytes, formatCount, formatDuration, formatMany, formatRate, formatShort } from '../../lib/format.ts'
import { QueueLink } from './queue-link.tsx'
import { useQueueSamples } from './queue-samples.ts'

/** The broker remembers the course of the whole, not of each queue. */
const SINCE = <span className="dim small">since you opened this page</span>

export function QueueOverview({ queue }: { readonly queue: QueueDetail }) {
  const samples = useQueueSamples(queue.name)
  const columns = useMemo(
    () => ({
      atMs: samples.map(({ atMs }) => atMs),
      ready: samples.map(({ readyCount }) => readyCount),
      inflight: samples.map(({ inflightCount }) => inflightCount),
      delayed: samples.map(({ delayedCount }) => delayedCount),
      in: samples.map(({ inPerSecond }) => inPerSecond),
      out: samples.map(({ outPerSecond }) => outPerSecond),
    }),
    [samples],
  )
  return (
    <div className="stack">
      <div className="grid-2">
        <Panel title="Messages held" right={SINCE}>
          <Chart
            label="Messages held"
            atMs={columns.atMs}
            format={formatShort}
            series={[
              { label: 'ready', color: '--chart-in', values: columns.ready, fill: true },
              { label: 'in flight', color: '--chart-out', values: columns.inflight },
              { label: 'delayed', color: '--chart-other', values: columns.delayed },
            ]}
          />
        </Panel>
        <Panel title="Messages a second" right={SINCE}>
          <Chart
            label="Messages a second"
            atMs={columns.atMs}
            format={formatShort}
            series={[
              { label: 'in', color: '--chart-in', values: columns.in, fill: true },
              { label: 'out', color: '--chart-out', values: columns.out, dash: [8, 4] },
            ]}
          />
        </Panel>
      </div>
      <Panel title="Now">
        <Facts
          facts={[
            ['Ready', `${formatMany(queue.readyCount, 'message')}, ${formatBytes(queue.readyBytes)}`],
            ['In flight', formatCount(queue.inflightCount)],
            ['Waiting for the next attempt', formatCount(queue.delayedCount)],
            ['Oldest message', queue.oldestAgeMs === undefined ? '–' : `${formatDuration(queue.oldestAgeMs)} old`],
            ['Consumers', formatCount(queue.consumerCount)],
            ['In', formatRate(queue.inPerSecond)],
            ['Out', formatRate(queue.outPerSecond)],
            ['Durability', queue.durability],
            [
              'Dead letters go to',
              queue.deadLetter === '' ? 'nowhere: they are dropped' : <QueueLink name={queue.deadLetter} />,
            ],
            ['Made', queue.automatic ? 'by being used' : 'by somebody'],
          ]}
        />
      </Panel>
      <Panel title="Since it was made, or the broker started">
        <Facts
          facts={[
            ['Received', formatCount(queue.messagesIn)],
            ['Sent', formatCount(queue.messagesOut)],
            ['Settled', formatCount(queue.settledCount)],
            ['Redelivered', formatCount(queue.redeliveredCount)],
            ['Dead-lettered', formatCount(queue.deadLetteredCount)],
            ['Expired', formatCount(queue.expiredCount)],
            ['Dropped', formatCount(queue.droppedCount)],
          ]}
        />
      </Panel>
    </div>
  )
}
