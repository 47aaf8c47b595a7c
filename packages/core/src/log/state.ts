/**
 * What lasts, as plain maps and lines: the fold of the log's records. A restart folds the log into this and makes the virtual host of
 * it; a snapshot is this, written down. [ADR-0003]
 */
import type { Stored } from '@ternmq/store'
import { INDEX_BYTES } from '../queue/lanes.ts'
import { WaitingLine } from '../queue/line.ts'
import { applyWillChanged, applyWillSet, type DurableWill } from './logged-will.ts'
import { type LoggedMessage, readMessageMeta } from './message-record.ts'
import {
  type LoggedAdvance,
  type LoggedBinding,
  type LoggedClear,
  type LoggedPurge,
  type LoggedQueue,
  type LoggedSchedule,
  type LoggedSession,
  readDeliveredMeta,
  readJsonMeta,
  readNumbersMeta,
  readPurgedMeta,
  readSettledMeta,
  RecordKind,
} from './records.ts'

/** Stands for the schedule among the numbers of queues: it holds messages that are to be sent later. */
export const SCHEDULE_NUMBER = 0xffff_ffff

export interface DurableSession {
  readonly session: LoggedSession
  readonly bindings: Map<string, LoggedBinding>
  /** Ids of exactly-once publishes that the client has not let go of. */
  readonly received: Set<number>
}

/** An unsettled delivery: which session has it, and the adapter's number. */
export interface DurableDelivery {
  readonly session: number
  readonly state: number
}

export interface DurableState {
  lastQueueNumber: number
  /** By queue number. */
  readonly sessions: Map<number, DurableSession>
  readonly queues: Map<number, LoggedQueue>
  /** By queue number and priority. */
  readonly lines: Map<number, Map<number, WaitingLine>>
  /** Of messages with more than one holder. */
  readonly refs: Map<number, number>
  /** Lsn of the last message of each topic. */
  readonly retained: Map<string, number>
  /** By queue number and lsn, in the order of their first sending. */
  readonly delivered: Map<number, Map<number, DurableDelivery>>
  /** By queue number: messages up to this lsn may have been handed out. */
  readonly stagedLsns: Map<number, number>
  /** By lsn of the message. */
  readonly schedules: Map<number, LoggedSchedule>
  /** Messages that a queue let go of whose end was not in the log when a snapshot was taken. Only snapshots have any. */
  readonly ending: number[]
  /** By queue number: ids and when they came, oldest first. */
  readonly duplicates: Map<number, Map<string, number>>
  /** By id. */
  readonly wills: Map<number, DurableWill>
}

export function emptyState(): DurableState {
  return {
    lastQueueNumber: 0,
    sessions: new Map(),
    queues: new Map(),
    lines: new Map(),
    refs: new Map(),
    retained: new Map(),
    delivered: new Map(),
    stagedLsns: new Map(),
    schedules: new Map(),
    duplicates: new Map(),
    ending: [],
    wills: new Map(),
  }
}

export function lineOf(state: DurableState, queue: number, priority: number): WaitingLine {
  let lines = state.lines.get(queue)
  if (lines === undefined) state.lines.set(queue, (lines = new Map<number, WaitingLine>()))
  let line = lines.get(priority)
  if (line === undefined) lines.set(priority, (line = new WaitingLine()))
  return line
}

/** Applies one record; `released` gets the lsns that nobody holds any more. Throws for a record of a newer broker. */
export function applyRecord(state: DurableState, record: Stored, released: number[]): void {
  const { dest, meta } = record
  if (dest !== SCHEDULE_NUMBER) state.lastQueueNumber = Math.max(state.lastQueueNumber, dest)
  switch (record.kind) {
    case RecordKind.message:
      applyMessage(state, record, released)
      break
    case RecordKind.settled:
      readSettledMeta(meta, (queue, lsn) => applySettled(state, queue, lsn, released))
      break
    case RecordKind.sessionOpened: {
      const before = state.sessions.get(dest)
      const session = readJsonMeta<LoggedSession>(meta)
      state.sessions.set(dest, { session, bindings: before?.bindings ?? new Map<string, LoggedBinding>(), received: before?.received ?? new Set() })
      break
    }
    case RecordKind.queueEnded:
      endQueue(state, dest, released)
      break
    case RecordKind.bound: {
      const binding = readJsonMeta<LoggedBinding>(meta)
      state.lastQueueNumber = Math.max(state.lastQueueNumber, binding.groupQueue ?? 0)
      state.sessions.get(dest)?.bindings.set(binding.key, binding)
      break
    }
    case RecordKind.unbound:
      state.sessions.get(dest)?.bindings.delete(readJsonMeta<{ key: string }>(meta).key)
      break
    case RecordKind.retainedCleared: {
      const { topic, lsn } = readJsonMeta<LoggedClear>(meta)
      const kept = state.retained.get(topic)
      if (kept === undefined || kept > lsn) break
      state.retained.delete(topic)
      unref(state, kept, released)
      break
    }
    case RecordKind.queueDefined:
      state.queues.set(dest, readJsonMeta<LoggedQueue>(meta))
      break
    case RecordKind.delivered:
      readDeliveredMeta(meta, (queue, lsn, session, number) => applyDelivered(state, queue, lsn, { session, state: number }))
      break
    case RecordKind.failed: {
      const { lsn, value } = readNumbersMeta(meta)
      for (const line of state.lines.get(dest)?.values() ?? []) {
        const position = line.find(lsn)
        if (position === 0) continue
        line.setFailedCount(position, value)
        line.markRedelivered(position)
      }
      break
    }
    case RecordKind.staged:
      state.stagedLsns.set(dest, Math.max(state.stagedLsns.get(dest) ?? 0, readNumbersMeta(meta).lsn))
      break
    case RecordKind.received:
      state.sessions.get(dest)?.received.add(readNumbersMeta(meta).value)
      break
    case RecordKind.receivedReleased:
      state.sessions.get(dest)?.received.delete(readNumbersMeta(meta).value)
      break
    case RecordKind.duplicates: {
      const { ids, atMs } = readJsonMeta<{ ids: readonly string[]; atMs: number }>(meta)
      let known = state.duplicates.get(dest)
      if (known === undefined) state.duplicates.set(dest, (known = new Map<string, number>()))
      for (const id of ids) known.set(id, atMs)
      break
    }
    case RecordKind.scheduleAdvanced: {
      const { lsn, ...next } = readJsonMeta<LoggedAdvance>(meta)
      const schedule = state.schedules.get(lsn)
      if (schedule !== undefined) state.schedules.set(lsn, { ...schedule, ...next })
      break
    }
    case RecordKind.purged:
      applyPurged(state, dest, readPurgedMeta(meta), released)
      break
    case RecordKind.willSet:
      applyWillSet(state.wills, record)
      break
    case RecordKind.willChanged:
      applyWillChanged(state.wills, record, released)
      break
    default:
      throw new Error(`log record ${record.lsn} has kind ${record.kind}, which this broker does not know: start the newer broker`)
  }
}

