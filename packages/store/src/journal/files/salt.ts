/**
 * Which store wrote the segments. Every checksum begins with the store's salt, which the marker tells; a marker with
 * another salt would make good segments look as if nothing in them could be read. A checksum can be computed backwards, so
 * a whole header says by itself which salt it was written with.
 */
import type { Disk, DiskFile } from '../../env.ts'
import { DiskError } from '../../env.ts'
import { OpenRefused } from '../recovery/faults.ts'
import {
  FORMAT_VERSION,
  MARKER_FILE,
  SEGMENT_HEADER_BYTES,
  decodeSegmentHeader,
  hex,
  numberOfName,
  partitionOfDirectory,
  saltOfHeader,
} from './format.ts'
import { scanFrames } from './frames.ts'

/** How far into a segment a frame is looked for that proves whose it is. */
const PROOF_BYTES = 1024 * 1024

export interface SaltSurvey {
  /** Segments that have a header or a record of the salt that was asked about. */
  readonly own: number
  /** Segments that have records and prove nothing. */
  readonly unknown: readonly string[]
  /** A salt that other segments have, which their records or each other prove. */
  readonly other: { readonly salt: number; readonly files: readonly string[] } | undefined
}

/** Looks at the beginnings of all segments in the directories of `names`. `salt` undefined: it is not known. */
export async function surveySalts(disk: Disk, names: readonly string[], salt: number | undefined): Promise<SaltSurvey> {
  let own = 0
  const unknown: string[] = []
  const others = new Map<number, string[]>()
  let proven: number | undefined = undefined
  for (const path of await segmentPaths(disk, names)) {
    const proof = await orUnreadable(proofOf(disk, path, salt))
    if (proof === 'own') own++
    else if (proof === 'unknown') unknown.push(path)
    else if (proof !== undefined) {
      const files = [...(others.get(proof.salt) ?? []), path]
      others.set(proof.salt, files)
      if (files.length > 1 || proof.isProven) proven ??= proof.salt
    }
  }
  const files = proven === undefined ? [] : others.get(proven)!
  for (const [each, paths] of others) if (each !== proven) unknown.push(...paths)
  return { own, unknown, other: proven === undefined ? undefined : { salt: proven, files } }
}

/** Undefined for a file that has no more than a header. */
async function proofOf(
  disk: Disk,
  path: string,
  salt: number | undefined,
): Promise<'own' | 'unknown' | { readonly salt: number; readonly isProven: boolean } | undefined> {
  const file = await disk.open(path, 'read')
  try {
    const header = new Uint8Array(SEGMENT_HEADER_BYTES)
    const count = await file.read(0, header)
    if (salt !== undefined && typeof decodeSegmentHeader(header.subarray(0, count), salt) !== 'string') return 'own'
    if ((await file.size()) <= SEGMENT_HEADER_BYTES) return undefined
    if (salt !== undefined && (await hasRecord(file, salt))) return 'own'
    const implied = saltOfHeader(header)
    return implied === undefined ? 'unknown' : { salt: implied, isProven: await hasRecord(file, implied) }
  } finally {
    await file.close()
  }
}

/** Undefined for what the disk cannot read: who needs it says so. */
async function orUnreadable<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof DiskError) return undefined
    throw error
  }
}

async function segmentPaths(disk: Disk, names: readonly string[]): Promise<string[]> {
  const paths: string[] = []
  for (const directory of names.filter((name) => partitionOfDirectory(name) !== undefined).toSorted()) {
    const files = ((await orUnreadable(disk.list(directory))) ?? []).filter(
      (name) => numberOfName(name, '.seg') !== undefined,
    )
    paths.push(...files.toSorted().map((name) => `${directory}/${name}`))
  }
  return paths
}

/** A frame near the beginning of `file` has a checksum that begins with `salt`. */
async function hasRecord(file: DiskFile, salt: number): Promise<boolean> {
  const end = Math.min(PROOF_BYTES, await file.size())
  return (await countFrames(file, salt, end)) > 0
}

/** Good frames up to `end`. */
export async function countFrames(file: DiskFile, salt: number, end: number): Promise<number> {
  let count = 0
  const range = { start: SEGMENT_HEADER_BYTES, end, afterLsn: 0 }
  await scanFrames(
    file,
    range,
    salt,
    () => count++,
    () => true,
  )
  return count
}

/** What does not fit together when the marker tells `salt`; undefined: all does. */
export function saltProblem({ own, unknown, other }: SaltSurvey, salt: number): string | undefined {
  if (other !== undefined && other.files.length > own) {
    const of = own + unknown.length + other.files.length
    return (
      `${MARKER_FILE} says that this is store ${hex(salt)}, but ${other.files.length} of ${of} segments (${shown(other.files)}) were written by ` +
      `store ${hex(other.salt)}: the marker is damaged, or that of another store. Restore ${MARKER_FILE} from a backup of this store, ` +
      `or ${markerAdvice(other.salt)}`
    )
  }
  if (other !== undefined) {
    return (
      `this is store ${hex(salt)}, but ${shown(other.files)} of it ${other.files.length === 1 ? 'was' : 'were'} written by store ${hex(other.salt)}: ` +
      `copied here from another directory. Move them out of this directory`
    )
  }
  if (own > 0 || unknown.length === 0) return undefined
  return (
    `no segment (${shown(unknown)}) has anything in it with a checksum of store ${hex(salt)}, which ${MARKER_FILE} names: ` +
    'the marker or the segments are damaged. Restore the marker from a backup of this store, or else the newest backup'
  )
}

/** How to make the marker that the segments ask for: one without a checksum of its own is taken, too. */
export function markerAdvice(salt: number): string {
  return `write it anew with the three lines "ternmq journal", "format ${FORMAT_VERSION}" and "store ${hex(salt)}"`
}

/** Throws OpenRefused 'corrupt' when the segments are not those of the marker's store. */
export async function assertSalt(disk: Disk, names: readonly string[], salt: number): Promise<void> {
  const problem = saltProblem(await surveySalts(disk, names, salt), salt)
  if (problem !== undefined) throw new OpenRefused('corrupt', `${problem}. Nothing was changed`)
}

const SHOWN_MAX = 3

function shown(files: readonly string[]): string {
  return files.slice(0, SHOWN_MAX).join(', ') + (files.length > SHOWN_MAX ? ', …' : '')
}
