/**
 * From the log back to the state: first fold the records into plain maps, then make sessions, queues and retained messages of
 * what is left. [ADR-0003]
 */
import type { PartitionLog, Stored } from '@ternmq/store'
import { type HeaderCodec, Message } from '../message.ts'
import type { Queue } from '../queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import {
  type LoggedBinding,
  type LoggedClear,
  type LoggedSession,
  readJsonMeta,
  readMessageMeta,
  readSettledMeta,
  RecordKind,
} from './records.ts'

interface ReplayedSession {
  readonly session: LoggedSession
  readonly bindings: Map<string, LoggedBinding>
}

interface ReplayedMessage {
  readonly message: Message
  /** Queues that have not finished with it. */
  readonly holders: Set<number>
}

export interface ReplayedState {
  lastQueueNumber: number
  readonly sessions: Map<number, ReplayedSession>
  /** By lsn, ascending. */
  readonly messages: Map<number, ReplayedMessage>
  /** Lsn of the last message of each topic. */
  readonly retained: Map<string, number>
}

/** Reads everything that is committed. Throws when a record needs a codec that no adapter has. */
export async function readLog(log: PartitionLog, codecs: ReadonlyMap<string, HeaderCodec>): Promise<ReplayedState> {
  const state: ReplayedState = { lastQueueNumber: 0, sessions: new Map(), messages: new Map(), retained: new Map() }
  const snapshot = await log.snapshot()
  const stop = new AbortController()
  for await (const batch of log.tail(snapshot?.at ?? 0, stop.signal)) {
    for (const record of batch.records) apply(state, record, codecs)
    if (batch.head) break
  }
  stop.abort()
  return state
}

function apply(state: ReplayedState, record: Stored, codecs: ReadonlyMap<string, HeaderCodec>): void {
  const { dest, meta } = record
  state.lastQueueNumber = Math.max(state.lastQueueNumber, dest)
  switch (record.kind) {
    case RecordKind.message:
      applyMessage(state, record, codecs)
      break
    case RecordKind.settled:
      state.messages.get(readSettledMeta(meta))?.holders.delete(dest)
      break
    case RecordKind.sessionOpened: {
      const bindings = state.sessions.get(dest)?.bindings ?? new Map<string, LoggedBinding>()
      state.sessions.set(dest, { session: readJsonMeta<LoggedSession>(meta), bindings })
      break
    }
    case RecordKind.queueEnded:
      state.sessions.delete(dest)
      for (const { holders } of state.messages.values()) holders.delete(dest)
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
      if ((state.retained.get(topic) ?? 0) <= lsn) state.retained.delete(topic)
      break
    }
    default:
      throw new Error(`log record ${record.lsn} has kind ${record.kind}, which this broker does not know: start the newer broker`)
  }
}

function applyMessage(state: ReplayedState, record: Stored, codecs: ReadonlyMap<string, HeaderCodec>): void {
  const logged = readMessageMeta(record.meta)
  const codec = codecs.get(logged.codecId)
  if (codec === undefined) {
    throw new Error(`log record ${record.lsn} has headers of format '${logged.codecId}', which no adapter of this broker reads`)
  }
  const message = new Message({
    topic: logged.topic,
    codec,
    bytes: record.body!,
    start: record.bodyStart,
    headerStart: record.bodyStart,
    bodyStart: record.bodyStart + logged.headerBytes,
    end: record.bodyEnd,
    assurance: logged.assurance,
    durable: logged.durable,
    retain: logged.retain,
    expiresAtMs: logged.expiresAtMs,
    publisher: logged.publisher,
  })
  message.lsn = record.lsn
  state.messages.set(record.lsn, { message, holders: new Set(logged.queues) })
  if (!logged.retain) return
  if (message.end > message.bodyStart) state.retained.set(logged.topic, record.lsn)
  else state.retained.delete(logged.topic)
}

/** Makes the state the virtual host's. Its log is open; it has no sessions yet. */
export function restore(vhost: VirtualHost, state: ReplayedState): void {
  const queues = new Map<number, Queue>()
  const matchers = new Map<number, ReturnType<VirtualHost['sessions']['restore']>>()
  for (const [number, { session: logged, bindings }] of state.sessions) {
    const session = vhost.sessions.restore(logged, number)
    queues.set(number, session.queue)
    matchers.set(number, session)
    for (const [key, binding] of bindings) {
      session.restoreBinding(key, binding)
      if (binding.groupQueue !== undefined && binding.groupQueue !== 0) {
        const queue = vhost.shared.find(key)!
        queue.number = binding.groupQueue
        queues.set(queue.number, queue)
      }
    }
  }
  for (const [lsn, { message, holders }] of state.messages) {
    const route = vhost.router.routeOf(message.topic)
    for (const number of holders) {
      const queue = queues.get(number)
      if (queue === undefined) continue
      message.logRefs++
      const match = matchers.get(number)?.matchFor(route.levels)
      queue.restore(message, match ?? { data: [], assuranceMax: message.assurance, memo: undefined })
    }
    if (state.retained.get(message.topic) === lsn) {
      message.logRefs++
      vhost.retained.set(route.levels, message)
    }
    if (message.logRefs === 0) vhost.log.releaseUnheld(message)
  }
  for (const session of matchers.values()) session.startOffline()
  vhost.router.forgetTargets()
}
