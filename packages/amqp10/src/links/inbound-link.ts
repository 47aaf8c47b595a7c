/**
 * A link on which the peer sends: it gets credit, puts together what comes in several transfers, and hands on whole deliveries. What they
 * are is a subclass' business. [AMQP10 §2.6.7, §2.6.14]
 */
import type { Producer } from '@ternmq/core'
import type { FlowFields } from '../codec/decode-flow.ts'
import type { TransferFields } from '../codec/decode-transfer.ts'
import { AmqpFault } from '../codec/faults.ts'
import { copyOf } from '../codec/parts.ts'
import type { Attach, DeliveryState, ReceiverSettleMode, SenderSettleMode } from '../codec/performatives.ts'
import type { AmqpSession } from '../session.ts'
import type { Link, LinkEnd } from './link.ts'

/** Room for the first pieces of a message. */
const PARTIAL_BYTES_MIN = 4_096

const NO_BYTES = new Uint8Array(0)

/** A message of which not all transfers have come. */
interface Partial {
  readonly deliveryId: number
  readonly tag: Uint8Array
  readonly messageFormat: number
  bytes: Uint8Array
  size: number
  isSettled: boolean
  readonly receiverSettleMode: ReceiverSettleMode | undefined
  state: DeliveryState | undefined
  readonly sinceTick: number
}

/** When a delivery is settled: it was when it came, when it is told its outcome, or once its sender has heard that. [AMQP10 §2.8.3] */
export const Settling = { bySender: 0, withOutcome: 1, afterSender: 2 } as const
export type Settling = (typeof Settling)[keyof typeof Settling]

export abstract class InboundLink implements Link {
  readonly direction = 'inbound'
  readonly session: AmqpSession
  readonly name: string
  readonly handle: number
  readonly receiverSettleMode: ReceiverSettleMode
  readonly #senderSettleMode: SenderSettleMode
  /** The peer's source has said that it understands this outcome, or nothing. [AMQP10-3.5.3-h] */
  protected readonly takesRejected: boolean
  isDetaching = false
  isCreditDue = false
  deliveryCount: number
  credit = 0
  readonly available = -1
  readonly isDraining = false
  /** Deliveries without an outcome: they count as used credit. */
  protected pendingCount = 0
  #partial: Partial | undefined = undefined
  /** Where the tag of the delivery that is being handed on lies. */
  #tagBytes: Uint8Array = NO_BYTES
  #tagStart = 0
  #tagEnd = 0

  constructor(
    session: AmqpSession,
    { name, handle, initialDeliveryCount, senderSettleMode, receiverSettleMode, source }: Attach,
  ) {
    this.session = session
    this.name = name
    this.handle = handle
    this.#senderSettleMode = senderSettleMode
    this.receiverSettleMode = receiverSettleMode
    const outcomes = source?.outcomes ?? []
    this.takesRejected = outcomes.length === 0 || outcomes.includes('amqp:rejected:list')
    this.deliveryCount = initialDeliveryCount ?? 0
  }

  /** Where its messages are published; undefined for one that publishes nothing. */
  abstract get producer(): Producer | undefined

