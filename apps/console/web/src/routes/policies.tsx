/** What holds for queues by pattern, and what a change would do before it is saved. */
import { Button, Group, TextInput } from '@mantine/core'
import {
  deletePolicy,
  listPolicies,
  type PolicyItem,
  type PolicyPreview,
  previewPolicy,
  putPolicy,
  type QueueSettingsInput,
} from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import {
  actionsColumn,
  countColumn,
  FromConfig,
  monoColumn,
  nameColumn,
  RowButton,
  textColumn,
} from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { Icon } from '../components/icons.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { QUEUE_SETTINGS, settingAt } from '../features/queues/queue-settings.ts'
import { SettingsFields } from '../features/queues/settings-fields.tsx'
import { fieldError } from '../lib/api.ts'
import { formatMany, formatValue } from '../lib/format.ts'
import { useAct } from '../lib/query.ts'
import { useMay } from '../lib/session.tsx'

function saySettings(settings: QueueSettingsInput): string {
  return QUEUE_SETTINGS.flatMap(({ key }) => {
    const value = settingAt(settings, key)
    return value === undefined ? [] : [`${key}: ${formatValue(value)}`]
  }).join(', ')
}

export function PoliciesPage() {
  const mayAdmin = useMay('admin')
  const [edited, setEdited] = useState<PolicyItem | 'new' | undefined>(undefined)
  const [removed, setRemoved] = useState<PolicyItem | undefined>(undefined)
  const columns: Array<Column<PolicyItem>> = [
    {
      key: 'order',
      label: 'No.',
      width: 4,
      align: 'right',
      render: (row) => <span className="dim">{row.order + 1}</span>,
    },
    nameColumn('id', 'Policy', { width: 20 }),
    monoColumn('match', 'For queues', { width: 26 }),
    countColumn('queueCount', 'Queues'),
    {
      key: 'settings',
      label: 'Settings',
      render: (row) => <span title={saySettings(row.settings)}>{saySettings(row.settings)}</span>,
    },
    actionsColumn(['Change', 'Take back'], (row) =>
      row.from === 'config' ? (
        <FromConfig />
      ) : (
        mayAdmin && (
          <span className="row">
            <RowButton label="Change" of={row.id} onClick={() => setEdited(row)} />
            <RowButton label="Take back" of={row.id} isDanger onClick={() => setRemoved(row)} />
          </span>
        )
      ),
    ),
  ]
  return (
    <Page
      title="Policies"
      fills
      about="All that match a queue count, key by key, the last one first. Queues take a change at once."
      actions={
        mayAdmin && (
          <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setEdited('new')}>
            Add policy
          </Button>
        )
      }
    >
      <List
        noun="policies"
        one="policy"
        route={listPolicies}
        search={false}
        columns={columns}
        keyOf={(row) => row.id}
        empty={
          <EmptyState icon="policy" title="No policy">
            Every queue is as the{' '}
            <Link to="/config" search={{ q: 'queues.' }}>
              configuration
            </Link>{' '}
            says. A policy sets limits, dead letters and more for all queues of a pattern.
          </EmptyState>
        }
      />
      {edited !== undefined && (
        <PolicyDialog policy={edited === 'new' ? undefined : edited} onClose={() => setEdited(undefined)} />
      )}
      {removed !== undefined && (
        <ConfirmDialog
          title="Take a policy back"
          name={removed.id}
          confirm="Take back"
          route={deletePolicy}
          input={{ params: { id: removed.id } }}
          onClose={() => setRemoved(undefined)}
          says={() => `${removed.id} does not count any more.`}
        >
          {removed.id} will not count any more for {formatMany(removed.queueCount, 'queue')}:{' '}
          {saySettings(removed.settings)}
        </ConfirmDialog>
      )}
    </Page>
  )
}

function PolicyDialog({ policy, onClose }: { readonly policy: PolicyItem | undefined; readonly onClose: () => void }) {
  const [id, setId] = useState(policy?.id ?? '')
  const [match, setMatch] = useState(policy?.match ?? '')
  const [settings, setSettings] = useState<QueueSettingsInput>(policy?.settings ?? {})
  const [preview, setPreview] = useState<PolicyPreview | undefined>(undefined)
  const look = useAct(previewPolicy, { onDone: setPreview })
  const isReady = id !== '' && match !== '' && Object.keys(settings).length > 0
  const change = (what: () => void): void => {
    what()
    setPreview(undefined)
  }
  return (
    <FormDialog
      title={policy === undefined ? 'Add a policy' : `Change ${policy.id}`}
      size="xl"
      route={putPolicy}
      input={isReady ? { params: { id }, body: { match, settings } } : undefined}
      submit="Save policy"
      onClose={onClose}
      says={(saved) => `${saved.id} counts for ${formatMany(saved.queueCount, 'queue')}.`}
    >
      {(saved) => {
        const problem = saved ?? look.problem
        return (
          <>
            <Group grow align="flex-start">
              {policy === undefined && (
                <TextInput
                  label="Name of the policy"
                  value={id}
                  onChange={(event) => setId(event.currentTarget.value)}
                  error={fieldError(problem, 'id')}
                  required
                  data-autofocus
                />
              )}
              <TextInput
                label="For queues"
                description="Levels divided by dots, * for one level, > at the end for all below: orders.>"
                value={match}
                onChange={(event) => change(() => setMatch(event.currentTarget.value))}
                error={fieldError(problem, 'match')}
                required
              />
            </Group>
            <SettingsFields
              settings={settings}
              onChange={(next) => change(() => setSettings(next))}
              problem={problem}
              prefix="settings"
              below={() => 'left as it is'}
            />
            <Group>
              <Button
                variant="default"
                disabled={match === ''}
                loading={look.isRunning}
                onClick={() => look.run({ body: { match, settings, ...(id === '' ? {} : { id }) } })}
              >
                What would it change?
              </Button>
            </Group>
            {saved === undefined && <ProblemView problem={look.problem} />}
            {preview !== undefined && <Preview preview={preview} />}
          </>
        )
      }}
    </FormDialog>
  )
}

const CHANGE_COLUMNS: ReadonlyArray<Column<PolicyPreview['changes'][number]>> = [
  textColumn('queue', 'Queue', { width: 'rest' }),
  { key: 'key', label: 'Setting', width: 26, render: (row) => <code>{row.key}</code> },
  { key: 'before', label: 'Now', width: 14, render: (row) => formatValue(row.before) },
  { key: 'after', label: 'Then', width: 14, render: (row) => <b>{formatValue(row.after)}</b> },
]

function Preview({ preview }: { readonly preview: PolicyPreview }) {
  return (
    <div role="status">
      <p>
        It matches {formatMany(preview.queueCount, 'queue')}
        {preview.queues.length > 0 && `: ${preview.queues.slice(0, 8).join(', ')}${preview.queueCount > 8 ? ' …' : ''}`}
        .
      </p>
      {preview.changes.length === 0 ? (
        <p className="dim">It changes nothing for them.</p>
      ) : (
        <DataTable
          label="What would change"
          columns={CHANGE_COLUMNS}
          rows={preview.changes}
          keyOf={(row) => `${row.queue} ${row.key}`}
        />
      )}
    </div>
  )
}
