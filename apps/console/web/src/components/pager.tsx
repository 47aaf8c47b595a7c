/** Below a list: how many there are, and the way to its other pages, each with an address of its own. */
import { Button, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatCount, formatMany } from '../lib/format.ts'
import { useUrlState } from '../lib/url-state.ts'

/** Of the address: where the page begins; '' is the first one. */
export const CURSOR_KEY = 'cursor'

interface PagerProps {
  readonly noun: string
  /** Of one; undefined: the noun without its s. */
  readonly one: string | undefined
  /** Undefined before the first answer: nothing is said of what is not known. */
  readonly shownCount: number | undefined
  readonly total?: number | undefined
  readonly next: string | undefined
  /** What is shown is of the filter, sort or page before, and so is `next`. */
  readonly isBefore: boolean
  /** Of a log, which goes back in time. */
  readonly labels?: { readonly first: string; readonly next: string }
  readonly right?: ReactNode
}

const LIST_LABELS = { first: 'First page', next: 'Next page' }

export function Pager({
  noun,
  one = noun.slice(0, -1),
  shownCount,
  total,
  next,
  isBefore,
  labels = LIST_LABELS,
  right,
}: PagerProps) {
  const url = useUrlState()
  const cursor = url.get(CURSOR_KEY)
  const goTo = (place: string): void => url.set({ [CURSOR_KEY]: place })
  return (
    <>
      <Text size="xs" c="dimmed" aria-live="polite">
        {shownCount !== undefined &&
          (total === undefined
            ? formatMany(shownCount, one, noun)
            : `${formatCount(shownCount)} of ${formatMany(total, one, noun)}`)}
      </Text>
      <Group gap={4} ml="auto">
        {(cursor !== '' || next !== undefined) && (
          <Group gap={4} component="nav" aria-label={`Pages of ${noun}`}>
            <Button variant="default" size="compact-xs" disabled={cursor === ''} onClick={() => goTo('')}>
              {labels.first}
            </Button>
            <Button variant="default" size="compact-xs" disabled={cursor === ''} onClick={() => history.back()}>
              Back
            </Button>
            <Button
              variant="default"
              size="compact-xs"
              disabled={next === undefined || isBefore}
              onClick={() => goTo(next ?? '')}
            >
              {labels.next}
            </Button>
          </Group>
        )}
        {right}
      </Group>
    </>
  )
}
