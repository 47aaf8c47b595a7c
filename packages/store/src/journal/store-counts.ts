/** What the partitions of one journal have done since it was opened: plain integers that hot paths add to. */

/** Upper ends of the classes that commits are counted in by their time, in ms; what took longer is in one more. */
export const COMMIT_TIME_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000,
]

export class StoreCounts {
  /** By commits, and by compaction beside them. */
  writtenBytes = 0
  compactedBytes = 0
  snapshotBytes = 0
  syncs = 0
  /** Batches that were written, with their sync where they needed one. */
  commits = 0
  committedBytes = 0
  lastCommitMs = 0
  commitMsTotal = 0
  /** Commits by their time: one place for each of COMMIT_TIME_BOUNDS_MS, and one for what took longer. */
  readonly commitTimes: number[] = [...COMMIT_TIME_BOUNDS_MS, Infinity].map(() => 0)

  onCommit(bytes: number, tookMs: number): void {
    this.commits++
    this.committedBytes += bytes
    this.lastCommitMs = tookMs
    this.commitMsTotal += tookMs
    let place = 0
    while (place < COMMIT_TIME_BOUNDS_MS.length && tookMs > COMMIT_TIME_BOUNDS_MS[place]!) place++
    this.commitTimes[place]!++
  }
}
