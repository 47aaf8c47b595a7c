/**
 * What a backup consists of, in a file that is written when all of it is there: files with their sizes and checksums, and
 * how far the log of each partition goes. Without it a backup does not know that its end is missing.
 */
import { crc32 } from 'node:zlib'
import type { Lsn, PartitionId } from '../../engine.ts'
import type { Disk, DiskFile } from '../../env.ts'
import type { FaultLog } from '../recovery/faults.ts'
import { DiskError } from '../../env.ts'
import { faultOfFile } from '../recovery/faults.ts'
import { CATALOG_DIRECTORY, MANIFEST_FILE, hex, isDataFile, partitionOfDirectory } from './format.ts'

const PIECE_BYTES = 1024 * 1024
/** A manifest of more is damaged: a million files need less. */
const MANIFEST_BYTES_MAX = 128 * 1024 * 1024

export interface CopiedFile {
  readonly path: string
  readonly bytes: number
  readonly crc: number
}

export interface PartitionEnd {
  readonly id: PartitionId
  readonly lastLsn: Lsn
}

interface Manifest {
  readonly files: readonly CopiedFile[]
  readonly partitions: readonly PartitionEnd[]
}

/** Written, synced, and found under its name: the caller has synced the rest. */
export async function writeManifest(target: Disk, manifest: Manifest): Promise<number> {
  const said = `${JSON.stringify({ format: 1, ...manifest })}\n`
  const bytes = new TextEncoder().encode(`${said}check ${hex(crc32(said)).slice(8)}\n`)
  const file = await target.open(MANIFEST_FILE, 'create')
  try {
    await file.write(0, [bytes])
    await file.syncAll()
  } finally {
    await file.close()
  }
  await target.syncDirectory('')
  return bytes.length
}

/** The manifest, or what is wrong with it. Rejects with DiskError. */
async function readManifest(disk: Disk): Promise<Manifest | string> {
  const file = await disk.open(MANIFEST_FILE, 'read')
  try {
    const size = await file.size()
    if (size > MANIFEST_BYTES_MAX) return `it has ${size} bytes, more than any manifest`
    const bytes = new Uint8Array(size)
    await file.read(0, bytes)
    const text = new TextDecoder().decode(bytes)
    const end = text.indexOf('\n') + 1
    const said = text.slice(0, end)
    if (end === 0 || text.slice(end) !== `check ${hex(crc32(said)).slice(8)}\n`) {
      return 'its checksum is wrong: it is damaged, or the backup was not finished'
    }
    return JSON.parse(said) as Manifest // the checksum says that we wrote it
  } finally {
    await file.close()
  }
}

/**
 * Reports what of the backup is not as its manifest says. `lastLsnOf` tells how far a partition's log goes, undefined when
 * that is not known. False when there is no manifest.
 */
export async function verifyManifest(
  disk: Disk,
  names: readonly string[],
  faults: FaultLog,
  lastLsnOf: (id: PartitionId) => Lsn | undefined,
): Promise<boolean> {
  if (!names.includes(MANIFEST_FILE)) return false
  const manifest = await readManifest(disk)
  if (typeof manifest === 'string') {
    faults.report(faultOfFile(MANIFEST_FILE, manifest))
    return true
  }
  const files = new Set(manifest.files.map(({ path }) => path))
  for (const file of manifest.files) {
    const problem = await differenceOf(disk, file)
    if (problem !== undefined) faults.report(faultOfFile(file.path, problem))
  }
  for (const path of await dataFiles(disk, names)) {
    if (!files.has(path))
      faults.report(faultOfFile(path, `the manifest of the backup does not know it: move it out of the directory`))
  }
  for (const { id, lastLsn } of manifest.partitions) {
    const found = lastLsnOf(id) ?? 0
    if (found >= lastLsn) continue
    const what = `partition ${id} went up to lsn ${lastLsn} when the backup was made, and goes up to ${found}`
    faults.report({ ...faultOfFile(MANIFEST_FILE, what, id), lost: { after: found, before: lastLsn + 1 } })
  }
  return true
}

async function differenceOf(disk: Disk, { path, bytes, crc }: CopiedFile): Promise<string | undefined> {
  let file: DiskFile
  try {
    file = await disk.open(path, 'read')
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return error.code === 'not-found'
      ? `the backup was made with it, and it is gone`
      : `it cannot be read: ${error.message}`
  }
  try {
    const size = await file.size()
    if (size !== bytes) return `it has ${size} bytes, and had ${bytes} when the backup was made`
    const piece = new Uint8Array(PIECE_BYTES)
    let sum = 0
    for (let at = 0; at < size; at += PIECE_BYTES) {
      const count = await file.read(at, piece.subarray(0, Math.min(PIECE_BYTES, size - at)))
      sum = crc32(piece.subarray(0, count), sum)
    }
    return sum === crc ? undefined : 'it has changed since the backup was made'
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    return `it cannot be read: ${error.message}`
  } finally {
    await file.close()
  }
}

/** Paths of everything that the store's data are in. */
export async function dataFiles(disk: Disk, names: readonly string[]): Promise<string[]> {
  const paths: string[] = []
  for (const directory of names.toSorted()) {
    if (partitionOfDirectory(directory) === undefined && directory !== CATALOG_DIRECTORY) continue
    const files = (await disk.list(directory)).filter(isDataFile)
    paths.push(...files.toSorted().map((name) => `${directory}/${name}`))
  }
  return paths
}
