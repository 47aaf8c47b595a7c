/** Which part of a changed configuration counts while the broker runs. */
import { type BrokerConfig, type ConfigChange, configChanges, settings } from '@ternmq/config'
import type { AuditEntry } from '@ternmq/management'

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

/** What the audit log says of a reload. */
export function reloadEntry(outcome: AuditEntry['outcome'], detail: string): AuditEntry {
  return { user: '', action: 'config.reload', target: '', outcome, detail, address: '', by: 'none' }
}

/** No values: some are secret. */
export function reloadText({ applied, waiting }: Pick<Reloaded, 'applied' | 'waiting'>): string {
  const keys = (changes: readonly ConfigChange[]): string => changes.map(({ key }) => key).join(', ')
  const now = applied.length === 0 ? 'no setting has changed' : `count now: ${keys(applied)}`
  return waiting.length === 0 ? now : `${now}; count after the next start: ${keys(waiting)}`
}

function put(section: object, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  const parent = section as Record<string, unknown>
  if (rest.length === 0) parent[name] = value
  else put(parent[name] as object, rest, value)
}
