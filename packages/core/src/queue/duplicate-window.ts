/**
 * Remembers the ids of messages for a while, so that a publisher that tries again is answered and its message is not queued twice. The
 * oldest id is forgotten first: after `keepMs`, or earlier when there are more ids or bytes than may be kept.
 *
 * An id counts from when it came first; a duplicate does not make it live longer. Whoever remembers an id and then cannot keep the
 * message must forget it again, or the next try is taken for a duplicate and lost.
 */
import type { QueueSettings } from './settings.ts'

export interface DuplicateWindowLimits {
  /** Ids. Beyond it the oldest is forgotten and its duplicates pass; 0 remembers nothing. */
  readonly idsMax: number
  /** Memory of all ids, see ID_BYTES. Beyond it the oldest is forgotten; an id that is larger by itself is not remembered. */
  readonly bytesMax: number
  /** An id of this age is forgotten. */
  readonly keepMs: number
}

export const DEFAULT_DUPLICATE_WINDOW_LIMITS: DuplicateWindowLimits = {
  idsMax: 100_000,
  bytesMax: 32 * 1024 * 1024,
  keepMs: 600_000,
}

/** Memory of one remembered id beside its characters, which count two bytes each: entry, place in the map, head of the string. */
export const ID_BYTES = 128

export interface SeenId {
  readonly id: string
  /** Unix ms at which it came first. */
  readonly atMs: number
}

/** Also a link of the line from the oldest to the newest. */
class Entry implements SeenId {
  readonly id: string
  readonly atMs: number
  previous: Entry | undefined = undefined
  next: Entry | undefined = undefined

  constructor(id: string, atMs: number) {
    this.id = id
    this.atMs = atMs
  }
}

export class DuplicateWindow {
  #limits: DuplicateWindowLimits
  readonly #entries = new Map<string, Entry>()
  #oldest: Entry | undefined = undefined
  #newest: Entry | undefined = undefined
  #bytes = 0
  #droppedCount = 0
  /** Ids of messages that may be refused yet: a snapshot must not have them. As many as publishes that wait for the log. */
  readonly #unsure = new Set<string>()

  constructor(limits: DuplicateWindowLimits = DEFAULT_DUPLICATE_WINDOW_LIMITS) {
    this.#limits = limits
  }

  /** Other limits from now on; what they have no room for is forgotten at once, oldest first. */
  use(limits: DuplicateWindowLimits, nowMs: number): void {
    this.#limits = limits
    this.expire(nowMs)
    this.#makeRoom(0, 0)
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Ids that were forgotten before their time, or never remembered, because of `idsMax` or `bytesMax`. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  /** Whether `id` is a duplicate; remembers it if it is not. */
  seen(id: string, nowMs: number): boolean {
    if (this.has(id, nowMs)) return true
    this.#append(id, nowMs)
    return false
  }

  /** As `seen`, but remembers nothing. */
  has(id: string, nowMs: number): boolean {
    this.expire(nowMs)
    return this.#entries.has(id)
  }

  /** The message of an id that has been seen is on its way to the log; `confirm` or `forget` follows. */
  doubt(id: string): void {
    this.#unsure.add(id)
  }

  /** Whether it is: nobody knows yet whether the next message with the id is a duplicate. */
  isInDoubt(id: string): boolean {
    return this.#unsure.has(id)
  }

  confirm(id: string): void {
    this.#unsure.delete(id)
  }

  /** Takes back that `id` was seen. */
  forget(id: string): void {
    this.#unsure.delete(id)
    const entry = this.#entries.get(id)
    if (entry !== undefined) this.#remove(entry)
  }

  /** Forgets what is too old at `nowMs`; `seen` and `has` do it by themselves. A clock that was set back makes ids live longer. */
  expire(nowMs: number): void {
    while (this.#oldest !== undefined && nowMs - this.#oldest.atMs >= this.#limits.keepMs) this.#remove(this.#oldest)
  }

  /** Oldest first, without those in doubt; for a snapshot. Must not be walked while ids come and go. */
  *entries(): Generator<SeenId> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.next) if (!this.#unsure.has(entry.id)) yield entry
  }

  /** Adds the entries of a snapshot, oldest first, to an empty window. Those that are too old or too many now are left out. */
  restore(entries: Iterable<SeenId>, nowMs: number): void {
    for (const { id, atMs } of entries) if (!this.#entries.has(id)) this.#append(id, atMs)
    this.expire(nowMs)
  }

  clear(): void {
    this.#unsure.clear()
    this.#entries.clear()
    this.#oldest = undefined
    this.#newest = undefined
    this.#bytes = 0
  }

  #append(id: string, atMs: number): void {
    const { idsMax, bytesMax } = this.#limits
    const bytes = bytesOf(id)
    if (bytes > bytesMax || idsMax === 0) {
      this.#droppedCount++
      return
    }
    this.#makeRoom(1, bytes)
    const entry = new Entry(id, atMs)
    entry.previous = this.#newest
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.next = entry
    this.#newest = entry
    this.#entries.set(id, entry)
    this.#bytes += bytes
  }

  #makeRoom(ids: number, bytes: number): void {
    const { idsMax, bytesMax } = this.#limits
    while (this.#oldest !== undefined && (this.#entries.size + ids > idsMax || this.#bytes + bytes > bytesMax)) {
      this.#remove(this.#oldest)
      this.#droppedCount++
    }
  }

  #remove(entry: Entry): void {
    if (entry.previous === undefined) this.#oldest = entry.next
    else entry.previous.next = entry.next
    if (entry.next === undefined) this.#newest = entry.previous
    else entry.next.previous = entry.previous
    this.#entries.delete(entry.id)
    this.#bytes -= bytesOf(entry.id)
  }
}

function bytesOf(id: string): number {
  return ID_BYTES + 2 * id.length
}

/** The window of a queue with these settings, which `known` was before; undefined when it has to remember nothing. */
export function windowFor(
  { duplicatesMax, duplicatesMs }: QueueSettings,
  known: DuplicateWindow | undefined,
  nowMs: number,
): DuplicateWindow | undefined {
  if (duplicatesMax === 0) return undefined
  const limits: DuplicateWindowLimits = {
    ...DEFAULT_DUPLICATE_WINDOW_LIMITS,
    idsMax: duplicatesMax,
    keepMs: duplicatesMs === 0 ? Infinity : duplicatesMs,
  }
  if (known === undefined) return new DuplicateWindow(limits)
  known.use(limits, nowMs)
  return known
}
