/**
 * Headers of calls that go on to the broker, and of its answers. Only those named here pass, in either direction: what belongs to one connection,
 * what says who a caller is for whom, and cookies of others on the same host stay where they are.
 */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { isSameHost } from '../csrf.ts'

/** All that the admin API reads, but those that are made anew here. */
const TO_BROKER = [
  'accept',
  'accept-encoding',
  'authorization',
  'content-length',
  'content-type',
  'last-event-id',
  'sec-fetch-site',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-csrf-token',
] as const

/** All that it answers, but those of security, which are the pages' own. */
const TO_CALLER = [
  'allow',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-type',
  'retry-after',
  'vary',
  'www-authenticate',
  'x-accel-buffering',
] as const

/** As many hexadecimal digits tell brokers apart that one browser looks at. */
const HASH_DIGITS = 12

/** What stands in `via` for each console that a call has come through. [RFC 9110 §7.6.3] */
export const VIA = 'ternmq-console'

export interface HeaderRulesOptions {
  /** Of the broker: 'https://ops.example'. */
  readonly origin: string
  /** Path below which it is: '' or '/ternmq'. */
  readonly prefix: string
  /** Origins at which browsers see this console, where a proxy in front gives it another one. */
  readonly origins: readonly string[]
  /** Whether browsers reach the pages over TLS. */
  readonly isTls: boolean
}

export class HeaderRules {
  readonly #origin: string
  readonly #origins: readonly string[]
  readonly #isTls: boolean
  /** Before the names of the broker's cookies. Browsers do not keep ports apart: a login is for this broker, and goes to no other. */
  readonly #cookiePrefix: string

  constructor({ origin, prefix, origins, isTls }: HeaderRulesOptions) {
    const hash = createHash('sha256')
      .update(origin + prefix)
      .digest('hex')
      .slice(0, HASH_DIGITS)
    this.#origin = origin
    this.#origins = origins
    this.#isTls = isTls
    this.#cookiePrefix = `${isTls ? '__Host-' : ''}ternmq-${hash}-`
  }

  /** `address` is the caller's. */
  toBroker(headers: IncomingHttpHeaders, address: string): OutgoingHttpHeaders {
    const passed = pick(TO_BROKER, headers)
    const { origin, host, cookie } = headers
    // The broker compares it with its own: a page of ours is as one of its own, one of others is nobody's.
    if (origin !== undefined) passed['origin'] = this.#isOurs(origin, host) ? this.#origin : 'null'
    const cookies = this.#ownCookies(cookie)
    if (cookies !== '') passed['cookie'] = cookies
    // A body has to stay as it is framed: without this one of DELETE would go on without a length.
    if (headers['transfer-encoding'] !== undefined) passed['transfer-encoding'] = 'chunked'
    passed['x-forwarded-for'] = address
    passed['via'] = [...(headers.via === undefined ? [] : [headers.via]), `1.1 ${VIA}`].join(', ')
    return passed
  }

  toCaller(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
    const passed = pick(TO_CALLER, headers)
    const cookies = headers['set-cookie']?.map((cookie) => this.#asOwn(cookie))
    if (cookies !== undefined) passed['set-cookie'] = cookies
    return passed
  }

  #isOurs(origin: string, host: string | undefined): boolean {
    return this.#origins.includes(origin) || isSameHost(origin, host)
  }

  #ownCookies(header: string | undefined): string {
    const prefix = this.#cookiePrefix
    const pairs = header?.split(';').map((pair) => pair.trim()) ?? []
    return pairs.flatMap((pair) => (pair.startsWith(prefix) ? [pair.slice(prefix.length)] : [])).join('; ')
  }

  /** Name and time are the broker's. Secure is what the browser's own connection is: it may be plain where the broker's is not. */
  #asOwn(cookie: string): string {
    const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim())
    const times = attributes.filter((attribute) => /^(?:max-age|expires)=/i.test(attribute))
    const ours = ['Path=/', 'HttpOnly', 'SameSite=Strict', ...(this.#isTls ? ['Secure'] : [])]
    return [this.#cookiePrefix + pair, ...ours, ...times].join('; ')
  }
}

/** Without those that the sender says are of his connection alone. [RFC 9110 §7.6.1] */
function pick(names: readonly string[], headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const ofConnection = new Set(
    headers.connection
      ?.toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  )
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return value === undefined || ofConnection.has(name) ? [] : [[name, value]]
    }),
  )
}
