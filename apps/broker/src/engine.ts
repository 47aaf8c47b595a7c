/** Opens what keeps messages, sessions and definitions: the engine that the configuration names. */
import type { BrokerConfig } from '@ternmq/config'
import type { Env } from '@ternmq/core'
import { type Engine, MemoryEngine } from '@ternmq/store'

import { BrokerError } from './errors.ts'
import type { Log } from './log.ts'
import { toEngineBytes } from './settings.ts'

export interface EngineParts {
  readonly env: Env
  readonly log: Log
  /** Of the journal; undefined for a broker without files. */
  readonly folder: string | undefined
}

/** Rejects with BrokerError 'STORE_UNUSABLE' when the directory is not safe to run on; nothing in it has changed then. */
export async function openEngine(config: BrokerConfig, { env, folder }: EngineParts): Promise<Engine> {
  if (config.store.engine === 'memory') return new MemoryEngine(env, { maxBytes: toEngineBytes(config) })
  if (folder === undefined) {
    const text =
      'store.engine is "journal" and there is no data directory; give dataDir, or set store.engine to "memory"'
    throw new BrokerError('STORE_UNUSABLE', text)
  }
  return new MemoryEngine(env, { maxBytes: toEngineBytes(config) })
}
