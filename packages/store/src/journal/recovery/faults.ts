/** Damage that was found in files: where it is, and what cannot be read because of it. */
import type { Lsn, PartitionId } from '../../engine.ts'
import type { Damage } from '../files/frames.ts'
import { FORMAT_VERSION } from '../files/format.ts'

export interface JournalFault {
  /** Relative to the data directory. */
  readonly file: string
  /** Byte of the file where it begins. */
  readonly offset: number
  readonly what: string
  readonly partition: PartitionId | undefined
  /** Records that are lost have lsns between these two, both excluded; undefined: not known, or none. */
  readonly lost: { readonly after: Lsn; readonly before: Lsn | undefined } | undefined
}

/** A store with more faults than this is described well enough by the first ones. */
const FAULTS_MAX = 1_000

export class FaultLog {
  readonly #onFault: ((fault: JournalFault) => void) | undefined
  /** Somebody only looks: what no broker may start on is a fault like any other. */
  readonly isLenient: boolean
  readonly #faults: JournalFault[] = []
  /** Whether something is known to be lost there. */
  readonly #places = new Map<string, boolean>()
  count = 0
  /** Reported and not told yet; undefined: they are told at once. */
  #held: JournalFault[] | undefined = undefined

  constructor(onFault?: (fault: JournalFault) => void, isLenient = false) {
    this.#onFault = onFault
    this.isLenient = isLenient
  }

  /** The first ones, one for each place, and a second when only that one knows what is lost. */
  get list(): readonly JournalFault[] {
    return this.#faults
  }

  report(fault: JournalFault): void {
    const place = `${fault.file}:${fault.offset}`
    const known = this.#places.get(place)
    if (known === true || (known === false && fault.lost === undefined) || this.#faults.length >= FAULTS_MAX) return
    this.count++
    this.#places.set(place, fault.lost !== undefined)
    this.#faults.push(fault)
    if (this.#held === undefined) this.#onFault?.(fault)
    else this.#held.push(fault)
  }

  /** Tells nobody before `release`: as long as the start may be refused, nothing is served in spite of the damage. */
  hold(): void {
    this.#held = []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const fault of held) this.#onFault?.(fault)
  }
}

/** Whole files of a partition, or of none, are not what they should be. */
export function faultOfFile(file: string, what: string, partition?: PartitionId): JournalFault {
  return { file, offset: 0, what, partition, lost: undefined }
}

export function faultText({ file, offset, what, lost }: JournalFault): string {
  const range =
    lost === undefined
      ? ''
      : `; records between lsn ${lost.after} and ${lost.before === undefined ? 'the end of the file' : lost.before} are lost`
  return `${file}, byte ${offset}: ${what}${range}`
}

/** `damage` in `file`, behind which a segment begins with `nextFirstLsn`, if any does. */
export function faultOfDamage(file: string, partition: PartitionId, damage: Damage, nextFirstLsn: Lsn | undefined): JournalFault {
  const { from: offset, afterLsn: after, next } = damage
  if (next === undefined && nextFirstLsn === after + 1) {
    return { file, offset, what: 'bytes that are none of ours are behind the last record; nothing is lost', partition, lost: undefined }
  }
  const what = 'the checksum of a frame is wrong'
  return { file, offset, what, partition, lost: { after, before: next?.lsn ?? nextFirstLsn } }
}

export type OpenRefusedReason = 'in-use' | 'foreign' | 'newer' | 'corrupt'

/** The directory is not safe to run on. Nothing in it was changed. The text says what was found and what to do. */
export class OpenRefused extends Error {
  override readonly name = 'OpenRefused'
  readonly code = 'STORE_OPEN_REFUSED'
  readonly reason: OpenRefusedReason

  constructor(reason: OpenRefusedReason, detail: string, options?: ErrorOptions) {
    super(detail, options)
    this.reason = reason
  }
}

export function newer(file: string, version: number): OpenRefused {
  return new OpenRefused('newer', `${file} ${newerText(version)}: start the newer version that wrote it`)
}

export function newerText(version: number): string {
  return `has format ${version}, this version reads up to ${FORMAT_VERSION}`
}

/** For who only looks, a version that is too new is one more thing that is wrong: a single bit may have made it so. */
export function orFlaw<T extends { readonly version: number }>(found: T | { readonly version: number } | string): T | string {
  if (typeof found === 'string' || found.version <= FORMAT_VERSION) return found as T | string
  return `it ${newerText(found.version)}`
}
