/**
 * Takes an entry from one queue to another: dead letters, expired messages. The copy and the end of the original are one group of the
 * log, so that there is always one of them and never both.
 */
import type { LogRecord } from '@ternmq/store'
import { QUEUE_PREFIX } from '../routing/address.ts'
import { weighUnderWay } from '../flow/admission.ts'
import type { LogGroup } from '../log/host-log.ts'
import type { Retried } from '../log/owed.ts'
import { messageRecord } from '../log/message-record.ts'
import { earlierOrigins } from './origins.ts'
import { settledRecord } from '../log/records.ts'
import { Message, type MessageExtras } from '../message/message.ts'
import type { Delivery } from '../queue/delivery.ts'
import type { MoveCause } from '../queue/context.ts'
import type { Queue } from '../queue/queue.ts'
import type { NamedQueue } from './destinations.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** The same message for another queue, with what is to be said of it. */
export function copyFor(message: Message, extras: MessageExtras | undefined, expiresAtMs: number): Message {
  const { topic, codec, bytes, start, headerStart, bodyStart, end, assurance, durable, publisher, priority } = message
  const copy = new Message({
    topic,
    codec,
    bytes,
    start,
    headerStart,
    bodyStart,
    end,
    assurance,
    durable,
    retain: false,
    expiresAtMs,
    publisher,
    priority,
    extras,
  })
  copy.trace = message.trace
  return copy
}

export class Mover {
  readonly #vhost: VirtualHost

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** Moves an entry that nobody else has, with its cause; where there can be no such queue it goes, counted. */
  deadLetter(queue: Queue, delivery: Delivery, target: string, cause: MoveCause, reason: string | undefined): void {
    const letter = this.letterOf(queue, delivery, target, cause, reason)
    if (letter === undefined) return queue.finishAt(delivery.line!, delivery.position)
    this.#vhost.tracer?.onDeadLettered(queue, delivery, letter.target.queue, letter.copy)
    this.#vhost.traffic.counters.deadLettered++
    queue.deadLetteredCount++
    this.move(queue, delivery, letter.target, letter.copy)
  }

  /** The copy of an entry for the queue of dead letters, with the cause; undefined, and counted, where there can be no such queue. */
  letterOf(
    queue: Queue,
    delivery: Delivery,
    target: string | undefined,
    cause: MoveCause,
    reason: string | undefined,
  ): DeadLetter | undefined {
    const { destinations, traffic, env } = this.#vhost
    const named = target === undefined ? undefined : destinations.ensure(target)
    if (named?.ok !== true || named.value.queue === queue) {
      if (target !== undefined && target !== queue.name) traffic.counters.undeliverable++
      return undefined
    }
    const { message } = delivery
    const before = message.extras?.annotations
    const annotations = {
      ...before,
      ...earlierOrigins(before),
      originalAddress: message.topic,
      originalQueue: QUEUE_PREFIX + queue.name,
      cause,
      ...(reason !== undefined && { reason }),
      failedCount: delivery.failedCount + (cause === 'rejected' ? 1 : 0),
      ...(cause === 'expired' && { expiredAtMs: message.expiresAtMs }),
      movedAtMs: env.clock.wallMs(),
    }
    return new DeadLetter(
      this.#vhost,
      queue,
      delivery,
      named.value,
      copyFor(message, { ...message.extras, annotations }, 0),
    )
  }

