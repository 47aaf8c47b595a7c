/** How the core says no. Each protocol has one table from these words to its own codes. */

export type Refusal =
  | 'not-authorized'
  | 'not-found'
  | 'in-use'
  | 'limit-reached'
  | 'invalid-name'
  /** The body is not what the publisher says it is; only adapters can tell. */
  | 'invalid-body'
  | 'mismatch'

/** Why, in a sentence that an operator can act on, and in one that a client may read. */
export interface RefusalDetail {
  readonly refusal: Refusal
  /** What was asked for. */
  readonly subject: string
  /** What happened, which rule or limit, what to do. Free of anything that the client must not learn. */
  readonly text: string
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: RefusalDetail }

export function refuse(refusal: Refusal, subject: string, text: string): { readonly ok: false; readonly detail: RefusalDetail } {
  return { ok: false, detail: { refusal, subject, text } }
}
