/** Who did what to the broker, and who was refused. */
import { type AuditItem, listAudit } from '@ternmq/api'
import { agoColumn, monoColumn, textColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { TIME_FILTERS } from '../components/list-frame.tsx'
import { LogList } from '../components/log-list.tsx'
import { Mark, type Tone } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'

const TONES = { done: 'good', refused: 'warn', failed: 'bad' } as const satisfies Record<AuditItem['outcome'], Tone>
const OUTCOMES = [
  { value: 'done', label: 'Done' },
  { value: 'refused', label: 'Refused' },
  { value: 'failed', label: 'Failed' },
]

const COLUMNS: ReadonlyArray<Column<AuditItem>> = [
  agoColumn('atMs', 'When'),
  textColumn('user', 'Who'),
  monoColumn('action', 'What', { width: 20 }),
  textColumn('target', 'To what', { width: 20 }),
  {
    key: 'outcome',
    label: 'Outcome',
    width: 9,
    render: (row) => <Mark tone={TONES[row.outcome]}>{row.outcome}</Mark>,
  },
  monoColumn('address', 'From', { none: 'this machine' }),
  { key: 'by', label: 'By', width: 8, render: ({ by }) => (by === 'none' ? '–' : by) },
  textColumn('detail', 'Detail', { width: 'rest', none: '' }),
]

export function AuditPage() {
  return (
    <Page
      title="Audit"
      fills
      about="Logins, refusals and every change, whether from the console, the command line or a script."
    >
      <LogList
        noun="entries"
        one="entry"
        route={listAudit}
        columns={COLUMNS}
        isBad={(row) => row.outcome !== 'done'}
        filters={[
          { key: 'user', label: 'User', text: true },
          { key: 'action', label: 'Action', text: true },
          { key: 'outcome', label: 'Outcome', options: OUTCOMES },
          ...TIME_FILTERS,
        ]}
        empty={
          <EmptyState icon="audit" title="Nothing yet">
            Every login and every change leaves an entry here.
          </EmptyState>
        }
      />
    </Page>
  )
}