  /** A whole delivery; its bytes are good during the call. Hot path. */
  protected abstract onDelivery(
    deliveryId: number,
    settling: Settling,
    state: DeliveryState | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void

  protected abstract onEnd(how: LinkEnd): void

  /** Hot path. */
  onTransfer(transfer: TransferFields, bytes: Uint8Array, start: number, end: number): void {
    if (this.#partial !== undefined) return this.#goOn(this.#partial, transfer, bytes, start, end)
    const { deliveryId } = transfer
    this.#beginDelivery(transfer)
    if (transfer.aborted) return this.renewCredit()
    if (transfer.more) return this.#collect(deliveryId, transfer, bytes, start, end)
    this.#checkSize(end - start)
    const isSettled = transfer.settled === true
    this.#checkSettled(isSettled)
    this.#noteTag(bytes, transfer.tagStart, transfer.tagEnd)
    this.onDelivery(deliveryId, this.#settlingOf(isSettled, transfer.receiverSettleMode), transfer.state, bytes, start, end)
    this.renewCredit()
  }

  #beginDelivery({ deliveryId, hasTag, messageFormat, resume, receiverSettleMode, settled }: TransferFields): void {
    if (this.credit === 0) {
      throw new AmqpFault(
        'link',
        'amqp:link:transfer-limit-exceeded',
        `link '${this.name}' has no credit for another delivery; wait for a flow`,
        'AMQP10-2.6.7-h',
      )
    }
    if (deliveryId < 0)
      throw new AmqpFault(
        'link',
        'amqp:invalid-field',
        'transfer: delivery-id is missing; the first transfer of a delivery has one',
        'AMQP10-2.7.5-a',
      )
    if (!hasTag)
      throw new AmqpFault(
        'link',
        'amqp:invalid-field',
        'transfer: delivery-tag is missing; the first transfer of a delivery has one',
        'AMQP10-2.7.5-a',
      )
    if (resume)
      throw new AmqpFault(
        'link',
        'amqp:not-implemented',
        'transfer: resume, but no delivery of an earlier link is kept; send it as a new one',
      )
    if (messageFormat > 0) {
      throw new AmqpFault(
        'link',
        'amqp:not-implemented',
        `transfer: message-format is ${messageFormat}; messages of format 0 are taken`,
        'AMQP10-2.6.11-a',
      )
    }
    if (receiverSettleMode === 'second' && this.receiverSettleMode === 'first' && settled !== true) {
      throw new AmqpFault(
        'link',
        'amqp:invalid-field',
        'transfer: rcv-settle-mode is second; the link was attached with first',
        'AMQP10-2.7.5-h',
      )
    }
    this.credit--
    this.deliveryCount = (this.deliveryCount + 1) >>> 0
  }

  /** The first of several transfers. */
  #collect(deliveryId: number, transfer: TransferFields, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.#checkSize(size)
    const { connection } = this.session
    const room = new Uint8Array(Math.max(PARTIAL_BYTES_MIN, size * 2))
    room.set(bytes.subarray(start, end))
    this.#partial = {
      deliveryId,
      tag: copyOf(bytes.subarray(transfer.tagStart, transfer.tagEnd)),
      messageFormat: transfer.messageFormat,
      bytes: room,
      size,
      isSettled: transfer.settled === true,
      receiverSettleMode: transfer.receiverSettleMode,
      state: transfer.state,
      sinceTick: connection.adapter.wheel.tick,
    }
    connection.notePartial(room.length)
  }

  #goOn(partial: Partial, transfer: TransferFields, bytes: Uint8Array, start: number, end: number): void {
    if (transfer.deliveryId >= 0 && transfer.deliveryId !== partial.deliveryId) {
      const text = `transfer: delivery-id ${transfer.deliveryId} begins while delivery ${partial.deliveryId} has not ended; end it, or abort it`
      throw new AmqpFault('link', 'amqp:not-allowed', text, 'AMQP10-2.7.5-b')
    }
    if (!isSameDelivery(partial, transfer, bytes)) {
      throw new AmqpFault(
        'link',
        'amqp:not-allowed',
        `transfer: delivery ${partial.deliveryId} goes on with another delivery-tag or message-format`,
        'AMQP10-2.7.5-b',
      )
    }
    if (transfer.aborted) {
      this.#dropPartial()
      return this.renewCredit()
    }
    const size = partial.size + end - start
    this.#checkSize(size)
    if (size > partial.bytes.length) {
      const room = new Uint8Array(Math.max(size, partial.bytes.length * 2))
      room.set(partial.bytes.subarray(0, partial.size))
      this.session.connection.notePartial(room.length - partial.bytes.length)
      partial.bytes = room
    }
    partial.bytes.set(bytes.subarray(start, end), partial.size)
    partial.size = size
    if (transfer.settled === true) partial.isSettled = true
    if (!isSameTransaction(partial.state, transfer.state)) {
      throw new AmqpFault('link', 'amqp:not-allowed', `transfer: delivery ${partial.deliveryId} goes on in another transaction than it began`, 'AMQP10-4.4.1-b')
    }
    partial.state ??= transfer.state
    if (transfer.more) return
    this.#dropPartial()
    this.#checkSettled(partial.isSettled)
    this.#noteTag(partial.tag, 0, partial.tag.length)
    this.onDelivery(partial.deliveryId, this.#settlingOf(partial.isSettled, partial.receiverSettleMode), partial.state, partial.bytes, 0, size)
    this.renewCredit()
  }

