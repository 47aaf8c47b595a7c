/**
 * One session of a fuzzed client: the windows, the numbers of deliveries, and which link a frame is for. Throws for what a broker may not
 * send to anybody; of a client that has not kept the rules, windows and credit are not looked at. [AMQP10 §2.5]
 */
import { assert } from '@ternmq/testkit/fuzzer'
import type { Frame } from '../peer/parse.ts'
import { abandon, conclude, type Held, ReceivingLink, SendingLink, type Sent } from './session-links.ts'
import { Limits, near } from './session-numbers.ts'
import type { FuzzPeer } from './session-peer.ts'
import type { Parcel } from './session-ledger.ts'

export type AnyLink = SendingLink | ReceivingLink

/** Why a broker may end the link of a client that keeps the rules. */
const FAIR_DETACHES: readonly string[] = [
  'amqp:resource-deleted',
  'amqp:link:stolen',
  'amqp:resource-limit-exceeded',
  'amqp:transaction:unknown-id',
  'amqp:transaction:timeout',
  'amqp:transaction:rollback',
]
/** Of a link without an address, by a message that was settled by being sent and goes nowhere. [AMQP anonymous terminus §2.2.2] */
const FAIR_RELAY_DETACHES: readonly string[] = [
  'amqp:invalid-field',
  'amqp:not-found',
  'amqp:not-implemented',
  'amqp:unauthorized-access',
]
const FAIR_ENDS: readonly string[] = ['amqp:transaction:unknown-id']

/** What a receiver has said for good and the broker may not have heard. */
interface Said {
  readonly link: ReceivingLink
  readonly parcel: Parcel
}

export class ClientSession {
  readonly peer: FuzzPeer
  readonly channel: number
  state: 'beginning' | 'begun' | 'ending' | 'gone' = 'beginning'
  // ── what the client sends ──
  nextOutgoing: number
  nextDelivery: number
  /** Transfers that it may send. */
  sendLimit: number
  readonly sent: Map<number, Sent> = new Map()
  // ── what comes ──
  nextIncoming = 0
  readonly takeLimits: Limits
  #nextDeliveryIn = 0
  /** In the order in which they came. */
  readonly held: Held[] = []
  // ── links ──
  readonly links: Map<number, AnyLink> = new Map()
  readonly #byRemoteHandle = new Map<number, AnyLink>()
  readonly #said: Said[] = []

  constructor(peer: FuzzPeer, channel: number, window: number, firstId: number) {
    this.peer = peer
    this.channel = channel
    this.nextOutgoing = firstId
    this.nextDelivery = firstId
    this.sendLimit = firstId
    this.takeLimits = new Limits(window)
  }

  get isBegun(): boolean {
    return this.state === 'begun'
  }

  get isCertain(): boolean {
    return this.peer.isCertain && this.state !== 'gone'
  }

  get window(): number {
    return this.sendLimit - this.nextOutgoing
  }

  get deliveredCount(): number {
    return this.#nextDeliveryIn
  }

  // ── frames of the broker ──

  onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'attach':
        return this.#onAttach(frame)
      case 'flow':
        return this.#onFlow(frame)
      case 'transfer':
        return this.#onTransfer(frame)
      case 'disposition':
        return frame['role'] === true ? this.#onOutcomes(frame) : this.#onSettled(frame)
      case 'detach':
        return this.#onDetach(frame)
      case 'end':
        return this.#onEnd(frame)
      default:
        throw new Error(`${frame.kind} came on the channel of a session`)
    }
  }

  #onAttach(frame: Frame): void {
    // To the broker a link's role is the other one.
    const isReceiver = frame['role'] === false
    const link = [...this.links.values()].find(
      ({ state, wish }) =>
        state === 'attaching' && wish.name === frame['name'] && (wish.role === 'receiver') === isReceiver,
    )
    if (link === undefined)
      return assert(
        !this.peer.isSound || this.state === 'ending',
        `an attach of link '${String(frame['name'])}' answers none`,
      )
    const handle = Number(frame['handle'])
    assert(!this.#byRemoteHandle.has(handle), `handle ${handle} is attached twice`)
    this.#byRemoteHandle.set(handle, link)
    link.state = (isReceiver ? frame['source'] : frame['target']) === undefined ? 'refused' : 'attached'
  }

  #linkOf(frame: Frame): AnyLink | undefined {
    const link = this.#byRemoteHandle.get(Number(frame['handle']))
    assert(
      link !== undefined || !this.peer.isSound,
      `${frame.kind} came for handle ${String(frame['handle'])}, which has no link`,
    )
    return link
  }

  #onFlow(frame: Frame): void {
    const { peer } = this
    if (frame['nextIncomingId'] !== undefined) {
      const from = near(Number(frame['nextIncomingId']), this.nextOutgoing)
      assert(
        !peer.isSound || from <= this.nextOutgoing,
        `a flow expects transfer ${from}; ${this.nextOutgoing} is the next that was sent`,
      )
      this.sendLimit = from + Number(frame['incomingWindow'])
    }
    assert(
      !peer.isSound || Number(frame['nextOutgoingId']) === this.nextIncoming % 2 ** 32,
      `a flow says next-outgoing-id ${String(frame['nextOutgoingId'])} after ${this.nextIncoming} transfers`,
    )
    if (frame['handle'] === undefined) return
    const link = this.#linkOf(frame)
    if (link instanceof ReceivingLink) link.noteFlow(frame, peer.isSound)
    else if (peer.isSound) link?.noteFlow(frame, peer.creditMax)
  }

  #onTransfer(frame: Frame): void {
    const { peer } = this
    peer.noteTransfer(frame)
    assert(
      !peer.isSound || this.nextIncoming < this.takeLimits.max,
      `transfer ${this.nextIncoming + 1} came; the window ends at ${this.takeLimits.max}`,
    )
    this.nextIncoming++
    const link = this.#linkOf(frame)
    if (link === undefined) return
    if (!(link instanceof ReceivingLink)) return assert(!peer.isSound, 'a transfer came on a link that sends')
    if (!link.isWithin)
      assert(
        Number(frame['deliveryId']) === this.#nextDeliveryIn++,
        `delivery ${String(frame['deliveryId'])} came after ${this.#nextDeliveryIn - 2}`,
      )
    const held = link.noteTransfer(frame, peer.isSound)
    if (held !== undefined && peer.isSound) this.held.push(held)
  }

  /** What became of the client's deliveries. */
  #onOutcomes(frame: Frame): void {
    if (!this.peer.isSound) return
    const state = frame['state'] as { readonly kind: string } | undefined
    for (const id of idsOf(frame)) {
      const sent = this.sent.get(id)
      assert(
        sent !== undefined,
        `a disposition says ${state?.kind ?? 'nothing'} of delivery ${id}, which was not sent or is settled`,
      )
      assert(sent.isComplete && !sent.isSettled && !sent.isTold, `delivery ${id} gets an outcome that it cannot get`)
      sent.isTold = true
      const isSettled = frame['settled'] === true
      assert(isSettled || sent.link.wish.second === true, `delivery ${id} has an outcome and is not settled`)
      if (isSettled) this.sent.delete(id)
      this.#tell(sent, state)
    }
  }

  #tell({ kind, parcel, transaction }: Sent, state: { readonly kind: string } | undefined): void {
    const what = state?.kind
    if (kind === 'message') {
      if (what === 'rejected') return parcel?.refuse()
      if (transaction === undefined) {
        assert(what === 'accepted', `a message has the outcome ${what}`)
        if (parcel !== undefined) parcel.state = 'in'
        return
      }
      assert(what === 'transactional-state', `a message of a transaction has the outcome ${what}`)
      if (parcel !== undefined) transaction.kept.push(parcel)
      return
    }
    if (kind === 'declare') {
      if (what === 'declared') {
        transaction!.id = (state as unknown as { readonly txnId: Buffer }).txnId
        transaction!.state = 'open'
        return
      }
      assert(what === 'rejected', `declare has the outcome ${what}`)
      return abandon(transaction!, true)
    }
    this.peer.conclude(transaction!, what)
  }

  /** The broker has settled what it has delivered. */
  #onSettled(frame: Frame): void {
    if (!this.peer.isSound) return
    for (const id of idsOf(frame)) {
      assert(id < this.#nextDeliveryIn, `a disposition settles delivery ${id}; ${this.#nextDeliveryIn} came`)
      const at = this.held.findIndex((each) => each.id === id)
      if (at < 0) continue
      const { isAsked, transaction } = this.held[at]!
      assert(
        isAsked || transaction?.state === 'over' || transaction?.state === 'committing',
        `the broker settles delivery ${id}, of which nobody has told it the outcome`,
      )
      if (frame['settled'] === true) this.held.splice(at, 1)
    }
  }

  // ── the end ──

  #onDetach(frame: Frame): void {
    const link = this.#linkOf(frame)
    if (link === undefined) return
    const { peer } = this
    this.#byRemoteHandle.delete(Number(frame['handle']))
    const condition = conditionOf(frame)
    const isRelay = link instanceof SendingLink && link.wish.address === undefined
    const isFair =
      link.state === 'refused' ||
      link.state === 'leaving' ||
      FAIR_DETACHES.includes(condition) ||
      (isRelay && FAIR_RELAY_DETACHES.includes(condition))
    assert(!peer.isSound || isFair, `link '${link.wish.name}' is detached: ${textOf(frame)}`)
    assert(condition !== 'amqp:internal-error', textOf(frame))
    const isAnswer = link.state === 'leaving'
    this.forget(link, isAnswer)
    if (!isAnswer && this.isBegun) peer.say(this.channel, 'detach', { handle: link.handle, closed: true })
    this.links.delete(link.handle)
  }

  /** `isAsked`: everything that the client said before was heard. */
  forget(link: AnyLink, isAsked: boolean): void {
    link.state = 'gone'
    if (link instanceof SendingLink) {
      if (this.peer.isSound) link.begun?.sent.parcel?.refuse()
      return this.peer.forgetCoordinator(link)
    }
    for (const said of this.#said.filter((each) => each.link === link)) this.#hear(said, isAsked && this.peer.isSound)
    for (let at = this.held.length - 1; at >= 0; at--) {
      if (this.held[at]!.link === link) link.giveBack(this.held.splice(at, 1)[0]!)
    }
  }

  #onEnd(frame: Frame): void {
    const { peer } = this
    const condition = conditionOf(frame)
    assert(
      !peer.isSound || this.state === 'ending' || FAIR_ENDS.includes(condition),
      `the session is ended: ${textOf(frame)}`,
    )
    assert(condition !== 'amqp:internal-error', textOf(frame))
    const isAnswer = this.state === 'ending'
    this.leave(isAnswer)
    if (!isAnswer) peer.say(this.channel, 'end')
  }

  /** It is over, its connection perhaps, too. */
  leave(isAsked: boolean): void {
    for (const link of this.links.values()) this.forget(link, isAsked)
    this.links.clear()
    this.#byRemoteHandle.clear()
    this.state = 'gone'
  }

  // ── what is certain ──

  /** The receiver has settled it for good. */
  saySettled(held: Held): void {
    if (held.parcel === undefined) return
    conclude(held.parcel, held.link, 'accepted', false)
    this.#said.push({ link: held.link, parcel: held.parcel })
  }

  /** The broker has heard everything and has told everything. */
  settle(): void {
    this.takeLimits.settle()
    for (const link of this.links.values()) if (link instanceof ReceivingLink) link.limits.settle()
    for (const said of [...this.#said]) this.#hear(said, true)
  }

  #hear(said: Said, isCertain: boolean): void {
    this.#said.splice(this.#said.indexOf(said), 1)
    // Unless it was given to somebody again: then it was not heard.
    if (isCertain && said.parcel.taken === 'maybe') said.parcel.take('yes')
  }

  /** The client has broken the rules: what it knows may be wrong from here on. */
  distrust(): void {
    this.#said.length = 0
    this.sent.clear()
    this.held.length = 0
  }

  /** It waits for something that it should have heard by now. */
  *missing(): Generator<string> {
    if (this.state !== 'begun') yield `the session on channel ${this.channel} is ${this.state}`
    for (const { wish, state } of this.links.values()) if (state !== 'attached') yield `link '${wish.name}' is ${state}`
    for (const [id, { link, kind, isComplete, isTold, isSettled }] of this.sent) {
      if (link.isAttached && isComplete && !isTold && !isSettled) yield `${kind} ${id} has no outcome`
    }
    for (const { id, isAsked } of this.held) if (isAsked) yield `delivery ${id} is not settled`
    for (const link of this.links.values()) {
      if (
        link instanceof ReceivingLink &&
        link.isDraining &&
        link.count < link.limits.last &&
        this.nextIncoming < this.takeLimits.last
      ) {
        yield `link '${link.wish.name}' drains a credit of ${link.limits.last - link.count}`
      }
    }
  }
}

function* idsOf(frame: Frame): Generator<number> {
  const first = Number(frame['first'])
  const last = Number(frame['last'] ?? first)
  const count = ((last - first) >>> 0) + 1
  assert(count < 100_000, `a disposition is of ${count} deliveries`)
  for (let index = 0; index < count; index++) yield (first + index) >>> 0
}

function conditionOf(frame: Frame): string {
  return String((frame['error'] as { readonly condition?: string } | undefined)?.condition)
}

function textOf(frame: Frame): string {
  const { condition, description } = (frame['error'] ?? {}) as {
    readonly condition?: string
    readonly description?: string
  }
  return `${condition ?? 'without an error'}: ${description ?? ''}`
}
