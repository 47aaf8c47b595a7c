/**
 * Messages of one round: who sent what to which queue, what is confirmed, what has come. Clients tell it what they see; it
 * keeps the history that is judged at the end, and knows what is still on its way.
 */
import { QueueHistory } from '@ternmq/testkit'

import { TransactionLedger } from './ledger.ts'

export type QoS = 1 | 2

/** A kept session is a queue, too: `session:NAME`. */
export interface Outgoing {
  readonly id: string
  readonly producer: string
  readonly qos: QoS
  /** Each gets a copy. */
  readonly queues: readonly string[]
}

/** One body in so many is larger than what the journal writes as one chunk. */
const LARGE_EVERY = 97
const LARGE_BYTES = 150_000
const SMALL_BYTES_MAX = 1_500

/** The id, and filler of a length that follows from the number: what comes back can be compared. */
export function bodyOf(id: string): Buffer {
  const number = Number(/\d+$/.exec(id)?.[0] ?? 0)
  const size = number % LARGE_EVERY === LARGE_EVERY - 1 ? LARGE_BYTES : (number * 37) % SMALL_BYTES_MAX
  return Buffer.from(`${id}\n`.padEnd(size, '.'))
}

export class Load {
  readonly history: QueueHistory
  readonly ledger: TransactionLedger = new TransactionLedger()
  readonly #unconfirmed = new Map<string, Outgoing>()
  readonly #sent = new Map<string, Set<string>>()
  /** By queue: sent, and seen by nobody yet. */
  readonly #underWay = new Map<string, Set<string>>()
  readonly #taken = new Map<string, Set<string>>()
  /** Taken by clients of this process, which send their acknowledgement at once. */
  readonly #settled = new Map<string, Set<string>>()
  readonly #damaged: string[] = []
  /** Goes up with everything that moves. */
  steps = 0

  constructor(seed: number) {
    this.history = new QueueHistory({ seed, order: 'consumer' })
  }

  get unconfirmedCount(): number {
    return this.#unconfirmed.size
  }

