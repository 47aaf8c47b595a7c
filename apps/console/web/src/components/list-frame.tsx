/** What all lists look like: filters on top, then rows, or why there are none, and how many below. */
import { Button, Checkbox, Loader, Select, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { type ReactNode, useState } from 'react'
import { inputOf, momentOf } from '../lib/moment-input.ts'
import { type UrlState, useUrlState } from '../lib/url-state.ts'
import { type Column, DataTable, type Selection } from './data-table.tsx'
import { Icon } from './icons.tsx'
import { CURSOR_KEY } from './pager.tsx'
import { type Look, LookProblem } from './problem-view.tsx'

const TYPING_MS = 250

/** One thing to filter by. */
export interface Filter {
  /** Of the query, and of the address. */
  readonly key: string
  readonly label: string
  /** A choice; a checkbox when left out, a text with `text`. */
  readonly options?: ReadonlyArray<{ readonly value: string; readonly label: string }>
  readonly text?: boolean
  /** A moment, which the query has in Unix ms. */
  readonly moment?: boolean
}

/** Of what is listed by when it was. */
export const TIME_FILTERS: readonly Filter[] = [
  { key: 'sinceMs', label: 'Since', moment: true },
  { key: 'untilMs', label: 'Until', moment: true },
]

export const UNHEALTHY: Filter = { key: 'unhealthy', label: 'Unhealthy only' }

/** What a page says of its list. */
export interface ListLook<T> {
  /** 'queues': of the table and in texts. */
  readonly noun: string
  /** Of one; left out: the noun without its s. */
  readonly one?: string
  readonly columns: ReadonlyArray<Column<T>>
  readonly keyOf: (row: T) => string
  readonly filters?: readonly Filter[]
  /** Key and hint of the text filter; left out: `q`. False: the list cannot be searched. */
  readonly search?: { readonly key: string; readonly label: string } | false
  readonly isBad?: (row: T) => boolean
  readonly selection?: Selection | undefined
  readonly nameOf?: (row: T) => string
  readonly openKey?: string | undefined
  /** When there is nothing at all. */
  readonly empty: ReactNode
  /** Right of the filters. */
  readonly right?: ReactNode
}

interface ListFrameProps<T> extends ListLook<T> {
  /** Undefined before the first answer. */
  readonly rows: readonly T[] | undefined
  readonly look: Look
  readonly isSorted?: boolean
  readonly pager: ReactNode
}

/** What the address says of these keys, as a query. */
export function queryOf(url: UrlState, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.flatMap((key) => (url.get(key) === '' ? [] : [[key, url.get(key)]])))
}

export function filterKeysOf(look: Pick<ListLook<never>, 'noun' | 'filters' | 'search'>): string[] {
  return filtersOf(look).map(({ key }) => key)
}

function filtersOf({ noun, filters = [], search }: Pick<ListLook<never>, 'noun' | 'filters' | 'search'>): Filter[] {
  if (search === false) return [...filters]
  const { key, label } = search ?? { key: 'q', label: `Filter ${noun}` }
  return [{ key, label, text: true }, ...filters]
}

export function ListFrame<T>({ rows, look, isSorted = false, pager, empty, right, ...list }: ListFrameProps<T>) {
  const url = useUrlState()
  const filters = filtersOf(list)
  const setFilter = (key: string, value: string): void => url.set({ [key]: value, [CURSOR_KEY]: '' }, { replace: true })
  const reset = (): void => url.set(Object.fromEntries([CURSOR_KEY, ...filterKeysOf(list)].map((key) => [key, ''])))
  const isFiltered = [CURSOR_KEY, ...filterKeysOf(list)].some((key) => url.get(key) !== '')
  const hasTools = filters.length > 0 || right !== undefined
  const [isOpen, setOpen] = useState(false)
  const [first, ...others] = filters
  const moments = others.filter(({ moment }) => moment === true)
  const setCount = others.filter(({ key }) => url.get(key) !== '').length
  const inputOfFilter = (filter: Filter): ReactNode => (
    <FilterInput
      key={filter.key}
      filter={filter}
      isFirst={filter === first}
      value={url.get(filter.key)}
      onChange={(value) => setFilter(filter.key, value)}
    />
  )
  return (
    <div className="list">
      {hasTools && (
        <div className="list-tools" role="search">
          {first !== undefined && inputOfFilter(first)}
          {others.length > 0 && (
            <Button
              className="list-fold"
              variant="default"
              aria-expanded={isOpen}
              onClick={() => setOpen((before) => !before)}
            >
              {setCount === 0 ? 'Filters' : `Filters (${setCount})`}
            </Button>
          )}
          {others.length > 0 && (
            <div className="list-filters" data-open={isOpen || undefined}>
              {others.filter(({ moment }) => moment !== true).map(inputOfFilter)}
              {moments.length > 0 && <div className="list-moments">{moments.map(inputOfFilter)}</div>}
            </div>
          )}
          {rows === undefined && look.isFetching && <Loader size="xs" aria-label="Loading" />}
          <div className="list-right">{right}</div>
        </div>
      )}
      <LookProblem of={look} />
      {rows?.length === 0 ? (
        <div className="list-empty">{isFiltered ? <NoneWithFilter noun={list.noun} onReset={reset} /> : empty}</div>
      ) : (
        <DataTable
          {...list}
          label={list.noun}
          rows={rows ?? []}
          {...(isSorted
            ? { sort: url.get('sort'), onSort: (sort) => url.set({ sort, [CURSOR_KEY]: '' }, { replace: true }) }
            : {})}
        />
      )}
      <div className="pager">{pager}</div>
    </div>
  )
}

function NoneWithFilter({ noun, onReset }: { readonly noun: string; readonly onReset: () => void }) {
  return (
    <>
      <Text size="sm" c="dimmed">
        No {noun} with this filter.
      </Text>
      <Button variant="default" size="compact-xs" onClick={onReset}>
        Show all
      </Button>
    </>
  )
}

interface FilterInputProps {
  readonly filter: Filter
  /** The one of its page that `/` leads to, when it is a text. */
  readonly isFirst: boolean
  readonly value: string
  readonly onChange: (value: string) => void
}

function FilterInput({ filter, isFirst, value, onChange }: FilterInputProps) {
  if (filter.text === true) {
    return <TextFilter label={filter.label} isFirst={isFirst} value={value} onChange={onChange} />
  }
  if (filter.moment === true) {
    return (
      <TextInput
        type="datetime-local"
        className="list-moment"
        size="xs"
        aria-label={filter.label}
        leftSection={filter.label}
        leftSectionWidth={44}
        defaultValue={inputOf(value)}
        key={value}
        onBlur={(event) => {
          const text = momentOf(event.currentTarget.value)
          if (text !== value) onChange(text)
        }}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    )
  }
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
      className="list-choice"
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

function TextFilter({
  label,
  isFirst,
  value,
  onChange,
}: Omit<FilterInputProps, 'filter'> & { readonly label: string }) {
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
      className={isFirst ? 'list-search' : 'list-filter'}
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
