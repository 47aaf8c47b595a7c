/** Every setting: its value, where it is from, what it means, and a change where it can be changed while the broker runs. */
import { Button, Checkbox, TextInput } from '@mantine/core'
import { changeConfig, type ConfigItem, listConfig } from '@ternmq/api'
import { useState } from 'react'
import { type Column, DataTable } from '../components/data-table.tsx'
import { FormDialog } from '../components/form-dialog.tsx'
import { SearchInput } from '../components/list.tsx'
import { Mark, type Tone } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { readSetting, writeSetting } from '../features/config/setting-text.ts'
import { fieldError, isLoss, toProblem } from '../lib/api.ts'
import { formatCount, formatValue } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { useMay } from '../lib/session.tsx'
import { useUrlState } from '../lib/url-state.ts'

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
  const url = useUrlState()
  const mayAdmin = useMay('admin')
  const [edited, setEdited] = useState<ConfigItem | undefined>(undefined)
  const query = { q: url.get('q'), changed: url.get('changed') === 'true' ? true : undefined }
  const { data, error, refetch } = useLook(listConfig, { query })
  const columns: Array<Column<ConfigItem>> = [
    { key: 'key', label: 'Setting', render: (row) => <code>{row.key}</code> },
    { key: 'value', label: 'Value', render: (row) => <Value item={row} /> },
    {
      key: 'source',
      label: 'From',
      render: (row) =>
        row.source === 'default' ? <span className="dim">default</span> : <Mark tone="accent">{row.source}</Mark>,
    },
    {
      key: 'reload',
      label: 'A change counts',
      render: (row) => <Mark tone={RELOAD_TONES[row.reload]}>{RELOADS[row.reload]}</Mark>,
    },
    {
      key: 'description',
      label: 'Meaning',
      grow: true,
      render: (row) => <span title={`${row.description}\nAllowed: ${row.allowed}`}>{row.description}</span>,
    },
  ]
  if (mayAdmin) {
    columns.push({
      key: 'change',
      label: '',
      render: (row) => (
        <Button size="compact-xs" variant="default" onClick={() => setEdited(row)} aria-label={`Change ${row.key}`}>
          Change…
        </Button>
      ),
    })
  }
  return (
    <Page
      title="Configuration"
      fills
      about="What counts, from which source. A change made here is kept, and wins over the file until it is taken back."
    >
      <div className="list">
        <div className="list-tools" role="search">
          <SearchInput
            label="Filter settings"
            value={url.get('q')}
            onChange={(q) => url.set({ q }, { replace: true })}
          />
          <Checkbox
            label="Only those that are not the default"
            checked={query.changed === true}
            onChange={(event) => url.set({ changed: event.currentTarget.checked ? 'true' : '' }, { replace: true })}
          />
        </div>
        {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
        <DataTable label="Settings" columns={columns} rows={data?.items ?? []} keyOf={(row) => row.key} />
        <div className="pager dim small">{formatCount(data?.items.length ?? 0)} settings</div>
      </div>
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
      <span className="cell-name mono" title={sayValue(item, item.value)}>
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

function ChangeSetting({ item, onClose }: { readonly item: ConfigItem; readonly onClose: () => void }) {
  const [text, setText] = useState(writeSetting(item.valueAfterRestart ?? item.value))
  const [isTakenBack, setTakenBack] = useState(false)
  const read = readSetting(text, item.value ?? item.defaultValue)
  const value = isTakenBack ? null : read.value
  const input = read.wrong !== undefined && !isTakenBack ? undefined : { body: { changes: { [item.key]: value } } }
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
        </>
      )}
    </FormDialog>
  )
}
