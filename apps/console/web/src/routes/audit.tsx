/** Who did what to the broker, and who was refused. */
import { type AuditItem, listAudit } from '@ternmq/api'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { LogList } from '../components/log-list.tsx'
import { Ago, Mark, type Tone } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'

const TONES = { done: 'good', refused: 'warn', failed: 'bad' } as const satisfies Record<AuditItem['outcome'], Tone>
const OUTCOMES = [
  { value: 'done', label: 'Done' },
  { value: 'refused', label: 'Refused' },
  { value: 'failed', label: 'Failed' },
]

const COLUMNS: ReadonlyArray<Column<AuditItem>> = [
  { key: 'when', label: 'When', render: (row) => <Ago atMs={row.atMs} /> },
  { key: 'user', label: 'Who', render: (row) => (row.user === '' ? '–' : row.user) },
  { key: 'action', label: 'What', render: (row) => <code>{row.action}</code> },
  { key: 'target', label: 'To what', render: (row) => <span className="cell-name">{row.target}</span> },
  { key: 'outcome', label: 'Outcome', render: (row) => <Mark tone={TONES[row.outcome]}>{row.outcome}</Mark> },
  {
    key: 'from',
    label: 'From',
    render: (row) => <span className="mono">{row.address === '' ? 'this machine' : row.address}</span>,
  },
  { key: 'by', label: 'By', render: (row) => row.by },
  { key: 'detail', label: 'Detail', grow: true, render: (row) => <span title={row.detail}>{row.detail}</span> },
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
        route={listAudit}
        columns={COLUMNS}
        isBad={(row) => row.outcome !== 'done'}
        filters={[
          { key: 'user', label: 'User', text: true },
          { key: 'action', label: 'Action', text: true },
          { key: 'outcome', label: 'Outcome', options: OUTCOMES },
        ]}
        empty={
          <EmptyState icon="audit" title="Nothing with this filter">
            Every change leaves an entry here.
          </EmptyState>
        }
      />
    </Page>
  )
}
