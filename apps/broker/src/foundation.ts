/** What is there before anything runs: the data directory, its users, the store, what was defined in it, and the configuration that follows. */
import { FileUserStore, MemoryUserStore, type UserStore } from '@ternmq/auth'
import type { Env } from '@ternmq/core'
import { DefinitionStore } from '@ternmq/management'

import { Configuration, type LoadWith } from './configuration.ts'
import { type DataDir, openDataDir } from './data-dir.ts'
import { type OpenEngine, openEngine } from './engine.ts'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'
import type { UndoStack } from './undo-stack.ts'

export interface FoundationParts {
  readonly env: Env
  readonly log: Log
  /** Users from elsewhere; else those of the data directory. */
  readonly users: UserStore | undefined
  readonly hasDataDir: boolean
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
  { env, log, users, hasDataDir }: FoundationParts,
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
  try {
    configuration.begin(definitions.settings.all)
  } catch (error) {
    // What another version allowed, or a file that has changed since: without it the broker is as it was given.
    damages.push(
      `settings that were changed through the admin API do not count: ${messageOf(error)}; change them or take them back`,
    )
  }
  return { configuration, dataDir, users: ownUsers, store, definitions, damages }
}
