/**
 * Logins of browsers. A session is named by 256 random bits in a cookie, of which only the hash is kept; it ends after some idle time, after
 * some time in any case, at the logout, and when the user's password or role changes or the user goes.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Caller } from '@ternmq/management'
import { SESSIONS_MAX, SESSIONS_PER_USER_MAX } from './limits.ts'
import type { Accounts, ServerClock } from './options.ts'

export interface BrowserSession {
  readonly user: string
  readonly principal: Caller['principal']
  /** Goes with every write as `x-csrf-token`. */
  readonly csrfToken: string
  /** When it ends in any case, in Unix ms. */
  readonly expiresAtMs: number
}

interface Kept extends BrowserSession {
  readonly beganMonoMs: number
  usedMonoMs: number
}

export interface SessionsOptions {
  readonly clock: Pick<ServerClock, 'wallMs' | 'monoMs'>
  readonly accounts: Accounts
  readonly idleMs: number
  readonly lifetimeMs: number
  readonly sessionsMax?: number
  readonly perUserMax?: number
}

export class Sessions {
  readonly #options: SessionsOptions
  /** By hash of the id, the least recently used first. */
  readonly #byHash = new Map<string, Kept>()
  readonly #listeners = new Set<(session: BrowserSession) => void>()
  readonly #stopWatching: () => void

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#stopWatching = options.accounts.onChange(({ name, previous }) => {
      const now = options.accounts.get(name)
      const same =
        now !== undefined &&
        previous !== undefined &&
        now.role === previous.role &&
        now.verifier === previous.verifier &&
        now.scram === previous.scram
      if (!same) this.endOf(name)
    })
  }

  get count(): number {
    return this.#byHash.size
  }

  /** A new session under a new id, whatever id the browser came with. */
  begin(principal: Caller['principal']): { readonly id: string; readonly session: BrowserSession } {
    const { clock, lifetimeMs, sessionsMax = SESSIONS_MAX, perUserMax = SESSIONS_PER_USER_MAX } = this.#options
    this.#dropEnded()
    const own = [...this.#byHash].filter(([, { user }]) => user === principal.name)
    if (own.length >= perUserMax) this.#drop(own[0]![0])
    if (this.#byHash.size >= sessionsMax) this.#drop(this.#byHash.keys().next().value!)
    const id = randomBytes(32).toString('base64url')
    const nowMs = clock.monoMs()
    const session: Kept = {
      user: principal.name,
      principal,
      csrfToken: randomBytes(32).toString('base64url'),
      expiresAtMs: clock.wallMs() + lifetimeMs,
      beganMonoMs: nowMs,
      usedMonoMs: nowMs,
    }
    this.#byHash.set(hashOf(id), session)
    return { id, session }
  }

  /** Undefined when there is none, or no more. Using it keeps it from ending idle. */
  use(id: string): BrowserSession | undefined {
    const hash = hashOf(id)
    const session = this.#byHash.get(hash)
    if (session === undefined) return undefined
    if (this.#hasEnded(session)) {
      this.#drop(hash)
      return undefined
    }
    this.#byHash.delete(hash)
    session.usedMonoMs = this.#options.clock.monoMs()
    this.#byHash.set(hash, session)
    return session
  }

  /** As `use`, but without using it. */
  has(id: string): boolean {
    const session = this.#byHash.get(hashOf(id))
    return session !== undefined && !this.#hasEnded(session)
  }

  end(id: string): void {
    this.#drop(hashOf(id))
  }

  endOf(user: string): void {
    for (const [hash, session] of this.#byHash) if (session.user === user) this.#drop(hash)
  }

  /** Called with each that is gone, once it is: one whose time is over goes when somebody asks for it. Must not throw. */
  onEnded(listener: (session: BrowserSession) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#stopWatching()
    this.#byHash.clear()
  }

  #dropEnded(): void {
    for (const [hash, session] of this.#byHash) if (this.#hasEnded(session)) this.#drop(hash)
  }

  #drop(hash: string): void {
    const session = this.#byHash.get(hash)
    this.#byHash.delete(hash)
    if (session !== undefined) for (const listener of this.#listeners) listener(session)
  }

  #hasEnded(session: Kept): boolean {
    const { clock, idleMs, lifetimeMs } = this.#options
    const nowMs = clock.monoMs()
    return nowMs - session.usedMonoMs >= idleMs || nowMs - session.beganMonoMs >= lifetimeMs
  }
}

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('base64')
}
