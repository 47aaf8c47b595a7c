/**
 * A link on which the peer receives: credit that it gives, deliveries cut into frames that it takes, as far as its session's window and
 * its socket allow. Where they come from is a subclass' business. [AMQP10 §2.6.7, §2.6.14]
 */
import type { Message } from '@ternmq/core'
import type { FlowFields } from '../codec/decode-flow.ts'
import { AmqpFault } from '../codec/faults.ts'
import { TRANSFER_HEAD_BYTES_MAX, TransferOut, writeTransfer } from '../codec/frames-out.ts'
import type { Attach, DeliveryState } from '../codec/performatives.ts'
import { OutgoingMessage, prepareOutgoing } from '../message/message-out.ts'
import type { AmqpSession } from '../session.ts'
import type { Link, LinkEnd } from './link.ts'

/** What is said of a message beside the message. */
export interface Outgoing {
  readonly message: Message
  readonly redelivered: boolean
  readonly retained: boolean
  readonly failedCount: number
}

// Reused: nothing of them is kept when a message has been written.
const prepared = new OutgoingMessage()
const transfer = new TransferOut()

/** A message of which not all frames have gone. */
interface Partial {
  readonly deliveryId: number
  readonly isSettled: boolean
  /** What goes before the message's own bytes. */
  readonly prefix: Uint8Array
  readonly bytes: Uint8Array
  /** Next of `prefix` and `bytes` together, and where they end. */
  at: number
  readonly start: number
  readonly end: number
}

/** Serial numbers: behind, where the difference has the highest bit. [RFC 1982] */
const SERIAL_HALF = 0x8000_0000

export abstract class OutboundLink implements Link {
  readonly direction = 'outbound'
  readonly session: AmqpSession
  readonly name: string
  readonly handle: number
  /** What becomes of deliveries that the peer settles without an outcome. [AMQP10 §3.5.3] */
  readonly defaultOutcome: DeliveryState | undefined
  /** All is settled by being sent, or nothing. */
  protected readonly sendsSettled: boolean
  protected readonly sendsUnsettled: boolean
  readonly #maxMessageBytes: number
  /** The peer has not told all deliveries that it has: it gets nothing new before it has attached again. [AMQP10-2.7.3-k] */
  readonly #sendsNothing: boolean
  /** What a flow costs, in deliveries that are looked up: all that it reads from is asked. */
  work = 1
  isDetaching = false
  isDraining = false
  deliveryCount: number
  credit = 0
  #partial: Partial | undefined = undefined
  /** It cannot be told yet whether there is more: there is no room for it. */
  #isDrainStalled = false

  constructor(session: AmqpSession, attach: Attach) {
    this.session = session
    this.deliveryCount = session.connection.adapter.settings.firstNumber
    this.name = attach.name
    this.handle = attach.handle
    this.defaultOutcome = attach.source?.defaultOutcome
    this.sendsSettled = attach.senderSettleMode === 'settled'
    this.sendsUnsettled = attach.senderSettleMode === 'unsettled'
    this.#maxMessageBytes = attach.maxMessageBytes
    this.#sendsNothing = attach.incompleteUnsettled
  }

  /** There may be room again, or credit: more goes out if there is something. */
  abstract wake(): void

  /** Calls `then` once, when there is nothing more for the peer now. */
  protected abstract whenIdle(then: () => void): void

  protected abstract onEnd(how: LinkEnd): void

  get available(): number {
    return 0
  }

  /** Hot path. */
  get hasRoom(): boolean {
    return (
      this.credit > 0 &&
      this.session.outgoingWindow > 0 &&
      this.#partial === undefined &&
      this.session.connection.transport.writable
    )
  }

  // ── flow ──

  /** [AMQP10 §2.6.7] */
  onFlow({ deliveryCount, linkCredit, drain, transactionId }: FlowFields): void {
    if (transactionId !== undefined) {
      throw new AmqpFault(
        'link',
        'amqp:not-implemented',
        'flow: txn-id: what a link brings cannot be part of a transaction; settle it in one',
        'AMQP10-4.4.3-a',
      )
    }
    this.session.connection.spend(this.work)
    if (linkCredit >= 0) {
      const from = deliveryCount < 0 ? this.session.connection.adapter.settings.firstNumber : deliveryCount
      const credit = (from + linkCredit - this.deliveryCount) >>> 0
      // Below 0: it has taken credit back while deliveries were under way.
      const isBehind = credit >= SERIAL_HALF && linkCredit < SERIAL_HALF
      this.credit = isBehind || this.#sendsNothing ? 0 : credit
    }
    const isDraining = drain && this.credit > 0
    if (drain && this.credit === 0) this.session.writeLinkFlow(this)
    const wasDraining = this.isDraining
    this.isDraining = isDraining
    if (this.credit > 0) this.wake()
    if (isDraining && !wasDraining) this.#drain()
  }

