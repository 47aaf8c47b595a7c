/**
 * A broker inside another program, most of all inside its tests: without any option it keeps everything in memory, writes no file
 * and listens on ports that the system chooses. The command does not start by this way.
 */
import type { UserStore } from '@ternmq/auth'
import { type BrokerConfigInput, type ListenerName, loadConfig } from '@ternmq/config'
import type { Clock, Env } from '@ternmq/core'
import { type BoundAddress, realEnv } from '@ternmq/transport'

import { type Broker, runBroker } from './broker.ts'
import type { LoadWith } from './configuration/configuration.ts'
import { type Log, silentLog } from './reports/log.ts'
import type { Reloaded } from './configuration/reload.ts'

export interface BrokerOptions {
  /** Any settings, nested as in a configuration file. What is left out is as for the command, but for ports, TLS and engine. */
  readonly config?: BrokerConfigInput | undefined
  /** Where users, certificates and the journal are; goes before `config.dataDir`. Without either no file is read or written. */
  readonly dataDir?: string | undefined
  /** Goes before `config.store.engine`. `journal` where there is a data directory, else `memory`. */
  readonly engine?: 'journal' | 'memory' | undefined
  /** Time alone: `MovableClock` of `ternmq/testing` (here @ternmq/testkit) lets a test skip half an hour. Goes before `env.clock`. */
  readonly clock?: Clock | undefined
  /** Time, turns and chance; the machine's when left out. */
  readonly env?: Env | undefined
  /** Nothing is logged when left out; `broker.events` has what happened to clients all the same. */
  readonly log?: Log | undefined
  /** Of the user `admin`, who is made where the console is enabled and nobody can log in to it; a random one, told as a warning of the log, when left out. */
  readonly adminPassword?: string | undefined
  /** Users from elsewhere; else those of the data directory, else none. */
  readonly users?: UserStore | undefined
}

/** Listeners that are open unless the options close them. */
type OpenByDefault = 'mqtt' | 'stomp' | 'amqp' | 'ws'

type At<T, K extends PropertyKey> = T extends undefined ? undefined : K extends keyof T ? T[K] : undefined
type IsEnabled<O, N extends ListenerName> = At<At<At<At<O, 'config'>, 'listeners'>, N>, 'enabled'>
/** Those of them that options of this type leave open for certain: not where they say `enabled: false`, or may say it. */
type SurelyOpen<O> = { [N in OpenByDefault]: false extends IsEnabled<O, N> ? never : N }[OpenByDefault]

/** A broker of this program. `O` is the type of the options that it was started with. */
export interface EmbeddedBroker<O extends BrokerOptions = BrokerOptions> extends Omit<Broker, 'reload' | 'listeners'> {
  /** Where clients connect, by the listener's key in the configuration. */
  readonly listeners: Readonly<Partial<Record<ListenerName, BoundAddress>> & Record<SurelyOpen<O>, BoundAddress>>
  /** As `Broker.reload`, with the values that would be given to a new start. */
  reload(values: BrokerConfigInput): Promise<Reloaded>
}

/** What a program expects of a broker of its own: nothing fixed that two of them would fight for. */
const DEFAULTS: BrokerConfigInput = {
  listeners: {
    mqtt: { port: 0 },
    mqtts: { enabled: false, port: 0 },
    stomp: { port: 0 },
    stomps: { enabled: false, port: 0 },
    amqp: { port: 0 },
    amqps: { enabled: false, port: 0 },
    ws: { port: 0 },
    wss: { enabled: false, port: 0 },
    any: { port: 0 },
  },
  console: { enabled: false, port: 0 },
}

/**
 * Starts a broker, or rejects with one error and leaves nothing behind: BrokerError 'CONFIG_INVALID' names every setting that cannot
 * be. `await using broker = await startBroker()` stops it at the end of the block.
 */
export function startBroker<const O extends BrokerOptions = Record<never, never>>(
  options?: O,
): Promise<EmbeddedBroker<O>>
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const { log = silentLog, users, clock, adminPassword } = options
  const dataDir = options.dataDir ?? options.config?.dataDir
  const engine = options.engine ?? options.config?.store?.engine ?? (dataDir === undefined ? 'memory' : 'journal')
  const loadOf = (values: BrokerConfigInput = {}): LoadWith => {
    const whole = { ...values, dataDir, store: { ...values.store, engine } }
    return (overrides) => loadConfig({ values: whole, defaults: DEFAULTS, overrides })
  }
  const env = clock === undefined ? options.env : { ...(options.env ?? realEnv()), clock }
  const broker = await runBroker(loadOf(options.config), { env, users, log, adminPassword, hasDataDir: dataDir !== undefined })
  return { ...broker, reload: async (values) => broker.reload(loadOf(values)) }
}
