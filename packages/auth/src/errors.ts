/** Errors of this package. `code` is stable; the message says who, which value, which rule and what to do. */

export type AuthErrorCode =
  | 'AUTH_NAME_INVALID'
  | 'AUTH_PASSWORD_INVALID'
  | 'AUTH_VERIFIER_INVALID'
  | 'AUTH_COST_INVALID'
  | 'AUTH_RULES_INVALID'
  | 'AUTH_TOKEN_INVALID'
  | 'AUTH_TOKENS_FULL'
  | 'AUTH_USERS_CORRUPT'
  | 'AUTH_USERS_NEWER'
  | 'AUTH_USERS_FULL'
  | 'AUTH_USERS_BUSY'
  | 'AUTH_USERS_UNREADABLE'
  | 'AUTH_USERS_UNWRITABLE'
  | 'AUTH_USERS_UNSYNCED'

export class AuthError extends Error {
  readonly code: AuthErrorCode

  constructor(code: AuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AuthError'
    this.code = code
  }
}

/** Text from outside, fit for a log line or a message: quoted, escaped, shortened. */
export function quoted(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64).toWellFormed()}…` : text
  return JSON.stringify(shown).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
