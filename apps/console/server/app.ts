/** What answers calls of the admin API: puts its parts together. Loaded for the first call, and not before. */
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { getLive, getReady } from '@ternmq/api'
import { nextTurn } from '@ternmq/management'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Binder } from './bind.ts'
import type { Doors } from './doors.ts'
import { Identifier } from './identity.ts'
import { HEADER_BYTES_MAX } from './limits.ts'
import type { ApiServerOptions, ApiServerSettings } from './options.ts'
import { Pages } from './pages.ts'
import { addPlainRoutes, notFound } from './plain-routes.ts'
import { securityHeaders } from './security-headers.ts'
import { cookieNameFor, sessionCalls } from './session-calls.ts'
import { Sessions } from './sessions.ts'
import { Streams } from './streams.ts'
import { UnderWay } from './under-way.ts'

/** What answers calls, without a socket. */
export interface ApiApp {
  readonly app: FastifyInstance
  readonly answer: RequestListener
  /** Calls whose handler is at work. */
  readonly callCount: number
  readonly streamCount: number
  readonly sessionCount: number
  /** Ends streams and calls that wait. */
  endAll(): void
  close(): Promise<void>
}

/** Calls that must answer where no path prefix of ours is known, too. */
const ALSO_AT_ROOT: ReadonlyMap<string, string> = new Map([
  [getLive.id, getLive.path],
  [getReady.id, getReady.path],
])

/** Rejects with RangeError for a handler whose route has no schemas, or is there twice. */
export async function makeApiApp(
  options: ApiServerOptions,
  settings: ApiServerSettings,
  doors: Pick<Doors, 'isLocal' | 'keep'>,
): Promise<ApiApp> {
  const app = new FastifyApiApp(options, settings, doors)
  await app.app.ready()
  return app
}

class FastifyApiApp implements ApiApp {
  readonly app: FastifyInstance
  readonly #sessions: Sessions
  readonly #streams: Streams
  readonly #underWay: UnderWay
  readonly #binder: Binder
  answer: RequestListener = () => {}

  constructor(options: ApiServerOptions, settings: ApiServerSettings, doors: Pick<Doors, 'isLocal' | 'keep'>) {
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
    this.#underWay = new UnderWay({ clock, accounts, tokens, sessions: this.#sessions })
    const { origins, basePath } = settings
    const identifier = new Identifier({ login, accounts, tokens, sessions: this.#sessions, origins, cookieName })
    const headers = securityHeaders(options.tls !== undefined)
    this.#binder = new Binder({
      identifier,
      streams: this.#streams,
      underWay: this.#underWay,
      audit,
      headers,
      origins,
      isLocal: (request) => doors.isLocal(request.raw.socket),
      onKnown: (socket) => doors.keep(socket),
      clock,
      pause: () => nextTurn(clock),
      onFailure: (failure) => options.onFailure(failure),
    })
    this.app = this.#makeApp(settings, doors)
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
        pages: new Pages(options.pagesDir, { basePath, version: options.version }),
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
    return this.#underWay.count
  }

  get streamCount(): number {
    return this.#streams.count
  }

  get sessionCount(): number {
    return this.#sessions.count
  }

  endAll(): void {
    this.#underWay.abortAll()
    this.#streams.endAll()
  }

  async close(): Promise<void> {
    this.#underWay.close()
    this.#sessions.close()
    await this.app.close()
  }

  #makeApp({ trustedProxies, basePath }: ApiServerSettings, doors: Pick<Doors, 'isLocal'>): FastifyInstance {
    const app = fastify({
      exposeHeadRoutes: false,
      forceCloseConnections: false,
      trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
      routerOptions: { maxParamLength: HEADER_BYTES_MAX, caseSensitive: true },
      // No proxy stands before the socket that would add the path, and commands do not know it.
      rewriteUrl: ({ url = '/', socket }) =>
        doors.isLocal(socket) && !url.startsWith(`${basePath}/`) ? basePath + url : url,
      frameworkErrors: (error, request, reply) => this.#binder.refuse(error, request, reply),
      // Calls are checked by us: without this its own validators are loaded, which takes longer than all the rest.
      schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
      // Its own server is never opened: we have several.
      serverFactory: (handler) => {
        this.answer = handler
        return createHttpServer()
      },
    })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', (request: FastifyRequest, payload: IncomingMessage) =>
      this.#binder.readBody(request, payload),
    )
    // Before a body is read that no call wants.
    app.addHook('onRequest', (request, _, done) => (request.is404 ? done(notFound(request)) : done()))
    app.setErrorHandler((error, request, reply) => this.#binder.refuse(error, request, reply))
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
