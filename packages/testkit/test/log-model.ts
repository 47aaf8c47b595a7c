/**
 * What a partition's log must hold, from the calls that were made and the answers that came: the oracle of the crash
 * tests of engines. It hears of submits, outcomes, releases and snapshots, is shown the log after a crash, and throws
 * what a client could hold against the engine.
 */
import { crc32 } from 'node:zlib'
import type { Durability, LogRecord, Lsn, Stored } from '@ternmq/store'

export interface ModelRecord {
  readonly id: string
  readonly record: LogRecord
  lsn: Lsn
  /** `release` was called. */
  isReleased: boolean
  /** A snapshot followed, or a restart found it dead: it must never be seen again. */
  isBuried: boolean
}

export interface ModelGroup {
  readonly records: readonly ModelRecord[]
  readonly level: Durability
  /** Which writer: groups of one are in the log up to some point, and not beyond. */
  readonly writer: string
  /** The disk may have been full: without an answer it may be missing from the midst of others. */
  readonly mayBeRefused: boolean
  /** 'refused': certainly not in the log. */
  state: 'open' | 'committed' | 'refused'
  /** Must survive a loss of power. */
  isDurable: boolean
}

export interface ModelSnapshot {
  readonly at: Lsn
  readonly text: string
}

export interface ComingSnapshot extends ModelSnapshot {
  /** What was released before the call: it must stay so. */
  readonly buries: readonly ModelRecord[]
}

/** What may be missing: nothing, what had no outcome, or also what was committed without a sync. */
export type Loss = 'none' | 'open' | 'unsynced'

/** The log as a reader sees it. */
export interface LogSeen {
  readonly trimmedTo: Lsn
  readonly records: readonly Stored[]
  readonly snapshot: ModelSnapshot | undefined
  /** `read` of all content that the model and the tail know. */
  readonly contents: readonly (Stored | undefined)[]
}

export class LogModel {
  /** In the order submitted; those that turned out not to be in the log are gone. */
  #groups: ModelGroup[] = []
  readonly #byId = new Map<string, ModelRecord>()
  #snapshot: ModelSnapshot | undefined = undefined
  /** Snapshots on their way, or of which the engine does not know: each of them may be the one that is found. */
  #coming: ComingSnapshot[] = []
  #lastLsn: Lsn = 0

  /** Outcomes so far. */
  committedCount = 0
  refusedCount = 0

  get groups(): readonly ModelGroup[] {
    return this.#groups
  }

  get snapshotAt(): Lsn {
    return this.#snapshot?.at ?? 0
  }

  /** Committed records in order of their lsns. */
  get committed(): ModelRecord[] {
    return this.#groups.flatMap(({ state, records }) => (state === 'committed' ? records : []))
  }

  get contentLsns(): Lsn[] {
    return this.committed.filter(({ record }) => record.body !== undefined).map(({ lsn }) => lsn)
  }

  submit(records: readonly LogRecord[], level: Durability, writer: string, mayBeRefused: boolean): ModelGroup {
    const group: ModelGroup = {
      records: records.map((record) => {
        const known = { id: idOf(record), record, lsn: 0, isReleased: false, isBuried: false }
        this.#byId.set(known.id, known)
        return known
      }),
      level,
      writer,
      mayBeRefused,
      state: 'open',
      isDurable: false,
    }
    this.#groups.push(group)
    return group
  }

