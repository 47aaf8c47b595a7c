/** What the core says of why it did not do something, as a problem of the API. */
import type { RefusalDetail } from '@ternmq/core'
import { ApiError, type ProblemCode, type ProblemMore } from './errors.ts'

const CODES: Readonly<Record<RefusalDetail['refusal'], ProblemCode>> = {
  'not-authorized': 'NOT_ALLOWED',
  'not-found': 'QUEUE_UNKNOWN',
  'in-use': 'CONFLICT',
  'limit-reached': 'LIMIT_REACHED',
  'invalid-name': 'INVALID',
  'invalid-body': 'INVALID',
  mismatch: 'CONFLICT',
}

/** `more` says which field of the call is to blame. */
export function refused({ refusal, subject, text }: RefusalDetail, more: ProblemMore = {}): ApiError {
  return new ApiError(CODES[refusal], text, { value: subject, ...more })
}
