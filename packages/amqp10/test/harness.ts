/**
 * The conformance harness of AMQP 1.0: a broker without a kernel and without real time, and clients that speak bytes.
 *
 *     const world = new World()
 *     const peer = world.connect()                                // header and open, both ways
 *     const session = peer.begin()
 *     const receiver = session.receiver('queue://q')              // attached
 *     receiver.grant(10)
 *     session.sender('queue://q').send('x')                       // one transfer, as from one write
 *     expect(receiver.take().message.text).toBe('x')
 *     world.advance(5_000)                                        // five virtual seconds pass
 *     peer.send(rawFrame(Buffer.from('anything')))                // any bytes
 *     expect(peer.closeCondition()).toBe('amqp:decode-error')     // close, and nothing after it but the end
 *
 * `send`, `advance`, `hangUp` and `vanish` return when everything that follows from them has happened; with a log, `await finish`.
 */
import {
  type Assurance,
  type Authorizer,
  type BrokerEvent,
  type CoreLimits,
  DEFAULT_CORE_LIMITS,
  Events,
  type HeaderCodec,
  Message,
  type PeerInfo,
  type Queue,
  type QueueSettings,
  type SaslLogin,
  VirtualHost,
  allowAll,
} from '@ternmq/core'
import { NearMisses } from '@ternmq/naming'
import { type Engine, MemoryEngine } from '@ternmq/store'
import { PipeNetwork, type VirtualClock, type VirtualEnv, virtualEnv } from '@ternmq/testkit'
import { AmqpAdapter } from '../src/adapter.ts'
import { AMQP_HEADER_CODECS, amqpHeaders } from '../src/message/headers.ts'
import { type AmqpSettings, DEFAULT_AMQP_SETTINGS } from '../src/settings.ts'
import { Peer } from './peer/peer.ts'
import type { Fields } from './wire/composites.ts'
import { section } from './wire/message.ts'

export * from './peer/frames.ts'
export * from './peer/link-peers.ts'
export * from './peer/parse.ts'
export * from './peer/peer.ts'
export * from './peer/session-peer.ts'
export * from './wire/composites.ts'
export * from './wire/encode.ts'
export * from './wire/message.ts'

const EVENTS_KEPT = 1_000

export interface WorldOptions {
  readonly settings?: Partial<AmqpSettings>
  readonly limits?: Partial<CoreLimits>
  /** Lets everybody in under the name they give, 'anonymous' without one, unless said otherwise. */
  readonly login?: SaslLogin
  readonly authorizer?: Authorizer
  readonly seed?: number
}

export interface PeerOptions {
  readonly peer?: PeerInfo
  /** Bytes that the pipe holds for a client that does not read. */
  readonly kernelBytes?: number
}

/** One broker with everything around it. */
export class World {
  readonly env: VirtualEnv
  readonly vhost: VirtualHost
  readonly adapter: AmqpAdapter
  readonly network: PipeNetwork
  readonly #events: Events

  /** Without a log, as it is here, nothing is durable and nothing waits: every exchange is finished when `send` returns. */
  constructor(options: WorldOptions = {}, env: VirtualEnv = virtualEnv(options.seed)) {
    this.env = env
    this.network = new PipeNetwork(env.clock)
    this.#events = new Events(env.clock, EVENTS_KEPT)
    this.vhost = new VirtualHost({
      env,
      name: '/',
      authorizer: options.authorizer ?? allowAll,
      limits: { ...DEFAULT_CORE_LIMITS, ...options.limits },
    })
    this.adapter = new AmqpAdapter({
      vhost: this.vhost,
      login: options.login ?? everybody,
      settings: { ...DEFAULT_AMQP_SETTINGS, ...options.settings },
      events: this.#events,
      nearMisses: new NearMisses((topic) => this.vhost.router.isHeard(topic)),
    })
  }

