/**
 * A message on its way to the queues that want it, for those who publish in a log group of their own: the schedule and transactions.
 * It says what the log has to know, counts against the limits of full queues while it is on its way, and arrives when it is committed.
 * The way of a single publish is `Producer`'s.
 */
import type { Durability, LogRecord } from '@ternmq/store'
import { queueNameOf } from '../routing/address.ts'
import type { Traffic } from '../counters.ts'
import { unweigh, weighUnderWay } from '../flow/admission.ts'
import { messageRecord } from '../log/message-record.ts'
import { Message, type MessageFields } from '../message/message.ts'
import { durableQueues, mayBeDelivered, type Route, type Target, targetsOf } from '../routing/router.ts'
import type { VirtualHost } from '../virtual-host.ts'

const NO_QUEUES: readonly number[] = []

export class RoutedMessage {
  readonly message: Message
  readonly route: Route
  readonly targets: readonly Target[]
  readonly #vhost: VirtualHost
  readonly #from: Traffic
  readonly #queues: readonly number[]
  /** Durable queues, and the retained set: who has to let go of it before the log may. */
  readonly #holders: number
  #isUnderWay = false

  /** Routed now, to all targets of the route or some of them; it counts for `from`. The message is detached. */
  constructor(vhost: VirtualHost, route: Route, message: Message, from: Traffic, targets: readonly Target[] = targetsOf(route)) {
    this.#vhost = vhost
    this.#from = from
    this.route = route
    this.message = message
    this.targets = targets
    if (route.hasTtl) route.limitLife(message, vhost.env.clock.wallMs())
    const mustLog = vhost.mustLog(route, message)
    this.#queues = mustLog ? durableQueues(this.targets, message) : NO_QUEUES
    this.#holders = this.#queues.length + (mustLog && message.retain ? 1 : 0)
  }

  get isLogged(): boolean {
    return this.#holders > 0
  }

  get durability(): Durability {
    return this.route.durability
  }

  /** Only where it is logged. */
  record(): LogRecord {
    return messageRecord(this.message, this.#queues, mayBeDelivered(this.targets))
  }

  /** From here until it arrives or does not, it has its place in queues that can be full. */
  depart(): void {
    if (!this.route.hasLimits) return
    this.#isUnderWay = true
    this.#weigh(1)
  }

  /** It is published, with its place in the log where it is logged. */
  arrive(lsn: number): 'routed' | 'unmatched' {
    this.abandon()
    if (this.#holders > 0) {
      this.message.lsn = lsn
      if (this.#holders > 1) this.#vhost.log.hold(lsn, this.#holders)
    }
    return this.#vhost.publishTo(this.targets, this.route, this.message, this.#from)
  }

  /** It gives its place up. */
  abandon(): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    this.#weigh(-1)
  }

  /** As `abandon`, in the call in which it departed. */
  putBack(): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    unweigh(this.targets, this.message)
  }

  #weigh(sign: 1 | -1): void {
    weighUnderWay(this.#vhost, this.targets, this.message, sign)
  }
}

/** The route to an address in core form, be it a topic's or a queue's. */
export function routeTo(vhost: VirtualHost, address: string): Route {
  const queue = queueNameOf(address)
  return queue === undefined ? vhost.router.routeOf(address) : vhost.destinations.routeOf(queue)
}

/** The same headers and body in another message. It has no frame: what a frame says besides may be wrong now. */
export function remade(message: Message, changes: Partial<MessageFields>): Message {
  const { topic, codec, bytes, headerStart, bodyStart, end, assurance, durable, retain, expiresAtMs, publisher, priority, extras } = message
  const other = new Message({
    topic,
    codec,
    bytes,
    start: headerStart,
    headerStart,
    bodyStart,
    end,
    assurance,
    durable,
    retain,
    expiresAtMs,
    publisher,
    priority,
    extras,
    ...changes,
  })
  other.trace = message.trace
  return other
}
