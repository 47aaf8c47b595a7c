/**
 * Calls whose handler is at work. Each hears when its caller has gone, and at once when he would not be let in any more: whatever may end a
 * login, a token or a role says whose, and his calls are asked about.
 */
import { loginEnded } from '@ternmq/management'
import type { Identity } from './identity.ts'
import type { Accounts, ServerClock, Tokens } from './options.ts'
import type { Sessions } from './sessions.ts'

/** A timer for longer than that would not be one. */
const TIMER_MS_MAX = 24 * 3_600_000

export interface UnderWayOptions {
  readonly clock: Pick<ServerClock, 'wallMs' | 'after'>
  readonly accounts: Pick<Accounts, 'onChange'>
  readonly tokens: Pick<Tokens, 'onRemoved'>
  readonly sessions: Pick<Sessions, 'onEnded'>
}

/** One call. */
export interface CallUnderWay {
  readonly signal: AbortSignal
  /** Its caller has gone. */
  abort(): void
  /** It is answered. */
  end(): void
}

interface Kept extends CallUnderWay {
  readonly identity: Identity
  readonly refuse: () => void
}

export class UnderWay {
  readonly #clock: UnderWayOptions['clock']
  readonly #byUser = new Map<string, Set<Kept>>()
  readonly #stopWatching: readonly (() => void)[]
  #count = 0

  constructor({ clock, accounts, tokens, sessions }: UnderWayOptions) {
    this.#clock = clock
    this.#stopWatching = [
      accounts.onChange(({ name }) => this.#recheck(name)),
      tokens.onRemoved(({ user }) => this.#recheck(user)),
      sessions.onEnded(({ user }) => this.#recheck(user)),
    ]
  }

  get count(): number {
    return this.#count
  }

  begin(identity: Identity): CallUnderWay {
    const abort = new AbortController()
    const { user, expiresAtMs } = identity
    const ofUser = this.#byUser.get(user) ?? new Set()
    this.#byUser.set(user, ofUser)
    let cancelExpiry = (): void => {}
    const call: Kept = {
      identity,
      signal: abort.signal,
      refuse: () => abort.abort(loginEnded()),
      abort: () => abort.abort(),
      end: () => {
        if (!ofUser.delete(call)) return
        this.#count--
        if (ofUser.size === 0) this.#byUser.delete(user)
        cancelExpiry()
      },
    }
    ofUser.add(call)
    this.#count++
    const watchExpiry = (atMs: number): void => {
      const leftMs = Math.max(1, atMs - this.#clock.wallMs())
      cancelExpiry = this.#clock.after(Math.min(leftMs, TIMER_MS_MAX), () => {
        if (identity.isValid()) watchExpiry(atMs)
        else call.refuse()
      })
    }
    if (expiresAtMs !== undefined) watchExpiry(expiresAtMs)
    return call
  }

  /** For calls that wait: they end with what they have. */
  abortAll(): void {
    for (const calls of this.#byUser.values()) for (const call of calls) call.abort()
  }

  close(): void {
    for (const stop of this.#stopWatching) stop()
  }

  #recheck(user: string): void {
    for (const call of this.#byUser.get(user) ?? []) if (!call.identity.isValid()) call.refuse()
  }
}
