/**
 * Which snapshot a start goes by, and when it can do without one: nothing goes from a log before there is a snapshot, so a
 * log that has everything from its first record on needs none.
 */
import type { Aside, FoundSegment } from './found-segments.ts'
import type { Partition } from '../partition.ts'
import type { LoadedSnapshot } from '../files/snapshot-file.ts'
import { faultOfFile, newer, OpenRefused, orFlaw } from './faults.ts'
import { asideName, numberOfName, snapshotName } from '../files/format.ts'
import { readSnapshot } from '../files/snapshot-file.ts'

export interface FoundSnapshots {
  readonly newest: FoundSnapshot | undefined
  /** Newer ones than that. */
  readonly broken: readonly BrokenSnapshot[]
}

interface FoundSnapshot {
  readonly loaded: LoadedSnapshot
  /** Names of files that it makes superfluous. */
  readonly others: readonly string[]
}

interface BrokenSnapshot {
  readonly name: string
  readonly what: string
}

/**
 * The newest good one. An older one is there only as long as nothing was removed on the strength of the newer one, so it
 * does as well.
 */
export async function findSnapshots(partition: Partition, names: readonly string[]): Promise<FoundSnapshots> {
  const { disk, faults } = partition.store
  const numbers = names.map((name) => numberOfName(name, '.snap')).filter((number) => number !== undefined)
  numbers.sort((a, b) => b - a)
  const broken: BrokenSnapshot[] = []
  for (const number of numbers) {
    const name = snapshotName(number)
    const file = partition.pathOf(name)
    const found = await readSnapshot(disk, file)
    const loaded = faults.isLenient ? orFlaw(found) : found
    if (typeof loaded === 'string') {
      broken.push({ name, what: loaded })
      continue
    }
    if (!('state' in loaded)) throw newer(file, loaded.version)
    partition.snapshot = number
    partition.snapshotFileBytes = loaded.bytes
    partition.store.space.usedBytes += loaded.bytes
    return { newest: { loaded, others: numbers.filter((each) => each < number).map(snapshotName) }, broken }
  }
  return { newest: undefined, broken }
}

/** To be called when the log was looked at. Throws OpenRefused, unless the store's faults are lenient, when it cannot do without the broken ones. */
export function reportBroken(
  partition: Partition,
  broken: readonly BrokenSnapshot[],
  log: { readonly hasOlder: boolean; readonly isWhole: boolean },
): void {
  const { faults } = partition.store
  if (broken.length === 0) return
  if (!log.hasOlder && !log.isWhole && !faults.isLenient) {
    throw stateUnknown(partition, broken.map(({ name, what }) => `${partition.pathOf(name)}: ${what}`).join('; '))
  }
  for (const { name, what } of broken) {
    const instead = log.hasOlder
      ? '; the one before does as well, and it is kept aside'
      : log.isWhole
        ? '; the log is whole from its first record on and does without, and it is kept aside'
        : ''
    faults.report(faultOfFile(partition.pathOf(name), `broken snapshot: ${what}${instead}`, partition.id))
  }
}

export function asidesOf(broken: readonly BrokenSnapshot[], names: readonly string[]): Aside[] {
  return broken.map(({ name }) => ({ name, to: asideName(name, names) }))
}

/** Everything that was ever in the log is there, up to where it ends. */
export function isWhole({ segments }: Partition): boolean {
  return (
    segments.length > 0 &&
    segments.every((segment, index) => {
      const end = index === 0 ? 0 : segments[index - 1]!.rangeEnd
      return segment.firstLsn === end + 1 && !segment.isCompacted && !segment.damaged && segment.fileId !== 0
    })
  )
}

/** Only on the strength of a snapshot does the beginning of a log go. Throws OpenRefused unless the store's faults are lenient. */
export function assertBeginning(partition: Partition, first: FoundSegment | undefined): void {
  if (first === undefined || first.header.firstLsn === 1) return
  const what = `the log begins at lsn ${first.header.firstLsn}, and there is no snapshot of what was before`
  const { faults } = partition.store
  if (!faults.isLenient) throw stateUnknown(partition, `${partition.pathOf(first.name)}: ${what}`)
  faults.report(faultOfFile(partition.pathOf(first.name), what, partition.id))
}

function stateUnknown({ id }: Partition, found: string): OpenRefused {
  const text = `${found}. Without a snapshot the state of partition ${id} is not known. Restore the newest backup; nothing was changed`
  return new OpenRefused('corrupt', text)
}
