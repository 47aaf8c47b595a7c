/** Which calls go on to the broker: by their path as it came, which is never put together anew. */
import { API_ROOT } from '@ternmq/api'
import { ApiError } from '@ternmq/management'

export type Place =
  /** Of the broker; `target` is path and query as they came. */
  | { readonly kind: 'broker'; readonly target: string }
  /** Of the pages; `path` is decoded. */
  | { readonly kind: 'page'; readonly path: string }

const OF_BROKER = [`${API_ROOT}/`, '/health/']
const METRICS = '/metrics'
/** What could be mistaken for the broker's is no page. */
const NO_PAGE = /^\/(?:api|health|metrics)(?:\/|$)/
/** What whoever stands before a broker may take for a step up, in any spelling: '..', '%2E%2e', 'a%2F..%2Fb'. */
const SEPARATORS = /\/|\\|%2f|%5c/i
const STEPS: ReadonlySet<string> = new Set(['.', '..'])

/** Throws ApiError('INVALID') for what is no path, and for one that leads out of where it begins. */
export function placeOf(url: string): Place {
  if (!url.startsWith('/')) throw invalid('the address of a call is a path here: it begins with /')
  const [path = '/'] = url.split('?', 1)
  if (OF_BROKER.some((root) => path.startsWith(root)) || path === METRICS) {
    const isStep = (part: string): boolean => STEPS.has(part.replaceAll(/%2e/gi, '.'))
    if (path.split(SEPARATORS).some(isStep))
      throw invalid("a path with '.' or '..' between slashes is not handed on: ask the broker itself")
    return { kind: 'broker', target: url }
  }
  const decoded = decode(path)
  if (NO_PAGE.test(decoded))
    throw new ApiError('ROUTE_UNKNOWN', `there is nothing at this path; calls are below ${API_ROOT}`)
  return { kind: 'page', path: decoded }
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    const error = invalid('the path has a % that is not followed by two hexadecimal digits of UTF-8')
    error.cause = cause
    throw error
  }
}

function invalid(detail: string): ApiError {
  return new ApiError('INVALID', detail, { field: 'path' })
}
