/** A list of the API on a page: filter, sort and page are in the address, the rows are the server's. */
import { Button, Checkbox, Group, Loader, Select, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import type { Call, Page, Route } from '@ternmq/api'
import { type ReactNode, useEffect, useState } from 'react'
import { isLoss, toProblem } from '../lib/api.ts'
import { formatCount } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'
import { type Column, DataTable, type Selection } from './data-table.tsx'
import { Icon } from './icons.tsx'
import { ProblemView } from './problem-view.tsx'

const TYPING_MS = 250
const REFRESH_MS = 3_000

/** One more thing to filter by. */
export interface Filter {
  /** Of the query, and of the address. */
  readonly key: string
  readonly label: string
  /** A choice; a checkbox when left out, a text with `text`. */
  readonly options?: ReadonlyArray<{ readonly value: string; readonly label: string }>
  readonly text?: boolean
}

interface ListProps<C extends Call, T> {
  /** 'queues': of the table and in texts. */
  readonly noun: string
  readonly route: Route<C>
  readonly params?: Omit<C['params'], 'vhost'>
  readonly columns: ReadonlyArray<Column<T>>
  readonly keyOf: (row: T) => string
  readonly filters?: readonly Filter[]
  /** Key and hint of the text filter; left out: `q`. False: the list cannot be searched. */
  readonly search?: { readonly key: string; readonly label: string } | false
  readonly withUnhealthy?: boolean
  /** Fixed parts of the query. */
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly isBad?: (row: T) => boolean
  readonly selection?: Selection | undefined
  readonly nameOf?: (row: T) => string
  readonly openKey?: string | undefined
  readonly everyMs?: number
  readonly empty: ReactNode
  /** Right of the filters. */
  readonly right?: ReactNode
  readonly onRows?: (rows: readonly T[]) => void
}

export function List<C extends Call & { readonly answer: Page<T> }, T>(props: ListProps<C, T>) {
  const url = useUrlState()
  const search = props.search === undefined ? { key: 'q', label: `Filter ${props.noun}` } : props.search
  const keys = [
    'cursor',
    'sort',
    'limit',
    ...(search === false ? [] : [search.key]),
    ...(props.withUnhealthy === true ? ['unhealthy'] : []),
    ...(props.filters ?? []).map(({ key }) => key),
  ]
  const query: Record<string, unknown> = { ...props.query }
  for (const key of keys) if (url.get(key) !== '') query[key] = url.get(key)
  const { data, error, isFetching, refetch } = useLook(
    props.route,
    { ...(props.params === undefined ? {} : { params: props.params }), query },
    { everyMs: props.everyMs ?? REFRESH_MS },
  )
  const rows: readonly T[] = data?.items ?? []
  const { onRows } = props
  useEffect(() => {
    if (data !== undefined) onRows?.(data.items)
  }, [data, onRows])
  const isFiltered = keys.some((key) => key !== 'sort' && key !== 'limit' && url.get(key) !== '')
  const setFilter = (key: string, value: string): void => url.set({ [key]: value, cursor: '' }, { replace: true })
  return (
    <div className="list">
      <div className="list-tools" role="search">
        {search !== false && (
          <SearchInput
            key={search.key}
            label={search.label}
            value={url.get(search.key)}
            onChange={(text) => setFilter(search.key, text)}
          />
        )}
        {props.filters?.map((filter) => (
          <FilterInput
            key={filter.key}
            filter={filter}
            value={url.get(filter.key)}
            onChange={(value) => setFilter(filter.key, value)}
          />
        ))}
        {props.withUnhealthy === true && (
          <Checkbox
            label="Unhealthy only"
            checked={url.get('unhealthy') === 'true'}
            onChange={(event) => setFilter('unhealthy', event.currentTarget.checked ? 'true' : '')}
          />
        )}
        {isFetching && data === undefined && <Loader size="xs" aria-label="Loading" />}
        <div className="list-right">{props.right}</div>
      </div>
      {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      {data !== undefined && rows.length === 0 ? (
        <NothingHere
          isFiltered={isFiltered}
          noun={props.noun}
          onReset={() => url.set(Object.fromEntries(keys.map((key) => [key, ''])))}
        >
          {props.empty}
        </NothingHere>
      ) : (
        <DataTable
          label={props.noun}
          columns={props.columns}
          rows={rows}
          keyOf={props.keyOf}
          sort={url.get('sort')}
          onSort={(sort) => url.set({ sort, cursor: '' }, { replace: true })}
          selection={props.selection}
          {...(props.nameOf === undefined ? {} : { nameOf: props.nameOf })}
          {...(props.isBad === undefined ? {} : { isBad: props.isBad })}
          openKey={props.openKey}
        />
      )}
      <Pager
        noun={props.noun}
        shownCount={rows.length}
        total={data?.total}
        next={data?.next}
        cursor={url.get('cursor')}
        onCursor={(cursor) => url.set({ cursor })}
      />
    </div>
  )
}

export function SearchInput({
  label,
  value,
  onChange,
  isFirst = true,
}: {
  readonly label: string
  /** The one of its page that `/` leads to. */
  readonly isFirst?: boolean
  readonly value: string
  readonly onChange: (text: string) => void
}) {
  const [text, setText] = useState(value)
  const [given, setGiven] = useState(value)
  const tell = useDebouncedCallback(onChange, TYPING_MS)
  // The address has changed under it: a link, or the back button.
  if (given !== value) {
    setGiven(value)
    setText(value)
  }
  return (
    <TextInput
      className="list-search"
      size="xs"
      aria-label={label}
      placeholder={isFirst ? `${label}  ( / )` : label}
      leftSection={<Icon name="search" size={14} />}
      value={text}
      data-filter={isFirst || undefined}
      onChange={(event) => {
        setText(event.currentTarget.value)
        tell(event.currentTarget.value)
      }}
    />
  )
}

export function FilterInput({
  filter,
  value,
  onChange,
}: {
  readonly filter: Filter
  readonly value: string
  readonly onChange: (value: string) => void
}) {
  if (filter.text === true)
    return <SearchInput label={filter.label} value={value} onChange={onChange} isFirst={false} />
  if (filter.options === undefined) {
    return (
      <Checkbox
        label={filter.label}
        checked={value === 'true'}
        onChange={(event) => onChange(event.currentTarget.checked ? 'true' : '')}
      />
    )
  }
  return (
    <Select
      size="xs"
      w={150}
      aria-label={filter.label}
      placeholder={filter.label}
      data={[...filter.options]}
      value={value === '' ? null : value}
      onChange={(chosen) => onChange(chosen ?? '')}
      clearable
      clearButtonProps={{ 'aria-label': `Clear ${filter.label.toLowerCase()}` }}
    />
  )
}

function NothingHere({
  isFiltered,
  noun,
  onReset,
  children,
}: {
  readonly isFiltered: boolean
  readonly noun: string
  readonly onReset: () => void
  readonly children: ReactNode
}) {
  if (!isFiltered) return <div className="list-empty">{children}</div>
  return (
    <div className="list-empty">
      <Text size="sm" c="dimmed">
        No {noun} with this filter.
      </Text>
      <Button variant="default" size="compact-xs" onClick={onReset}>
        Show all
      </Button>
    </div>
  )
}

interface PagerProps {
  readonly noun: string
  readonly shownCount: number
  readonly total: number | undefined
  readonly next: string | undefined
  readonly cursor: string
  readonly onCursor: (cursor: string) => void
}

function Pager({ noun, shownCount, total, next, cursor, onCursor }: PagerProps) {
  const count = total === undefined ? formatCount(shownCount) : `${formatCount(shownCount)} of ${formatCount(total)}`
  return (
    <Group className="pager" gap="xs">
      <Text size="xs" c="dimmed" aria-live="polite">
        {count} {noun}
      </Text>
      {(cursor !== '' || next !== undefined) && (
        <Group gap={4} ml="auto" component="nav" aria-label={`Pages of ${noun}`}>
          <Button variant="default" size="compact-xs" disabled={cursor === ''} onClick={() => onCursor('')}>
            First page
          </Button>
          <Button variant="default" size="compact-xs" disabled={cursor === ''} onClick={() => history.back()}>
            Back
          </Button>
          <Button
            variant="default"
            size="compact-xs"
            disabled={next === undefined}
            onClick={() => onCursor(next ?? '')}
          >
            Next page
          </Button>
        </Group>
      )}
    </Group>
  )
}
