/**
 * From the log back to a living virtual host: fold the snapshot and the records after it, then make sessions, queues and retained
 * messages of what is left. [ADR-0003]
 */
import type { PartitionLog, Stored } from '@ternmq/store'
import type { HeaderCodec, Message } from '../message/message.ts'
import type { Lane } from '../queue/lanes.ts'
import type { Session } from '../session/session.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { readMessageMeta } from './message-record.ts'
import { RecordKind } from './records.ts'
import { decodeState } from './snapshot.ts'
import { applyRecord, type DurableState, emptyState, markStaged, releaseEnding, SCHEDULE_NUMBER } from './state.ts'

/** Messages read at a time while everything is put back. */
const READ_MESSAGES = 1_024

export interface Replayed {
  readonly state: DurableState
  /** Messages that nobody holds any more. */
  readonly released: number[]
}

/** Reads everything that is committed. Throws when a record needs a codec that no adapter has. */
export async function readLog(log: PartitionLog, codecs: ReadonlyMap<string, HeaderCodec>): Promise<Replayed> {
  const snapshot = await log.snapshot()
  const state = snapshot === undefined ? emptyState() : decodeState(snapshot.data)
  const released: number[] = []
  releaseEnding(state, released)
  const stop = new AbortController()
  for await (const batch of log.tail(snapshot?.at ?? 0, stop.signal)) {
    for (const record of batch.records) {
      if (record.kind === RecordKind.message || record.kind === RecordKind.willSet) checkCodec(record, codecs)
      applyRecord(state, record, released)
    }
    if (batch.head) break
  }
  stop.abort()
  markStaged(state)
  return { state, released }
}

function checkCodec(record: Stored, codecs: ReadonlyMap<string, HeaderCodec>): void {
  const { codecId } = readMessageMeta(record.meta)
  if (codecs.has(codecId)) return
  throw new Error(`log record ${record.lsn} has headers of format '${codecId}', which no adapter of this broker reads`)
}

/** Makes the state the virtual host's. Its log is open; it has no sessions yet. */
export async function restore(vhost: VirtualHost, state: DurableState): Promise<void> {
  const lanesOf = (number: number): Lane[] => {
    const lanes = [...(state.lines.get(number) ?? [])].map(([priority, line]) => ({ priority, line }))
    return lanes.sort((one, other) => other.priority - one.priority)
  }
  const restored = new Set<number>()
  for (const [number, logged] of state.queues) {
    vhost.destinations.restore(number, logged, lanesOf(number))
    const ids = [...(state.duplicates.get(number) ?? [])].map(([id, atMs]) => ({ id, atMs }))
    vhost.destinations.find(logged.name)?.queue.duplicates?.restore(ids, vhost.env.clock.wallMs())
    restored.add(number)
  }
  const sessions = new Map<number, Session>()
  for (const [number, { session: logged, bindings, received }] of state.sessions) {
    const session = vhost.sessions.restore(logged, number)
    sessions.set(number, session)
    restored.add(number)
    session.queue.restore(lanesOf(number))
    session.restoreReceived(received)
    for (const [key, binding] of bindings) {
      session.restoreBinding(key, binding)
      const groupNumber = binding.groupQueue ?? 0
      const group = groupNumber === 0 ? undefined : vhost.shared.find(key)
      if (group === undefined || restored.has(groupNumber)) continue
      group.number = groupNumber
      group.restore(lanesOf(groupNumber))
      restored.add(groupNumber)
    }
  }
  recover(vhost, state, lanesOf, restored)
  for (const queue of [
    ...[...vhost.destinations.all()].map((named) => named.queue),
    ...[...sessions.values()].map((session) => session.queue),
    ...vhost.shared.queues(),
  ]) {
    queue.stagedLsn = state.stagedLsns.get(queue.number) ?? 0
  }
  await restoreDelivered(state, sessions, vhost)
  await restoreRetained(vhost, state)
  vhost.schedule.restore(state.schedules)
  await restoreWills(state, sessions, vhost)
  for (const session of sessions.values()) session.startOffline()
  vhost.router.forgetTargets()
}

/**
 * Messages whose queue or session nobody knows: the record that defines it was damaged, or is missing. They were acknowledged, so they
 * are kept, in a queue of their own.
 */
function recover(vhost: VirtualHost, state: DurableState, lanesOf: (number: number) => Lane[], restored: ReadonlySet<number>): void {
  for (const [number, lines] of state.lines) {
    if (restored.has(number) || number === SCHEDULE_NUMBER) continue
    let count = 0
    for (const line of lines.values()) count += line.liveCount
    if (count > 0) vhost.destinations.recover(number, lanesOf(number), count)
  }
}

/** What clients had and had not acknowledged is theirs again, with the adapter's number. */
async function restoreDelivered(
  state: DurableState,
  sessions: ReadonlyMap<number, Session>,
  vhost: VirtualHost,
): Promise<void> {
  for (const [number, deliveries] of state.delivered) {
    const lsns = [...deliveries.keys()]
    await eachMessage(vhost, lsns, (message) => {
      const { session, state: protocolState } = deliveries.get(message.lsn)!
      sessions.get(session)?.restoreUnsettled(number, message, protocolState)
    })
  }
}

async function restoreRetained(vhost: VirtualHost, state: DurableState): Promise<void> {
  await eachMessage(vhost, [...state.retained.values()], (message) => {
    vhost.retained.set(message.topic.split('/'), message)
  })
}

/** In the order in which they came: of two of one session the later one is its connection's. */
async function restoreWills(state: DurableState, sessions: ReadonlyMap<number, Session>, vhost: VirtualHost): Promise<void> {
  const wills = [...state.wills.values()].sort((one, other) => one.id - other.id)
  for (let from = 0; from < wills.length; from += READ_MESSAGES) {
    const some = wills.slice(from, from + READ_MESSAGES)
    const messages = await vhost.log.readMessages(some.map(({ lsn }) => lsn))
    if (messages === undefined) return
    for (const [index, will] of some.entries()) vhost.wills.restore(will, messages[index], sessions.get(will.session))
  }
}

async function eachMessage(vhost: VirtualHost, lsns: readonly number[], f: (message: Message) => void): Promise<void> {
  for (let from = 0; from < lsns.length; from += READ_MESSAGES) {
    const messages = await vhost.log.readMessages(lsns.slice(from, from + READ_MESSAGES))
    for (const message of messages ?? []) if (message !== undefined) f(message)
  }
}
