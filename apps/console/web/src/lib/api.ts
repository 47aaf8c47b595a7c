/** Calls of the admin API from a page: with the cookie, the token against forged calls, and every failure as a `Problem`. */
import { type Call, DEFAULT_VHOST, type Problem, pathOf, type Route } from '@ternmq/api'
import { addressOf } from './base.ts'
import { reportAnswer, reportLoss } from './connection-state.ts'

/** What one call takes; the virtual host is filled in, there is one only. */
export interface CallInput<C extends Call = Call> {
  readonly params?: Omit<C['params'], 'vhost'>
  readonly query?: C['query']
  readonly body?: C['body']
}

/** Why a call did not do what it should. */
export class ApiFailure extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.name = 'ApiFailure'
    this.problem = problem
  }
}

/** `code` of a problem that did not come from the server: it could not be reached. */
export const UNREACHABLE = 'UNREACHABLE'

let csrfToken: string | undefined

/** Goes with every write from now on. */
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token
}

/** Path and query of a call, without the base. Throws RangeError when a parameter is missing. */
export function targetOf<C extends Call>(route: Route<C>, input: CallInput<C> = {}): string {
  const params = { vhost: DEFAULT_VHOST, ...input.params }
  const query = new URLSearchParams()
  const given: Readonly<Record<string, string | number | boolean | undefined>> = { ...input.query }
  for (const [key, value] of Object.entries(given)) {
    if (value !== undefined && value !== '') query.set(key, String(value))
  }
  const text = query.toString()
  return pathOf(route, params) + (text === '' ? '' : `?${text}`)
}

/** Throws ApiFailure. */
export async function call<C extends Call>(
  route: Route<C>,
  input: CallInput<C> = {},
  signal?: AbortSignal,
): Promise<C['answer']> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
  if (route.method !== 'GET' && csrfToken !== undefined) headers['x-csrf-token'] = csrfToken
  if (input.body !== undefined) headers['content-type'] = 'application/json'
  const response = await reach(addressOf(targetOf(route, input)), {
    method: route.method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    ...(signal === undefined ? {} : { signal }),
  })
  if (!response.ok) throw new ApiFailure(await problemOf(response))
  if (response.status === 204) return undefined
  if (route.contentType === 'application/octet-stream') return new Uint8Array(await response.arrayBuffer())
  return (await response.json()) as C['answer']
}

async function reach(address: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(address, init)
    reportAnswer()
    return response
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    reportLoss()
    const detail =
      'The broker does not answer. The page tries again by itself; check that the broker runs and that the network lets you through.'
    throw new ApiFailure({ code: UNREACHABLE, status: 0, title: 'No connection', detail })
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = {
    code: 'UNKNOWN',
    status: response.status,
    title: `Status ${response.status}`,
    detail: `The server answered with status ${response.status} and no reason. Something between the browser and the broker may have answered.`,
  }
  try {
    return { ...fallback, ...((await response.json()) as Partial<Problem>) }
  } catch {
    // Not JSON: a proxy's own page.
    return fallback
  }
}

/** What went wrong as a problem, whatever was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiFailure) return error.problem
  return {
    code: 'PAGE',
    status: 0,
    title: 'The page failed',
    detail: error instanceof Error ? error.message : String(error),
  }
}

/** What `problem` says of one field of a form; undefined when it says nothing of it. */
export function fieldError(problem: Problem | undefined, field: string): string | undefined {
  if (problem === undefined) return undefined
  const hit = [problem, ...(problem.others ?? [])].find((one) => one.field === field || one.field === `body.${field}`)
  if (hit === undefined) return undefined
  return hit.rule === undefined ? hit.detail : `${hit.detail} Allowed: ${hit.rule}.`
}
