/**
 * Wills in the log: the message with who it is from, how long it waits and, once its connection is lost, when it is due. A will stays
 * until a record says that it is gone, which is in the group of its message when it is published. The end of its session is no such
 * record: a broker that ends between the two still owes the will. [MQTT5 §4.1] [ADR-0007]
 */
import type { LogRecord, Stored } from '@ternmq/store'
import type { Message } from '../message/message.ts'
import { messageRecord, readMessageMeta } from './message-record.ts'
import { jsonRecord, type LoggedWill, type LoggedWillChange, readJsonMeta, RecordKind } from './records.ts'

export interface DurableWill extends LoggedWill {
  /** Where its message is. */
  readonly lsn: number
  /** Queue number of its session. */
  readonly session: number
  /** Unix ms; undefined while its connection lasts. */
  readonly dueAtMs?: number
}

/** `message` is detached and does not expire: its time begins when it is published. */
export function willSetRecord(session: number, message: Message, will: LoggedWill): LogRecord {
  return { ...messageRecord(message, [], false, { ...message.extras, will }), kind: RecordKind.willSet, dest: session }
}

export function willDueRecord(session: number, id: number, dueAtMs: number): LogRecord {
  return jsonRecord(RecordKind.willChanged, session, { id, dueAtMs })
}

export function willGoneRecord(session: number, id: number): LogRecord {
  return jsonRecord(RecordKind.willChanged, session, { id, dueAtMs: null })
}

export function applyWillSet(wills: Map<number, DurableWill>, { lsn, dest, meta }: Stored): void {
  const { extras } = readMessageMeta(meta)
  const will = extras?.will
  if (will === undefined) throw new Error(`log record ${lsn} is a will and does not say whose: it is damaged`)
  wills.set(will.id, { ...will, lsn, session: dest })
}

/** `released` gets the lsn of one that is gone. */
export function applyWillChanged(wills: Map<number, DurableWill>, { meta }: Stored, released: number[]): void {
  const { id, dueAtMs } = readJsonMeta<LoggedWillChange>(meta)
  const will = wills.get(id)
  if (will === undefined) return // it could not be kept
  if (dueAtMs !== null) {
    wills.set(id, { ...will, dueAtMs })
    return
  }
  wills.delete(id)
  released.push(will.lsn)
}
