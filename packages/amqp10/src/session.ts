/**
 * One AMQP session: the windows in both directions, which link gets which frame, and the numbers of deliveries. What ends with it are its
 * links and what they had not settled. [AMQP10 §2.5]
 */
import type { Delivery, Producer } from '@ternmq/core'
import { decodeAttach, decodeBegin, decodeDetach, decodeEnd } from './codec/decode-control.ts'
import { decodeDisposition, DispositionFields } from './codec/decode-disposition.ts'
import { decodeFlow, FlowFields } from './codec/decode-flow.ts'
import { decodeTransfer, TransferFields } from './codec/decode-transfer.ts'
import { encodeBegin, encodeDetach, encodeEnd } from './codec/encode-control.ts'
import { ACCEPTED_BYTES, encodeState } from './codec/encode-state.ts'
import { AmqpFault } from './codec/faults.ts'
import { writeDisposition, writeFlow } from './codec/frames-out.ts'
import type { Attach, DeliveryState, PeerError } from './codec/performatives.ts'
import type { AmqpConnection } from './connection.ts'
import { attach } from './links/attach.ts'
import type { InboundLink } from './links/inbound-link.ts'
import { type Link, RefusedLink } from './links/link.ts'
import type { OutboundLink } from './links/outbound-link.ts'
import { errorOf, isTerminal } from './outcomes.ts'
import { PostponedAnswers } from './postponed-answers.ts'
import { settleInPieces, settleOne, settleRange, takesLong } from './settling.ts'

const ATTACH = 0x12
const FLOW = 0x13
const TRANSFER = 0x14
const DISPOSITION = 0x15
const DETACH = 0x16
const END = 0x17

/** We may send as much as the peer takes; our own window says nothing. */
const OUTGOING_WINDOW = 0x7fff_ffff
/** What an attach or a detach costs, in deliveries that are looked up. */
export const CONTROL_WORK = 100
/** Serial numbers: behind, where the difference has the highest bit. [RFC 1982] */
const SERIAL_HALF = 0x8000_0000

// Reused: nothing of them is kept when a frame has been handled.
const transferFields = new TransferFields()
const flowFields = new FlowFields()
const dispositionFields = new DispositionFields()
const flowOut = new FlowFields()

export class AmqpSession {
  readonly connection: AmqpConnection
  /** Ours, on which all of it goes out. */
  readonly channel: number
  /** The peer's, on which all of it comes in. */
  readonly peerChannel: number
  readonly peerHandleMax: number
  /** By the peer's handle, which is ours too. */
  readonly #links: (Link | undefined)[] = []
  readonly #names = new Map<string, Link>()
  #linkCount = 0
  /** We have ended it; what still comes is not looked at until the peer has, too. */
  #isEnding = false

  // ── what comes in ──
  /** Id of the next transfer that the peer sends. */
  #nextIncomingId: number
  /** Transfers that it may still send. */
  #incomingWindow: number

  // ── what goes out ──
  #nextOutgoingId: number
  /** Transfers that the peer still takes. */
  outgoingWindow: number
  #nextDeliveryId: number
  /** What the peer has and has not settled, by delivery id, in their order. */
  readonly unsettled: Map<number, Delivery> = new Map()

  readonly #detachAnswers: PostponedAnswers<Link>

  // ── what is to be said at the end of the turn ──
  #isDue = false
  #isWindowDue = false
  readonly #creditDue: InboundLink[] = []
  /** Deliveries from here to there are accepted; none while `#acceptedCount` is 0. */
  #acceptedFirst = 0
  #acceptedLast = 0
  #acceptedCount = 0
  #isAcceptedSettled = true

