/**
 * Publishes and settles that happen together or not at all: one group of the log, or nothing. Until it is committed, its messages are
 * nowhere but here, and the deliveries it settles stay with their consumers and cannot be settled by anybody else. Several may be
 * open at once, also of one session.
 */
import { CommitGroup } from './commit.ts'
import type { VirtualHost } from '../virtual-host.ts'
import type { Obstacle } from '../flow/admission.ts'
import { ENTRY_BYTES, TRANSACTION_BYTES_MAX, TRANSACTION_OPERATIONS_MAX, TRANSACTION_REWRITES_MAX } from '../limits.ts'
import type { Message } from '../message/message.ts'
import type { OutgoingPublish } from '../publish/outgoing.ts'
import type { Producer, ProducerTarget, ProducerWork, PublishOptions } from '../publish/producer.ts'
import type { Consumer } from '../queue/consumer.ts'
import type { Delivery, Outcome, SettleDetail } from '../queue/delivery.ts'
import type { RefusalDetail } from '../refusal.ts'
import { timingOf } from '../schedule/options.ts'
import type { WheelEntry } from '../timer-wheel.ts'
import type { PublishTrace } from '../tracing/tracer.ts'

/** What a publisher may say of a message of a transaction. */
export type StagingOptions = Pick<PublishOptions, 'schedule' | 'dedupId'>

/** What becomes of a delivery with the commit. */
export interface StagedSettle {
  readonly consumer: Consumer
  readonly delivery: Delivery
  readonly outcome: Outcome
  readonly detail: SettleDetail | undefined
}

/** Hears how a commit ended: undefined when all of it happened, otherwise why nothing did. */
export type OnCommitted = (refusal: RefusalDetail | undefined) => void

export type TransactionState = 'open' | 'committing' | 'committed' | 'rolled-back'

/** What a transaction shares with others of its session. */
export interface TransactionScope {
  /** Whose they are, for refusals. */
  readonly name: string
  /** Why `bytes` more may not be held; undefined when they may. */
  refusalOf(bytes: number): string | undefined
  /** So much more is held; less than 0 for less. */
  hold(bytes: number): void
  onCommitting(transaction: Transaction): void
  /** It is about to be rolled back, because it has been open for too long. */
  onTimedOut(transaction: Transaction): void
  /** It is over, whichever way. */
  onEnded(transaction: Transaction): void
}

export class Transaction implements ProducerWork, WheelEntry {
  readonly #vhost: VirtualHost
  readonly #producer: Producer
  readonly #scope: TransactionScope
  readonly #onTimedOut: () => void
  #publishes: OutgoingPublish[] = []
  #settles: StagedSettle[] = []
  /** Of the settles: those that may write messages anew. */
  #rewriteCount = 0
  /** Of the publishes, held in memory. */
  #bytes = 0
  #state: TransactionState = 'open'
  #group: CommitGroup | undefined = undefined
  #onResult: OnCommitted = () => {}

  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  /** `onTimedOut` hears when it was rolled back because it had been open for too long. */
  constructor(vhost: VirtualHost, producer: Producer, scope: TransactionScope, onTimedOut: () => void) {
    this.#vhost = vhost
    this.#producer = producer
    this.#scope = scope
    this.#onTimedOut = onTimedOut
  }

  get state(): TransactionState {
    return this.#state
  }

  /** Publishes and settles so far. */
  get operationCount(): number {
    return this.#publishes.length + this.#settles.length
  }

  /** Of the publishes, held in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Keeps a message for the commit. Permission is asked now, and only now. Returns why it was not kept: no permission, a bad schedule,
   * or one of the transaction's bounds. The transaction goes on either way. A duplicate is kept like any other and found out by the
   * commit, which drops it.
   */
  publish(target: ProducerTarget, message: Message, options: StagingOptions = {}): RefusalDetail | undefined {
    this.#checkOpen('publish')
    const trace = this.#producer.beginTrace(message)
    const refusal = this.#keep(target, message, options, trace)
    if (refusal !== undefined) trace?.end('refused', refusal)
    return refusal
  }

