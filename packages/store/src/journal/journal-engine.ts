/**
 * The engine on a local disk: segmented logs with group commit, compaction and snapshots, and a catalog. Honours
 * 'page-cache' and 'fsync-local'. [ADR-0006]
 */
import { crc32 } from 'node:zlib'
import type { Catalog, Durability, Engine, EngineLimits, PartitionId, PartitionLog } from '../engine.ts'
import type { Disk, DiskLock, EngineEnv } from '../env.ts'
import type { JournalFault } from './recovery/faults.ts'
import type { Store } from './store.ts'
import { StoreCounts } from './store-counts.ts'
import { DiskError } from '../env.ts'
import { Unknown } from '../errors.ts'
import { DEFAULT_LIMITS } from '../limits.ts'
import { Slabs } from './write/batch.ts'
import { FaultLog, OpenRefused } from './recovery/faults.ts'
import { type CopyReport, copyStore, itemsOf } from './backup.ts'
import { assertOurs, refusingKind } from './files/foreign.ts'
import { type StoreReport, reportOf } from './inspect.ts'
import {
  CATALOG_DIRECTORY,
  FORMAT_VERSION,
  LOCK_FILE,
  MANIFEST_FILE,
  hex,
  RESERVE_FILE,
  partitionDirectory,
  partitionOfDirectory,
} from './files/format.ts'
import { Handles } from './read/handles.ts'
import { JournalCatalog } from './journal-catalog.ts'
import { JournalLog } from './journal-log.ts'
import { listIfThere, namesOfStore, readMarker, writeMarker } from './files/marker.ts'
import { ReadBuffers } from './read/read-buffers.ts'
import { assertSalt } from './files/salt.ts'
import { Space } from './write/space.ts'

const KIB = 1024
const MIB = 1024 * KIB

export interface JournalOptions {
  /** A segment that is larger grows no more. Default 64 MiB. */
  readonly segmentBytes?: number
  /** All files together; content is refused as 'full' a little before. Default 0: as much as the disk has. */
  readonly maxBytes?: number
  /** Content is refused as 'full' while the disk has less left. Default 64 MiB. */
  readonly minFreeBytes?: number
  /** Kept on disk for settles, for when the disk is full to the last byte. Default 4 MiB. */
  readonly reserveBytes?: number
  /** `Writer.ready` is false above this many bytes. Default 4 MiB. */
  readonly pendingHighBytes?: number
  /** Content is refused as 'full' while more than this waits to be written. Default 512 MiB. */
  readonly pendingMaxBytes?: number
  readonly limits?: Partial<EngineLimits>
  /** Damage was found: where, and what is lost. */
  readonly onFault?: (fault: JournalFault) => void
}

export interface JournalStats {
  readonly partitions: number
  readonly segments: number
  /** Live content, about; and all files. */
  readonly liveBytes: number
  readonly diskBytes: number
  /** Memory of the tables that say where records are. */
  readonly indexBytes: number
  /** Since the engine was opened: by commits, by compaction, by snapshots. */
  readonly writtenBytes: number
  readonly compactedBytes: number
  readonly snapshotBytes: number
  readonly syncs: number
  /** Batches that were written and, where they needed it, synced; and their bytes. */
  readonly commits: number
  readonly committedBytes: number
  readonly lastCommitMicros: number
  /** Of all commits together. */
  readonly commitMsTotal: number
  /** Commits by their time: one number for each of COMMIT_TIME_BOUNDS_MS, and one for what took longer. */
  readonly commitTimes: readonly number[]
  /** Age of the oldest of the partitions' snapshots; undefined when none was made in this life. */
  readonly snapshotAgeMs: number | undefined
  /** Bytes of unfinished groups that a crash left and the start cut off. */
  readonly tornBytes: number
  readonly isFull: boolean
  readonly faults: readonly JournalFault[]
}

/**
 * Opens the store on `env.disk`, or makes one of an empty directory. Throws OpenRefused when it is not safe to run on:
 * nothing was changed then.
 */
