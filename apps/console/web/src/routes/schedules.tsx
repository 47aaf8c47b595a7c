/** What is to be sent later, or again and again. */
import { cancelSchedule, listSchedules, type ScheduleItem } from '@ternmq/api'
import { useState } from 'react'
import { actionsColumn, agoColumn, monoColumn, RowButton } from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
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
    monoColumn('address', 'To', { sort: true, width: 26 }),
    agoColumn('nextAtMs', 'Next', { sort: true }),
    { key: 'repeat', label: 'How often', width: 24, render: sayRepeat },
    { key: 'user', label: 'By', width: 14, render: (row) => (row.user === '' ? 'not known' : row.user) },
    { key: 'durable', label: 'Persistent', width: 10, render: (row) => (row.durable ? 'yes' : 'no') },
    monoColumn('id', 'Id', { width: 'rest' }),
  ]
  if (mayOperate) {
    columns.push(
      actionsColumn(['Take back'], (row) => (
        <RowButton label="Take back" of={row.id} isDanger onClick={() => setChosen(row)} />
      )),
    )
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
