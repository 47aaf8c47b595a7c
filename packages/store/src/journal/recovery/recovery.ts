/**
 * Finds out what is in a partition's directory. Nothing is changed while it looks; `finish` does what it found to be
 * necessary once the whole store is known to be good.
 *
 * A crash can leave the end of the last segment torn, in any way that unsynced writes can be: that is cut off at the last
 * whole group. Damage before something that proves it was synced is no crash: it is reported and stepped over.
 */
import type { Lsn } from '../../engine.ts'
import type { Disk, DiskFile } from '../../env.ts'
import type { Committer } from '../write/committer.ts'
import type { Damage, Frame, ScanRange } from '../files/frames.ts'
import type { Aside } from './found-segments.ts'
import type { Partition } from '../partition.ts'
import type { LoadedSnapshot, SnapshotSegment } from '../files/snapshot-file.ts'
import { faultOfDamage } from './faults.ts'
import {
  FLAG_BODY,
  FLAG_CHUNKED,
  FLAG_INTERNAL,
  FLAG_LAST,
  INTERNAL_CHUNK,
  INTERNAL_GONE,
  INTERNAL_WRITER,
  SEGMENT_HEADER_BYTES,
  UNFINISHED,
  decodeChunkRefs,
  decodeWriterName,
  padded,
} from '../files/format.ts'
import { findSegments } from './found-segments.ts'
import { scanFrames } from '../files/frames.ts'
import { ENTRY_CHUNK, ENTRY_LIVE, Segment } from '../segment.ts'
import { reportMissing } from './missing.ts'
import { asidesOf, assertBeginning, findSnapshots, isWhole, reportBroken } from './found-snapshots.ts'

export interface Recovered {
  /** Cuts the torn end off, syncs, removes leftovers and hands the last segment to the committer. */
  finish(committer: Committer): Promise<void>
}

/** Throws OpenRefused unless the store's faults are lenient; DiskError. */
export async function recover(partition: Partition): Promise<Recovered> {
  const { disk } = partition.store
  const names = await disk.list(partition.directory)
  const leftovers = names.filter((name) => name.endsWith(UNFINISHED))
  const { newest: snapshot, broken } = await findSnapshots(partition, names)
  if (snapshot !== undefined) leftovers.push(...snapshot.others)
  const { found, asides } = await findSegments(partition, names, leftovers)
  if (snapshot === undefined && broken.length === 0) assertBeginning(partition, found[0])
  const known = new Map(snapshot?.loaded.segments.map((each, index) => [each.fileId, { each, index }]))
  // Without a snapshot nobody knows what was trimmed: nothing before the first segment is missed then.
  partition.trimmedTo = snapshot?.loaded.at ?? (found[0]?.header.firstLsn ?? 1) - 1
  for (const [lsn, chunks] of snapshot?.loaded.chunked ?? []) partition.chunked.set(lsn, chunks)
  let torn: TornEnd = { cutTo: undefined, syncedLsn: snapshot === undefined ? 0 : snapshot.loaded.nextLsn - 1 }
  for (const [index, { name, header, size }] of found.entries()) {
    const { firstLsn, fileId, lastLsn: coveredTo } = header
    const segment = new Segment({ firstLsn, fileId, coveredTo }, coveredTo === 0 ? 'dense' : 'sparse')
    const before = known.get(fileId)
    const start = before?.each.firstLsn === firstLsn && before.each.end <= size ? before.each : undefined
    if (start !== undefined) takeTables(segment, start, snapshot?.loaded.tables[before!.index] ?? [])
    partition.segments.push(segment)
    const isLast = index === found.length - 1 && coveredTo === 0
    const file = await disk.open(partition.pathOf(name), 'read')
    try {
      const scan = { size, isLast, syncedBefore: torn.syncedLsn, nextFirstLsn: found[index + 1]?.header.firstLsn }
      torn = await scanSegment(partition, segment, file, scan)
    } finally {
      await file.close()
    }
    if (!isLast) segment.seal()
    partition.appendedBytes += segment.end - (start?.end ?? SEGMENT_HEADER_BYTES)
    partition.store.space.usedBytes += segment.end
  }
  reportGaps(partition)
  if (snapshot !== undefined) reportMissing(partition, snapshot.loaded)
  reportBroken(partition, broken, { hasOlder: snapshot !== undefined, isWhole: asides.length === 0 && isWhole(partition) })
  settleNumbers(partition, snapshot?.loaded, torn.syncedLsn)
  settleChunks(partition)
  return { finish: (committer) => finish(partition, committer, { leftovers, asides: [...asides, ...asidesOf(broken, names)], torn }) }
}

