/**
 * Looks at a store that no broker has open: what is in it, and whether all of it is as it was written. Changes nothing; the
 * lock is held meanwhile.
 */
import type { Lsn, PartitionId } from '../engine.ts'
import type { Disk, DiskFile, EngineClock } from '../env.ts'
import type { Frame } from './frames.ts'
import type { Store } from './store.ts'
import { DiskError } from '../env.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { Slabs } from './batch.ts'
import { scanCatalog } from './catalog-file.ts'
import { FaultLog, type JournalFault, OpenRefused } from './faults.ts'
import {
  CATALOG_DIRECTORY,
  FLAG_INTERNAL,
  FORMAT_VERSION,
  LOCK_FILE,
  SEGMENT_HEADER_BYTES,
  numberOfName,
  partitionOfDirectory,
  snapshotName,
} from './format.ts'
import { scanFrames } from './frames.ts'
import { Handles } from './handles.ts'
import { JournalCatalog, catalogPath } from './journal-catalog.ts'
import { listIfThere, namesOfStore, readMarker } from './marker.ts'
import { Partition } from './partition.ts'
import { recover } from './recovery.ts'
import { Space } from './space.ts'

export interface SegmentReport {
  readonly file: string
  readonly bytes: number
  readonly firstLsn: Lsn
  readonly lastLsn: Lsn
  readonly compacted: boolean
  readonly liveRecords: number
  readonly liveBytes: number
}

export interface PartitionReport {
  readonly id: PartitionId
  readonly segments: readonly SegmentReport[]
  readonly snapshot: { readonly file: string; readonly at: Lsn; readonly bytes: number } | undefined
  /** The highest lsn in use. */
  readonly lastLsn: Lsn
}

export interface StoreReport {
  readonly formatVersion: number
  readonly diskBytes: number
  /** Bytes of unfinished groups that the next start will cut off. */
  readonly tornBytes: number
  readonly partitions: readonly PartitionReport[]
  readonly catalogKeys: number
  readonly faults: readonly JournalFault[]
}

export interface VerifyReport {
  /** Bytes that were read, and whole records among them. */
  readonly bytes: number
  readonly records: number
  readonly faults: readonly JournalFault[]
}

/** Everything that stands still while nobody has the store open. */
interface StillStore {
  readonly store: Store
  readonly partitions: readonly Partition[]
  readonly catalog: JournalCatalog
}

/** What is in the store, as a start would find it. Throws OpenRefused. */
export function inspectStore(disk: Disk): Promise<StoreReport> {
  return withStill(disk, async ({ store, partitions, catalog }) => {
    let catalogKeys = 0
    for await (const page of catalog.scan('')) catalogKeys += page.length
    return {
      formatVersion: FORMAT_VERSION,
      diskBytes: store.space.usedBytes,
      tornBytes: partitions.reduce((sum, { tornBytes }) => sum + tornBytes, 0),
      partitions: partitions.map(reportOf),
      catalogKeys,
      faults: store.faults.list,
    }
  })
}

/** The same of a partition that is open. */
export function reportOf(partition: Partition): PartitionReport {
  const { snapshot, trimmedTo, snapshotFileBytes } = partition
  return {
    id: partition.id,
    segments: partition.segments.map((segment) => ({
      file: partition.pathOf(segment.name),
      bytes: segment.end,
      firstLsn: segment.firstLsn,
      lastLsn: segment.lastLsn,
      compacted: segment.isCompacted,
      liveRecords: segment.liveCount,
      liveBytes: segment.liveBytes,
    })),
    snapshot:
      snapshot === 0
        ? undefined
        : { file: partition.pathOf(snapshotName(snapshot)), at: trimmedTo, bytes: snapshotFileBytes },
    lastLsn: partition.committedLsn,
  }
}

