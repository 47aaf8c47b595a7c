/** Links of a fuzzed client, and what goes over them: they count as the specification says, and check that the broker does. [AMQP10 §2.6.7] */
import { assert } from '@ternmq/testkit/fuzzer'
import type { Frame } from '../peer/parse.ts'
import { type Sections, readMessage } from '../wire/message.ts'
import type { Attach, Outcome } from './session-actions.ts'
import { ALL_QUEUES, DEAD_LETTERS, type Holder, type Parcel } from './session-ledger.ts'
import { Limits, near } from './session-numbers.ts'
import type { ClientSession } from './session-side.ts'

/** attaching: not answered yet. refused: its detach follows. stolen: the client has attached another of that name. leaving: it has said detach. */
type LinkState = 'attaching' | 'attached' | 'refused' | 'stolen' | 'leaving' | 'gone'

abstract class Link {
  readonly session: ClientSession
  readonly wish: Attach
  state: LinkState = 'attaching'
  /** Deliveries that have begun. */
  count: number

  constructor(session: ClientSession, wish: Attach, count: number) {
    this.session = session
    this.wish = wish
    this.count = count
  }

  get handle(): number {
    return this.wish.handle
  }

  get isAttached(): boolean {
    return this.state === 'attached'
  }
}

/** A delivery of the client. */
export interface Sent {
  readonly link: SendingLink
  readonly kind: 'message' | 'declare' | 'discharge'
  readonly parcel: Parcel | undefined
  readonly transaction: Dealing | undefined
  isComplete: boolean
  readonly isSettled: boolean
  /** The broker has told an outcome and waits until it is settled. */
  isTold: boolean
}

/** What of a message has not been sent. */
export interface Begun {
  readonly sent: Sent
  readonly deliveryId: number
  rest: Buffer
}

export class SendingLink extends Link {
  /** Deliveries that may begin. */
  limit: number
  begun: Begun | undefined = undefined

  constructor(session: ClientSession, wish: Attach) {
    super(session, wish, wish.firstCount ?? 0)
    this.limit = this.count
  }

  get credit(): number {
    return this.limit - this.count
  }

  noteFlow(flow: Frame, creditMax: number): void {
    const count = near(Number(flow['deliveryCount']), this.count)
    const credit = Number(flow['linkCredit'])
    assert(count <= this.count, `a flow has delivery-count ${count} on a link with ${this.count} deliveries`)
    assert(credit <= creditMax, `a flow gives a credit of ${credit}`)
    this.limit = count + credit
  }
}

/** A delivery of the broker that is not settled. */
export interface Held {
  readonly id: number
  readonly link: ReceivingLink
  parcel: Parcel | undefined
  isComplete: boolean
  /** It is to be settled by this transaction. */
  transaction: Dealing | undefined
  /** The client has told an outcome, and the broker is to settle it. */
  isAsked: boolean
}

interface Coming {
  readonly held: Held
  readonly isSettled: boolean
  payload: Buffer
}

export class ReceivingLink extends Link implements Holder {
  readonly limits: Limits = new Limits(0)
  isDraining = false
  /** There is something that it does not want again. */
  isChoosy = false
  #coming: Coming | undefined = undefined

  constructor(session: ClientSession, wish: Attach) {
    super(session, wish, 0)
  }

  get isCertain(): boolean {
    return this.session.isCertain && this.state !== 'gone'
  }

  get isLate(): boolean {
    return this.session.peer.isLate
  }

  /** The queue that all comes from; undefined for a topic and for what is only looked at. */
  get queue(): string | undefined {
    return this.isBrowsing ? undefined : queueOf(this.wish.address)
  }

  get isBrowsing(): boolean {
    // Of a pattern the messages are moved all the same, as the answer says.
    return this.wish.terminus?.['distributionMode'] === 'copy' && queueOf(this.wish.address) !== ALL_QUEUES
  }

  get isWithin(): boolean {
    return this.#coming !== undefined
  }

  /** What waits in its queue should have come: it takes whatever there is, and more of it. */
  get isHungry(): boolean {
    const { takeLimits, nextIncoming } = this.session
    if (!this.isCertain || !this.isAttached || this.isWithin || this.isChoosy || this.wish.selector !== undefined)
      return false
    return this.count < this.limits.last && nextIncoming < takeLimits.last
  }

