/** What changes between two configurations, and when it counts. */
import { isDeepStrictEqual } from 'node:util'
import { settings } from './settings.ts'
import type { BrokerConfig, Reload } from './types.ts'
import { valueAt } from './value-at.ts'

export interface ConfigChange {
  /** 'mqtt.maxPacketBytes'. */
  readonly key: string
  readonly reload: Reload
  readonly before: unknown
  readonly after: unknown
  readonly isSecret: boolean
}

/** Settings that differ, in the order of the schema. */
export function configChanges(before: BrokerConfig, after: BrokerConfig): ConfigChange[] {
  return [...settings.values()]
    .map(({ key, path, reload, isSecret }) => ({
      key,
      reload,
      isSecret,
      before: valueAt(before, path),
      after: valueAt(after, path),
    }))
    .filter((change) => !isDeepStrictEqual(change.before, change.after))
}
