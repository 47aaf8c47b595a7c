/**
 * What a refused call is answered with. What we refuse on purpose is an ApiError and is told as it is; what the HTTP library refuses gets our
 * words; everything else is a failure of ours, of which the caller hears only a number that the log has too.
 */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { API_HEADER, API_HEADER_VALUE, type Problem, PROBLEM_CONTENT_TYPE } from '@ternmq/api'
import { ApiError, type ProblemCode, PROBLEMS } from '@ternmq/management'
import { HEADER_BYTES_MAX } from './limits.ts'

/** Of what is busy and cannot say for how long. */
const BUSY_RETRY_MS = 1_000

export interface Refusal {
  readonly problem: Problem
  readonly headers: Readonly<Record<string, string>>
  /** Of a failure of ours. */
  readonly failureId?: string
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof ApiError) return tell(error)
  const known = httpProblem(error)
  if (known !== undefined) return tell(known)
  const failureId = randomBytes(6).toString('hex')
  const detail = `the broker failed at this call; its log says more under ${failureId}`
  return { problem: new ApiError('BROKEN', detail).toProblem(), headers: {}, failureId }
}

/** Refusals of the HTTP library. Its own texts may repeat what was sent. */
function httpProblem(error: unknown): ApiError | undefined {
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiError('TOO_LARGE', 'the body is longer than this call allows')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiError('UNSUPPORTED', 'the body is not JSON; send it with content-type: application/json')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new ApiError('INVALID', 'the body is not as long as its content-length says')
    case 'FST_ERR_BAD_URL':
      return new ApiError('INVALID', 'the path has a % that is not followed by two hexadecimal digits of UTF-8')
    default:
      return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
        ? new ApiError('INVALID', 'the call is not HTTP as it is read here')
        : undefined
  }
}

function tell(error: ApiError): Refusal {
  const problem = error.toProblem()
  // Basic is not offered: a browser would ask for a password by itself.
  if (error.code === 'NOT_LOGGED_IN') return { problem, headers: { 'www-authenticate': 'Bearer realm="TernMQ"' } }
  const { retryAfterMs = error.code === 'BUSY' ? BUSY_RETRY_MS : undefined } = problem
  if (retryAfterMs === undefined) return { problem, headers: {} }
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  return { problem: { ...problem, retryAfterMs }, headers: { 'retry-after': String(seconds) } }
}

/** For a call that came in while what answers calls could not be loaded. */
export function notLoadedAnswer(response: ServerResponse): void {
  const problem = new ApiError(
    'BROKEN',
    'what answers calls could not be loaded; the log of the broker says why',
  ).toProblem()
  response
    .writeHead(problem.status, {
      'content-type': PROBLEM_CONTENT_TYPE,
      [API_HEADER]: API_HEADER_VALUE,
      connection: 'close',
    })
    .end(JSON.stringify(problem))
}

/** What is written for a call that Node could not read. */
export function unreadableAnswer(code: string | undefined): string {
  const [status, text] = UNREADABLE[code ?? ''] ?? [400, 'the call is not HTTP as it is read here']
  const kind: ProblemCode = status === 431 ? 'TOO_LARGE' : 'INVALID'
  const body = JSON.stringify({ code: kind, status, title: PROBLEMS[kind][1], detail: text } satisfies Problem)
  return (
    `HTTP/1.1 ${status} ${PROBLEMS[kind][1]}\r\ncontent-type: ${PROBLEM_CONTENT_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `${API_HEADER}: ${API_HEADER_VALUE}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n${body}`
  )
}

const UNREADABLE: Readonly<Record<string, readonly [status: number, text: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `address and headers are longer than ${HEADER_BYTES_MAX} bytes together`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the call took too long to come in'],
}
