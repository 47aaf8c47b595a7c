/**
 * Which hints are told to operators: one and the same seldom, whoever causes it, each client's few, and all of them together within a
 * bound, so that a fleet that is written wrongly says so and does not fill the log.
 */

export interface HintGateLimits {
  /** After this time a text may be told again, to another client. */
  readonly repeatMs: number
  /** Texts within `repeatMs`; those beyond are held back and counted. */
  readonly textsMax: number
  /** Texts of one client, however long it stays; those beyond are held back and counted. */
  readonly perClientMax: number
}

const DEFAULT_LIMITS: HintGateLimits = { repeatMs: 3_600_000, textsMax: 100, perClientMax: 16 }

export class HintGate {
  readonly #limits: HintGateLimits
  /** When a text was told, in that order. */
  readonly #told = new Map<string, number>()
  /** Most clients never cause any. */
  readonly #byClient = new WeakMap<object, Set<string>>()
  #heldBackCount = 0

  constructor(limits: Partial<HintGateLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  /** Texts that were new and not told, since there were too many. */
  get heldBackCount(): number {
    return this.#heldBackCount
  }

  /** True when the text is to be told, and from now on it has been. `client`: the object that stands for it. */
  admits(client: object, text: string, nowMs: number): boolean {
    const { repeatMs, textsMax, perClientMax } = this.#limits
    const own = this.#byClient.get(client)
    if (own?.has(text) === true) return false
    for (const [oldest, atMs] of this.#told) {
      if (nowMs - atMs < repeatMs) break
      this.#told.delete(oldest)
    }
    if (this.#told.has(text)) return false
    if (this.#told.size >= textsMax || (own !== undefined && own.size >= perClientMax)) {
      this.#heldBackCount++
      return false
    }
    this.#told.set(text, nowMs)
    if (own === undefined) this.#byClient.set(client, new Set([text]))
    else own.add(text)
    return true
  }
}
