/** Tokens for scripts: what each may do, when it was used, and a way to take it back. */
import { Alert, Button, Checkbox, Select, Stack, TextInput } from '@mantine/core'
import { createToken, deleteToken, listTokens, type Scope, type TokenItem } from '@ternmq/api'
import { useState } from 'react'
import { CodeBlock } from '../components/code-block.tsx'
import { actionsColumn, agoColumn, marksColumn, nameColumn, RowButton, textColumn } from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { Dialog } from '../components/dialog.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { fieldError } from '../lib/api.ts'
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
  const [isCreating, setCreating] = useState(false)
  const [made, setMade] = useState<string | undefined>(undefined)
  const [removed, setRemoved] = useState<TokenItem | undefined>(undefined)
  const columns: ReadonlyArray<Column<TokenItem>> = [
    nameColumn('name', 'Token'),
    textColumn('user', 'User'),
    marksColumn('scopes', 'May', { width: 30 }),
    agoColumn('createdAtMs', 'Made'),
    agoColumn('expiresAtMs', 'Expires', { none: 'never' }),
    agoColumn('lastUsedAtMs', 'Last used', { none: 'not yet' }),
    actionsColumn(['Take back'], (row) => (
      <RowButton label="Take back" of={row.name} isDanger onClick={() => setRemoved(row)} />
    )),
  ]
  return (
    <Page
      title="Tokens"
      fills
      about="For scripts and the command line, instead of a password. A token can do no more than who made it."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setCreating(true)}>
          Make token
        </Button>
      }
    >
      <List
        noun="tokens"
        route={listTokens}
        search={false}
        columns={columns}
        keyOf={(row) => row.id}
        empty={
          <EmptyState icon="key" title="No token">
            Make one for each script; it sends it as a header: authorization: Bearer TOKEN.
          </EmptyState>
        }
      />
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
