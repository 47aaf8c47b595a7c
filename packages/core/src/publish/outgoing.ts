/**
 * Messages that are published together or not at all: those of a transaction, or one message to all destinations of a composite. They
 * take their places in queues that can be full, say what one group of the log has to hold, and arrive when that is committed.
 */
import type { LogRecord } from '@ternmq/store'
import type { Subject } from '../authorizer.ts'
import type { Traffic } from '../counters.ts'
import { LOG_WAIT_MS_MAX, type Obstacle, obstacleTo } from '../flow/admission.ts'
import type { Message } from '../message/message.ts'
import { GroupIds } from './publish-once.ts'
import { remade, RoutedMessage } from './routed-message.ts'
import { type Route, type Target, targetsOf } from '../routing/router.ts'
import type { ScheduleOptions } from '../schedule/options.ts'
import type { ScheduledPublish } from '../schedule/scheduled.ts'
import type { PublishTrace } from '../tracing/tracer.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** A publish that waits for its group. Its bytes are its own. */
export interface OutgoingPublish {
  readonly route: Route
  readonly message: Message
  readonly schedule: ScheduleOptions | undefined
  /** See `PublishOptions.dedupId`. */
  readonly dedupId?: string | undefined
  /** Of one that somebody follows, and that is answered with its transaction. */
  readonly trace?: PublishTrace | undefined
  /** Unix ms of the publish: delays count from there. */
  readonly atMs: number
}

export class Outgoing {
  readonly #vhost: VirtualHost
  readonly #from: Traffic
  readonly #subject: Subject
  readonly #members: (RoutedMessage | ScheduledPublish)[] = []
  /** Made for the first message with an id. */
  #ids: GroupIds | undefined = undefined
  /** Messages that all of their queues have had. */
  #duplicateCount = 0
  /** Somebody had one of them, or the schedule has it. */
  isWanted = false

  /** What is published counts for `from`, and is `subject`'s. */
  constructor(vhost: VirtualHost, from: Traffic, subject: Subject) {
    this.#vhost = vhost
    this.#from = from
    this.#subject = subject
  }

  /**
   * Routes the messages, to whoever wants them now, and takes their places: all of them, or none. Returns what is in the way. A message
   * for an address that leads to several becomes one for each.
   */
  load(publishes: readonly OutgoingPublish[]): Obstacle | undefined {
    for (const publish of publishes) {
      const { route } = publish
      targetsOf(route)
      const obstacle = route.parts === undefined ? this.#take(publish) : this.#takeParts(publish, route.parts)
      if (obstacle === undefined) continue
      const text = obstacle.text() // now, while what goes before it counts
      this.#putBack()
      return { ...obstacle, text: () => text }
    }
    return undefined
  }

  /** Adds their records to those of the group; `arrive` counts on this order. True when one of them must be synced. */
  addTo(records: LogRecord[]): boolean {
    let isSynced = false
    for (const member of this.#members) {
      if (!member.isLogged) continue
      records.push(member.record())
      if (member.durability === 'fsync-local') isSynced = true
    }
    return isSynced
  }

  /** Adds what the log has to know of their ids, behind all records that `arrive` counts. From here on the ids are taken. */
  addIdsTo(records: LogRecord[]): void {
    this.#ids?.submit(records, this.#vhost.env.clock.wallMs())
  }

  /** They are published, the logged ones from `lsn` on. Returns the lsn after theirs. */
  arrive(lsn: number): number {
    let next = lsn
    this.#ids?.confirm()
    this.#from.counters.duplicates += this.#duplicateCount
    if (this.#duplicateCount > 0) this.isWanted = true // as the first ones were
    for (const member of this.#members) if (member.arrive(member.isLogged ? next++ : 0) !== 'unmatched') this.isWanted = true
    return next
  }

  /** They give up their places. */
  abandon(): void {
    for (const member of this.#members) member.abandon()
    this.#forget()
  }

  /** As `abandon`, in the call that took them. */
  #putBack(): void {
    for (const member of this.#members) member.putBack()
    this.#forget()
  }

  #forget(): void {
    this.#members.length = 0
    this.#ids?.forget()
  }

  /** Each destination's message has its name and its time to live. */
  #takeParts(publish: OutgoingPublish, parts: readonly Route[]): Obstacle | undefined {
    const { route, message } = publish
    if (route.flaw !== undefined) return inTheWay(route.flaw.text)
    for (const part of parts) {
      const copy = remade(message, { topic: part.topic })
      copy.detach()
      targetsOf(part)
      if (part.hasTtl) part.limitLife(copy, publish.atMs)
      const obstacle = this.#take({ ...publish, route: part, message: copy }, route)
      if (obstacle !== undefined) return obstacle
    }
    return undefined
  }

  #take({ route, message, schedule, dedupId, atMs }: OutgoingPublish, composite?: Route): Obstacle | undefined {
    if (schedule !== undefined) {
      const planned = this.#vhost.schedule.plan(route, message, schedule, { subject: this.#subject, composite }, atMs)
      if (!planned.ok) return inTheWay(planned.detail.text)
      this.#members.push(planned.value)
      return undefined
    }
    if (dedupId !== undefined) return this.#takeOnce(route, message, dedupId)
    return this.#depart(route, message, targetsOf(route))
  }

  /** For the queues that have not had its id. It waits while nobody knows whether one of them has. */
  #takeOnce(route: Route, message: Message, id: string): Obstacle | undefined {
    const all = targetsOf(route)
    const unsure = all.find(({ queue }) => queue.duplicates?.isInDoubt(id) === true)
    if (unsure !== undefined) {
      const text = (): string => `a message with the id '${id}' is on its way to ${unsure.queue.name}, and is not in the log yet`
      return { place: 'log', mayWait: true, waitMsMax: LOG_WAIT_MS_MAX, text }
    }
    const ids = (this.#ids ??= new GroupIds())
    const targets = ids.unseen(all, id, this.#vhost.env.clock.wallMs())
    if (targets.length === 0 && all.length > 0) {
      this.#duplicateCount++
      return undefined
    }
    return this.#depart(route, message, targets, id)
  }

  #depart(route: Route, message: Message, targets: readonly Target[], id?: string): Obstacle | undefined {
    const obstacle = obstacleTo(this.#vhost, route, message, this.#vhost.mustLog(route, message))
    if (obstacle !== undefined) return obstacle
    const routed = new RoutedMessage(this.#vhost, route, message, this.#from, targets)
    routed.depart()
    if (id !== undefined) this.#ids!.claim(targets, id, routed.isLogged)
    this.#members.push(routed)
    return undefined
  }
}

/** Waiting does not help. */
function inTheWay(text: string): Obstacle {
  return { place: 'memory', mayWait: false, waitMsMax: 0, text: () => text }
}
