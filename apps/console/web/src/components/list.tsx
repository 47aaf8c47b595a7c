/** A list of the API on a page: filter, sort and page are in the address, the rows are the server's. */
import type { Call, Page, Route } from '@ternmq/api'
import { useEffect } from 'react'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'
import { filterKeysOf, ListFrame, type ListLook, queryOf } from './list-frame.tsx'
import { CURSOR_KEY, Pager } from './pager.tsx'

const REFRESH_MS = 3_000

interface ListProps<C extends Call, T> extends ListLook<T> {
  readonly route: Route<C>
  readonly params?: Omit<C['params'], 'vhost'>
  readonly everyMs?: number
  /** After each look. */
  readonly onRows?: (rows: readonly T[]) => void
}

export function List<C extends Call & { readonly answer: Page<T> }, T>(props: ListProps<C, T>) {
  const { route, params, everyMs = REFRESH_MS, onRows, ...list } = props
  const url = useUrlState()
  const query: Record<string, unknown> = queryOf(url, [CURSOR_KEY, 'sort', 'limit', ...filterKeysOf(list)])
  const look = useLook(route, { ...(params === undefined ? {} : { params }), query }, { everyMs })
  const { data, dataUpdatedAt, isPlaceholderData } = look
  useEffect(() => {
    if (data !== undefined && !isPlaceholderData) onRows?.(data.items)
  }, [data, dataUpdatedAt, isPlaceholderData, onRows])
  return (
    <ListFrame
      {...list}
      rows={data?.items}
      look={look}
      isSorted
      pager={
        <Pager
          noun={list.noun}
          one={list.one}
          shownCount={data?.items.length}
          total={data?.total}
          next={data?.next}
          isBefore={isPlaceholderData}
        />
      }
    />
  )
}
