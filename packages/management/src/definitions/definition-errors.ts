/** What packages/auth refuses, as the API says it. */
import { AuthError, type AuthErrorCode } from '@ternmq/auth'
import { ApiError, type ProblemCode, type ProblemMore } from '../errors.ts'

/** Those that are left out are no answer to a call. */
const CODES: Readonly<Partial<Record<AuthErrorCode, ProblemCode>>> = {
  AUTH_NAME_INVALID: 'INVALID',
  AUTH_PASSWORD_INVALID: 'INVALID',
  AUTH_VERIFIER_INVALID: 'INVALID',
  AUTH_RULES_INVALID: 'INVALID',
  AUTH_TOKEN_INVALID: 'INVALID',
  AUTH_USERS_CORRUPT: 'INVALID',
  AUTH_USERS_FULL: 'LIMIT_REACHED',
  AUTH_TOKENS_FULL: 'LIMIT_REACHED',
  AUTH_USERS_BUSY: 'BUSY',
  AUTH_USERS_UNWRITABLE: 'STORE_FAILED',
  AUTH_USERS_UNSYNCED: 'STORE_FAILED',
}

/** The error as an ApiError, with `more` where something that was given is to blame; itself when it is none of auth's. */
export function asApiError(error: unknown, more: (error: AuthError) => ProblemMore): unknown {
  if (!(error instanceof AuthError)) return error
  const code = CODES[error.code]
  if (code === undefined) return error
  return new ApiError(code, error.message, code === 'INVALID' ? more(error) : {})
}
