/** A transaction of one reader, as it sees it: what it settles is neither held nor gone until the commit has an answer. */
import type { Delivery, Outcome, Producer, Transaction } from '@ternmq/core'

import { type ConsumerClient, idOf, messageOf, type MessageSpec, queueOf, type Surroundings } from './clients.ts'
import { DEAD_LETTERS } from './ledger.ts'

interface Settle {
  readonly delivery: Delivery
  readonly outcome: Outcome
  readonly queue: string
  readonly id: string
}

export class TransactionClient {
  readonly #world: Surroundings
  readonly #reader: ConsumerClient
  readonly #producer: Producer
  readonly #transaction: Transaction
  readonly #ids: { readonly id: string; readonly queues: readonly string[] }[] = []
  readonly #settles: Settle[] = []

  constructor(world: Surroundings, reader: ConsumerClient) {
    this.#world = world
    this.#reader = reader
    this.#producer = reader.session.openProducer({ onPublishSettled: () => {} })
    const begun = reader.session.beginTransaction(this.#producer)
    if (!begun.ok) throw new Error(`transaction of ${reader.name}: ${begun.detail.text}`)
    this.#transaction = begun.value
    world.ledger.note(`transaction of ${reader.name}`)
  }

  get isOpen(): boolean {
    return this.#transaction.state === 'open'
  }

  get isOver(): boolean {
    return this.#transaction.state === 'committed' || this.#transaction.state === 'rolled-back'
  }

  publish(address: string, queues: readonly string[], id: string, spec: MessageSpec): void {
    const { ledger } = this.#world
    const message = messageOf(address, id, spec, this.#reader.name)
    const refusal = this.#transaction.publish(this.#producer.target(address), message)
    if (refusal !== undefined) return ledger.note(`  ${id} is not taken: ${refusal.text}`)
    ledger.note(`  with ${id} to ${queues.join(' ')}`)
    this.#ids.push({ id, queues })
  }

  settle(delivery: Delivery, outcome: 'accepted' | 'rejected'): void {
    const refusal = this.#transaction.settle(delivery.consumer!, delivery, outcome)
    const [queue, id] = [queueOf(delivery), idOf(delivery.message)]
    if (refusal !== undefined) return this.#world.ledger.note(`  ${id} is not settled: ${refusal.text}`)
    this.#world.ledger.note(`  with ${id} of ${queue}: ${outcome}`)
    this.#reader.held.splice(this.#reader.held.indexOf(delivery), 1)
    this.#settles.push({ delivery, outcome, queue, id })
  }

  commit(): void {
    const { ledger } = this.#world
    ledger.note(`transaction of ${this.#reader.name}: commit`)
    for (const { id, queues } of this.#ids) ledger.published(id, queues, `${this.#reader.name} in transactions`, 0)
    for (const { queue, id, outcome } of this.#settles) {
      if (outcome === 'rejected') ledger.moved(queue, id, 'in a transaction')
      else ledger.settled(queue, id, 'in a transaction')
    }
    const told = ledger.committing(
      this.#ids.map(({ id }) => id),
      this.#settles,
    )
    this.#transaction.commit((refusal) => {
      if (this.#world.isOver()) return
      told()
      if (refusal === undefined) this.#committed()
      else this.#refused(refusal.text)
    })
  }

  /** Its deliveries are its reader's again. */
  rollback(): void {
    this.#world.ledger.note(`transaction of ${this.#reader.name}: rollback`)
    this.#transaction.rollback()
    for (const { delivery } of this.#settles) this.#reader.held.push(delivery)
  }

  #committed(): void {
    const { ledger } = this.#world
    // An empty one promises nothing.
    if (this.#ids.length + this.#settles.length > 0) this.#world.confirm(`transaction of ${this.#reader.name}`)
    for (const { id } of this.#ids) ledger.publishConfirmed(id)
    for (const { queue, id, outcome } of this.#settles) {
      if (outcome === 'rejected' && queue !== DEAD_LETTERS) ledger.moveConfirmed(queue, id)
      else ledger.settleConfirmed(queue, id)
    }
  }

  #refused(text: string): void {
    const { ledger } = this.#world
    for (const { id } of this.#ids) ledger.publishRefused(id, text)
    for (const { delivery, queue, id } of this.#settles) {
      ledger.settleUndone(queue, id)
      this.#reader.held.push(delivery)
    }
  }
}