/** Of everything that a queue may have handed out before the restart, says so. */
export function markStaged(state: DurableState): void {
  for (const [queue, lsn] of state.stagedLsns) {
    for (const line of state.lines.get(queue)?.values() ?? []) {
      for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
        if (line.lsnAt(position) > lsn) break
        line.markRedelivered(position)
      }
    }
  }
}

function applyMessage(state: DurableState, record: Stored, released: number[]): void {
  const { lsn } = record
  const logged = readMessageMeta(record.meta)
  const { queues, extras } = logged
  const isKept = logged.retain && record.bodyEnd - record.bodyStart > logged.headerBytes
  const holders = queues.length + (isKept ? 1 : 0)
  if (holders > 1) state.refs.set(lsn, holders)
  for (const queue of queues) {
    if (queue === SCHEDULE_NUMBER) continue // `schedules` says that it has it
    const line = lineOf(state, queue, logged.priority)
    const expiresAtMs = extras?.lives?.find(([number]) => number === queue)?.[1] ?? logged.expiresAtMs
    const position = line.push(lsn, INDEX_BYTES + record.bodyEnd - record.bodyStart, expiresAtMs, undefined, false)
    if (logged.mayBeDelivered) line.markRedelivered(position)
  }
  if (extras?.schedule !== undefined) state.schedules.set(lsn, extras.schedule)
  if (extras?.received !== undefined) state.sessions.get(extras.received[0])?.received.add(extras.received[1])
  if (logged.retain) applyRetained(state, logged, lsn, isKept, released)
  if (holders === 0) released.push(lsn)
}

function applyRetained(state: DurableState, { topic }: LoggedMessage, lsn: number, isKept: boolean, released: number[]): void {
  const before = state.retained.get(topic)
  if (isKept) state.retained.set(topic, lsn)
  else state.retained.delete(topic)
  if (before !== undefined) unref(state, before, released)
}

function applySettled(state: DurableState, queue: number, lsn: number, released: number[]): void {
  state.delivered.get(queue)?.delete(lsn)
  if (queue === SCHEDULE_NUMBER && state.schedules.delete(lsn)) return unref(state, lsn, released)
  for (const line of state.lines.get(queue)?.values() ?? []) {
    const position = line.find(lsn)
    if (position === 0) continue
    line.remove(position)
    return unref(state, lsn, released)
  }
  // Not in the queue as the snapshot had it: finished then, on its way to the log. Nobody else will release it.
  if (!isHeld(state, lsn)) released.push(lsn)
}

function applyPurged(state: DurableState, queue: number, purge: LoggedPurge, released: number[]): void {
  for (const line of state.lines.get(queue)?.values() ?? []) {
    for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
      const lsn = line.lsnAt(position)
      if (lsn > purge.lastLsn) break
      if (lsn <= purge.afterLsn || purge.staying.has(lsn)) continue
      line.remove(position)
      unref(state, lsn, released)
    }
  }
}

function isHeld(state: DurableState, lsn: number): boolean {
  if (state.schedules.has(lsn)) return true
  for (const lines of state.lines.values()) for (const line of lines.values()) if (line.find(lsn) !== 0) return true
  for (const kept of state.retained.values()) if (kept === lsn) return true
  return false
}

function applyDelivered(state: DurableState, queue: number, lsn: number, delivery: DurableDelivery): void {
  let known = state.delivered.get(queue)
  if (known === undefined) state.delivered.set(queue, (known = new Map<number, DurableDelivery>()))
  if (delivery.state === 0) known.delete(lsn)
  else known.set(lsn, delivery)
}

function endQueue(state: DurableState, queue: number, released: number[]): void {
  state.sessions.delete(queue)
  state.queues.delete(queue)
  state.delivered.delete(queue)
  state.stagedLsns.delete(queue)
  state.duplicates.delete(queue)
  for (const line of state.lines.get(queue)?.values() ?? []) {
    for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
      unref(state, line.lsnAt(position), released)
    }
  }
  state.lines.delete(queue)
}

/** What the snapshot says is gone. `released` as with `applyRecord`. */
export function releaseEnding(state: DurableState, released: number[]): void {
  for (const lsn of state.ending.splice(0)) unref(state, lsn, released)
}

function unref(state: DurableState, lsn: number, released: number[]): void {
  const count = state.refs.get(lsn)
  if (count === undefined) released.push(lsn)
  else if (count > 2) state.refs.set(lsn, count - 1)
  else state.refs.delete(lsn)
}
