/** The listeners of the configuration: opened all or none, closed together. */
import { type BrokerConfig, type ListenerConfig, type ListenerName, listenersOf, type TlsConfig } from '@ternmq/config'
import type { ServedProtocol } from '@ternmq/core'
import {
  type BoundAddress,
  CLOSE_FLUSH_MS,
  createAnyListener,
  createTcpListener,
  createTlsListener,
  type Listener,
  type ListenerContext,
  type ListenerOptions,
  type ListenerStats,
  type TlsSettings,
  TransportError,
} from '@ternmq/transport'
import type { WebSocketListenerSettings, WebSocketSettings } from '@ternmq/websocket'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { systemCode } from '../errors.ts'
import type { Certificates } from './certificates.ts'
import { toListenerSettings } from '../configuration/settings.ts'

export interface ListenerParts {
  readonly context: ListenerContext
  readonly certificates: Certificates
  /** What the listener `name` may hand its transports to. */
  readonly servedBy: (name: ListenerName) => readonly ServedProtocol[]
}

/** The transport itself gives up on a peer that does not close; this is a little later. */
const DRAIN_MS = CLOSE_FLUSH_MS + 500
const LOOK_EVERY_MS = 5

/** Room in a WebSocket message beside the largest packet: a client may put several packets into one. */
const WEBSOCKET_BATCH_BYTES = 64 * 1024

interface OpenListener {
  readonly listener: Listener
  /** Takes what may change from another configuration. */
  readonly use: (config: BrokerConfig) => void
}

export class Listeners {
  /** Where clients connect. */
  readonly bound: Readonly<Partial<Record<ListenerName, BoundAddress>>>
  readonly #open: readonly OpenListener[]

  /** Opens every enabled listener, or rejects with one error and none left open. Of ports that are taken it names all. */
  static async open(config: BrokerConfig, parts: ListenerParts): Promise<Listeners> {
    const open: OpenListener[] = []
    const bound: Partial<Record<ListenerName, BoundAddress>> = {}
    const taken: [name: ListenerName, error: TransportError][] = []
    try {
      for (const [name, { enabled }] of listenersOf(config)) {
        if (!enabled) continue
        const made = await make(name, config, parts, bound)
        try {
          bound[name] = await made.listener.start()
          open.push(made)
        } catch (error) {
          if (!(error instanceof TransportError && error.code === 'LISTENER_PORT_IN_USE')) throw error
          taken.push([name, error])
        }
      }
      if (taken.length > 0) throw await portsTaken(taken, config)
    } catch (error) {
      await Promise.all(open.map(({ listener }) => listener.close('the broker could not start')))
      throw error
    }
    return new Listeners(open, bound)
  }

  private constructor(open: readonly OpenListener[], bound: Readonly<Partial<Record<ListenerName, BoundAddress>>>) {
    this.#open = open
    this.bound = bound
  }

  /** Connections since the start. */
  get acceptedCount(): number {
    return this.#open.reduce((count, { listener }) => count + listener.stats.accepted, 0)
  }

  /** Undefined for one that is not open. */
  statsOf(name: ListenerName): ListenerStats | undefined {
    return this.#open.find(({ listener }) => listener.key === name)?.listener.stats
  }

  /** For connections from now on. */
  use(config: BrokerConfig): void {
    for (const { use } of this.#open) use(config)
  }

  /** Stops accepting, lets `drain` tell the clients, waits until they have heard it, closes what is left. */
  async close(drain: () => void): Promise<void> {
    for (const { listener } of this.#open) listener.stopAccepting()
    drain()
    for (let waitedMs = 0; waitedMs < DRAIN_MS && this.#openCount > 0; waitedMs += LOOK_EVERY_MS) {
      await sleep(LOOK_EVERY_MS)
    }
    await Promise.all(this.#open.map(({ listener }) => listener.close('the broker is stopping')))
  }

  get #openCount(): number {
    return this.#open.reduce((count, { listener }) => count + listener.stats.open, 0)
  }
}

/** One broker beside another is a matter of one line: the console's port, which would be opened later, is looked at as well. */
async function portsTaken(
  taken: readonly (readonly [name: ListenerName, error: TransportError])[],
  { console: { enabled, host, port } }: BrokerConfig,
): Promise<TransportError> {
  const settings = taken.map(([name]) => `listeners.${name}.port=0`)
  const sentences = taken.map(([, error]) => error.message)
  if (enabled && port !== 0 && (await isTaken(host, port))) {
    settings.push('console.port=0')
    sentences.push(`the console cannot listen on ${host}:${port}: the port is in use; set console.port`)
  }
  const sets = settings.map((setting) => `--set ${setting}`).join(' ')
  const advice = `or let the system choose free ports, which the log names: \`ternmq start ${sets}\``
  return new TransportError('LISTENER_PORT_IN_USE', [...sentences, advice].join('\n'))
}

function isTaken(host: string, port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(systemCode(error) === 'EADDRINUSE'))
    server.listen(port, host, () => server.close(() => resolve(false)))
  })
}

/** Listeners of one protocol. */
type PlainName = 'mqtt' | 'stomp' | 'amqp'
type SecureName = `${PlainName}s`

type Bound = Readonly<Partial<Record<ListenerName, BoundAddress>>>

