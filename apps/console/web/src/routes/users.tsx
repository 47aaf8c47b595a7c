/** Who may log in, and what each may do with the console. */
import { Button } from '@mantine/core'
import { deleteUser, listUsers, type UserItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { actionsColumn, agoColumn, marksColumn, nameColumn, RowButton } from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { Mark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { UserDialog } from '../features/access/user-dialog.tsx'
import { formatCount, formatMany } from '../lib/format.ts'
import { useMe } from '../lib/session.tsx'
import { useUrlState } from '../lib/url-state.ts'

export function UsersPage() {
  const url = useUrlState()
  const me = useMe()
  const [changed, setChanged] = useState<UserItem | undefined>(undefined)
  const [removed, setRemoved] = useState<UserItem | undefined>(undefined)
  const columns: ReadonlyArray<Column<UserItem>> = [
    nameColumn('name', 'User', { sort: true }),
    { key: 'role', label: 'Role in the console', width: 19, render: (row) => <RoleMark role={row.role} /> },
    marksColumn('groups', 'Groups', { width: 15 }),
    {
      key: 'login',
      label: 'Logs in with',
      width: 16,
      render: (row) => (row.password ? (row.scram ? 'password, SCRAM' : 'password') : 'certificate'),
    },
    {
      key: 'connections',
      label: 'Connections',
      width: 11,
      align: 'right',
      render: (row) => (
        <Link to="/connections" search={{ user: row.name }}>
          {formatCount(row.connectionCount)}
        </Link>
      ),
    },
    agoColumn('changedAtMs', 'Changed'),
    {
      key: 'permissions',
      label: 'Permissions',
      width: 11,
      render: (row) => (
        <Link to="/permissions" search={{ user: row.name }}>
          Show
        </Link>
      ),
    },
    actionsColumn(['Change', 'Remove'], (row) => (
      <span className="row">
        <RowButton label="Change" of={row.name} onClick={() => setChanged(row)} />
        <RowButton
          label="Remove"
          of={row.name}
          isDanger
          disabled={row.name === me.user}
          onClick={() => setRemoved(row)}
        />
      </span>
    )),
  ]
  return (
    <Page
      title="Users"
      fills
      about="Clients and people log in alike. What somebody may do with queues and topics stands under Permissions; the role is for this console and its API."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => url.set({ create: 'true' })}>
          Add user
        </Button>
      }
    >
      <List
        noun="users"
        route={listUsers}
        columns={columns}
        keyOf={(row) => row.name}
        filters={[{ key: 'group', label: 'Group', text: true }]}
        empty={
          <EmptyState icon="users" title="No user">
            Add one for each person and each client that logs in with a name and a password.
          </EmptyState>
        }
      />
      {url.get('create') === 'true' && (
        <UserDialog user={undefined} onClose={() => url.set({ create: '' }, { replace: true })} />
      )}
      {changed !== undefined && <UserDialog user={changed} onClose={() => setChanged(undefined)} />}
      {removed !== undefined && (
        <ConfirmDialog
          title="Remove a user"
          name={removed.name}
          confirm="Remove user"
          route={deleteUser}
          input={{ params: { name: removed.name } }}
          onClose={() => setRemoved(undefined)}
          says={() => `${removed.name} is removed.`}
        >
          {removed.name} will be gone with sessions and tokens, and {formatMany(removed.connectionCount, 'connection')}{' '}
          will be closed.
        </ConfirmDialog>
      )}
    </Page>
  )
}

function RoleMark({ role }: Pick<UserItem, 'role'>) {
  return role === undefined ? <span className="dim">none: messages only</span> : <Mark tone="accent">{role}</Mark>
}
