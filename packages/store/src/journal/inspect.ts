/**
 * Looks at a store that no broker has open: what is in it, and whether all of it is as it was written. Changes nothing; the
 * lock is held meanwhile.
 */
import type { Lsn, PartitionId } from '../engine.ts'
import type { Disk, DiskFile, EngineClock } from '../env.ts'
import type { Frame } from './files/frames.ts'
import type { Store } from './store.ts'
import { StoreCounts } from './store-counts.ts'
import { DiskError } from '../env.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { Slabs } from './write/batch.ts'
import { damagedPlaces, decodeCatalogHeader, scanCatalog } from './files/catalog-file.ts'
import { FaultLog, faultOfDamage, faultOfFile, type JournalFault, newerText, OpenRefused } from './recovery/faults.ts'
import {
  CATALOG_DIRECTORY,
  FLAG_INTERNAL,
  FORMAT_VERSION,
  LOCK_FILE,
  MARKER_FILE,
  SEGMENT_HEADER_BYTES,
  numberOfName,
  partitionOfDirectory,
  snapshotName,
} from './files/format.ts'
import { assertOurs, refusingKind } from './files/foreign.ts'
import { scanFrames } from './files/frames.ts'
import { Handles } from './read/handles.ts'
import { JournalCatalog, catalogPath } from './journal-catalog.ts'
import { type PartitionEnd, verifyManifest } from './files/manifest.ts'
import { listIfThere, namesOfStore, readMarker } from './files/marker.ts'
import { Partition } from './partition.ts'
import { ReadBuffers } from './read/read-buffers.ts'
import { recover } from './recovery/recovery.ts'
import { assertSalt, saltProblem, surveySalts } from './files/salt.ts'
import { Space } from './write/space.ts'

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
  /** It is a backup that knows what it consists of. */
  readonly hasManifest: boolean
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

/**
 * Reads every byte and checks every checksum. Damage on which no broker may start is among the faults, too, and does not end it; only a
 * store that is in use or of a newer version throws OpenRefused, as a directory without one does.
 */
export function verifyStore(disk: Disk): Promise<VerifyReport> {
  return withLock(disk, async (names) => {
    const faults = new FaultLog(undefined, true)
    await assertOurs(disk, names, faults)
    const counts = { bytes: 0, records: 0 }
    const salt = await saltOrFault(disk, names, faults)
    const lastLsns = new Map<PartitionId, Lsn>()
    if (salt !== undefined) {
      const store = stillStore(disk, salt, faults)
      for (const id of partitionIds(names)) {
        const partition = new Partition(id, store)
        await verifyPartition(partition, counts)
        lastLsns.set(id, partition.committedLsn)
      }
      await orFault(faults, undefined, () => verifyCatalog(store, counts))
    }
    let hasManifest = false
    await orFault(faults, undefined, async () => {
      hasManifest = await verifyManifest(disk, names, faults, (id) => lastLsns.get(id))
    })
    return { ...counts, hasManifest, faults: faults.list }
  })
}

/** How far the log of each partition goes, as far as that can be told. The lock is held. */
export async function partitionEnds(disk: Disk, names: readonly string[]): Promise<PartitionEnd[]> {
  const faults = new FaultLog(undefined, true)
  const salt = await saltOrFault(disk, names, faults)
  const ends: PartitionEnd[] = []
  for (const id of salt === undefined ? [] : partitionIds(names)) {
    const partition = new Partition(id, stillStore(disk, salt ?? 0, faults))
    await orFault(faults, id, () => recover(partition))
    ends.push({ id, lastLsn: partition.committedLsn })
  }
  return ends
}

interface Counts {
  bytes: number
  records: number
}

/** The salt that checksums begin with: of the marker, or of the segments when they prove another one. Undefined: nobody knows. */
async function saltOrFault(disk: Disk, names: readonly string[], faults: FaultLog): Promise<number | undefined> {
  try {
    const salt = await refusingKind(readMarker(disk, names))
    const survey = await surveySalts(disk, names, salt)
    const problem = saltProblem(survey, salt)
    if (problem === undefined) return salt
    faults.report(faultOfFile(MARKER_FILE, problem))
    return survey.other !== undefined && survey.own === 0 ? survey.other.salt : salt
  } catch (error) {
    if (!(error instanceof OpenRefused && error.reason === 'corrupt')) throw error
    const { other } = await surveySalts(disk, names, undefined)
    const rest = other === undefined ? 'nothing else can be checked without it' : 'the rest is checked as the segments say it was written'
    faults.report(faultOfFile(MARKER_FILE, `${error.message}; ${rest}`))
    return other?.salt
  }
}

