/**
 * The admin API over HTTP: puts the parts together, listens on a port and on the socket in the data directory, and closes in good order. Loaded
 * only when a server is made.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { getLive, getReady } from '@ternmq/api'
import fastify, { type FastifyInstance } from 'fastify'
import { Binder } from './bind.ts'
import { Identifier } from './identity.ts'
import { parseJson } from './json-body.ts'
import {
  BODY_BYTES_MAX,
  CALLS_PER_CONNECTION_MAX,
  CLOSE_GRACE_MS,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  KEEP_ALIVE_MS,
  TIMEOUT_CHECK_MS,
} from './limits.ts'
import { type ApiServerOptions, type ApiServerSettings, DEFAULT_SETTINGS, type ServerTls } from './options.ts'
import { Pages } from './pages.ts'
import { addPlainRoutes, notFound } from './plain-routes.ts'
import { unreadableAnswer } from './problems.ts'
import { securityHeaders } from './security-headers.ts'
import { cookieNameFor, sessionCalls } from './session-calls.ts'
import { Sessions } from './sessions.ts'
import { Streams } from './streams.ts'

export interface ApiServer {
  /** For tests: `inject` makes calls without a socket. */
  readonly app: FastifyInstance
  /** Calls whose handler is at work. */
  readonly callCount: number
  readonly streamCount: number
  readonly sessionCount: number
  /** Port 0 lets the system choose. Rejects with the error of the system. */
  listen(at: {
    readonly host: string
    readonly port: number
  }): Promise<{ readonly host: string; readonly port: number }>
  /** Whoever may open the socket is an administrator: only its owner may. What was left at `path` is replaced. */
  listenSocket(path: string): Promise<void>
  /** For TLS connections from now on. Throws the error of TLS; then those before stay. */
  useCertificate(tls: ServerTls): void
  /** Ends streams and waiting calls, gives the others a second, and cuts what is left. */
  close(): Promise<void>
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

/** Calls that must answer where no path prefix of ours is known, too. */
const ALSO_AT_ROOT: ReadonlyMap<string, string> = new Map([
  [getLive.id, getLive.path],
  [getReady.id, getReady.path],
])

const BASE_PATH = /^(?:\/[\w~-][\w.~-]*)*$/

/** Rejects with RangeError for settings that cannot be. */
export async function makeApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const server = new HttpApiServer(options)
  await server.app.ready()
  return server
}

class HttpApiServer implements ApiServer {
  readonly app: FastifyInstance
  readonly #options: ApiServerOptions
  readonly #settings: ApiServerSettings
  readonly #sessions: Sessions
  readonly #streams: Streams
  readonly #binder: Binder
  readonly #localSockets = new WeakSet<Socket>()
  readonly #servers: Server[] = []
  #listener: RequestListener = () => {}

