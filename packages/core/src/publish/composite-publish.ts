/** One publish to all destinations of a composite, in one group of the log. The producer says when it is its turn. */
import type { LogRecord } from '@ternmq/store'
import type { Obstacle } from '../flow/admission.ts'
import type { LogGroup } from '../log/host-log.ts'
import { Outgoing, type OutgoingPublish } from './outgoing.ts'
import type { Producer, ProducerWork, PublishResult } from './producer.ts'
import type { VirtualHost } from '../virtual-host.ts'

export class CompositePublish implements ProducerWork, LogGroup {
  ticket = 0
  recordCount = 0
  readonly #vhost: VirtualHost
  readonly #producer: Producer
  readonly #publish: OutgoingPublish
  readonly #tag: number
  readonly #receivedId: number | undefined
  readonly #bytes: number
  #outgoing: Outgoing | undefined = undefined
  /** What `publish` returns; it is not known before `go`, and later outcomes go to the producer's owner. */
  result: PublishResult = 'pending'

  /** `receivedId` is to last. */
  constructor(vhost: VirtualHost, producer: Producer, publish: OutgoingPublish, tag: number, receivedId: number | undefined) {
    this.#vhost = vhost
    this.#producer = producer
    this.#publish = publish
    this.#tag = tag
    this.#receivedId = receivedId
    this.#bytes = publish.message.size * publish.route.parts!.length
  }

  // ── ProducerWork ──

  /** Takes the places of all its messages when nothing is in the way. */
  obstacle(): Obstacle | undefined {
    const outgoing = new Outgoing(this.#vhost, this.#producer.traffic, this.#producer.subject)
    const obstacle = outgoing.load([this.#publish])
    if (obstacle === undefined) this.#outgoing = outgoing
    return obstacle
  }

  go(): void {
    const records: LogRecord[] = []
    const level = this.#outgoing!.addTo(records) ? 'fsync-local' : 'page-cache'
    this.#outgoing!.addIdsTo(records)
    if (records.length === 0 && !this.#producer.isPending) {
      this.result = this.#arrive(0)
      return
    }
    if (records.length > 0) records.push(...this.#producer.receivedRecords(this.#receivedId))
    this.recordCount = records.length
    this.#producer.enter(this.#bytes)
    if (records.length > 0) this.#vhost.log.appendAll(records, this, level)
    else this.#vhost.log.follow(this)
  }

  refuse(text: string): void {
    this.#producer.traffic.counters.refused++
    this.#producer.answer(this.#tag, { refusal: 'limit-reached', subject: this.#publish.route.topic, text })
  }

  // ── LogGroup ──

  onCommitted(lsn: number): void {
    if (this.recordCount > 0 && this.#receivedId !== undefined) this.#producer.onReceived(this.#receivedId)
    this.#producer.settle(this.#tag, this.#arrive(lsn), this.#bytes)
  }

  onRefused(text: string): void {
    this.#outgoing!.abandon()
    this.#producer.refusal = { refusal: 'limit-reached', subject: this.#publish.route.topic, text }
    this.#producer.settle(this.#tag, 'refused', this.#bytes)
  }

  #arrive(lsn: number): 'routed' | 'unmatched' {
    this.#outgoing!.arrive(lsn)
    return this.#outgoing!.isWanted ? 'routed' : 'unmatched'
  }
}
