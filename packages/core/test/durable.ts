/** A virtual host with queues on an engine in memory, which can be started again on what its log kept. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { QUEUE_PREFIX } from '../src/routing/address.ts'
import { allowAll } from '../src/authorizer.ts'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import { Message, type MessageExtras } from '../src/message/message.ts'
import type { NamedQueue } from '../src/destinations/destinations.ts'
import { type ConsumeOptions, Consumer, CREDIT_UNLIMITED } from '../src/queue/consumer.ts'
import { CreditPool } from '../src/queue/credit.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { QueueSettings } from '../src/queue/settings.ts'
import { parseSelector, type Selector } from '../src/selector/selector.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { quiet, testCodec, TestSink, textOf, user } from './support.ts'

/** Enough for ten priorities, each of which is read back from the log by itself. */
const CONTENTS_ROUNDS_MAX = 20

export interface SendOptions {
  readonly priority?: number
  readonly extras?: MessageExtras
  /** User properties. */
  readonly properties?: Readonly<Record<string, string>>
  readonly durable?: boolean
  readonly expiresAtMs?: number
}

/** A message to a queue, with the headers of the tests' codec. */
export function queueMessage(queue: string, text: string, options: SendOptions = {}): Message {
  const header = Object.entries(options.properties ?? {}).map(([key, value]) => `${key}=${value};`)
  const bytes = Buffer.from(header.join('') + text)
  return new Message({
    topic: QUEUE_PREFIX + queue,
    codec: testCodec,
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: bytes.length - Buffer.byteLength(text),
    end: bytes.length,
    assurance: 1,
    durable: options.durable ?? true,
    retain: false,
    expiresAtMs: options.expiresAtMs ?? 0,
    publisher: undefined,
    ...(options.priority !== undefined && { priority: options.priority }),
    extras: options.extras,
  })
}

export function selectorOf(text: string): Selector {
  const parsed = parseSelector(text)
  if (!parsed.ok) throw new Error(parsed.error.text)
  return parsed.selector
}

/** A consumer with its sink; `texts` are those of what it has been handed, in order. */
export interface Reader {
  readonly consumer: Consumer
  readonly sink: TestSink
}

export class DurableWorld {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine
  readonly #limits: CoreLimits
  vhost: VirtualHost

  private constructor(limits: Partial<CoreLimits>) {
    this.engine = new MemoryEngine(this.env)
    this.#limits = { ...DEFAULT_CORE_LIMITS, ...limits }
    this.vhost = this.#makeHost()
  }

  static async open(limits: Partial<CoreLimits> = {}): Promise<DurableWorld> {
    const world = new DurableWorld(limits)
    await world.vhost.openLog(world.engine, [testCodec])
    return world
  }

  /** As after a crash: nothing but the log is left. */
  async restart(): Promise<void> {
    await this.quiet()
    this.vhost = this.#makeHost()
    await this.vhost.openLog(this.engine, [testCodec])
    await this.quiet()
  }

  define(name: string, settings: Partial<QueueSettings> = {}): Queue {
    const defined = this.vhost.destinations.define({ name, settings })
    if (!defined.ok) throw new Error(defined.detail.text)
    return defined.value.queue
  }

  named(name: string): NamedQueue {
    return this.vhost.destinations.find(name)!
  }

  queue(name: string): Queue {
    return this.named(name).queue
  }

  /** Published and, where it is durable, committed. */
  send(queue: string, text: string, options: SendOptions = {}): void {
    this.vhost.publishAs({ principal: user('u'), clientId: 'publisher' }, queueMessage(queue, text, options))
    this.env.clock.turn()
  }

  read(queue: string, options: ConsumeOptions & { readonly credit?: number } = {}): Reader {
    const consumer = new Consumer(this.queue(queue), new CreditPool(65_535), undefined, options)
    const sink = new TestSink()
    this.queue(queue).addConsumer(consumer)
    consumer.attach(sink)
    consumer.grant(options.credit ?? CREDIT_UNLIMITED)
    return { consumer, sink }
  }

  /** What a new consumer gets of the queue, in order; it leaves everything there. */
  async contents(queue: string): Promise<string[]> {
    const { consumer, sink } = this.read(queue)
    for (let round = 0; round < CONTENTS_ROUNDS_MAX && this.queue(queue).waitingCount > 0; round++) await this.quiet()
    await this.quiet()
    const texts = sink.held.map(({ message }) => textOf(message))
    consumer.detach()
    this.queue(queue).removeConsumer(consumer)
    for (const delivery of [...sink.held].reverse()) consumer.settle(delivery, 'released')
    await this.quiet()
    return texts
  }

  async quiet(): Promise<void> {
    await quiet(this.env.clock)
  }

  #makeHost(): VirtualHost {
    return new VirtualHost({ env: this.env, name: '/', authorizer: allowAll, limits: this.#limits })
  }
}

/** The answer of an operation that needs turns to come to its end. */
export async function finished<T>(world: DurableWorld, operation: Promise<T>): Promise<T> {
  const progress = { isDone: false }
  void operation.finally(() => (progress.isDone = true))
  for (let round = 0; round < 1_000 && !progress.isDone; round++) await world.quiet()
  return operation
}
