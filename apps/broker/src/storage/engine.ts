/** Opens what keeps messages, sessions and definitions: the engine that the configuration names. */
import type { BrokerConfig, StoreConfig } from '@ternmq/config'
import type { Env } from '@ternmq/core'
import { type Engine, MemoryEngine } from '@ternmq/store'
import type { JournalEngine, JournalFault } from '@ternmq/store/journal'

import { BrokerError, messageOf } from '../errors.ts'
import type { Log } from '../reports/log.ts'
import { toEngineBytes, toJournalOptions } from '../configuration/settings.ts'

export interface EngineParts {
  readonly env: Env
  readonly log: Log
  /** Of the journal; undefined for a broker without files. */
  readonly folder: string | undefined
}

export interface OpenEngine {
  readonly engine: Engine
  /** The same, where it is one that can be looked at and copied. */
  readonly journal: JournalEngine | undefined
  /** Upper ends of the ranges that the journal counts its commits in. */
  readonly commitTimeBoundsMs: readonly number[]
}

/** Rejects with BrokerError 'STORE_UNUSABLE' when the directory is not safe to run on; nothing in it has changed then. */
export async function openEngine(config: BrokerConfig, { env, log, folder }: EngineParts): Promise<OpenEngine> {
  if (config.store.engine === 'memory') {
    return {
      engine: new MemoryEngine(env, { maxBytes: toEngineBytes(config) }),
      journal: undefined,
      commitTimeBoundsMs: [],
    }
  }
  if (folder === undefined) {
    const text =
      'store.engine is "journal" and there is no data directory; give dataDir, or set store.engine to "memory"'
    throw new BrokerError('STORE_UNUSABLE', text)
  }
  return openJournalIn(folder, config.store, env, log)
}

async function openJournalIn(folder: string, store: StoreConfig, env: Env, log: Log): Promise<OpenEngine> {
  // Who keeps everything in memory need not wait for these to load.
  const [{ COMMIT_TIME_BOUNDS_MS, openJournal, faultText }, { nodeDisk }] = await Promise.all([
    import('@ternmq/store/journal'),
    import('@ternmq/store/node-disk'),
  ])
  const onFault = (fault: JournalFault): void => {
    log.error({ folder, ...fault }, `damage in the journal ${folder}: ${faultText(fault)}; everything else is served`)
  }
  try {
    const disk = nodeDisk(folder)
    const journal = await openJournal({ clock: env.clock, disk }, { ...toJournalOptions(store), onFault })
    const { segments, liveBytes, diskBytes, tornBytes } = journal.stats()
    if (tornBytes > 0) {
      log.info(
        { folder, tornBytes },
        `the journal ended in the middle of a write that nobody was told of: ${tornBytes} bytes cut off`,
      )
    }
    log.info({ folder, segments, liveBytes, diskBytes }, `the journal in ${folder} is open`)
    return { engine: journal, journal, commitTimeBoundsMs: COMMIT_TIME_BOUNDS_MS }
  } catch (cause) {
    throw new BrokerError('STORE_UNUSABLE', `cannot use the journal in ${folder}: ${messageOf(cause)}`, { cause })
  }
}
