/**
 * The MQTT adapters of a broker: one per listener, because listeners differ in their time limits. A changed configuration makes
 * new ones for the connections to come; those that have connections stay until the last of these has gone.
 */
import { type BrokerConfig, type ListenerName, listenersOf } from '@ternmq/config'
import type { AcceptTransport, Events, Login, VirtualHost } from '@ternmq/core'
import { MqttAdapter } from '@ternmq/mqtt'

import { toMqttSettings } from './settings.ts'

export interface MqttAdaptersOptions {
  readonly vhost: VirtualHost
  readonly login: Login
  readonly events: Events
}

export class MqttAdapters {
  readonly #options: MqttAdaptersOptions
  readonly #current = new Map<ListenerName, MqttAdapter>()
  #former: MqttAdapter[] = []

  constructor(config: BrokerConfig, options: MqttAdaptersOptions) {
    this.#options = options
    this.use(config)
  }

  /** Sub-protocols in the WebSocket handshake. */
  get webSocketNames(): readonly string[] {
    return (this.#current.get('ws') as MqttAdapter).websocketSubprotocols
  }

  /** For connections from now on. */
  use(config: BrokerConfig): void {
    this.#former = this.#all().filter((adapter) => adapter.connectionCount > 0)
    for (const [name, listener] of listenersOf(config)) {
      this.#current.set(name, new MqttAdapter({ ...this.#options, settings: toMqttSettings(config, listener) }))
    }
  }

  /** What the listener `name` hands its transports to. */
  acceptFor(name: ListenerName): AcceptTransport {
    return (transport) => (this.#current.get(name) as MqttAdapter).accept(transport)
  }

  /** Tells every client that the broker stops, and closes. */
  drain(): void {
    for (const adapter of this.#all()) adapter.drain()
  }

  #all(): MqttAdapter[] {
    return [...this.#current.values(), ...this.#former]
  }
}
