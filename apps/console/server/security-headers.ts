/** Headers that tell browsers to trust as little as possible, and callers whom they have reached. */
import { API_HEADER, API_HEADER_VALUE } from '@ternmq/api'

/**
 * Of pages. Scripts and styles come from us alone, none stands in a page. WebSockets may go anywhere: the page that tries the broker out opens
 * them to its listeners, which have ports of their own.
 */
const PAGES_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; manifest-src 'self'; " +
  "connect-src 'self' ws: wss:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

/** Of everything else: should a browser show it as a page, it can do nothing. */
const DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

const COMMON: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const YEAR_SECONDS = 31_536_000

export interface SecurityHeaders {
  readonly ofPages: Readonly<Record<string, string>>
  readonly ofData: Readonly<Record<string, string>>
}

export function securityHeaders(isTls: boolean): SecurityHeaders {
  const common = isTls ? { ...COMMON, 'strict-transport-security': `max-age=${YEAR_SECONDS}` } : COMMON
  return {
    ofPages: { ...common, 'content-security-policy': PAGES_POLICY },
    ofData: {
      ...common,
      'content-security-policy': DATA_POLICY,
      'cache-control': 'no-store',
      [API_HEADER]: API_HEADER_VALUE,
    },
  }
}
