/**
 * The console alone: the pages from this machine, and every call handed on to a broker elsewhere. It has no login, no token and no data of its
 * own: who may do what is the broker's to say, as if the call had come to it.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { UrlTarget } from '@ternmq/api/client-http'
import { isLoopback } from '@ternmq/config'
import { ApiError } from '@ternmq/management'
import { withSlash } from '../base-path.ts'
import { isOwnName, isSameHost } from '../csrf.ts'
import { Doors, type PortAddress } from '../doors.ts'
import { REMOTE_CONNECTIONS_MAX } from '../limits.ts'
import { type ApiServerSettings, DEFAULT_SETTINGS, type ServerClock, type ServerTls } from '../options.ts'
import { Pages } from '../pages.ts'
import { securityHeaders, type SecurityHeaders } from '../security-headers.ts'
import { Forwarder } from './forwarder.ts'
import { answerProblem } from './refusal.ts'
import { placeOf } from './targets.ts'

/** What a broker's own console has for a proxy in front of it. */
export type ProxySettings = Pick<ApiServerSettings, 'basePath' | 'origins' | 'trustedProxies'>

export interface RemoteConsoleOptions {
  readonly broker: UrlTarget
  readonly pagesDir: string
  /** Of the pages. */
  readonly version: string
  /** With it the pages are served over TLS only. */
  readonly tls?: ServerTls | undefined
  /** Of a proxy in front, if there is one. */
  readonly settings?: Partial<ProxySettings> | undefined
  readonly clock: ServerClock
  /** Why the broker cannot be reached and what to do, in a sentence. */
  readonly lossText: (error: Error) => string
  /** Undefined when it answers again; called when that changes. */
  readonly onLoss: (text: string | undefined) => void
  /** A failure of ours, for the log. */
  readonly onFailure: (error: unknown) => void
}

export class RemoteConsole {
  readonly #options: RemoteConsoleOptions
  readonly #doors: Doors
  readonly #forwarder: Forwarder
  readonly #pages: Pages
  readonly #headers: SecurityHeaders
  readonly #basePath: string
  readonly #origins: readonly string[]
  #isLoopbackOnly = true

  /** Listens nowhere yet. Throws TypeError for the address of a broker that is none. */
  constructor(options: RemoteConsoleOptions) {
    const { broker, pagesDir, version, tls, clock, lossText, onLoss } = options
    const { basePath, origins, trustedProxies } = { ...DEFAULT_SETTINGS, ...options.settings }
    this.#options = options
    this.#basePath = basePath
    this.#origins = origins
    this.#headers = securityHeaders(tls !== undefined)
    this.#forwarder = new Forwarder({
      broker,
      isTls: tls !== undefined || origins.some((origin) => origin.startsWith('https:')),
      origins,
      trustedProxies,
      headers: this.#headers.ofData,
      lossText,
      onLoss,
      onLetIn: (socket) => this.#doors.keep(socket),
    })
    this.#pages = new Pages(pagesDir, { basePath, version, brokerUrl: broker.url })
    this.#doors = new Doors({
      clock,
      settings: {
        ...DEFAULT_SETTINGS,
        connectionsMax: REMOTE_CONNECTIONS_MAX,
        connectionsPerAddressMax: REMOTE_CONNECTIONS_MAX,
      },
      tls,
      load: () => Promise.resolve(this.#onCall),
      onFailed: options.onFailure,
    })
  }

  /** Port 0 lets the system choose. Rejects with the error of the system. */
  async listen(at: PortAddress): Promise<PortAddress> {
    this.#isLoopbackOnly = isLoopback(at.host)
    return this.#doors.listen(at)
  }

  /** Whether the broker answers: `onLoss` is told when it does not. */
  look(): Promise<void> {
    return this.#forwarder.look()
  }

  /** For TLS connections from now on. Throws the error of TLS; then those before stay. */
  useCertificate(tls: ServerTls): void {
    this.#doors.useCertificate(tls)
  }

  /** Ends every call and stream. */
  async close(): Promise<void> {
    this.#forwarder.close()
    await this.#doors.close()
  }

  readonly #onCall: RequestListener = (request, response) => {
    this.#handle(request, response).catch((error: unknown) => {
      if (!(error instanceof ApiError)) this.#options.onFailure(error)
      if (response.headersSent) response.destroy()
      else answerProblem(response, error, this.#headers.ofData)
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    this.#checkHost(headers.host)
    if (this.#basePath !== '' && url.split('?', 1)[0] === this.#basePath) {
      const location = withSlash(this.#basePath, url)
      response.writeHead(308, { ...this.#headers.ofData, location }).end()
      return
    }
    const place = placeOf(below(this.#basePath, url))
    if (place.kind === 'broker') return this.#forwarder.handOn(request, response, place.target)
    if (method !== 'GET' && method !== 'HEAD')
      throw new ApiError('ROUTE_UNKNOWN', `a page is not changed by ${method}; calls are below /api/v1`)
    const answer = await this.#pages.answer({
      path: place.path,
      acceptEncoding: [headers['accept-encoding']].join(),
      ifNoneMatch: headers['if-none-match'],
    })
    response.writeHead(answer.status, { ...this.#headers.ofPages, ...answer.headers }).end(answer.body)
  }

  #checkHost(host: string | undefined): void {
    if (!this.#isLoopbackOnly || isOwnName(host) || this.#origins.some((origin) => isSameHost(origin, host))) return
    throw new ApiError(
      'CSRF',
      `this console is for its own machine only, and not for '${host ?? ''}': open it as localhost, or name the origin that a proxy in front gives it (--origins)`,
    )
  }
}

/** The path as it is without a proxy. Throws ApiError('ROUTE_UNKNOWN') for one that is beside the base path. */
function below(basePath: string, url: string): string {
  if (url.startsWith(`${basePath}/`)) return url.slice(basePath.length)
  if (basePath === '') return url
  throw new ApiError('ROUTE_UNKNOWN', `there is nothing at this path; the console is below ${basePath}/`)
}
