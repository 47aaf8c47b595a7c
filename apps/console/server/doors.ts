/**
 * Where calls come in: HTTP servers on ports and on the socket in the data directory, with their limits, before anything is loaded that answers
 * calls. What answers is made for the first call: a broker that nobody administers has none of it in its memory, and starts without waiting.
 */
import { chmod, rm } from 'node:fs/promises'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { Connections } from './connections.ts'
import {
  CALLS_PER_CONNECTION_MAX,
  CLOSE_GRACE_MS,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  KEEP_ALIVE_MS,
  TIMEOUT_CHECK_MS,
} from './limits.ts'
import type { ApiServerSettings, ServerClock, ServerTls } from './options.ts'
import { notLoadedAnswer, unreadableAnswer } from './problems.ts'

export interface DoorsOptions {
  readonly clock: ServerClock
  readonly settings: ApiServerSettings
  /** With it ports speak TLS only. */
  readonly tls: ServerTls | undefined
  /** Makes what answers calls. What it rejects with is told by `onFailed`, and the next call tries again. */
  readonly load: () => Promise<RequestListener>
  readonly onFailed: (error: unknown) => void
}

export interface PortAddress {
  readonly host: string
  readonly port: number
}

export class Doors {
  readonly #options: DoorsOptions
  readonly #servers: Server[] = []
  readonly #localSockets = new WeakSet<Socket>()
  readonly #connections: Connections
  #loading: Promise<RequestListener> | undefined = undefined
  #answer: RequestListener | undefined = undefined

  constructor(options: DoorsOptions) {
    this.#options = options
    this.#connections = new Connections(options.settings)
  }

  /** Port 0 lets the system choose. Rejects with the error of the system. */
  async listen({ host, port }: PortAddress): Promise<PortAddress> {
    const { tls, settings } = this.#options
    const server =
      tls === undefined
        ? createHttpServer(httpOptions(settings), this.#onCall)
        : createHttpsServer(
            { ...httpOptions(settings), ...contextOf(tls), handshakeTimeout: settings.headersTimeoutMs },
            this.#onCall,
          )
    server.on('connection', (socket: Socket) => this.#connections.add(socket))
    await this.#open(server, (listening) => server.listen({ host, port }, listening))
    const bound = server.address() as AddressInfo
    return { host: bound.address, port: bound.port }
  }

  /** Only its owner may open the socket, not even others between its making and a chmod. What was left at `path` is replaced. */
  async listenSocket(path: string): Promise<void> {
    const server = createHttpServer(httpOptions(this.#options.settings), this.#onCall)
    server.maxConnections = this.#options.settings.connectionsMax
    server.on('connection', (socket) => this.#localSockets.add(socket))
    await rm(path, { force: true }) // one that a process left that was killed
    await this.#open(server, (listening) => {
      const umask = process.umask(0o177)
      try {
        server.listen({ path }, listening)
      } finally {
        process.umask(umask) // a path is bound before `listen` returns
      }
    })
    await chmod(path, 0o600)
  }

  /** True for a connection over the socket in the data directory. */
  isLocal(socket: Socket): boolean {
    return this.#localSockets.has(socket)
  }

  /** The caller of a connection has shown who he is: it is not closed to make room for others while a call of his is under way. */
  keep(socket: Socket): void {
    if (!this.isLocal(socket)) this.#connections.keep(socket)
  }

  /** For TLS connections from now on. Throws the error of TLS; then those before stay. */
  useCertificate(tls: ServerTls): void {
    for (const server of this.#servers) if (server instanceof HttpsServer) server.setSecureContext(contextOf(tls))
  }

  /** No new calls; those under way have a moment to end, then their connections are cut. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const server of this.#servers) server.closeIdleConnections()
    const cancel = this.#options.clock.after(CLOSE_GRACE_MS, () => {
      for (const server of this.#servers) server.closeAllConnections()
    })
    await Promise.all(closed)
    cancel()
  }

  /** What answers, made if it is not there yet. */
  load(): Promise<RequestListener> {
    this.#loading ??= this.#options.load().then(
      (answer) => (this.#answer = answer),
      (error: unknown) => {
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }

  readonly #onCall = (request: IncomingMessage, response: ServerResponse): void => {
    if (!this.isLocal(request.socket)) this.#connections.begin(request.socket, response)
    if (this.#answer !== undefined) return this.#answer(request, response)
    this.load().then(
      (answer) => answer(request, response),
      (error: unknown) => {
        notLoadedAnswer(response)
        this.#options.onFailed(error)
      },
    )
  }

  async #open(server: Server, start: (listening: () => void) => void): Promise<void> {
    server.maxHeadersCount = HEADERS_MAX
    server.timeout = this.#options.settings.silenceMs
    server.maxRequestsPerSocket = CALLS_PER_CONNECTION_MAX
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (socket.writable) socket.end(unreadableAnswer(error.code))
      else socket.destroy()
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      start(() => {
        server.off('error', reject)
        resolve()
      })
    })
    this.#servers.push(server)
  }
}

function httpOptions({ headersTimeoutMs, requestTimeoutMs }: ApiServerSettings): ServerOptions {
  return {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  }
}

function contextOf({ cert, key, minVersion }: ServerTls): SecureContextOptions {
  return { cert: Buffer.from(cert), key: Buffer.from(key), minVersion }
}