function takeTables(segment: Segment, start: SnapshotSegment, tables: readonly Uint32Array[]): void {
  segment.load(tables, start.end, start.bookkeepingBytes)
  for (const writer of start.writers) segment.writers.set(writer.number, writer)
}

/** How a segment ends. */
interface TornEnd {
  /** The end of the file is torn, which only the last one's can be. */
  readonly cutTo: number | undefined
  /** Everything up to here is proven to have been synced. */
  readonly syncedLsn: Lsn
}

interface SegmentScan {
  /** Bytes of the file. */
  readonly size: number
  readonly isLast: boolean
  /** Everything up to here was synced when the segment was begun. */
  readonly syncedBefore: Lsn
  /** Of the segment behind it. */
  readonly nextFirstLsn: Lsn | undefined
}

/** Notes what is behind `segment.end`. */
async function scanSegment(
  partition: Partition,
  segment: Segment,
  file: DiskFile,
  { size, isLast, syncedBefore, nextFirstLsn }: SegmentScan,
): Promise<TornEnd> {
  const { salt } = partition.store
  let wholeEnd = segment.end
  let wholeLsn = segment.lastLsn
  let syncedLsn = syncedBefore
  const damages: Damage[] = []
  const onFrame = (frame: Frame): void => {
    syncedLsn = Math.max(syncedLsn, frame.lsn - frame.unsynced)
    noteFrame(partition, segment, frame)
    segment.end = frame.offset + padded(frame.length)
    if ((frame.flags & FLAG_LAST) === 0) return
    wholeEnd = segment.end
    wholeLsn = segment.lastLsn
  }
  // Damage that something behind it proves to have been synced is no crash's work. Without damage nobody asks.
  let proof: Lsn | undefined = undefined
  let range = { start: segment.end, end: size, afterLsn: segment.lastLsn }
  for (let damage = await firstDamage(file, range, salt, onFrame); damage !== undefined;) {
    if (isLast) proof ??= await lastProof(file, { ...range, start: damage.from, afterLsn: damage.afterLsn }, salt)
    if (proof !== undefined && proof <= damage.afterLsn) break
    damages.push(damage)
    range = { ...range, start: damage.to, afterLsn: damage.afterLsn }
    damage = await firstDamage(file, range, salt, onFrame)
  }
  for (const damage of damages) {
    const fault = faultOfDamage(partition.pathOf(segment.name), partition.id, damage, nextFirstLsn)
    if (fault.lost !== undefined) segment.damaged = true
    partition.store.faults.report(fault)
  }
  if (!isLast) {
    segment.end = size
    return { cutTo: undefined, syncedLsn: segment.lastLsn } // nothing begins behind one that was not synced
  }
  // A group is in the log as a whole or not at all.
  for (const lsn of partition.chunked.keys())
    if (lsn > wholeLsn && lsn >= segment.firstLsn) partition.chunked.delete(lsn)
  segment.cut(wholeLsn, wholeEnd)
  partition.tornBytes = size - wholeEnd
  return { cutTo: size > wholeEnd ? wholeEnd : undefined, syncedLsn }
}

/** Shows the good frames of `range` up to the first damage, and returns it. */
async function firstDamage(
  file: DiskFile,
  range: ScanRange,
  salt: number,
  onFrame: (frame: Frame) => void,
): Promise<Damage | undefined> {
  let found: Damage | undefined = undefined
  await scanFrames(file, range, salt, onFrame, (damage) => {
    found = damage
    return false
  })
  return found
}

/** The highest lsn up to which some frame of `range` says that all was synced. */
async function lastProof(file: DiskFile, range: ScanRange, salt: number): Promise<Lsn> {
  let proof = 0
  await scanFrames(
    file,
    range,
    salt,
    (frame) => {
      proof = Math.max(proof, frame.lsn - frame.unsynced)
    },
    () => true,
  )
  return proof
}

function noteFrame(partition: Partition, segment: Segment, frame: Frame): void {
  if (!frame.hasPlace) {
    if (frame.kind === INTERNAL_WRITER) segment.writers.set(frame.writer, decodeWriterName(frame.writer, frame.meta))
    else if (frame.kind === INTERNAL_GONE) partition.gone.take(frame.meta)
    return
  }
  if (frame.lsn <= segment.lastLsn) return // no writer makes two; a second one cannot be told from the first
  const isInternal = (frame.flags & FLAG_INTERNAL) !== 0
  const isChunk = isInternal && frame.kind === INTERNAL_CHUNK
  const isContent = !isInternal && (frame.flags & FLAG_BODY) !== 0
  const bits = isChunk ? ENTRY_LIVE | ENTRY_CHUNK : isContent ? ENTRY_LIVE : 0
  segment.add(frame.lsn, frame.offset, bits, padded(frame.length))
  if (isContent && (frame.flags & FLAG_CHUNKED) !== 0) partition.chunked.set(frame.lsn, decodeChunkRefs(frame.body))
}

