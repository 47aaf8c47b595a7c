/**
 * Makes a route of the HTTP library of a call and what does it. In this order: who calls, whether he may, what he sent, whether he still may, the
 * handler, the answer. Nothing of a body is read before its caller is known to be allowed.
 */
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { API_ROOT, type AnyRoute, type Call, PROBLEM_CONTENT_TYPE } from '@ternmq/api'
import { schemasOf } from '@ternmq/api/schemas'
import {
  ApiError,
  type ApiRequest,
  type Bound,
  checkStillIn,
  type Handler,
  type TraceHeaders,
} from '@ternmq/management'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuditTrail } from './audit-trail.ts'
import { Bodies } from './bodies.ts'
import { checkOrigin } from './csrf.ts'
import { type Identifier, type Identity, LoginRefused } from './identity.ts'
import { inTurns, isLong, jsonPieces } from './json-pieces.ts'
import type { Audit, Failure, ServerClock } from './options.ts'
import { refusalOf } from './problems.ts'
import type { SecurityHeaders } from './security-headers.ts'
import type { Streams } from './streams.ts'
import type { UnderWay } from './under-way.ts'
import { piecewiseValidatorFor } from './validation-pieces.ts'

/** A call of the login: it sets cookies. */
export interface OwnCall {
  readonly kind: 'own'
  readonly route: AnyRoute
  handle(call: OwnRequest): unknown
}

export interface OwnRequest {
  readonly body: unknown
  readonly identity: Identity | undefined
  readonly headers: FastifyRequest['headers']
  readonly address: string
  readonly trail: AuditTrail
  readonly setCookie: (text: string) => void
}

export interface BinderOptions {
  readonly identifier: Identifier
  readonly streams: Streams
  readonly underWay: UnderWay
  readonly audit: Audit
  readonly headers: SecurityHeaders
  readonly origins: readonly string[]
  readonly isLocal: (request: FastifyRequest) => boolean
  /** Called for a connection whose caller has shown who he is. */
  readonly onKnown: (socket: Socket) => void
  readonly clock: Pick<ServerClock, 'after'>
  /** Resolves in a later turn. */
  readonly pause: () => Promise<void>
  readonly onFailure: (failure: Failure) => void
}

export class Binder {
  readonly #options: BinderOptions
  readonly #trails = new WeakMap<FastifyRequest, AuditTrail>()
  readonly #bodies: Bodies

  constructor(options: BinderOptions) {
    this.#options = options
    this.#bodies = new Bodies(options)
  }

  /** `url` where the call is not below the root of the API. */
  add(app: FastifyInstance, bound: Bound | OwnCall, url: string = urlOf(bound.route)): void {
    const { route } = bound
    const validate = piecewiseValidatorFor(schemasOf(route), this.#options.pause)
    app.route({
      method: route.method,
      url,
      exposeHeadRoute: route.tag === 'health', // some balancers ask so
      onRequest: (request) => this.admit(request, route),
      handler: async (request, reply) => {
        const trail = this.#trailOf(request, route)
        trail.about(request.params as object)
        const parts = await validate(request.params, request.query, request.body)
        const identity = trail.identity ?? anonymous(addressOf(request))
        checkStillIn(identity)
        if (bound.kind === 'own') return this.#answerOwn(bound, request, reply, trail)
        // Whoever waits for something hears when its caller has gone, or is not let in any more.
        const underWay = this.#options.underWay.begin(identity)
        reply.raw.once('close', () => {
          underWay.end()
          if (!reply.raw.writableFinished) underWay.abort()
        })
        const { signal } = underWay
        const call: ApiRequest<Call> = {
          ...parts,
          caller: identity,
          signal,
          trace: traceOf(request),
          note: (detail) => trail.note(detail),
        }
        if (bound.kind === 'call') return this.#answer(route, bound.handler, call, reply, trail)
        this.#options.streams.checkRoom(identity)
        await this.#options.streams.serve(reply.raw, this.#options.headers.ofData, { identity, signal }, (sink) =>
          bound.handler({ ...call, lastEventId: lastEventIdOf(request) }, sink),
        )
        return reply.hijack()
      },
    })
  }

