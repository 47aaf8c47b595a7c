/** What a refused call is answered with, as `application/problem+json`. [RFC 9457] */

export interface Problem {
  /** Stable, for programs: 'QUEUE_UNKNOWN'. docs/reference/errors.md has them all. */
  readonly code: string
  readonly status: number
  /** The status in words. */
  readonly title: string
  /** What is wrong and what to do, in a sentence. */
  readonly detail: string
  /** Field of path, query or body, as `settings.bytesMax`; where one is to blame. */
  readonly field?: string | undefined
  /** What it was; cut, and never of a secret. */
  readonly value?: unknown
  /** The rule that it broke: 'from 1,024 to 17,592,186,044,416'. */
  readonly rule?: string | undefined
  /** The same call before that is refused for the same reason; as the header `retry-after` says in seconds. */
  readonly retryAfterMs?: number | undefined
  /** Further fields that are wrong, when there are several. */
  readonly others?: ReadonlyArray<Pick<Problem, 'detail' | 'field' | 'value' | 'rule'>> | undefined
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'
