/** One SUBSCRIBE: its receivers, how it acknowledges, and what it has been sent. */
import type { Delivery, DeliverySink, Receiver } from '@ternmq/core'
import { type MessageHead, messageHead } from './codec/encode.ts'
import type { StompConnection } from './connection.ts'
import { writeDelivery } from './message-out.ts'
import { spellDestination } from './names.ts'

/** auto: settled by being sent. client: ACK settles all up to it. client-individual: one. [STOMP12-SUBSCRIBE_ack_Header-a] */
export type AckMode = 'auto' | 'client' | 'client-individual'

/** A message that waits for its ACK or NACK. */
export interface Held {
  readonly delivery: Delivery
  readonly subscription: Subscription
}

/** Destinations that one subscription gets messages of, for wildcards; beyond it their heads are made again. */
const HEADS_MAX = 1_024

export class Subscription implements DeliverySink {
  /** As MESSAGE says it; undefined for one of 1.0 without an id. [STOMP10-SUBSCRIBE-e] */
  readonly id: string | undefined
  readonly mode: AckMode
  /** As the client wrote it. */
  readonly #destination: string
  readonly #client: StompConnection
  readonly #heads = new Map<string, MessageHead>()
  #lastTopic = ''
  #lastHead: MessageHead | undefined = undefined
  receivers: readonly Receiver[] = []
  /** Core name of the one address that it reads from; undefined for patterns and lists. */
  address: string | undefined = undefined
  /** It looks only; set while it does. */
  stopBrowsing: (() => void) | undefined = undefined

  constructor(client: StompConnection, id: string | undefined, mode: AckMode, destination: string) {
    this.#client = client
    this.id = id
    this.#destination = destination
    this.mode = mode
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
    if (delivery.assurance > 0) client.held.set(tag, { delivery, subscription: this })
    writeDelivery(client, this.headFor(delivery.message.topic), tag, delivery)
    return true
  }

  endSlow(text: string): void {
    this.#client.refuse(text, '')
  }

  /** What all MESSAGE frames of this subscription and address begin with. Hot path. */
  headFor(topic: string): MessageHead {
    if (topic === this.#lastTopic) return this.#lastHead!
    let head = this.#heads.get(topic)
    if (head === undefined) {
      const { adapter, version, idPrefix } = this.#client
      // Its own word for it, where it has one: who sends with that word sees the same again. [STOMP12-MESSAGE-a]
      const destination = topic === this.address ? this.#destination : spellDestination(topic, adapter.settings.profile)
      const hasAck = version === 12 && this.acknowledges
      head = messageHead({ destination, subscription: this.id, idPrefix, hasAck }, version)
      if (this.#heads.size >= HEADS_MAX) this.#heads.clear()
      this.#heads.set(topic, head)
    }
    this.#lastTopic = topic
    this.#lastHead = head
    return head
  }

  /** What it has been sent up to `tag` and not settled, oldest first. */
  heldUpTo(tag: number): (readonly [tag: number, held: Held])[] {
    const held: (readonly [number, Held])[] = []
    for (const entry of this.#client.held) {
      if (entry[0] > tag) break
      if (entry[1].subscription === this) held.push(entry)
    }
    return held
  }

  /** Nothing more comes; what it has not settled goes back. */
  close(): void {
    this.onConnectionClosed()
    for (const [tag, { subscription }] of this.#client.held) if (subscription === this) this.#client.held.delete(tag)
    for (const receiver of this.receivers) receiver.close()
  }

  onConnectionClosed(): void {
    this.stopBrowsing?.()
    this.stopBrowsing = undefined
  }
}
