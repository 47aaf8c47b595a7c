/** One SUBSCRIBE: its receivers, how it acknowledges, and what it has been sent. */
import { type BindingData, type Delivery, type DeliverySink, type Queue, QUEUE_PREFIX, type Receiver } from '@ternmq/core'
import { type MessageHead, messageHead } from './codec/encode.ts'
import type { StompConnection } from './connection.ts'
import { writeDelivery } from './message-out.ts'
import { spellDestination } from './names.ts'
import { UnsettledTags } from './unsettled-tags.ts'

/** auto: settled by being sent. client: ACK settles all up to it. client-individual: one. [STOMP12-SUBSCRIBE_ack_Header-b] */
export type AckMode = 'auto' | 'client' | 'client-individual'

/** A message that waits for its ACK or NACK. */
export interface Held {
  readonly delivery: Delivery
  readonly subscription: Subscription
}

/** Marks what comes from a queue: its destination is the queue, wherever the message was sent to at first. */
export const FROM_QUEUE: BindingData = { queue: true }
export const FROM_TOPIC: BindingData = {}

/** Destinations that one subscription gets messages of, for wildcards; beyond it their heads are made again. */
const HEADS_MAX = 1_024

/** What MESSAGE frames begin with, by the topic of the message. */
class Heads {
  readonly #make: (topic: string) => MessageHead
  readonly #heads = new Map<string, MessageHead>()
  #lastTopic = ''
  #last: MessageHead | undefined = undefined

  constructor(make: (topic: string) => MessageHead) {
    this.#make = make
  }

  /** Hot path. */
  for(topic: string): MessageHead {
    if (topic === this.#lastTopic) return this.#last!
    let head = this.#heads.get(topic)
    if (head === undefined) {
      head = this.#make(topic)
      if (this.#heads.size >= HEADS_MAX) this.#heads.clear()
      this.#heads.set(topic, head)
    }
    this.#lastTopic = topic
    this.#last = head
    return head
  }
}

export class Subscription implements DeliverySink {
  /** As MESSAGE says it; undefined for one of 1.0 without an id. [STOMP10-SUBSCRIBE-e] */
  readonly id: string | undefined
  /** No other subscription of the connection has it, or had it. */
  readonly number: number
  readonly mode: AckMode
  /** As the client wrote it. */
  readonly destination: string
  readonly #client: StompConnection
  readonly #heads: Heads
  /** Of messages that need no ACK where others do. */
  #settledHeads: Heads | undefined = undefined
  /** Only where an ACK settles several. */
  readonly #tags: UnsettledTags | undefined
  /** The queue that the last message came from, and its core name. */
  #lastQueue: Queue | undefined = undefined
  #lastQueueName = ''
  receivers: readonly Receiver[] = []
  /** Core name of the one address that it reads from; undefined for patterns and lists. */
  address: string | undefined = undefined
  /** It looks only; set while it does. */
  stopBrowsing: (() => void) | undefined = undefined

  constructor(client: StompConnection, id: string | undefined, mode: AckMode, destination: string) {
    this.#client = client
    this.id = id
    this.number = client.nextSubscription()
    this.mode = mode
    this.destination = destination
    this.#tags = mode === 'client' ? new UnsettledTags() : undefined
    this.#heads = new Heads((topic) => this.#makeHead(topic, ''))
  }

  get acknowledges(): boolean {
    return this.mode !== 'auto'
  }

  get isCumulative(): boolean {
    return this.mode === 'client'
  }

  // ── DeliverySink ──

  get writable(): boolean {
    return this.#client.transport.writable
  }

  /** Hot path. */
  deliver(delivery: Delivery): boolean {
    const client = this.#client
    const tag = client.nextTag()
    const topic = delivery.match.data[0] === FROM_QUEUE ? this.#nameOf(delivery.consumer!.queue) : delivery.message.topic
    if (delivery.assurance > 0) {
      client.held.set(tag, { delivery, subscription: this })
      delivery.protocolState = tag
      this.#tags?.add(tag)
    } else if (this.acknowledges) {
      writeDelivery(client, this.#settledHeadFor(topic), tag, delivery)
      return true
    }
    writeDelivery(client, this.headFor(topic), tag, delivery)
    return true
  }

  #nameOf(queue: Queue): string {
    if (queue !== this.#lastQueue) {
      this.#lastQueue = queue
      this.#lastQueueName = QUEUE_PREFIX + queue.name
    }
    return this.#lastQueueName
  }

  /** STOMP has no word for the end of one subscription. [STOMP12-ERROR-b] */
  onAccessLost(text: string): void {
    this.#client.refuse(`SUBSCRIBE to ${this.destination} has ended: ${text}`, '')
  }

  endSlow(text: string): void {
    this.#client.refuse(text, '')
  }

  /** What all MESSAGE frames of this subscription and address begin with. Hot path. */
  headFor(topic: string): MessageHead {
    return this.#heads.for(topic)
  }

  /** Of messages that are looked at only: there is nothing to settle. */
  browsedHeadFor(topic: string): MessageHead {
    return this.acknowledges ? this.#settledHeadFor(topic) : this.headFor(topic)
  }

  /** A client in an acknowledging mode acknowledges all it gets: the id says what there is to do. */
  #settledHeadFor(topic: string): MessageHead {
    this.#settledHeads ??= new Heads((each) => this.#makeHead(each, `s${this.number}-`))
    return this.#settledHeads.for(topic)
  }

  #makeHead(topic: string, mark: string): MessageHead {
    const { adapter, version, idPrefix } = this.#client
    // Its own word for it, where it has one: who sends with that word sees the same again. [STOMP12-MESSAGE-a]
    const destination = topic === this.address ? this.destination : spellDestination(topic, adapter.settings.profile)
    const hasAck = version === 12 && this.acknowledges
    const head = messageHead({ destination, subscription: this.id, idPrefix: idPrefix + mark, hasAck }, version)
    return hasAck && mark !== '' ? { ...head, ack: Buffer.concat([head.ack, Buffer.from(mark)]) } : head
  }

  /** Of what it has been sent up to `tag`, what nothing has settled yet, no open transaction either, oldest first: to be settled now. */
  takeUpTo(tag: number): number[] {
    return this.#tags?.takeUpTo(tag) ?? []
  }

  /** The transaction that settled them was rolled back. */
  putBack(tags: readonly number[]): void {
    this.#tags?.putBack(tags)
  }

  /** Nothing more comes; what it has not settled goes back. */
  close(): void {
    this.onConnectionClosed()
    const { held } = this.#client
    for (const receiver of this.receivers) {
      // Not all that the connection holds: that may be very much, and none of it this subscription's.
      for (const { protocolState: tag } of receiver.unsettled()) held.delete(tag)
      receiver.close('goodbye')
    }
    this.#tags?.clear()
  }

  onConnectionClosed(): void {
    this.stopBrowsing?.()
    this.stopBrowsing = undefined
  }
}
