/**
 * A durable state as bytes and back. Lines are arrays of numbers and make up nearly all of it; everything else is JSON. Version first:
 * a later broker reads what an earlier one wrote.
 */
import type { DurableWill } from './logged-will.ts'
import type { LoggedBinding, LoggedQueue, LoggedSchedule, LoggedSession } from './records.ts'
import { type DurableDelivery, type DurableState, emptyState, lineOf } from './state.ts'
import type { WaitingLine } from '../queue/line.ts'

const SNAPSHOT_VERSION = 1

/** Everything but lines and refs. */
interface SnapshotHead {
  readonly version: number
  readonly lastQueueNumber: number
  readonly sessions: readonly (readonly [number, LoggedSession, readonly LoggedBinding[], readonly number[]])[]
  readonly queues: readonly (readonly [number, LoggedQueue])[]
  readonly retained: readonly (readonly [string, number])[]
  readonly delivered: readonly (readonly [number, readonly (readonly [number, DurableDelivery])[]])[]
  readonly stagedLsns: readonly (readonly [number, number])[]
  readonly schedules: readonly (readonly [number, LoggedSchedule])[]
  readonly duplicates: readonly (readonly [number, readonly (readonly [string, number])[]])[]
  /** Left out by brokers that had them in memory only. */
  readonly wills?: readonly DurableWill[]
  readonly lines: readonly LineHead[]
  /** Left out by the first version. */
  readonly ending?: readonly number[]
  readonly refCount: number
}

/** One line: `count` lsns, sizes, failed counts and flags follow, expiries only where something expires. */
interface LineHead {
  readonly queue: number
  readonly priority: number
  readonly count: number
  readonly expires: boolean
}

/** Only messages of the log are in it; what a consumer had waits again, marked as redelivered. */
export function encodeState(state: DurableState): Uint8Array[] {
  const parts: Uint8Array[] = []
  const lines: LineHead[] = []
  for (const [queue, byPriority] of state.lines) {
    for (const [priority, line] of byPriority) {
      const head = encodeLine(queue, priority, line, parts)
      if (head !== undefined) lines.push(head)
    }
  }
  const refs = new Float64Array(state.refs.size * 2)
  let at = 0
  for (const [lsn, count] of state.refs) {
    refs[at++] = lsn
    refs[at++] = count
  }
  const head: SnapshotHead = {
    version: SNAPSHOT_VERSION,
    lastQueueNumber: state.lastQueueNumber,
    sessions: [...state.sessions].map(([number, { session, bindings, received }]) => [
      number,
      session,
      [...bindings.values()],
      [...received],
    ]),
    queues: [...state.queues],
    retained: [...state.retained],
    delivered: [...state.delivered].map(([queue, deliveries]) => [queue, [...deliveries]]),
    stagedLsns: [...state.stagedLsns],
    schedules: [...state.schedules],
    duplicates: [...state.duplicates].map(([queue, ids]) => [queue, [...ids]]),
    wills: [...state.wills.values()],
    lines,
    ending: state.ending,
    refCount: state.refs.size,
  }
  const json = new TextEncoder().encode(JSON.stringify(head))
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, json.length)
  return [size, json, bytesOf(refs), ...parts]
}

/** Throws when it was written by a newer broker. */
export function decodeState(data: readonly Uint8Array[]): DurableState {
  const bytes = joined(data)
  const state = emptyState()
  if (bytes.length === 0) return state
  const jsonBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + jsonBytes))) as SnapshotHead
  if (head.version !== SNAPSHOT_VERSION) {
    throw new Error(`the snapshot has version ${head.version}, this broker reads up to ${SNAPSHOT_VERSION}: start the newer broker`)
  }
  state.lastQueueNumber = head.lastQueueNumber
  for (const [number, session, bindings, received] of head.sessions) {
    state.sessions.set(number, {
      session,
      bindings: new Map(bindings.map((binding) => [binding.key, binding])),
      received: new Set(received),
    })
  }
  for (const [number, queue] of head.queues) state.queues.set(number, queue)
  for (const [topic, lsn] of head.retained) state.retained.set(topic, lsn)
  for (const [queue, deliveries] of head.delivered) state.delivered.set(queue, new Map(deliveries))
  for (const [queue, lsn] of head.stagedLsns) state.stagedLsns.set(queue, lsn)
  for (const [lsn, schedule] of head.schedules) state.schedules.set(lsn, schedule)
  for (const [queue, ids] of head.duplicates) state.duplicates.set(queue, new Map(ids))
  for (const will of head.wills ?? []) state.wills.set(will.id, will)
  state.ending.push(...(head.ending ?? []))
  const reader = new Reader(bytes, 4 + jsonBytes)
  const refs = reader.float64s(head.refCount * 2)
  for (let index = 0; index < refs.length; index += 2) state.refs.set(refs[index]!, refs[index + 1]!)
  for (const line of head.lines) decodeLine(state, line, reader)
  return state
}

function encodeLine(queue: number, priority: number, line: WaitingLine, parts: Uint8Array[]): LineHead | undefined {
  const { lsns, bytes, failedCounts, redelivered, expiries, count } = line.dump()
  if (count === 0) return undefined
  for (const array of [lsns, bytes, failedCounts, redelivered]) parts.push(bytesOf(array.subarray(0, count)))
  if (expiries !== undefined) parts.push(bytesOf(expiries.subarray(0, count)))
  return { queue, priority, count, expires: expiries !== undefined }
}

function decodeLine(state: DurableState, { queue, priority, count, expires }: LineHead, reader: Reader): void {
  const lsns = reader.float64s(count)
  const sizes = new Uint32Array(reader.take(count * 4))
  const failed = new Uint16Array(reader.take(count * 2))
  const flags = new Uint8Array(reader.take(count))
  const expiries = expires ? reader.float64s(count) : undefined
  const line = lineOf(state, queue, priority)
  for (let index = 0; index < count; index++) {
    const position = line.push(lsns[index]!, sizes[index]!, expiries?.[index] ?? 0, undefined, false)
    if (flags[index]! !== 0) line.markRedelivered(position)
    if (failed[index]! > 0) line.setFailedCount(position, failed[index]!)
  }
}

/** Hands out copies, aligned as typed arrays want them. */
class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  take(count: number): ArrayBuffer {
    const from = this.#at
    this.#at += count
    if (this.#at > this.#bytes.length) throw new Error(`the snapshot ends at byte ${this.#bytes.length}, ${this.#at} are needed: it is damaged`)
    return new Uint8Array(this.#bytes.subarray(from, this.#at)).buffer
  }

  float64s(count: number): Float64Array {
    return new Float64Array(this.take(count * 8))
  }
}

function bytesOf(array: Float64Array | Uint32Array | Uint16Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