  /** What is in the body of a call that `admit` let in. Rejects with ApiError. */
  readBody(request: FastifyRequest, payload: Readable): Promise<unknown> {
    const trail = this.#trails.get(request)
    if (trail === undefined) throw new Error('a body is read of a call that nobody let in')
    const said = request.headers['content-length']
    return this.#bodies.read(
      payload,
      trail.route,
      trail.identity?.user ?? '',
      said === undefined ? undefined : Number(said),
    )
  }

  /** Answers what was thrown, by us or by the library. */
  refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { problem, headers, failureId } = refusalOf(error)
    const trail = this.#trails.get(request)
    if (failureId !== undefined) {
      const { url = '' } = request.routeOptions
      this.#options.onFailure({ id: failureId, action: trail?.action ?? `${request.method} ${url}`, error })
    }
    if (error instanceof LoginRefused) trail?.loginOf(error.user)
    trail?.tell(failureId === undefined && problem.status < 500 ? 'refused' : 'failed', problem.detail)
    void reply
      .code(problem.status)
      .headers({ ...this.#options.headers.ofData, ...headers })
      .type(PROBLEM_CONTENT_TYPE)
      .send(JSON.stringify(problem))
  }

  /** Who calls, and whether he may. Rejects with ApiError. */
  async admit(request: FastifyRequest, route: AnyRoute): Promise<void> {
    const { identifier, isLocal, origins } = this.#options
    const trail = this.#trailOf(request, route)
    if (route.needs === 'nobody') {
      // A page of others must not log our users in as somebody else.
      if (route.method !== 'GET') checkOrigin(request.headers, origins)
      return
    }
    const { headers, method } = request
    const address = addressOf(request)
    const identity = await identifier.identify({ headers, method, address, isLocal: isLocal(request) })
    if (identity === undefined)
      throw new ApiError(
        'NOT_LOGGED_IN',
        'this call needs a login: a token, name and password, or the cookie of a browser',
      )
    trail.identity = identity
    this.#options.onKnown(request.raw.socket)
    const { needs } = route
    if (needs !== 'user' && !identity.scopes.has(needs)) {
      const has = [...identity.scopes].join(', ')
      throw new ApiError(
        'NOT_ALLOWED',
        `this call needs the scope '${needs}'; user '${identity.user}' has ${has === '' ? 'none' : has} here`,
      )
    }
  }

  async #answer(
    route: AnyRoute,
    handler: Handler<Call>,
    call: ApiRequest<Call>,
    reply: FastifyReply,
    trail: AuditTrail,
  ): Promise<FastifyReply> {
    const answer = await handler(call)
    trail.tell('done')
    return this.#send(route, answer, reply)
  }

  async #answerOwn(
    bound: OwnCall,
    request: FastifyRequest,
    reply: FastifyReply,
    trail: AuditTrail,
  ): Promise<FastifyReply> {
    const answer = await bound.handle({
      body: request.body,
      identity: trail.identity,
      headers: request.headers,
      address: addressOf(request),
      trail,
      setCookie: (text) => void reply.header('set-cookie', text),
    })
    trail.tell('done')
    return this.#send(bound.route, answer, reply)
  }

  #send({ status = 200, contentType, tag }: AnyRoute, answer: unknown, reply: FastifyReply): FastifyReply {
    void reply.headers(this.#options.headers.ofData)
    if (status === 204) return reply.code(204).send()
    if (answer instanceof Uint8Array) {
      return reply
        .code(status)
        .type(contentType ?? 'application/octet-stream')
        .header('content-disposition', 'attachment')
        .send(answer)
    }
    const isFailing = tag === 'health' && (answer as { readonly status?: unknown }).status === 'failing'
    return reply
      .code(isFailing ? 503 : status)
      .type('application/json; charset=utf-8')
      .send(isLong(answer) ? Readable.from(inTurns(jsonPieces(answer), this.#options.pause)) : JSON.stringify(answer))
  }

  #trailOf(request: FastifyRequest, route: AnyRoute): AuditTrail {
    let trail = this.#trails.get(request)
    if (trail === undefined) {
      trail = new AuditTrail(this.#options.audit, route, addressOf(request))
      this.#trails.set(request, trail)
    }
    return trail
  }
}

/** '' over a socket, which has none. */
function addressOf({ ip }: { readonly ip: string | undefined }): string {
  return ip ?? ''
}

function urlOf({ path }: AnyRoute): string {
  return API_ROOT + path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function anonymous(address: string): Identity {
  return {
    user: '',
    principal: { name: 'anonymous', anonymous: true },
    role: undefined,
    scopes: new Set(),
    by: 'token',
    address,
    isValid: () => true,
    mayGoOn: () => true,
  }
}

/** Of whoever makes the call; several parents would be none. */
function traceOf({ headers }: FastifyRequest): TraceHeaders | undefined {
  const { traceparent, tracestate } = headers
  if (typeof traceparent !== 'string') return undefined
  return { traceparent, tracestate: typeof tracestate === 'string' ? tracestate : undefined }
}

function lastEventIdOf({ headers }: FastifyRequest): number | undefined {
  const text = headers['last-event-id']
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
