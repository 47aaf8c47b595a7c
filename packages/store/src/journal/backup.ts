/**
 * Copies a store: of a stopped broker, or of a running one at one moment. A backup is a directory like any other, so it can
 * be inspected, verified and started.
 */
import type { Disk, DiskFile } from '../env.ts'
import type { Partition } from './partition.ts'
import { DiskError } from '../env.ts'
import { OpenRefused, faultText } from './faults.ts'
import {
  CATALOG_DIRECTORY,
  LOCK_FILE,
  MARKER_FILE,
  RESERVE_FILE,
  UNFINISHED,
  partitionOfDirectory,
  snapshotName,
} from './format.ts'
import { verifyStore, withLock } from './inspect.ts'
import { listIfThere } from './marker.ts'

const PIECE_BYTES = 1024 * 1024

export interface CopyReport {
  readonly files: number
  readonly bytes: number
}

/** What a copy consists of: bytes that are given, or the beginning of a file. */
export type CopyItem =
  | { readonly path: string; readonly parts: readonly Uint8Array[] }
  | { readonly path: string; readonly bytes: number | 'all' }

/** Copies a store that no broker has open. Throws OpenRefused, also when `target` is not empty; DiskError. */
export function backupStore(source: Disk, target: Disk): Promise<CopyReport> {
  return withLock(source, async (names) => {
    const items: CopyItem[] = []
    for (const name of names) {
      if (partitionOfDirectory(name) === undefined && name !== CATALOG_DIRECTORY) continue
      for (const file of await source.list(name)) {
        if (!file.endsWith(UNFINISHED)) items.push({ path: `${name}/${file}`, bytes: 'all' })
      }
    }
    return copyStore(source, target, items)
  })
}

/**
 * Makes a store of a backup. The backup is verified first: damage in it is refused with its places. Throws OpenRefused when
 * `target` is not empty or the backup is no good; DiskError.
 */
export async function restoreStore(source: Disk, target: Disk): Promise<CopyReport> {
  await assertEmpty(target)
  const { faults } = await verifyStore(source)
  const [first] = faults
  if (first !== undefined) {
    const more = faults.length > 1 ? `, and ${faults.length - 1} more` : ''
    throw new OpenRefused('corrupt', `the backup is damaged (${faultText(first)}${more}): use another one`)
  }
  return backupStore(source, target)
}

/** What a running store consists of at this moment: to be called while no segment moves. */
export function itemsOf(partition: Partition): CopyItem[] {
  const items: CopyItem[] = partition.segments.map(({ name, end }) => ({ path: partition.pathOf(name), bytes: end }))
  if (partition.snapshot !== 0) {
    items.push({ path: partition.pathOf(snapshotName(partition.snapshot)), bytes: 'all' })
  }
  return items
}

/** Copies `items` and, last, the file that says whose directory it is: a copy that was not finished is none. */
export async function copyStore(source: Disk, target: Disk, items: readonly CopyItem[]): Promise<CopyReport> {
  await assertEmpty(target)
  await target.makeDirectory('')
  const directories = new Set<string>()
  let bytes = 0
  for (const item of items) {
    const directory = item.path.slice(0, item.path.indexOf('/'))
    if (!directories.has(directory)) await target.makeDirectory(directory)
    directories.add(directory)
    bytes += await copyItem(source, target, item)
  }
  for (const directory of directories) await target.syncDirectory(directory)
  await target.syncDirectory('')
  bytes += await copyItem(source, target, { path: MARKER_FILE, bytes: 'all' })
  await target.syncDirectory('')
  return { files: items.length + 1, bytes }
}

async function copyItem(source: Disk, target: Disk, item: CopyItem): Promise<number> {
  const to = await target.open(item.path, 'create')
  try {
    const bytes = 'parts' in item ? await writeParts(to, item.parts) : await copyFile(source, item.path, item.bytes, to)
    await to.syncAll()
    return bytes
  } finally {
    await to.close()
  }
}

async function writeParts(to: DiskFile, parts: readonly Uint8Array[]): Promise<number> {
  await to.write(0, parts)
  return parts.reduce((sum, { length }) => sum + length, 0)
}

async function copyFile(source: Disk, path: string, count: number | 'all', to: DiskFile): Promise<number> {
  const from = await source.open(path, 'read')
  try {
    const end = count === 'all' ? await from.size() : count
    const piece = new Uint8Array(PIECE_BYTES)
    for (let at = 0; at < end; at += PIECE_BYTES) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, end - at))
      const read = await from.read(at, part)
      if (read < part.length) throw new DiskError('io', path, `it ends at byte ${at + read}, not at ${end}`)
      await to.write(at, [part])
    }
    return end
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