/** `bound` fills while listeners are opened. */
function make(
  name: ListenerName,
  config: BrokerConfig,
  parts: ListenerParts,
  bound: Bound,
): OpenListener | Promise<OpenListener> {
  switch (name) {
    case 'mqtt':
    case 'mqtts':
    case 'stomp':
    case 'stomps':
    case 'amqp':
    case 'amqps':
      return makePlain(name, config, parts, bound)
    case 'ws':
    case 'wss':
      return makeWebSocket(name, config, parts)
    case 'any':
      return makeAny(config, parts, bound)
  }
}

/** Of one protocol, with TLS or without. */
function makePlain(
  name: PlainName | SecureName,
  config: BrokerConfig,
  parts: ListenerParts,
  bound: Bound,
): OpenListener {
  const { context, certificates } = parts
  const [{ accept }] = parts.servedBy(name) as [ServedProtocol]
  const options = optionsOf(name, config.listeners[name])
  if (!isSecure(name)) {
    const listener = createTcpListener({ ...options, tlsAdvice: () => tlsAdvice(bound, [`${name}s`]) }, context, accept)
    return { listener, use: (next) => listener.use(toListenerSettings(next.listeners[name])) }
  }
  const secure = secureOptionsOf(name, config.listeners[name].tls, certificates, name === 'mqtts' ? 'mqtt' : undefined)
  const listener = createTlsListener({ ...options, ...secure }, context, accept)
  certificates.attach(name, listener)
  return { listener, use: (next) => listener.use(toListenerSettings(next.listeners[name])) }
}

function isSecure(name: PlainName | SecureName): name is SecureName {
  return name.endsWith('s')
}

/** Loads what it needs: a broker without WebSocket has no HTTP server in its memory. */
async function makeWebSocket(name: 'ws' | 'wss', config: BrokerConfig, parts: ListenerParts): Promise<OpenListener> {
  const { createSecureWebSocketListener, createWebSocketListener } = await import('@ternmq/websocket')
  const { context, certificates } = parts
  const settingsIn = (next: BrokerConfig): WebSocketListenerSettings => {
    const { allowedOrigins, maxMessageBytes, pingIntervalMs: pingMs } = next.listeners[name]
    const largest = Math.max(...parts.servedBy(name).map(({ inboundBytesMax }) => inboundBytesMax))
    const needed = largest + WEBSOCKET_BATCH_BYTES
    const frames = { allowedOrigins, maxMessageBytes: maxMessageBytes === 0 ? needed : maxMessageBytes, pingMs }
    return { ...toListenerSettings(next.listeners[name]), ...frames }
  }
  const settings: WebSocketSettings = { protocols: parts.servedBy(name), ...settingsIn(config) }
  const options = { ...optionsOf(name, config.listeners[name]), ...settings }
  if (name === 'ws') {
    const listener = createWebSocketListener(options, context)
    return { listener, use: (next) => listener.use(settingsIn(next)) }
  }
  const secure = secureOptionsOf(name, config.listeners[name].tls, certificates, 'http/1.1')
  const listener = createSecureWebSocketListener({ ...options, ...secure }, context)
  certificates.attach(name, listener)
  return { listener, use: (next) => listener.use(settingsIn(next)) }
}

function makeAny(config: BrokerConfig, { context, certificates, servedBy }: ListenerParts, bound: Bound): OpenListener {
  const { encryption, tls, ...basic } = config.listeners.any
  const listener = createAnyListener(
    {
      ...optionsOf('any', basic),
      protocols: servedBy('any'),
      tls: encryption === 'none' ? undefined : secureOptionsOf('any', tls, certificates, 'http/1.1'),
      requiresTls: encryption === 'required',
      httpAdvice: () => webSocketAdvice(bound),
      tlsAdvice: () => tlsAdvice(bound, ['mqtts', 'stomps', 'amqps']),
    },
    context,
  )
  if (encryption !== 'none') certificates.attach('any', listener)
  return { listener, use: (next) => listener.use(toListenerSettings(next.listeners.any)) }
}

/** For whoever speaks HTTP to a port that does not. */
function webSocketAdvice({ ws, wss }: Bound): string {
  const ports = [ws && `${ws.port} (ws)`, wss && `${wss.port} (wss)`].filter((port) => port !== undefined)
  return ports.length === 0
    ? 'WebSocket is not enabled (listeners.ws, listeners.wss).'
    : `WebSocket clients connect to port ${ports.join(' or ')}.`
}

/** For whoever uses TLS at a port that does not. */
function tlsAdvice(bound: Bound, names: readonly SecureName[]): string {
  const ports = names.flatMap((name) => (bound[name] === undefined ? [] : [`${bound[name].port} (listeners.${name})`]))
  if (ports.length > 0) return `connect to port ${ports.join(' or ')} instead, or without TLS`
  return `connect without TLS, or enable ${names.map((name) => `listeners.${name}`).join(' or ')}`
}

function optionsOf(key: ListenerName, config: ListenerConfig): ListenerOptions {
  return { key, host: config.host, port: config.port, ...toListenerSettings(config) }
}

function secureOptionsOf(name: ListenerName, tls: TlsConfig, certificates: Certificates, alpn?: string): TlsSettings {
  return {
    certificate: certificates.for(name),
    clientCertificates: tls.clientCertificate,
    minVersion: tls.minVersion,
    alpnProtocols: alpn === undefined ? [] : [alpn],
  }
}
