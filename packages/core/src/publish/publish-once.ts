/**
 * Publishes with an id, of which a queue with a duplicate window takes one only. The ids are in the log in the group of the message:
 * they last as it does, and longer than it. A duplicate is acknowledged like the first one, and not before it.
 */
import type { LogRecord } from '@ternmq/store'
import type { LogGroup } from '../log/host-log.ts'
import { messageRecord } from '../log/message-record.ts'
import { jsonRecord, RecordKind } from '../log/records.ts'
import type { Message } from '../message/message.ts'
import type { Producer, PublishOptions, PublishResult } from './producer.ts'
import { NO_QUEUES, pendingOf } from './publish-logged.ts'
import type { Queue } from '../queue/queue.ts'
import { durableQueues, mayBeDelivered, type Route, type Target, targetsOf } from '../routing/router.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** All queues of the route have had a message with the id of this publish. */
export function isKnownId(vhost: VirtualHost, route: Route, options: PublishOptions | undefined): boolean {
  if (options?.dedupId === undefined || options.schedule !== undefined) return false
  return isDuplicate(targetsOf(route), options.dedupId, vhost.env.clock.wallMs())
}

/** As the first one was answered, which may be on its way to the log still. */
export function answerDuplicate(producer: Producer, vhost: VirtualHost, route: Route, id: string, tag: number): 'routed' | 'pending' {
  const { log, env } = vhost
  producer.traffic.counters.duplicates++
  if (log.isIdle && !producer.isPending) return 'routed'
  producer.enter()
  log.follow(new DuplicatePublish(producer, targetsOf(route), id, tag, () => env.clock.wallMs()))
  return 'pending'
}

/**
 * To the queues that have not had a message with this id. A large body goes as it is: while it would be brought into the log in
 * pieces, nobody could say what a duplicate has to wait for.
 */
export function publishOnce(
  producer: Producer,
  vhost: VirtualHost,
  route: Route,
  message: Message,
  tag: number,
  options: PublishOptions,
  id: string,
): PublishResult {
  const nowMs = vhost.env.clock.wallMs()
  const targets = unseenTargets(targetsOf(route), id, nowMs)
  const isLogged = vhost.mustLog(route, message)
  const queues = isLogged ? durableQueues(targets, message) : NO_QUEUES
  const holders = queues.length + (isLogged && message.retain ? 1 : 0)
  rememberId(targets, id, nowMs)
  if (holders === 0 && !producer.isPending) return vhost.publishTo(targets, route, message, producer.traffic)
  message.detach()
  const receivedId = producer.lastingId(options.receivedId)
  const ids = holders === 0 ? [] : idRecords(targets, id, nowMs)
  const pending = pendingOf(producer, vhost, targets, route, message, tag, holders, receivedId)
  const group = new OncePublish(pending, ids.length, targets, id)
  if (holders === 0) vhost.log.follow(group)
  else {
    const record = messageRecord(message, queues, mayBeDelivered(targets))
    vhost.log.appendAll([record, ...producer.receivedRecords(receivedId), ...ids], group, route.durability)
  }
  return 'pending'
}

/** All of its queues have had a message with this id. */
export function isDuplicate(targets: readonly Target[], id: string, nowMs: number): boolean {
  return targets.length > 0 && targets.every(({ queue }) => queue.duplicates?.has(id, nowMs) === true)
}

/** Those that have not had it. */
export function unseenTargets(targets: readonly Target[], id: string, nowMs: number): readonly Target[] {
  return targets.filter(({ queue }) => queue.duplicates?.has(id, nowMs) !== true)
}

export function rememberId(targets: readonly Target[], id: string, nowMs: number): void {
  for (const { queue } of targets) queue.duplicates?.seen(id, nowMs)
}

/** One for each durable queue that remembers ids. */
export function idRecords(targets: readonly Target[], id: string, atMs: number): LogRecord[] {
  const records: LogRecord[] = []
  for (const { queue } of targets) {
    if (queue.number === 0 || queue.duplicates === undefined) continue
    records.push(jsonRecord(RecordKind.duplicates, queue.number, { ids: [id], atMs }))
  }
  return records
}

