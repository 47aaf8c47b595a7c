/** A link on which a client consumes from queues, topics or a subscription. */
import { type BindingData, type Delivery, type DeliverySink, type Queue, QUEUE_PREFIX, type Receiver } from '@ternmq/core'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach } from '../codec/performatives.ts'
import type { AmqpSession } from '../session.ts'
import type { LinkEnd } from './link.ts'
import { OutboundLink } from './outbound-link.ts'

export const NO_DATA: BindingData = {}
/** Marks what comes from a queue: its address is the queue, wherever the message was sent to at first. */
export const FROM_QUEUE: BindingData = { queue: true }

export class ConsumerLink extends OutboundLink implements DeliverySink {
  /** One for each part of a list. Set once the core has opened them. */
  receivers: readonly Receiver[] = []
  /** What has to go with the link: a subscription that is closed and not just detached, a temporary destination. */
  onEnded: ((how: LinkEnd) => void) | undefined = undefined

  /** The queue that the last message came from, and its core name. */
  #lastQueue: Queue | undefined = undefined
  #lastAddress = ''

  constructor(session: AmqpSession, attach: Attach) {
    super(session, attach)
    session.connection.consumerCount++
  }

  get acknowledges(): boolean {
    return !this.sendsSettled
  }

  // ── DeliverySink ──

  /** Hot path. */
  get writable(): boolean {
    return this.hasRoom
  }

  get creditLeft(): number {
    return this.credit
  }

  get wantsNothing(): boolean {
    return this.credit === 0
  }

  /** Hot path. */
  deliver(delivery: Delivery): boolean {
    // One that is settled by being sent goes unsettled where the client wants all so: its word is then waited for by nobody.
    const address = delivery.match.data[0] === FROM_QUEUE ? this.#addressOf(delivery.consumer!.queue) : undefined
    const id = this.send(delivery, delivery.assurance === 0 && !this.sendsUnsettled, address)
    if (id < 0) return false
    if (delivery.assurance === 0) return true
    delivery.protocolState = id
    this.session.unsettled.set(id, delivery)
    return true
  }

  #addressOf(queue: Queue): string | undefined {
    if (queue !== this.#lastQueue) {
      this.#lastQueue = queue
      this.#lastAddress = QUEUE_PREFIX + queue.name
    }
    return this.#lastAddress
  }

  /** [AMQP10 §2.8.15] */
  onQueueDeleted(queue: string): void {
    this.session.detach(this, new AmqpFault('link', 'amqp:resource-deleted', `queue '${queue}' has been deleted; attach again to read from a new one`, 'AMQP10-2.8.15-e'))
  }

  onAccessLost(text: string): void {
    this.session.detach(this, new AmqpFault('link', 'amqp:unauthorized-access', text, ''))
  }

  endSlow(text: string): void {
    this.session.connection.refuse('amqp:resource-limit-exceeded', text)
  }

  // ── OutboundLink ──

  wake(): void {
    for (const receiver of this.receivers) receiver.wake()
  }

  protected whenIdle(then: () => void): void {
    let left = this.receivers.length
    if (left === 0) return then()
    for (const receiver of this.receivers) receiver.whenIdle(() => void (--left === 0 && then()))
  }

  protected onEnd(how: LinkEnd): void {
    const { unsettled, connection } = this.session
    connection.consumerCount--
    for (const receiver of this.receivers) {
      // Not all that the session has not settled: that may be very much, and none of it this link's.
      for (const { protocolState: id } of receiver.unsettled()) unsettled.delete(id)
      receiver.close(how === 'lost' ? connection.session.parting : 'goodbye')
    }
    this.onEnded?.(how)
  }
}
