/** What the store says of itself, for operators. */
import type { StoreInfo } from '@ternmq/api'
import type { VirtualHost } from '@ternmq/core'
import type { Engine } from '@ternmq/store'
import type { JournalEngine, JournalStats } from '@ternmq/store/journal'

export interface StoreInfoParts {
  readonly vhost: VirtualHost
  readonly engine: Engine
  readonly journal: JournalEngine | undefined
  /** '' for a broker without files. */
  readonly folder: string
  /** Upper ends of the ranges of `JournalStats.commitTimes`; the last range has none. */
  readonly commitTimeBoundsMs: readonly number[]
  readonly freeBytes: () => number | undefined
}

/** Cheap: nothing is read from the disk. */
export function storeInfo({
  vhost,
  engine,
  journal,
  folder,
  commitTimeBoundsMs,
  freeBytes,
}: StoreInfoParts): StoreInfo {
  const stats = journal?.stats()
  return {
    engine: journal === undefined ? 'memory' : 'journal',
    durabilities: engine.durabilities,
    folder,
    diskBytes: stats?.diskBytes ?? 0,
    liveBytes: stats?.liveBytes ?? 0,
    segmentCount: stats?.segments ?? 0,
    freeBytes: freeBytes(),
    commits: {
      count: stats?.commits ?? 0,
      bytes: stats?.committedBytes ?? 0,
      p50Ms: quantileMs(stats, commitTimeBoundsMs, 0.5),
      p99Ms: quantileMs(stats, commitTimeBoundsMs, 0.99),
      maxMs: quantileMs(stats, commitTimeBoundsMs, 1),
    },
    problem: problemOf(vhost, stats),
  }
}

function problemOf(vhost: VirtualHost, stats: JournalStats | undefined): string | undefined {
  if (vhost.log.isEnded) return 'the store has failed, and the broker stops: see its log'
  if (stats?.isFull === true)
    return 'the disk is full, or has less room than store.minFreeBytes or store.maxBytes leave: make room'
  return undefined
}

/** Upper end of the range that the share `quantile` of all commits lies in or below; of the open range its lower end. 0 without commits. */
function quantileMs(stats: JournalStats | undefined, boundsMs: readonly number[], quantile: number): number {
  if (stats === undefined || stats.commits === 0) return 0
  let left = Math.ceil(stats.commits * quantile)
  for (const [index, count] of stats.commitTimes.entries()) {
    left -= count
    if (left <= 0) return boundsMs[index] ?? boundsMs.at(-1) ?? 0
  }
  return boundsMs.at(-1) ?? 0
}
