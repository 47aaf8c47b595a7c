/** Small clients at the seam between adapters and core: they publish, read, settle, come and go, and write down what they see. */
import {
  DEFAULT_VHOST,
  type Delivery,
  type DeliverySink,
  type HeaderCodec,
  Message,
  type Outcome,
  type Producer,
  type PublishOptions,
  type Session,
  type VirtualHost,
} from '@ternmq/core'
import type { SeededRandom } from '../virtual-clock.ts'
import { DEAD_LETTERS, type Ledger } from './ledger.ts'
import type { TransactionClient } from './transactions.ts'

/** Header bytes are the class of the message; a property of that name shows it to selectors. */
export const SIMULATION_CODEC: HeaderCodec = {
  id: 'sim',
  decode: (bytes) => ({ properties: [['class', new TextDecoder().decode(bytes)]] }),
  encode: ({ properties }) => new TextEncoder().encode(properties[0]?.[1] ?? ''),
}

/** What clients of one life share. */
export interface Surroundings {
  readonly vhost: VirtualHost
  readonly ledger: Ledger
  readonly random: SeededRandom
  /** A note was refused: what lives is ahead of the log. */
  readonly isAhead: boolean
  /** The process is gone: what happens now, nobody sees. */
  isOver(): boolean
  /** Somebody is told that something is done for good. Throws when nobody may be told any more. */
  confirm(what: string): void
}

export interface MessageSpec {
  readonly priority: number
  readonly className: 'x' | 'y'
  readonly expiresAtMs: number
  readonly retain: boolean
  readonly bodyBytes: number
}

/** `id` and filling; what the checker knows it by. */
export function idOf({ body }: Message): string {
  const text = new TextDecoder().decode(body)
  return text.slice(0, text.indexOf(' '))
}

export function messageOf(topic: string, id: string, spec: MessageSpec, publisher: string): Message {
  const bytes = new TextEncoder().encode(`${spec.className}${id} ${'.'.repeat(spec.bodyBytes)}`)
  const at = { bytes, start: 0, headerStart: 0, bodyStart: 1, end: bytes.length }
  const { priority, expiresAtMs, retain } = spec
  const durability = { assurance: 1, durable: true } as const
  return new Message({ topic, codec: SIMULATION_CODEC, ...at, ...durability, retain, expiresAtMs, publisher, priority })
}

export function openSession(vhost: VirtualHost, clientId: string, expiryMs: number, creditMax: number): Session {
  const opened = vhost.sessions.open({
    clientId,
    principal: { name: 'sim', anonymous: false },
    cleanStart: false,
    expiryMs,
    creditMax,
    will: undefined,
    owner: { onEvicted: () => {} },
  })
  if (!opened.ok) throw new Error(`session ${clientId}: ${opened.detail.text}`)
  return opened.value.session
}

export class ProducerClient {
  readonly #world: Surroundings
  readonly #session: Session
  readonly #producer: Producer
  readonly #targets = new Map<string, ReturnType<Producer['target']>>()
  /** Ids by tag, of those that have no answer yet. */
  readonly #open = new Map<number, string>()
  #tag = 0

  constructor(world: Surroundings, clientId: string) {
    this.#world = world
    this.#session = openSession(world.vhost, clientId, 0, 10)
    this.#producer = this.#session.openProducer({
      onPublishSettled: (tag, result) => {
        if (!this.#world.isOver()) this.#answered(tag, result)
      },
    })
  }

  get openCount(): number {
    return this.#open.size
  }

  get producer(): Producer {
    return this.#producer
  }

  get session(): Session {
    return this.#session
  }

  target(address: string): ReturnType<Producer['target']> {
    let target = this.#targets.get(address)
    if (target === undefined) this.#targets.set(address, (target = this.#producer.target(address)))
    return target
  }

  /** The ledger knows of it already. */
  publish(address: string, id: string, spec: MessageSpec, options?: PublishOptions): void {
    this.#publish(this.target(address), id, spec, options)
  }

  /** To all of them or none. The ledger knows of it already. */
  publishToAll(addresses: readonly string[], id: string, spec: MessageSpec): void {
    this.#publish(this.#producer.targetOfAll(addresses), id, spec, undefined)
  }

  #publish(target: ReturnType<Producer['target']>, id: string, spec: MessageSpec, options: PublishOptions | undefined): void {
    const message = messageOf(target.route.topic, id, spec, this.#session.clientId)
    const tag = ++this.#tag
    this.#open.set(tag, id)
    const result = this.#producer.publish(target, message, tag, options)
    if (result !== 'pending') this.#answered(tag, result)
  }

  #answered(tag: number, result: 'routed' | 'unmatched' | 'refused'): void {
    const id = this.#open.get(tag)
    if (id === undefined) throw new Error(`publish ${tag} of ${this.#session.clientId} is answered twice`)
    this.#open.delete(tag)
    const { ledger } = this.#world
    if (result === 'refused') return ledger.publishRefused(id, this.#producer.refusal?.text ?? 'without a reason')
    this.#world.confirm(`publish of ${id}`)
    ledger.publishConfirmed(id)
  }
}

