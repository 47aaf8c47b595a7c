/** What a broker goes by: the values that were given at its start, those that were changed while it ran over them, and what counts. */
import type { BrokerConfig, LoadResult, Source } from '@ternmq/config'

import { BrokerError } from '../errors.ts'
import type { Log } from '../reports/log.ts'
import { type Reloaded, reloadOf } from './reload.ts'

/** Puts what was given together, with `overrides`, by key, over all of it. */
export type LoadWith = (overrides: ReadonlyMap<string, unknown>) => LoadResult

/** Settings that are needed to find what was changed through the admin API: they cannot be changed by it. */
const NEVER_OVERRIDDEN: readonly string[] = ['dataDir', 'store.engine']

export class Configuration {
  readonly #log: Log
  #load: LoadWith
  #overrides: ReadonlyMap<string, unknown> = new Map()
  #sources: ReadonlyMap<string, Source>
  #counting: BrokerConfig

  /** Throws BrokerError 'CONFIG_INVALID'. */
  constructor(load: LoadWith, log: Log) {
    this.#load = load
    this.#log = log
    const { config, sources } = loaded(load(this.#overrides), log)
    this.#counting = config
    this.#sources = sources
  }

  /** What counts now: what needs a new start is as it was at the last one. */
  get config(): BrokerConfig {
    return this.#counting
  }

  /** Where the values are from, those that count after the next start included. */
  get sources(): ReadonlyMap<string, Source> {
    return this.#sources
  }

  /** Before anything goes by it: what an earlier life of the broker was told through the admin API. Throws BrokerError 'CONFIG_INVALID'. */
  begin(overrides: ReadonlyMap<string, unknown>): void {
    const { config, sources } = loaded(this.#load(overrides), this.#log)
    this.#overrides = overrides
    this.#counting = config
    this.#sources = sources
  }

  /**
   * Gives `take` what changes with another load, or other overrides, unless `check` throws; what either refuses leaves all as it was.
   * Throws BrokerError 'CONFIG_INVALID'.
   */
  async change(
    {
      load = this.#load,
      overrides = this.#overrides,
      check,
    }: {
      readonly load?: LoadWith
      readonly overrides?: ReadonlyMap<string, unknown>
      readonly check?: (after: BrokerConfig) => void
    },
    take: (reloaded: Reloaded) => Promise<void>,
  ): Promise<Reloaded> {
    for (const key of NEVER_OVERRIDDEN) {
      if (overrides.has(key))
        throw new BrokerError(
          'CONFIG_INVALID',
          `${key} cannot be changed while the broker runs; change it where the broker is started`,
        )
    }
    const { config, sources } = loaded(load(overrides), this.#log)
    const reloaded = reloadOf(this.#counting, config)
    check?.(reloaded.config)
    await take(reloaded)
    this.#load = load
    this.#overrides = overrides
    this.#counting = reloaded.config
    this.#sources = sources
    return reloaded
  }
}

function loaded(result: LoadResult, log: Log): Extract<LoadResult, { readonly ok: true }> {
  for (const warning of result.warnings) log.warn({}, warning)
  if (!result.ok) throw new BrokerError('CONFIG_INVALID', result.errors.join('\n'))
  return result
}
