/** Calls of the admin API from a page: with the cookie, the token against forged calls, and every failure as a `Problem`. */
import { type Call, DEFAULT_VHOST, type Problem, PROBLEM_CONTENT_TYPE, type Route } from '@ternmq/api'
import { ApiClient, ApiProblem, type ApiTransport, ApiUnreachable, targetOf as targetOfCall } from '@ternmq/api/client'
import { addressOf } from './base.ts'
import { reportAnswer, reportLoss } from './connection-state.ts'
import { Silence } from './silence.ts'

/** What one call takes; the virtual host is filled in, there is one only. */
export interface CallInput<C extends Call = Call> {
  readonly params?: Omit<C['params'], 'vhost'>
  readonly query?: C['query']
  readonly body?: C['body']
}

/** `code` of a problem that did not come from the server: it could not be reached. */
export const UNREACHABLE = 'UNREACHABLE'

let csrfToken: string | undefined

/** Goes with every write from now on. */
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token
}

/** What stands between page and broker answers so when it does not reach it: `ternmq console`, or a proxy. */
const GATEWAY_FAILURES: ReadonlySet<number> = new Set([502, 504])

/** Something between page and broker has said why it does not reach it. */
class BrokerAway extends Error {}

/** '' of a proxy that has pages of its own for that. */
async function reasonOf(response: Response): Promise<string> {
  const isProblem = response.headers.get('content-type') === PROBLEM_CONTENT_TYPE
  return isProblem ? ((await response.json()) as Problem).detail : ''
}

/**
 * Who looks something up and hears nothing for so long has no answer. Pages wait in no look-up on purpose. What changes something takes as
 * long as it takes: it may have been done, and is not to be given up.
 */
export const LOOK_SILENCE_MAX_MS = 10_000

/** The cookie goes along by itself; an answer, and none, are told to the bar on top. */
const transport: ApiTransport = async ({ method, path, headers, body, signal }) => {
  const gaveUp = new AbortController()
  signal?.addEventListener('abort', () => gaveUp.abort(signal.reason), { once: true })
  if (signal?.aborted === true) gaveUp.abort(signal.reason)
  const silence = method === 'GET' ? new Silence(LOOK_SILENCE_MAX_MS, () => gaveUp.abort()) : undefined
  const onLoss = (): void => {
    silence?.end()
    if (signal?.aborted !== true) reportLoss()
  }
  try {
    const response = await fetch(addressOf(path), {
      method,
      headers: method === 'GET' || csrfToken === undefined ? headers : { ...headers, 'x-csrf-token': csrfToken },
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body === undefined ? {} : { body }),
      signal: gaveUp.signal,
    })
    if (GATEWAY_FAILURES.has(response.status)) throw new BrokerAway(await reasonOf(response))
    reportAnswer()
    return { status: response.status, body: chunksOf(response.body, silence, onLoss) }
  } catch (error) {
    onLoss()
    throw error
  }
}

/** Not every browser can go through a stream with `for await`. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array> | null,
  silence: Silence | undefined,
  onLoss: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  const reader = stream?.getReader()
  try {
    for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
      silence?.heard()
      yield read.value
    }
  } catch (error) {
    onLoss()
    throw error
  } finally {
    silence?.end()
  }
}

const client = new ApiClient({ transport })

function withVhost<C extends Call>({ params, query, body }: CallInput<C>) {
  return {
    params: { vhost: DEFAULT_VHOST, ...params },
    ...(query === undefined ? {} : { query }),
    ...(body === undefined ? {} : { body }),
  }
}

/** Path and query of a call, without the base. Throws RangeError when a parameter is missing. */
export function targetOf<C extends Call>(route: Route<C>, input: CallInput<C> = {}): string {
  return targetOfCall(route, withVhost(input))
}

/** Rejects with what `toProblem` reads, or with the reason of the signal. */
export async function call<C extends Call>(
  route: Route<C>,
  input: CallInput<C> = {},
  signal?: AbortSignal,
): Promise<C['answer']> {
  return client.call(route, signal === undefined ? withVhost(input) : { ...withVhost(input), signal })
}

/** What went wrong as a problem, whatever was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem
  if (error instanceof ApiUnreachable) {
    const reason = error.cause instanceof BrokerAway ? error.cause.message : ''
    const detail =
      'The broker does not answer. The page tries again by itself; check that the broker runs and that the network lets you through.'
    return { code: UNREACHABLE, status: 0, title: 'No connection', detail: reason === '' ? detail : reason }
  }
  return {
    code: 'PAGE',
    status: 0,
    title: 'The page failed',
    detail: error instanceof Error ? error.message : String(error),
  }
}

/** The broker did not answer, which the bar on top tells already. */
export function isLoss(error: unknown): boolean {
  return error instanceof ApiUnreachable
}

/** What `problem` says of one field of a form; undefined when it says nothing of it. */
export function fieldError(problem: Problem | undefined, field: string): string | undefined {
  if (problem === undefined) return undefined
  const hit = [problem, ...(problem.others ?? [])].find((one) => one.field === field || one.field === `body.${field}`)
  if (hit === undefined) return undefined
  return hit.rule === undefined ? hit.detail : `${hit.detail} Allowed: ${hit.rule}.`
}
