/** A log that is read backwards: the newest first, older ones as they are wanted. */
import { Button, Text } from '@mantine/core'
import type { Call, Route } from '@ternmq/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import { call } from '../lib/api.ts'
import { formatCount } from '../lib/format.ts'
import { useUrlState } from '../lib/url-state.ts'
import { filterKeysOf, ListFrame, type ListLook, queryOf } from './list-frame.tsx'

const PAGE_ITEMS = 100
/** Pages held: beyond it the filter is the way. */
const PAGES_MAX = 50

interface LogListProps<C extends Call, T> extends Omit<ListLook<T>, 'keyOf'> {
  readonly route: Route<C>
  /** Newer ones that came since. */
  readonly live?: readonly T[]
}

interface LogQuery {
  readonly limit?: number | undefined
  readonly before?: number | undefined
}

export function LogList<
  T extends { readonly id: number },
  C extends Call & { readonly answer: { readonly items: readonly T[] }; readonly query: LogQuery },
>({ route, live = [], ...list }: LogListProps<C, T>) {
  const query = queryOf(useUrlState(), filterKeysOf(list))
  const look = useInfiniteQuery({
    queryKey: [route.id, query],
    queryFn: ({ pageParam, signal }) =>
      call(route, { query: { ...query, limit: PAGE_ITEMS, before: pageParam } }, signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.items.length < PAGE_ITEMS ? undefined : page.items.at(-1)?.id),
    maxPages: PAGES_MAX,
  })
  const { data, fetchNextPage, hasNextPage, isFetching, refetch } = look
  const known = data?.pages.flatMap(({ items }) => items)
  const newest = known?.[0]?.id ?? -1
  const rows = known === undefined ? undefined : [...live.filter(({ id }) => id > newest), ...known]
  return (
    <ListFrame
      {...list}
      keyOf={({ id }) => String(id)}
      rows={rows}
      look={look}
      pager={
        <>
          <Text size="xs" c="dimmed">
            {formatCount(rows?.length ?? 0)} {list.noun}
          </Text>
          {hasNextPage && (
            <Button variant="default" size="compact-xs" loading={isFetching} onClick={() => void fetchNextPage()}>
              Older
            </Button>
          )}
          <Button variant="default" size="compact-xs" ml="auto" loading={isFetching} onClick={() => void refetch()}>
            Look again
          </Button>
        </>
      }
    />
  )
}
