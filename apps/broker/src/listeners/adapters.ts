/**
 * The adapters of a broker: one per protocol and listener, because listeners differ in their time limits. A changed configuration
 * makes new ones for the connections to come; those that have connections stay until the last of these has gone.
 */
import { AmqpAdapter } from '@ternmq/amqp10'
import { type BrokerConfig, type ListenerConfig, type ListenerName, listenersOf, type WithProfile } from '@ternmq/config'
import type { Events, ProtocolAdapter, ProtocolName, SaslLogin, ServedProtocol, VirtualHost } from '@ternmq/core'
import { MqttAdapter } from '@ternmq/mqtt'
import type { NearMisses } from '@ternmq/naming'
import { StompAdapter } from '@ternmq/stomp'

import { toAmqpSettings, toMqttSettings, toStompSettings } from '../configuration/settings.ts'

export interface AdaptersOptions {
  readonly vhost: VirtualHost
  readonly login: SaslLogin
  readonly events: Events
  readonly nearMisses: NearMisses
}

type MakeAdapter = (config: BrokerConfig, listener: ListenerConfig & Partial<WithProfile>, options: AdaptersOptions) => ProtocolAdapter

/** Every protocol there is, a line each. Of several that a WebSocket client offers the first is chosen. */
const PROTOCOLS: ReadonlyArray<readonly [ProtocolName, MakeAdapter]> = [
  ['mqtt', (config, listener, options) => new MqttAdapter({ ...options, settings: toMqttSettings(config, listener) })],
  [
    'stomp',
    (config, listener, options) => new StompAdapter({ ...options, settings: toStompSettings(config, listener) }),
  ],
  ['amqp', (config, listener, options) => new AmqpAdapter({ ...options, settings: toAmqpSettings(config, listener) })],
]

/** Listeners of one protocol; the others take all there are. */
const ONLY: Readonly<Partial<Record<ListenerName, ProtocolName>>> = {
  mqtt: 'mqtt',
  mqtts: 'mqtt',
  stomp: 'stomp',
  stomps: 'stomp',
  amqp: 'amqp',
  amqps: 'amqp',
}

export class Adapters {
  readonly #options: AdaptersOptions
  readonly #current = new Map<ListenerName, ReadonlyMap<ProtocolName, ProtocolAdapter>>()
  #former: ProtocolAdapter[] = []

  constructor(config: BrokerConfig, options: AdaptersOptions) {
    this.#options = options
    this.use(config)
  }

  /** For connections from now on. */
  use(config: BrokerConfig): void {
    this.#former = this.#all().filter((adapter) => adapter.connectionCount > 0)
    for (const [name, listener] of listenersOf(config)) {
      const made = protocolsOf(name).map(
        ([protocol, make]) => [protocol, make(config, listener, this.#options)] as const,
      )
      this.#current.set(name, new Map(made))
    }
  }

  /** What the listener `name` may hand its transports to. Its adapters are those of the latest configuration. */
  servedBy(name: ListenerName): readonly ServedProtocol[] {
    return [...this.#of(name).values()].map((adapter) => ({
      name: adapter.name,
      websocketSubprotocols: adapter.websocketSubprotocols,
      takesTextFrames: adapter.takesTextFrames,
      inboundBytesMax: adapter.inboundBytesMax,
      accept: (transport) => (this.#of(name).get(adapter.name) as ProtocolAdapter).accept(transport),
    }))
  }

  /** Tells every client that the broker stops, and closes. */
  drain(): void {
    for (const adapter of this.#all()) adapter.drain()
  }

  #of(name: ListenerName): ReadonlyMap<ProtocolName, ProtocolAdapter> {
    return this.#current.get(name) as ReadonlyMap<ProtocolName, ProtocolAdapter>
  }

  #all(): ProtocolAdapter[] {
    return [...[...this.#current.values()].flatMap((adapters) => [...adapters.values()]), ...this.#former]
  }
}

function protocolsOf(name: ListenerName): typeof PROTOCOLS {
  const only = ONLY[name]
  return only === undefined ? PROTOCOLS : PROTOCOLS.filter(([protocol]) => protocol === only)
}
