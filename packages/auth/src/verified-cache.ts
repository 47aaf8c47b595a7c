/**
 * Remembers which logins were right, so that a fleet that reconnects is not hashed again.
 *
 * Safe because: an entry is an HMAC under a key that never leaves this process, over name, verifier and password, so it
 * says nothing without the key, only the right password finds it, and a new password (a new verifier) misses it; only
 * successes are kept; size and lifetime are bounded. What it costs: whoever reads the memory of the process finds key
 * and entries together and can then try passwords faster than scrypt allows. `entriesMax: 0` switches it off.
 */
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '@ternmq/core'
import { VERIFIED_ENTRIES_MAX, VERIFIED_LIFETIME_MS } from './limits.ts'

export interface VerifiedCacheOptions {
  readonly clock: Pick<Clock, 'monoMs'>
  /** Beyond it the oldest entry is forgotten. 0 keeps nothing. */
  readonly entriesMax?: number
  /** An entry is forgotten this many ms after the hash that made it; finding it does not make it younger. */
  readonly lifetimeMs?: number
}

/** Block of SHA-256 in bytes. A key of that length enters HMAC as it is. */
const KEY_BYTES = 64

export class VerifiedCache {
  readonly #innerKey: Uint8Array
  readonly #outerKey: Uint8Array
  readonly #clock: Pick<Clock, 'monoMs'>
  readonly #entriesMax: number
  readonly #lifetimeMs: number
  /** Tag → monotonic ms of its end. All live equally long, so map order is the order of their ends. */
  readonly #endsAtMs = new Map<string, number>()

  constructor(options: VerifiedCacheOptions, key: Uint8Array = randomBytes(KEY_BYTES)) {
    this.#innerKey = key.map((byte) => byte ^ 0x36)
    this.#outerKey = key.map((byte) => byte ^ 0x5c)
    this.#clock = options.clock
    this.#entriesMax = options.entriesMax ?? VERIFIED_ENTRIES_MAX
    this.#lifetimeMs = options.lifetimeMs ?? VERIFIED_LIFETIME_MS
  }

  get size(): number {
    return this.#endsAtMs.size
  }

  /**
   * Name of one combination: an HMAC (RFC 2104), from two plain hashes because Node's Hmac object costs several times as
   * much (a remembered login took 18 µs with it, 5 without) and a fleet reconnects thousands of times a second.
   * Comparing tags needs no constant time: without the key nobody can aim at one.
   */
  tagOf(username: string, verifier: string, password: Uint8Array): string {
    // Lengths in front: no two combinations run together into the same bytes.
    const head = Buffer.from(`${username.length}:${verifier.length}:${username}${verifier}`)
    const inner = hash('sha256', Buffer.concat([this.#innerKey, head, password]), 'buffer')
    return hash('sha256', Buffer.concat([this.#outerKey, inner]), 'base64')
  }

  has(tag: string): boolean {
    const endsAtMs = this.#endsAtMs.get(tag)
    return endsAtMs !== undefined && this.#clock.monoMs() < endsAtMs
  }

  add(tag: string): void {
    const nowMs = this.#clock.monoMs()
    this.#endsAtMs.delete(tag)
    this.#endsAtMs.set(tag, nowMs + this.#lifetimeMs)
    for (const [oldest, endsAtMs] of this.#endsAtMs) {
      if (endsAtMs > nowMs && this.#endsAtMs.size <= this.#entriesMax) break
      this.#endsAtMs.delete(oldest)
    }
  }
}
