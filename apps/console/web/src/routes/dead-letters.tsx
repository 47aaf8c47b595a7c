/** What could not be delivered, by why and from where, with ways to try it again. */
import { Button, Group } from '@mantine/core'
import { type DeadLetterGroup, type DeadLetterQueue, listDeadLetters } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { actionsColumn, agoColumn, countColumn } from '../components/columns.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { LookProblem } from '../components/problem-view.tsx'
import { selectorOf } from '../features/messages/dead-letter-selector.ts'
import { ActDialog, type Chosen } from '../features/messages/act-dialog.tsx'
import { QueueLink } from '../features/queues/queue-link.tsx'
import { formatCount, formatMany } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { useMay } from '../lib/session.tsx'

const DEAD_MS = 5_000

interface Asked {
  readonly action: 'retry' | 'delete'
  readonly queue: string
  readonly chosen: Chosen
  readonly count: number
}

export function DeadLettersPage() {
  const look = useLook(listDeadLetters, {}, { everyMs: DEAD_MS })
  const { data } = look
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const held = data?.items.filter(({ readyCount }) => readyCount > 0) ?? []
  return (
    <Page
      title="Dead letters"
      about="Messages that were rejected, failed too often or expired wait here, with the reason, until somebody retries or deletes them."
    >
      <LookProblem of={look} />
      {data !== undefined && held.length === 0 && (
        <Panel>
          <EmptyState icon="check" title="Nothing is dead">
            Every message has found its consumer, or still may.
          </EmptyState>
        </Panel>
      )}
      {held.map((queue) => (
        <DeadQueue key={queue.queue} queue={queue} onAsk={setAsked} />
      ))}
      {asked !== undefined && <ActDialog {...asked} onClose={() => setAsked(undefined)} />}
    </Page>
  )
}

function DeadQueue({ queue, onAsk }: { readonly queue: DeadLetterQueue; readonly onAsk: (asked: Asked) => void }) {
  const mayOperate = useMay('operate')
  const isPart = queue.lookedAtCount < queue.readyCount
  const ungroupedCount = queue.groups.reduce((left, { count }) => left - count, queue.lookedAtCount)
  return (
    <Panel
      title={queue.queue}
      flush
      right={
        <Group gap="sm">
          <span className="dim small">
            {formatMany(queue.readyCount, 'message')}
            {isPart && `, the first ${formatCount(queue.lookedAtCount)} looked at`}
            {ungroupedCount > 0 && `, ${formatCount(ungroupedCount)} of them in no group`}
          </span>
          <Link className="small" to="/queues/$queue" params={{ queue: queue.queue }} search={{ tab: 'messages' }}>
            Look into it
          </Link>
          {mayOperate && (
            <Button
              size="compact-xs"
              onClick={() =>
                onAsk({ action: 'retry', queue: queue.queue, chosen: { all: true }, count: queue.readyCount })
              }
            >
              Retry all…
            </Button>
          )}
        </Group>
      }
    >
      <DataTable
        label={`Dead letters of ${queue.queue} by cause`}
        columns={columnsFor(queue, mayOperate, onAsk)}
        rows={queue.groups}
        keyOf={groupKey}
      />
    </Panel>
  )
}

function groupKey({ cause, originalQueue, reason, otherReasonsCount }: DeadLetterGroup): string {
  return JSON.stringify([cause, originalQueue, reason, otherReasonsCount !== undefined])
}

function columnsFor(
  queue: DeadLetterQueue,
  mayOperate: boolean,
  onAsk: (asked: Asked) => void,
): ReadonlyArray<Column<DeadLetterGroup>> {
  const ask = (action: Asked['action'], group: DeadLetterGroup): void =>
    onAsk({ action, queue: queue.queue, chosen: { selector: selectorOf(group) }, count: group.count })
  return [
    { key: 'cause', label: 'Cause', width: 16, render: (row) => <Mark tone="bad">{row.cause}</Mark> },
    countColumn('count', 'Messages'),
    {
      key: 'reason',
      label: 'Reason',
      isApart: true,
      render: ({ reason, otherReasonsCount }) =>
        otherReasonsCount === undefined ? (
          <span title={reason}>{reason ?? 'none given'}</span>
        ) : (
          <span className="dim">{formatMany(otherReasonsCount, 'other reason')}, together</span>
        ),
    },
    {
      key: 'from',
      label: 'From',
      width: 22,
      render: (row) =>
        row.originalQueue === undefined ? (
          <span className="dim">not known</span>
        ) : (
          <QueueLink name={row.originalQueue} />
        ),
    },
    agoColumn('oldestAtMs', 'Oldest'),
    actionsColumn(['Look', 'Retry', 'Delete'], (row) => (
      <Group gap={6} justify="flex-end" wrap="nowrap">
        <Link
          to="/queues/$queue"
          params={{ queue: queue.queue }}
          search={{ tab: 'messages', selector: selectorOf(row) }}
        >
          Look
        </Link>
        {/* Other reasons have no selector of their own: whoever looks sees what it takes with it. */}
        {mayOperate && row.otherReasonsCount === undefined && (
          <>
            <Button size="compact-xs" variant="default" onClick={() => ask('retry', row)}>
              Retry…
            </Button>
            <Button size="compact-xs" variant="default" className="danger" onClick={() => ask('delete', row)}>
              Delete…
            </Button>
          </>
        )}
      </Group>
    )),
  ]
}
