/** Tokens for scripts: what each may do, when it was used, and a way to take it back. */
import { Alert, Button, Checkbox, Select, Stack, TextInput } from '@mantine/core'
import { createToken, deleteToken, listTokens, type Scope, type TokenItem } from '@ternmq/api'
import { useState } from 'react'
import { CodeBlock } from '../components/code-block.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { Dialog } from '../components/dialog.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { Icon } from '../components/icons.tsx'
import { Ago, Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { fieldError, isLoss, toProblem } from '../lib/api.ts'
import { useLook } from '../lib/query.ts'
import { useMe } from '../lib/session.tsx'

const SCOPES: ReadonlyArray<readonly [scope: Scope, meaning: string]> = [
  ['read', 'looks at everything'],
  ['operate', 'works on queues, messages and connections'],
  ['admin', 'users, permissions, settings'],
  ['messages', 'publishes and takes messages'],
]
const DAY_MS = 86_400_000
const LIVES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '365', label: 'a year' },
  { value: '', label: 'for ever' },
]

export function TokensPage() {
  const { data, error, refetch } = useLook(listTokens)
  const [isCreating, setCreating] = useState(false)
  const [made, setMade] = useState<string | undefined>(undefined)
  const [removed, setRemoved] = useState<TokenItem | undefined>(undefined)
  const columns: ReadonlyArray<Column<TokenItem>> = [
    { key: 'name', label: 'Token', render: (row) => <b>{row.name}</b> },
    { key: 'user', label: 'User', render: (row) => row.user },
    {
      key: 'scopes',
      label: 'May',
      render: (row) => (
        <span className="row">
          {row.scopes.map((scope) => (
            <Mark key={scope}>{scope}</Mark>
          ))}
        </span>
      ),
    },
    { key: 'created', label: 'Made', render: (row) => <Ago atMs={row.createdAtMs} /> },
    {
      key: 'expires',
      label: 'Expires',
      render: (row) => (row.expiresAtMs === undefined ? 'never' : <Ago atMs={row.expiresAtMs} />),
    },
    {
      key: 'used',
      label: 'Last used',
      grow: true,
      render: (row) => (row.lastUsedAtMs === undefined ? 'not yet' : <Ago atMs={row.lastUsedAtMs} />),
    },
    {
      key: 'actions',
      label: '',
      render: (row) => (
        <Button
          size="compact-xs"
          variant="default"
          className="danger"
          onClick={() => setRemoved(row)}
          aria-label={`Take back ${row.name}`}
        >
          Take back…
        </Button>
      ),
    },
  ]
  return (
    <Page
      title="Tokens"
      about="For scripts and the command line, instead of a password. A token can do no more than who made it."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setCreating(true)}>
          Make token
        </Button>
      }
    >
      {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      <Panel flush>
        {data?.items.length === 0 ? (
          <EmptyState icon="key" title="No token">
            Scripts send one as a header: authorization: Bearer TOKEN.
          </EmptyState>
        ) : (
          <DataTable label="Tokens" columns={columns} rows={data?.items ?? []} keyOf={(row) => row.id} />
        )}
      </Panel>
      {isCreating && <MakeToken onClose={() => setCreating(false)} onMade={setMade} />}
      {made !== undefined && (
        <Dialog title="The token" onClose={() => setMade(undefined)}>
          <Stack gap="sm">
            <Alert color="yellow" variant="light" className="problem notice">
              It is shown this once. Copy it now.
            </Alert>
            <CodeBlock text={made} label="Token" />
          </Stack>
        </Dialog>
      )}
      {removed !== undefined && (
        <ConfirmDialog
          title="Take a token back"
          name={removed.name}
          confirm="Take back"
          route={deleteToken}
          input={{ params: { id: removed.id } }}
          onClose={() => setRemoved(undefined)}
          says={() => `${removed.name} opens nothing any more.`}
        >
          Whatever uses {removed.name} is refused from now on.
        </ConfirmDialog>
      )}
    </Page>
  )
}

function MakeToken({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: (token: string) => void }) {
  const me = useMe()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>([])
  const [days, setDays] = useState('30')
  // Taken when the form opens: a call that changes with each second could not be shown.
  const [openedAtMs] = useState(() => Date.now())
  const body = { name, scopes, ...(days === '' ? {} : { expiresAtMs: openedAtMs + Number(days) * DAY_MS }) }
  return (
    <FormDialog
      title="Make a token"
      route={createToken}
      input={name === '' || scopes.length === 0 ? undefined : { body }}
      submit="Make token"
      onClose={onClose}
      onDone={({ token }) => onMade(token)}
    >
      {(problem) => (
        <>
          <TextInput
            label="Name"
            description="What it is for: deploy, monitoring."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fieldError(problem, 'name')}
            required
            data-autofocus
          />
          <Checkbox.Group
            label="May"
            value={[...scopes]}
            onChange={(values) => setScopes(SCOPES.map(([scope]) => scope).filter((scope) => values.includes(scope)))}
            error={fieldError(problem, 'scopes')}
          >
            <Stack gap={4} mt={4}>
              {SCOPES.filter(([scope]) => me.scopes.includes(scope)).map(([scope, meaning]) => (
                <Checkbox key={scope} value={scope} label={`${scope}: ${meaning}`} />
              ))}
            </Stack>
          </Checkbox.Group>
          <Select
            label="Good for"
            data={LIVES}
            value={days}
            onChange={(value) => setDays(value ?? '')}
            allowDeselect={false}
            error={fieldError(problem, 'expiresAtMs')}
          />
        </>
      )}
    </FormDialog>
  )
}
