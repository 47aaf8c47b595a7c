/** The transactions of one connection, by the ids that it was given for them. [AMQP10 §4] */
import type {
  Delivery,
  Outcome,
  ProducerTarget,
  Message,
  PublishOptions,
  RefusalDetail,
  Result,
  Transaction,
} from '@ternmq/core'
import { AmqpFault, type Condition } from './codec/faults.ts'
import { type DeliveryState, RELEASED } from './codec/performatives.ts'
import type { AmqpConnection } from './connection.ts'
import type { CoordinatorLink } from './links/coordinator-link.ts'
import { detailOf } from './outcomes.ts'
import type { AmqpSession } from './session.ts'

type Transactional = Extract<DeliveryState, { kind: 'transactional' }>

/** A delivery whose outcome the transaction decides. */
interface Staged {
  readonly session: AmqpSession
  readonly deliveryId: number
  readonly delivery: Delivery
  readonly outcome: DeliveryState
  /** The client has settled it: should the transaction fail, it goes back to where it came from. */
  isSettled: boolean
}

interface Open {
  readonly link: CoordinatorLink
  readonly transaction: Transaction
  readonly staged: Map<Delivery, Staged>
  /** A message of it was refused: it can only be rolled back. */
  flaw: RefusalDetail | undefined
}

export interface DischargeRefusal {
  readonly condition: Condition
  readonly text: string
}

const ID_BYTES = 8

export class ConnectionTransactions {
  readonly #connection: AmqpConnection
  readonly #open = new Map<string, Open>()
  #lastId = 0

  constructor(connection: AmqpConnection) {
    this.#connection = connection
  }

  /** A new one, with its id. [AMQP10 §4.2] */
  declare(link: CoordinatorLink): Result<Uint8Array> {
    const { session } = this.#connection
    const id = Buffer.alloc(ID_BYTES)
    id.writeBigUInt64BE(BigInt(++this.#lastId))
    const key = id.toString('hex')
    const begun = session.beginTransaction(link.commits, () => this.#onTimedOut(key))
    if (!begun.ok) return begun
    this.#open.set(key, { link, transaction: begun.value, staged: new Map(), flaw: undefined })
    return { ok: true, value: id }
  }

  /** Commits, or rolls back what has failed. `then` hears how it ended; undefined: as it was asked for. [AMQP10 §4.3] */
  discharge(
    link: CoordinatorLink,
    id: Uint8Array,
    hasFailed: boolean,
    then: (refusal: DischargeRefusal | undefined) => void,
  ): void {
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open === undefined || open.link !== link)
      return then({ condition: 'amqp:transaction:unknown-id', text: unknownText(key) })
    this.#open.delete(key)
    if (open.transaction.state !== 'open')
      return then({ condition: 'amqp:transaction:timeout', text: timedOutText(key) })
    if (hasFailed || open.flaw !== undefined) {
      this.#rollback(open)
      return then(
        hasFailed
          ? undefined
          : { condition: 'amqp:transaction:rollback', text: `the transaction was rolled back: ${open.flaw!.text}` },
      )
    }
    this.#connection.begin()
    open.transaction.commit((refusal) => {
      if (refusal === undefined) this.#settle(open)
      else this.#giveBack(open)
      then(refusal === undefined ? undefined : { condition: 'amqp:transaction:rollback', text: refusal.text })
      this.#connection.settled()
    })
  }

  /** Keeps a message for the commit. Returns why it is not kept: then there will be no commit. [AMQP10 §4.4.1] */
  publish(
    id: Uint8Array,
    target: ProducerTarget,
    message: Message,
    options: PublishOptions | undefined,
  ): RefusalDetail | undefined {
    const key = keyOf(id)
    const open = this.#open.get(key)
    if (open === undefined)
      throw new AmqpFault('link', 'amqp:transaction:unknown-id', unknownText(key), 'AMQP10-4.4.1-a')
    if (open.transaction.state !== 'open') throw new AmqpFault('link', 'amqp:transaction:timeout', timedOutText(key))
    const refusal = open.transaction.publish(target, message, options)
    if (refusal !== undefined) open.flaw ??= refusal
    return refusal
  }

  /** Something of it cannot be: there will be no commit. [AMQP10-4.4.4-b] */
  spoil(id: Uint8Array, refusal: RefusalDetail): void {
    const open = this.#open.get(keyOf(id))
    if (open !== undefined) open.flaw ??= refusal
  }

  /** Settles a delivery with the commit. [AMQP10 §4.4.2] */
  settle(
    session: AmqpSession,
    deliveryId: number,
    delivery: Delivery,
    { transactionId, outcome = RELEASED }: Transactional,
    isSettled: boolean,
  ): void {
    const key = keyOf(transactionId)
    const open = this.#open.get(key)
    if (open === undefined || open.transaction.state !== 'open')
      throw new AmqpFault('session', 'amqp:transaction:unknown-id', unknownText(key), 'AMQP10-4.4.2-b')
    const before = open.staged.get(delivery)
    if (before !== undefined) {
      if (isSettled) before.isSettled = true
      return
    }
    const refusal = open.transaction.settle(delivery.consumer!, delivery, outcome.kind as Outcome, detailOf(outcome))
    if (refusal !== undefined) open.flaw ??= refusal
    // One that was refused, too: its client may have settled it, and has to lose it with the transaction.
    open.staged.set(delivery, { session, deliveryId, delivery, outcome, isSettled })
  }

  /** Nobody can end them any more. */
  endOf(link: CoordinatorLink): void {
    for (const [key, open] of [...this.#open]) {
      if (open.link !== link) continue
      this.#open.delete(key)
      if (open.transaction.state === 'open') this.#rollback(open)
    }
  }

  /** The core has rolled it back; the client hears when it names it again. */
  #onTimedOut(key: string): void {
    const open = this.#open.get(key)
    if (open !== undefined) this.#giveBack(open)
  }

  #rollback(open: Open): void {
    open.transaction.rollback()
    this.#giveBack(open)
  }

  /** It is committed: what the client has not settled we do. [AMQP10-4.4.2-c] */
  #settle({ staged }: Open): void {
    for (const { session, deliveryId, outcome, isSettled } of staged.values()) {
      if (session.unsettled.delete(deliveryId) && !isSettled) session.tellSettled(deliveryId, deliveryId, outcome)
    }
  }

  /** What the client has settled it does not have any more: that attempt has failed. The rest it still has. */
  #giveBack({ staged }: Open): void {
    for (const { session, deliveryId, delivery, isSettled } of staged.values()) {
      if (!isSettled || session.unsettled.get(deliveryId) !== delivery) continue
      session.unsettled.delete(deliveryId)
      delivery.consumer?.settle(delivery, 'modified', { deliveryFailed: true })
    }
    staged.clear()
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex')
}

function timedOutText(key: string): string {
  return `transaction ${key} was open for too long (limits.transactionAgeMaxMs) and was rolled back; declare a new one`
}

function unknownText(key: string): string {
  return `there is no transaction ${key === '' ? 'with an empty id' : key} on this link: it was never declared, or is over`
}
