/** How deep queues were while their list was looked at: for the sparkline in each row. */
import type { QueueItem } from '@ternmq/api'
import { useCallback, useState } from 'react'

const DEPTHS_MAX = 40

export type Depths = ReadonlyMap<string, readonly number[]>

/** Only of the queues that are shown now: other pages of the list begin anew. */
export function withDepths(before: Depths, rows: ReadonlyArray<Pick<QueueItem, 'name' | 'readyCount'>>): Depths {
  return new Map(
    rows.map(({ name, readyCount }) => [name, [...(before.get(name) ?? []), readyCount].slice(-DEPTHS_MAX)]),
  )
}

export function useDepths(): readonly [Depths, (rows: readonly QueueItem[]) => void] {
  const [depths, setDepths] = useState<Depths>(new Map())
  return [depths, useCallback((rows: readonly QueueItem[]) => setDepths((before) => withDepths(before, rows)), [])]
}
