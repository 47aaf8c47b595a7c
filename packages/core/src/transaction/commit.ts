/** A commit as one group of the log: what it writes, and what happens when it is there. */
import type { Durability, LogRecord } from '@ternmq/store'
import type { Obstacle } from '../flow/admission.ts'
import type { LogGroup } from '../log/host-log.ts'
import { settledRecord } from '../log/records.ts'
import type { DeadLetter } from '../destinations/mover.ts'
import type { Producer } from '../publish/producer.ts'
import { Outgoing, type OutgoingPublish } from '../publish/outgoing.ts'
import type { VirtualHost } from '../virtual-host.ts'
import type { StagedSettle, Transaction } from './transaction.ts'

/** Settles in one record: 96 KiB of it. */
const SETTLES_PER_RECORD = 8_192

export class CommitGroup implements LogGroup {
  ticket = 0
  recordCount = 0
  readonly #vhost: VirtualHost
  readonly #producer: Producer
  readonly #transaction: Transaction
  readonly #outgoing: Outgoing
  readonly #letters = new Map<StagedSettle, DeadLetter>()
  #settles: readonly StagedSettle[] = []

  constructor(vhost: VirtualHost, producer: Producer, transaction: Transaction) {
    this.#vhost = vhost
    this.#producer = producer
    this.#transaction = transaction
    this.#outgoing = new Outgoing(vhost, producer.traffic, producer.subject)
  }

  /** Routes the messages, to whoever wants them now, and takes their places in queues that can be full: all of them, or none. */
  load(publishes: readonly OutgoingPublish[]): Obstacle | undefined {
    return this.#outgoing.load(publishes)
  }

  /** After `load`. */
  submit(settles: readonly StagedSettle[]): void {
    this.#settles = settles
    const records: LogRecord[] = []
    let isSynced = this.#outgoing.addTo(records)
    for (const settle of settles) {
      const letter = this.#letterOf(settle)
      if (letter?.isLogged === true) records.push(letter.record())
    }
    const queues: number[] = []
    const lsns: number[] = []
    for (const { consumer, delivery, outcome } of settles) {
      const { queue } = consumer
      if (!finishes(outcome) || queue.isEnding || !queue.isLogged(delivery)) continue
      queues.push(queue.number)
      lsns.push(delivery.message.lsn)
      if (queue.settings.durability === 'fsync-local') isSynced = true
    }
    for (let from = 0; from < lsns.length; from += SETTLES_PER_RECORD) {
      const to = from + SETTLES_PER_RECORD
      records.push(settledRecord(queues.slice(from, to), lsns.slice(from, to)))
    }
    this.#outgoing.addIdsTo(records)
    this.recordCount = records.length
    const level: Durability = isSynced ? 'fsync-local' : 'page-cache'
    const mustFollow = this.#producer.isPending
    this.#producer.enter()
    if (records.length > 0) this.#vhost.log.appendAll(records, this, level)
    else if (mustFollow) this.#vhost.log.follow(this)
    else this.onCommitted(0)
  }

  onCommitted(firstLsn: number): void {
    this.#transaction.onCommitted(() => this.#arrive(firstLsn))
    this.#producer.leave()
  }

  onRefused(text: string): void {
    this.#outgoing.abandon()
    for (const letter of this.#letters.values()) letter.abandon()
    this.#transaction.refuse(text)
    this.#producer.leave()
  }

  /** The copy of a rejected message for its dead-letter queue. */
  #letterOf(settle: StagedSettle): DeadLetter | undefined {
    const { consumer, delivery, outcome, detail } = settle
    const { queue } = consumer
    if (outcome !== 'rejected' || queue.isEnding) return undefined
    const letter = this.#vhost.mover.letterOf(queue, delivery, queue.settings.deadLetter, 'rejected', detail?.reason)
    if (letter === undefined) return undefined
    letter.depart()
    this.#letters.set(settle, letter)
    return letter
  }

  /** Everything happens, in the order in which it was asked for: messages, then settles. */
  #arrive(firstLsn: number): void {
    let lsn = this.#outgoing.arrive(firstLsn)
    for (const settle of this.#settles) {
      const letter = this.#letters.get(settle)
      letter?.arrive(letter.isLogged ? lsn++ : 0)
      this.#finish(settle)
    }
  }

  #finish({ consumer, delivery, outcome, detail }: StagedSettle): void {
    delivery.transaction = undefined
    if (delivery.consumer !== undefined) consumer.letGo(delivery)
    if (finishes(outcome)) consumer.queue.onSettledInLog(delivery, outcome, consumer)
    else consumer.queue.onSettled(delivery, outcome, consumer, detail)
    this.#vhost.tracer?.onSettled(delivery, outcome, detail)
  }
}

/** The queue has nothing more to do with the message. */
function finishes(outcome: StagedSettle['outcome']): outcome is 'accepted' | 'rejected' {
  return outcome === 'accepted' || outcome === 'rejected'
}
