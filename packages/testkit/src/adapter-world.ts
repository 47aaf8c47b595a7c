/**
 * What the conformance harness of every wire protocol stands on: one vhost without a kernel and without real time. The harness
 * adds its adapter and its clients.
 */
import {
  type Assurance,
  type Authorizer,
  type BrokerEvent,
  type CoreLimits,
  DEFAULT_CORE_LIMITS,
  Events,
  type HeaderCodec,
  type Login,
  Message,
  type Queue,
  type QueueSettings,
  VirtualHost,
  allowAll,
} from '@ternmq/core'
import { PipeNetwork } from './raw-client.ts'
import { type VirtualClock, type VirtualEnv, virtualEnv } from './virtual-clock.ts'

const EVENTS_KEPT = 1_000

export interface AdapterWorldOptions {
  readonly limits?: Partial<CoreLimits>
  readonly authorizer?: Authorizer
  readonly seed?: number
  /** The log has failed for good; a test that does not expect it fails by it. */
  readonly onLogEnded?: (error: Error) => void
}

export class AdapterWorld {
  readonly env: VirtualEnv
  readonly vhost: VirtualHost
  readonly network: PipeNetwork
  /** Where the adapter tells operators what happens. */
  readonly eventSink: Events

  /** Without a log, as it is here, nothing is durable and nothing waits. */
  constructor(options: AdapterWorldOptions = {}, env: VirtualEnv = virtualEnv(options.seed)) {
    this.env = env
    this.network = new PipeNetwork(env.clock)
    this.eventSink = new Events(env.clock, EVENTS_KEPT)
    this.vhost = new VirtualHost({
      env,
      name: '/',
      authorizer: options.authorizer ?? allowAll,
      limits: { ...DEFAULT_CORE_LIMITS, ...options.limits },
      ...(options.onLogEnded !== undefined && { onLogEnded: options.onLogEnded }),
    })
  }

  get clock(): VirtualClock {
    return this.env.clock
  }

  /** What operators were told, oldest first. */
  get events(): readonly BrokerEvent[] {
    return this.eventSink.recent()
  }

  /** Why connections ended, oldest first. */
  get ends(): string[] {
    return this.events.filter(({ kind }) => kind === 'disconnected').map(({ text }) => text)
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

  /** As another protocol publishes: a topic or `$queue/NAME` in core form, headers in the form of `codec`. */
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
      await keptPromises()
    } while (!this.vhost.log.isIdle || !this.clock.isIdle)
  }
}

/** Everything that waits for a promise kept by now has gone on. */
export function keptPromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Answers at once: whoever gives a name has it. */
export const everybody: Login = {
  begin: ({ username }) => ({
    kind: 'accepted',
    principal: { name: username ?? 'anonymous', anonymous: username === undefined },
    data: undefined,
  }),
}