  /** `isSynced`: the engine said so at a level that survives a loss of power; then so does everything before. */
  onCommitted(group: ModelGroup, firstLsn: Lsn, isSynced: boolean): void {
    if (group.state !== 'open') throw new Error(`group of ${group.records[0]?.id} is ${group.state} and was committed`)
    if (firstLsn <= this.#lastLsn)
      throw new Error(`${group.records[0]?.id} was committed as lsn ${firstLsn} after ${this.#lastLsn}`)
    this.#lastLsn = firstLsn + group.records.length - 1
    group.state = 'committed'
    this.committedCount++
    group.records.forEach((record, index) => {
      record.lsn = firstLsn + index
    })
    if (isSynced) this.#becomeDurable(firstLsn)
  }

  onRefused(group: ModelGroup): void {
    if (group.state !== 'open') throw new Error(`group of ${group.records[0]?.id} is ${group.state} and was refused`)
    group.state = 'refused'
    this.refusedCount++
  }

  snapshotBegins(at: Lsn, text: string): ComingSnapshot {
    const coming = { at, text, buries: this.committed.filter(({ isReleased }) => isReleased) }
    this.#coming.push(coming)
    return coming
  }

  snapshotDone(coming: ComingSnapshot): void {
    this.#coming = []
    this.#snapshot = { at: coming.at, text: coming.text }
    for (const record of coming.buries) record.isBuried = true
    this.#becomeDurable(coming.at)
  }

  /** It is certainly not there. */
  snapshotRefused(coming: ComingSnapshot): void {
    this.#coming = this.#coming.filter((each) => each !== coming)
  }

  /** What a `read` of `record` gave. `wasReleased`, `isReleased`: before the call, and at its end. */
  checkRead(record: ModelRecord, wasReleased: boolean, found: Stored | undefined): void {
    if (found !== undefined) {
      if (wasReleased) throw new Error(`${record.id} at lsn ${record.lsn} was read after its release`)
      if (valueOf(found) !== valueOf(record.record))
        throw new Error(`lsn ${record.lsn} reads as ${valueOf(found)}, not as ${valueOf(record.record)}`)
    } else if (!record.isReleased) throw new Error(`${record.id} at lsn ${record.lsn} cannot be read`)
  }

  /** A record that a tail showed, in this life or after a crash. */
  checkShown(found: Stored): ModelRecord {
    const known = this.#byId.get(idOf(found))
    if (known === undefined) throw new Error(`lsn ${found.lsn} is ${valueOf(found)}, which nobody submitted`)
    if (valueOf(found) !== valueOf(known.record))
      throw new Error(`lsn ${found.lsn} shows as ${valueOf(found)}, not as ${valueOf(known.record)}`)
    if (known.lsn !== 0 && known.lsn !== found.lsn)
      throw new Error(`${known.id} was committed as lsn ${known.lsn} and shows as ${found.lsn}`)
    if (known.isBuried) throw new Error(`${known.id} at lsn ${known.lsn} was released before a snapshot and is back`)
    return known
  }

  /**
   * Checks the log at a moment at which nothing is under way; 'none': in the midst of a life, else after a crash.
   * Afterwards the model is what was found.
   */
  check(seen: LogSeen, loss: Loss): void {
    this.#checkSnapshot(seen, loss)
    const shown = new Map<ModelRecord, Stored>()
    let last = seen.trimmedTo
    for (const found of seen.records) {
      if (found.lsn <= last) throw new Error(`the tail shows lsn ${found.lsn} after ${last}`)
      last = found.lsn
      shown.set(this.checkShown(found), found)
    }
    this.#checkGroups(shown, seen.trimmedTo, loss)
    this.#checkContents(seen.contents, loss)
    if (loss === 'none') return
    for (const group of this.#groups) group.isDurable = true
  }

  #becomeDurable(lsn: Lsn): void {
    for (const group of this.#groups)
      if (group.state === 'committed' && (group.records[0]?.lsn ?? Infinity) <= lsn) group.isDurable = true
  }

  #checkSnapshot({ snapshot, trimmedTo }: LogSeen, loss: Loss): void {
    const coming = this.#coming.findLast(({ at, text }) => snapshot?.at === at && snapshot.text === text)
    if (coming === undefined && JSON.stringify(snapshot) !== JSON.stringify(this.#snapshot))
      throw new Error(`the snapshot is ${briefly(snapshot)}, not ${briefly(this.#snapshot)}`)
    if (trimmedTo > (snapshot?.at ?? 0))
      throw new Error(`trimmed to lsn ${trimmedTo}, but the snapshot is ${briefly(snapshot)}`)
    if (loss === 'none') return
    if (coming !== undefined) this.snapshotDone(coming)
    this.#coming = []
  }

  #checkGroups(shown: ReadonlyMap<ModelRecord, Stored>, trimmedTo: Lsn, loss: Loss): void {
    /** Writers of which a group was found missing: nothing behind it may be there. */
    const ended = new Map<string, ModelGroup>()
    const kept: ModelGroup[] = []
    for (const group of this.#groups) {
      const first = group.records[0]?.id
      const due = group.records.filter((record) => isDue(record, group.state, trimmedTo))
      const there = group.records.filter((record) => shown.has(record))
      if (group.state === 'refused') {
        if (there.length > 0) throw new Error(`the group of ${first} was refused and is in the log`)
        this.#forget(group)
        continue
      }
      const missing = due.find((record) => !shown.has(record))
      if (missing === undefined) {
        const before = ended.get(group.writer)
        if (due.length > 0 && before !== undefined)
          throw new Error(`the group of ${first} is in the log, that of ${before.records[0]?.id} before it is not`)
        if (group.state === 'open') adopt(group, shown)
        kept.push(group)
        continue
      }
      if (group.state === 'committed' && (loss === 'none' || loss === 'open' || group.isDurable))
        throw new Error(`${missing.id} was committed as lsn ${missing.lsn} at level ${group.level} and is lost`)
      if (there.length > 0)
        throw new Error(`the group of ${first} has ${group.records.length} records, ${there.length} are in the log`)
      if (loss === 'none') {
        kept.push(group)
        continue
      }
      if (group.state === 'committed' || !group.mayBeRefused) ended.set(group.writer, group)
      this.#forget(group)
    }
    this.#groups = kept
    const lsns = this.committed.map(({ lsn }) => lsn)
    this.#lastLsn = lsns.at(-1) ?? 0
    for (const [index, lsn] of lsns.entries())
      if (index > 0 && lsn <= (lsns[index - 1] ?? 0)) throw new Error(`lsn ${lsn} stands behind ${lsns[index - 1]}`)
  }

  /** `contents` was read for what was known before; groups that a crash lost do not count. */
  #checkContents(contents: readonly (Stored | undefined)[], loss: Loss): void {
    const byLsn = new Map(contents.flatMap((found) => (found === undefined ? [] : [[found.lsn, found] as const])))
    for (const record of this.committed) {
      if (record.record.body === undefined) continue
      const found = byLsn.get(record.lsn)
      if (found !== undefined && valueOf(found) !== valueOf(record.record))
        throw new Error(`lsn ${record.lsn} reads as ${valueOf(found)}, not as ${valueOf(record.record)}`)
      if (found === undefined && !record.isReleased) throw new Error(`${record.id} at lsn ${record.lsn} cannot be read`)
      if (found === undefined) record.isBuried ||= loss !== 'none'
      else if (record.isBuried)
        throw new Error(`${record.id} at lsn ${record.lsn} was released before a snapshot and is back`)
      // After a crash the release may be forgotten, and the owner has to say it again.
      else if (loss !== 'none') record.isReleased = false
      else if (record.isReleased) throw new Error(`${record.id} at lsn ${record.lsn} was read after its release`)
    }
  }

  #forget(group: ModelGroup): void {
    for (const { id } of group.records) this.#byId.delete(id)
  }
}

