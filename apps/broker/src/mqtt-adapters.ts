/**
 * The MQTT adapters of a broker: one per listener, because listeners differ in their time limits. A changed configuration makes
 * new ones for the connections to come; those that have connections stay until the last of these has gone.
 */
import type { BrokerConfig, ListenerName } from '@ternmq/config'
import { listenersOf } from '@ternmq/config'
import type { AcceptTransport, Connection, Events, Login, Transport, VirtualHost } from '@ternmq/core'
import { MqttAdapter } from '@ternmq/mqtt'

import { toMqttSettings } from './settings.ts'

export interface MqttAdaptersOptions {
  readonly vhost: VirtualHost
  readonly login: Login
  readonly events: Events
}

/** The adapter's side of a connection that is refused before it has one. */
const REFUSED: Connection = { onBytes: () => {}, onWritable: () => {}, onClosed: () => {} }

export class MqttAdapters {
  readonly #options: MqttAdaptersOptions
  readonly #current = new Map<ListenerName, MqttAdapter>()
  #former: MqttAdapter[] = []
  #connectionsMax: number

  constructor(config: BrokerConfig, options: MqttAdaptersOptions) {
    this.#options = options
    this.#connectionsMax = config.limits.maxConnections
    this.use(config)
  }

  /** Sub-protocols in the WebSocket handshake. */
  get webSocketNames(): readonly string[] {
    return (this.#current.get('ws') as MqttAdapter).websocketSubprotocols
  }

  get connectionCount(): number {
    return this.#all().reduce((count, adapter) => count + adapter.connectionCount, 0)
  }

  /** For connections from now on. */
  use(config: BrokerConfig): void {
    this.#connectionsMax = config.limits.maxConnections
    this.#former = this.#all().filter((adapter) => adapter.connectionCount > 0)
    for (const [name, listener] of listenersOf(config)) {
      this.#current.set(name, new MqttAdapter({ ...this.#options, settings: toMqttSettings(config, listener) }))
    }
  }

  /** What the listener `name` hands its transports to. */
  acceptFor(name: ListenerName): AcceptTransport {
    return (transport) => {
      if (this.connectionCount >= this.#connectionsMax) return this.#refuse(transport)
      return (this.#current.get(name) as MqttAdapter).accept(transport)
    }
  }

  /** Tells every client that the broker stops, and closes. */
  drain(): void {
    for (const adapter of this.#all()) adapter.drain()
  }

  #refuse(transport: Transport): Connection {
    const { listener, address, port } = transport.peer
    const text = `connection refused: limits.maxConnections is ${this.#connectionsMax}, and as many are open`
    this.#options.events.emit({ kind: 'limit', source: 'broker', listener, peer: `${address}:${port}`, text })
    transport.destroy(text)
    return REFUSED
  }

  #all(): MqttAdapter[] {
    return [...this.#current.values(), ...this.#former]
  }
}
