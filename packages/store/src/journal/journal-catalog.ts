/**
 * A catalog whose commits are on stable storage before they are told. All that wait go into one write; when the log is
 * mostly history it is written anew.
 */
import type { Catalog, CatalogChange, CatalogEntry, CatalogNews, CatalogOp } from '../engine.ts'
import type { DiskFile } from '../env.ts'
import type { Unknown } from '../errors.ts'
import type { CatalogScan } from './files/catalog-file.ts'
import type { Store } from './store.ts'
import { CatalogState, entryBytes } from '../catalog-state.ts'
import { NotAppended } from '../errors.ts'
import { decodeCatalogHeader, encodeCatalogHeader, encodeChanges, scanCatalog } from './files/catalog-file.ts'
import { isFull } from './write/segment-writer.ts'
import { OpenRefused, newer } from './recovery/faults.ts'
import { CATALOG_DIRECTORY, UNFINISHED, hex, numberOfName } from './files/format.ts'
import { DISK_FULL } from './write/space.ts'

/** A log is written anew when it is this many times as large as what it says, and not tiny. */
const HISTORY_SHARE = 4
const TINY_BYTES = 256 * 1024
/** Entries in one frame of a new log. */
const PAGE_ENTRIES = 512

interface Waiting {
  readonly ops: readonly CatalogOp[]
  readonly resolve: (revs: number[]) => void
  readonly reject: (error: unknown) => void
}

export class JournalCatalog implements Catalog {
  readonly #store: Store
  readonly #state: CatalogState
  #file: DiskFile | undefined = undefined
  #number = 0
  #end = 0
  /** Bounded by the callers: each waits for its own. */
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined = undefined
  #broken: Unknown | undefined = undefined

  constructor(store: Store) {
    this.#store = store
    this.#state = new CatalogState(store.limits)
  }

