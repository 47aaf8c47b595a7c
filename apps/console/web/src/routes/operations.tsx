/** Long work: what runs now, what has ended, and what can be gone on with. */
import { listOperations, type OperationItem } from '@ternmq/api'
import { EmptyState } from '../components/empty-state.tsx'
import { Ago, Mark, type Tone } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { LookProblem } from '../components/problem-view.tsx'
import { nameOperation, OperationState } from '../features/operations/operation-progress.tsx'
import { asSentence } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'

const OPERATIONS_MS = 1_500

const TONES = {
  running: 'accent',
  done: 'good',
  stopped: 'warn',
  cancelled: 'plain',
  failed: 'bad',
  interrupted: 'warn',
} as const satisfies Record<OperationItem['state'], Tone>

export function OperationsPage() {
  const look = useLook(listOperations, {}, { everyMs: OPERATIONS_MS })
  return (
    <Page
      title="Operations"
      about="Work on many messages goes on here while you do something else. What stopped half way says how far it got, and can be resumed."
    >
      <LookProblem of={look} />
      {look.data?.items.length === 0 && (
        <Panel>
          <EmptyState icon="play" title="Nothing runs">
            Moving, copying, deleting or retrying many messages shows up here.
          </EmptyState>
        </Panel>
      )}
      <ul className="cards">
        {look.data?.items.map((operation) => (
          <li key={operation.id} className="panel">
            <div className="row card-head">
              <b>{asSentence(nameOperation(operation))}</b>
              <Mark tone={TONES[operation.state]}>{operation.state}</Mark>
              <span className="dim">
                by {operation.user}, <Ago atMs={operation.startedAtMs} />
              </span>
            </div>
            <OperationState operation={operation} />
          </li>
        ))}
      </ul>
    </Page>
  )
}
