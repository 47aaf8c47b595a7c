/** Who may read, write, browse and administer which destinations; and the question whether somebody may. */
import { Button } from '@mantine/core'
import { deletePermission, listPermissions, type PermissionItem } from '@ternmq/api'
import { useState } from 'react'
import { actionsColumn, FromConfig, nameColumn, RowButton, textColumn } from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { Marks } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { UrlTabs } from '../components/url-tabs.tsx'
import { CanTester } from '../features/access/can-tester.tsx'
import { PermissionDialog } from '../features/access/permission-dialog.tsx'
import { useLook } from '../lib/query.ts'

export function PermissionsPage() {
  const [edited, setEdited] = useState<PermissionItem | 'new' | undefined>(undefined)
  return (
    <Page
      title="Permissions"
      fills
      about="The same for every protocol. What denies wins over what allows. A change counts at once, for those who are connected too."
      actions={
        <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setEdited('new')}>
          Add permission
        </Button>
      }
    >
      <UrlTabs
        label="Permissions"
        tabs={[
          { key: 'list', label: 'Permissions', content: () => <Permissions onEdit={setEdited} /> },
          { key: 'test', label: 'May somebody do something?', content: () => <CanTester /> },
        ]}
      />
      {edited !== undefined && (
        <PermissionDialog permission={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />
      )}
    </Page>
  )
}

function Permissions({ onEdit }: { readonly onEdit: (permission: PermissionItem) => void }) {
  const [removed, setRemoved] = useState<PermissionItem | undefined>(undefined)
  const { data } = useLook(listPermissions)
  const others = data?.defaultAccess === 'allow' ? 'allowed' : 'denied'
  const isLast = data?.defaultAccess === 'deny' && data.items.length === 1
  return (
    <>
      <List
        noun="permissions"
        route={listPermissions}
        search={{ key: 'user', label: 'Of user' }}
        filters={[{ key: 'group', label: 'Of group', text: true }]}
        columns={columnsFor(onEdit, setRemoved)}
        keyOf={(row) => row.id}
        right={
          data !== undefined &&
          data.items.length > 0 && <span className="dim small">Where nothing is said: {others}</span>
        }
        empty={
          <EmptyState icon="shield" title="No permission">
            Without any, everybody may do everything. From the first one on, what none allows is{' '}
            {others === 'allowed' ? 'still allowed' : 'denied'}.
          </EmptyState>
        }
      />
      {removed !== undefined && (
        <ConfirmDialog
          title="Take a permission back"
          name={removed.id}
          confirm="Take back"
          route={deletePermission}
          input={{ params: { id: removed.id }, query: isLast ? { everybody: 'unlimited' } : {} }}
          onClose={() => setRemoved(undefined)}
          says={() => `${removed.id} is taken back.`}
        >
          {removed.id} will not count any more, for {sayWho(removed)}.
          {isLast && (
            <>
              {' '}
              <b>It is the last permission: without any, everybody may do everything</b>, those who are connected too.
            </>
          )}
        </ConfirmDialog>
      )}
    </>
  )
}

function sayWho({ user, group }: PermissionItem): string {
  if (group !== undefined) return `group ${group}`
  return user === '*' ? 'everyone' : (user ?? 'nobody')
}

function columnsFor(
  onEdit: (permission: PermissionItem) => void,
  onRemove: (permission: PermissionItem) => void,
): ReadonlyArray<Column<PermissionItem>> {
  return [
    nameColumn('id', 'Permission', { width: 18 }),
    { key: 'who', label: 'Who', width: 14, render: sayWho },
    {
      key: 'what',
      label: 'May',
      width: 32,
      render: (row) => (
        <span className="row" title={[...row.allow, ...row.deny.map((action) => `not ${action}`)].join(', ')}>
          {row.allow.length > 0 && <Marks of={row.allow} tone="good" />}
          {row.deny.length > 0 && <Marks of={row.deny.map((action) => `not ${action}`)} tone="bad" />}
        </span>
      ),
    },
    {
      key: 'topics',
      label: 'Of',
      render: (row) => (
        <span className="mono" title={row.topics.join('\n')}>
          {row.topics.join('  ')}
        </span>
      ),
    },
    textColumn('description', 'Why', { width: 'rest', none: '' }),
    actionsColumn(['Change', 'Take back'], (row) =>
      row.from === 'config' ? (
        <FromConfig />
      ) : (
        <span className="row">
          <RowButton label="Change" of={row.id} onClick={() => onEdit(row)} />
          <RowButton label="Take back" of={row.id} isDanger onClick={() => onRemove(row)} />
        </span>
      ),
    ),
  ]
}
