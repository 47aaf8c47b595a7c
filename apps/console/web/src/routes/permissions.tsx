/** Who may read, write, browse and administer which destinations; and the question whether somebody may. */
import { Button, Group, TextInput } from '@mantine/core'
import { deletePermission, listPermissions, type PermissionItem } from '@ternmq/api'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { Icon } from '../components/icons.tsx'
import { Mark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { UrlTabs } from '../components/url-tabs.tsx'
import { CanTester } from '../features/access/can-tester.tsx'
import { PermissionDialog } from '../features/access/permission-dialog.tsx'
import { isLoss, toProblem } from '../lib/api.ts'
import { formatCount } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'

export function PermissionsPage() {
  const [edited, setEdited] = useState<PermissionItem | 'new' | undefined>(undefined)
  return (
    <Page
      title="Permissions"
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
  const url = useUrlState()
  const { data, error, refetch } = useLook(listPermissions, {
    query: { user: url.get('user') || undefined, group: url.get('group') || undefined },
  })
  const [removed, setRemoved] = useState<PermissionItem | undefined>(undefined)
  const isFiltered = url.get('user') !== '' || url.get('group') !== ''
  return (
    <div className="list">
      <div className="list-tools" role="search">
        <TextInput
          size="xs"
          aria-label="User"
          placeholder="Of user  ( / )"
          data-filter
          value={url.get('user')}
          onChange={(event) => url.set({ user: event.currentTarget.value }, { replace: true })}
        />
        <TextInput
          size="xs"
          aria-label="Group"
          placeholder="Of group"
          value={url.get('group')}
          onChange={(event) => url.set({ group: event.currentTarget.value }, { replace: true })}
        />
        {data !== undefined && data.items.length > 0 && (
          <div className="list-right dim small">
            Where nothing is said: {data.defaultAccess === 'allow' ? 'allowed' : 'denied'}
          </div>
        )}
      </div>
      {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      {data?.items.length === 0 ? (
        <div className="list-empty">
          <EmptyState icon="shield" title={isFiltered ? 'No permission with this filter' : 'No permission'}>
            Without any, everybody may do everything. From the first one on, what none allows is{' '}
            {data.defaultAccess === 'allow' ? 'still allowed' : 'denied'}.
          </EmptyState>
        </div>
      ) : (
        <DataTable
          label="Permissions"
          columns={columnsFor(onEdit, setRemoved)}
          rows={data?.items ?? []}
          keyOf={(row) => row.id}
        />
      )}
      <div className="pager dim small">{formatCount(data?.items.length ?? 0)} permissions</div>
      {removed !== undefined && (
        <ConfirmDialog
          title="Take a permission back"
          name={removed.id}
          confirm="Take back"
          route={deletePermission}
          input={{ params: { id: removed.id } }}
          onClose={() => setRemoved(undefined)}
          says={() => `${removed.id} is taken back.`}
        >
          {removed.id} will not count any more, for {sayWho(removed)}.
        </ConfirmDialog>
      )}
    </div>
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
    { key: 'id', label: 'Permission', render: (row) => <b>{row.id}</b> },
    { key: 'who', label: 'Who', render: sayWho },
    {
      key: 'what',
      label: 'May',
      render: (row) => (
        <span className="row">
          {row.allow.map((action) => (
            <Mark key={action} tone="good">
              {action}
            </Mark>
          ))}
          {row.deny.map((action) => (
            <Mark key={`not ${action}`} tone="bad">
              not {action}
            </Mark>
          ))}
        </span>
      ),
    },
    { key: 'topics', label: 'Of', render: (row) => <span className="mono">{row.topics.join('  ')}</span> },
    { key: 'description', label: 'Why', grow: true, render: (row) => row.description ?? '' },
    {
      key: 'actions',
      label: '',
      render: (row) =>
        row.from === 'config' ? (
          <Mark hint="It stands in the configuration and is changed there.">configuration</Mark>
        ) : (
          <Group gap={6} wrap="nowrap">
            <Button size="compact-xs" variant="default" onClick={() => onEdit(row)} aria-label={`Change ${row.id}`}>
              Change…
            </Button>
            <Button
              size="compact-xs"
              variant="default"
              className="danger"
              onClick={() => onRemove(row)}
              aria-label={`Take back ${row.id}`}
            >
              Take back…
            </Button>
          </Group>
        ),
    },
  ]
}
