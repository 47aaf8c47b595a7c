/**
 * Whose directory it is, of which format, and which store: a small file that is written first and never changed. Its last
 * line is a checksum of those before; the first ones that were written have none.
 */
import { crc32 } from 'node:zlib'
import type { Disk } from '../../env.ts'
import { DiskError } from '../../env.ts'
import { OpenRefused, newer } from '../recovery/faults.ts'
import {
  FORMAT_VERSION,
  LOCK_FILE,
  MARKER_FILE,
  RESERVE_FILE,
  UNFINISHED,
  hex,
  partitionOfDirectory,
} from './format.ts'
import { markerAdvice, surveySalts } from './salt.ts'

const FIRST_LINE = 'ternmq journal'

/** Names in the directory; none when it does not exist. Throws OpenRefused 'foreign' when it is in other use. */
export async function namesOfStore(disk: Disk): Promise<readonly string[]> {
  const names = await listIfThere(disk, '')
  if (names.includes(MARKER_FILE)) return names
  const others = names.filter((name) => ![LOCK_FILE, RESERVE_FILE, `${MARKER_FILE}${UNFINISHED}`].includes(name))
  if (others.length === 0) return []
  const shown = `${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}`
  if (others.some((name) => partitionOfDirectory(name) !== undefined)) {
    const advice = await markerFromSegments(disk, others)
    throw new OpenRefused(
      'foreign',
      `the directory has ${shown} but no file ${MARKER_FILE}: it is a backup that was not finished, or a store whose marker is gone. ` +
        `If it is a backup, use another one; if it is a store, restore the marker from a backup of it${advice === undefined ? '' : `, or ${advice}`}; nothing was changed`,
    )
  }
  throw new OpenRefused(
    'foreign',
    `the directory has no file ${MARKER_FILE} but others (${shown}): ` +
      'it is not the store of a broker. Use another directory, or an empty one; nothing was changed',
  )
}

/** How to make the marker that the segments ask for; undefined when they do not say it. */
export async function markerFromSegments(disk: Disk, names: readonly string[]): Promise<string | undefined> {
  const { other } = await surveySalts(disk, names, undefined)
  return other === undefined ? undefined : markerAdvice(other.salt)
}

export async function listIfThere(disk: Disk, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path)
  } catch (error) {
    if (error instanceof DiskError && error.code === 'not-found') return []
    throw error
  }
}

/** The salt of the store. Throws OpenRefused 'newer' or 'corrupt'; `names` are those in the directory. */
export async function readMarker(disk: Disk, names: readonly string[]): Promise<number> {
  const file = await disk.open(MARKER_FILE, 'read')
  const bytes = new Uint8Array(256)
  const count = await file.read(0, bytes)
  await file.close()
  const found = decodeMarker(new TextDecoder().decode(bytes.subarray(0, count)))
  if (typeof found !== 'string') {
    if (found.version > FORMAT_VERSION) throw newer(MARKER_FILE, found.version)
    return found.salt
  }
  const more = await markerFromSegments(disk, names)
  throw new OpenRefused(
    'corrupt',
    `${MARKER_FILE} ${found}: restore it from a backup of this store${more === undefined ? '' : `, or ${more}`}. Nothing was changed`,
  )
}

/** What the marker says, or what is wrong with it. */
function decodeMarker(text: string): { readonly version: number; readonly salt: number } | string {
  const parts = /^(ternmq journal\nformat (\d{1,9})\nstore ([0-9a-f]{16})\n)(?:check ([0-9a-f]{8})\n)?/.exec(text)
  if (parts === null) {
    const later = /^ternmq journal\nformat (\d{1,9})\n/.exec(text)?.[1]
    return Number(later) > FORMAT_VERSION ? { version: Number(later), salt: 0 } : 'does not say what it should'
  }
  const [whole, said = '', format, store = '', check] = parts
  if (check !== undefined && check !== hex(crc32(said)).slice(8)) return 'has another checksum than its lines have'
  const version = Number(format)
  const salt = Number.parseInt(store, 16)
  if (version > FORMAT_VERSION) return { version, salt }
  if (version < 1) return `says format ${version}, which never was`
  if (salt > 0xffff_ffff) return `names store ${store}, and no store has a number of more than eight digits`
  return text.length === whole.length ? { version, salt } : 'has more lines than it should'
}

/** Makes an empty directory ours. */
export async function writeMarker(disk: Disk, salt: number): Promise<void> {
  const draft = `${MARKER_FILE}${UNFINISHED}`
  if ((await disk.list('')).includes(draft)) await disk.remove(draft)
  const file = await disk.open(draft, 'create')
  try {
    const said = `${FIRST_LINE}\nformat ${FORMAT_VERSION}\nstore ${hex(salt)}\n`
    await file.write(0, [new TextEncoder().encode(`${said}check ${hex(crc32(said)).slice(8)}\n`)])
    await file.syncAll()
  } finally {
    await file.close()
  }
  await disk.rename(draft, MARKER_FILE)
  await disk.syncDirectory('')
}
