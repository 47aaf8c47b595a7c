/**
 * Slows down who guesses passwords. After some failed logins of one user name from one address that pair has to wait, each time twice as
 * long; after many from one address, whatever the names, the address has to. While one waits nothing is checked, so that a guess is worth
 * nothing. It is the pair that waits and not the user: nobody can keep a user out by failing somewhere else. Behind an address that many
 * share (a proxy), pairs that have logged in before do not wait for what others there do. Nor does anybody on the broker's own machine: all
 * of its users have one address, and one of them who guesses must not keep out the others; what is tried there is paced then.
 *
 * Unknown names are counted as known ones are: a wait says nothing about who exists.
 */
import type { Clock } from '@ternmq/core'
import { fairnessKey } from './hash-queue.ts'
import { GUARDED_ADDRESSES_MAX, GUARDED_PAIRS_MAX, RIGHT_PAIRS_MAX } from './limits.ts'

export interface LockOutSettings {
  /** Failed logins of one user from one address until they wait; 0 switches all of it off. */
  readonly attempts: number
  /** Failures longer ago than this are forgotten. */
  readonly windowMs: number
  /** First wait; each further failure doubles it. */
  readonly waitMs: number
  readonly waitMaxMs: number
}

/** A wait has begun. */
export interface LockOut {
  /** undefined: all of the address, whatever the user. */
  readonly user: string | undefined
  readonly address: string
  readonly failedCount: number
  readonly waitMs: number
  /** So long logins are not refused, but paced. */
  readonly isPaced: boolean
}

export interface LoginGuardOptions {
  readonly clock: Pick<Clock, 'monoMs'>
  readonly settings: LockOutSettings
  readonly onLockOut?: (lockOut: LockOut) => void
}

/** Why a login is not tried. `locked`: after failures; `crowded`: as many are being checked as may fail. */
export type Hold = { readonly kind: 'locked'; readonly waitMs: number } | { readonly kind: 'crowded' }

interface Tally {
  failedCount: number
  /** Monotonic ms; then it is forgotten, with its waits. */
  endsAtMs: number
  lockedUntilMs: number
  /** Of the latest wait; 0 before the first. */
  waitMs: number
  /** Being checked. */
  triedCount: number
  /** Of an address that is paced: when the next may be tried. */
  pacedUntilMs: number
}

/** An address has as many attempts as this many users. */
export const ADDRESS_FACTOR = 10

/** Between two logins that are tried from the broker's own machine while others there have failed too often. */
export const PACE_MS = 1_000

export class LoginGuard {
  readonly #clock: Pick<Clock, 'monoMs'>
  readonly #onLockOut: (lockOut: LockOut) => void
  #settings: LockOutSettings
  /** By user and address; the one that failed longest ago first. */
  readonly #pairs = new Map<string, Tally>()
  readonly #addresses = new Map<string, Tally>()
  /** Pairs that have logged in; the one that did longest ago first. */
  readonly #right = new Set<string>()
  #lockOutCount = 0

  constructor({ clock, settings, onLockOut = ignore }: LoginGuardOptions) {
    this.#clock = clock
    this.#settings = settings
    this.#onLockOut = onLockOut
  }

  /** Waits that have begun since the start. */
  get lockOutCount(): number {
    return this.#lockOutCount
  }

  /** From now on; waits that have begun go on, unless it is switched off. */
  use(settings: LockOutSettings): void {
    this.#settings = settings
    if (settings.attempts > 0) return
    this.#pairs.clear()
    this.#addresses.clear()
  }