  constructor(options: ApiServerOptions) {
    this.#options = options
    const settings = (this.#settings = { ...DEFAULT_SETTINGS, ...options.settings })
    const { clock, accounts, tokens, login, audit } = options
    const isSecure = options.tls !== undefined || settings.origins.some((origin) => origin.startsWith('https:'))
    const cookieName = cookieNameFor(isSecure)
    this.#streams = new Streams(clock)
    this.#sessions = new Sessions({
      clock,
      accounts,
      idleMs: settings.sessionIdleMs,
      lifetimeMs: settings.sessionMaxMs,
    })
    const { origins, basePath } = settings
    if (!BASE_PATH.test(basePath))
      throw new RangeError(`base path '${basePath}' is not empty and not like /ternmq, without a / at its end`)
    const identifier = new Identifier({ login, accounts, tokens, sessions: this.#sessions, origins, cookieName })
    const headers = securityHeaders(options.tls !== undefined)
    this.#binder = new Binder({
      identifier,
      streams: this.#streams,
      audit,
      headers,
      origins,
      isLocal: (request) => this.#localSockets.has(request.raw.socket),
      onFailure: (failure) => options.onFailure(failure),
    })
    this.app = this.#makeApp()
    const own = sessionCalls({ identifier, sessions: this.#sessions, accounts, cookieName, isSecure })
    this.app.register((app, _, done) => {
      for (const bound of [...own, ...options.handlers]) {
        this.#binder.add(app, bound)
        const alsoAt = ALSO_AT_ROOT.get(bound.route.id)
        if (alsoAt !== undefined) this.#binder.add(app, bound, alsoAt)
      }
      addPlainRoutes(app, {
        binder: this.#binder,
        headers,
        pages: new Pages(options.pagesDir, basePath),
        basePath,
        version: options.version,
        cookieName,
        metrics: options.metrics,
        metricsOpenOnLoopback: settings.metricsOpenOnLoopback,
      })
      done()
    }, prefixOf(basePath))
  }

  get callCount(): number {
    return this.#binder.callCount
  }

  get streamCount(): number {
    return this.#streams.count
  }

  get sessionCount(): number {
    return this.#sessions.count
  }

  async listen(at: {
    readonly host: string
    readonly port: number
  }): Promise<{ readonly host: string; readonly port: number }> {
    const { tls } = this.#options
    const server =
      tls === undefined
        ? createHttpServer(httpOptions(this.#settings), this.#listener)
        : createHttpsServer({ ...httpOptions(this.#settings), ...contextOf(tls) }, this.#listener)
    await this.#open(server, { host: at.host, port: at.port })
    const { address, port } = server.address() as AddressInfo
    return { host: address, port }
  }

  async listenSocket(path: string): Promise<void> {
    const server = createHttpServer(httpOptions(this.#settings), this.#listener)
    server.on('connection', (socket) => this.#localSockets.add(socket))
    await rm(path, { force: true }) // one that a process left that was killed
    await this.#open(server, { path })
    await chmod(path, 0o600)
  }

  useCertificate(tls: ServerTls): void {
    for (const server of this.#servers) if (server instanceof HttpsServer) server.setSecureContext(contextOf(tls))
  }

  async close(): Promise<void> {
    this.#binder.abortAll()
    this.#streams.endAll()
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())))
    for (const server of this.#servers) server.closeIdleConnections()
    const cancel = this.#options.clock.after(CLOSE_GRACE_MS, () => {
      for (const server of this.#servers) server.closeAllConnections()
    })
    await Promise.all(closed)
    cancel()
    this.#sessions.close()
    await this.app.close()
  }

  async #open(
    server: Server,
    at: { readonly host: string; readonly port: number } | { readonly path: string },
  ): Promise<void> {
    server.maxHeadersCount = HEADERS_MAX
    server.maxConnections = this.#settings.connectionsMax
    server.maxRequestsPerSocket = CALLS_PER_CONNECTION_MAX
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (socket.writable) socket.end(unreadableAnswer(error.code))
      else socket.destroy()
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(at, () => {
        server.off('error', reject)
        resolve()
      })
    })
    this.#servers.push(server)
  }

  #makeApp(): FastifyInstance {
    const { trustedProxies } = this.#settings
    const app = fastify({
      bodyLimit: BODY_BYTES_MAX,
      exposeHeadRoutes: false,
      forceCloseConnections: false,
      trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
      routerOptions: { maxParamLength: HEADER_BYTES_MAX, caseSensitive: true },
      frameworkErrors: (error, request, reply) => this.#binder.refuse(error, request, reply),
      // Calls are checked by us: without this its own validators are loaded, which takes longer than all the rest.
      schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
      // Its own server is never opened: we have several.
      serverFactory: (handler) => {
        this.#listener = handler
        return createHttpServer()
      },
    })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson)
    app.setErrorHandler((error, request, reply) => this.#binder.refuse(error, request, reply))
    app.setNotFoundHandler((request, reply) => this.#binder.refuse(notFound(request), request, reply))
    return app
  }
}

/** No route has a schema of the library. */
function noCompiler(): never {
  throw new Error('routes are checked by validation.ts, not by the library')
}

function prefixOf(basePath: string): { readonly prefix?: string } {
  return basePath === '' ? {} : { prefix: basePath }
}

function contextOf({ cert, key, minVersion }: ServerTls): SecureContextOptions {
  return { cert: Buffer.from(cert), key: Buffer.from(key), minVersion }
}