export async function openJournal(env: EngineEnv, options: JournalOptions = {}): Promise<JournalEngine> {
  const { disk } = env
  const names = await namesOfStore(disk)
  if (names.length === 0) await disk.makeDirectory('')
  const lock = await takeLock(env)
  try {
    if (names.length === 0) await writeMarker(disk, crc32(`${env.clock.wallMs()}:${env.clock.monoMs()}`))
    const found = await disk.list('')
    await assertOurs(disk, found, new FaultLog())
    const salt = await refusingKind(readMarker(disk, found))
    await assertSalt(disk, found, salt)
    const engine = new JournalEngine(env, salt, lock, options)
    await refusingKind(engine.recover(found))
    return engine
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function takeLock({ disk }: EngineEnv): Promise<DiskLock> {
  try {
    return await disk.lock(LOCK_FILE)
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'locked')) throw error
    throw new OpenRefused(
      'in-use',
      `${error.message}: the store is in use. Stop the broker that has it, or use another directory`,
      { cause: error },
    )
  }
}

export class JournalEngine implements Engine {
  readonly durabilities: readonly Durability[] = ['page-cache', 'fsync-local']
  readonly limits: EngineLimits
  readonly #store: Store
  readonly #lock: DiskLock
  readonly #life: string
  readonly #catalog: JournalCatalog
  readonly #logs = new Map<PartitionId, JournalLog>()
  #failure: Unknown | undefined = undefined
  #closing: Promise<void> | undefined = undefined

