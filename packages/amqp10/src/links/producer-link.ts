/** A link on which a client publishes: to one address, or to the one that each message names. [AMQP10 §3.2, §3.4] */
import type {
  Message,
  Producer,
  ProducerTarget,
  PublishOptions,
  PublishOwner,
  PublishResult,
  RefusalDetail,
  Result,
} from '@ternmq/core'
import { encodeState, rejectedState } from '../codec/encode-state.ts'
import { AmqpFault } from '../codec/faults.ts'
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

interface Made {
  target: ProducerTarget
  message: Message
  options: PublishOptions | undefined
}

/** Reused: good until the next message. */
const lastMade: { readonly ok: true; readonly value: Made } = {
  ok: true,
  value: { target: undefined as never, message: undefined as never, options: undefined },
}

function made(target: ProducerTarget, message: Message, options: PublishOptions | undefined): Result<Made> {
  const { value } = lastMade
  value.target = target
  value.message = message
  value.options = options
  return lastMade
}

/** Whoever has not logged in has a name, too, that no login has verified. */
function refuseUser(userId: string, userName: string, isAnonymous: boolean): Result<Made> {
  const rule = isAnonymous
    ? 'this connection has not logged in, so leave it out'
    : `it is the name that this connection logged in with, '${userName}', or is left out`
  const text = `properties: user-id is '${userId}'; ${rule}`
  return { ok: false, detail: { refusal: 'not-authorized', subject: userName, text } }
}

/**
 * Annotations, properties and application properties of one message. Selectors, the console and receivers of other protocols read all of
 * them at once: 1 MiB of short ones takes 100 ms and 30 MB.
 */
const HEAD_BYTES_MAX: number = 256 * 1024

function refuseHead(bytes: number): Result<Made> {
  const text = `annotations, properties and application-properties have ${bytes} bytes; at most ${HEAD_BYTES_MAX} are taken, put the rest into the body`
  return { ok: false, detail: { refusal: 'limit-reached', subject: 'message', text } }
}

/** The tag of a publish holds the delivery id, and how it is settled. */
const SETTLINGS = 4

export class ProducerLink extends InboundLink implements PublishOwner {
  readonly producer: Producer
  /** Where all its messages go; undefined where each says it. */
  readonly #target: ProducerTarget | undefined
  readonly #relay: Relay | undefined
  readonly #onLinkEnd: ((how: LinkEnd) => void) | undefined

  /** `address` in core form, several for a list; undefined for a link whose messages say where they go. */
  constructor(
    session: AmqpSession,
    attach: Attach,
    addresses: readonly string[] | undefined,
    onLinkEnd?: (how: LinkEnd) => void,
  ) {
    super(session, attach)
    this.producer = session.connection.session.openProducer(this)
    this.#onLinkEnd = onLinkEnd
    if (addresses === undefined) this.#relay = new Relay(session.connection, this.producer)
    else
      this.#target = addresses.length === 1 ? this.producer.target(addresses[0]!) : this.producer.targetOfAll(addresses)
  }

  /** Why nothing may be sent there; asked before the link is there. */
  get refusal(): RefusalDetail | undefined {
    return this.#target === undefined ? undefined : this.producer.refusalOf(this.#target)
  }

  /** Hot path. */
  protected onDelivery(
    deliveryId: number,
    settling: Settling,
    state: DeliveryState | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    readSections(bytes, start, end, sections)
    const found = this.#make(bytes, end)
    const { connection } = this.session
    if (!found.ok) {
      if (state?.kind === 'transactional') connection.transactions.spoil(state.transactionId, found.detail)
      return this.#reject(deliveryId, settling, found.detail, state)
    }
    const { target, message, options } = found.value
    if (state?.kind === 'transactional') {
      const refusal = connection.transactions.publish(state.transactionId, target, message, options)
      if (refusal !== undefined) return this.#reject(deliveryId, settling, refusal, state)
      if (settling !== Settling.bySender)
        this.session.conclude(
          deliveryId,
          settling === Settling.withOutcome,
          encodeState({ ...state, outcome: { kind: 'accepted' } }),
        )
      return
    }
    const result = this.producer.publish(target, message, deliveryId * SETTLINGS + settling, options)
    if (result === 'pending') {
      this.pendingCount++
      connection.begin()
      return
    }
    if (result === 'unmatched' && target.unheardAt !== target.route.generation)
      connection.adapter.hints.noteUnheard(connection, target)
    this.#conclude(deliveryId, settling, result)
  }

  /** The message of `sections`, and where it goes. What is wrong with one message does not end its link. */
  #make(bytes: Uint8Array, end: number): Result<Made> {
    const { connection } = this.session
    const headBytes = sections.bodyStart - sections.keptStart
    if (headBytes > HEAD_BYTES_MAX) return refuseHead(headBytes)
    try {
      const facts = readIncoming(sections, bytes)
      const { userId } = facts
      // Nobody speaks for somebody else. [AMQP10 §3.2.4]
      if (userId !== undefined) {
        const { name, anonymous } = connection.session.principal
        if (anonymous || userId !== name) return refuseUser(userId, name, anonymous)
      }
      let target = this.#target
      if (target === undefined) {
        const found = this.#relay!.targetOf(facts.to)
        if (!found.ok) return found
        target = found.value
      }
      const nowMs = connection.adapter.vhost.env.clock.wallMs()
      const message = toMessage(facts, sections, bytes, end, target.route.topic, connection.clientId, nowMs)
      return made(target, message, optionsOf(facts))
    } catch (error) {
      if (!(error instanceof AmqpFault) || error.condition !== 'amqp:invalid-field') throw error
      return { ok: false, detail: { refusal: 'invalid-body', subject: this.name, text: error.message } }
    }
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
    if (result === 'unmatched' && this.session.connection.adapter.settings.profile === 'rabbitmq')
      this.session.conclude(deliveryId, settles, RELEASED_STATE)
    else this.session.accept(deliveryId, settles)
  }

  #reject(deliveryId: number, settling: Settling, { refusal, text }: RefusalDetail, state?: DeliveryState): void {
    const condition = conditionOf(refusal)
    if (settling === Settling.bySender) return this.#refuseSettled(condition, text, state)
    if (!this.takesRejected) return this.session.detach(this, new AmqpFault('link', condition, text, 'AMQP10-3.5.3-h'))
    const outcome =
      state?.kind === 'transactional'
        ? encodeState({ ...state, outcome: { kind: 'rejected', error: { condition, description: text } } })
        : rejectedState(condition, text)
    this.session.conclude(deliveryId, settling === Settling.withOutcome, outcome)
  }

  /**
   * Of a message that was settled by being sent nobody waits to hear: operators do. Who sends anywhere hears by losing the link, who does
   * it in a transaction by its discharge.
   */
  #refuseSettled(condition: AmqpFault['condition'], text: string, state: DeliveryState | undefined): void {
    if (this.#relay === undefined || state?.kind === 'transactional')
      return this.session.connection.hint(`a message sent as settled was refused: ${text}`)
    const info = { 'delivery-tag': Buffer.from(this.deliveryTag).toString('hex') }
    this.session.detach(this, new AmqpFault('link', condition, text, 'AMQPANON-2.2.2-b', info))
  }

  protected onEnd(how: LinkEnd): void {
    this.#onLinkEnd?.(how)
  }
}
