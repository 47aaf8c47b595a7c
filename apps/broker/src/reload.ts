/** Which part of a changed configuration counts while the broker runs. */
import { type BrokerConfig, type ConfigChange, configChanges, settings } from '@ternmq/config'

/** A TLS listener is made with these. */
const FIXED_PER_LISTENER = /^listeners\.\w+\.tls\.(clientCertificate|minVersion)$/

export interface Reloaded {
  /** What holds from now on: `after`, but for what has to wait for the next start. */
  readonly config: BrokerConfig
  readonly applied: readonly ConfigChange[]
  readonly waiting: readonly ConfigChange[]
}

export function reloadOf(before: BrokerConfig, after: BrokerConfig): Reloaded {
  const changes = configChanges(before, after)
  const waiting = changes.filter(({ key, reload }) => reload === 'start' || FIXED_PER_LISTENER.test(key))
  const config = structuredClone(after)
  for (const { key, before: value } of waiting) put(config, settings.get(key)?.path ?? [], value)
  return { config, applied: changes.filter((change) => !waiting.includes(change)), waiting }
}

function put(section: object, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  const parent = section as Record<string, unknown>
  if (rest.length === 0) parent[name] = value
  else put(parent[name] as object, rest, value)
}
