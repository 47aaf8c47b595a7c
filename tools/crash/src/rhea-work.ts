/** Work in transactions of AMQP: messages that are sent together, and messages that are moved from one queue to another. */
import type { Delivery, EventContext, Sender } from 'rhea'

import type { LoadPublisher } from './client.ts'
import { contentOf, isRepeated, messageOf, openReceiver, RheaClient, type RheaOptions } from './rhea.ts'
import { RheaTransactions } from './rhea-transactions.ts'

/** One transaction in so many is rolled back. */
const ROLLBACK_EVERY = 8
const BATCH = 5
const MOVES_MAX = 10

abstract class TransactionalClient extends RheaClient {
  protected transactions: RheaTransactions | undefined = undefined
  protected sender: Sender | undefined = undefined
  #count = 0

  /** `address` of what is sent. */
  constructor(options: RheaOptions, address: string) {
    super(options)
    this.connection.once('connection_open', () => {
      this.transactions = new RheaTransactions(this.connection)
      this.sender = this.transactions.openSender({ target: { address } })
      this.sender.on('sender_error', () => this.fail('the link was ended'))
      this.sender.on('rejected', () => this.fail('a message of a transaction was rejected'))
      // Its link is attached after that to the coordinator.
      this.sender.on('sendable', () => {
        if (this.isReady) return
        this.ready()
        this.goOn()
      })
    })
  }

  protected abstract goOn(): void

  /** Whether the next one is to be rolled back. */
  protected willFail(): boolean {
    return ++this.#count % ROLLBACK_EVERY === 0
  }
}

export interface BatchPublisherOptions extends RheaOptions {
  readonly address: string
  readonly queue: string
}

/** A few messages in each transaction: all of them come or none, and after a rollback none. What is in doubt is not sent again. */
export class BatchPublisher extends TransactionalClient implements LoadPublisher {
  readonly #options: BatchPublisherOptions
  #isPaused = true
  #number = 0
  #isWorking = false
  /** Of the transaction that is open, and whether its commit is on its way. */
  #batch: { readonly ids: readonly string[]; isInDoubt: boolean } | undefined = undefined

  constructor(options: BatchPublisherOptions) {
    super(options, options.address)
    this.#options = options
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
    this.goOn()
  }

  async publish(): Promise<void> {
    await this.#sendBatch(false)
  }

  protected goOn(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    void this.#work().finally(() => (this.#isWorking = false)) // faults are noted
  }

  async #work(): Promise<void> {
    while (!this.#isPaused && this.isReady) {
      try {
        await this.#sendBatch(this.willFail())
      } catch (error) {
        if (this.isReady) this.fail((error as Error).message)
        return
      }
    }
  }

  async #sendBatch(fails: boolean): Promise<void> {
    const { load, transactions } = this
    const { queue } = this.#options
    const transaction = await transactions!.declare()
    const ids = Array.from({ length: BATCH }, () => `${this.clientId}-${++this.#number}`)
    this.#batch = { ids, isInDoubt: !fails }
    for (const id of ids) {
      load!.sent({ id, producer: this.clientId, qos: 1, queues: [queue] })
      transactions!.send(this.sender!, messageOf(id), transaction)
    }
    await transactions!.discharge(transaction, fails)
    this.#batch = undefined
    for (const id of ids) {
      if (fails) load!.withdrawn(id)
      else load!.confirmed(id)
    }
  }

  protected onGone(): void {
    const batch = this.#batch
    this.#batch = undefined
    if (batch === undefined) return
    if (batch.isInDoubt) this.load!.ledger.together(this.#options.queue, batch.ids)
    for (const id of batch.ids) {
      if (batch.isInDoubt) this.load!.abandoned(id)
      else this.load!.withdrawn(id)
    }
  }
}

export interface MoverOptions extends RheaOptions {
  readonly from: { readonly address: string; readonly queue: string }
  readonly to: { readonly address: string; readonly queue: string }
}

interface Held {
  readonly id: string
  readonly delivery: Delivery
}

interface Move {
  readonly id: string
  readonly copy: string
}

/** Accepts messages and sends another for each, all in one transaction: each message is moved once, whatever happens. */
export class Mover extends TransactionalClient {
  readonly #options: MoverOptions
  readonly #held: Held[] = []
  #connection = 0
  #number = 0
  #isWorking = false
  /** Of the transaction that is open, and whether its commit is on its way. */
  #batch: { readonly moves: readonly Move[]; readonly isInDoubt: boolean } | undefined = undefined

  constructor(options: MoverOptions) {
    super(options, options.to.address)
    this.#options = options
    const link = openReceiver(this.connection, options.from)
    link.on('receiver_error', () => this.fail('the link was ended'))
    link.on('message', ({ message, delivery }: EventContext) => {
      const id = this.load!.held(options.from.queue, contentOf(message!), this.#name, isRepeated(message!))
      this.#held.push({ id, delivery: delivery! })
      this.goOn()
    })
  }

  get #name(): string {
    return `${this.clientId}#${this.#connection}`
  }

  pause(): void {
    // Moves what comes.
  }

  protected goOn(): void {
    if (this.#isWorking) return
    this.#isWorking = true
    void this.#work().finally(() => (this.#isWorking = false)) // faults are noted
  }

  async #work(): Promise<void> {
    while (this.isReady && this.#held.length > 0) {
      try {
        await this.#move(this.#held.splice(0, MOVES_MAX), this.willFail())
      } catch (error) {
        if (this.isReady) this.fail((error as Error).message)
        return
      }
    }
  }

  async #move(held: readonly Held[], fails: boolean): Promise<void> {
    const { from, to } = this.#options
    const transactions = this.transactions!
    const load = this.load!
    const transaction = await transactions.declare()
    const moves = held.map(({ id }) => ({ id, copy: `${this.clientId}-${++this.#number}` }))
    this.#batch = { moves, isInDoubt: !fails }
    for (const [index, { id, copy }] of moves.entries()) {
      load.sent({ id: copy, producer: this.clientId, qos: 1, queues: [to.queue] })
      transactions.send(this.sender!, messageOf(copy), transaction)
      transactions.accept(held[index]!.delivery, transaction)
      // Rolled back, it may come again before the answer.
      if (fails) load.history.released(from.queue, id)
      else load.history.settled(from.queue, id)
    }
    await transactions.discharge(transaction, fails)
    this.#batch = undefined
    for (const { id, copy } of moves) {
      if (fails) load.withdrawn(copy)
      else {
        load.ledger.moved(from.queue, id, to.queue, copy)
        load.confirmed(copy)
        load.settledForGood(from.queue, id)
      }
    }
  }

  protected onGone(): void {
    this.#held.length = 0
    this.load?.history.consumerGone(this.#name)
    this.#connection++
    const batch = this.#batch
    this.#batch = undefined
    if (batch === undefined) return
    const { from, to } = this.#options
    const load = this.load!
    const copies = batch.moves.map(({ copy }) => copy)
    if (batch.isInDoubt) load.ledger.together(to.queue, copies)
    for (const { id, copy } of batch.moves) {
      if (!batch.isInDoubt) {
        load.withdrawn(copy)
        continue
      }
      load.ledger.moved(from.queue, id, to.queue, copy)
      load.abandoned(copy)
      load.doubted(from.queue, id)
    }
  }
}
