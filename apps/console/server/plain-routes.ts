/** What is served beside the calls of the API: its description, numbers for Prometheus, and the pages. */
import { API_ROOT, type AnyRoute } from '@ternmq/api'
import { routes } from '@ternmq/api/schemas'
import { isLoopback } from '@ternmq/config'
import { ApiError } from '@ternmq/management'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { withSlash } from './base-path.ts'
import type { Binder } from './bind.ts'
import { isOwnName } from './csrf.ts'
import type { Pages } from './pages.ts'
import type { SecurityHeaders } from './security-headers.ts'

export interface PlainRoutesOptions {
  readonly binder: Binder
  readonly headers: SecurityHeaders
  readonly pages: Pages
  readonly basePath: string
  readonly version: string
  readonly cookieName: string
  readonly metrics: (() => string | Promise<string>) | undefined
  readonly metricsOpenOnLoopback: boolean
}

/** It is asked for by Prometheus, at its usual place. */
const METRICS: AnyRoute = {
  id: 'metrics.get',
  method: 'GET',
  path: '/metrics',
  tag: 'health',
  needs: 'read',
  summary: 'Numbers for Prometheus.',
}

/** Of text in the exposition format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Places that are no pages, whether something is there or not. */
const NO_PAGES = /^\/(?:api|metrics|health)(?:\/|$)/

export function addPlainRoutes(app: FastifyInstance, options: PlainRoutesOptions): void {
  const { binder, headers, pages, basePath, metrics } = options
  let document: Promise<string> | undefined
  app.get(`${API_ROOT}/openapi.json`, async (_, reply) => {
    document ??= describe(options)
    return reply
      .headers(headers.ofData)
      .type('application/json; charset=utf-8')
      .send(await document)
  })
  if (metrics !== undefined) {
    app.get(METRICS.path, {
      onRequest: (request) => (isOpen(request, options) ? Promise.resolve() : binder.admit(request, METRICS)),
      handler: async (_, reply) =>
        reply
          .headers(headers.ofData)
          .header('content-type', METRICS_TYPE)
          .send(await metrics()),
    })
  }
  if (basePath !== '') {
    app.get('/', { prefixTrailingSlash: 'no-slash' }, ({ url }, reply) =>
      reply.headers(headers.ofData).redirect(withSlash(basePath, url), 308),
    )
  }
  app.get('/*', { exposeHeadRoute: true }, async (request, reply) => {
    const path = `/${(request.params as { readonly '*': string })['*']}`
    if (NO_PAGES.test(path)) throw notFound(request)
    const answer = await pages.answer({
      path,
      acceptEncoding: request.headers['accept-encoding'],
      ifNoneMatch: request.headers['if-none-match'],
    })
    return reply
      .code(answer.status)
      .headers({ ...headers.ofPages, ...answer.headers })
      .send(answer.body)
  })
}

export function notFound({ method }: Pick<FastifyRequest, 'method'>): ApiError {
  return new ApiError('ROUTE_UNKNOWN', `there is no ${method} of this path; ${API_ROOT}/openapi.json has all calls`)
}

/** Loaded when somebody asks. */
async function describe({ version, basePath, cookieName }: PlainRoutesOptions): Promise<string> {
  const { openApiDocument } = await import('./openapi.ts')
  return JSON.stringify(openApiDocument(routes, { version, basePath, cookieName }))
}

/** A proxy on this machine asks from here too, for others: it says so. So may a page elsewhere whose name leads here. */
function isOpen({ raw, headers }: FastifyRequest, { metricsOpenOnLoopback }: PlainRoutesOptions): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  return metricsOpenOnLoopback && !isForwarded && isLoopback(raw.socket.remoteAddress ?? '') && isOwnName(headers.host)
}
