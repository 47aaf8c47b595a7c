/** Which segments to copy together next. */
import type { Partition } from '../partition.ts'
import type { Segment } from '../segment.ts'

/** This many small neighbours become one file, so that there are not ever more of them. */
const SMALL_RUN = 8
/** One that grows, one that waits for a snapshot, and some room before the promised three are reached. */
const TIGHT_SEGMENTS = 2.5
const LSN_SPAN_MAX = 2 ** 32 - 1

/**
 * The sparsest segment and the small ones beside it, or many small ones; empty when nothing is worth it. As long as the
 * files are not much more than twice what is needed nothing is copied: what is drained in order dies as a whole before
 * long. Neighbours come along when they are no larger than twice what the sparse one has left: a few records that stay must
 * not be the reason to copy many others again and again.
 */
export function planCompaction(partition: Partition): Segment[] {
  const { settings, space } = partition.store
  const sealed = partition.segments.filter((segment) => partition.isSealed(segment))
  const fits = (run: readonly Segment[]): boolean =>
    run.reduce((sum, segment) => sum + partition.neededBytes(segment), 0) <= settings.segmentBytes &&
    run.at(-1)!.rangeEnd - run[0]!.firstLsn < LSN_SPAN_MAX
  const isTight = space.isTight || partition.excessBytes > TIGHT_SEGMENTS * settings.segmentBytes
  const sparse = isTight ? sparsest(partition, sealed) : undefined
  if (sparse === undefined) return smallRun(partition, sealed, fits)
  const limit = Math.max(2 * partition.neededBytes(sparse), settings.segmentBytes / 64)
  const comesAlong = (segment: Segment | undefined): segment is Segment =>
    segment !== undefined && !segment.damaged && partition.neededBytes(segment) <= limit
  let run = [sparse]
  let before = sealed[sealed.indexOf(sparse) - 1]
  while (comesAlong(before) && fits([before, ...run])) {
    run = [before, ...run]
    before = sealed[sealed.indexOf(before) - 1]
  }
  let after = sealed[sealed.indexOf(sparse) + 1]
  while (comesAlong(after) && fits([...run, after])) {
    run = [...run, after]
    after = sealed[sealed.indexOf(after) + 1]
  }
  return run
}

function sparsest(partition: Partition, sealed: readonly Segment[]): Segment | undefined {
  let found: Segment | undefined = undefined
  let foundShare = Infinity
  for (const segment of sealed) {
    const share = partition.neededBytes(segment) / segment.end
    if (!partition.isSparse(segment) || share >= foundShare) continue
    found = segment
    foundShare = share
  }
  return found
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