  /** A broker with a log, as it runs in earnest. A second world on the same engine and env is the broker after a restart. */
  static async withLog(
    options: WorldOptions = {},
    env: VirtualEnv = virtualEnv(options.seed),
    engine: Engine = new MemoryEngine(env),
  ): Promise<World> {
    const world = new World(options, env)
    await world.vhost.openLog(engine, AMQP_HEADER_CODECS)
    return world
  }

  get clock(): VirtualClock {
    return this.env.clock
  }

  /** What operators were told, oldest first. */
  get events(): readonly BrokerEvent[] {
    return this.#events.recent()
  }

  /** Why connections ended, oldest first. */
  get ends(): string[] {
    return this.events.filter(({ kind }) => kind === 'disconnected').map(({ text }) => text)
  }

  /** A connection that has said nothing yet. */
  dial(options: PeerOptions = {}): Peer {
    const { peer, kernelBytes } = options
    const pipe = { ...(peer && { peer }), ...(kernelBytes !== undefined && { kernelBytes }) }
    const client = new Peer(this, this.network.connect(this.adapter.accept, pipe))
    this.run()
    return client
  }

  /** A client that has opened its connection; `open` are fields of its open. Throws when the broker refuses it. */
  connect(open: Fields = {}, options: PeerOptions = {}): Peer {
    const client = this.dial(options)
    client.exchangeHeaders()
    client.open(open)
    return client
  }

  /** Makes a queue. */
  define(name: string, settings: Partial<QueueSettings> = {}): Queue {
    const defined = this.vhost.destinations.define({ name, settings })
    if (!defined.ok) throw new Error(defined.detail.text)
    return defined.value.queue
  }

  /** The queue of that name. Throws without one. */
  queue(name: string): Queue {
    const found = this.vhost.destinations.find(name)
    if (found === undefined) throw new Error(`there is no queue '${name}'`)
    return found.queue
  }

  /** As somebody elsewhere publishes: to a topic or `$queue/NAME` in core form, with one data section. */
  publish(topic: string, body: string | Uint8Array, assurance: Assurance = 1): void {
    const content = Buffer.from(body)
    const head = section('data', content).bytes.subarray(0, -content.length || undefined)
    this.publishAs(topic, amqpHeaders, head, content, assurance)
  }

  /** As another protocol publishes: headers in the form of `codec`. */
  publishAs(
    topic: string,
    codec: HeaderCodec,
    headerBytes: Uint8Array,
    body: Uint8Array,
    assurance: Assurance = 1,
  ): void {
    const bytes = Buffer.concat([headerBytes, body])
    const message = new Message({
      topic,
      codec,
      bytes,
      start: 0,
      headerStart: 0,
      bodyStart: headerBytes.length,
      end: bytes.length,
      assurance,
      durable: assurance > 0,
      retain: false,
      expiresAtMs: 0,
      publisher: 'elsewhere',
    })
    this.vhost.publishAs({ principal: { name: 'elsewhere', anonymous: false }, clientId: 'elsewhere' }, message)
    this.run()
  }

  /** Turns until nothing is left to do but wait for time. */
  run(): void {
    this.clock.settle()
  }

  /** Time passes; what is due in it happens in its order. */
  advance(ms: number): void {
    this.clock.advance(ms)
  }

  /** Runs on until nothing waits for the log, nor for a promise that is kept. */
  async settle(): Promise<void> {
    do {
      this.run()
      await whoeverWaits()
    } while (!this.vhost.log.isIdle || !this.clock.isIdle)
  }
}

/** Everything that waits for a promise kept by now has gone on. */
function whoeverWaits(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Answers at once: whoever gives a name has it, and all mechanisms will do. */
const everybody: SaslLogin = {
  mechanisms: () => ['PLAIN', 'ANONYMOUS'],
  begin: ({ username }) => ({
    kind: 'accepted',
    principal: { name: username ?? 'anonymous', anonymous: username === undefined },
    data: undefined,
  }),
}
