/** A virtual host on an engine in memory that can be started again at any moment, as after a crash: what is not in the log is gone. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { allowAll } from '../src/authorizer.ts'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import { captureState } from '../src/log/capture.ts'
import { readLog } from '../src/log/replay.ts'
import { decodeState, encodeState } from '../src/log/snapshot.ts'
import type { DurableState } from '../src/log/state.ts'
import type { Message } from '../src/message.ts'
import type { Producer, PublishOptions, PublishResult } from '../src/producer.ts'
import type { Consumer } from '../src/queue/consumer.ts'
import type { Session } from '../src/session.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { messageOf, type MessageOptions, quiet, testCodec, TestSink, textOf, user } from './support.ts'

export interface LifeOptions {
  readonly maxBytes?: number
  readonly limits?: Partial<CoreLimits>
}

/** Addresses of queues begin so. */
export const QUEUE = '$queue/'

export class Lives {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine
  readonly #limits: CoreLimits
  vhost!: VirtualHost

  private constructor(options: LifeOptions) {
    this.engine = new MemoryEngine(this.env, options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes })
    this.#limits = { ...DEFAULT_CORE_LIMITS, ...options.limits }
  }

  static async begin(options: LifeOptions = {}): Promise<Lives> {
    const lives = new Lives(options)
    await lives.restart()
    return lives
  }

  /** The life before ends where it is. Its clients are its own: they do nothing any more. */
  async restart(): Promise<void> {
    this.vhost = new VirtualHost({ env: this.env, name: '/', authorizer: allowAll, limits: this.#limits, onLogEnded: () => {} })
    await this.vhost.openLog(this.engine, [testCodec])
  }

  /** The broker is down: the life there was has lost its log. */
  async stop(): Promise<void> {
    await this.engine.partition(0).own({ node: 'local', ttlMs: Infinity }, { onCommitted() {}, onFailed() {}, onEnded() {} })
  }

  client(clientId: string): LifeClient {
    const owner = { onEvicted: () => {} }
    const defaults = { principal: user('u'), cleanStart: false, expiryMs: 0, creditMax: 1_000, will: undefined, owner }
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
    const delivery = this.sink.held.find((each) => textOf(each.message) === text)
    if (delivery?.consumer === undefined) throw new Error(`${this.session.clientId} does not hold '${text}'`)
    return { consumer: delivery.consumer, delivery }
  }

  acceptAll(): void {
    for (const delivery of this.sink.held.splice(0)) delivery.consumer!.settle(delivery, 'accepted')
  }
}
