/** Who may log in, and what each may do with the console. */
import { Button, Group } from '@mantine/core'
import { deleteUser, listUsers, type UserItem } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { Ago, Mark } from '../components/marks.tsx'
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
    { key: 'name', label: 'User', sort: 'name', render: (row) => <b>{row.name}</b> },
    {
      key: 'role',
      label: 'Role in the console',
      render: (row) =>
        row.role === undefined ? (
          <span className="dim">none: messages only</span>
        ) : (
          <Mark tone="accent">{row.role}</Mark>
        ),
    },
    {
      key: 'groups',
      label: 'Groups',
      render: (row) => (
        <span className="row">
          {row.groups.map((group) => (
            <Mark key={group}>{group}</Mark>
          ))}
        </span>
      ),
    },
    {
      key: 'login',
      label: 'Logs in with',
      render: (row) => (row.password ? (row.scram ? 'password, SCRAM' : 'password') : 'certificate'),
    },
    {
      key: 'connections',
      label: 'Connections',
      align: 'right',
      render: (row) => (
        <Link to="/connections" search={{ user: row.name }}>
          {formatCount(row.connectionCount)}
        </Link>
      ),
    },
    { key: 'changed', label: 'Changed', render: (row) => <Ago atMs={row.changedAtMs} /> },
    {
      key: 'permissions',
      label: 'Permissions',
      grow: true,
      render: (row) => (
        <Link to="/permissions" search={{ user: row.name }}>
          Show
        </Link>
      ),
    },
    {
      key: 'actions',
      label: '',
      render: (row) => (
        <Group gap={6} wrap="nowrap">
          <Button size="compact-xs" variant="default" onClick={() => setChanged(row)} aria-label={`Change ${row.name}`}>
            Change…
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            className="danger"
            disabled={row.name === me.user}
            onClick={() => setRemoved(row)}
            aria-label={`Remove ${row.name}`}
          >
            Remove…
          </Button>
        </Group>
      ),
    },
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
        empty={<EmptyState icon="users" title="No user" />}
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
