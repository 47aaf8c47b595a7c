/** A table of rows that the server has sorted and cut: heads that sort, rows that can be selected, and only those drawn that are seen. */
import { Checkbox } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, type ReactNode, useRef } from 'react'
import { Icon } from './icons.tsx'

/** Below it drawing all rows is faster than measuring which are seen. */
const VIRTUAL_FROM = 120
const ROW_HEIGHT = 33
const OVERSCAN = 12
/** Of a column that takes what is left, in digits: when less is left the table is wider than the window. */
const REST_MIN = 14

export interface Column<T> {
  readonly key: string
  readonly label: string
  /** Field that the server sorts by. */
  readonly sort?: string
  readonly align?: 'right'
  /** Stands away from the numbers before it. */
  readonly isApart?: boolean
  /** In digits. Columns without it share what room is left: no column moves when rows come and go. */
  readonly width?: number
  /** On top of it, whatever the size of digits: frames of buttons. */
  readonly framePx?: number
  readonly render: (row: T) => ReactNode
}

export interface Selection {
  readonly keys: ReadonlySet<string>
  readonly change: (keys: ReadonlySet<string>) => void
}

interface DataTableProps<T> {
  readonly label: string
  readonly columns: ReadonlyArray<Column<T>>
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  /** `readyCount`, `-readyCount`; '' for the server's order. */
  readonly sort?: string
  readonly onSort?: (sort: string) => void
  readonly selection?: Selection | undefined
  /** Name of a row for its checkbox. */
  readonly nameOf?: (row: T) => string
  /** Has a problem: it is drawn so. */
  readonly isBad?: (row: T) => boolean
  /** The row that is open beside the table. */
  readonly openKey?: string | undefined
}

