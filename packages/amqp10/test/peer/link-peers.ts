/** Links of a test's client. [AMQP10 §2.6] */
import { composite, type Fields } from '../wire/composites.ts'
import { section, message, type MessageParts, readMessage, type Sections } from '../wire/message.ts'
import { type Encoded, u32 } from '../wire/encode.ts'
import type { Frame } from './parse.ts'
import type { SessionPeer } from './session-peer.ts'

const RECEIVER = true
const SENDER = false
/** Of a receiver that says nothing else; more than any test takes. */
const OUTCOMES = ['amqp:accepted:list', 'amqp:rejected:list', 'amqp:released:list', 'amqp:modified:list']

/** A delivery that came, all of its transfers joined. */
export interface Delivery {
  readonly id: number
  readonly tag: Buffer
  readonly settled: boolean
  readonly state: { readonly kind: string } | undefined
  readonly messageFormat: number
  readonly frames: readonly Frame[]
  readonly payload: Buffer
  readonly message: Sections
}

abstract class LinkPeer {
  readonly session: SessionPeer
  readonly handle: number
  readonly name: string
  /** What the server's attach said. */
  answer!: Frame
  /** The server's. */
  remoteHandle: number | undefined = undefined
  protected readonly fields: Fields

  constructor(session: SessionPeer, handle: number, fields: Fields) {
    this.session = session
    this.handle = handle
    this.name = (fields['name'] as string | undefined) ?? `link-${session.channel}-${handle}`
    this.fields = fields
  }

  abstract attachFrame(): Buffer

  attached(answer: Frame): void {
    this.answer = answer
    this.remoteHandle = Number(answer['handle'])
  }

  detachFrame(fields: Fields = {}): Buffer {
    return this.session.frame('detach', { handle: this.handle, closed: true, ...fields })
  }

  /** Says detach, with `closed` unless `fields` say otherwise, and takes the answer. */
  detach(fields: Fields = {}): Frame {
    this.session.peer.send(this.detachFrame(fields))
    return this.session.peer.next('detach')
  }
}

/** What a transfer may say otherwise. */
export type TransferOptions = Fields & { readonly payload?: Uint8Array }

export class SenderPeer extends LinkPeer {
  readonly #address: string | null
  deliveryCount: number
  credit = 0
  #nextTag = 0

  constructor(session: SessionPeer, handle: number, address: string | null, fields: Fields) {
    super(session, handle, fields)
    this.#address = address
    this.deliveryCount = Number(fields['initialDeliveryCount'] ?? 0)
  }