  /** Returns a delivery that begins, or nothing. */
  noteTransfer(frame: Frame, isSound: boolean): Held | undefined {
    if (this.#coming !== undefined) {
      assert(
        frame['deliveryId'] === undefined || Number(frame['deliveryId']) === this.#coming.held.id,
        `delivery ${this.#coming.held.id} goes on as ${String(frame['deliveryId'])}`,
      )
      this.#take(this.#coming, frame)
      return undefined
    }
    assert(frame['deliveryTag'] !== undefined, 'the first transfer of a delivery has no tag')
    assert(
      !isSound || this.count < this.limits.max,
      `delivery ${this.count + 1} came on a link that was given credit for ${this.limits.max}`,
    )
    this.count++
    const held: Held = {
      id: Number(frame['deliveryId']),
      link: this,
      parcel: undefined,
      isComplete: false,
      transaction: undefined,
      isAsked: false,
    }
    const isSettled = frame['settled'] === true
    const { settles } = this.wish
    assert(settles !== 'settled' || isSettled || !isSound, 'a link that sends settled has sent an unsettled delivery')
    assert(
      settles !== 'unsettled' || !isSettled || !isSound || this.isBrowsing,
      'a link that sends unsettled has sent a settled delivery',
    )
    this.#take((this.#coming = { held, isSettled, payload: Buffer.alloc(0) }), frame)
    return isSettled ? undefined : held
  }

  #take(coming: Coming, frame: Frame): void {
    const { held } = coming
    const { ledger } = this.session.peer
    coming.payload = Buffer.concat([coming.payload, frame.payload])
    const { queue } = this
    if (held.parcel === undefined && queue !== undefined && this.session.peer.isSound)
      held.parcel = ledger.deliver(coming.payload, queue, this)
    if (coming.isSettled && held.parcel !== undefined) {
      held.parcel.take('yes')
      held.parcel.wasJustTaken = true
      held.parcel.holders.delete(this)
    }
    if (frame['more'] === true) return
    this.#coming = undefined
    held.isComplete = true
    const text = textOf(readMessage(coming.payload))
    if (held.parcel !== undefined)
      assert(held.parcel.text === text, `${held.parcel.name} came with another body: ${text}`)
  }

  noteFlow(flow: Frame, isSound: boolean): void {
    const count = near(Number(flow['deliveryCount']), this.count)
    const credit = Number(flow['linkCredit'])
    assert(
      !isSound || count >= this.count,
      `a sender's flow has delivery-count ${count}; ${this.count} deliveries came`,
    )
    assert(
      !isSound || count + credit <= this.limits.max,
      `a sender's flow has delivery-count ${count} and credit ${credit}; credit was given for ${this.limits.max}`,
    )
    this.count = count
    if (credit === 0) this.isDraining = false
  }

  /** The link or more has ended: nobody knows of whom else its deliveries are. */
  giveBack(held: Held): void {
    giveBack(held.parcel, this)
  }
}

export function giveBack(parcel: Parcel | undefined, link: ReceivingLink): void {
  if (parcel === undefined) return
  parcel.holders.delete(link)
  parcel.mayMove = true
  if (link.queue === DEAD_LETTERS || link.queue === ALL_QUEUES) parcel.mayGo = true
}

/** What a receiver's outcome does when it has been heard; `isCertain`: it has. */
export function conclude(parcel: Parcel | undefined, link: ReceivingLink, outcome: Outcome, isCertain: boolean): void {
  if (parcel === undefined) return
  if (outcome === 'none') parcel.take('maybe') // as the source's default outcome says
  if (outcome === 'accepted') parcel.take(isCertain ? 'yes' : 'maybe')
  if (outcome === 'accepted' || outcome === 'released') parcel.holders.delete(link)
  else giveBack(parcel, link)
}

/** A transaction as its client sees it. */
export interface Dealing {
  readonly coordinator: SendingLink
  id: Buffer | undefined
  state: 'declaring' | 'open' | 'committing' | 'failing' | 'over'
  readonly parcels: Parcel[]
  /** Those that the broker has said it keeps for the commit. */
  readonly kept: Parcel[]
  readonly settles: { readonly held: Held; readonly outcome: Outcome; readonly settled: boolean }[]
}

/** It ends, and nobody has said how: `known` where there is no other way than back. */
export function abandon(dealing: Dealing, known: boolean): void {
  const isUndone = known && dealing.state !== 'committing'
  if (isUndone) for (const parcel of dealing.parcels) parcel.refuse()
  for (const { held, outcome } of dealing.settles) {
    if (isUndone) giveBack(held.parcel, held.link)
    else conclude(held.parcel, held.link, outcome, false)
  }
  dealing.state = 'over'
}

export function queueOf(address: string | undefined): string | undefined {
  return address === undefined ? undefined : /^queue:\/\/([\w-]+|>)(?:\?.*)?$/.exec(address)?.[1]
}

function textOf({ text, value }: Sections): string | undefined {
  return text ?? (typeof value === 'string' ? value : undefined)
}