  /** Why this login must not be checked now; undefined when it may. `user` is undefined for a name that nobody can have. */
  holds(user: string | undefined, address: string): Hold | undefined {
    const { attempts } = this.#settings
    if (attempts === 0) return undefined
    const nowMs = this.#clock.monoMs()
    const network = fairnessKey(address)
    const key = user === undefined ? undefined : pairKey(user, network)
    const pair = key === undefined ? undefined : this.#known(this.#pairs, key, nowMs)
    if (pair !== undefined && pair.lockedUntilMs > nowMs) return { kind: 'locked', waitMs: pair.lockedUntilMs - nowMs }
    const whole = this.#known(this.#addresses, network, nowMs)
    if (whole !== undefined && whole.lockedUntilMs > nowMs && (key === undefined || !this.#right.has(key))) {
      const untilMs = isThisMachine(network) ? whole.pacedUntilMs : whole.lockedUntilMs
      if (untilMs > nowMs) return { kind: 'locked', waitMs: untilMs - nowMs }
    }
    return pair !== undefined && pair.triedCount > 0 && pair.failedCount + pair.triedCount >= attempts
      ? { kind: 'crowded' }
      : undefined
  }

  /** A check begins that takes its time; one of `onFailed`, `onRight` and `onGivenUp` follows. */
  onTried(user: string, address: string): void {
    if (this.#settings.attempts === 0) return
    const network = fairnessKey(address)
    this.#tally(this.#pairs, pairKey(user, network), GUARDED_PAIRS_MAX).triedCount++
    this.#pace(network)
  }

  /** It was not checked in the end. */
  onGivenUp(user: string, address: string): void {
    this.#endTry(user, fairnessKey(address))
  }

  /** The password was wrong, or there is no such user. */
  onFailed(user: string | undefined, address: string): void {
    const { attempts } = this.#settings
    if (attempts === 0) return
    const network = fairnessKey(address)
    if (user !== undefined) {
      this.#endTry(user, network)
      this.#count(this.#tally(this.#pairs, pairKey(user, network), GUARDED_PAIRS_MAX), attempts, user, address)
    }
    const whole = this.#tally(this.#addresses, network, GUARDED_ADDRESSES_MAX)
    this.#pace(network)
    // Many others may be there: one failure more is no reason for the next wait.
    if (this.#count(whole, attempts * ADDRESS_FACTOR, undefined, address)) whole.failedCount = 0
  }

  /** The pair begins anew. What has failed at its address stays: whoever has one good login must not buy guesses with it. */
  onRight(user: string, address: string): void {
    const key = pairKey(user, fairnessKey(address))
    this.#pairs.delete(key)
    this.#right.delete(key)
    this.#right.add(key)
    if (this.#right.size > RIGHT_PAIRS_MAX) for (const oldest of this.#right) return void this.#right.delete(oldest)
  }

  /** The user has another password, or is gone: what failed with the old one counts no more, and what was right neither. */
  forgetUser(user: string): void {
    const start = pairKey(user, '')
    for (const key of this.#pairs.keys()) if (key.startsWith(start)) this.#pairs.delete(key)
    for (const key of this.#right) if (key.startsWith(start)) this.#right.delete(key)
  }

  #pace(network: string): void {
    const whole = this.#addresses.get(network)
    if (whole !== undefined) whole.pacedUntilMs = this.#clock.monoMs() + PACE_MS
  }

  #endTry(user: string, network: string): void {
    const pair = this.#pairs.get(pairKey(user, network))
    if (pair !== undefined && pair.triedCount > 0) pair.triedCount--
  }

  /** True when a wait begins with it. */
  #count(tally: Tally, attempts: number, user: string | undefined, address: string): boolean {
    const { waitMs, waitMaxMs, windowMs } = this.#settings
    const nowMs = this.#clock.monoMs()
    tally.failedCount++
    if (tally.failedCount < attempts || tally.lockedUntilMs > nowMs) return false
    tally.waitMs = tally.waitMs === 0 ? waitMs : Math.min(tally.waitMs * 2, waitMaxMs)
    tally.lockedUntilMs = nowMs + tally.waitMs
    tally.endsAtMs = tally.lockedUntilMs + windowMs
    this.#lockOutCount++
    const isPaced = user === undefined && isThisMachine(fairnessKey(address))
    this.#onLockOut({ user, address, failedCount: tally.failedCount, waitMs: tally.waitMs, isPaced })
    return true
  }

  /** Undefined when there is nothing to know any more: it is forgotten then. */
  #known(tallies: Map<string, Tally>, key: string, nowMs: number): Tally | undefined {
    const tally = tallies.get(key)
    if (tally === undefined || tally.triedCount > 0 || nowMs < tally.endsAtMs) return tally
    tallies.delete(key)
    return undefined
  }

  /** The one with that key, as the latest. */
  #tally(tallies: Map<string, Tally>, key: string, sizeMax: number): Tally {
    const nowMs = this.#clock.monoMs()
    const fresh = {
      failedCount: 0,
      endsAtMs: nowMs + this.#settings.windowMs,
      lockedUntilMs: 0,
      waitMs: 0,
      triedCount: 0,
      pacedUntilMs: 0,
    }
    const tally = this.#known(tallies, key, nowMs) ?? fresh
    tallies.delete(key)
    tallies.set(key, tally)
    for (const oldest of tallies.keys()) {
      if (tallies.size <= sizeMax) break
      tallies.delete(oldest)
    }
    return tally
  }
}

/** No name holds a NUL. */
function pairKey(user: string, network: string): string {
  return `${user}\0${network}`
}

/** As `fairnessKey` writes it. */
function isThisMachine(network: string): boolean {
  return network.startsWith('127.') || network === LOOPBACK_NETWORK
}

const LOOPBACK_NETWORK: string = fairnessKey('::1')

function ignore(): void {}