  constructor(connection: AmqpConnection, peerChannel: number, channel: number, bytes: Uint8Array, start: number, end: number) {
    const begin = decodeBegin(bytes, start, end)
    if (begin.remoteChannel !== undefined) {
      throw new AmqpFault('connection', 'amqp:not-allowed', `begin on channel ${peerChannel} answers a session that this side has not begun`, 'AMQP10-2.7.2-a')
    }
    const { sessionWindow, handleMax, firstNumber } = connection.adapter.settings
    this.connection = connection
    this.channel = channel
    this.peerChannel = peerChannel
    this.#nextOutgoingId = firstNumber
    this.#nextDeliveryId = firstNumber
    this.peerHandleMax = begin.handleMax
    this.#detachAnswers = new PostponedAnswers(connection.adapter.vhost)
    this.#nextIncomingId = begin.nextOutgoingId
    this.#incomingWindow = sessionWindow
    this.outgoingWindow = begin.incomingWindow
    connection.transport.write(
      encodeBegin(channel, { remoteChannel: peerChannel, nextOutgoingId: firstNumber, incomingWindow: sessionWindow, outgoingWindow: OUTGOING_WINDOW, handleMax }),
    )
  }

  /** Hot path. */
  onFrame(code: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isEnding) {
      if (code === END) this.connection.forgetSession(this)
      return
    }
    try {
      if (code === TRANSFER) this.#onTransfer(bytes, start, end)
      else if (code === DISPOSITION) this.#onDisposition(bytes, start, end)
      else if (code === FLOW) this.#onFlow(bytes, start, end)
      else this.#onControl(code, bytes, start, end)
    } catch (error) {
      if (!(error instanceof AmqpFault) || error.level === 'connection') throw error
      this.fail(error)
    }
  }

  // ── transfers in ──

  /** Hot path. */
  #onTransfer(bytes: Uint8Array, start: number, end: number): void {
    if (this.#incomingWindow === 0) {
      const { sessionWindow } = this.connection.adapter.settings
      throw new AmqpFault('session', 'amqp:session:window-violation', `a transfer came although the session's incoming-window of ${sessionWindow} was used up; wait for a flow`, 'AMQP10-2.5.6-c')
    }
    this.#incomingWindow--
    this.#nextIncomingId = (this.#nextIncomingId + 1) >>> 0
    if (this.#incomingWindow * 2 <= this.connection.adapter.settings.sessionWindow) {
      this.#isWindowDue = true
      this.#schedule()
    }
    decodeTransfer(bytes, start, end, transferFields)
    const link = this.#linkOf(transferFields.handle)
    if (link.isDetaching) return
    if (link.direction !== 'inbound') {
      throw new AmqpFault('session', 'amqp:session:errant-link', `a transfer came on handle ${transferFields.handle}, on which the peer is the receiver`)
    }
    try {
      ;(link as InboundLink).onTransfer(transferFields, bytes, transferFields.payloadStart, end)
    } catch (error) {
      this.failLink(link, error)
    }
  }

  /** A delivery of the peer has this outcome. Neighbours that are accepted share one frame. Hot path. */
  accept(deliveryId: number, isSettled: boolean): void {
    if (this.#acceptedCount > 0) {
      if (deliveryId === ((this.#acceptedLast + 1) >>> 0) && isSettled === this.#isAcceptedSettled) {
        this.#acceptedLast = deliveryId
        this.#acceptedCount++
        return
      }
      this.#writeAccepted()
    }
    this.#acceptedFirst = deliveryId
    this.#acceptedLast = deliveryId
    this.#acceptedCount = 1
    this.#isAcceptedSettled = isSettled
    this.#schedule()
  }

  /** As `accept`, with any outcome. */
  conclude(deliveryId: number, isSettled: boolean, state: Uint8Array): void {
    this.#writeAccepted()
    writeDisposition(this.connection.transport, this.channel, true, deliveryId, deliveryId, isSettled, state)
  }

  #writeAccepted(): void {
    if (this.#acceptedCount === 0) return
    this.#acceptedCount = 0
    writeDisposition(this.connection.transport, this.channel, true, this.#acceptedFirst, this.#acceptedLast, this.#isAcceptedSettled, ACCEPTED_BYTES)
  }

  /** The link has room for more: it says so at the end of the turn. */
  scheduleCredit(link: InboundLink): void {
    this.#creditDue.push(link)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.connection.scheduleFlush(this)
  }

  /** Only the connection calls this, once for each time it was scheduled. */
  flush(): void {
    this.#isDue = false
    if (this.#isEnding || this.connection.isEnded) return
    this.#writeAccepted()
    for (const link of this.#creditDue.splice(0)) {
      link.isCreditDue = false
      if (!link.isDetaching) this.writeLinkFlow(link)
    }
    if (this.#isWindowDue) this.#writeFlow(-1, 0, -1, -1, false)
  }

  // ── flow ──

  #onFlow(bytes: Uint8Array, start: number, end: number): void {
    const flow = flowFields
    decodeFlow(bytes, start, end, flow)
    this.#takeWindow(flow)
    if (flow.handle < 0) {
      if (flow.echo) this.#writeFlow(-1, 0, -1, -1, false)
      return
    }
    const link = this.#linkOf(flow.handle)
    if (link.isDetaching) return
    try {
      link.onFlow(flow)
      if (flow.echo) this.writeLinkFlow(link)
    } catch (error) {
      this.failLink(link, error)
    }
  }

  /** [AMQP10 §2.5.6] */
  #takeWindow({ nextIncomingId, incomingWindow }: FlowFields): void {
    const from = nextIncomingId < 0 ? this.connection.adapter.settings.firstNumber : nextIncomingId
    const window = (from + incomingWindow - this.#nextOutgoingId) >>> 0
    const wasClosed = this.outgoingWindow === 0
    // Below 0: it has taken its window back while transfers were under way.
    this.outgoingWindow = window >= SERIAL_HALF && incomingWindow < SERIAL_HALF ? 0 : window
    if (wasClosed && this.outgoingWindow > 0) this.#wakeOutbound()
  }

  writeLinkFlow(link: Link): void {
    this.#writeFlow(link.handle, link.deliveryCount, link.credit, link.available, link.isDraining)
  }

  /** `handle` below 0: of the session alone. */
  #writeFlow(handle: number, deliveryCount: number, credit: number, available: number, drain: boolean): void {
    this.#isWindowDue = false
    this.#incomingWindow = this.connection.adapter.settings.sessionWindow
    flowOut.nextIncomingId = this.#nextIncomingId
    flowOut.incomingWindow = this.#incomingWindow
    flowOut.nextOutgoingId = this.#nextOutgoingId
    flowOut.outgoingWindow = OUTGOING_WINDOW
    flowOut.handle = handle
    flowOut.deliveryCount = handle < 0 ? -1 : deliveryCount
    flowOut.linkCredit = handle < 0 ? -1 : credit
    flowOut.available = available
    flowOut.drain = drain
    flowOut.echo = false
    writeFlow(this.connection.transport, this.channel, flowOut)
  }

  /** The transport has room again. */
  onWritable(): void {
    for (const link of this.#links) if (isOutbound(link)) link.goOn()
  }

  #wakeOutbound(): void {
    for (const link of this.#links) {
      if (!isOutbound(link)) continue
      link.goOn()
      link.wake()
    }
  }

  /** No queue asks for a pause any more. */
  onPressureEased(): void {
    for (const link of this.#links) if (isInbound(link)) link.renewCredit()
  }

  /** Of a link whose publishes wait, so many that it should not be read from. */
  blockedProducer(): Producer | undefined {
    for (const link of this.#links) if (isInbound(link) && link.producer?.isBlocked === true) return link.producer
    return undefined
  }

  /** Of its links. */
  *producers(): Generator<Producer> {
    for (const link of this.#links) if (isInbound(link) && link.producer !== undefined) yield link.producer
  }

  /** Whether a delivery has begun and not ended that is part of this transaction. */
  hasUnfinished(transactionId: Uint8Array): boolean {
    return this.#links.some((link) => isInbound(link) && link.hasUnfinished(transactionId))
  }

  /** Ends links on which a message has been coming in for too long. */
  checkPartials(limitMs: number): void {
    for (const link of this.#links) if (isInbound(link)) link.checkPartial(limitMs)
  }

  // ── transfers out ──

  /** The number of the next delivery to the peer. Hot path. */
  nextDeliveryId(): number {
    const id = this.#nextDeliveryId
    this.#nextDeliveryId = (id + 1) >>> 0
    return id
  }

  /** A transfer frame goes out. Hot path. */
  countTransfer(): void {
    this.outgoingWindow--
    this.#nextOutgoingId = (this.#nextOutgoingId + 1) >>> 0
  }

  // ── dispositions ──

  /** Hot path of consumers that acknowledge. */
  #onDisposition(bytes: Uint8Array, start: number, end: number): void {
    const fields = dispositionFields
    decodeDisposition(bytes, start, end, fields)
    // What a sender says of its own deliveries: it has settled what it was told the outcome of. There is nothing left to do.
    if (!fields.isReceiver) return
    const { first, last, state, settled } = fields
    const count = ((last - first) >>> 0) + 1
    if (count > SERIAL_HALF) {
      throw new AmqpFault('session', 'amqp:invalid-field', `disposition: last ${last} is before first ${first}`, 'AMQP10-2.7.6-a')
    }
    if (!settled && (state === undefined || state.kind === 'received')) return // it has it, and goes on
    if (takesLong(count, state)) {
      return this.connection.waitFor(settleInPieces(this, first, count, state, settled).then(() => this.#answer(first, last, state, settled)))
    }
    if (count === 1) settleOne(this, first, state, settled)
    else settleRange(this, first, count, state, settled)
    this.#answer(first, last, state, settled)
  }

  /** The receiver has not settled these, or has not been told so: we have. [AMQP10-4.4.2-c] */
  tellSettled(first: number, last: number, state: DeliveryState): void {
    if (this.#isEnding || this.connection.isEnded) return
    writeDisposition(this.connection.transport, this.channel, false, first, last, true, encodeState(state))
  }

  /** A receiver that settles second hears, once the log has the outcome, that we have. [AMQP10 §2.6.12] */
  #answer(first: number, last: number, state: DeliveryState | undefined, isSettled: boolean): void {
    if (isSettled || state === undefined || !isTerminal(state)) return
    const { log } = this.connection.adapter.vhost
    if (log.settledSoFar() === undefined) this.tellSettled(first, last, state)
    else log.afterBatches(() => this.tellSettled(first, last, state))
  }

  // ── links ──

  get linkCount(): number {
    return this.#linkCount
  }

  /** The link of that name in that direction. A name has a link in each. [AMQP10 §2.6.1] */
  linkNamed(direction: Link['direction'], name: string): Link | undefined {
    return this.#names.get(`${direction} ${name}`)
  }

  /** The first credit of a new link. */
  beginCredit(link: Link): void {
    if (link.direction === 'inbound') (link as InboundLink).renewCredit()
  }

  /** A link that was attached to say why it cannot be: its handle is in use until the peer has detached, too. */
  addRefused(direction: Link['direction'], { name, handle }: Pick<Attach, 'name' | 'handle'>): void {
    this.addLink(new RefusedLink(this, direction, name, handle))
  }

  addLink(link: Link): void {
    this.#links[link.handle] = link
    this.#names.set(`${link.direction} ${link.name}`, link)
    this.#linkCount++
  }

  #removeLink(link: Link): void {
    this.#links[link.handle] = undefined
    const key = `${link.direction} ${link.name}`
    // Another one may have the name by now.
    if (this.#names.get(key) === link) this.#names.delete(key)
    this.#linkCount--
  }

  #linkOf(handle: number): Link {
    const link = this.#links[handle]
    if (link !== undefined) return link
    throw new AmqpFault('session', 'amqp:session:unattached-handle', `handle ${handle} has no link in the session on channel ${this.peerChannel}; attach it first`, 'AMQP10-2.8.17-b')
  }

  #onControl(code: number, bytes: Uint8Array, start: number, end: number): void {
    this.connection.spend(CONTROL_WORK)
    switch (code) {
      case ATTACH: {
        const wanted = decodeAttach(bytes, start, end)
        if (this.#links[wanted.handle] !== undefined) {
          throw new AmqpFault('connection', 'amqp:session:handle-in-use', `handle ${wanted.handle} has a link already; detach it first, or take another`, 'AMQP10-2.7.3-c')
        }
        this.#answerBefore(wanted)
        attach(this, wanted)
        break
      }
      case DETACH:
        this.#onDetach(bytes, start, end)
        break
      case END:
        this.#onEnd(decodeEnd(bytes, start, end))
        break
      default:
        throw new AmqpFault('connection', 'amqp:not-allowed', `channel ${this.peerChannel} has a session; such a frame does not belong into one`, 'AMQP10-2.3.2-a')
    }
  }

  #onDetach(bytes: Uint8Array, start: number, end: number): void {
    const { handle, closed } = decodeDetach(bytes, start, end)
    const link = this.#linkOf(handle)
    this.#removeLink(link)
    if (link.isDetaching) return // the answer to ours
    link.isDetaching = true
    link.end(closed ? 'closed' : 'detached')
    this.#writeAccepted()
    // Who closes a link may go on as if all it said had happened.
    this.#detachAnswers.add(link, () => {
      if (!this.#isEnding && !this.connection.isEnded) this.connection.transport.write(encodeDetach(this.channel, handle, closed))
    })
  }

  /** Who uses a handle or a name again has not waited for the answer to its detach, and must not hear it after that to its attach. */
  #answerBefore({ handle, name }: Attach): void {
    for (const link of this.#detachAnswers.subjects) if (link.handle === handle || link.name === name) this.#detachAnswers.sayNow(link)
  }

  // ── the end ──

  /** What a fault ends: a link where the error names one by where it was caught, else all of the session. */
  fail(fault: AmqpFault): void {
    this.#writeAccepted()
    this.#isEnding = true
    this.#endLinks('lost')
    this.connection.transport.write(encodeEnd(this.channel, errorOf(fault)))
    this.connection.adapter.report(this.connection, 'limit', `session on channel ${this.peerChannel} ended: ${fault.message}`, fault.clause)
  }

  /** Ends the link with what is wrong. Faults of a higher level go on their way. */
  failLink(link: Link, error: unknown): void {
    if (!(error instanceof AmqpFault) || error.level !== 'link') throw error
    this.detach(link, error)
  }

  detach(link: Link, fault: AmqpFault): void {
    if (link.isDetaching) return
    link.isDetaching = true
    link.end('detached')
    this.#writeAccepted()
    this.connection.transport.write(encodeDetach(this.channel, link.handle, true, errorOf(fault)))
    this.connection.adapter.report(this.connection, 'limit', `link '${link.name}' detached: ${fault.message}`, fault.clause)
  }

  #onEnd(_error: PeerError | undefined): void {
    this.#writeAccepted()
    this.#isEnding = true
    this.#endLinks('detached')
    this.connection.forgetSession(this)
    this.connection.endAnswers.add(this.channel, () => {
      if (!this.connection.isEnded) this.connection.transport.write(encodeEnd(this.channel))
    })
  }

  /** It and others are about to end: what one link leaves behind must not go out on the next. */
  stopSending(): void {
    this.outgoingWindow = 0
  }

  /** The client has closed the connection. */
  onConnectionClosing(): void {
    this.flush()
    this.#endLinks('detached')
  }

  onConnectionEnded(): void {
    this.#isEnding = true
    this.#endLinks('lost')
  }

  #endLinks(how: 'detached' | 'lost'): void {
    this.stopSending()
    for (const link of [...this.#links]) {
      if (link === undefined) continue
      this.#removeLink(link)
      if (link.isDetaching) continue
      link.isDetaching = true
      link.end(how)
    }
    this.unsettled.clear()
  }
}

/** One on which something can still come in: a link that was refused or has ended is none, though its handle is in use. */
function isInbound(link: Link | undefined): link is InboundLink {
  return link?.direction === 'inbound' && !link.isDetaching
}

function isOutbound(link: Link | undefined): link is OutboundLink {
  return link?.direction === 'outbound' && !link.isDetaching
}