/** The first one with its id: when it cannot be kept, the next one is no duplicate. */
export class OncePublish implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #publish: LogGroup
  readonly #targets: readonly Target[]
  readonly #id: string

  /** `publish` has the first record of the group, `idCount` follow. */
  constructor(publish: LogGroup, idCount: number, targets: readonly Target[], id: string) {
    for (const { queue } of targets) queue.duplicates?.doubt(id)
    this.recordCount = publish.recordCount + idCount
    this.#publish = publish
    this.#targets = targets
    this.#id = id
  }

  onCommitted(lsn: number): void {
    for (const { queue } of this.#targets) queue.duplicates?.confirm(this.#id)
    this.#publish.onCommitted(lsn)
  }

  onRefused(text: string, isFinal: boolean): void {
    for (const { queue } of this.#targets) queue.duplicates?.forget(this.#id)
    this.#publish.onRefused(text, isFinal)
  }
}

interface Claim {
  readonly targets: readonly Target[]
  readonly id: string
  readonly isLogged: boolean
}

/** Ids of messages that are published together, several perhaps with the same: a queue takes the first one of each. */
export class GroupIds {
  readonly #claims: Claim[] = []
  readonly #queuesById = new Map<string, Set<Queue>>()
  #isSubmitted = false

  /** Those that have not had a message with this id, and get none with this group so far. */
  unseen(targets: readonly Target[], id: string, nowMs: number): readonly Target[] {
    const queues = this.#queuesById.get(id)
    return unseenTargets(targets, id, nowMs).filter(({ queue }) => queues?.has(queue) !== true)
  }

  /** They get one with this group. */
  claim(targets: readonly Target[], id: string, isLogged: boolean): void {
    const queues = this.#queuesById.get(id) ?? new Set<Queue>()
    for (const { queue } of targets) if (queue.duplicates !== undefined) queues.add(queue)
    this.#queuesById.set(id, queues)
    this.#claims.push({ targets, id, isLogged })
  }

  /** From now on the ids are taken, by others as well; `confirm` or `forget` follows. Adds their records to those of the group. */
  submit(records: LogRecord[], nowMs: number): void {
    this.#isSubmitted = true
    for (const { targets, id, isLogged } of this.#claims) {
      rememberId(targets, id, nowMs)
      for (const { queue } of targets) queue.duplicates?.doubt(id)
      if (isLogged) records.push(...idRecords(targets, id, nowMs))
    }
  }

  confirm(): void {
    for (const { targets, id } of this.#claims) for (const { queue } of targets) queue.duplicates?.confirm(id)
  }

  /** The group is not published: its ids are free. */
  forget(): void {
    if (!this.#isSubmitted) return
    for (const { targets, id } of this.#claims) for (const { queue } of targets) queue.duplicates?.forget(id)
  }
}

/** A duplicate that waits for the outcome of the first one, which may be on its way to the log. */
export class DuplicatePublish implements LogGroup {
  ticket = 0
  readonly recordCount = 0
  readonly #producer: Producer
  readonly #targets: readonly Target[]
  readonly #id: string
  readonly #tag: number
  readonly #nowMs: () => number

  constructor(producer: Producer, targets: readonly Target[], id: string, tag: number, nowMs: () => number) {
    this.#producer = producer
    this.#targets = targets
    this.#id = id
    this.#tag = tag
    this.#nowMs = nowMs
  }

  onCommitted(): void {
    if (isDuplicate(this.#targets, this.#id, this.#nowMs())) return this.#producer.settle(this.#tag, 'routed')
    const text = `the first message with the id '${this.#id}' could not be kept, and this one was taken for its duplicate; send it again`
    const subject = this.#targets[0]!.queue.name
    this.#producer.refusal = { refusal: 'limit-reached', subject, text }
    this.#producer.settle(this.#tag, 'refused')
  }

  /** It asked the log for nothing. */
  onRefused(): void {
    this.onCommitted()
  }
}