  /** Finds out what is on disk. Changes nothing until the result is called. Throws OpenRefused. */
  async recover(names: readonly string[]): Promise<() => Promise<void>> {
    const { disk, space } = this.#store
    const numbers = names.map((name) => numberOfName(name, '.cat')).filter((number) => number !== undefined)
    this.#number = Math.max(0, ...numbers)
    let last: { start: number; bytes: Uint8Array } | undefined = undefined
    if (this.#number > 0) {
      const path = catalogPath(this.#number)
      const bytes = await readWhole(await disk.open(path, 'read'))
      const { end, lastStart: start } = this.#take(path, bytes)
      last = { start, bytes: bytes.slice(start, end) }
      this.#end = end
      space.usedBytes += end
    }
    return async () => {
      if (last !== undefined) {
        this.#file = await disk.open(catalogPath(this.#number), 'write')
        await this.#file.truncate(this.#end)
        // After a sync that failed the kernel may take these bytes for clean: only writing them again makes them last.
        await this.#file.write(last.start, [last.bytes])
        await this.#file.syncAll()
      }
      const leftovers = names.filter(
        (name) => name.endsWith(UNFINISHED) || (numberOfName(name, '.cat') ?? Infinity) < this.#number,
      )
      for (const name of leftovers) await disk.remove(`${CATALOG_DIRECTORY}/${name}`)
      if (names.length > 0) await disk.syncDirectory(CATALOG_DIRECTORY)
    }
  }

  async get(key: string): Promise<CatalogEntry | undefined> {
    return this.#state.get(key)
  }

  scan(prefix: string): AsyncIterable<readonly CatalogEntry[], void> {
    return this.#state.scan(prefix)
  }

  watch(prefix: string, signal: AbortSignal): AsyncIterable<CatalogNews, void> {
    return this.#state.watch(prefix, signal)
  }

  commit(ops: readonly CatalogOp[]): Promise<number[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ops, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  breakOff(error: Unknown): void {
    this.#broken ??= error
  }

  get keyCount(): number {
    return this.#state.count
  }

  /** The log as it would be if it were new, at this moment. */
  image(): Uint8Array[] {
    const { salt } = this.#store
    const entries = [...this.#state.entries()]
    const parts = [encodeCatalogHeader(this.#state.rev, salt)]
    for (let start = 0; start < entries.length; start += PAGE_ENTRIES) {
      parts.push(encodeChanges(entries.slice(start, start + PAGE_ENTRIES), salt))
    }
    return parts
  }

  async close(): Promise<void> {
    await this.#working
    this.#state.close()
    await this.#file?.close()
    this.#file = undefined
  }

  #take(path: string, bytes: Uint8Array): CatalogScan {
    const { salt } = this.#store
    const header = decodeCatalogHeader(bytes, salt)
    if (typeof header === 'string') throw this.#corrupt(path, 0, header)
    if ('version' in header) throw newer(path, header.version)
    this.#state.rev = header.rev
    const scan = scanCatalog(bytes, salt, (change) => this.#state.apply(change))
    if (scan.isDamaged) throw this.#corrupt(path, scan.end, 'the checksum of a change is wrong, and changes follow')
    return scan
  }

  #corrupt(path: string, offset: number, what: string): OpenRefused {
    return new OpenRefused(
      'corrupt',
      `${path}, byte ${offset}: ${what}. Definitions of queues, users and sessions would be lost: restore the newest backup`,
    )
  }

  async #work(): Promise<void> {
    await Promise.resolve() // those of the same turn go together
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting
      this.#waiting = []
      const accepted: { waiting: Waiting; changes: readonly CatalogChange[] }[] = []
      const overlay = new Map<string, { rev: number; bytes: number }>()
      let { rev } = this.#state
      let definedBytes = 0
      for (const each of waiting) {
        try {
          if (this.#broken !== undefined) throw this.#broken
          this.#state.check(each.ops, overlay)
          const bytes = each.ops.reduce((sum, { key, value }) => sum + (value === null ? 0 : entryBytes(key, value)), 0)
          const refusal = bytes === 0 ? undefined : this.#store.space.refusalOfDefinition('catalog', definedBytes + bytes)
          if (refusal !== undefined) throw refusal
          definedBytes += bytes
          const changes = each.ops.map(({ key, value }) => ({ key, value, rev: ++rev }))
          for (const change of changes) {
            const entry = change.value === null ? 0 : entryBytes(change.key, change.value)
            overlay.set(change.key, { rev: change.value === null ? 0 : change.rev, bytes: entry })
          }
          accepted.push({ waiting: each, changes })
        } catch (error) {
          each.reject(error)
        }
      }
      await this.#commit(accepted)
    }
    this.#working = undefined // in the same step as the look above: nobody may wait in vain
  }

  async #commit(accepted: readonly { waiting: Waiting; changes: readonly CatalogChange[] }[]): Promise<void> {
    const changes = accepted.flatMap((each) => each.changes)
    try {
      if (changes.length > 0) await this.#append(encodeChanges(changes, this.#store.salt))
    } catch (error) {
      if (!(error instanceof NotAppended)) this.#store.fail(error)
      for (const { waiting } of accepted) waiting.reject(this.#broken ?? error)
      return
    }
    for (const change of changes) this.#state.apply(change)
    for (const { waiting, changes: own } of accepted) waiting.resolve(own.map(({ rev }) => rev))
    if (this.#end > HISTORY_SHARE * this.#state.bytes + TINY_BYTES) await this.#writeAnew()
  }

  async #append(frame: Uint8Array): Promise<void> {
    const { space } = this.#store
    try {
      await this.#tryAppend(frame)
    } catch (error) {
      if (!isFull(error)) throw error
      await this.#file?.truncate(this.#end)
      await space.onDiskFull()
      await this.#appendIntoReserve(frame)
    }
    this.#end += frame.length
    space.use(frame.length)
  }

  /** Definitions may use what is kept for settling: without them nobody could make room by deleting a queue. */
  async #appendIntoReserve(frame: Uint8Array): Promise<void> {
    try {
      await this.#tryAppend(frame)
    } catch (error) {
      if (!isFull(error)) throw error
      await this.#file?.truncate(this.#end)
      throw this.#store.space.fullError('catalog', DISK_FULL)
    }
  }

  async #tryAppend(frame: Uint8Array): Promise<void> {
    this.#file ??= await this.#createNext()
    await this.#file.write(this.#end, [frame])
    await this.#file.syncData()
    this.#store.counters.syncs++
  }

  async #writeAnew(): Promise<void> {
    const old = this.#file
    const oldPath = catalogPath(this.#number)
    const oldEnd = this.#end
    try {
      this.#file = await this.#createNext()
    } catch (error) {
      if (!isFull(error)) this.#store.fail(error)
      return // the old one does as well
    }
    await old?.close()
    await this.#store.disk.remove(oldPath)
    this.#store.space.giveBack(oldEnd)
  }

  /** A new log with all that there is. It has its name only when it is complete. */
  async #createNext(): Promise<DiskFile> {
    const { disk, space } = this.#store
    const path = catalogPath(this.#number + 1)
    const draft = `${path}${UNFINISHED}`
    if (this.#number === 0) {
      await disk.makeDirectory(CATALOG_DIRECTORY)
      await disk.syncDirectory('')
    }
    const parts = this.image()
    const bytes = parts.reduce((sum, { length }) => sum + length, 0)
    await disk.remove(draft).catch(() => undefined) // of an attempt that failed
    const file = await disk.open(draft, 'create')
    try {
      await file.write(0, parts)
      await file.syncAll()
      await disk.rename(draft, path)
      await disk.syncDirectory(CATALOG_DIRECTORY)
    } catch (error) {
      await file.close()
      await disk.remove(draft).catch(() => undefined) // the next start removes it
      throw error
    }
    this.#number++
    this.#end = bytes
    space.use(bytes)
    return file
  }
}

export function catalogPath(number: number): string {
  return `${CATALOG_DIRECTORY}/${hex(number)}.cat`
}

async function readWhole(file: DiskFile): Promise<Uint8Array> {
  try {
    const bytes = new Uint8Array(await file.size())
    const count = await file.read(0, bytes)
    return bytes.subarray(0, count)
  } finally {
    await file.close()
  }
}
