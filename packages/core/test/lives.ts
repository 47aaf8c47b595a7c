/** A virtual host on an engine in memory that can be started again at any moment, as after a crash: what is not in the log is gone. */
import { type Engine, MemoryEngine, type NotAppended, type PartitionLog, type Writer } from '@ternmq/store'
import { type VirtualClock, virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import { captureState } from '../src/log/capture.ts'
import { readLog } from '../src/log/replay.ts'
import { decodeState, encodeState } from '../src/log/snapshot.ts'
import type { DurableState } from '../src/log/state.ts'
import type { Message } from '../src/message/message.ts'
import type { Producer, PublishOptions, PublishResult } from '../src/publish/producer.ts'
import type { Consumer } from '../src/queue/consumer.ts'
import type { Outcome, SettleDetail } from '../src/queue/delivery.ts'
import type { RefusalDetail } from '../src/refusal.ts'
import type { Session } from '../src/session/session.ts'
import type { Transaction } from '../src/transaction/transaction.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { messageOf, type MessageOptions, quiet, testCodec, TestSink, textOf, user } from './support.ts'

export interface LifeOptions {
  /** What is released stays, as it may in a journal: a restart finds it again where no record says that it is settled. */
  readonly keepsReleased?: boolean
  readonly maxBytes?: number
  /** While this says so, the log refuses whatever it is given. */
  readonly refusal?: () => NotAppended | undefined
  readonly limits?: Partial<CoreLimits>
  /** Everybody may everything when left out. */
  readonly authorizer?: Authorizer
}

/** Addresses of queues begin so. */
export const QUEUE = '$queue/'

export class Lives {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine
  readonly #keepsReleased: boolean
  readonly #refusal: (() => NotAppended | undefined) | undefined
  readonly #limits: CoreLimits
  readonly #authorizer: Authorizer
  /** Of the virtual host, of all lives. */
  readonly events: string[] = []
  vhost!: VirtualHost

  private constructor(options: LifeOptions) {
    this.engine = new MemoryEngine(this.env, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes })
    this.#keepsReleased = options.keepsReleased === true
    this.#refusal = options.refusal
    this.#authorizer = options.authorizer ?? allowAll
    this.#limits = { ...DEFAULT_CORE_LIMITS, ...options.limits }
  }

  static async begin(options: LifeOptions = {}): Promise<Lives> {
    const lives = new Lives(options)
    await lives.restart()
    return lives
  }

  /** The life before ends where it is. Its clients are its own: they do nothing any more. */
  async restart(): Promise<void> {
    const onEvent = ({ text }: { readonly text: string }): void => void this.events.push(text)
    this.vhost = new VirtualHost({ env: this.env, name: '/', authorizer: this.#authorizer, limits: this.#limits, onLogEnded: () => {}, onEvent })
    const engine = this.#refusal === undefined ? this.engine : refusing(this.engine, this.env.clock, this.#refusal)
    await this.vhost.openLog(this.#keepsReleased ? withoutRelease(engine) : engine, [testCodec])
  }

  /** The broker is down: the life there was has lost its log. */
  async stop(): Promise<void> {
    await this.engine.partition(0).own({ node: 'local', ttlMs: Infinity }, { onCommitted() {}, onFailed() {}, onEnded() {} })
  }

  client(clientId: string, userName = 'u'): LifeClient {
    const owner = { onEvicted: () => {} }
    const defaults = { principal: user(userName), cleanStart: false, expiryMs: 0, creditMax: 1_000, will: undefined, owner }
    const opened = this.vhost.sessions.open({ clientId, ...defaults })
    if (!opened.ok) throw new Error(opened.detail.text)
    return new LifeClient(this, opened.value.session)
  }

  /** Everything that can happen now has happened. */
  async quiet(): Promise<void> {
    await quiet(this.env.clock)
  }

  /** Time passes in steps, so that what is read from the log between two of them is there in time. */
  async pass(ms: number, stepMs: number = ms): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.env.clock.advance(Math.min(stepMs, ms - passed))
      await this.quiet()
    }
  }

  /** What a restart would make of the log now. */
  async folded(): Promise<DurableState> {
    return (await readLog(this.engine.partition(0), new Map([[testCodec.id, testCodec]]))).state
  }

  /** What a snapshot would say now, written and read. */
  captured(): DurableState {
    return decodeState(encodeState(captureState(this.vhost)))
  }
}

export class LifeClient {
  readonly lives: Lives
  readonly session: Session
  readonly sink: TestSink = new TestSink()
  readonly producer: Producer
  /** Answers to its publishes, in order, with their tags. */
  readonly results: string[] = []

  constructor(lives: Lives, session: Session) {
    this.lives = lives
    this.session = session
    this.producer = session.openProducer({ onPublishSettled: (tag, result) => void this.results.push(`${tag} ${result}`) })
    session.startDelivery(this.sink)
  }

  get texts(): string[] {
    return this.sink.texts
  }

  consume(queue: string): void {
    const consumed = this.session.consume({ queue, assuranceMax: 1, data: {} })
    if (!consumed.ok) throw new Error(consumed.detail.text)
  }

  /** Durable unless told otherwise. */
  publish(address: string, text: string, options: PublishOptions & MessageOptions & { tag?: number } = {}): PublishResult {
    return this.send(messageOf(address, text, { durable: true, ...options }), options.tag ?? 0, options)
  }

  send(message: Message, tag: number, options: PublishOptions): PublishResult {
    return this.producer.publish(this.producer.target(message.topic), message, tag, options)
  }

  /** Of deliveries that it holds, the one with this text. */
  held(text: string): { readonly consumer: Consumer; readonly delivery: TestSink['held'][number] } {
    const delivery = this.sink.held.findLast((each) => textOf(each.message) === text)
    if (delivery?.consumer === undefined) throw new Error(`${this.session.clientId} does not hold '${text}'`)
    return { consumer: delivery.consumer, delivery }
  }

  begin(onTimedOut?: () => void): Transaction {
    const begun = this.session.beginTransaction(this.producer, onTimedOut)
    if (!begun.ok) throw new Error(begun.detail.text)
    return begun.value
  }

  /** Publishes in a transaction; durable unless told otherwise. */
  stage(transaction: Transaction, address: string, text: string, options: MessageOptions & PublishOptions = {}): RefusalDetail | undefined {
    const message = messageOf(address, text, { durable: true, ...options })
    return transaction.publish(this.producer.target(address), message, options)
  }

  /** Settles in a transaction what this client holds, and what has this text. */
  settle(transaction: Transaction, text: string, outcome: Outcome = 'accepted', detail?: SettleDetail): RefusalDetail | undefined {
    const { consumer, delivery } = this.held(text)
    return transaction.settle(consumer, delivery, outcome, detail)
  }

  acceptAll(): void {
    for (const delivery of this.sink.held.splice(0)) delivery.consumer!.settle(delivery, 'accepted')
  }
}

/** The engine as it is, but that nothing is released. */
function withoutRelease(engine: Engine): Engine {
  return overriding(engine, {
    partition: (id: number) => {
      const log = engine.partition(id)
      const own: PartitionLog['own'] = async (options, owner) => overriding(await log.own(options, owner), { release: () => {} })
      return overriding(log, { own })
    },
  })
}

/** The engine as it is, but that it takes nothing while `refusal` gives a reason. What came before must have its outcome by then. */
function refusing(engine: Engine, clock: VirtualClock, refusal: () => NotAppended | undefined): Engine {
  return overriding(engine, {
    partition: (id: number) => {
      const log = engine.partition(id)
      const own: PartitionLog['own'] = async (options, owner) => {
        const owned = await log.own(options, owner)
        const submit: Writer['submit'] = (group, ticket, level) => {
          const error = refusal()
          if (error === undefined) owned.log.submit(group, ticket, level)
          else clock.endOfTurn(() => owner.onFailed(ticket, error))
        }
        return overriding(owned, { log: overriding(owned.log, { submit }) })
      }
      return overriding(log, { own })
    },
  })
}

/** `object` with some members replaced; the others are called on itself, for the sake of its private fields. */
function overriding<T extends object>(object: T, members: Partial<T>): T {
  return new Proxy(object, {
    get: (_, name) => {
      const replaced = (members as Record<PropertyKey, unknown>)[name]
      if (replaced !== undefined) return replaced
      const own = (object as Record<PropertyKey, unknown>)[name]
      return typeof own === 'function' ? (own.bind(object) as unknown) : own
    },
  })
}
