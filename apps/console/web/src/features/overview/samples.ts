/** The last minutes of the broker as columns for the charts: what the server remembers, and what the stream adds. */
import { getOverviewHistory, type OverviewSample } from '@ternmq/api'
import { useMemo, useState } from 'react'
import { useLook } from '../../lib/query.ts'
import { useStream } from '../../lib/stream.ts'

/** Ten minutes of seconds. */
export const SAMPLES_MAX = 600

/** Later samples behind earlier ones, each moment once, the oldest beyond `max` left out. */
export function mergeSamples<T extends { readonly atMs: number }>(
  before: readonly T[],
  after: readonly T[],
  max: number = SAMPLES_MAX,
): readonly T[] {
  const last = before.at(-1)?.atMs ?? -Infinity
  return [...before, ...after.filter(({ atMs }) => atMs > last)].slice(-max)
}

export function useOverviewSamples(): readonly OverviewSample[] {
  const history = useLook(getOverviewHistory).data?.samples
  const [live, setLive] = useState<readonly OverviewSample[]>([])
  useStream('overview', (event) => {
    if (event.kind === 'overview') setLive((before) => mergeSamples(before, [event.data]))
  })
  return useMemo(() => {
    const begin = live[0]?.atMs ?? Infinity
    return mergeSamples(
      (history ?? []).filter(({ atMs }) => atMs < begin),
      live,
    )
  }, [history, live])
}
