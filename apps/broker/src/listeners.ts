/** The listeners of the configuration: opened all or none, closed together. */
import {
  type BrokerConfig,
  type ListenerConfig,
  type ListenerName,
  listenersOf,
  type NamedListener,
} from '@ternmq/config'
import type { AcceptTransport } from '@ternmq/core'
import { type BoundAddress, createTcpListener, type Listener, type ListenerContext } from '@ternmq/transport'

export interface OpenListener {
  readonly name: ListenerName
  readonly listener: Listener
  readonly bound: BoundAddress
}

export interface ListenerParts {
  readonly context: ListenerContext
  /** Makes the adapter's side of connections of one listener. */
  readonly acceptFor: (name: ListenerName, config: ListenerConfig) => AcceptTransport
}

/** Opens every enabled listener, or throws the first's error with none left open. */
export async function openListeners(config: BrokerConfig, parts: ListenerParts): Promise<OpenListener[]> {
  const open: OpenListener[] = []
  try {
    for (const named of listenersOf(config)) {
      const [name, { enabled }] = named
      if (!enabled) continue
      const listener = makeListener(named, parts)
      if (listener === undefined) continue
      open.push({ name, listener, bound: await listener.start() })
    }
    return open
  } catch (error) {
    await Promise.all(open.map(({ listener }) => listener.close('the broker could not start')))
    throw error
  }
}

function makeListener([name, config]: NamedListener, { context, acceptFor }: ListenerParts): Listener | undefined {
  const options = {
    key: name,
    host: config.host,
    port: config.port,
    connectionsMax: config.maxConnections,
    connectionsPerAddressMax: config.maxConnectionsPerAddress,
    handshakeMs: config.handshakeTimeoutMs,
  }
  if (name !== 'mqtt') return undefined
  return createTcpListener(options, context, acceptFor(name, config))
}
