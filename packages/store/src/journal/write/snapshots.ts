/** Puts a snapshot in the place of the one before. A crash at any moment leaves one of the two, whole. */
import type { Lsn } from '../../engine.ts'
import type { Committer } from './committer.ts'
import type { Partition } from '../partition.ts'
import { DiskError } from '../../env.ts'
import { isFull } from './segment-writer.ts'
import { UNFINISHED, snapshotName } from '../files/format.ts'
import { type SnapshotDescription, writeSnapshot } from '../files/snapshot-file.ts'
import { DISK_FULL } from './space.ts'

/**
 * To be called while no segment moves. Content that is released while the tables are written may be told as released too:
 * what settled it is synced before the snapshot gets its name.
 */
export async function placeSnapshot(
  partition: Partition,
  committer: Committer,
  at: Lsn,
  data: readonly Uint8Array[],
): Promise<void> {
  const { disk, space, counters, clock } = partition.store
  const description = describe(partition, at, data)
  const coveredBytes = partition.appendedBytes
  const segments = [...partition.segments]
  const number = partition.snapshot + 1
  const path = partition.pathOf(snapshotName(number))
  const draft = `${path}${UNFINISHED}`
  if (segments.length === 0) await partition.makeDirectory()
  let bytes = 0
  try {
    bytes = await writeSnapshot(disk, draft, description, data, (index) =>
      segments[index]!.tables(description.segments[index]!.slots),
    )
  } catch (error) {
    await disk.remove(draft).catch(() => undefined) // the next start removes it
    if (!isFull(error)) throw error
    await space.onDiskFull()
    throw space.fullError(`snapshot of partition ${partition.id}`, DISK_FULL)
  }
  await committer.sync()
  await disk.rename(draft, path)
  await disk.syncDirectory(partition.directory)
  const oldNumber = partition.snapshot
  const oldBytes = partition.snapshotFileBytes
  partition.snapshot = number
  partition.snapshotFileBytes = bytes
  partition.snapshotAtMs = clock.monoMs()
  partition.trimmedTo = at
  partition.gone.clear()
  partition.coveredBytes = coveredBytes
  counters.snapshotBytes += bytes
  space.use(bytes)
  if (oldNumber === 0) return
  await removeOld(partition, oldNumber)
  space.giveBack(oldBytes)
}

/** Segments go only after the older snapshot is gone for good: as long as it is there, the log has all that it needs. */
async function removeOld(partition: Partition, number: number): Promise<void> {
  const { disk } = partition.store
  try {
    await disk.remove(partition.pathOf(snapshotName(number)))
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'not-found')) throw error
  }
  await disk.syncDirectory(partition.directory)
}

function describe(partition: Partition, at: Lsn, data: readonly Uint8Array[]): SnapshotDescription {
  return {
    partition: partition.id,
    at,
    nextLsn: partition.committedLsn + 1,
    nextFileId: partition.nextFileId,
    nextWriter: partition.nextWriter,
    data: data.map(({ length }) => length),
    segments: partition.segments.map((segment) => ({
      firstLsn: segment.firstLsn,
      fileId: segment.fileId,
      coveredTo: segment.coveredTo,
      end: segment.end,
      bookkeepingBytes: segment.bookkeepingBytes,
      slots: segment.slotCount,
      tables: segment.isCompacted ? 2 : 1,
      writers: [...segment.writers.values()],
    })),
    chunked: [...partition.chunked],
    notesGone: true,
  }
}