  #keep(
    target: ProducerTarget,
    message: Message,
    options: StagingOptions,
    trace: PublishTrace | undefined,
  ): RefusalDetail | undefined {
    const { schedule, dedupId } = options
    const { route } = target
    const atMs = this.#vhost.env.clock.wallMs()
    const bytes = message.size + ENTRY_BYTES
    const refusal = this.#producer.check(target, message) ?? this.#overLimit(route.topic, bytes)
    if (refusal !== undefined) return refusal
    if (schedule !== undefined) {
      const timing = timingOf(schedule, atMs, route.topic)
      if (!timing.ok) return timing.detail
    }
    message.detach()
    this.#publishes.push({ route, message, schedule, dedupId, trace, atMs })
    this.#bytes += bytes
    this.#scope.hold(bytes)
    return undefined
  }

  /**
   * Settles a delivery of `consumer` with the commit. Until then it counts as unsettled, against the consumer's credit as well. Returns
   * why it cannot be: a transaction has it already, or there are too many. Throws for a delivery that the consumer does not hold.
   */
  settle(consumer: Consumer, delivery: Delivery, outcome: Outcome, detail?: SettleDetail): RefusalDetail | undefined {
    this.#checkOpen('settle')
    if (delivery.consumer !== consumer) throw new Error(`settle of a delivery that is not with this consumer of ${consumer.queue.name}`)
    const address = delivery.message.topic
    if (delivery.transaction !== undefined) {
      const text = `delivery ${delivery.tag} from ${consumer.queue.name} is settled in a transaction already; commit that or roll it back`
      return { refusal: 'in-use', subject: address, text }
    }
    const isRewrite = outcome === 'rejected' || outcome === 'modified'
    const refusal = this.#overLimit(address, 0) ?? (isRewrite ? this.#overRewrites(address) : undefined)
    if (refusal !== undefined) return refusal
    if (isRewrite) this.#rewriteCount++
    delivery.transaction = this
    this.#settles.push({ consumer, delivery, outcome, detail })
    return undefined
  }

  /**
   * Makes all of it happen, in its turn among the producer's publishes; settles alone do not wait behind publishes that have no room, which
   * they may make. `onResult` hears once it is in the log, at once where nothing has to be. Refused, by a full queue for example, it is
   * rolled back.
   */
  commit(onResult: OnCommitted): void {
    this.#checkOpen('commit')
    this.#state = 'committing'
    this.#scope.onCommitting(this)
    this.#onResult = onResult
    if (this.#publishes.length > 0) return this.#producer.perform(this)
    this.#group = new CommitGroup(this.#vhost, this.#producer, this)
    this.go()
  }

  /**
   * Nothing of it happens: messages are forgotten, deliveries are with their consumers as if they had not been settled. What a consumer
   * left behind returns to its old place, with a failed attempt more.
   */
  rollback(): void {
    this.#checkOpen('rollback')
    this.#undo()
  }

  // ── WheelEntry ──

  /** It has been open for too long: what it holds is wanted by others. */
  onDue(): void {
    this.#scope.onTimedOut(this)
    this.#undo()
    this.#onTimedOut()
  }

  // ── ProducerWork ──

  /** What keeps one of its messages from its queues; then none of them goes. */
  obstacle(): Obstacle | undefined {
    const group = new CommitGroup(this.#vhost, this.#producer, this)
    const obstacle = group.load(this.#publishes)
    if (obstacle === undefined) this.#group = group
    return obstacle
  }

  go(): void {
    this.#group!.submit(this.#settles)
  }

  refuse(text: string): void {
    this.#group = undefined
    const detail: RefusalDetail = { refusal: 'limit-reached', subject: this.#scope.name, text: `the transaction was rolled back: ${text}` }
    this.#undo(detail)
    this.#onResult(detail)
  }

  /** Only its group calls this: it is in the log, and `arrive` lets everything happen. */
  onCommitted(arrive: () => void): void {
    this.#state = 'committed'
    const publishes = this.#publishes
    this.#forget()
    arrive()
    for (const { trace } of publishes) trace?.end('routed', undefined)
    this.#onResult(undefined)
  }

  #undo(refusal?: RefusalDetail): void {
    this.#state = 'rolled-back'
    const settles = this.#settles
    const publishes = this.#publishes
    this.#forget()
    for (const { trace } of publishes) trace?.end('refused', refusal)
    for (const { consumer, delivery } of settles) {
      delivery.transaction = undefined
      delivery.hasFailed = true
      if (delivery.consumer !== undefined) continue
      // Its consumer has ended meanwhile, and it was kept for this transaction alone.
      consumer.queue.onSettled(delivery, 'modified', consumer)
      this.#vhost.tracer?.onSettled(delivery, 'modified', undefined)
    }
  }

  /** It holds nothing any more. */
  #forget(): void {
    this.#publishes = []
    this.#settles = []
    this.#scope.hold(-this.#bytes)
    this.#bytes = 0
    this.#vhost.flow.gates.onMemoryEased()
    this.#scope.onEnded(this)
  }

  #overLimit(subject: string, bytes: number): RefusalDetail | undefined {
    const text = this.#limitText() ?? (bytes > 0 ? this.#memoryText(bytes) : undefined)
    if (text === undefined) return undefined
    return { refusal: 'limit-reached', subject, text: `a transaction of '${this.#scope.name}' takes no more: ${text}; commit it` }
  }

  #overRewrites(subject: string): RefusalDetail | undefined {
    if (this.#rewriteCount < TRANSACTION_REWRITES_MAX) return undefined
    const many = `it has ${this.#rewriteCount} settles as rejected or modified, the limit (TRANSACTION_REWRITES_MAX)`
    return { refusal: 'limit-reached', subject, text: `a transaction of '${this.#scope.name}' takes no more of them: ${many}; commit it` }
  }

  #limitText(): string | undefined {
    const count = this.operationCount
    return count < TRANSACTION_OPERATIONS_MAX ? undefined : `it has ${count} publishes and settles, the limit (TRANSACTION_OPERATIONS_MAX)`
  }

  #memoryText(bytes: number): string | undefined {
    if (this.#bytes + bytes > TRANSACTION_BYTES_MAX) {
      return `${bytes} bytes more than its ${this.#bytes} exceed TRANSACTION_BYTES_MAX ${TRANSACTION_BYTES_MAX}`
    }
    const { waiting, flow } = this.#vhost
    const refusal = this.#scope.refusalOf(bytes)
    if (refusal !== undefined || flow.hasMemoryFor(bytes)) return refusal
    return `${waiting.bytes} bytes of messages wait in memory, the limit (limits.waitingBytesMax) is ${waiting.bytesMax}`
  }

  #checkOpen(what: string): void {
    if (this.#state !== 'open') throw new Error(`${what} in a transaction of '${this.#scope.name}' that is ${this.#state}`)
  }
}
