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
import type { Assurance, PeerInfo, SaslLogin } from '@ternmq/core'
import { NearMisses } from '@ternmq/naming'
import { type Engine, MemoryEngine } from '@ternmq/store'
import { AdapterWorld, type AdapterWorldOptions, everybody, type VirtualEnv, virtualEnv } from '@ternmq/testkit'
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

export interface WorldOptions extends AdapterWorldOptions {
  readonly settings?: Partial<AmqpSettings>
  /** Lets everybody in under the name they give, 'anonymous' without one, unless said otherwise. */
  readonly login?: SaslLogin
}

export interface PeerOptions {
  readonly peer?: PeerInfo
  /** Bytes that the pipe holds for a client that does not read. */
  readonly kernelBytes?: number
}

/** One broker with everything around it. */
export class World extends AdapterWorld {
  readonly adapter: AmqpAdapter

  /** Without a log, as it is here, nothing is durable and nothing waits: every exchange is finished when `send` returns. */
  constructor(options: WorldOptions = {}, env: VirtualEnv = virtualEnv(options.seed)) {
    super(options, env)
    this.adapter = new AmqpAdapter({
      vhost: this.vhost,
      login: options.login ?? everybodyBySasl,
      settings: { ...DEFAULT_AMQP_SETTINGS, ...options.settings },
      events: this.eventSink,
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

  /** As somebody elsewhere publishes: to a topic or `$queue/NAME` in core form, with one data section. */
  publish(topic: string, body: string | Uint8Array, assurance: Assurance = 1): void {
    const content = Buffer.from(body)
    const head = section('data', content).bytes.subarray(0, -content.length || undefined)
    this.publishAs(topic, amqpHeaders, head, content, assurance)
  }
}

/** Whoever gives a name has it, and all mechanisms will do. */
const everybodyBySasl: SaslLogin = { ...everybody, mechanisms: () => ['PLAIN', 'ANONYMOUS'] }
