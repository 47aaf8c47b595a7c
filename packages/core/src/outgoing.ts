/**
 * Messages that are published together or not at all: those of a transaction, or one message to all destinations of a composite. They
 * take their places in queues that can be full, say what one group of the log has to hold, and arrive when that is committed.
 */
import type { LogRecord } from '@ternmq/store'
import { type Obstacle, obstacleTo } from './flow/admission.ts'
import type { Message } from './message.ts'
import { remade, RoutedMessage } from './routed-message.ts'
import { type Route, targetsOf } from './router.ts'
import type { ScheduleOptions } from './schedule/options.ts'
import type { ScheduledPublish } from './schedule/scheduled.ts'
import type { VirtualHost } from './virtual-host.ts'

/** A publish that waits for its group. Its bytes are its own. */
export interface OutgoingPublish {
  readonly route: Route
  readonly message: Message
  readonly schedule: ScheduleOptions | undefined
  /** Unix ms of the publish: delays count from there. */
  readonly atMs: number
}

export class Outgoing {
  readonly #vhost: VirtualHost
  readonly #members: (RoutedMessage | ScheduledPublish)[] = []
  /** Somebody had one of them, or the schedule has it. */
  isWanted = false

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
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
      this.abandon()
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

  /** They are published, the logged ones from `lsn` on. Returns the lsn after theirs. */
  arrive(lsn: number): number {
    let next = lsn
    for (const member of this.#members) if (member.arrive(member.isLogged ? next++ : 0) !== 'unmatched') this.isWanted = true
    return next
  }

  /** They give up their places. */
  abandon(): void {
    for (const member of this.#members) member.abandon()
    this.#members.length = 0
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
      const obstacle = this.#take({ ...publish, route: part, message: copy })
      if (obstacle !== undefined) return obstacle
    }
    return undefined
  }

  #take({ route, message, schedule, atMs }: OutgoingPublish): Obstacle | undefined {
    if (schedule !== undefined) {
      const planned = this.#vhost.schedule.plan(route, message, schedule, atMs)
      if (!planned.ok) return inTheWay(planned.detail.text)
      this.#members.push(planned.value)
      return undefined
    }
    const obstacle = obstacleTo(this.#vhost, route, message, this.#vhost.mustLog(route, message))
    if (obstacle !== undefined) return obstacle
    const routed = new RoutedMessage(this.#vhost, route, message)
    routed.depart()
    this.#members.push(routed)
    return undefined
  }
}

/** Waiting does not help. */
function inTheWay(text: string): Obstacle {
  return { place: 'memory', mayWait: false, waitMsMax: 0, text: () => text }
}
