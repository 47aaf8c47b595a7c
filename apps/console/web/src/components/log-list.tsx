/** A log that is read backwards: the newest first, older ones as they are wanted. */
import { Button } from '@mantine/core'
import type { Call, Route } from '@ternmq/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { call, isLoss, toProblem } from '../lib/api.ts'
import { formatCount } from '../lib/format.ts'
import { useUrlState } from '../lib/url-state.ts'
import { type Column, DataTable } from './data-table.tsx'
import { type Filter, FilterInput, SearchInput } from './list.tsx'
import { ProblemView } from './problem-view.tsx'

const PAGE_ITEMS = 100
/** Pages held: beyond it the filter is the way. */
const PAGES_MAX = 50

interface LogListProps<C extends Call, T> {
  readonly noun: string
  readonly route: Route<C>
  readonly columns: ReadonlyArray<Column<T>>
  readonly filters: readonly Filter[]
  /** Newer ones that came since. */
  readonly live?: readonly T[]
  readonly isBad?: (row: T) => boolean
  readonly right?: ReactNode
  readonly empty: ReactNode
}

interface LogQuery {
  readonly limit?: number | undefined
  readonly before?: number | undefined
}

export function LogList<
  T extends { readonly id: number },
  C extends Call & { readonly answer: { readonly items: readonly T[] }; readonly query: LogQuery },
>(props: LogListProps<C, T>) {
  const url = useUrlState()
  const query = Object.fromEntries(
    ['q', ...props.filters.map(({ key }) => key)].flatMap((key) => (url.get(key) === '' ? [] : [[key, url.get(key)]])),
  )
  const { data, error, fetchNextPage, hasNextPage, isFetching, refetch } = useInfiniteQuery({
    queryKey: [props.route.id, query],
    queryFn: ({ pageParam, signal }) =>
      call(props.route, { query: { ...query, limit: PAGE_ITEMS, before: pageParam } }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.items.length < PAGE_ITEMS ? undefined : page.items.at(-1)?.id),
    maxPages: PAGES_MAX,
  })
  const known = data?.pages.flatMap(({ items }) => items) ?? []
  const newest = known[0]?.id ?? -1
  const rows = [...(props.live ?? []).filter(({ id }) => id > newest), ...known]
  return (
    <div className="list">
      <div className="list-tools" role="search">
        <SearchInput
          label={`Filter ${props.noun}`}
          value={url.get('q')}
          onChange={(text) => url.set({ q: text }, { replace: true })}
        />
        {props.filters.map((filter) => (
          <FilterInput
            key={filter.key}
            filter={filter}
            value={url.get(filter.key)}
            onChange={(value) => url.set({ [filter.key]: value }, { replace: true })}
          />
        ))}
        <div className="list-right">{props.right}</div>
      </div>
      {error !== null && !isLoss(error) && <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />}
      {data !== undefined && rows.length === 0 ? (
        <div className="list-empty">{props.empty}</div>
      ) : (
        <DataTable
          label={props.noun}
          columns={props.columns}
          rows={rows}
          keyOf={({ id }) => String(id)}
          {...(props.isBad === undefined ? {} : { isBad: props.isBad })}
        />
      )}
      <div className="pager row">
        <span className="dim small" aria-live="off">
          {formatCount(rows.length)} {props.noun}
        </span>
        {hasNextPage && (
          <Button variant="default" size="compact-xs" loading={isFetching} onClick={() => void fetchNextPage()}>
            Older
          </Button>
        )}
        <Button variant="default" size="compact-xs" ml="auto" loading={isFetching} onClick={() => void refetch()}>
          Look again
        </Button>
      </div>
    </div>
  )
}
