/** The kinds of columns that tables are made of: each says what it shows, and how wide that gets. */
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatBytes, formatCount, formatProtocol, formatRate } from '../lib/format.ts'
import type { Column } from './data-table.tsx'
import { Ago, Mark, Marks, ProblemMark, Zero } from './marks.tsx'

interface More {
  /** Sorted by the server: by this field, or by another with its name. */
  readonly sort?: true | string
  /** In digits; 'rest' shares what room is left. */
  readonly width?: number | 'rest'
  /** What is shown where there is nothing. */
  readonly none?: string
}

type Having<K extends string, V> = { readonly [P in K]?: V | undefined }

/** The name of what the row is. */
export function nameColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, string>> {
  return { ...start(field, label, more), render: (row) => <b title={row[field]}>{row[field]}</b> }
}

export function textColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, string>> {
  const { none = '–' } = more
  return {
    ...start(field, label, { width: TEXT_WIDTH, ...more }),
    render: (row) => (row[field] ? <span title={row[field]}>{row[field]}</span> : none),
  }
}

/** What machines write and read: addresses, ids, patterns. */
export function monoColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, string>> {
  const { render, ...column } = textColumn(field, label, more)
  return { ...column, render: (row) => <span className="mono">{render(row)}</span> }
}

export function countColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, number>> {
  return number(field, label, more, formatCount)
}

export function bytesColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, number>> {
  return number(field, label, { width: BYTES_WIDTH, ...more }, formatBytes)
}

export function rateColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, number>> {
  return number(field, label, { width: RATE_WIDTH, ...more }, formatRate)
}

export const PROTOCOL_COLUMN: Column<Having<'protocol', string>> = {
  key: 'protocol',
  label: 'Protocol',
  width: 9,
  render: ({ protocol }) => formatProtocol(protocol),
}

/** A moment, as how long ago it is or when it will be. */
export function agoColumn<K extends string>(field: K, label: string, more: More = {}): Column<Having<K, number>> {
  const { none = '–' } = more
  return {
    ...start(field, label, { width: AGO_WIDTH, ...more }),
    render: (row) => (row[field] === undefined ? none : <Ago atMs={row[field]} />),
  }
}

export function marksColumn<K extends string>(
  field: K,
  label: string,
  more: More = {},
): Column<Having<K, readonly string[]>> {
  return {
    ...start(field, label, { width: MARKS_WIDTH, ...more }),
    render: (row) => <Marks of={row[field] ?? []} />,
  }
}

/** Why the row is in the list of the unhealthy; stands beside its name, and shares what room is left with it. */
export const PROBLEM_COLUMN: Column<Having<'problem', string>> = {
  key: 'problem',
  label: 'Problem',
  render: (row) => <ProblemMark problem={row.problem} />,
}

/** Buttons with these texts, always in sight and side by side. */
export function actionsColumn<T>(labels: readonly string[], render: (row: T) => ReactNode): Column<T> {
  const letters = labels.reduce((sum, label) => sum + `${label}…`.length, 0)
  return {
    key: 'actions',
    label: '',
    width: Math.ceil(letters * BUTTON_LETTER),
    framePx: labels.length * BUTTON_FRAME_PX,
    render,
  }
}

interface RowButtonProps {
  readonly label: string
  /** Name of the row, for who hears the button only. */
  readonly of: string
  readonly isDanger?: boolean
  readonly disabled?: boolean
  readonly onClick: () => void
}

/** A button of one row, which opens a dialog. */
export function RowButton({ label, of, isDanger = false, disabled = false, onClick }: RowButtonProps) {
  return (
    <Button
      size="compact-xs"
      variant="default"
      {...(isDanger ? { className: 'danger' } : {})}
      disabled={disabled}
      onClick={onClick}
      aria-label={`${label} ${of}`}
    >
      {label}…
    </Button>
  )
}

/** In place of buttons: of what is changed elsewhere. */
export function FromConfig() {
  return <Mark hint="It stands in the configuration and is changed there.">configuration</Mark>
}

const TEXT_WIDTH = 12
const COUNT_WIDTH = 7
const BYTES_WIDTH = 9
const RATE_WIDTH = 7
/** `9 min 59 s ago`. */
const AGO_WIDTH = 13
const MARKS_WIDTH = 20
/** Of a button's text, in digits: it is bold. */
const BUTTON_LETTER = 1.2
/** Padding, border and the gap to the next one. */
const BUTTON_FRAME_PX = 26
/** Of a label's letters, in digits: they are bold, and smaller. */
const LABEL_LETTER = 1.05

function number<K extends string>(
  field: K,
  label: string,
  more: More,
  format: (value: number) => string,
): Column<Having<K, number>> {
  const { none = '–' } = more
  return {
    ...start(field, label, { width: COUNT_WIDTH, ...more }),
    align: 'right',
    render: (row) => {
      const value = row[field]
      if (value === undefined) return none
      return value === 0 ? <Zero>{format(0)}</Zero> : format(value)
    },
  }
}

/** Never narrower than the label. */
function start(field: string, label: string, { sort, width = 'rest' }: More): Omit<Column<unknown>, 'render'> {
  const labelWidth = Math.ceil(label.length * LABEL_LETTER)
  return {
    key: field,
    label,
    ...(sort === undefined ? {} : { sort: sort === true ? field : sort }),
    ...(width === 'rest' ? {} : { width: Math.max(width, labelWidth) }),
  }
}
