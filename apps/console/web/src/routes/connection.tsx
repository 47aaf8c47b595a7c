/** One connection: how it does, what it listens to, what came before it, and a way to end it. */
import { Button, TextInput } from '@mantine/core'
import { closeConnection, type ConnectionDetail, getConnection, listConnectionHistory } from '@ternmq/api'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { DataTable } from '../components/data-table.tsx'
import { Facts } from '../components/facts.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { Ago, Mark, ProblemMark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { ConnectionCharts } from '../features/connections/connection-charts.tsx'
import { ENDED_COLUMNS, endedKey } from '../features/connections/ended-columns.tsx'
import { SUBSCRIPTION_INFO_COLUMNS, subscriptionKey } from '../features/connections/subscription-columns.tsx'
import { fieldError, isLoss, toProblem } from '../lib/api.ts'
import { formatBytes, formatCount, formatDuration, formatMany } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { IfMay } from '../lib/session.tsx'
import { usePathText } from '../lib/url-state.ts'

const CONNECTION_MS = 2_000
const ABOVE = { label: 'Connections', to: '/connections' }

export function ConnectionPage() {
  const id = usePathText('id')
  const { data, error, refetch } = useLook(getConnection, { params: { id } }, { everyMs: CONNECTION_MS })
  if (error !== null && !isLoss(error)) {
    return (
      <Page title={data?.clientId ?? `Connection ${id}`} above={ABOVE}>
        <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />
        {data === undefined ? (
          <Link to="/ended">Ended connections say why</Link>
        ) : (
          <Before clientId={data.clientId} title="What it came to" />
        )}
      </Page>
    )
  }
  if (data === undefined) return <Page title={`Connection ${id}`} above={ABOVE} children={null} />
  return (
    <Page
      title={data.clientId === '' ? `Connection ${id}` : data.clientId}
      above={ABOVE}
      marks={<Mark tone="good">{data.protocol}</Mark>}
      about={<ProblemMark problem={data.problem} />}
      actions={<CloseButton connection={data} />}
    >
      <ConnectionCharts id={id} />
      <Panel title="Now">
        <Facts
          facts={[
            ['User', data.user],
            ['Address', `${data.address}:${data.port}`],
            ['Listener', data.listener],
            ['How', [data.tls ?? 'without TLS', ...(data.webSocket ? ['WebSocket'] : [])].join(', ')],
            ['Connected', <Ago atMs={data.connectedAtMs} />],
            ['Keep alive', data.heartbeatMs === 0 ? 'none' : formatDuration(data.heartbeatMs)],
            [
              'Its session stays',
              data.sessionExpiryMs === null
                ? 'for ever'
                : data.sessionExpiryMs === 0
                  ? 'no longer than it'
                  : formatDuration(data.sessionExpiryMs),
            ],
            ['Received', `${formatMany(data.messagesIn, 'message')}, ${formatBytes(data.bytesIn)}`],
            ['Sent', `${formatMany(data.messagesOut, 'message')}, ${formatBytes(data.bytesOut)}`],
            ['Unsettled', formatCount(data.unsettledCount)],
            ['Unsent', formatBytes(data.pendingBytes)],
            [
              'Session',
              <Link to="/sessions/$clientId" params={{ clientId: data.clientId }}>
                {data.clientId}
              </Link>,
            ],
          ]}
        />
      </Panel>
      <Panel title={`Subscriptions ${formatCount(data.subscriptions.length)}`} flush>
        <DataTable
          label="Subscriptions"
          columns={SUBSCRIPTION_INFO_COLUMNS}
          rows={data.subscriptions}
          keyOf={subscriptionKey}
        />
      </Panel>
      <Before clientId={data.clientId} title="Connections of this client before" />
    </Page>
  )
}

function Before({ clientId, title }: { readonly clientId: string; readonly title: string }) {
  const { data } = useLook(listConnectionHistory, { query: { clientId, limit: 10 } }, { enabled: clientId !== '' })
  const items = data?.items.filter((one) => one.clientId === clientId) ?? []
  return (
    <Panel title={title} flush>
      {items.length === 0 ? (
        <p className="none">None is remembered.</p>
      ) : (
        <DataTable label="Earlier connections" columns={ENDED_COLUMNS} rows={items} keyOf={endedKey} />
      )}
    </Panel>
  )
}

function CloseButton({ connection }: { readonly connection: ConnectionDetail }) {
  const [isOpen, setOpen] = useState(false)
  const [reason, setReason] = useState('')
  const navigate = useNavigate()
  return (
    <IfMay scope="operate">
      <Button color="red" variant="outline" className="danger" onClick={() => setOpen(true)}>
        Close connection
      </Button>
      {isOpen && (
        <FormDialog
          title={`Close the connection of ${connection.clientId}`}
          route={closeConnection}
          input={{ params: { id: connection.id }, query: { reason: reason === '' ? undefined : reason } }}
          removes
          submit="Close connection"
          onClose={() => setOpen(false)}
          onDone={() => void navigate({ to: '/ended', search: { clientId: connection.clientId } })}
          says={() => 'The connection is closed.'}
        >
          {(problem) => (
            <TextInput
              label="Reason"
              description="The client hears it where its protocol has a place for it; Ended connections keeps it. Most clients connect again by themselves."
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
              error={fieldError(problem, 'reason')}
              data-autofocus
            />
          )}
        </FormDialog>
      )}
    </IfMay>
  )
}
