/**
 * Shared subscriptions: a queue that everybody of the group can see. It exists while it has members; what a leaving member
 * had not settled goes to the others.
 */
import type { BindingSpec } from './bindings.ts'
import { Consumer } from '../queue/consumer.ts'
import type { Match } from '../queue/delivery.ts'
import type { Binding } from '../routing/router.ts'
import { endingWith } from '../log/groups.ts'
import { jsonRecord, RecordKind } from '../log/records.ts'
import { Queue } from '../queue/queue.ts'
import type { Session } from './session.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** A shared subscription that has members. */
export interface SharedGroup {
  readonly queue: Queue
  readonly binding: Binding
}

export class SharedSubscriptions {
  readonly #vhost: VirtualHost
  readonly #groups = new Map<string, SharedGroup>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  get count(): number {
    return this.#groups.size
  }

  /** A new member. `match` has the member's own assurance and data; the group's binding takes the highest there is. */
  join(key: string, shareName: string, spec: BindingSpec, member: Session, match: Match): Consumer {
    let group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, (group = this.#open(shareName, spec)))
    // One member that outlives its connection is enough: the group's messages have to last, then.
    if (member.isDurable && group.queue.number === 0) {
      group.queue.enterLog(this.#vhost.log.newQueueNumber())
      this.#vhost.router.forgetTargets()
    }
    const consumer = new Consumer(group.queue, member.pool, match)
    group.queue.addConsumer(consumer)
    return consumer
  }

  /** A member gets nothing more. What it has begun it still has to finish, or `giveUp`. [MQTT5-3.10.4-3] */
  leave(key: string, consumer: Consumer): void {
    consumer.detach()
    const group = this.#groups.get(key)
    if (group === undefined) return
    group.queue.removeConsumer(consumer)
    if (group.queue.consumers.length > 0) return
    this.#groups.delete(key)
    this.#vhost.router.unbind(group.binding)
    const held = group.queue.close()
    const { number } = group.queue
    if (number !== 0) this.#vhost.log.endQueue(jsonRecord(RecordKind.queueEnded, number, {}), endingWith(held))
  }

  /**
   * The session of a member, present or past, has ended: the others get what it did not acknowledge. Not exactly-once deliveries
   * that it had begun: those end here. [MQTT5-4.8.2-5]
   */
  giveUp(consumer: Consumer): void {
    for (const delivery of [...consumer.unsettled()].reverse()) {
      consumer.settle(delivery, delivery.assurance === 2 ? 'rejected' : 'released')
    }
  }

  all(): IterableIterator<SharedGroup> {
    return this.#groups.values()
  }

  *queues(): Generator<Queue> {
    for (const { queue } of this.#groups.values()) yield queue
  }

  /** Queue of a group that there is; undefined for none. */
  find(key: string): Queue | undefined {
    return this.#groups.get(key)?.queue
  }

  /** The queue holds what its best member may get; each member's own assurance applies when it is handed over. */
  #open(shareName: string, spec: BindingSpec): SharedGroup {
    const queue = new Queue(this.#vhost, `$share/${shareName}`, this.#vhost.subscriptionSettings, true)
    const binding: Binding = { pattern: spec.pattern.levels, queue, assuranceMax: 2, exceptFrom: undefined, data: {} }
    this.#vhost.router.bind(binding)
    return { queue, binding }
  }
}
