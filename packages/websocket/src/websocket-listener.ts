/**
 * The WebSocket listener, plain or over TLS: an HTTP server that knows one thing, the upgrade. Any path; the sub-protocol says
 * what is spoken, and decides which adapter gets the connection; without one the first bytes do. [ADR-0010]
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { type Clock, type PeerInfo, type ServedProtocol, TimerWheel } from '@ternmq/core'
import {
  Acceptor,
  adopt,
  type BoundAddress,
  closeReason,
  HANDSHAKE_MS,
  Handshakes,
  type Listener,
  type ListenerContext,
  type ListenerOptions,
  type ListenerSettings,
  type ListenerStats,
  type PeerFault,
  ProtocolChooser,
  type SecureListener,
  type ServerCertificate,
  TlsAcceptor,
  type TlsListenerOptions,
  TransportSet,
} from '@ternmq/transport'
import { type WebSocket, WebSocketServer } from 'ws'

import { type AllowedOrigin, isOriginAllowed } from './origins.ts'
import { type WebSocketOwner, WEBSOCKET_READING, WebSocketTransport } from './websocket-transport.ts'

// Not by `import`: that reads every export of the module, `fetch` and `WebSocket` too, and so loads an HTTP client of 12 MiB.
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')

export interface WebSocketSettings {
  /** The preferred one first. A client that offers only names that none of them has is refused. */
  readonly protocols: readonly ServedProtocol[]
  /** Largest message in bytes; a larger one closes the connection with 1009. */
  readonly maxMessageBytes: number
  /** Web pages that may connect. */
  readonly allowedOrigins: readonly AllowedOrigin[]
  /** Time between pings, in ms; a peer that leaves two without any sign of life is destroyed. */
  readonly pingMs?: number
}

export type WebSocketListenerOptions = ListenerOptions & WebSocketSettings
export type SecureWebSocketListenerOptions = TlsListenerOptions & WebSocketSettings

/** What may change while a WebSocket listener runs. */
export interface WebSocketListenerSettings extends ListenerSettings {
  readonly allowedOrigins: readonly AllowedOrigin[]
  /** Holds for connections from now on. */
  readonly maxMessageBytes: number
  /** Holds from the next ping of each connection on. */
  readonly pingMs: number
}

/** A listener with settings of its own that may change. */
export interface LiveWebSocketListener extends Listener {
  use(settings: Partial<WebSocketListenerSettings>): void
}

/** Shorter than the minute after which home routers forget a quiet connection. */
const PING_MS = 30_000

/** Pings need no precision. */
const WHEEL_TICK_MS = 1_000

/** A request line and headers; no honest upgrade comes near it. */
const MAX_HEADER_BYTES = 16 * 1024

const NO_BYTES = Buffer.alloc(0)

/** Where sockets come from: TCP, or TLS on it. */
interface Source {
  readonly stats: ListenerStats
  use(settings: Partial<ListenerSettings>): void
  start(): Promise<BoundAddress>
  stopAccepting(): void
  /** Undefined: it is counted, and told nobody. */
  handshakeFailed(address: string, text: string | undefined): void
  notServed(fault: PeerFault, address: string, text: string): void
}

class WebSocketListener implements LiveWebSocketListener, WebSocketOwner {
  readonly key: string
  readonly clock: Clock
  readonly wheel: TimerWheel
  pingMs: number
  maxMessageBytes: number
  #settings: WebSocketSettings
  readonly #protocolByName: ReadonlyMap<string, ServedProtocol>
  readonly #context: ListenerContext
  readonly #source: Source
  readonly #http: Server
  readonly #upgrader: WebSocketServer
  readonly #upgrades: Handshakes<Duplex, PeerInfo>
  readonly #chooser: ProtocolChooser
  readonly #transports = new TransportSet<WebSocketTransport>()