/** A file that the disk cannot read is damage like any other. False when there was such a one. */
async function orFault(faults: FaultLog, partition: PartitionId | undefined, verify: () => Promise<unknown>): Promise<boolean> {
  try {
    await verify()
    return true
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    faults.report(faultOfFile(error.path, `it cannot be read: ${error.message}`, partition))
    return false
  }
}

/** What of a segment is to be read. */
interface Stretch {
  readonly file: string
  readonly firstLsn: Lsn
  readonly nextFirstLsn: Lsn | undefined
  /** Undefined: nobody knows where a crash has torn it, so what is bad at its end may be that. */
  readonly end: number | undefined
}

async function verifyPartition(partition: Partition, counts: Counts): Promise<void> {
  const { disk, faults, salt } = partition.store
  const isKnown = await orFault(faults, partition.id, () => recover(partition))
  counts.bytes += partition.snapshotFileBytes
  const onFrame = ({ flags, hasPlace }: Frame): void => {
    if (hasPlace && (flags & FLAG_INTERNAL) === 0) counts.records++
  }
  let stretches = stretchesOf(partition)
  if (!isKnown) await orFault(faults, partition.id, async () => (stretches = await allStretches(partition)))
  for (const { file, firstLsn, nextFirstLsn, end } of stretches) {
    const verify = async (opened: DiskFile): Promise<void> => {
      const range = { start: SEGMENT_HEADER_BYTES, end: end ?? (await opened.size()), afterLsn: firstLsn - 1 }
      counts.bytes += range.end
      await scanFrames(opened, range, salt, onFrame, (damage) => {
        if (end !== undefined || damage.next !== undefined) faults.report(faultOfDamage(file, partition.id, damage, nextFirstLsn))
        return true
      })
    }
    await orFault(faults, partition.id, () => withFile(disk, file, verify))
  }
}

function stretchesOf(partition: Partition): Stretch[] {
  return partition.segments.map(({ name, firstLsn, end }, index) => {
    const nextFirstLsn = partition.segments[index + 1]?.firstLsn
    return { file: partition.pathOf(name), firstLsn, nextFirstLsn, end }
  })
}

/** The same without a start's knowledge of what belongs together. */
async function allStretches(partition: Partition): Promise<Stretch[]> {
  const names = await listIfThere(partition.store.disk, partition.directory)
  return names.toSorted().flatMap((name) => {
    const firstLsn = numberOfName(name, '.seg')
    return firstLsn === undefined ? [] : [{ file: partition.pathOf(name), firstLsn, nextFirstLsn: undefined, end: undefined }]
  })
}

async function verifyCatalog({ disk, faults, salt }: Store, counts: Counts): Promise<void> {
  for (const path of await catalogFiles(disk)) {
    const whole = await withFile(disk, path, readWhole)
    counts.bytes += whole.length
    const header = decodeCatalogHeader(whole, salt)
    if (typeof header === 'string') faults.report(faultOfFile(path, header))
    else if ('version' in header) faults.report(faultOfFile(path, `it ${newerText(header.version)}`))
    for (const offset of damagedPlaces(whole, salt)) {
      const what = 'the checksum of a change is wrong, and changes follow: definitions are lost'
      faults.report({ ...faultOfFile(path, what), offset })
    }
    scanCatalog(whole, salt, () => counts.records++)
  }
}

function partitionIds(names: readonly string[]): PartitionId[] {
  const ids = names.map(partitionOfDirectory).filter((id) => id !== undefined)
  return ids.toSorted((a, b) => a - b)
}

async function withStill<T>(disk: Disk, use: (still: StillStore) => Promise<T>): Promise<T> {
  return refusingKind(withLock(disk, async (names) => {
    const faults = new FaultLog()
    await assertOurs(disk, names, faults)
    const salt = await readMarker(disk, names)
    await assertSalt(disk, names, salt)
    const store = stillStore(disk, salt, faults)
    const catalog = new JournalCatalog(store)
    await catalog.recover(await listIfThere(disk, CATALOG_DIRECTORY))
    const partitions: Partition[] = []
    for (const id of partitionIds(names)) {
      const partition = new Partition(id, store)
      await recover(partition)
      partitions.push(partition)
    }
    return use({ store, partitions, catalog })
  }))
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
function stillStore(disk: Disk, salt: number, faults: FaultLog): Store {
  const clock: EngineClock = { wallMs: () => 0, monoMs: () => 0, endOfTurn: () => {} }
  return {
    disk,
    clock,
    salt,
    limits: DEFAULT_LIMITS,
    settings: { segmentBytes: 0, batchBytesMax: 0, pendingHighBytes: 0 },
    slabs: new Slabs(0),
    readBuffers: new ReadBuffers(),
    space: new Space(disk, clock, { maxBytes: 0, minFreeBytes: 0, reserveBytes: 0, pendingMaxBytes: 0 }),
    handles: new Handles(disk),
    faults,
    counters: new StoreCounts(),
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
