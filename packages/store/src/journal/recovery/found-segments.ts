/**
 * Which files of a partition's directory are segments of its log, and what becomes of those that only look like it. Nothing
 * that may be somebody's is removed: a file in which nothing can be read is kept aside under another name, and one that
 * never was a segment stops the start.
 */
import type { Disk } from '../../env.ts'
import type { SegmentHeader } from '../files/format.ts'
import type { Partition } from '../partition.ts'
import { faultOfFile, newer, OpenRefused, orFlaw } from './faults.ts'
import {
  FORMAT_VERSION,
  SEGMENT_HEADER_BYTES,
  asideName,
  decodeSegmentHeader,
  isTornHeader,
  mayBeSegment,
  numberOfName,
} from '../files/format.ts'
import { countFrames } from '../files/salt.ts'

export interface FoundSegment {
  readonly name: string
  readonly header: SegmentHeader
  readonly size: number
}

/** A file that is to get a name which no start takes for one of the log. */
export interface Aside {
  readonly name: string
  readonly to: string
}

export interface FoundSegments {
  /** In order, without those that a compacted one stands for and without one that was never finished. */
  readonly found: readonly FoundSegment[]
  readonly asides: readonly Aside[]
}

/** Adds to `leftovers` what a crash left. Throws OpenRefused unless the store's faults are lenient. */
export async function findSegments(
  partition: Partition,
  names: readonly string[],
  leftovers: string[],
): Promise<FoundSegments> {
  const { faults } = partition.store
  const segments = names.filter((name) => numberOfName(name, '.seg') !== undefined).toSorted()
  const found: FoundSegment[] = []
  const asides: Aside[] = []
  const keepAside = (name: string): void => {
    asides.push({ name, to: asideName(name, names) })
  }
  let coveredTo = 0
  for (const name of segments) {
    const path = partition.pathOf(name)
    const firstLsn = numberOfName(name, '.seg')!
    const isTail = name === segments.at(-1) && firstLsn > coveredTo
    const { bytes, size } = await readStart(partition.store.disk, path)
    const read = decodeSegmentHeader(bytes, partition.store.salt)
    const header = faults.isLenient ? orFlaw(read) : read
    if (typeof header === 'string') {
      if (isTail && size <= SEGMENT_HEADER_BYTES && isTornHeader(bytes, partition.id, firstLsn)) {
        // No record ever was in it. What is all zero says nothing; other bytes are kept, so that nobody need believe us.
        if (bytes.every((byte) => byte === 0)) leftovers.push(name)
        else keepAside(name)
      } else if (firstLsn > coveredTo && (await hasFrames(partition, path, size))) {
        faults.report(faultOfFile(path, header, partition.id)) // frames say what they are by themselves
        found.push({
          name,
          header: { version: FORMAT_VERSION, partition: partition.id, firstLsn, lastLsn: 0, fileId: 0 },
          size,
        })
      } else {
        reportUnreadable(partition, path, header, mayBeSegment(bytes))
        keepAside(name)
      }
      continue
    }
    if (header.version > FORMAT_VERSION) throw newer(path, header.version)
    if (header.partition !== partition.id || header.firstLsn !== firstLsn) {
      const what = `says that it is the segment of partition ${header.partition} from lsn ${header.firstLsn} on: it was moved or renamed`
      if (!faults.isLenient)
        throw new OpenRefused('corrupt', `${path} ${what}. Put it back, or restore the newest backup`)
      faults.report(faultOfFile(path, `it ${what}`, partition.id))
      continue
    }
    if (firstLsn <= coveredTo) {
      leftovers.push(name)
      continue
    }
    if (header.lastLsn === 0 && size <= SEGMENT_HEADER_BYTES) {
      // Begun and given up, or its first batch never came: only the last one can be that.
      if (isTail) leftovers.push(name)
      else {
        reportUnreadable(partition, path, `it ends behind its header, and others follow`, true)
        keepAside(name)
      }
      continue
    }
    coveredTo = Math.max(coveredTo, header.lastLsn)
    found.push({ name, header, size })
  }
  return { found, asides }
}

async function readStart(disk: Disk, path: string): Promise<{ bytes: Uint8Array; size: number }> {
  const file = await disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
    const count = await file.read(0, bytes)
    return { bytes: bytes.subarray(0, count), size: await file.size() }
  } finally {
    await file.close()
  }
}

async function hasFrames({ store: { disk, salt } }: Partition, path: string, size: number): Promise<boolean> {
  if (size <= SEGMENT_HEADER_BYTES) return false
  const file = await disk.open(path, 'read')
  try {
    return (await countFrames(file, salt, size)) > 0
  } finally {
    await file.close()
  }
}

/** Throws OpenRefused 'foreign' for what never was a segment, unless the store's faults are lenient. */
function reportUnreadable(partition: Partition, path: string, what: string, mayBeOurs: boolean): void {
  const { faults } = partition.store
  if (!mayBeOurs && !faults.isLenient) {
    throw new OpenRefused(
      'foreign',
      `${path} is no segment: ${what}, and no record of this store is in it. Move it out of the directory; nothing was changed`,
    )
  }
  const fate = mayBeOurs
    ? 'a start keeps it aside under the name ….aside'
    : "it is not the store's: move it out of the directory"
  faults.report(faultOfFile(path, `nothing in it can be read: ${what}; ${fate}`, partition.id))
}