  constructor(
    options: WebSocketListenerOptions,
    context: ListenerContext,
    createSource: (admit: (socket: Socket, peer: PeerInfo) => void) => Source,
  ) {
    this.key = options.key
    this.clock = context.env.clock
    this.wheel = new TimerWheel(this.clock, WHEEL_TICK_MS)
    this.pingMs = options.pingMs ?? PING_MS
    this.maxMessageBytes = options.maxMessageBytes
    this.#settings = options
    this.#protocolByName = new Map(
      options.protocols.flatMap((protocol) => protocol.websocketSubprotocols.map((name) => [name, protocol] as const)),
    )
    this.#context = context
    const limitMs = options.handshakeMs ?? HANDSHAKE_MS
    this.#upgrades = new Handshakes(this.clock, limitMs, ({ address }, usedMs) => {
      this.#source.handshakeFailed(address, `the peer did not finish the WebSocket upgrade within ${usedMs} ms`)
    })
    this.#chooser = new ProtocolChooser({
      listener: options.key,
      clock: this.clock,
      protocols: options.protocols,
      limitMs,
      httpAdvice: () => '',
      notServed: (fault, address, text) => this.#source.notServed(fault, address, text),
    })
    this.#upgrader = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false, // the transport knows whether the peer reads
      handleProtocols: (offered) => this.#choose(offered),
    })
    this.#upgrader.on('wsClientError', (error, socket) => this.#refuse(socket, 400, error.message))
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES })
    this.#http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    )
    this.#http.on('request', (request, response) => {
      this.#upgrades.finish(request.socket)
      const text = `This port speaks ${this.#protocolNames()} over WebSocket.\n`
      response.writeHead(426, { connection: 'close, upgrade', upgrade: 'websocket', 'content-type': 'text/plain' })
      response.end(text)
    })
    this.#http.on('clientError', (error, socket) =>
      this.#refuse(socket, 400, `not an HTTP request: ${closeReason(error)}`),
    )
    this.#source = createSource((socket, peer) => this.#admit(socket, peer))
  }

  get stats(): ListenerStats {
    return this.#source.stats
  }

  start(): Promise<BoundAddress> {
    return this.#source.start()
  }

  use(settings: Partial<WebSocketListenerSettings>): void {
    const { allowedOrigins = this.#settings.allowedOrigins, maxMessageBytes, pingMs, ...rest } = settings
    this.#settings = { ...this.#settings, allowedOrigins }
    this.maxMessageBytes = maxMessageBytes ?? this.maxMessageBytes
    this.pingMs = pingMs ?? this.pingMs
    this.#source.use(rest)
    if (rest.handshakeMs === undefined) return
    this.#upgrades.limitMs = rest.handshakeMs
    this.#chooser.limitMs = rest.handshakeMs
  }

  stopAccepting(): void {
    this.#source.stopAccepting()
    this.#upgrades.destroyAll()
    this.#chooser.destroyUndecided()
  }

  async close(reason: string): Promise<void> {
    this.#source.stopAccepting()
    this.#upgrades.destroyAll()
    for (const transport of this.#transports) transport.abandon(reason)
    await this.#transports.destroyAll(reason)
    this.wheel.close()
  }

  transportClosed(transport: WebSocketTransport): void {
    this.#transports.delete(transport)
  }

  #admit(socket: Socket, peer: PeerInfo): void {
    socket.on('close', () => {
      if (this.#upgrades.finish(socket) === undefined) return
      // Who connects and says nothing looks whether the port is open.
      const text = socket.bytesRead === 0 ? undefined : 'the peer closed before the WebSocket upgrade'
      this.#source.handshakeFailed(peer.address, text)
    })
    this.#upgrades.begin(socket, peer)
    this.#http.emit('connection', socket)
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { origin } = request.headers
    if (!isOriginAllowed(origin, this.#settings.allowedOrigins)) {
      this.#refuse(
        socket,
        403,
        `pages of ${origin} may not connect: listeners.${this.key}.allowedOrigins does not name them`,
      )
      return
    }
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim())
    if (offered !== undefined && this.#choose(offered) === false) {
      const rule = `Sec-WebSocket-Protocol must offer ${this.#protocolNames()}, or be left out`
      this.#refuse(socket, 400, `${rule}; it offered ${offered.join(', ')}`)
      return
    }
    this.#upgrader.handleUpgrade(request, socket, NO_BYTES, (ws) => this.#upgraded(ws, socket, head))
  }

  /** The first of our names that the client offers, so "mqtt" before its older form. [MQTT5-6.0.0-4] [MQTT311-6.0.0-4] */
  #choose(offered: Iterable<string>): string | false {
    const names = new Set(offered)
    for (const name of this.#protocolByName.keys()) if (names.has(name)) return name
    return false
  }

  /** `head` are frames that came with the request. */
  #upgraded(ws: WebSocket, socket: Socket, head: Buffer): void {
    const peer = this.#upgrades.finish(socket)
    if (peer === undefined) {
      ws.terminate() // given up in this very turn
      return
    }
    const transport = new WebSocketTransport(ws, socket, peer, this.#context.outbox, this)
    this.#transports.add(transport)
    const protocol = this.#protocolByName.get(ws.protocol)
    if (protocol === undefined) this.#chooser.begin(transport)
    else transport.choose(protocol)
    if (head.length > 0) transport.receive(head, true)
  }

  /** Answers with a sentence, counts, closes. */
  #refuse(socket: Duplex, status: number, text: string): void {
    const peer = this.#upgrades.finish(socket)
    if (peer !== undefined) this.#source.handshakeFailed(peer.address, `WebSocket upgrade refused: ${text}`)
    if (!socket.writable) {
      socket.destroy()
      return
    }
    const body = `${text}\n`
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    socket.once('finish', () => socket.destroy())
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  }

  #protocolNames(): string {
    return [...this.#protocolByName.keys()].join(' or ')
  }
}

/** `setCertificate` on top of the plain one. */
class SecureWebSocketListener extends WebSocketListener implements SecureListener {
  readonly #acceptor: TlsAcceptor

  constructor(options: SecureWebSocketListenerOptions, context: ListenerContext) {
    let acceptor: TlsAcceptor | undefined = undefined
    super(options, context, (admit) => {
      acceptor = new TlsAcceptor(options, context, (socket, address, port, tls) => {
        admit(socket, { listener: options.key, address, port, isWebSocket: true, tls })
      })
      return acceptor
    })
    this.#acceptor = acceptor as unknown as TlsAcceptor
  }

  override async close(reason: string): Promise<void> {
    this.#acceptor.stopAccepting()
    this.#acceptor.destroyUnfinished()
    await super.close(reason)
  }

  setCertificate(certificate: ServerCertificate): void {
    this.#acceptor.setCertificate(certificate)
  }
}

/** A listener for WebSocket without TLS. */
export function createWebSocketListener(
  options: WebSocketListenerOptions,
  context: ListenerContext,
): LiveWebSocketListener {
  return new WebSocketListener(options, context, (admit) => {
    const acceptor: Acceptor = new Acceptor(options, context, true, (accepted, address, port) => {
      const socket = adopt(accepted, WEBSOCKET_READING)
      socket.on('close', () => acceptor.release(address))
      admit(socket, { listener: options.key, address, port, isWebSocket: true })
    })
    return acceptor
  })
}

/** A listener for WebSocket over TLS. */
export function createSecureWebSocketListener(
  options: SecureWebSocketListenerOptions,
  context: ListenerContext,
): SecureListener & LiveWebSocketListener {
  return new SecureWebSocketListener(options, context)
}