  /** Puts `copy` into `target` and ends the entry. */
  move(queue: Queue, delivery: Delivery, target: NamedQueue, copy: Message): void {
    const { log } = this.#vhost
    const isLogged = target.queue.number !== 0 && copy.durable && copy.assurance !== 0
    const records: LogRecord[] = []
    if (isLogged) {
      copy.detach()
      records.push(messageRecord(copy, [target.queue.number], target.queue.hasAttachedConsumer))
    }
    const leaves = queue.isLogged(delivery)
    if (leaves) records.push(settledRecord([queue.number], [delivery.message.lsn]))
    const move = new Move(this.#vhost, queue, delivery, target, copy, records, isLogged, leaves)
    weighUnderWay(this.#vhost, [target.target], copy, 1)
    if (records.length === 0) move.onCommitted(0)
    else log.appendAll(records, move)
  }
}

/** A copy on its way to a queue of dead letters, for whoever puts it into a group of the log. */
export class DeadLetter {
  readonly target: NamedQueue
  readonly copy: Message
  readonly #vhost: VirtualHost
  readonly #origin: Queue
  readonly #delivery: Delivery

  constructor(vhost: VirtualHost, origin: Queue, delivery: Delivery, target: NamedQueue, copy: Message) {
    this.#vhost = vhost
    this.#origin = origin
    this.#delivery = delivery
    this.target = target
    this.copy = copy
  }

  get isLogged(): boolean {
    return this.target.queue.number !== 0 && this.copy.durable && this.copy.assurance !== 0
  }

  /** From here until it arrives or does not, its queue knows that it is on its way. */
  depart(): void {
    weighUnderWay(this.#vhost, [this.target.target], this.copy, 1)
  }

  abandon(): void {
    weighUnderWay(this.#vhost, [this.target.target], this.copy, -1)
  }

  /** Only where it is logged. */
  record(): LogRecord {
    this.copy.detach()
    return messageRecord(this.copy, [this.target.queue.number], this.target.queue.hasAttachedConsumer)
  }

  arrive(lsn: number): void {
    this.abandon()
    this.copy.lsn = lsn
    this.#vhost.traffic.counters.deadLettered++
    this.#origin.deadLetteredCount++
    this.#vhost.tracer?.onDeadLettered(this.#origin, this.#delivery, this.target.queue, this.copy)
    this.target.queue.offer(this.copy, this.target.match)
  }
}

class Move implements LogGroup, Retried {
  ticket = 0
  readonly messageCount = 1
  readonly recordCount: number
  readonly #records: readonly LogRecord[]
  #isOwed = false
  readonly #vhost: VirtualHost
  readonly #queue: Queue
  readonly #delivery: Delivery
  readonly #target: NamedQueue
  readonly #copy: Message
  readonly #isLogged: boolean
  readonly #leavesLog: boolean

  constructor(
    vhost: VirtualHost,
    queue: Queue,
    delivery: Delivery,
    target: NamedQueue,
    copy: Message,
    records: readonly LogRecord[],
    isLogged: boolean,
    leavesLog: boolean,
  ) {
    this.#vhost = vhost
    this.#queue = queue
    this.#delivery = delivery
    this.#target = target
    this.#copy = copy
    this.#records = records
    this.recordCount = records.length
    this.#isLogged = isLogged
    this.#leavesLog = leavesLog
  }

  onCommitted(lsn: number): void {
    const { line, position, message } = this.#delivery
    if (this.#isLogged) this.#copy.lsn = lsn
    this.#notUnderWay()
    const wasThere = line?.remove(position) ?? true
    if (this.#leavesLog && wasThere) this.#vhost.log.unref(message.lsn)
    this.#target.queue.offer(this.#copy, this.#target.match)
    if (this.#isOwed) this.#vhost.log.owed.paid()
  }

  /** No room: it stays in flight, and is tried again a little later. Nobody hears before that it has been moved. */
  onRefused(text: string, isFinal: boolean): void {
    if (isFinal) return this.#onTooLarge(text)
    const { log } = this.#vhost
    if (!this.#isOwed) log.owed.owe()
    this.#isOwed = true
    log.owed.tryLater(this, text)
  }

  again(): void {
    const { log } = this.#vhost
    if (!this.#queue.isEnding && !this.#target.queue.isEnding) return log.appendAll(this.#records, this)
    this.#notUnderWay()
    if (!this.#queue.isEnding) this.#goElsewhere()
    log.owed.paid()
  }

  /** Its target was deleted before the log had it: it goes to the queue that has the name now; where there can be none it goes, counted. */
  #goElsewhere(): void {
    const { destinations, mover, traffic } = this.#vhost
    const named = destinations.ensure(this.#target.name)
    if (named.ok && named.value.queue !== this.#queue)
      return mover.move(this.#queue, this.#delivery, named.value, this.#copy)
    traffic.counters.undeliverable++
    this.#queue.finishAt(this.#delivery.line!, this.#delivery.position)
  }

  #notUnderWay(): void {
    weighUnderWay(this.#vhost, [this.#target.target], this.#copy, -1)
  }

  /**
   * What is said of it makes it larger than the log takes: it goes without, since it was small enough before. One that is too large even
   * so stays where it is, in flight and out of the way, until a restart with a larger limit.
   */
  #onTooLarge(text: string): void {
    this.#notUnderWay()
    const { name } = this.#queue
    const { message } = this.#delivery
    const isBare = this.#copy.extras === message.extras
    const what = isBare ? 'stays in flight until the broker is started again' : 'goes there without it'
    const kind = 'failure'
    const said = `a message of queue '${name}' is too large to go to '${this.#target.name}' with its cause and ${what}: ${text}`
    this.#vhost.report({ kind, source: 'core', text: said })
    if (!isBare) this.#vhost.mover.move(this.#queue, this.#delivery, this.#target, copyFor(message, message.extras, 0))
    if (this.#isOwed) this.#vhost.log.owed.paid()
  }
}
