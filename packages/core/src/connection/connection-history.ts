/**
 * Connections that have ended, and why: the answer to "why did this client leave". Bounded; those that were never let in have a ring of
 * their own, a tenth as large, so that a flood of them makes nobody forget the others.
 */
import type { ConnectionInfo, EndedBy } from './connection-info.ts'
import { clip, NAME_CHARS_MAX, TEXT_CHARS_MAX } from '../events.ts'
import { CONNECTIONS_PER_REFUSED, HISTORY_PAGE_MAX } from '../limits.ts'
import { Recent } from '../recent.ts'

/** A connection as it was when it ended. */
export interface EndedConnection extends ConnectionInfo {
  /** Ascending in the order of the ends; `HistoryQuery.before` takes it. */
  readonly cursor: number
  /** Unix ms. */
  readonly endedAtMs: number
  readonly endedBy: EndedBy
  readonly reason: string
  readonly clause: string
  /** False: it was never let in. */
  readonly wasConnected: boolean
}

/** All that are given have to match. */
export interface HistoryQuery {
  readonly clientId?: string | undefined
  readonly user?: string | undefined
  /** Of the peer, without the port. */
  readonly address?: string | undefined
  readonly endedBy?: EndedBy | undefined
  /** Ended at or after it. */
  readonly sinceMs?: number | undefined
  /** Ended before it. */
  readonly untilMs?: number | undefined
  /** `cursor` of the page before; left out: from the latest on. */
  readonly before?: number | undefined
  /** Up to HISTORY_PAGE_MAX, which it is when left out. */
  readonly limit?: number | undefined
}

export interface HistoryPage {
  /** Newest first. */
  readonly entries: readonly EndedConnection[]
  /** For the next page; undefined when there is nothing more. */
  readonly cursor: number | undefined
}

export class ConnectionHistory {
  readonly #connected: Recent<EndedConnection>
  readonly #refused: Recent<EndedConnection>
  #lastCursor = 0

  constructor(sizeMax: number) {
    this.#connected = new Recent(sizeMax)
    this.#refused = new Recent(Math.ceil(sizeMax / CONNECTIONS_PER_REFUSED))
  }

  get size(): number {
    return this.#connected.size + this.#refused.size
  }

  /** How many have ended since the start, remembered or not. */
  get endedCount(): number {
    return this.#lastCursor
  }

  /** Only `Connections` calls this. */
  add(ended: Omit<EndedConnection, 'cursor'>): void {
    const entry: EndedConnection = {
      ...ended,
      cursor: ++this.#lastCursor,
      clientId: clip(ended.clientId, NAME_CHARS_MAX),
      user: clip(ended.user, NAME_CHARS_MAX),
      reason: clip(ended.reason, TEXT_CHARS_MAX),
    }
    ;(entry.wasConnected ? this.#connected : this.#refused).push(entry)
  }

  find(query: HistoryQuery = {}): HistoryPage {
    const limit = Math.max(1, Math.min(query.limit ?? HISTORY_PAGE_MAX, HISTORY_PAGE_MAX))
    const entries: EndedConnection[] = []
    for (const entry of this.#newestFirst()) {
      if (!matches(entry, query)) continue
      if (entries.length === limit) return { entries, cursor: entries[limit - 1]!.cursor }
      entries.push(entry)
    }
    return { entries, cursor: undefined }
  }

  *#newestFirst(): Generator<EndedConnection> {
    const rings = [this.#connected, this.#refused].map((ring) => ring.newestFirst())
    const heads = rings.map((ring) => ring.next().value as EndedConnection | undefined)
    for (;;) {
      const first = (heads[0]?.cursor ?? 0) >= (heads[1]?.cursor ?? 0) ? 0 : 1
      const head = heads[first]
      if (head === undefined) return
      yield head
      heads[first] = rings[first]!.next().value as EndedConnection | undefined
    }
  }
}

/** Names are remembered cut: so they are looked for. */
function matches(entry: EndedConnection, query: HistoryQuery): boolean {
  const { clientId, user, address, endedBy, before, sinceMs = -Infinity, untilMs = Infinity } = query
  if (entry.endedAtMs < sinceMs || entry.endedAtMs >= untilMs) return false
  if (before !== undefined && entry.cursor >= before) return false
  if (clientId !== undefined && entry.clientId !== clip(clientId, NAME_CHARS_MAX)) return false
  if (user !== undefined && entry.user !== clip(user, NAME_CHARS_MAX)) return false
  return (address === undefined || entry.address === address) && (endedBy === undefined || entry.endedBy === endedBy)
}
