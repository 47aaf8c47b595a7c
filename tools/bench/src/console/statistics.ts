/** What pairs of measurements say of a difference, without a guess at how they are distributed. */
import { median } from '../loadgen/results.ts'

export interface Difference {
  readonly median: number
  /** Between these the true median is, with a probability of 95 % or a little more. */
  readonly low: number
  readonly high: number
}

/**
 * Of at least 6 differences. The interval is that of the sign test: the k-th smallest to the k-th largest, k as large as may be for
 * 95 %.
 */
export function medianDifference(differences: readonly number[]): Difference {
  const sorted = differences.toSorted((a, b) => a - b)
  const rank = intervalRank(sorted.length)
  if (rank === 0) throw new RangeError(`${sorted.length} pairs are too few for an interval of 95 %; 6 are needed`)
  return { median: median(sorted)!, low: sorted[rank - 1]!, high: sorted[sorted.length - rank]! }
}

/** The largest k for which the k-1 outermost values on either side leave out the median with at most 2.5 % each. */
function intervalRank(count: number): number {
  let outside = 0
  let ways = 1
  for (let below = 0; below < count; below++) {
    outside += ways / 2 ** count
    if (outside > 0.025) return below
    ways = (ways * (count - below)) / (below + 1)
  }
  return count
}
