/**
 * The audit log: logins, refusals and every change that was made, by whom and from where. The last ones stay in memory for the console; where
 * there is a data directory all of them go to a file, in batches, a moment later, and are read back from it by the next start. Nobody waits
 * for it, and a disk that takes nothing stops no administrator: what could not be written is counted, and told as soon as the file takes
 * lines again.
 */
import { type AuditItem, type AuditQuery, listAudit, several } from '@ternmq/api'
import { type BrokerEvent, type Cancel, type Clock, type Events, Recent } from '@ternmq/core'
import { bind, type Bound } from '../handlers.ts'

/** What an administrator did, remembered; older ones are in the file only. */
export const AUDIT_ITEMS_MAX = 10_000

/** What was refused, to clients and callers, remembered beside that: a flood of it makes nobody forget what was changed. */
export const AUDIT_REFUSALS_MAX = 2_000

/** Refusals that are taken in a second; those beyond it are counted and told as one. */
export const REFUSALS_PER_SECOND_MAX = 50

/** Lines that wait for the file; beyond it they are counted only. */
export const AUDIT_LINES_WAITING_MAX = 20_000

/** Of target and detail: what somebody else chose is cut. */
const TEXT_CHARS_MAX = 1_024

const LIMIT_DEFAULT = 100
const SECOND_MS = 1_000

export interface AuditFile {
  /** Gives the lines that are there, the newest first, until `onLine` wants no more. */
  readBack(onLine: (line: string) => boolean): Promise<void>
  /** Takes lines without line breaks; resolves when the system has them. */
  append(lines: readonly string[]): Promise<void>
  close(): Promise<void>
}

export interface AuditLogOptions {
  readonly clock: Clock
  /** Undefined: there is no data directory. */
  readonly file?: AuditFile | undefined
  /** Operators should know that the file takes nothing. */
  readonly report: (text: string) => void
}

export type AuditEntry = Omit<AuditItem, 'id' | 'atMs'>

export class AuditLog {
  readonly #clock: Clock
  readonly #file: AuditFile | undefined
  readonly #report: (text: string) => void
  readonly #changes: Recent<AuditItem> = new Recent(AUDIT_ITEMS_MAX)
  readonly #refusals: Recent<AuditItem> = new Recent(AUDIT_REFUSALS_MAX)
  #lastId = 0
  #lines: string[] = []
  #unwrittenCount = 0
  #isFailing = false
  #writing: Promise<void> | undefined = undefined
  #cancelWrite: Cancel | undefined = undefined
  #refusedInSecond = 0
  #lastRefusal: AuditEntry | undefined = undefined
  #cancelSecond: Cancel | undefined = undefined

  constructor({ clock, file, report }: AuditLogOptions) {
    this.#clock = clock
    this.#file = file
    this.#report = report
  }

