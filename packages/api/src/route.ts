/**
 * What one call of the admin API is: where it goes, who may make it, what it takes and gives. Types only, so that a browser that imports a
 * route has no schema in its bundle; `schemas/` has what the server checks, bound to these types.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * What a caller needs. `nobody`: no login. `user`: any login. The others are scopes, which tokens have a list of and console roles stand for:
 * viewer `read`; operator `read`, `operate`; administrator all. `messages`: publish and take, each decided by the permissions of the destination.
 */
export type Needs = 'nobody' | 'user' | Scope
export type Scope = 'read' | 'operate' | 'admin' | 'messages'

/** Groups of calls, as the API page and the OpenAPI document show them. */
export type Tag =
  | 'overview'
  | 'access'
  | 'connections'
  | 'sessions'
  | 'queues'
  | 'topics'
  | 'messages'
  | 'messaging'
  | 'operations'
  | 'schedules'
  | 'definitions'
  | 'settings'
  | 'health'

/** The types of one call: what is in its path, its query, its body, and its answer. */
export interface Call {
  readonly params: object
  readonly query: object
  readonly body: unknown
  readonly answer: unknown
}

/** Parts that a call does not have. */
export type None = Readonly<Record<never, never>>

export interface Route<C extends Call> {
  /** 'queues.list'; the operationId of the OpenAPI document. */
  readonly id: string
  readonly method: Method
  /** Below `/api/v1`, parameters in braces: `/vhosts/{vhost}/queues/{queue}`. */
  readonly path: string
  readonly tag: Tag
  readonly needs: Needs
  /** One sentence. */
  readonly summary: string
  /** What there is to know beside it. */
  readonly detail?: string
  /** Of a good answer; 200 when left out, 204 for one without content. */
  readonly status?: 200 | 201 | 202 | 204
  /** Of a good answer that is not JSON. */
  readonly contentType?: 'text/event-stream' | 'application/octet-stream' | 'text/plain'
  /** Only there for inference. */
  readonly call?: C
}

export type AnyRoute = Route<Call>

/** `/api/v1` and the path with its parameters filled in, each encoded. Throws RangeError for a parameter that is missing. */
export function pathOf(route: Pick<AnyRoute, 'id' | 'path'>, params: Readonly<Record<string, string>> = {}): string {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (value === undefined || value === '') throw new RangeError(`${route.id}: parameter '${name}' is missing`)
    return encodeURIComponent(value)
  })
  return API_ROOT + path
}

export const API_ROOT = '/api/v1'

/** Header of every answer, refusals included: by it a caller knows that no other server has answered. */
export const API_HEADER = 'ternmq-api'
export const API_HEADER_VALUE = '1'

/** The only virtual host until several can be configured. */
export const DEFAULT_VHOST = '/'