  /** Credit that nothing can be sent for is used up. [AMQP10 §2.6.7 drain] */
  #drain(): void {
    this.whenIdle(() => {
      if (!this.isDraining || this.isDetaching || this.session.connection.isEnded) return
      if (this.credit > 0 && !this.hasRoom) {
        this.#isDrainStalled = true
        return
      }
      // Messages have used up all of it: the client sees that by itself, may have given more meanwhile, and would take this for its answer.
      if (this.credit === 0) {
        this.isDraining = false
        return
      }
      this.deliveryCount = (this.deliveryCount + this.credit) >>> 0
      this.credit = 0
      this.session.writeLinkFlow(this)
      this.isDraining = false
    })
  }

  // ── transfers ──

  /** Returns the delivery's id; -1 when the peer takes no message so large. Ids have no gaps: some clients count. Hot path. */
  protected send(outgoing: Outgoing, isSettled: boolean, address?: string): number {
    const { session } = this
    const { connection } = session
    const { adapter, transport } = connection
    const { message } = outgoing
    const nowMs = message.expiresAtMs === 0 ? 0 : adapter.vhost.env.clock.wallMs()
    prepareOutgoing(outgoing, nowMs, adapter.spell, prepared, address)
    const { prefix, prefixEnd, bytes, start, end } = prepared
    const size = prefixEnd + end - start
    if (this.#maxMessageBytes > 0 && size > this.#maxMessageBytes) return -1
    const deliveryId = session.nextDeliveryId()
    this.credit--
    this.deliveryCount = (this.deliveryCount + 1) >>> 0
    if (size > connection.peerFrameBytesMax - TRANSFER_HEAD_BYTES_MAX) {
      this.#begin(outgoing, deliveryId, isSettled)
      return deliveryId
    }
    session.countTransfer()
    transfer.channel = session.channel
    transfer.handle = this.handle
    transfer.deliveryId = deliveryId
    transfer.tag = deliveryId
    transfer.settled = isSettled
    transfer.more = false
    transfer.isFirst = true
    transfer.state = undefined
    writeTransfer(transport, transfer, prefix, 0, prefixEnd, bytes, start, end, message.isDetached)
    return deliveryId
  }

  /** In several frames: what does not go now goes when there is room. */
  #begin({ message }: Outgoing, deliveryId: number, isSettled: boolean): void {
    const prefix = prepared.prefix.slice(0, prepared.prefixEnd)
    const { bytes } = prepared
    if (bytes === message.bytes && !message.isDetached) {
      const moved = message.start
      const { start, end } = prepared
      message.detach()
      const by = message.start - moved
      this.#partial = { deliveryId, isSettled, prefix, bytes: message.bytes, at: 0, start: start + by, end: end + by }
    } else this.#partial = { deliveryId, isSettled, prefix, bytes, at: 0, start: prepared.start, end: prepared.end }
    this.#sendFrames(this.#partial)
  }

  /** There may be room: a message that has begun goes on. */
  goOn(): void {
    if (this.isDetaching) return
    if (this.#partial !== undefined) {
      this.#sendFrames(this.#partial)
      if (this.#partial === undefined) this.wake()
    }
    if (!this.#isDrainStalled || !this.hasRoom) return
    this.#isDrainStalled = false
    this.#drain()
  }

  #sendFrames(partial: Partial): void {
    const { session } = this
    const { transport, peerFrameBytesMax } = session.connection
    const room = peerFrameBytesMax - TRANSFER_HEAD_BYTES_MAX
    const { prefix, bytes, start } = partial
    const total = prefix.length + partial.end - start
    while (session.outgoingWindow > 0 && transport.writable) {
      const to = Math.min(total, partial.at + room)
      session.countTransfer()
      transfer.channel = session.channel
      transfer.handle = this.handle
      transfer.deliveryId = partial.deliveryId
      transfer.tag = partial.deliveryId
      transfer.settled = partial.isSettled
      transfer.more = to < total
      transfer.isFirst = partial.at === 0
      transfer.state = undefined
      const prefixStart = Math.min(partial.at, prefix.length)
      const prefixEnd = Math.min(to, prefix.length)
      const from = start + Math.max(0, partial.at - prefix.length)
      writeTransfer(
        transport,
        transfer,
        prefix,
        prefixStart,
        prefixEnd,
        bytes,
        from,
        start + Math.max(0, to - prefix.length),
        true,
      )
      partial.at = to
      if (to < total) continue
      this.#partial = undefined
      return
    }
  }

  end(how: LinkEnd): void {
    this.#partial = undefined
    // Of several queues one is left before the other, which may get what the first gives up.
    this.credit = 0
    this.onEnd(how)
  }
}
