/** The listeners of the configuration: opened all or none, closed together. */
import { type BrokerConfig, type ListenerName, listenersOf, type NamedListener } from '@ternmq/config'
import type { AcceptTransport } from '@ternmq/core'
import {
  type BoundAddress,
  CLOSE_FLUSH_MS,
  createTcpListener,
  createTlsListener,
  type Listener,
  type ListenerContext,
} from '@ternmq/transport'
import { createSecureWebSocketListener, createWebSocketListener } from '@ternmq/websocket'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Certificates } from './certificates.ts'
import { toAllowedOrigins } from './settings.ts'

export interface ListenerParts {
  readonly context: ListenerContext
  readonly certificates: Certificates
  readonly acceptFor: (name: ListenerName) => AcceptTransport
  /** Sub-protocols in the WebSocket handshake. */
  readonly webSocketNames: readonly string[]
}

/** The transport itself gives up on a peer that does not close; this is a little later. */
const DRAIN_MS = CLOSE_FLUSH_MS + 500
const LOOK_EVERY_MS = 5

/** Room in a WebSocket message beside the largest packet. */
const WEBSOCKET_BATCH_BYTES = 64 * 1024

export class Listeners {
  /** Where clients connect. */
  readonly bound: Readonly<Partial<Record<ListenerName, BoundAddress>>>
  readonly #open: readonly Listener[]

  /** Opens every enabled listener, or rejects with the first's error and none left open. */
  static async open(config: BrokerConfig, parts: ListenerParts): Promise<Listeners> {
    const open: Listener[] = []
    const bound: Partial<Record<ListenerName, BoundAddress>> = {}
    try {
      for (const named of listenersOf(config)) {
        const [name, { enabled }] = named
        if (!enabled) continue
        const listener = makeListener(named, config, parts)
        bound[name] = await listener.start()
        open.push(listener)
      }
    } catch (error) {
      await Promise.all(open.map((listener) => listener.close('the broker could not start')))
      throw error
    }
    return new Listeners(open, bound)
  }

  private constructor(open: readonly Listener[], bound: Readonly<Partial<Record<ListenerName, BoundAddress>>>) {
    this.#open = open
    this.bound = bound
  }

  /** Connections since the start. */
  get acceptedCount(): number {
    return this.#open.reduce((count, { stats }) => count + stats.accepted, 0)
  }

  get #openCount(): number {
    return this.#open.reduce((count, { stats }) => count + stats.open, 0)
  }

  /** Stops accepting, lets `drain` tell the clients, waits until they have heard it, closes what is left. */
  async close(drain: () => void): Promise<void> {
    for (const listener of this.#open) listener.stopAccepting()
    drain()
    for (let waitedMs = 0; waitedMs < DRAIN_MS && this.#openCount > 0; waitedMs += LOOK_EVERY_MS)
      await sleep(LOOK_EVERY_MS)
    await Promise.all(this.#open.map((listener) => listener.close('the broker is stopping')))
  }
}

function makeListener([name, config]: NamedListener, allConfig: BrokerConfig, parts: ListenerParts): Listener {
  const { context, certificates } = parts
  const acceptTransport = parts.acceptFor(name)
  const options = {
    key: name,
    host: config.host,
    port: config.port,
    connectionsMax: config.maxConnections,
    connectionsPerAddressMax: config.maxConnectionsPerAddress,
    handshakeMs: config.handshakeTimeoutMs,
  }
  const webSocket =
    name === 'ws' || name === 'wss'
      ? {
          protocols: new Map(
            parts.webSocketNames.map((protocol) => [protocol, { acceptTransport, isTextAllowed: false }]),
          ),
          // A client may put several packets into one message.
          maxMessageBytes: allConfig.mqtt.maxPacketBytes + WEBSOCKET_BATCH_BYTES,
          allowedOrigins: toAllowedOrigins(allConfig.listeners[name]),
        }
      : undefined
  if (config.tls === undefined) {
    return webSocket === undefined
      ? createTcpListener(options, context, acceptTransport)
      : createWebSocketListener({ ...options, ...webSocket }, context)
  }
  const secureOptions = {
    ...options,
    certificate: certificates.for(name),
    clientCertificates: config.tls.clientCertificate,
    alpnProtocols: webSocket === undefined ? ['mqtt'] : ['http/1.1'],
  }
  const listener =
    webSocket === undefined
      ? createTlsListener(secureOptions, context, acceptTransport)
      : createSecureWebSocketListener({ ...secureOptions, ...webSocket }, context)
  certificates.attach(name, listener)
  return listener
}
