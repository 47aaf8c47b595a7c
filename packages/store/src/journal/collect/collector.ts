/**
 * Gives disk space back, in the background and a little at a time: removes segments that nobody needs, and copies what is
 * left of sparse ones into a new file that takes their place. Snapshots and backups have their turn here too, since none
 * of them can bear files that move.
 *
 * What a released record was settled by must be on stable storage before its bytes go, hence the syncs of the log.
 */
import type { Committer } from '../write/committer.ts'
import type { Partition } from '../partition.ts'
import type { Segment } from '../segment.ts'
import { compact } from './compaction.ts'
import { asideName } from '../files/format.ts'
import { isFull } from '../write/segment-writer.ts'
import { planCompaction } from './compaction-plan.ts'

export class Collector {
  readonly #partition: Partition
  readonly #committer: Committer
  #queue: Promise<void> = Promise.resolve()
  #wanted = false
  #closed = false
  /** No compaction until something was given back, or `wantAgain`: the disk was full. */
  #isStarved = false

  constructor(partition: Partition, committer: Committer) {
    this.#partition = partition
    this.#committer = committer
  }

  /** Looks for dead bytes after the turn. Cheap to call often. */
  want(): void {
    if (this.#wanted || this.#closed) return
    this.#wanted = true
    this.#partition.store.clock.endOfTurn(() => {
      void this.exclusive(() => this.#collect()).catch((error: unknown) => this.#partition.store.fail(error))
    })
  }

  /** As `want`, and there may be room for a compaction again: others use the disk, too. */
  wantAgain(): void {
    this.#isStarved = false
    this.want()
  }

  /** Runs `task` while no segment moves. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task)
    this.#queue = result.then(
      () => undefined,
      () => undefined, // told to whoever asked for it
    )
    return result
  }

  /** Resolves when nothing is under way; nothing new begins. */
  close(): Promise<void> {
    this.#closed = true
    return this.#queue
  }

  /** Removes and compacts until nothing is worth it. To be called by way of `exclusive`. */
  async #collect(): Promise<void> {
    this.#wanted = false
    while (!this.#closed && !this.#partition.store.isBroken) {
      await this.#removeDead()
      const sources = this.#isStarved ? [] : planCompaction(this.#partition)
      if (sources.length === 0) return
      try {
        await compact(this.#partition, this.#committer, sources)
      } catch (error) {
        if (!isFull(error)) throw error
        this.#isStarved = true
        return
      }
    }
  }

  async #removeDead(): Promise<void> {
    const partition = this.#partition
    const { disk, handles, space } = partition.store
    // What of it is damaged was before the next one's first lsn.
    const dead = partition.segments.filter((segment, index) => {
      const next = partition.segments[index + 1]
      return next !== undefined && segment.liveCount === 0 && next.firstLsn - 1 <= partition.trimmedTo
    })
    if (dead.length === 0) return
    for (const { firstLsn, rangeEnd } of dead) {
      if (rangeEnd >= firstLsn) partition.gone.add({ firstLsn, lastLsn: rangeEnd })
    }
    await this.#committer.syncWithGone()
    for (const segment of dead) {
      segment.gone = true
      partition.segments.splice(partition.segments.indexOf(segment), 1)
      if (!isSound(segment)) {
        await keepAside(partition, segment)
        space.giveBack(segment.end)
      } else if (partition.isWorthKeeping(segment)) await partition.keepAsSpare(segment)
      else {
        await disk.remove(partition.pathOf(segment.name))
        space.giveBack(segment.end)
      }
      handles.forget(segment)
      this.#isStarved = false
    }
  }
}

/** Nothing is known to be in it that could not be read. */
function isSound(segment: Segment): boolean {
  return !segment.damaged && segment.fileId !== 0 && segment.rangeEnd >= segment.firstLsn
}

/** What could not be read may still be of use to somebody. */
async function keepAside(partition: Partition, { name }: Segment): Promise<void> {
  const { disk } = partition.store
  const to = asideName(name, await disk.list(partition.directory))
  await disk.rename(partition.pathOf(name), partition.pathOf(to))
}