/** Behind the trim point every lsn is in some segment's range. */
function reportGaps(partition: Partition): void {
  let end = partition.trimmedTo
  for (const segment of partition.segments) {
    if (segment.firstLsn > end + 1) {
      partition.store.faults.report({
        file: partition.pathOf(segment.name),
        offset: 0,
        what: 'the segment before it is missing, or its end is',
        partition: partition.id,
        lost: { after: end, before: segment.firstLsn },
      })
    }
    end = Math.max(end, segment.rangeEnd)
  }
}

/** No lsn is given twice, also when what had it is damaged: `syncedLsn` was in the log. */
function settleNumbers(partition: Partition, snapshot: LoadedSnapshot | undefined, syncedLsn: Lsn): void {
  const { segments } = partition
  const lastLsn = Math.max((snapshot?.nextLsn ?? 1) - 1, partition.trimmedTo, syncedLsn, segments.at(-1)?.rangeEnd ?? 0)
  partition.nextLsn = lastLsn + 1
  partition.committedLsn = lastLsn
  partition.syncedLsn = lastLsn
  const writers = segments.flatMap((segment) => [...segment.writers.keys()])
  partition.nextWriter = writers.reduce((max, each) => Math.max(max, each + 1), snapshot?.nextWriter ?? 1)
  partition.nextFileId = segments.reduce((max, { fileId }) => Math.max(max, fileId + 1), snapshot?.nextFileId ?? 1)
}

/** Pieces without a record were for nothing, and a record without all of its pieces had been released. */
function settleChunks(partition: Partition): void {
  const used = new Set<Lsn>()
  for (const [lsn, chunks] of partition.chunked) {
    const segment = partition.segments[partition.indexOf(lsn)]
    const isWhole = chunks.every(
      (chunk) => partition.segments[partition.indexOf(chunk.lsn)]?.isLive(chunk.lsn) === true,
    )
    if (segment?.isLive(lsn) === true && isWhole) for (const chunk of chunks) used.add(chunk.lsn)
    else {
      const slot = segment?.slotOf(lsn) ?? -1
      if (slot >= 0) segment?.kill(slot)
      partition.chunked.delete(lsn)
    }
  }
  for (const segment of partition.segments) {
    segment.eachChunk((slot) => {
      if (!used.has(segment.lsnOf(slot))) segment.kill(slot)
    })
  }
}

/** What a start has to put in order. */
interface Chores {
  readonly leftovers: readonly string[]
  readonly asides: readonly Aside[]
  readonly torn: TornEnd
}

async function finish(
  partition: Partition,
  committer: Committer,
  { leftovers, asides, torn }: Chores,
): Promise<void> {
  const { disk, settings } = partition.store
  const last = partition.segments.at(-1)
  if (last !== undefined && !last.isCompacted) {
    const file = await disk.open(partition.pathOf(last.name), 'write')
    if (torn.cutTo !== undefined) await file.truncate(torn.cutTo)
    await writeAgain(last, file, torn.syncedLsn)
    await file.syncAll() // what a reader is shown from now on must outlive a power loss
    if (last.end < settings.segmentBytes && !last.damaged && last.fileId !== 0) committer.resume(last, file)
    else await file.close()
  }
  for (const { name, to } of asides) await disk.rename(partition.pathOf(name), partition.pathOf(to))
  await removeAll(
    disk,
    leftovers.map((name) => partition.pathOf(name)),
  )
  // Names that a killed process had not made durable are built upon from now on.
  await disk.syncDirectory(partition.directory)
}

/**
 * Writes what is not proven to be synced once more where it is. After a sync that failed the kernel may take such bytes for
 * clean and show them, and no later sync would bring them to the disk.
 */
async function writeAgain(segment: Segment, file: DiskFile, syncedLsn: Lsn): Promise<void> {
  const slot = segment.slotAfter(syncedLsn)
  const isNew = syncedLsn < segment.firstLsn
  if (!isNew && slot === segment.slotCount) return
  const piece = new Uint8Array(REWRITE_BYTES)
  for (let at = isNew ? 0 : segment.offsetOf(slot); at < segment.end; at += REWRITE_BYTES) {
    const part = piece.subarray(0, Math.min(REWRITE_BYTES, segment.end - at))
    await file.read(at, part)
    await file.write(at, [part])
  }
}

const REWRITE_BYTES = 1024 * 1024

async function removeAll(disk: Disk, paths: readonly string[]): Promise<void> {
  for (const path of paths) await disk.remove(path)
}