  attachFrame(): Buffer {
    return this.session.frame('attach', {
      name: this.name,
      handle: this.handle,
      role: SENDER,
      source: { kind: 'source', outcomes: OUTCOMES },
      target: { kind: 'target', address: this.#address },
      initialDeliveryCount: 0,
      ...this.fields,
    })
  }

  /** A flow of the server for this link was taken. */
  noteFlow(found: Frame): void {
    this.credit = (Number(found['deliveryCount'] ?? 0) + Number(found['linkCredit'] ?? 0) - this.deliveryCount) >>> 0
  }

  /** A transfer with a whole message, or with `payload` as it is; the next delivery unless `more` goes on with the last. */
  transferFrame(parts: MessageParts | string | Uint8Array, options: TransferOptions = {}): Buffer {
    const { payload, ...fields } = options
    const { session } = this
    const id = session.nextDeliveryId
    session.nextDeliveryId = (id + 1) >>> 0
    session.nextOutgoingId = (session.nextOutgoingId + 1) >>> 0
    this.deliveryCount = (this.deliveryCount + 1) >>> 0
    this.credit--
    const all: Fields = {
      handle: this.handle,
      deliveryId: id,
      deliveryTag: u32(this.#nextTag++),
      messageFormat: 0,
      ...fields,
    }
    return session.frame('transfer', all, { payload: payload ?? message(parts) })
  }

  /** A further transfer of the last delivery. */
  moreFrame(payload: Uint8Array, fields: Fields = {}): Buffer {
    const { session } = this
    session.nextOutgoingId = (session.nextOutgoingId + 1) >>> 0
    return session.frame('transfer', { handle: this.handle, ...fields }, { payload })
  }

  /** Sends a message; returns its delivery id. */
  send(parts: MessageParts | string | Uint8Array, options: TransferOptions = {}): number {
    this.session.peer.send(this.transferFrame(parts, options))
    return (this.session.nextDeliveryId - 1) >>> 0
  }

  /** To a coordinator: what its message holds. */
  command(kind: 'declare' | 'discharge', fields: Fields = {}): Buffer {
    return this.transferFrame(section('value', composite(kind, fields)).bytes, {
      payload: section('value', composite(kind, fields)).bytes,
    })
  }

  /** Declares a transaction; returns its id. */
  declare(): Buffer {
    this.session.peer.send(this.command('declare'))
    const { state } = this.session.peer.next('disposition') as unknown as { state: { kind: string; txnId: Buffer } }
    if (state.kind !== 'declared') throw new Error(`declare was answered with ${JSON.stringify(state)}`)
    return state.txnId
  }

  /** Discharges a transaction; returns the state that answers. */
  discharge(txnId: Uint8Array | Encoded, fail = false): Fields {
    this.session.peer.send(this.command('discharge', { txnId, fail }))
    return this.session.peer.next('disposition')['state'] as Fields
  }
}

export class ReceiverPeer extends LinkPeer {
  readonly #address: string | null
  deliveryCount = 0
  credit = 0
  #isWithin = false

  constructor(session: SessionPeer, handle: number, address: string | null, fields: Fields) {
    super(session, handle, fields)
    this.#address = address
  }

  attachFrame(): Buffer {
    return this.session.frame('attach', {
      name: this.name,
      handle: this.handle,
      role: RECEIVER,
      source: { kind: 'source', address: this.#address },
      target: { kind: 'target' },
      ...this.fields,
    })
  }

  override attached(answer: Frame): void {
    super.attached(answer)
    this.deliveryCount = Number(answer['initialDeliveryCount'] ?? 0)
    this.session.hears(this.remoteHandle!, this)
  }

  /** A transfer on this link came: it takes credit where it begins a delivery. */
  noteTransfer(found: Frame): void {
    if (!this.#isWithin) {
      if (this.credit === 0) throw new Error(`a delivery came without credit on link '${this.name}'`)
      this.credit--
      this.deliveryCount = (this.deliveryCount + 1) >>> 0
    }
    this.#isWithin = found['more'] === true && found['aborted'] !== true
  }

  /** A flow of the sender: where it has drained, its delivery-count is ahead. */
  noteFlow(found: Frame): void {
    this.deliveryCount = Number(found['deliveryCount'])
    this.credit = Number(found['linkCredit'])
  }

  /** A flow of this link with what is so, and what `fields` say otherwise. */
  flowFrame(fields: Fields = {}): Buffer {
    const all: Fields = { handle: this.handle, deliveryCount: this.deliveryCount, linkCredit: this.credit, ...fields }
    const count = all['deliveryCount'] === undefined ? 0 : Number(all['deliveryCount'])
    this.credit = Math.max(0, (count + Number(all['linkCredit'] ?? 0) - this.deliveryCount) | 0)
    return this.session.flowFrame(all)
  }

  /** Gives so much credit, whatever it was. */
  grant(linkCredit: number, fields: Fields = {}): void {
    this.session.peer.send(this.flowFrame({ linkCredit, ...fields }))
  }

  /** Takes the next delivery: all of its transfers. */
  take(): Delivery {
    const frames: Frame[] = []
    do frames.push(this.session.peer.next('transfer'))
    while (frames.at(-1)!['more'] === true)
    return deliveryOf(frames)
  }

  /** Takes all deliveries that have come. */
  takeAll(): Delivery[] {
    const found: Delivery[] = []
    while (this.session.peer.waiting[0] === 'transfer') found.push(this.take())
    return found
  }

  /** Texts of all deliveries that have come. */
  texts(): (string | undefined)[] {
    return this.takeAll().map((each) => each.message.text)
  }

  /** Settles a delivery with an outcome. */
  settle(id: number, state: Fields = { kind: 'accepted' }, fields: Fields = {}): void {
    this.session.peer.send(this.session.dispositionFrame(RECEIVER, id, state, fields))
  }
}

function deliveryOf(frames: readonly Frame[]): Delivery {
  const [first] = frames as [Frame]
  const payload = Buffer.concat(frames.map((each) => each.payload))
  for (const field of ['deliveryId', 'deliveryTag', 'messageFormat'])
    if (first[field] === undefined) throw new Error(`the first transfer of a delivery has no ${field}`)
  const tag = first['deliveryTag'] as Buffer
  if (tag.length > 32) throw new Error(`a delivery-tag has ${tag.length} octets`)
  return {
    id: Number(first['deliveryId']),
    tag,
    settled: frames.some((each) => each['settled'] === true),
    state: frames.map((each) => each['state']).findLast((each) => each !== undefined) as Delivery['state'],
    messageFormat: Number(first['messageFormat']),
    frames,
    payload,
    message: readMessage(payload),
  }
}
