/** A list of the API on a page: filter, sort and page are in the address, the rows are the server's. */
import { Button, Group, Text } from '@mantine/core'
import type { Call, Page, Route } from '@ternmq/api'
import { useEffect } from 'react'
import { formatCount } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'
import { useUrlState } from '../lib/url-state.ts'
import { filterKeysOf, ListFrame, type ListLook, queryOf } from './list-frame.tsx'

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
  const query: Record<string, unknown> = queryOf(url, ['cursor', 'sort', 'limit', ...filterKeysOf(list)])
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
          shownCount={data?.items.length ?? 0}
          total={data?.total}
          next={data?.next}
          isBefore={isPlaceholderData}
          cursor={url.get('cursor')}
          onCursor={(cursor) => url.set({ cursor })}
        />
      }
    />
  )
}

interface PagerProps {
  readonly noun: string
  readonly shownCount: number
  readonly total: number | undefined
  readonly next: string | undefined
  /** What is shown is of the filter, sort or page before, and so is `next`. */
  readonly isBefore: boolean
  readonly cursor: string
  readonly onCursor: (cursor: string) => void
}

function Pager({ noun, shownCount, total, next, isBefore, cursor, onCursor }: PagerProps) {
  const count = total === undefined ? formatCount(shownCount) : `${formatCount(shownCount)} of ${formatCount(total)}`
  return (
    <>
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
            disabled={next === undefined || isBefore}
            onClick={() => onCursor(next ?? '')}
          >
            Next page
          </Button>
        </Group>
      )}
    </>
  )
}
