/** Files that are not the store's: they stop the start, because nobody knows what they are for. */
import type { Disk } from '../../env.ts'
import type { FaultLog } from '../recovery/faults.ts'
import { DiskError } from '../../env.ts'
import { OpenRefused, faultOfFile } from '../recovery/faults.ts'
import {
  ASIDE,
  CATALOG_DIRECTORY,
  LOCK_FILE,
  MANIFEST_FILE,
  MARKER_FILE,
  RESERVE_FILE,
  SPARE_FILE,
  UNFINISHED,
  isDataFile,
  partitionOfDirectory,
} from './format.ts'

const IN_ROOT: readonly string[] = [
  MARKER_FILE,
  `${MARKER_FILE}${UNFINISHED}`,
  LOCK_FILE,
  RESERVE_FILE,
  MANIFEST_FILE,
  CATALOG_DIRECTORY,
]
const SHOWN_MAX = 5

/** Throws OpenRefused 'foreign' unless `faults` are lenient. `names` are those in the store's directory. */
export async function assertOurs(disk: Disk, names: readonly string[], faults: FaultLog): Promise<void> {
  const foreign = names.filter((name) => !IN_ROOT.includes(name) && partitionOfDirectory(name) === undefined)
  for (const directory of names) {
    const isCatalog = directory === CATALOG_DIRECTORY
    if (!isCatalog && partitionOfDirectory(directory) === undefined) continue
    const files = await orReported(faults, refusingKind(disk.list(directory)))
    foreign.push(...(files ?? []).filter((name) => !isOurs(name, isCatalog)).map((name) => `${directory}/${name}`))
  }
  if (foreign.length === 0) return
  if (!faults.isLenient) {
    const shown = `${foreign.slice(0, SHOWN_MAX).join(', ')}${foreign.length > SHOWN_MAX ? ', …' : ''}`
    throw new OpenRefused(
      'foreign',
      `${shown}: not of this store, which has its directory to itself. Move what is not its own somewhere else; nothing was changed`,
    )
  }
  for (const path of foreign) faults.report(faultOfFile(path, 'it is not of this store: move it somewhere else'))
}

function isOurs(name: string, isCatalog: boolean): boolean {
  if (name === SPARE_FILE) return !isCatalog
  const plain = name.endsWith(UNFINISHED) ? name.slice(0, -UNFINISHED.length) : name.replace(ASIDE_END, '')
  return isDataFile(plain) && plain.endsWith('.cat') === isCatalog
}

const ASIDE_END = new RegExp(`\\${ASIDE}\\d{0,9}$`)

/** A directory where a file should be, or the other way round, is not ours: OpenRefused 'foreign' instead of a DiskError. */
export async function refusingKind<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    if (!(cause instanceof DiskError && cause.code === 'wrong-kind')) throw cause
    const text = `${cause.message}; it is not of this store. Move it somewhere else; nothing was changed`
    throw new OpenRefused('foreign', text, { cause })
  }
}

async function orReported<T>(faults: FaultLog, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (!(faults.isLenient && error instanceof OpenRefused && error.cause instanceof DiskError)) throw error
    faults.report(faultOfFile(error.cause.path, error.cause.message))
    return undefined
  }
}
