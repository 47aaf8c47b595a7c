/** A link on which a client publishes: to one address, or to the one that each message names. [AMQP10 §3.2, §3.4] */
import type { Producer, ProducerTarget, PublishOwner, PublishResult, RefusalDetail } from '@ternmq/core'
import { encodeState, rejectedState } from '../codec/encode-state.ts'
import { type Attach, type DeliveryState, RELEASED } from '../codec/performatives.ts'
import { optionsOf, readIncoming, toMessage } from '../message/message-in.ts'
import { readSections, Sections } from '../message/sections.ts'
import { conditionOf } from '../refusals.ts'
import type { AmqpSession } from '../session.ts'
import { InboundLink, Settling } from './inbound-link.ts'
import type { LinkEnd } from './link.ts'
import { Relay } from './relay.ts'

// Reused: nothing of them is kept when a message has been handled.
const sections = new Sections()

const RELEASED_STATE = encodeState(RELEASED)

/** The tag of a publish holds the delivery id, and how it is settled. */
const SETTLINGS = 4

export class ProducerLink extends InboundLink implements PublishOwner {
  readonly producer: Producer
  /** Where all its messages go; undefined where each says it. */
  readonly #target: ProducerTarget | undefined
  readonly #relay: Relay | undefined
  readonly #onLinkEnd: ((how: LinkEnd) => void) | undefined

  /** `address` in core form, several for a list; undefined for a link whose messages say where they go. */
  constructor(session: AmqpSession, attach: Attach, addresses: readonly string[] | undefined, onLinkEnd?: (how: LinkEnd) => void) {
    super(session, attach)
    this.producer = session.connection.session.openProducer(this)
    this.#onLinkEnd = onLinkEnd
    if (addresses === undefined) this.#relay = new Relay(session.connection, this.producer)
    else this.#target = addresses.length === 1 ? this.producer.target(addresses[0]!) : this.producer.targetOfAll(addresses)
  }

  /** Why nothing may be sent there; asked before the link is there. */
  get refusal(): RefusalDetail | undefined {
    return this.#target === undefined ? undefined : this.producer.refusalOf(this.#target)
  }

  /** Hot path. */
  protected onDelivery(deliveryId: number, settling: Settling, state: DeliveryState | undefined, bytes: Uint8Array, start: number, end: number): void {
    const { connection } = this.session
    readSections(bytes, start, end, sections)
    const facts = readIncoming(sections, bytes)
    const { userId } = facts
    if (userId !== undefined && userId !== connection.userName) { // nobody speaks for somebody else [AMQP10 §3.2.4]
      const text = `properties: user-id is '${userId}'; it is the name that this connection logged in with, '${connection.userName}', or is left out`
      return this.#reject(deliveryId, settling, { refusal: 'not-authorized', subject: connection.userName, text })
    }
    let target = this.#target
    if (target === undefined) {
      const found = this.#relay!.targetOf(facts.to)
      if (!found.ok) return this.#reject(deliveryId, settling, found.detail)
      target = found.value
    }
    const nowMs = connection.adapter.vhost.env.clock.wallMs()
    const message = toMessage(facts, sections, bytes, end, target.route.topic, connection.clientId, nowMs)
    const options = optionsOf(facts)
    if (state?.kind === 'transactional') {
      const refusal = connection.transactions.publish(state.transactionId, target, message, options)
      if (refusal !== undefined) return this.#reject(deliveryId, settling, refusal)
      if (settling !== Settling.bySender) this.session.conclude(deliveryId, settling === Settling.withOutcome, encodeState({ ...state, outcome: { kind: 'accepted' } }))
      return
    }
    const result = this.producer.publish(target, message, deliveryId * SETTLINGS + settling, options)
    if (result === 'pending') {
      this.pendingCount++
      connection.begin()
      return
    }
    if (result === 'unmatched' && target.unheardAt !== target.route.generation) connection.adapter.noteUnheard(connection, target)
    this.#conclude(deliveryId, settling, result)
  }

  // ── PublishOwner ──

  /** Hot path of durable messages. */
  onPublishSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.pendingCount--
    const { connection } = this.session
    if (!this.isDetaching && !connection.isEnded) {
      this.#conclude(Math.floor(tag / SETTLINGS), (tag % SETTLINGS) as Settling, result)
      this.renewCredit()
    }
    connection.settled()
  }

  #conclude(deliveryId: number, settling: Settling, result: Exclude<PublishResult, 'pending'>): void {
    if (result === 'refused') return this.#reject(deliveryId, settling, this.producer.refusal!)
    if (settling === Settling.bySender) return
    const settles = settling === Settling.withOutcome
    // RabbitMQ's clients hear that nobody wanted it.
    if (result === 'unmatched' && this.session.connection.adapter.settings.profile === 'rabbitmq') this.session.conclude(deliveryId, settles, RELEASED_STATE)
    else this.session.accept(deliveryId, settles)
  }

  /** Of a message that was settled by being sent nobody waits to hear: operators do. */
  #reject(deliveryId: number, settling: Settling, { refusal, text }: RefusalDetail): void {
    if (settling === Settling.bySender) return this.session.connection.hint(`a message sent as settled was refused: ${text}`)
    this.session.conclude(deliveryId, settling === Settling.withOutcome, rejectedState(conditionOf(refusal), text))
  }

  protected onEnd(how: LinkEnd): void {
    this.#onLinkEnd?.(how)
  }
}