  /**
   * Takes back what the file has of earlier lives, as much as stays in memory; ids go on from there. Once, before anything is recorded.
   * Never rejects: what cannot be read is told, and stays in the file.
   */
  async recall(): Promise<void> {
    const [changes, refusals]: [AuditItem[], AuditItem[]] = [[], []]
    const isFull = (isRefusal: boolean): boolean =>
      isRefusal ? refusals.length >= AUDIT_REFUSALS_MAX : changes.length >= AUDIT_ITEMS_MAX
    let before = Infinity
    let unreadCount = 0
    try {
      await this.#file?.readBack((line) => {
        if (line === '' || isFull(line.includes(REFUSED))) return true
        const item = itemIn(line)
        if (item === undefined) unreadCount++
        if (item === undefined || item.id >= before) return true // a batch that failed half-way was written again
        before = item.id
        const isRefusal = item.outcome === 'refused'
        ;(isRefusal ? refusals : changes).push(item)
        return !isFull(true) || !isFull(false)
      })
    } catch (cause) {
      this.#report(`the audit log cannot be read: ${(cause as Error).message}; what is in it is not listed`)
    }
    if (unreadCount > 0)
      this.#report(
        `the audit log has ${several(unreadCount, 'line that is no entry', 'lines that are no entries')}, left out of it and still in the file`,
      )
    this.#lastId = Math.max(0, changes[0]?.id ?? 0, refusals[0]?.id ?? 0)
    for (const item of changes.reverse()) this.#changes.push(item)
    for (const item of refusals.reverse()) this.#refusals.push(item)
  }

  record(entry: AuditEntry): void {
    if (entry.outcome === 'refused') this.#keepRefusal(entry)
    else this.#keep(this.#changes, entry)
  }

  /** What clients were refused, as operators are told of it. */
  listenTo(events: Events): Cancel {
    return events.listen((event) => event.kind === 'refused' && this.#onRefused(event)) ?? (() => undefined)
  }

  /** The newest first. */
  list(query: AuditQuery): readonly AuditItem[] {
    const { limit = LIMIT_DEFAULT, before = Infinity } = query
    const found: AuditItem[] = []
    for (const item of newestFirst(this.#changes, this.#refusals)) {
      if (found.length >= limit) break
      if (item.id < before && isWanted(item, query)) found.push(item)
    }
    return found
  }

  /** Resolves when all that was recorded is written, or counted as not. Idempotent. */
  async close(): Promise<void> {
    this.#cancelSecond?.()
    this.#endSecond()
    await this.#writing
    this.#cancelWrite?.()
    await this.#write()
    await this.#file?.close()
  }

  #onRefused({ user, clientId, source, peer, text, clause }: BrokerEvent): void {
    this.#keepRefusal({
      user,
      action: 'refused',
      target: clientId,
      outcome: 'refused',
      detail: `${source}: ${text}${clause === '' ? '' : ` [${clause}]`}`,
      address: peer,
      by: 'none',
    })
  }

  #keepRefusal(entry: AuditEntry): void {
    this.#cancelSecond ??= this.#clock.after(SECOND_MS, () => this.#endSecond())
    if (++this.#refusedInSecond <= REFUSALS_PER_SECOND_MAX) this.#keep(this.#refusals, entry)
    else this.#lastRefusal = entry
  }

  #endSecond(): void {
    const count = this.#refusedInSecond - REFUSALS_PER_SECOND_MAX
    const last = this.#lastRefusal
    this.#cancelSecond = undefined
    this.#lastRefusal = undefined
    this.#refusedInSecond = 0
    if (last !== undefined)
      this.#keep(this.#refusals, { ...last, detail: `${last.detail} (the last of ${count} more within a second)` })
  }

  #keep(ring: Recent<AuditItem>, entry: AuditEntry): void {
    const { user, action, target, outcome, detail, address, by } = entry
    const item: AuditItem = {
      id: ++this.#lastId,
      atMs: this.#clock.wallMs(),
      user: cut(user),
      action,
      target: cut(target),
      outcome,
      detail: cut(detail),
      address,
      by,
    }
    ring.push(item)
    if (this.#file === undefined) return
    if (this.#lines.length >= AUDIT_LINES_WAITING_MAX) this.#unwrittenCount++
    else this.#lines.push(JSON.stringify(item))
    this.#writeLater()
  }

  #writeLater(): void {
    if (this.#writing !== undefined) return
    this.#cancelWrite ??= this.#clock.after(this.#isFailing ? SECOND_MS : 0, () => {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined
        if (this.#lines.length > 0) this.#writeLater()
      })
    })
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    this.#cancelWrite = undefined
    const lines = this.#lines
    if (this.#file === undefined || lines.length === 0) return
    this.#lines = []
    const unwritten = this.#unwrittenCount
    try {
      await this.#file.append(unwritten === 0 ? lines : [...lines, this.#lostLine(unwritten)])
      this.#unwrittenCount -= unwritten
      this.#isFailing = false
    } catch (cause) {
      if (!this.#isFailing)
        this.#report(
          `the audit log cannot be written: ${(cause as Error).message}; it goes on in memory and is tried again`,
        )
      this.#isFailing = true
      const kept = [...lines, ...this.#lines]
      this.#lines = kept.slice(0, AUDIT_LINES_WAITING_MAX)
      this.#unwrittenCount += kept.length - this.#lines.length
    }
  }

  /** Stands in the place of the last that is lost: the newest are. */
  #lostLine(count: number): string {
    const item: AuditItem = {
      id: this.#lastId,
      atMs: this.#clock.wallMs(),
      user: '',
      action: 'audit.lost',
      target: '',
      outcome: 'failed',
      detail: `${several(count, 'entry', 'entries')} could not be written to this file`,
      address: '',
      by: 'none',
    }
    return JSON.stringify(item)
  }
}

/** As a line has it outside of its texts, where quotes are escaped. */
const REFUSED = '"outcome":"refused"'

/** Undefined for what is none: a line that was cut, or written by somebody else. */
function itemIn(line: string): AuditItem | undefined {
  try {
    const { id, atMs, user, action, target, outcome, detail, address, by } = JSON.parse(line) as AuditItem
    const isItem =
      Number.isSafeInteger(id) &&
      Number.isSafeInteger(atMs) &&
      OUTCOMES.has(outcome) &&
      CALLERS.has(by) &&
      [user, action, target, detail, address].every((text) => typeof text === 'string')
    return isItem ? { id, atMs, user, action, target, outcome, detail, address, by } : undefined
  } catch {
    return undefined
  }
}

const OUTCOMES: ReadonlySet<AuditItem['outcome']> = new Set(['done', 'refused', 'failed'])
const CALLERS: ReadonlySet<AuditItem['by']> = new Set(['cookie', 'token', 'password', 'socket', 'none'])

export function auditHandlers(audit: AuditLog): Bound[] {
  return [bind(listAudit, ({ query }) => ({ items: audit.list(query) }))]
}

/** The ids of both ascend. */
function* newestFirst(one: Recent<AuditItem>, other: Recent<AuditItem>): Generator<AuditItem> {
  const [ones, others] = [one.newestFirst(), other.newestFirst()]
  let [next, nextOther] = [ones.next(), others.next()]
  for (;;) {
    if (next.done === true) {
      if (nextOther.done === true) return
      yield nextOther.value
      nextOther = others.next()
    } else if (nextOther.done === true || next.value.id > nextOther.value.id) {
      yield next.value
      next = ones.next()
    } else {
      yield nextOther.value
      nextOther = others.next()
    }
  }
}

function isWanted({ atMs, user, action, outcome, target, detail, address }: AuditItem, query: AuditQuery): boolean {
  if (query.sinceMs !== undefined && atMs < query.sinceMs) return false
  if (query.untilMs !== undefined && atMs >= query.untilMs) return false
  if (query.user !== undefined && user !== query.user) return false
  if (query.action !== undefined && action !== query.action) return false
  if (query.outcome !== undefined && outcome !== query.outcome) return false
  const wanted = query.q?.toLowerCase()
  return (
    wanted === undefined || [user, action, target, detail, address].some((text) => text.toLowerCase().includes(wanted))
  )
}

function cut(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX).toWellFormed()}…`
}
