/**
 * The entries of a catalog in memory, its rules, scans and watches. What makes a commit last is the engine's: it checks,
 * does what it must, and then applies.
 */
import type { CatalogChange, CatalogEntry, CatalogNews, CatalogOp, EngineLimits } from './engine.ts'
import { Bell } from './bell.ts'
import { Conflict, NotAppended } from './errors.ts'

/** Entries of one page of a scan. */
const PAGE_ENTRIES = 512
/** What an entry costs beside its key and value, against a budget. */
const ENTRY_OVERHEAD_BYTES = 128

/** Revisions and sizes that keys will have when the commits before are done; undefined value: not among them. */
export type CatalogOverlay = ReadonlyMap<string, { readonly rev: number; readonly bytes: number }>

const NO_OVERLAY: CatalogOverlay = new Map()

export class CatalogState {
  readonly #limits: EngineLimits
  readonly #entries = new Map<string, CatalogEntry>()
  readonly #watches = new Set<Watch>()
  #closed = false
  /** One counter for all keys: it ascends across deletion without a tombstone. */
  rev = 0
  /** Of all entries, as `entryBytes` counts. */
  bytes = 0

  constructor(limits: EngineLimits) {
    this.#limits = limits
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get count(): number {
    return this.#entries.size
  }

  get(key: string): CatalogEntry | undefined {
    return this.#entries.get(key)
  }

  entries(): IterableIterator<CatalogEntry> {
    return this.#entries.values()
  }

  /** Looks at every key: a catalog in memory has no order to search in. */
  async *scan(prefix: string): AsyncGenerator<readonly CatalogEntry[], void, void> {
    const keys = this.#keysWith(prefix)
    for (let start = 0; start < keys.length; start += PAGE_ENTRIES) {
      const page = keys.slice(start, start + PAGE_ENTRIES).map((key) => this.#entries.get(key))
      yield page.filter((entry) => entry !== undefined)
    }
  }

  /**
   * Returns by how many bytes the catalog grows. Throws NotAppended 'closed' or 'too-big', RangeError for a mistake,
   * Conflict. `overlay` is what earlier commits, not applied yet, will have made.
   */
  check(ops: readonly CatalogOp[], overlay: CatalogOverlay = NO_OVERLAY): number {
    if (this.#closed) throw new NotAppended('closed', 'the catalog is closed')
    this.#assertOps(ops)
    let bytes = 0
    for (const { key, rev, value } of ops) {
      const entry = this.#entries.get(key)
      const found = overlay.get(key) ?? {
        rev: entry?.rev ?? 0,
        bytes: entry === undefined ? 0 : entryBytes(key, entry.value),
      }
      if (rev !== undefined && rev !== found.rev) throw new Conflict(key, rev, found.rev)
      bytes += (value === null ? 0 : entryBytes(key, value)) - found.bytes
    }
    return bytes
  }

  apply({ key, rev, value }: CatalogChange): void {
    const old = this.#entries.get(key)
    if (old !== undefined) this.bytes -= entryBytes(key, old.value)
    this.rev = Math.max(this.rev, rev)
    if (value === null) this.#entries.delete(key)
    else {
      this.#entries.set(key, { key, rev, value })
      this.bytes += entryBytes(key, value)
    }
    for (const watch of this.#watches) watch.tell({ key, rev, value })
  }

  async *watch(prefix: string, signal: AbortSignal): AsyncGenerator<CatalogNews, void, void> {
    const watch = new Watch(prefix)
    for (const key of this.#keysWith(prefix)) {
      const entry = this.#entries.get(key)
      if (entry !== undefined) watch.tell(entry)
    }
    this.#watches.add(watch)
    try {
      let isFirst = true
      while (!signal.aborted && !this.#closed) {
        const changes = watch.take()
        if (isFirst || changes.length > 0) yield { changes, synced: true }
        else await watch.news.wait(signal)
        isFirst = false
      }
    } finally {
      this.#watches.delete(watch)
    }
  }

  close(): void {
    this.#closed = true
    for (const watch of this.#watches) watch.news.ring()
  }

  #keysWith(prefix: string): string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix))
  }

  #assertOps(ops: readonly CatalogOp[]): void {
    const keys = new Set<string>()
    for (const { key, value } of ops) {
      if (shardOf(key) !== shardOf(ops[0]?.key ?? key)) {
        throw new RangeError(
          `catalog commit over the shards of ${ops[0]?.key} and ${key}: only keys of one shard change together`,
        )
      }
      if (keys.has(key)) throw new RangeError(`catalog commit names key ${key} twice`)
      keys.add(key)
      if (key.length > this.#limits.keyLength) {
        throw new NotAppended(
          'too-big',
          `a catalog key of length ${key.length} is over the limit keyLength ${this.#limits.keyLength}`,
        )
      }
      if (value !== null && value.length > this.#limits.valueBytes) {
        throw new NotAppended(
          'too-big',
          `catalog key ${key}: a value of ${value.length} bytes is over the limit valueBytes ${this.#limits.valueBytes}`,
        )
      }
    }
  }
}

/** What one reader has not been told yet: the last change of each key, in order of revisions. */
class Watch {
  readonly news = new Bell()
  readonly #prefix: string
  readonly #changes = new Map<string, CatalogChange>()

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  tell(change: CatalogChange): void {
    if (!change.key.startsWith(this.#prefix)) return
    this.#changes.delete(change.key)
    this.#changes.set(change.key, change)
    this.news.ring()
  }

  take(): CatalogChange[] {
    const changes = [...this.#changes.values()]
    this.#changes.clear()
    return changes
  }
}

/** The text before the first '/'. Throws RangeError without one. */
function shardOf(key: string): string {
  const slash = key.indexOf('/')
  if (slash < 1) throw new RangeError(`catalog key ${JSON.stringify(key)} must be of the form shard/rest`)
  return key.slice(0, slash)
}

export function entryBytes(key: string, value: Uint8Array): number {
  return ENTRY_OVERHEAD_BYTES + key.length + value.length
}
