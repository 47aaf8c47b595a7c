/** What is there before anything runs: the data directory, its users, the store, what was defined in it, and the configuration that follows. */
import { FileUserStore, MemoryUserStore, type UserStore } from '@ternmq/auth'
import type { Env } from '@ternmq/core'
import { DefinitionStore } from '@ternmq/management'

import { Configuration, type LoadWith } from './configuration/configuration.ts'
import { type DataDir, openDataDir } from './process/data-dir.ts'
import { type OpenEngine, openEngine } from './storage/engine.ts'
import { messageOf } from './errors.ts'
import type { Log } from './reports/log.ts'
import type { UndoStack } from './undo-stack.ts'

export interface FoundationParts {
  readonly env: Env
  readonly log: Log
  /** Users from elsewhere; else those of the data directory. */
  readonly users: UserStore | undefined
  readonly hasDataDir: boolean
  readonly withoutApiSettings: boolean
}

export interface Foundation {
  readonly configuration: Configuration
  /** Undefined for a broker without files. */
  readonly dataDir: DataDir | undefined
  readonly users: UserStore
  readonly store: OpenEngine
  readonly definitions: DefinitionStore
  /** What was defined and does not count, in sentences for operators. */
  readonly damages: readonly string[]
}

/** Rejects with one error for the operator. */
export async function layFoundation(
  load: LoadWith,
  { env, log, users, hasDataDir, withoutApiSettings }: FoundationParts,
  undo: UndoStack,
): Promise<Foundation> {
  const configuration = new Configuration(load, log)
  const dataDir = hasDataDir ? await openDataDir(configuration.config.dataDir, 'broker') : undefined
  undo.add(() => dataDir?.release())
  const ownUsers =
    users ?? (dataDir === undefined ? new MemoryUserStore() : await FileUserStore.open(dataDir.usersFile))
  const store = await openEngine(configuration.config, { env, log, folder: dataDir?.journalFolder })
  undo.add(() => store.engine.close())
  const damages: string[] = []
  const definitions = await DefinitionStore.open(store.engine.catalog, (text) => damages.push(text))
  const changed = definitions.settings.all
  if (changed.size > 0) log.info({ settings: [...changed.keys()] }, changedText(changed.size, withoutApiSettings))
  try {
    if (!withoutApiSettings) configuration.begin(changed)
  } catch (error) {
    // What another version allowed, or a file that has changed since: without it the broker is as it was given.
    damages.push(
      `settings that were changed through the admin API do not count: ${messageOf(error)}; change them or take them back`,
    )
  }
  return { configuration, dataDir, users: ownUsers, store, definitions, damages }
}

/** Above all for whoever finds that the broker does not start with them: they go over flags, too. */
function changedText(count: number, isWithout: boolean): string {
  const what = `${count} ${count === 1 ? 'setting' : 'settings'} changed through the admin API`
  return isWithout
    ? `${what} ${count === 1 ? 'does' : 'do'} not count until ${count === 1 ? 'it is' : 'they are'} changed there again or the broker starts anew`
    : `${what} ${count === 1 ? 'goes' : 'go'} over the configuration; \`ternmq start --without-api-settings\` starts without`
}