  get underWayCount(): number {
    return [...this.#underWay.values()].reduce((sum, ids) => sum + ids.size, 0)
  }

  get takenCount(): number {
    return [...this.#taken.values()].reduce((sum, ids) => sum + ids.size, 0)
  }

  /** Before it leaves. */
  sent(message: Outgoing): void {
    this.steps++
    this.#unconfirmed.set(message.id, message)
    for (const queue of message.queues) {
      this.history.published(queue, message.id, message.producer)
      setOf(this.#underWay, queue).add(message.id)
      setOf(this.#sent, queue).add(message.id)
    }
  }

  confirmed(id: string): void {
    const message = this.#unconfirmed.get(id)
    if (message === undefined) return // confirmed once already, in an earlier life
    this.steps++
    this.#unconfirmed.delete(id)
    for (const queue of message.queues) this.history.publishConfirmed(queue, id)
  }

  /** Its sender has gone and nobody will ever know: it may come or not. */
  abandoned(id: string): void {
    const message = this.#unconfirmed.get(id)
    this.#unconfirmed.delete(id)
    for (const queue of message?.queues ?? []) this.#underWay.get(queue)?.delete(id)
  }

  /** Its transaction was not committed: it may not come. */
  withdrawn(id: string): void {
    const message = this.#unconfirmed.get(id)
    this.abandoned(id)
    for (const queue of message?.queues ?? []) this.history.publishRefused(queue, id)
  }

  /**
   * A client has it in its hands. With QoS 2 that is when its PUBREL has come: the broker knows then, and must not send it again.
   * Returns its id.
   */
  taken(queue: string, body: Buffer, consumer: string, qos: QoS, isDuplicate: boolean): string {
    const id = this.#idOf(queue, body)
    // DUP is about one packet id; whoever gets a message under a new one is not told.
    this.#take(queue, id, consumer, qos, isDuplicate || this.#taken.get(queue)?.has(id) === true)
    if (this.#sent.get(queue)?.has(id)) setOf(this.#settled, queue).add(id)
    return id
  }

  /** As `taken`, with a protocol that marks what somebody had before, whoever that was. */
  takenMarked(queue: string, body: Buffer, consumer: string, isMarked: boolean): string {
    const id = this.#idOf(queue, body)
    this.#take(queue, id, consumer, 1, isMarked)
    if (this.#sent.get(queue)?.has(id)) setOf(this.#settled, queue).add(id)
    return id
  }

  /** A client has it in its hands, and will say later what becomes of it. Returns its id. */
  held(queue: string, body: Buffer, consumer: string, isMarked: boolean): string {
    const id = this.#idOf(queue, body)
    this.#deliver(queue, id, consumer, isMarked)
    if (this.#sent.get(queue)?.has(id)) setOf(this.#underWay, queue).add(id)
    return id
  }

  /** The broker has said that it is settled. */
  settledForGood(queue: string, id: string): void {
    this.steps++
    this.#underWay.get(queue)?.delete(id)
    this.history.settleConfirmed(queue, id)
  }

  /** Nobody knows whether it is settled: it may come again or not. */
  doubted(queue: string, id: string): void {
    this.#underWay.get(queue)?.delete(id)
  }

  #idOf(queue: string, body: Buffer): string {
    const end = body.indexOf(10)
    const id = body.toString('latin1', 0, end < 0 ? body.length : end)
    // One without filler is a line of a program that sends lines.
    if (end >= 0 && !body.equals(bodyOf(id)))
      this.#damaged.push(`${id} came from ${queue} with ${body.length} bytes that are not its own`)
    return id
  }

  /** As `taken`, of a program whose output may lag behind its connection: nobody knows in which life it came. */
  takenElsewhere(queue: string, id: string, consumer: string, qos: QoS): void {
    this.#take(queue, id, consumer, qos, true)
    this.history.released(queue, id)
  }

  #take(queue: string, id: string, consumer: string, qos: QoS, isMarked: boolean): void {
    this.#deliver(queue, id, consumer, isMarked)
    if (!this.#sent.get(queue)?.has(id)) return // the history says so
    this.#underWay.get(queue)?.delete(id)
    this.history.settled(queue, id)
    if (qos === 2) this.history.settleConfirmed(queue, id)
  }

  #deliver(queue: string, id: string, consumer: string, isMarked: boolean): void {
    this.steps++
    const taken = setOf(this.#taken, queue)
    this.history.delivered(queue, id, consumer, isMarked)
    taken.add(id)
  }

  /** All clients have seen the end of their connections. */
  brokerEnded(): void {
    // Who has no answer to QoS 1 sends again, and the broker may then have it twice. With QoS 2 it may not.
    for (const { id, queues, producer, qos } of this.#unconfirmed.values()) {
      if (qos === 1) for (const queue of queues) this.history.published(queue, id, producer)
    }
    this.history.brokerEnded()
  }

  /** The broker has ended in peace, and every acknowledgement of ours had reached it: nothing of that may come back. */
  brokerEndedInPeace(): void {
    for (const [queue, ids] of this.#settled) for (const id of ids) this.history.settleConfirmed(queue, id)
    this.brokerEnded()
  }

  /** What is wrong, in sentences; empty queues are expected. */
  violations(): string[] {
    const queues = [...this.#underWay.keys()]
    const wasTaken = (queue: string, id: string): boolean => this.#taken.get(queue)?.has(id) === true
    return [
      ...this.#damaged,
      ...this.history.violations(new Map(queues.map((queue) => [queue, []]))),
      ...this.ledger.violations(wasTaken),
    ]
  }

  /** What is missing, for an error. */
  describe(): string {
    const queues = [...this.#underWay].filter(([, ids]) => ids.size > 0)
    const parts = queues.map(([queue, ids]) => `${ids.size} in ${queue} (${[...ids].slice(0, 3).join(', ')})`)
    return `${this.#unconfirmed.size} without an answer (${[...this.#unconfirmed.keys()].slice(0, 3).join(', ')}), not delivered: ${parts.join('; ')}`
  }
}

function setOf(sets: Map<string, Set<string>>, name: string): Set<string> {
  let set = sets.get(name)
  if (set === undefined) sets.set(name, (set = new Set<string>()))
  return set
}
