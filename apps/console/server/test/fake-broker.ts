/** A broker that does nothing, for tests of the server: every call answers the example of its schema; users, tokens and time are the test's. */
import type { AuditItem } from '@ternmq/api'
import { routes, schemasOf } from '@ternmq/api/schemas'
import { bind, bindStream, type Bound, type EventSink } from '@ternmq/management'
import { exampleOf } from '../examples.ts'
import { ApiServer } from '../index.ts'
import type { Account, ApiServerOptions, Failure, KnownToken, Login } from '../options.ts'

/** Time that moves when the test says so. */
export class TestClock {
  #nowMs = 1_000_000
  readonly #timers = new Set<{ readonly atMs: number; readonly f: () => void }>()

  wallMs(): number {
    return 1_795_795_200_000 + this.#nowMs
  }

  monoMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, f: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, f }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const next = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = next.atMs
      next.f()
    }
    this.#nowMs = endMs
  }
}

/** Time as it is. */
export const realClock: ApiServerOptions['clock'] = {
  wallMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (delayMs, f) => {
    const timer = setTimeout(f, delayMs)
    return () => clearTimeout(timer)
  },
}

export class FakeBroker {
  readonly clock: TestClock = new TestClock()
  readonly audit: Array<Omit<AuditItem, 'id' | 'atMs'>> = []
  readonly failures: Failure[] = []
  readonly tokens: Map<string, Omit<KnownToken, 'id'>> = new Map()
  /** Streams that are open, with where they send to. */
  readonly sinks: EventSink[] = []
  stoppedCount = 0
  readonly #accounts = new Map<string, Account & { readonly password: string }>()
  readonly #watchers = new Set<(change: { readonly name: string; readonly previous: Account | undefined }) => void>()

  readonly #tokenWatchers = new Set<(token: Pick<KnownToken, 'user'>) => void>()

  constructor() {
    this.putUser('ann', { role: 'administrator' })
    this.putUser('olga', { role: 'operator' })
    this.putUser('vic', { role: 'viewer' })
    this.putUser('device', {})
    for (const scope of ['read', 'operate', 'admin', 'messages'] as const) {
      this.tokens.set(`tmq_${scope}`, { user: 'ann', scopes: [scope] })
    }
    this.tokens.set('tmq_all', { user: 'ann', scopes: ['read', 'operate', 'admin', 'messages'] })
  }

  /** The password is the name with '-secret'. */
  putUser(name: string, account: Account): void {
    const previous = this.#accounts.get(name)
    this.#accounts.set(name, { verifier: 'v1', ...account, password: `${name}-secret` })
    for (const watch of this.#watchers) watch({ name, previous })
  }

  removeUser(name: string): void {
    const previous = this.#accounts.get(name)
    this.#accounts.delete(name)
    for (const watch of this.#watchers) watch({ name, previous })
  }

  takeBack(token: string): void {
    const found = this.tokens.get(token)
    this.tokens.delete(token)
    if (found !== undefined) for (const watch of this.#tokenWatchers) watch(found)
  }

  isGood(token: string): boolean {
    const found = this.tokens.get(token)
    return found !== undefined && (found.expiresAtMs ?? Infinity) > this.clock.wallMs()
  }

  /** Every call there is, with `others` in place of those of the same routes. */
  handlers(others: readonly Bound[] = []): Bound[] {
    const replaced = new Set(others.map(({ route }) => route.id))
    const own = routes
      .filter(({ id, path }) => path !== '/session' && !replaced.has(id))
      .map((route): Bound => {
        if (route.contentType === 'text/event-stream') {
          return bindStream(route, (_, sink) => {
            this.sinks.push(sink)
            return () => void this.stoppedCount++
          })
        }
        const { answer } = schemasOf(route)
        const isBytes = route.contentType === 'application/octet-stream'
        const example = isBytes ? new Uint8Array([1, 2, 3]) : answer === undefined ? undefined : exampleOf(answer)
        return bind(route, () => example)
      })
    return [...own, ...others]
  }

  async server(options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
    const server = new ApiServer({
      handlers: options.handlers ?? this.handlers(),
      login: this.#login,
      accounts: {
        get: (name) => this.#accounts.get(name),
        onChange: (watch) => {
          this.#watchers.add(watch)
          return () => void this.#watchers.delete(watch)
        },
      },
      tokens: {
        verify: (token) => (this.isGood(token) ? { id: token, ...this.tokens.get(token)! } : undefined),
        isGood: (id) => this.isGood(id),
        onRemoved: (watch) => {
          this.#tokenWatchers.add(watch)
          return () => void this.#tokenWatchers.delete(watch)
        },
      },
      audit: { record: (entry) => void this.audit.push(entry) },
      clock: this.clock,
      version: '0.1.0',
      onFailure: (failure) => void this.failures.push(failure),
      ...options,
    })
    await server.load()
    return server
  }

  readonly #login: Login = (user, password) => {
    if (user === 'flooder')
      return { ok: false, code: 'LOCKED_OUT', text: 'too many logins have failed', retryAfterMs: 2_500 }
    const account = this.#accounts.get(user)
    if (account !== undefined && Buffer.from(password).toString() === account.password) {
      return { ok: true, principal: { name: user, anonymous: false } }
    }
    return { ok: false, code: 'LOGIN_REFUSED', text: `user '${user}': unknown, or the password is wrong` }
  }
}
