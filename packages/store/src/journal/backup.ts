/**
 * Copies a store: of a stopped broker, or of a running one at one moment. A backup is a directory like any other, so it can
 * be inspected, verified and started.
 */
import { crc32 } from 'node:zlib'
import type { Disk, DiskFile } from '../env.ts'
import type { Partition } from './partition.ts'
import { DiskError } from '../env.ts'
import { OpenRefused, faultText } from './recovery/faults.ts'
import { LOCK_FILE, MARKER_FILE, RESERVE_FILE, snapshotName } from './files/format.ts'
import { partitionEnds, verifyStore, withLock } from './inspect.ts'
import { type CopiedFile, type PartitionEnd, dataFiles, writeManifest } from './files/manifest.ts'
import { listIfThere } from './files/marker.ts'

const PIECE_BYTES = 1024 * 1024

export interface CopyReport {
  readonly files: number
  readonly bytes: number
  /** What could not be made sure of. */
  readonly warning?: string
}

/** Whether the copy is a backup, and how far it goes. */
type CopyPurpose = { readonly what: 'store' } | { readonly what: 'backup'; readonly partitions: readonly PartitionEnd[] }

/** What a copy consists of: bytes that are given, or the beginning of a file. */
export type CopyItem =
  | { readonly path: string; readonly parts: readonly Uint8Array[] }
  | { readonly path: string; readonly bytes: number | 'all' }

/** Copies a store that no broker has open. Throws OpenRefused, also when `target` is not empty; DiskError. */
export function backupStore(source: Disk, target: Disk): Promise<CopyReport> {
  return withLock(source, async (names) => {
    const partitions = await partitionEnds(source, names)
    return copyStore(source, target, await allItems(source, names), { what: 'backup', partitions })
  })
}

async function allItems(source: Disk, names: readonly string[]): Promise<CopyItem[]> {
  return (await dataFiles(source, names)).map((path) => ({ path, bytes: 'all' }))
}

/**
 * Makes a store of a backup. The backup is verified first: damage in it is refused with its places. Throws OpenRefused when
 * `target` is not empty or the backup is no good; DiskError.
 */
export async function restoreStore(source: Disk, target: Disk): Promise<CopyReport> {
  await assertEmpty(target)
  const { faults, hasManifest } = await verifyStore(source)
  const [first] = faults
  if (first !== undefined) {
    const more = faults.length > 1 ? `, and ${faults.length - 1} more` : ''
    throw new OpenRefused('corrupt', `the backup is damaged (${faultText(first)}${more}): use another one`)
  }
  const copied = await withLock(source, async (names) =>
    copyStore(source, target, await allItems(source, names), { what: 'store' }),
  )
  if (hasManifest) return copied
  return { ...copied, warning: 'the backup has no manifest, as the first versions made them: whether its end is there cannot be told' }
}

/** What a running store consists of at this moment: to be called while no segment moves. */
export function itemsOf(partition: Partition): CopyItem[] {
  const items: CopyItem[] = partition.segments.map(({ name, end }) => ({ path: partition.pathOf(name), bytes: end }))
  if (partition.snapshot !== 0) {
    items.push({ path: partition.pathOf(snapshotName(partition.snapshot)), bytes: 'all' })
  }
  return items
}

/**
 * Copies `items` and then the file that says whose directory it is: a copy that was not finished is none. What says how much
 * a backup has comes last.
 */
export async function copyStore(
  source: Disk,
  target: Disk,
  items: readonly CopyItem[],
  purpose: CopyPurpose,
): Promise<CopyReport> {
  await assertEmpty(target)
  await target.makeDirectory('')
  const directories = new Set<string>()
  const files: CopiedFile[] = []
  for (const item of items) {
    const directory = item.path.slice(0, item.path.indexOf('/'))
    if (!directories.has(directory)) await target.makeDirectory(directory)
    directories.add(directory)
    files.push(await copyItem(source, target, item))
  }
  for (const directory of directories) await target.syncDirectory(directory)
  await target.syncDirectory('')
  files.push(await copyItem(source, target, { path: MARKER_FILE, bytes: 'all' }))
  await target.syncDirectory('')
  const bytes = files.reduce((sum, each) => sum + each.bytes, 0)
  if (purpose.what === 'store') return { files: files.length, bytes }
  const own = await writeManifest(target, { files, partitions: purpose.partitions })
  return { files: files.length + 1, bytes: bytes + own }
}

async function copyItem(source: Disk, target: Disk, item: CopyItem): Promise<CopiedFile> {
  const to = await target.open(item.path, 'create')
  try {
    const copied = 'parts' in item ? await writeParts(to, item.parts) : await copyFile(source, item.path, item.bytes, to)
    await to.syncAll()
    return { path: item.path, ...copied }
  } finally {
    await to.close()
  }
}

type Copied = Pick<CopiedFile, 'bytes' | 'crc'>

async function writeParts(to: DiskFile, parts: readonly Uint8Array[]): Promise<Copied> {
  await to.write(0, parts)
  const bytes = parts.reduce((sum, { length }) => sum + length, 0)
  return { bytes, crc: parts.reduce((sum, part) => crc32(part, sum), 0) }
}

async function copyFile(source: Disk, path: string, count: number | 'all', to: DiskFile): Promise<Copied> {
  const from = await source.open(path, 'read')
  try {
    const end = count === 'all' ? await from.size() : count
    const piece = new Uint8Array(PIECE_BYTES)
    let crc = 0
    for (let at = 0; at < end; at += PIECE_BYTES) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, end - at))
      const read = await from.read(at, part)
      if (read < part.length) throw new DiskError('io', path, `it ends at byte ${at + read}, not at ${end}`)
      await to.write(at, [part])
      crc = crc32(part, crc)
    }
    return { bytes: end, crc }
  } finally {
    await from.close()
  }
}

async function assertEmpty(target: Disk): Promise<void> {
  const names = (await listIfThere(target, '')).filter((name) => name !== LOCK_FILE && name !== RESERVE_FILE)
  if (names.length === 0) return
  const shown = names.slice(0, 5).join(', ')
  throw new OpenRefused(
    'foreign',
    `the directory to copy to is not empty (${shown}): use a new one; nothing was changed`,
  )
}
