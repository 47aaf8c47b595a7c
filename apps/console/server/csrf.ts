/**
 * Keeps pages of others from making our users' browsers write. A write must not come from a foreign page, as far as the browser says where it
 * comes from; with a cookie it must also bring the token of the session, which no other page can read. Bearer tokens and the socket need
 * neither: no browser sends them by itself.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isLoopback } from '@ternmq/config'
import { ApiError } from '@ternmq/management'

export const CSRF_HEADER = 'x-csrf-token'

export function changesSomething(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

/** Throws ApiError('CSRF') for a write that a foreign page makes. */
export function checkOrigin(headers: IncomingHttpHeaders, origins: readonly string[]): void {
  const site = headers['sec-fetch-site']
  const { origin } = headers
  // 'none' is the user himself, by the address line. [Fetch Metadata §2.4]
  const siteIsFine = site === undefined || site === 'same-origin' || site === 'none'
  if (origin === undefined) {
    if (!siteIsFine) fail(`the call was made by a page of another site (sec-fetch-site: ${String(site)})`)
    return
  }
  if (origins.includes(origin)) return
  if (!siteIsFine || !isSameHost(origin, headers.host)) {
    fail('the call was made by a page of another origin; name the origins of the console in the configuration')
  }
}

/** Throws ApiError('CSRF') when the token is missing or not the session's. */
export function checkCsrfToken(headers: IncomingHttpHeaders, expected: string): void {
  const given = headers[CSRF_HEADER]
  if (typeof given !== 'string' || given === '') {
    fail(`header ${CSRF_HEADER} is missing; send csrfToken of GET /session with every write`)
  }
  if (!isEqual(given, expected)) fail(`header ${CSRF_HEADER} is not of this session; get it anew from GET /session`)
}

/** Whether a page of `origin` comes from where the call goes to. */
export function isSameHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false
  const { protocol, host: expected } = new URL(origin) // without the port where it is the scheme's own
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === expected
}

/** Whether a call is sent to this machine by a name of its own. A page elsewhere may have its own name lead here; then it is asked for by that name. */
export function isOwnName(host: string | undefined): boolean {
  return isLoopback(URL.parse(`http://${host ?? ''}`)?.hostname.replaceAll(/^\[|\]$/g, '') ?? '')
}

function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

function fail(detail: string): never {
  throw new ApiError('CSRF', detail)
}
