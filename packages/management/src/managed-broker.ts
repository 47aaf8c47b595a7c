/**
 * What the admin API gets of the broker around it: the core as it is, and a few questions about what is outside the core. apps/broker
 * answers them; a test gives what it needs.
 */
import type { BackupMade, CertificateInfo, ListenerItem, NodeInfo, Overview, StoreInfo, StoreReport } from '@ternmq/api'
import type { UserStore } from '@ternmq/auth'
import type { BrokerConfig, Source } from '@ternmq/config'
import type { Events, VirtualHost } from '@ternmq/core'
import type { DefinitionStore } from './definitions/definition-store.ts'

export interface ManagedBroker {
  readonly vhost: VirtualHost
  readonly users: UserStore
  readonly events: Events
  /** What was defined through the API, as far as it cannot be read. */
  readonly definitions: Pick<DefinitionStore, 'damaged'>
  readonly node: NodeInfo
  readonly settings: RunningSettings
  listeners(): readonly ListenerItem[]
  /** By name of the listener, or `console`. */
  certificates(): ReadonlyMap<string, CertificateInfo>
  store(): Promise<StoreInfo>
  /** Rejects with ApiError('CONFLICT') where there is no journal. */
  storeReport(): Promise<StoreReport>
  /** Makes `folder`, an absolute path, and a copy of the journal in it. Rejects with ApiError('CONFLICT'). */
  backup(folder: string): Promise<BackupMade>
  /** Of the process and its disk. */
  resources(): Pick<Overview, 'memory' | 'disk' | 'eventLoop'> & { readonly cpuShare: number | undefined }
}

/** The configuration as it counts, and how it is changed while the broker runs. */
export interface RunningSettings {
  readonly config: BrokerConfig
  readonly sources: ReadonlyMap<string, Source>
  /**
   * Lays `overrides`, by key, over what was given at the start, and takes what can be taken. Rejects, with all as before, with what `check`
   * throws, which is given what would count, and with an error whose message is for whoever made the change.
   */
  override(
    overrides: ReadonlyMap<string, unknown>,
    check: (after: BrokerConfig) => void,
  ): Promise<{ readonly applied: readonly string[]; readonly afterRestart: readonly string[] }>
}
