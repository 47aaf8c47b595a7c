/** How a queue is set: each key as it counts and where it is from, and the queue's own to be changed while it runs. */
import { Button } from '@mantine/core'
import { putQueue, type QueueDetail, type SettingSource } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type Column, DataTable } from '../../components/data-table.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Mark } from '../../components/marks.tsx'
import { Panel } from '../../components/page.tsx'
import { formatValue } from '../../lib/format.ts'
import { IfMay } from '../../lib/session.tsx'
import { QUEUE_SETTINGS } from './queue-settings.ts'
import { SettingsFields } from './settings-fields.tsx'

const LABELS = new Map(QUEUE_SETTINGS.map(({ key, label }) => [key, label]))

const COLUMNS: ReadonlyArray<Column<SettingSource>> = [
  { key: 'label', label: 'Setting', render: (row) => LABELS.get(row.key) ?? row.key },
  { key: 'key', label: 'Key', width: 28, render: (row) => <code>{row.key}</code> },
  { key: 'value', label: 'Value', width: 18, render: (row) => formatValue(row.value) },
  { key: 'from', label: 'From', width: 26, render: (row) => <From source={row} /> },
]

function From({ source }: { readonly source: SettingSource }) {
  if (source.from === 'default') return <span className="dim">default</span>
  if (source.from === 'queue') return <Mark tone="accent">this queue</Mark>
  return (
    <>
      policy <Link to="/policies">{source.policy}</Link>
    </>
  )
}

export function QueueSettingsPanel({ queue }: { readonly queue: QueueDetail }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <Panel
      title="Settings as they count"
      flush
      right={
        <IfMay scope="operate">
          <Button variant="default" onClick={() => setOpen(true)}>
            Change settings
          </Button>
        </IfMay>
      }
    >
      <DataTable label="Settings of the queue" columns={COLUMNS} rows={queue.effective} keyOf={(row) => row.key} />
      {isOpen && <ChangeSettings queue={queue} onClose={() => setOpen(false)} />}
    </Panel>
  )
}

function ChangeSettings({ queue, onClose }: { readonly queue: QueueDetail; readonly onClose: () => void }) {
  const [settings, setSettings] = useState(queue.settings)
  const below = (key: string): string | undefined => {
    const source = queue.effective.find((one) => one.key === key)
    return source === undefined || source.from === 'queue' ? undefined : `${formatValue(source.value)} (${source.from})`
  }
  return (
    <FormDialog
      title={`Settings of ${queue.name}`}
      size="xl"
      route={putQueue}
      input={{ params: { queue: queue.name }, body: { settings } }}
      submit="Save settings"
      onClose={onClose}
      says={() => 'The settings count from now on.'}
    >
      {(problem) => (
        <SettingsFields settings={settings} onChange={setSettings} problem={problem} prefix="settings" below={below} />
      )}
    </FormDialog>
  )
}
