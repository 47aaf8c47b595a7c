/** Every setting: its value, where it is from, what it means, and a change where it can be changed while the broker runs. */
import { Checkbox, TextInput } from '@mantine/core'
import { changeConfig, type ConfigItem, listConfig, type Problem, type TurnQuery } from '@ternmq/api'
import { useState } from 'react'
import { actionsColumn, RowButton } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { List } from '../components/list.tsx'
import { Mark, type Tone } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { readSetting, writeSetting } from '../features/config/setting-text.ts'
import { fieldError } from '../lib/api.ts'
import { formatValue } from '../lib/format.ts'
import { useMay } from '../lib/session.tsx'

/** Somebody else may change one. */
const CONFIG_MS = 30_000
const RELOADS = {
  live: 'at once',
  connection: 'for new connections',
  start: 'with the next start',
} as const satisfies Record<ConfigItem['reload'], string>
const RELOAD_TONES = { live: 'good', connection: 'accent', start: 'plain' } as const satisfies Record<
  ConfigItem['reload'],
  Tone
>

const HIDDEN = { secret: 'secret', administrators: 'for administrators' } as const satisfies Record<
  NonNullable<ConfigItem['hidden']>,
  string
>

export function ConfigPage() {
  const mayAdmin = useMay('admin')
  const [edited, setEdited] = useState<ConfigItem | undefined>(undefined)
  const columns: Array<Column<ConfigItem>> = [
    {
      key: 'key',
      label: 'Setting',
      width: 40,
      render: (row) => <code title={row.key}>{row.key}</code>,
    },
    { key: 'value', label: 'Value', width: 18, render: (row) => <Value item={row} /> },
    {
      key: 'source',
      label: 'From',
      width: 10,
      render: (row) =>
        row.source === 'default' ? <span className="dim">default</span> : <Mark tone="accent">{row.source}</Mark>,
    },
    {
      key: 'reload',
      label: 'A change counts',
      width: 20,
      render: (row) => <Mark tone={RELOAD_TONES[row.reload]}>{RELOADS[row.reload]}</Mark>,
    },
    {
      key: 'description',
      label: 'Meaning',
      render: (row) => <span title={`${row.description}\nAllowed: ${row.allowed}`}>{row.description}</span>,
    },
  ]
  if (mayAdmin) {
    columns.push(
      actionsColumn(['Change'], (row) => <RowButton label="Change" of={row.key} onClick={() => setEdited(row)} />),
    )
  }
  return (
    <Page
      title="Configuration"
      fills
      about="What counts, from which source. A change made here is kept, and wins over the file until it is taken back."
    >
      <List
        noun="settings"
        route={listConfig}
        columns={columns}
        keyOf={(row) => row.key}
        filters={[{ key: 'changed', label: 'Only those that are not the default' }]}
        everyMs={CONFIG_MS}
        empty={<EmptyState icon="gear" title="No setting" />}
      />
      {edited !== undefined && <ChangeSetting item={edited} onClose={() => setEdited(undefined)} />}
    </Page>
  )
}

/** Ports are names that look like numbers. */
function sayValue({ key }: ConfigItem, value: unknown): string {
  return typeof value === 'number' && /port$/i.test(key) ? String(value) : formatValue(value)
}

function Value({ item }: { readonly item: ConfigItem }) {
  if (item.hidden !== undefined) return <span className="dim">{HIDDEN[item.hidden]}</span>
  return (
    <span className="row">
      <span className="mono" title={sayValue(item, item.value)}>
        {sayValue(item, item.value)}
      </span>
      {item.valueAfterRestart !== undefined && (
        <Mark tone="warn" hint="It was changed and counts from the next start.">
          then {sayValue(item, item.valueAfterRestart)}
        </Mark>
      )}
    </span>
  )
}

/** What the broker says that the change turns. */
function turnIn({ rule }: Problem): TurnQuery['everybody'] {
  return rule === "'limited'" ? 'limited' : 'unlimited'
}

function ChangeSetting({ item, onClose }: { readonly item: ConfigItem; readonly onClose: () => void }) {
  const [text, setText] = useState(writeSetting(item.valueAfterRestart ?? item.value))
  const [isTakenBack, setTakenBack] = useState(false)
  const [turn, setTurn] = useState<TurnQuery>({})
  const read = readSetting(text, item.value ?? item.defaultValue)
  const value = isTakenBack ? null : read.value
  const input =
    read.wrong !== undefined && !isTakenBack ? undefined : { body: { changes: { [item.key]: value }, ...turn } }
  return (
    <FormDialog
      title={`Change ${item.key}`}
      route={changeConfig}
      input={input}
      submit={item.reload === 'start' ? 'Save for the next start' : 'Save'}
      onClose={onClose}
      says={({ afterRestart }) =>
        afterRestart.includes(item.key) ? 'Kept: it counts from the next start.' : 'It counts now.'
      }
    >
      {(problem) => (
        <>
          <p style={{ margin: 0 }}>{item.description}</p>
          <TextInput
            label="Value"
            description={`Allowed: ${item.allowed}. Default: ${sayValue(item, item.defaultValue)}. A change counts ${RELOADS[item.reload]}.`}
            classNames={{ input: 'mono' }}
            value={text}
            disabled={isTakenBack}
            onChange={(event) => setText(event.currentTarget.value)}
            error={read.wrong ?? fieldError(problem, item.key) ?? fieldError(problem, `changes.${item.key}`)}
            data-autofocus
          />
          {item.source === 'api' && (
            <Checkbox
              label="Take back what was set here"
              checked={isTakenBack}
              onChange={(event) => setTakenBack(event.currentTarget.checked)}
            />
          )}
          {problem?.code === 'TURNS_ACCESS' && (
            <Checkbox
              label="Yes, change what everybody may do"
              checked={turn.everybody !== undefined}
              onChange={(event) => setTurn(event.currentTarget.checked ? { everybody: turnIn(problem) } : {})}
            />
          )}
        </>
      )}
    </FormDialog>
  )
}