/** Reads every byte and checks every checksum. Throws OpenRefused when a start would be refused. */
export function verifyStore(disk: Disk): Promise<VerifyReport> {
  return withStill(disk, async ({ store, partitions }) => {
    let bytes = 0
    let records = 0
    const onFrame = ({ flags, hasPlace }: Frame): void => {
      if (hasPlace && (flags & FLAG_INTERNAL) === 0) records++
    }
    for (const partition of partitions) {
      bytes += partition.snapshotFileBytes
      for (const segment of partition.segments) {
        bytes += segment.end
        const file = partition.pathOf(segment.name)
        const range = { start: SEGMENT_HEADER_BYTES, end: segment.end, afterLsn: segment.firstLsn - 1 }
        await withFile(disk, file, (opened) =>
          scanFrames(opened, range, store.salt, onFrame, ({ from, afterLsn, next }) => {
            const lost = { after: afterLsn, before: next?.lsn }
            const what = 'the checksum of a frame is wrong'
            store.faults.report({ file, offset: from, what, partition: partition.id, lost })
            return true
          }),
        )
      }
    }
    for (const path of await catalogFiles(disk)) {
      const whole = await withFile(disk, path, readWhole)
      bytes += whole.length
      scanCatalog(whole, store.salt, () => records++)
    }
    return { bytes, records, faults: store.faults.list }
  })
}

async function withStill<T>(disk: Disk, use: (still: StillStore) => Promise<T>): Promise<T> {
  return withLock(disk, async (names) => {
    const store = stillStore(disk, await readMarker(disk))
    const catalog = new JournalCatalog(store)
    await catalog.recover(await listIfThere(disk, CATALOG_DIRECTORY))
    const partitions: Partition[] = []
    const ids = names.map(partitionOfDirectory).filter((id) => id !== undefined)
    for (const id of ids.toSorted((a, b) => a - b)) {
      const partition = new Partition(id, store)
      await recover(partition)
      partitions.push(partition)
    }
    return use({ store, partitions, catalog })
  })
}

/** Runs `use` with the names in the store while no broker can open it. Throws OpenRefused. */
export async function withLock<T>(disk: Disk, use: (names: readonly string[]) => Promise<T>): Promise<T> {
  const names = await namesOfStore(disk)
  if (names.length === 0) {
    throw new OpenRefused('foreign', 'there is no store in this directory: name the one that the broker writes to')
  }
  const lock = await disk.lock(LOCK_FILE).catch((cause: unknown) => {
    if (!(cause instanceof DiskError && cause.code === 'locked')) throw cause
    throw new OpenRefused(
      'in-use',
      `${cause.message}: a broker has the store open. Stop it, or ask it by way of the broker`,
      {
        cause,
      },
    )
  })
  try {
    return await use(names)
  } finally {
    await lock.release()
  }
}

/** Enough of a store to find out what is in it. */
function stillStore(disk: Disk, salt: number): Store {
  const clock: EngineClock = { wallMs: () => 0, monoMs: () => 0, endOfTurn: () => {} }
  return {
    disk,
    clock,
    salt,
    limits: DEFAULT_LIMITS,
    settings: { segmentBytes: 0, batchBytesMax: 0, pendingHighBytes: 0 },
    slabs: new Slabs(0),
    space: new Space(disk, clock, { maxBytes: 0, minFreeBytes: 0, reserveBytes: 0, pendingMaxBytes: 0 }),
    handles: new Handles(disk),
    faults: new FaultLog(),
    counters: { writtenBytes: 0, compactedBytes: 0, snapshotBytes: 0, syncs: 0, lastCommitMs: 0 },
    isBroken: false,
    fail: () => {},
  }
}

async function catalogFiles(disk: Disk): Promise<string[]> {
  const names = await listIfThere(disk, CATALOG_DIRECTORY)
  const numbers = names.map((name) => numberOfName(name, '.cat')).filter((number) => number !== undefined)
  return numbers.length === 0 ? [] : [catalogPath(Math.max(...numbers))]
}

async function withFile<T>(disk: Disk, path: string, use: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await disk.open(path, 'read')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

async function readWhole(file: DiskFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.size())
  return bytes.subarray(0, await file.read(0, bytes))
}
