/**
 * Heads that a client sends over and over: command, headers and empty line of a SEND are compared with the last few, byte by
 * byte, and what was read of them is used again, the handler's memo included. A head ends where its empty line is, so
 * bytes that begin with a known one have exactly that head.
 */
import { FrameHeaders } from './headers.ts'
import type { FrameLimits } from './limits.ts'
import type { StompVersion } from './versions.ts'

/** Destinations that a client alternates between. */
const HEADS_MAX = 4
/** Longer ones seldom come twice, and 20,000 clients may have them. */
const HEAD_BYTES_MAX = 256
/** After so many misses in a row heads are kept only now and then: a client with a receipt in each frame never hits. */
const MISSES_PATIENT = 16
const KEEPS_ONE_IN = 32

/** What a head was read by. */
export interface HeadRules {
  readonly version: StompVersion
  readonly limits: FrameLimits
}

export class HeadCache {
  readonly #heads: Uint8Array[] = []
  readonly #headers: FrameHeaders[] = []
  #misses = 0
  #next = 0
  #version: StompVersion = 12
  #limits: FrameLimits | undefined = undefined
  /** Bytes of the head that was found last. */
  size = 0

  /** Headers of the head at `bytes[start, …)`, which may go on until `end`; undefined when it is none of the known. Hot path. */
  find(bytes: Uint8Array, start: number, end: number, rules: HeadRules): FrameHeaders | undefined {
    if (rules.version !== this.#version || rules.limits !== this.#limits) this.#clear(rules)
    const heads = this.#heads
    const isPatient = this.#misses <= MISSES_PATIENT
    // A client that never hits pays for one comparison; one that begins to repeat itself is noticed a few frames later.
    const first = isPatient ? 0 : this.#misses % HEADS_MAX
    const last = isPatient ? heads.length : Math.min(heads.length, first + 1)
    for (let index = first; index < last; index++) {
      const head = heads[index]!
      const size = head.length
      if (start + size > end) continue
      let at = 0
      while (at < size && head[at] === bytes[start + at]) at++
      if (at < size) continue
      this.size = size
      this.#misses = 0
      return this.#headers[index]!
    }
    this.#misses++
    return undefined
  }

  /** Keeps the head `bytes[start, end)`, which was read without a fault a moment ago. */
  keep(bytes: Uint8Array, start: number, end: number, rules: HeadRules): void {
    if (rules.version !== this.#version || rules.limits !== this.#limits) this.#clear(rules)
    if (end - start > HEAD_BYTES_MAX) return
    if (this.#misses > MISSES_PATIENT && this.#misses % KEEPS_ONE_IN !== 0) return
    const head = new Uint8Array(bytes.subarray(start, end))
    const headers = (this.#headers[this.#next] ??= new FrameHeaders())
    headers.parse(head, 0, head.length, rules.version, rules.limits)
    this.#heads[this.#next] = head
    this.#next = (this.#next + 1) % HEADS_MAX
  }

  /** What was taken by other rules may not be taken by these. */
  #clear({ version, limits }: HeadRules): void {
    this.#heads.length = 0
    this.#headers.length = 0
    this.#next = 0
    this.#version = version
    this.#limits = limits
  }
}