  /** For `openJournal`. */
  constructor(env: EngineEnv, salt: number, lock: DiskLock, options: JournalOptions) {
    const { clock, disk } = env
    const segmentBytes = options.segmentBytes ?? 64 * MIB
    const batchBytesMax = Math.min(4 * MIB, Math.ceil(segmentBytes / 2))
    const isBroken = (): boolean => this.#failure !== undefined
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#lock = lock
    this.#life = `${clock.wallMs().toString(36)}`
    this.#store = {
      disk,
      clock,
      salt,
      limits: this.limits,
      settings: { segmentBytes, batchBytesMax, pendingHighBytes: options.pendingHighBytes ?? 4 * MIB },
      slabs: new Slabs(Math.min(2 * MIB, Math.max(64 * KIB, batchBytesMax))),
      readBuffers: new ReadBuffers(),
      space: new Space(disk, clock, {
        maxBytes: options.maxBytes ?? 0,
        minFreeBytes: options.minFreeBytes ?? 64 * MIB,
        reserveBytes: options.reserveBytes ?? 4 * MIB,
        pendingMaxBytes: options.pendingMaxBytes ?? 512 * MIB,
      }),
      handles: new Handles(disk),
      faults: new FaultLog(options.onFault),
      counters: new StoreCounts(),
      get isBroken() {
        return isBroken()
      },
      fail: (cause) => this.#fail(cause),
    }
    this.#catalog = new JournalCatalog(this.#store)
    this.#store.space.onOverMax = () => {
      for (const log of this.#logs.values()) log.collector.want()
    }
    this.#store.space.onRetry = () => {
      for (const log of this.#logs.values()) log.collector.wantAgain()
    }
  }

  get catalog(): Catalog {
    return this.#catalog
  }

  /** Why nothing is taken any more; undefined: it is. */
  get failure(): Unknown | undefined {
    return this.#failure
  }

  /** For `openJournal`: looks at everything first, then puts in order what a crash left. */
  async recover(names: readonly string[]): Promise<void> {
    const { faults } = this.#store
    faults.hold()
    const finishes: (() => Promise<void>)[] = []
    finishes.push(await this.#catalog.recover(await listIfThere(this.#store.disk, CATALOG_DIRECTORY)))
    const ids = names.map(partitionOfDirectory).filter((id) => id !== undefined)
    for (const id of ids.toSorted((a, b) => a - b)) {
      if (id >= this.limits.partitions) {
        throw new OpenRefused(
          'corrupt',
          `${partitionDirectory(id)} is a partition beyond the limit of ${this.limits.partitions} partitions: raise it`,
        )
      }
      const log = new JournalLog(id, this.#store, this.#lifeOf(id))
      this.#logs.set(id, log)
      finishes.push(await log.recover())
    }
    for (const finish of finishes) await finish()
    if (names.includes(MANIFEST_FILE)) await this.#store.disk.remove(MANIFEST_FILE) // a backup that goes on is none any more
    await this.#store.disk.syncDirectory('') // a killed process may not have come to it
    if (names.includes(RESERVE_FILE)) await this.#store.space.foundReserve()
    await this.#store.space.lookNow()
    faults.release()
  }

  partition(id: PartitionId): PartitionLog {
    if (!Number.isInteger(id) || id < 0 || id >= this.limits.partitions) {
      throw new RangeError(`partition ${id}: ids are 0 to ${this.limits.partitions - 1}`)
    }
    let log = this.#logs.get(id)
    if (log === undefined) {
      log = new JournalLog(id, this.#store, this.#lifeOf(id))
      if (this.#failure !== undefined) log.breakOff(this.#failure)
      this.#logs.set(id, log)
    }
    return log
  }

  stats(): JournalStats {
    const partitions = [...this.#logs.values()].map(({ partition }) => partition)
    const segments = partitions.flatMap((partition) => partition.segments)
    const { counters, space, faults, clock } = this.#store
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
    const times = partitions.map(({ snapshotAtMs }) => snapshotAtMs).filter((atMs) => atMs !== undefined)
    return {
      partitions: partitions.length,
      segments: segments.length,
      liveBytes: sum(segments.map(({ liveBytes }) => liveBytes)),
      diskBytes: space.usedBytes,
      indexBytes: sum(segments.map(({ indexBytes }) => indexBytes)),
      writtenBytes: counters.writtenBytes,
      compactedBytes: counters.compactedBytes,
      snapshotBytes: counters.snapshotBytes,
      syncs: counters.syncs,
      commits: counters.commits,
      committedBytes: counters.committedBytes,
      commitMsTotal: counters.commitMsTotal,
      commitTimes: [...counters.commitTimes],
      lastCommitMicros: Math.round(counters.lastCommitMs * 1_000),
      snapshotAgeMs: times.length === 0 ? undefined : clock.monoMs() - Math.min(...times),
      tornBytes: sum(partitions.map(({ tornBytes }) => tornBytes)),
      isFull: space.isFull,
      faults: faults.list,
    }
  }

  /** What is in the store, as far as it is known without reading it. */
  inspect(): StoreReport {
    const { diskBytes, tornBytes, faults } = this.stats()
    const partitions = [...this.#logs.values()].map(({ partition }) => reportOf(partition))
    const catalogKeys = this.#catalog.keyCount
    return { formatVersion: FORMAT_VERSION, diskBytes, tornBytes, partitions, catalogKeys, faults }
  }

  /**
   * Copies the store as it is at one moment of the call to an empty directory, while everything goes on. Segments are not
   * removed or compacted meanwhile. Rejects with OpenRefused when `target` is not empty, DiskError.
   */
  backup(target: Disk): Promise<CopyReport> {
    const logs = [...this.#logs.values()]
    const copy = (): Promise<CopyReport> => {
      const items = logs.flatMap(({ partition }) => itemsOf(partition))
      items.push({ path: `${CATALOG_DIRECTORY}/${hex(1)}.cat`, parts: this.#catalog.image() })
      const partitions = logs.map(({ id, partition }) => ({ id, lastLsn: partition.committedLsn }))
      return copyStore(this.#store.disk, target, items, { what: 'backup', partitions })
    }
    // All collectors stand still before the moment is chosen, one inside the other.
    return logs.reduce<() => Promise<CopyReport>>(
      (inner, { collector }) =>
        () =>
          collector.exclusive(inner),
      copy,
    )()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#logs.values()].map((log) => log.close()))
    await this.#catalog.close()
    await this.#store.handles.close()
    await this.#lock.release()
  }

  /** Distinct for partitions that were made empty and again. */
  #lifeOf(id: PartitionId): string {
    return `${this.#life}.${id}`
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    const detail = cause instanceof Error ? cause.message : String(cause)
    this.#failure = new Unknown(
      `the disk failed (${detail}): what was being written may be in the log or not. Restart the broker when the disk is well`,
      { cause },
    )
    this.#catalog.breakOff(this.#failure)
    for (const log of this.#logs.values()) log.breakOff(this.#failure)
  }
}
