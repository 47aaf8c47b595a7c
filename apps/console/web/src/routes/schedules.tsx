/** What is to be sent later, or again and again. */
import { Button } from '@mantine/core'
import { cancelSchedule, listSchedules, type ScheduleItem } from '@ternmq/api'
import { useState } from 'react'
import type { Column } from '../components/data-table.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Ago } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { formatCount, formatDuration, formatMoment } from '../lib/format.ts'
import { useMay } from '../lib/session.tsx'

/** `by 0 2 * * *`, `every 1 min, 12 times`, `once`. */
export function sayRepeat({ cron, periodMs, left }: Pick<ScheduleItem, 'cron' | 'periodMs' | 'left'>): string {
  const how = [
    ...(cron === '' ? [] : [`by ${cron}`]),
    ...(periodMs === 0 ? [] : [`every ${formatDuration(periodMs)}`]),
  ].join(', then ')
  if (how === '') return 'once'
  return left === null ? `${how}, without end` : `${how}, ${formatCount(left)} more`
}

export function SchedulesPage() {
  const mayOperate = useMay('operate')
  const [chosen, setChosen] = useState<ScheduleItem | undefined>(undefined)
  const columns: Array<Column<ScheduleItem>> = [
    { key: 'address', label: 'To', sort: 'address', render: (row) => <span className="mono">{row.address}</span> },
    { key: 'next', label: 'Next', sort: 'nextAtMs', render: (row) => <Ago atMs={row.nextAtMs} /> },
    { key: 'at', label: 'At', render: (row) => formatMoment(row.nextAtMs) },
    { key: 'repeat', label: 'How often', render: sayRepeat },
    { key: 'durable', label: 'Persistent', render: (row) => (row.durable ? 'yes' : 'no') },
    { key: 'id', label: 'Id', grow: true, render: (row) => <span className="mono dim">{row.id}</span> },
  ]
  if (mayOperate) {
    columns.push({
      key: 'cancel',
      label: '',
      render: (row) => (
        <Button
          size="compact-xs"
          variant="default"
          className="danger"
          onClick={() => setChosen(row)}
          aria-label={`Take back ${row.id}`}
        >
          Take back…
        </Button>
      ),
    })
  }
  return (
    <Page
      title="Schedules"
      fills
      about="Messages that were sent with a delay, a time or a cron pattern and wait for their moment."
    >
      <List
        noun="schedules"
        route={listSchedules}
        columns={columns}
        keyOf={(row) => row.id}
        empty={
          <EmptyState icon="clock" title="Nothing is to be sent later">
            Clients send with a delay by a header of their protocol; Publish on the page of a queue can too.
          </EmptyState>
        }
      />
      {chosen !== undefined && (
        <ConfirmDialog
          title="Take back a scheduled message"
          confirm="Take back"
          route={cancelSchedule}
          input={{ params: { id: chosen.id } }}
          onClose={() => setChosen(undefined)}
          says={() => 'It will not be sent.'}
        >
          The message to {chosen.address}, sent {sayRepeat(chosen)}, next at {formatMoment(chosen.nextAtMs)}, will not
          be sent any more.
        </ConfirmDialog>
      )}
    </Page>
  )
}
