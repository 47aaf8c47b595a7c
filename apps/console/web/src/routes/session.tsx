/** One session: its subscriptions, and what waits for its client. */
import { Button } from '@mantine/core'
import { browseSession, deleteSession, getSession, type SessionDetail } from '@ternmq/api'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import { DataTable } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Facts } from '../components/facts.tsx'
import { List } from '../components/list.tsx'
import { ProblemMark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { UrlTabs } from '../components/url-tabs.tsx'
import { ConnectedMark } from '../features/connections/client-columns.tsx'
import { SUBSCRIPTION_INFO_COLUMNS, subscriptionKey } from '../features/connections/subscription-columns.tsx'
import { messageColumns } from '../features/messages/message-browser.tsx'
import { isLoss, toProblem } from '../lib/api.ts'
import { formatBytes, formatCount, formatDuration, formatMany, formatProtocol } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { IfMay } from '../lib/session.tsx'
import { usePathText, useUrlState } from '../lib/url-state.ts'

const SESSION_MS = 2_000
const ABOVE = { label: 'Sessions', to: '/sessions' }
const MESSAGE_COLUMNS = messageColumns(undefined, false)

export function SessionPage() {
  const clientId = usePathText('clientId')
  const { data, error, refetch } = useLook(getSession, { params: { clientId } }, { everyMs: SESSION_MS })
  const fills = useUrlState().get('tab') === 'messages'
  if (data === undefined || (error !== null && !isLoss(error))) {
    return (
      <Page title={clientId} above={ABOVE}>
        {error !== null && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      </Page>
    )
  }
  return (
    <Page
      title={clientId}
      above={ABOVE}
      fills={fills}
      marks={<ConnectedMark connected={data.connected} />}
      about={<ProblemMark problem={data.problem} />}
      actions={<EndButton session={data} />}
    >
      <UrlTabs
        label={`Parts of ${clientId}`}
        tabs={[
          { key: 'overview', label: 'Overview', content: () => <SessionOverview session={data} /> },
          {
            key: 'messages',
            label: `Messages ${formatCount(data.waitingCount + data.inflightCount)}`,
            content: () => (
              <List
                noun="messages"
                route={browseSession}
                params={{ clientId }}
                columns={MESSAGE_COLUMNS}
                keyOf={(row) => row.id}
                search={{ key: 'selector', label: "Selector: colour = 'red'" }}
                empty={
                  <EmptyState icon="check" title="Nothing waits">
                    The client has got all that was for it.
                  </EmptyState>
                }
              />
            ),
          },
        ]}
      />
    </Page>
  )
}

function SessionOverview({ session }: { readonly session: SessionDetail }) {
  return (
    <div className="stack">
      <Panel title="Now">
        <Facts
          facts={[
            ['User', session.user],
            ['Protocol', formatProtocol(session.protocol)],
            [
              'Connection',
              session.connectionId === undefined ? (
                <Link to="/ended" search={{ clientId: session.clientId }}>
                  away; why
                </Link>
              ) : (
                <Link to="/connections/$id" params={{ id: session.connectionId }}>
                  {session.connectionId}
                </Link>
              ),
            ],
            ['Survives a restart', session.durable ? 'yes' : 'no'],
            ['Stays without a connection', session.expiryMs === null ? 'for ever' : formatDuration(session.expiryMs)],
            ['Will', session.hasWill ? 'left with the broker' : 'none'],
            ['Waiting', `${formatMany(session.waitingCount, 'message')}, ${formatBytes(session.waitingBytes)}`],
            ['In flight', formatCount(session.inflightCount)],
            ['Dropped', formatCount(session.droppedCount)],
          ]}
        />
      </Panel>
      <Panel title={`Subscriptions ${formatCount(session.subscriptions.length)}`} flush>
        <DataTable
          label="Subscriptions"
          columns={SUBSCRIPTION_INFO_COLUMNS}
          rows={session.subscriptions}
          keyOf={subscriptionKey}
        />
      </Panel>
    </div>
  )
}

function EndButton({ session }: { readonly session: SessionDetail }) {
  const [isOpen, setOpen] = useState(false)
  const navigate = useNavigate()
  return (
    <IfMay scope="operate">
      <Button color="red" variant="outline" className="danger" onClick={() => setOpen(true)}>
        End session
      </Button>
      {isOpen && (
        <ConfirmDialog
          title="End the session"
          name={session.clientId}
          confirm="End session"
          route={deleteSession}
          input={{ params: { clientId: session.clientId } }}
          removes
          onClose={() => setOpen(false)}
          onDone={() => void navigate({ to: '/sessions' })}
          says={() => `The session of ${session.clientId} is ended.`}
        >
          The session of {session.clientId} will be gone with {formatMany(session.subscriptionCount, 'subscription')}{' '}
          and {formatMany(session.waitingCount, 'message')} that wait.{' '}
          {session.connected && 'Its connection is closed.'}
        </ConfirmDialog>
      )}
    </IfMay>
  )
}