/** One connection that reads: of a session of its own that goes with it, or of one that is kept. */
export class ConsumerClient implements DeliverySink {
  readonly name: string
  readonly session: Session
  readonly held: Delivery[] = []
  writable = true
  transaction: TransactionClient | undefined = undefined
  readonly #world: Surroundings
  readonly #isKept: boolean
  #number = 0

  constructor(world: Surroundings, clientId: string, attachment: string, isKept: boolean, creditMax: number) {
    this.#world = world
    this.name = attachment
    this.#isKept = isKept
    this.session = openSession(world.vhost, clientId, isKept ? Infinity : 0, creditMax)
  }

  /** What it had before, it gets again; then what is new. */
  start(): void {
    for (const delivery of [...this.session.unsettled()]) {
      this.#number = Math.max(this.#number, delivery.protocolState)
      this.held.push(delivery)
      this.#world.ledger.delivered(queueOf(delivery), idOf(delivery.message), this.name, true, !this.#world.isAhead)
    }
    this.session.startDelivery(this)
  }

  read(queue: string): void {
    const consumed = this.session.consume({ queue, assuranceMax: 1, data: {} })
    if (!consumed.ok) throw new Error(`${this.name} reads from ${queue}: ${consumed.detail.text}`)
  }

  bind(levels: readonly string[]): void {
    const bound = this.session.bind({
      pattern: { vhost: DEFAULT_VHOST, kind: 'topic', levels },
      shareName: undefined,
      assuranceMax: 1,
      noLocal: false,
      retained: 'never',
      data: {},
    })
    if (!bound.ok) throw new Error(`${this.name} binds ${levels.join('/')}: ${bound.detail.text}`)
  }

  deliver(delivery: Delivery): boolean {
    if (this.#world.isOver()) return true
    this.held.push(delivery)
    this.#world.ledger.delivered(
      queueOf(delivery),
      idOf(delivery.message),
      this.name,
      delivery.redelivered,
      !this.#world.isAhead,
    )
    if (this.#isKept) {
      delivery.protocolState = ++this.#number
      if (this.session.isKept(delivery)) this.session.noteDelivered(delivery)
    }
    return true
  }

  /** Settles one that it holds; with `confirms` it wants to know when that is for good. */
  settle(delivery: Delivery, outcome: Outcome, confirms: boolean): void {
    const { ledger, vhost } = this.#world
    const queue = queueOf(delivery)
    const id = idOf(delivery.message)
    this.held.splice(this.held.indexOf(delivery), 1)
    const ends = outcome === 'accepted' || outcome === 'rejected' || (outcome === 'modified' && isLast(delivery))
    const isMove = ends && outcome !== 'accepted' && movesAway(delivery)
    if (!ends) {
      if (this.#isKept) this.#forget(delivery)
      ledger.released(queue, id, outcome)
    } else if (isMove) ledger.moved(queue, id, outcome)
    else ledger.settled(queue, id, outcome)
    delivery.consumer!.settle(delivery, outcome)
    if (!ends || !confirms) return
    vhost.log.afterBatches(() => {
      if (this.#world.isOver()) return
      this.#world.confirm(`settle of ${id}`)
      if (isMove) ledger.moveConfirmed(queue, id)
      else ledger.settleConfirmed(queue, id)
    })
  }

  /** It gives it back: after a restart it is not to have it. */
  #forget(delivery: Delivery): void {
    delivery.protocolState = 0
    if (this.session.isKept(delivery)) this.session.noteDelivered(delivery)
  }

  /** It stops reading from the queue: what it has of it goes back with a failed attempt more. */
  cancel(queue: string): void {
    if (this.transaction?.isOpen === true) this.transaction.rollback()
    this.#failAll((delivery) => queueOf(delivery) === queue)
    this.session.stopConsuming(queue)
  }

  /** The connection is gone. What is being committed must have its answer before. */
  disconnect(): void {
    if (this.transaction?.isOpen === true) this.transaction.rollback()
    if (!this.#isKept) this.#failAll(() => true)
    this.held.length = 0
    this.#world.ledger.consumerGone(this.name)
    this.session.disconnect()
  }

  #failAll(isMeant: (delivery: Delivery) => boolean): void {
    const { ledger } = this.#world
    for (const delivery of this.held.filter(isMeant)) {
      this.held.splice(this.held.indexOf(delivery), 1)
      const queue = queueOf(delivery)
      const id = idOf(delivery.message)
      if (!isLast(delivery)) ledger.released(queue, id, 'cancelled')
      else if (movesAway(delivery)) ledger.moved(queue, id, 'cancelled')
      else ledger.settled(queue, id, 'cancelled')
    }
  }
}

export function queueOf(delivery: Delivery): string {
  return delivery.consumer!.queue.name
}

/** One more failure, and it is not tried again. */
function isLast({ consumer, failedCount }: Delivery): boolean {
  const { deliveriesMax } = consumer!.queue.settings.redelivery
  return deliveriesMax !== 0 && failedCount + 1 >= deliveriesMax
}

function movesAway({ consumer }: Delivery): boolean {
  const { queue } = consumer!
  return queue.settings.deadLetter !== undefined && queue.name !== DEAD_LETTERS
}
