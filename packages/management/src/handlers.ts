/**
 * How calls of the admin API meet what does them: a route and a function. The HTTP server binds what is here; so can a test, without a
 * socket. Whoever calls has been told apart and found allowed to make the call as `Route.needs` says; what he may do with single
 * destinations is asked in the handler.
 */
import type { AnyRoute, Call, Me, Role, Route, Scope } from '@ternmq/api'
import type { Principal } from '@ternmq/core'
import { ApiError } from './errors.ts'

/** Who makes a call. */
export interface Caller {
  readonly user: string
  readonly principal: Principal
  readonly role: Role | undefined
  readonly scopes: ReadonlySet<Scope>
  readonly by: Me['by']
  /** Remote address; '' over the socket in the data directory. */
  readonly address: string
  /** When his token ends, in Unix ms; left out where it does not, or he has none. */
  readonly expiresAtMs?: number | undefined
  /** Of that token. */
  readonly tokenId?: string | undefined
  /** Whether the same would still be let in, in the same role: asked again by whatever is done later than the call began. */
  isValid(): boolean
  /** Whether what he has begun may go on without him: as `isValid`, but he may have logged out. */
  mayGoOn(): boolean
}

/** Whoever was let in and begins something must not finish it once he is not any more. Throws ApiError('NOT_LOGGED_IN'). */
export function checkStillIn(caller: Pick<Caller, 'isValid'>): void {
  if (!caller.isValid()) throw loginEnded()
}

export function loginEnded(): ApiError {
  return new ApiError(
    'NOT_LOGGED_IN',
    'the login has ended, or its user has another role, since the call began; log in again',
  )
}

/** Trace context of W3C as the headers of a call have it. */
export interface TraceHeaders {
  readonly traceparent: string
  readonly tracestate: string | undefined
}

export interface ApiRequest<C extends Call> {
  readonly params: C['params']
  readonly query: C['query']
  readonly body: C['body']
  readonly caller: Caller
  /** Aborts when the caller has gone, and, with an ApiError as its reason, when he would not be let in any more. */
  readonly signal: AbortSignal
  /** The trace that the call belongs to; left out where its headers name none. */
  readonly trace?: TraceHeaders | undefined
  /** What the audit log says of a change, beside who made which call with which parameters: 'purged 12 messages'. No secrets. */
  note(this: void, detail: string): void
}

export type Handler<C extends Call> = (request: ApiRequest<C>) => C['answer'] | Promise<C['answer']>

/** Where a stream of server-sent events goes. */
export interface EventSink {
  /** False while the caller reads slower than events come: leave out what can be left out. */
  readonly writable: boolean
  /** `data` becomes JSON. */
  send(event: string, data: unknown, id?: number): void
  /** Ends the stream; the caller may begin another one. */
  end(): void
}

/** Begins to send; what it gives back is called once, when the stream has ended by either side. */
export type StreamHandler<C extends Call> = (
  request: ApiRequest<C> & { readonly lastEventId: number | undefined },
  sink: EventSink,
) => (() => void) | Promise<() => void>

export type Bound =
  | { readonly kind: 'call'; readonly route: AnyRoute; readonly handler: Handler<Call> }
  | { readonly kind: 'stream'; readonly route: AnyRoute; readonly handler: StreamHandler<Call> }

/** What a handler gets has been checked against the schemas of its route: from here on the list need not know its types. */
export function bind<C extends Call>(route: Route<C>, handler: Handler<C>): Bound {
  return { kind: 'call', route, handler: handler as unknown as Handler<Call> }
}

export function bindStream<C extends Call>(route: Route<C>, handler: StreamHandler<C>): Bound {
  return { kind: 'stream', route, handler: handler as unknown as StreamHandler<Call> }
}