export function DataTable<T>(props: DataTableProps<T>) {
  const { columns, rows, selection } = props
  const scroller = useRef<HTMLDivElement>(null)
  const isVirtual = rows.length > VIRTUAL_FROM
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN,
    enabled: isVirtual,
  })
  const seen = isVirtual ? virtualizer.getVirtualItems() : undefined
  const from = seen === undefined ? 0 : (seen[0]?.index ?? 0)
  const to = seen === undefined ? rows.length : (seen.at(-1)?.index ?? -1) + 1
  const columnCount = columns.length + (selection === undefined ? 0 : 1)
  const digits = columns.reduce((sum, { width = REST_MIN }) => sum + width, 0)
  const framesPx = columns.reduce((sum, { framePx = 0 }) => sum + framePx, 0)
  return (
    <div className="table-scroll" ref={scroller} tabIndex={0} role="region" aria-label={props.label}>
      <table
        className="table"
        aria-rowcount={rows.length + 1}
        style={{ minWidth: `calc(${digits}ch + ${framesPx}px + ${columnCount} * var(--cell-pad))` }}
      >
        <colgroup>
          {selection !== undefined && <col className="col-check" />}
          {columns.map(({ key, width, framePx = 0 }) => (
            <col
              key={key}
              {...(width === undefined
                ? {}
                : { style: { width: `calc(${width}ch + ${framePx}px + var(--cell-pad))` } })}
            />
          ))}
        </colgroup>
        <thead>
          <tr>
            {selection !== undefined && (
              <th className="cell-check">
                <SelectAll rows={rows} keyOf={props.keyOf} selection={selection} />
              </th>
            )}
            {columns.map((column, at) => (
              <HeadCell
                key={column.key}
                column={column}
                isLast={at === columns.length - 1}
                sort={props.sort ?? ''}
                onSort={props.onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <Spacer height={from * ROW_HEIGHT} columnCount={columnCount} />}
          {rows.slice(from, to).map((row, index) => {
            const key = props.keyOf(row)
            return (
              <Row
                key={key}
                row={row}
                rowKey={key}
                index={from + index + 2}
                columns={columns}
                name={props.nameOf?.(row) ?? key}
                isBad={props.isBad?.(row) === true}
                isOpen={props.openKey === key}
                selection={selection}
              />
            )
          })}
          {to < rows.length && <Spacer height={(rows.length - to) * ROW_HEIGHT} columnCount={columnCount} />}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps<T> {
  readonly row: T
  readonly rowKey: string
  readonly index: number
  readonly columns: ReadonlyArray<Column<T>>
  readonly name: string
  readonly isBad: boolean
  readonly isOpen: boolean
  readonly selection: Selection | undefined
}

/** Drawn anew only when something of it has changed: scrolling draws the rows that come into sight and no other. */
const Row = memo(DrawnRow) as typeof DrawnRow

function DrawnRow<T>({ row, rowKey, index, columns, name, isBad, isOpen, selection }: RowProps<T>) {
  const isSelected = selection?.keys.has(rowKey) === true
  return (
    <tr
      aria-rowindex={index}
      className={isBad ? 'row-bad' : undefined}
      aria-selected={selection === undefined ? undefined : isSelected}
      data-open={isOpen || undefined}
    >
      {selection !== undefined && (
        <td className="cell-check">
          <Checkbox
            aria-label={`Select ${name}`}
            checked={isSelected}
            onChange={() => selection.change(toggled(selection.keys, rowKey))}
          />
        </td>
      )}
      {columns.map((column, at) => (
        <td key={column.key} className={cellClass(column, at === columns.length - 1)}>
          {column.render(row)}
        </td>
      ))}
    </tr>
  )
}

/** A last column without a head has buttons: it stays in sight when the table is wider than the window. */
function cellClass<T>(column: Column<T>, isLast: boolean): string | undefined {
  if (isLast && column.label === '') return 'cell-pin'
  if (column.isApart === true) return 'cell-apart'
  return column.align === 'right' ? 'cell-right' : undefined
}

function HeadCell<T>({
  column,
  isLast,
  sort,
  onSort,
}: {
  readonly column: Column<T>
  readonly isLast: boolean
  readonly sort: string
  readonly onSort: ((sort: string) => void) | undefined
}) {
  const field = column.sort
  if (field === undefined || onSort === undefined) {
    return (
      <th scope="col" className={cellClass(column, isLast)}>
        {column.label === '' ? <span className="sr-only">Actions</span> : column.label}
      </th>
    )
  }
  const isDown = sort === `-${field}`
  const isUp = sort === field
  return (
    <th
      scope="col"
      className={cellClass(column, isLast)}
      aria-sort={isDown ? 'descending' : isUp ? 'ascending' : 'none'}
    >
      <button
        type="button"
        className="sort"
        data-active={isDown || isUp || undefined}
        onClick={() => onSort(nextSort(sort, field, column.align === 'right'))}
      >
        {column.label}
        {(isDown || isUp) && <Icon name={isDown ? 'down' : 'up'} size={12} />}
      </button>
    </th>
  )
}

/** Numbers begin with the largest, names with the first; the third press gives the server's order back. */
export function nextSort(sort: string, field: string, isNumber: boolean): string {
  const order = isNumber ? [`-${field}`, field, ''] : [field, `-${field}`, '']
  return order[(order.indexOf(sort) + 1) % order.length]!
}

function SelectAll<T>({
  rows,
  keyOf,
  selection,
}: {
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  readonly selection: Selection
}) {
  const all = rows.map(keyOf)
  const count = all.filter((key) => selection.keys.has(key)).length
  const isAll = count === all.length && all.length > 0
  return (
    <Checkbox
      aria-label="Select all on this page"
      checked={isAll}
      indeterminate={count > 0 && !isAll}
      onChange={() => selection.change(new Set(isAll ? [] : all))}
    />
  )
}

function toggled(keys: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(keys)
  if (!next.delete(key)) next.add(key)
  return next
}

function Spacer({ height, columnCount }: { readonly height: number; readonly columnCount: number }) {
  return (
    <tr aria-hidden="true" className="row-spacer">
      <td colSpan={columnCount} style={{ height }} />
    </tr>
  )
}
