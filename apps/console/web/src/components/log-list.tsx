/** A log that is read backwards: the newest first, and older ones page by page. */
import { Button } from '@mantine/core'
import type { Call, Route } from '@ternmq/api'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'
import { filterKeysOf, ListFrame, type ListLook, queryOf } from './list-frame.tsx'
import { CURSOR_KEY, Pager } from './pager.tsx'

const PAGE_ITEMS = 100
const LABELS = { first: 'Newest', next: 'Older' }

interface LogListProps<C extends Call, T> extends Omit<ListLook<T>, 'keyOf'> {
  readonly route: Route<C>
  /** Newer ones that came since: of the first page. */
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
  const url = useUrlState()
  const before = url.get(CURSOR_KEY)
  const limit = Number(url.get('limit')) || PAGE_ITEMS
  const query: Record<string, unknown> = {
    limit,
    ...queryOf(url, filterKeysOf(list)),
    ...(before !== '' && { before }),
  }
  const look = useLook(route, { query })
  const { isFetching, isPlaceholderData, refetch } = look
  const known = look.data?.items
  const newest = known?.[0]?.id ?? -1
  const isFirst = before === '' && !isPlaceholderData
  const rows = known === undefined ? undefined : [...(isFirst ? live.filter(({ id }) => id > newest) : []), ...known]
  return (
    <ListFrame
      {...list}
      keyOf={({ id }) => String(id)}
      rows={rows}
      look={look}
      pager={
        <Pager
          noun={list.noun}
          one={list.one}
          shownCount={rows?.length}
          next={known?.length === limit ? String(known.at(-1)!.id) : undefined}
          isBefore={isPlaceholderData}
          labels={LABELS}
          right={
            <Button variant="default" size="compact-xs" loading={isFetching} onClick={() => void refetch()}>
              Refresh
            </Button>
          }
        />
      }
    />
  )
}
