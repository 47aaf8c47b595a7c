/** What the server needs from whoever starts it. No more of the broker is known here: it can as well be another process. */
import type { AuditItem, Role, Scope } from '@ternmq/api'
import type { Bound, Caller } from '@ternmq/management'
import { SILENCE_MS } from './limits.ts'

export interface ApiServerOptions {
  /** Calls and what does them. The calls of the login (`/session`) are the server's own. */
  readonly handlers: readonly Bound[]
  readonly login: Login
  readonly accounts: Accounts
  readonly tokens: Tokens
  readonly audit: Audit
  readonly clock: ServerClock
  /** Of the broker, for the OpenAPI document. */
  readonly version: string
  /** Text for `/metrics`; without it there is none. */
  readonly metrics?: (() => string | Promise<string>) | undefined
  /** Folder with the built pages; without it, or while it is not there, a page says so. */
  readonly pagesDir?: string | undefined
  /** With it the server speaks TLS only. */
  readonly tls?: ServerTls | undefined
  readonly settings?: Partial<ApiServerSettings> | undefined
  /** A failure of ours, for the log. `id` is what the caller was told. */
  onFailure(failure: Failure): void
}

export interface ServerTls {
  /** PEM. */
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface ApiServerSettings {
  /** Path below which everything is, as a reverse proxy gives it on: '' or '/ternmq'. */
  readonly basePath: string
  /** Origins of our pages beside the one that a call is sent to, as a reverse proxy shows them: 'https://ops.example'. */
  readonly origins: readonly string[]
  /** Addresses of proxies whose `x-forwarded-for` is believed. */
  readonly trustedProxies: readonly string[]
  /** Whether `/metrics` needs no login from a loopback address. */
  readonly metricsOpenOnLoopback: boolean
  /** A login of the browser ends after so long without a call, and after so long in any case. */
  readonly sessionIdleMs: number
  readonly sessionMaxMs: number
  /** Connections of all ports, and from one address; beyond them the oldest whose caller has not shown who he is gives way. */
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Time for the headers of a call, and for all of it, to come in. */
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Time without a byte in either direction, after which a connection is cut: longer than any call waits. */
  readonly silenceMs: number
}

export interface ServerClock {
  wallMs(): number
  monoMs(): number
  after(delayMs: number, f: () => void): () => void
}

/** Whether name and password are right. The login guard and the bounded line of hashes stand behind it. */
export type Login = (user: string, password: Uint8Array, address: string) => LoginAnswer | Promise<LoginAnswer>

export type LoginAnswer =
  | { readonly ok: true; readonly principal: Caller['principal'] }
  | {
      readonly ok: false
      readonly code: 'LOGIN_REFUSED' | 'LOCKED_OUT' | 'BUSY'
      /** For whoever tried. */
      readonly text: string
      readonly retryAfterMs?: number | undefined
    }

/** What of a user ends his logins when it changes. */
export interface Account {
  readonly role?: Role | undefined
  readonly verifier?: string | undefined
  readonly scram?: string | undefined
}

export interface Accounts {
  get(name: string): Account | undefined
  /** Called after every change. */
  onChange(listener: (change: { readonly name: string; readonly previous: Account | undefined }) => void): () => void
}

export interface Tokens {
  /** Undefined for a token that is unknown, has ended or was taken back. */
  verify(token: string): KnownToken | undefined
  /** Whether `verify` would still know it, without noting a use. */
  isGood(id: string): boolean
  /** Called with each that is taken back, once it is. */
  onRemoved(listener: (token: Pick<KnownToken, 'user'>) => void): () => void
}

export interface KnownToken {
  readonly id: string
  readonly user: string
  readonly scopes: readonly Scope[]
  readonly expiresAtMs?: number | undefined
}

export interface Audit {
  record(entry: Omit<AuditItem, 'id' | 'atMs'>): void
}

export interface Failure {
  readonly id: string
  /** 'queues.get' */
  readonly action: string
  readonly error: unknown
}

export const DEFAULT_SETTINGS: ApiServerSettings = {
  basePath: '',
  origins: [],
  trustedProxies: [],
  metricsOpenOnLoopback: false,
  sessionIdleMs: 30 * 60_000,
  sessionMaxMs: 12 * 3_600_000,
  connectionsMax: 1_000,
  connectionsPerAddressMax: 256,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  silenceMs: SILENCE_MS,
}
