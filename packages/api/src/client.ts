/**
 * Makes calls of the admin API: typed by their routes, with refusals as `ApiProblem`, lists page by page, and streams that come back after they
 * have broken. How bytes get to the server and back is a transport: `fetchTransport` here, and sockets of Node in client-http.ts.
 */
import { Absence, type AbsenceObserver, STREAM_SILENCE_MAX_MS } from './absence.ts'
import type { Page } from './page.ts'
import type { Problem } from './problem.ts'
import { type Call, pathOf, type Route } from './route.ts'
import { EventParser, type ServerEvent } from './server-events.ts'

export type { AbsenceObserver } from './absence.ts'
export type { ServerEvent } from './server-events.ts'

export interface TransportRequest {
  readonly method: string
  /** `/api/v1/…` with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface TransportResponse {
  readonly status: number
  readonly body: AsyncIterable<Uint8Array>
}

/** Rejects when there is no answer, with the error of the system. */
export type ApiTransport = (request: TransportRequest) => Promise<TransportResponse>

/** What one call takes; parts that it does not have are left out, and so may be those of which nothing is needed. */
export interface CallInput<C extends Call = Call> {
  readonly params?: C['params'] | undefined
  readonly query?: C['query'] | undefined
  readonly body?: C['body'] | undefined
  readonly signal?: AbortSignal | undefined
}

export interface StreamInput<C extends Call = Call> extends CallInput<C> {
  /** The last event that the consumer has, as `lastId` of a list says it; left out: it begins with what comes. */
  readonly lastId?: number | undefined
}

type ItemOf<C extends Call> = C['answer'] extends Page<infer T> ? T : never

export interface ApiClientOptions {
  readonly transport: ApiTransport
  /** `tmq_…`; not needed over the socket in the data directory. */
  readonly token?: string | undefined
  /** In place of a token. */
  readonly login?: { readonly user: string; readonly password: string } | undefined
  /** Resolves after so long, or when the signal aborts. */
  readonly wait?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
}

/** Bytes of one answer; beyond it the call fails. */
export const ANSWER_BYTES_MAX = 268_435_456
/** Between two attempts to open a stream again: each twice the one before. */
const RECONNECT_MIN_MS = 500
const RECONNECT_MAX_MS = 15_000

/** The server refused the call. */
export class ApiProblem extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.name = 'ApiProblem'
    this.problem = problem
  }
}

/** There was no answer, or not all of it. `cause` is the error of the system. */
export class ApiUnreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ApiUnreachable'
  }
}

/** What answered is not the API: a proxy, or another server altogether. The message says what came. */
export class NotTheApi extends ApiUnreachable {
  constructor(message: string, cause?: unknown) {
    super(message, cause)
    this.name = 'NotTheApi'
  }
}

export class ApiClient {
  readonly #transport: ApiTransport
  readonly #authorization: string | undefined
  readonly #wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>

  constructor({ transport, token, login, wait = waitFor }: ApiClientOptions) {
    this.#transport = transport
    this.#wait = wait
    if (token !== undefined) this.#authorization = `Bearer ${token}`
    else if (login !== undefined) this.#authorization = `Basic ${base64(`${login.user}:${login.password}`)}`
  }

  /** Rejects with ApiProblem, ApiUnreachable, or the reason of the signal. RangeError for a parameter that is missing. */
  async call<C extends Call>(route: Route<C>, input: CallInput<C> = {}): Promise<C['answer']> {
    const response = await this.#send(route, input, {})
    const bytes = await readAll(response.body, input.signal)
    if (response.status >= 400 && !isHealth(route)) throw new ApiProblem(problemIn(bytes, response.status))
    if (response.status === 204) return undefined
    if (route.contentType === 'application/octet-stream') return bytes
    return parseAnswer(bytes, response.status)
  }

  /** All pages of a list, one call for each; `query.limit` says how long they are. */
  async *pages<C extends Call & { readonly answer: Page<unknown> }>(
    route: Route<C>,
    input: CallInput<C> = {},
  ): AsyncGenerator<Page<ItemOf<C>>, void, void> {
    let cursor: string | undefined
    do {
      const query = cursor === undefined ? input.query : { ...input.query, cursor }
      const page = (await this.call(route, { ...input, query })) as Page<ItemOf<C>>
      if (!Array.isArray(page.items)) throw new NotTheApi('an answer that should be a list and is none')
      yield page
      cursor = page.next
    } while (cursor !== undefined)
  }

  /**
   * Events of a stream, until the signal aborts or the consumer leaves. After a loss, or `STREAM_SILENCE_MAX_MS` without a word, it opens the
   * stream again, from the last event that had a number, and tells `observer`. Rejects with ApiProblem when the server refuses, but not when it
   * is only busy or fails.
   */
  async *stream<C extends Call>(
    route: Route<C>,
    { lastId, ...input }: StreamInput<C> = {},
    observer?: AbsenceObserver,
  ): AsyncGenerator<ServerEvent, void, void> {
    const absence = new Absence(observer, () => performance.now())
    const isOver = (): boolean => input.signal?.aborted === true
    let waitMs = RECONNECT_MIN_MS
    while (!isOver()) {
      try {
        for await (const event of this.#events(route, { input, lastId, absence })) {
          lastId = event.id ?? lastId
          waitMs = RECONNECT_MIN_MS
          yield event
        }
        if (isOver()) return
        absence.lost('the broker has ended the stream')
      } catch (error) {
        if (isOver()) return
        if (error instanceof ApiProblem && error.problem.status < 500) throw error
        if (!(error instanceof ApiProblem || error instanceof ApiUnreachable)) throw error
        absence.lost(error.message)
      }
      await this.#wait(waitMs, input.signal)
      waitMs = Math.min(2 * waitMs, RECONNECT_MAX_MS)
    }
  }

