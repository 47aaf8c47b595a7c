/** A session of a test's client, and the links on it: they count what they send and what comes, as every peer has to. [AMQP10 §2.5.6, §2.6.7] */
import { type Fields } from '../wire/composites.ts'
import { frame, type FrameShape } from './frames.ts'
import { ReceiverPeer, SenderPeer } from './link-peers.ts'
import type { Frame } from './parse.ts'
import type { Peer } from './peer.ts'

const WINDOW = 0x7fff_ffff

export class SessionPeer {
  readonly peer: Peer
  readonly channel: number
  /** The server's; undefined before its begin. */
  remoteChannel: number | undefined = undefined
  /** What the server's begin said. */
  answer: Frame | undefined = undefined
  nextOutgoingId: number
  nextDeliveryId: number
  nextIncomingId: number | undefined = undefined
  /** Transfers that we still take. */
  incomingWindow: number
  readonly #begin: Fields
  readonly #receivers = new Map<number, ReceiverPeer>()
  #nextHandle = 0

  constructor(peer: Peer, channel: number, fields: Fields) {
    this.peer = peer
    this.channel = channel
    this.#begin = { nextOutgoingId: 0, incomingWindow: WINDOW, outgoingWindow: WINDOW, ...fields }
    this.nextOutgoingId = Number(this.#begin['nextOutgoingId'])
    this.nextDeliveryId = this.nextOutgoingId
    this.incomingWindow = Number(this.#begin['incomingWindow'])
  }

  beginFrame(): Buffer {
    return frame('begin', this.#begin, { channel: this.channel })
  }

  /** The server's begin was taken. */
  begun(answer: Frame): void {
    this.note(answer)
    this.answer = answer
  }

  /** A frame on this session's channel; also of begins that nobody took. */
  note(found: Frame): void {
    if (found.kind === 'begin') {
      this.remoteChannel = found.channel
      this.nextIncomingId ??= Number(found['nextOutgoingId'])
    } else if (found.kind === 'transfer') this.#noteTransfer(found)
    else if (found.kind === 'flow' && found['handle'] !== undefined)
      this.#receivers.get(Number(found['handle']))?.noteFlow(found)
  }

  #noteTransfer(found: Frame): void {
    if (this.incomingWindow === 0)
      throw new Error(`a transfer came beyond the incoming-window of channel ${this.channel}`)
    this.incomingWindow--
    this.nextIncomingId = (this.nextIncomingId! + 1) >>> 0
    this.#receivers.get(Number(found['handle']))?.noteTransfer(found)
  }

  // ── links ──

  /** Attaches as a sender and takes the answer and the first credit, if any comes. */
  sender(address: string | null, fields: Fields = {}): SenderPeer {
    const link = this.newSender(address, fields)
    this.peer.send(link.attachFrame())
    link.attached(this.peer.next('attach'))
    if (this.peer.waiting[0] === 'flow') link.noteFlow(this.peer.next('flow'))
    return link
  }

  /** A sender that has said nothing yet. */
  newSender(address: string | null, fields: Fields = {}): SenderPeer {
    return new SenderPeer(this, this.#takeHandle(fields), address, fields)
  }

  /** Attaches as a receiver and takes the answer. */
  receiver(address: string | null, fields: Fields = {}): ReceiverPeer {
    const link = this.newReceiver(address, fields)
    this.peer.send(link.attachFrame())
    link.attached(this.peer.next('attach'))
    return link
  }

  newReceiver(address: string | null, fields: Fields = {}): ReceiverPeer {
    return new ReceiverPeer(this, this.#takeHandle(fields), address, fields)
  }

  /** A receiver's answer has come on this handle of the server. */
  hears(remoteHandle: number, link: ReceiverPeer): void {
    this.#receivers.set(remoteHandle, link)
  }

  /** A link to the coordinator of transactions. */
  coordinator(fields: Fields = {}): SenderPeer {
    return this.sender(null, { target: { kind: 'coordinator', capabilities: ['amqp:local-transactions'] }, ...fields })
  }

  #takeHandle(fields: Fields): number {
    const handle = fields['handle'] === undefined ? this.#nextHandle : Number(fields['handle'])
    this.#nextHandle = Math.max(this.#nextHandle, handle + 1)
    return handle
  }

  // ── frames ──

  frame(kind: string, fields: Fields = {}, shape: FrameShape = {}): Buffer {
    return frame(kind, fields, { channel: this.channel, ...shape })
  }

  /** A flow with what is so of the session, and what `fields` say otherwise or besides. */
  flowFrame(fields: Fields = {}): Buffer {
    const all: Fields = {
      nextIncomingId: this.nextIncomingId,
      incomingWindow: this.incomingWindow,
      nextOutgoingId: this.nextOutgoingId,
      outgoingWindow: WINDOW,
      ...fields,
    }
    this.incomingWindow = Number(all['incomingWindow'])
    return this.frame('flow', all)
  }

  flow(fields: Fields = {}): void {
    this.peer.send(this.flowFrame(fields))
  }

  dispositionFrame(isReceiver: boolean, first: number, state: Fields | undefined, fields: Fields = {}): Buffer {
    return this.frame('disposition', { role: isReceiver, first, settled: true, state, ...fields })
  }

  end(fields: Fields = {}): void {
    this.peer.send(this.frame('end', fields))
  }
}
