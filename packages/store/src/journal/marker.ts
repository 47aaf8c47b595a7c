/** Whose directory it is, of which format, and which store: a small file that is written first and never changed. */
import type { Disk } from '../env.ts'
import { DiskError } from '../env.ts'
import { OpenRefused } from './faults.ts'
import { FORMAT_VERSION, LOCK_FILE, MARKER_FILE, RESERVE_FILE, UNFINISHED, hex } from './format.ts'
import { newer } from './recovery.ts'

const FIRST_LINE = 'ternmq journal'

/** Names in the directory; none when it does not exist. Throws OpenRefused 'foreign' when it is in other use. */
export async function namesOfStore(disk: Disk): Promise<readonly string[]> {
  const names = await listIfThere(disk, '')
  if (names.includes(MARKER_FILE)) return names
  const others = names.filter((name) => ![LOCK_FILE, RESERVE_FILE, `${MARKER_FILE}${UNFINISHED}`].includes(name))
  if (others.length === 0) return []
  throw new OpenRefused(
    'foreign',
    `the directory has no file ${MARKER_FILE} but others (${others.slice(0, 5).join(', ')}${others.length > 5 ? ', …' : ''}): ` +
      'it is not the store of a broker. Use another directory, or an empty one; nothing was changed',
  )
}

export async function listIfThere(disk: Disk, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path)
  } catch (error) {
    if (error instanceof DiskError && error.code === 'not-found') return []
    throw error
  }
}

/** The salt of the store. Throws OpenRefused 'newer' or 'corrupt'. */
export async function readMarker(disk: Disk): Promise<number> {
  const file = await disk.open(MARKER_FILE, 'read')
  const bytes = new Uint8Array(256)
  const count = await file.read(0, bytes)
  await file.close()
  const text = new TextDecoder().decode(bytes.subarray(0, count))
  const [first, format, store] = text.split('\n')
  const version = /^format (\d+)$/.exec(format ?? '')?.[1]
  if (first === FIRST_LINE && version !== undefined && Number(version) > FORMAT_VERSION) {
    throw newer(MARKER_FILE, Number(version))
  }
  const salt = /^store ([0-9a-f]{16})$/.exec(store ?? '')?.[1]
  if (first !== FIRST_LINE || version === undefined || salt === undefined) {
    throw new OpenRefused(
      'corrupt',
      `${MARKER_FILE} does not say what it should: restore it from a backup of this store`,
    )
  }
  return Number.parseInt(salt, 16)
}

/** Makes an empty directory ours. */
export async function writeMarker(disk: Disk, salt: number): Promise<void> {
  const draft = `${MARKER_FILE}${UNFINISHED}`
  if ((await disk.list('')).includes(draft)) await disk.remove(draft)
  const file = await disk.open(draft, 'create')
  try {
    await file.write(0, [new TextEncoder().encode(`${FIRST_LINE}\nformat ${FORMAT_VERSION}\nstore ${hex(salt)}\n`)])
    await file.syncAll()
  } finally {
    await file.close()
  }
  await disk.rename(draft, MARKER_FILE)
  await disk.syncDirectory('')
}
