/** Which segments to copy together next. */
import type { Partition } from './partition.ts'
import type { Segment } from './segment.ts'

/** This many small neighbours become one file, so that there are not ever more of them. */
const SMALL_RUN = 8
const LSN_SPAN_MAX = 2 ** 32 - 1

/**
 * A sparse segment and the small ones beside it, or many small ones; empty when nothing is worth it. Neighbours come along
 * when they are no larger than twice what the sparse one has left: a few records that stay must not be the reason to copy
 * many others again and again.
 */
export function planCompaction(partition: Partition): Segment[] {
  const sealed = partition.segments.filter((segment) => partition.isSealed(segment))
  const fits = (run: readonly Segment[]): boolean =>
    run.reduce((sum, segment) => sum + partition.neededBytes(segment), 0) <= partition.store.settings.segmentBytes &&
    run.at(-1)!.rangeEnd - run[0]!.firstLsn < LSN_SPAN_MAX
  for (const [index, sparse] of sealed.entries()) {
    if (!partition.isSparse(sparse)) continue
    const limit = Math.max(2 * partition.neededBytes(sparse), partition.store.settings.segmentBytes / 64)
    const comesAlong = (segment: Segment | undefined): segment is Segment =>
      segment !== undefined && !segment.damaged && partition.neededBytes(segment) <= limit
    let run = [sparse]
    for (let before = index - 1; comesAlong(sealed[before]) && fits([sealed[before]!, ...run]); before--) {
      run = [sealed[before]!, ...run]
    }
    for (let after = index + 1; comesAlong(sealed[after]) && fits([...run, sealed[after]!]); after++) {
      run = [...run, sealed[after]!]
    }
    return run
  }
  return smallRun(partition, sealed, fits)
}

function smallRun(
  partition: Partition,
  sealed: readonly Segment[],
  fits: (run: readonly Segment[]) => boolean,
): Segment[] {
  const smallBytes = partition.store.settings.segmentBytes / SMALL_RUN
  let run: Segment[] = []
  for (const segment of sealed) {
    const isSmall = segment.end <= smallBytes && !segment.damaged
    if (!isSmall || !fits([...run, segment])) run = []
    if (isSmall) run.push(segment)
    if (run.length >= SMALL_RUN) return run
  }
  return []
}