  async *#events<C extends Call>(
    route: Route<C>,
    { input, lastId, absence }: StreamParts<C>,
  ): AsyncGenerator<ServerEvent, void, void> {
    const silence = new AbortController()
    const cut = (): void => silence.abort(new ApiUnreachable(SILENCE_TEXT))
    const signal = input.signal === undefined ? silence.signal : AbortSignal.any([input.signal, silence.signal])
    let timer = setTimeout(cut, STREAM_SILENCE_MAX_MS)
    try {
      const response = await this.#send(route, { ...input, signal }, streamHeaders(lastId))
      if (response.status !== 200)
        throw new ApiProblem(problemIn(await readAll(response.body, signal), response.status))
      const parser = new EventParser()
      for await (const chunk of told(response.body, signal)) {
        clearTimeout(timer)
        absence.heard()
        yield* parser.push(chunk) // for as long as the consumer likes
        absence.heard()
        timer = setTimeout(cut, STREAM_SILENCE_MAX_MS)
      }
    } catch (error) {
      throw silence.signal.aborted ? silence.signal.reason : error
    } finally {
      clearTimeout(timer)
    }
  }

  async #send<C extends Call>(
    route: Route<C>,
    input: CallInput<C>,
    extra: Readonly<Record<string, string>>,
  ): Promise<TransportResponse> {
    const { body, signal } = input
    const request = {
      method: route.method,
      path: targetOf(route, input),
      headers: {
        accept: 'application/json, application/problem+json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        ...extra,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    }
    try {
      return await this.#transport(request)
    } catch (error) {
      throw lossOf(error, signal)
    }
  }
}

interface StreamParts<C extends Call> {
  readonly input: CallInput<C>
  readonly lastId: number | undefined
  readonly absence: Absence
}

const SILENCE_TEXT = `the broker does not answer: nothing has come for ${STREAM_SILENCE_MAX_MS / 1_000} s`

function streamHeaders(lastId: number | undefined): Record<string, string> {
  return { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': String(lastId) }) }
}

/** Path and query of a call. Throws RangeError for a parameter that is missing. */
export function targetOf<C extends Call>(route: Route<C>, { params, query }: CallInput<C>): string {
  const texts = new URLSearchParams()
  const given: Readonly<Record<string, string | number | boolean | undefined>> = { ...query }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) texts.set(name, String(value))
  const path = pathOf(route, { ...params })
  return texts.size === 0 ? path : `${path}?${texts.toString()}`
}

/** `base` with everything before `/api/v1`: 'http://localhost:8161'. */
export function fetchTransport(base: string, fetchIt: typeof fetch = fetch): ApiTransport {
  return async ({ method, path, headers, body, signal }) => {
    const response = await fetchIt(base.replace(/\/+$/, '') + path, {
      method,
      headers,
      redirect: 'error',
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    })
    return { status: response.status, body: response.body ?? nothing() }
  }
}

/** A broker that is not well says so with 503 and the same answer. */
function isHealth({ tag }: Pick<Route<Call>, 'tag'>): boolean {
  return tag === 'health'
}

async function readAll(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of told(body, signal)) {
    length += chunk.length
    if (length > ANSWER_BYTES_MAX) throw new NotTheApi(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The same bytes; a loss on the way says that it is one. */
async function* told(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body
  } catch (error) {
    throw lossOf(error, signal)
  }
}

function lossOf(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true || error instanceof ApiUnreachable) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new ApiUnreachable(`the broker does not answer: ${reason}`, error)
}

function parseAnswer<T>(bytes: Uint8Array, status: number): T {
  const value = parse(bytes)
  if (typeof value === 'object' && value !== null) return value as T
  throw new NotTheApi(`an answer with status ${status} that is ${value === undefined ? 'not JSON' : 'no object'}`)
}

/** Undefined for what is no JSON. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    return undefined // no JSON: not ours
  }
}

/** A problem whatever answered: a proxy has pages of its own. */
function problemIn(bytes: Uint8Array, status: number): Problem {
  const fallback: Problem = {
    code: 'UNKNOWN',
    status,
    title: `Status ${status}`,
    detail: `the server answered with status ${status} and no reason; something between here and the broker may have answered`,
  }
  const value = parse(bytes)
  return isProblem(value) ? { ...fallback, ...value } : fallback
}

/** As far as texts are made of it. */
function isProblem(value: unknown): value is Partial<Problem> {
  if (typeof value !== 'object' || value === null) return false
  const { code = '', detail = '', others = [] } = value as { readonly [K in keyof Problem]?: unknown }
  const isTold = (each: unknown): boolean => typeof (each as { readonly detail?: unknown } | null)?.detail === 'string'
  return typeof code === 'string' && typeof detail === 'string' && Array.isArray(others) && others.every(isTold)
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)))
}

function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
    if (signal?.aborted === true) end()
  })
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}
