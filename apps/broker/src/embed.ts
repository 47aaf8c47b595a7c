/**
 * A broker inside another program, most of all inside its tests: without any option it keeps everything in memory, writes no file
 * and listens on ports that the system chooses. The command does not start by this way.
 */
import type { UserStore } from '@ternmq/auth'
import { type BrokerConfig, type BrokerConfigInput, loadConfig } from '@ternmq/config'
import type { Clock, Env } from '@ternmq/core'
import { realEnv } from '@ternmq/transport'

import { type Broker, runBroker } from './broker.ts'
import { BrokerError } from './errors.ts'
import { type Log, silentLog } from './log.ts'
import type { Reloaded } from './reload.ts'

export interface BrokerOptions {
  /** Any settings, nested as in a configuration file. What is left out is as for the command, but for ports, TLS and engine. */
  readonly config?: BrokerConfigInput | undefined
  /** Where users, certificates and the journal are; goes before `config.dataDir`. Without either no file is read or written. */
  readonly dataDir?: string | undefined
  /** Goes before `config.store.engine`. `journal` where there is a data directory, else `memory`. */
  readonly engine?: 'journal' | 'memory' | undefined
  /** Time alone: `MovableClock` of @ternmq/testkit lets a test skip half an hour. Goes before `env.clock`. */
  readonly clock?: Clock | undefined
  /** Time, turns and chance; the machine's when left out. */
  readonly env?: Env | undefined
  /** Nothing is logged when left out; `broker.events` has what happened to clients all the same. */
  readonly log?: Log | undefined
  /** Users from elsewhere; else those of the data directory, else none. */
  readonly users?: UserStore | undefined
}

/** A broker of this program. */
export interface EmbeddedBroker extends Omit<Broker, 'reload'> {
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
    ws: { port: 0 },
    wss: { enabled: false, port: 0 },
    any: { port: 0 },
  },
}

/**
 * Starts a broker, or rejects with one error and leaves nothing behind: BrokerError 'CONFIG_INVALID' names every setting that cannot
 * be. `await using broker = await startBroker()` stops it at the end of the block.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
  const { log = silentLog, users, clock } = options
  const dataDir = options.dataDir ?? options.config?.dataDir
  const engine = options.engine ?? options.config?.store?.engine ?? (dataDir === undefined ? 'memory' : 'journal')
  const load = (values: BrokerConfigInput = {}): BrokerConfig => {
    return configOf({ ...values, dataDir, store: { ...values.store, engine } }, log)
  }
  const env = clock === undefined ? options.env : { ...(options.env ?? realEnv()), clock }
  const broker = await runBroker(load(options.config), { env, users, log, hasDataDir: dataDir !== undefined })
  return { ...broker, reload: async (values) => broker.reload(load(values)) }
}

function configOf(values: BrokerConfigInput, log: Log): BrokerConfig {
  const loaded = loadConfig({ values, defaults: DEFAULTS })
  for (const warning of loaded.warnings) log.warn({}, warning)
  if (!loaded.ok) throw new BrokerError('CONFIG_INVALID', loaded.errors.join('\n'))
  return loaded.config
}