function briefly(snapshot: ModelSnapshot | undefined): string {
  return snapshot === undefined ? 'none' : `"${snapshot.text.slice(0, 16)}" at lsn ${snapshot.at}`
}

/** The record has to show in a tail that begins after `trimmedTo`, if its group is in the log. */
function isDue(record: ModelRecord, state: ModelGroup['state'], trimmedTo: Lsn): boolean {
  return state === 'open' || (record.lsn > trimmedTo && !record.isReleased)
}

/** A group that had no answer is in the log: it counts as committed from now on. */
function adopt(group: ModelGroup, shown: ReadonlyMap<ModelRecord, Stored>): void {
  group.state = 'committed'
  const firstLsn = shown.get(group.records[0] as ModelRecord)?.lsn ?? 0
  group.records.forEach((record, index) => {
    record.lsn = shown.get(record)?.lsn ?? 0
    if (record.lsn !== firstLsn + index)
      throw new Error(`${record.id} of one group has lsn ${record.lsn}, ${index} after ${firstLsn}`)
  })
}

export function idOf(record: LogRecord): string {
  return new TextDecoder().decode(record.meta)
}

/** All that must come back of a record; a body as its length and checksum. */
export function valueOf({ kind, dest, meta, body, bodyStart, bodyEnd }: LogRecord): string {
  const sum = body === undefined ? 0 : crc32(body.subarray(bodyStart, bodyEnd))
  const told = body === undefined ? 'no body' : `${bodyEnd - bodyStart} bytes ${sum.toString(16)}`
  return `${kind} ${dest} ${new TextDecoder().decode(meta)} ${told}`
}
