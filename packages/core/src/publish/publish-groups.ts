/**
 * Publishes that wait for the log, and answers that wait for their turn behind them. The producer decides which of them it takes.
 */
import { weighUnderWay } from '../flow/admission.ts'
import type { LogGroup } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import type { Producer } from './producer.ts'
import type { RefusalDetail } from '../refusal.ts'
import type { Route, Target } from '../routing/router.ts'
import type { ScheduledPublish } from '../schedule/scheduled.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** A refusal that waits for its turn. */
export class RefusedPublish implements LogGroup {
  ticket = 0
  readonly recordCount = 0
  readonly #producer: Producer
  readonly #refusal: RefusalDetail
  readonly #tag: number

  constructor(producer: Producer, refusal: RefusalDetail, tag: number) {
    this.#producer = producer
    this.#refusal = refusal
    this.#tag = tag
  }

  onCommitted(): void {
    this.#producer.refusal = this.#refusal
    this.#producer.settle(this.#tag, 'refused')
  }

  /** It asked the log for nothing. */
  onRefused(): void {
    this.onCommitted()
  }
}

/** A publish that the schedule will have once it is in the log. */
export class PendingSchedule implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #producer: Producer
  readonly #scheduled: ScheduledPublish
  readonly #tag: number
  readonly #receivedId: number | undefined

  constructor(producer: Producer, scheduled: ScheduledPublish, tag: number, receivedId: number | undefined) {
    this.#producer = producer
    this.#scheduled = scheduled
    this.#tag = tag
    this.#receivedId = receivedId
    this.recordCount = scheduled.isLogged ? recordCountOf(receivedId) : 0
  }

  onCommitted(lsn: number): void {
    this.#scheduled.arrive(lsn)
    if (this.recordCount > 0 && this.#receivedId !== undefined) this.#producer.onReceived(this.#receivedId)
    this.#producer.settle(this.#tag, 'routed')
  }

  onRefused(text: string): void {
    this.#scheduled.abandon()
    this.#producer.refusal = { refusal: 'limit-reached', subject: this.#scheduled.address, text }
    this.#producer.settle(this.#tag, 'refused')
  }
}

/** Its message, and the id that it was received with. */
function recordCountOf(receivedId: number | undefined): number {
  return receivedId === undefined ? 1 : 2
}

/** A publish that waits for its record, or for its turn behind one. */
export class PendingPublish implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #holders: number
  readonly #receivedId: number | undefined
  readonly #producer: Producer
  readonly #vhost: VirtualHost
  readonly #targets: readonly Target[]
  readonly #route: Route
  readonly #message: Message
  readonly #tag: number
  /** Its queues know that it is on its way to them. */
  readonly #isWeighed: boolean

  constructor(
    producer: Producer,
    vhost: VirtualHost,
    targets: readonly Target[],
    route: Route,
    message: Message,
    tag: number,
    holders: number,
    receivedId: number | undefined,
  ) {
    this.#producer = producer
    this.#vhost = vhost
    this.#targets = targets
    this.#route = route
    this.#message = message
    this.#tag = tag
    this.#holders = holders
    this.#receivedId = receivedId
    this.recordCount = holders > 0 ? recordCountOf(receivedId) : 0
    this.#isWeighed = route.hasLimits
    if (this.#isWeighed) weighUnderWay(vhost, targets, message, 1)
  }

  onCommitted(lsn: number): void {
    const message = this.#message
    if (this.#holders > 0) {
      message.lsn = lsn
      if (this.#holders > 1) this.#vhost.log.hold(lsn, this.#holders)
      if (this.#receivedId !== undefined) this.#producer.onReceived(this.#receivedId)
    }
    if (this.#isWeighed) weighUnderWay(this.#vhost, this.#targets, message, -1)
    this.#producer.settle(this.#tag, this.#vhost.publishTo(this.#targets, this.#route, message, this.#producer.traffic), message.size)
  }

  onRefused(text: string): void {
    if (this.#isWeighed) weighUnderWay(this.#vhost, this.#targets, this.#message, -1)
    this.#producer.refusal = { refusal: 'limit-reached', subject: this.#route.topic, text }
    this.#producer.settle(this.#tag, 'refused', this.#message.size)
  }
}
