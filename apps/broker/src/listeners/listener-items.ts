/** Where clients connect, as operators see it: what was configured, what it came to, and the certificate that clients are shown. */
import type { ListenerItem } from '@ternmq/api'
import { allowsAnonymous, type BrokerConfig, type ListenerName, listenersOf } from '@ternmq/config'
import type { ListenerStats } from '@ternmq/transport'

import type { Certificates } from './certificates.ts'
import type { Listeners } from './listeners.ts'

export interface ListenerItemParts {
  readonly config: BrokerConfig
  readonly listeners: Listeners
  readonly certificates: Certificates
  /** Names of the protocols that listener `name` serves. */
  readonly protocolsOf: (name: ListenerName) => readonly string[]
}

/** Those that are open, in the order of the configuration. */
export function listenerItems({ config, listeners, certificates, protocolsOf }: ListenerItemParts): ListenerItem[] {
  return listenersOf(config).flatMap(([name, listener]): ListenerItem[] => {
    const bound = listeners.bound[name]
    const stats = listeners.statsOf(name)
    if (bound === undefined || stats === undefined) return []
    return [
      {
        name,
        protocols: protocolsOf(name),
        ...bound,
        tls: listener.tls !== undefined,
        webSocket: name === 'ws' || name === 'wss',
        profile: listener.profile,
        anonymous: allowsAnonymous(listener),
        openCount: stats.open,
        acceptedCount: stats.accepted,
        refusedCount: refusedCount(stats),
        connectionsMax: listener.maxConnections,
        certificate: certificates.inUse().get(name),
      },
    ]
  })
}

function refusedCount(stats: ListenerStats): number {
  const byLimits =
    stats.refusedByListenerLimit + stats.refusedByBrokerLimit + stats.refusedByAddressLimit + stats.refusedByFileLimit
  return byLimits + stats.failedHandshakes + stats.silentPeers + stats.unservedProtocols + stats.unknownProtocols
}
