/** Compares what a snapshot says is alive with what the segments have. */
import type { Lsn } from '../../engine.ts'
import type { Partition } from '../partition.ts'
import type { LoadedSnapshot, SnapshotSegment } from '../files/snapshot-file.ts'
import { segmentName, snapshotName } from '../files/format.ts'
import { ENTRY_LIVE } from '../segment.ts'

/** To be called when everything behind the snapshot was looked at, too. */
export function reportMissing(partition: Partition, snapshot: LoadedSnapshot): void {
  for (const [index, segment] of snapshot.segments.entries()) {
    const missing = missingOf(partition, snapshot, segment, snapshot.tables[index] ?? [])
    if (missing !== undefined) report(partition, segment, missing)
  }
  const end = Math.max(0, ...partition.segments.map(({ rangeEnd }) => rangeEnd))
  const last = snapshot.nextLsn - 1
  if (end >= last) return
  partition.store.faults.report({
    file: partition.pathOf(snapshotName(partition.snapshot)),
    offset: 0,
    what: `it was made when the log had lsn ${last}, and the log ends at ${end}: the end of the last segment is gone, or whole segments`,
    partition: partition.id,
    lost: { after: end, before: last + 1 },
  })
}

interface Missing {
  readonly records: number
  readonly firstLsn: Lsn
  readonly lastLsn: Lsn
  /** Bytes of the file when it is there and too short. */
  readonly size: number | undefined
}

/** Live records of a segment that are in no file, although nothing says that they were released. */
function missingOf(
  partition: Partition,
  snapshot: LoadedSnapshot,
  described: SnapshotSegment,
  tables: readonly Uint32Array[],
): Missing | undefined {
  const { firstLsn, fileId, end } = described
  const same = partition.segments.find((segment) => segment.firstLsn === firstLsn && isSame(segment.fileId, fileId))
  if (same !== undefined && same.end >= end) return undefined
  if (same === undefined && snapshot.notesGone !== true) return undefined // nobody knows what was removed since
  const [entries = new Uint32Array(0), deltas] = tables
  let missing: Missing | undefined = undefined
  for (let slot = 0; slot < entries.length; slot++) {
    if ((entries[slot]! & ENTRY_LIVE) === 0) continue
    const lsn = firstLsn + (deltas === undefined ? slot : deltas[slot]!)
    if (isThere(partition, lsn, same?.lastLsn)) continue
    const before: Missing = missing ?? { records: 0, firstLsn: lsn, lastLsn: lsn, size: same?.end }
    missing = { ...before, records: before.records + 1, lastLsn: lsn }
  }
  return missing
}

/** A segment with a header that cannot be read is known by its name alone. */
function isSame(found: number, meant: number): boolean {
  return found === meant || found === 0
}

/** `sameEnd`: the last lsn of the segment that should have it, when that is there. */
function isThere(partition: Partition, lsn: Lsn, sameEnd: Lsn | undefined): boolean {
  if (sameEnd !== undefined) return lsn <= sameEnd // what is damaged before is told as that
  const segment = partition.segments[partition.indexOf(lsn)]
  // One that was compacted later left out what was released.
  return (segment?.isCompacted === true && lsn <= segment.coveredTo) || partition.gone.has(lsn)
}

function report(partition: Partition, { firstLsn }: SnapshotSegment, missing: Missing): void {
  const { records, size } = missing
  const where = size === undefined ? 'the file is gone, or nothing in it can be read' : 'the end of the file is gone'
  partition.store.faults.report({
    file: partition.pathOf(segmentName(firstLsn)),
    offset: size ?? 0,
    what: `the snapshot says that ${records} records are alive which it does not have: ${where}`,
    partition: partition.id,
    lost: { after: missing.firstLsn - 1, before: missing.lastLsn + 1 },
  })
}