  #noteTag(bytes: Uint8Array, start: number, end: number): void {
    this.#tagBytes = bytes
    this.#tagStart = start
    this.#tagEnd = end
  }

  /** Of the delivery that `onDelivery` is called for, during the call. */
  protected get deliveryTag(): Uint8Array {
    return this.#tagBytes.subarray(this.#tagStart, this.#tagEnd)
  }

  /** A delivery may say it in place of its link. [AMQP10-2.7.5-g] */
  #settlingOf(isSettled: boolean, mode: ReceiverSettleMode = this.receiverSettleMode): Settling {
    if (isSettled) return Settling.bySender
    return mode === 'first' ? Settling.withOutcome : Settling.afterSender
  }

  /** What was agreed on holds for every delivery. [AMQP10 §2.7.5] */
  #checkSettled(isSettled: boolean): void {
    const mode = this.#senderSettleMode
    if (mode === 'mixed' || isSettled === (mode === 'settled')) return
    const text = `transfer: settled is ${isSettled}; the link was attached with snd-settle-mode ${mode}`
    throw new AmqpFault('link', 'amqp:invalid-field', text, isSettled ? 'AMQP10-2.7.5-e' : 'AMQP10-2.7.5-d')
  }

  #checkSize(size: number): void {
    const { maxMessageBytes } = this.session.connection.adapter.settings
    if (maxMessageBytes === 0 || size <= maxMessageBytes) return
    throw new AmqpFault(
      'link',
      'amqp:link:message-size-exceeded',
      `a message has ${size} bytes or more; max-message-size is ${maxMessageBytes}`,
      'AMQP10-2.7.3-g',
    )
  }

  #dropPartial(): void {
    if (this.#partial === undefined) return
    this.session.connection.notePartial(-this.#partial.bytes.length)
    this.#partial = undefined
  }

  /** Whether a delivery has begun that is part of this transaction. */
  hasUnfinished(transactionId: Uint8Array): boolean {
    const state = this.#partial?.state
    return state?.kind === 'transactional' && Buffer.compare(state.transactionId, transactionId) === 0
  }

  /** A message that began more than `limitMs` ago and has not ended ends the link. */
  checkPartial(limitMs: number): void {
    if (this.#partial === undefined || this.session.connection.adapter.silentMs(this.#partial.sinceTick) < limitMs)
      return
    this.session.detach(
      this,
      new AmqpFault(
        'link',
        'amqp:resource-limit-exceeded',
        `a message has begun and not ended within amqp.messageTimeoutMs ${limitMs}`,
      ),
    )
  }

  /** Says so when half of the credit is used up and there is room for more. Hot path. */
  renewCredit(): void {
    const { linkCredit } = this.session.connection.adapter.settings
    if ((this.credit + this.pendingCount) * 2 > linkCredit || this.isCreditDue || this.isDetaching) return
    if (this.session.connection.isPressed) return
    const { producer } = this
    if (producer?.isBlocked === true) return producer.whenUnblocked(() => this.renewCredit())
    this.credit = linkCredit - this.pendingCount
    this.isCreditDue = true
    this.session.scheduleCredit(this)
  }

  /** What a sender says of its link: how much it has is no use here, and its count is checked by every transfer. */
  onFlow(_flow: FlowFields): void {}

  end(how: LinkEnd): void {
    this.#dropPartial()
    this.onEnd(how)
  }
}

/** A later transfer may name again what the first has said. */
function isSameDelivery({ tag, messageFormat }: Partial, transfer: TransferFields, bytes: Uint8Array): boolean {
  if (transfer.messageFormat >= 0 && transfer.messageFormat !== Math.max(0, messageFormat)) return false
  return !transfer.hasTag || Buffer.compare(bytes.subarray(transfer.tagStart, transfer.tagEnd), tag) === 0
}

/** A later transfer may leave its state out. */
function isSameTransaction(before: DeliveryState | undefined, now: DeliveryState | undefined): boolean {
  if (now?.kind !== 'transactional') return true
  return before?.kind === 'transactional' && Buffer.compare(before.transactionId, now.transactionId) === 0
}
