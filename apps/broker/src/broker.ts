/**
 * The composition root: makes every part of a broker from a configuration, starts them in order and stops them in reverse.
 * Nothing here is global: a process may have several brokers.
 */
import { Authenticator, FileUserStore, MemoryUserStore, RuleAuthorizer, type UserStore } from '@ternmq/auth'
import { type BrokerConfig, checkExposure, type ListenerName } from '@ternmq/config'
import { type Env, Events, VirtualHost } from '@ternmq/core'
import { MqttAdapter } from '@ternmq/mqtt'
import { type BoundAddress, CLOSE_FLUSH_MS, type ListenerEvent, Outbox, realEnv } from '@ternmq/transport'
import { setTimeout as sleep } from 'node:timers/promises'

import { type DataDir, openDataDir } from './data-dir.ts'
import { BrokerError } from './errors.ts'
import { EventLog } from './event-log.ts'
import { openListeners, type OpenListener } from './listeners.ts'
import { type Log, silentLog } from './log.ts'
import { toCoreLimits, toLoginSettings, toMqttSettings } from './settings.ts'
import { VERSION } from './version.ts'

export interface BrokerOptions {
  /** Time, turns and chance; the machine's when left out. */
  readonly env?: Env
  /** Users from elsewhere: then the broker has no data directory and touches no file. */
  readonly users?: UserStore
  /** Nothing is logged when left out; `events` has what happened to clients all the same. */
  readonly log?: Log
}

export interface Broker extends AsyncDisposable {
  /** Where clients connect, by the listener's key in the configuration. */
  readonly listeners: Readonly<Partial<Record<ListenerName, BoundAddress>>>
  readonly vhost: VirtualHost
  readonly users: UserStore
  readonly events: Events
  /** Stops accepting, tells clients that can be told, sends what is under way, closes. Idempotent. */
  stop(): Promise<void>
}

/** Closing a socket may take the transport so long, and a little more. */
const DRAIN_MS = CLOSE_FLUSH_MS + 500
const LOOK_EVERY_MS = 5

/** Starts a broker, or throws one error for the operator with nothing left behind. */
export async function startBroker(config: BrokerConfig, options: BrokerOptions = {}): Promise<Broker> {
  const dataDir = options.users === undefined ? await openDataDir(config.dataDir, 'broker') : undefined
  try {
    const users =
      options.users ?? (dataDir === undefined ? new MemoryUserStore() : await FileUserStore.open(dataDir.usersFile))
    const exposed = checkExposure(config, { userCount: users.list().length })
    if (exposed.length > 0) throw new BrokerError('LISTENER_EXPOSED', exposed.join('\n'))
    return await RunningBroker.start(config, options, users, dataDir)
  } catch (error) {
    dataDir?.release()
    throw error
  }
}

class RunningBroker implements Broker {
  readonly vhost: VirtualHost
  readonly users: UserStore
  readonly events: Events
  readonly #log: Log
  readonly #eventLog: EventLog
  readonly #dataDir: DataDir | undefined
  readonly #adapters: MqttAdapter[] = []
  #open: OpenListener[] = []
  #stopped: Promise<void> | undefined = undefined

  static async start(
    config: BrokerConfig,
    options: BrokerOptions,
    users: UserStore,
    dataDir: DataDir | undefined,
  ): Promise<Broker> {
    const broker = new RunningBroker(config, options, users, dataDir)
    await broker.#start(config)
    return broker
  }

  private constructor(config: BrokerConfig, options: BrokerOptions, users: UserStore, dataDir: DataDir | undefined) {
    const env = options.env ?? realEnv()
    this.users = users
    this.#dataDir = dataDir
    this.#log = options.log ?? silentLog
    this.#eventLog = new EventLog(this.#log, env.clock)
    this.events = new Events(env.clock, config.events.ringSize)
    this.events.listen(this.#eventLog.take)
    const authorizer = new RuleAuthorizer(config.auth, 'auth')
    this.vhost = new VirtualHost({ env, name: '/', authorizer, limits: toCoreLimits(config) })
  }

  get listeners(): Readonly<Partial<Record<ListenerName, BoundAddress>>> {
    return Object.fromEntries(this.#open.map(({ name, bound }) => [name, bound]))
  }

  async #start(config: BrokerConfig): Promise<void> {
    const { env } = this.vhost
    const login = new Authenticator({ users: this.users, clock: env.clock, ...toLoginSettings(config) })
    const context = {
      env,
      outbox: new Outbox(env.clock),
      onEvent: (event: ListenerEvent) => this.#takeListenerEvent(event),
    }
    this.#open = await openListeners(config, {
      context,
      acceptFor: (_, listener) => {
        const adapter = new MqttAdapter({
          vhost: this.vhost,
          login,
          settings: toMqttSettings(config, listener),
          events: this.events,
        })
        this.#adapters.push(adapter)
        return adapter.accept
      },
    })
    for (const { name, bound } of this.#open)
      this.#log.info({ listener: name, ...bound }, `listener ${name} accepts connections`)
    this.#log.info({ version: VERSION, pid: process.pid, dataDir: this.#dataDir?.path }, 'TernMQ is ready')
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    for (const { listener } of this.#open) listener.stopAccepting()
    for (const adapter of this.#adapters) adapter.drain()
    for (let waitedMs = 0; waitedMs < DRAIN_MS && this.#connectionCount > 0; waitedMs += LOOK_EVERY_MS)
      await sleep(LOOK_EVERY_MS)
    await Promise.all(this.#open.map(({ listener }) => listener.close('the broker is stopping')))
    this.#eventLog.close()
    this.#dataDir?.release()
  }

  get #connectionCount(): number {
    return this.#open.reduce((count, { listener }) => count + listener.stats.open, 0)
  }

  #takeListenerEvent({ kind, listener, text, address, count }: ListenerEvent): void {
    const told = count > 1 ? `${text} (${count} times)` : text
    this.events.emit({
      kind: kind === 'accept-failed' ? 'failure' : 'refused',
      source: 'transport',
      listener,
      peer: address,
      text: told,
    })
  }
}
