/**
 * Heads that a client sends over and over: command, headers and empty line of a SEND are compared with the last few, byte by
 * byte, and what was read of them is used again, the handler's memo included. A head ends where its empty line is, so
 * bytes that begin with a known one have exactly that head.
 *
 * The values of `receipt` and `content-length` may differ: clients count the one up and the other with the body. They are
 * gaps in a known head, and are read anew.
 */
import { parseDigits } from './digits.ts'
import { HeaderId } from './header-ids.ts'
import { FrameHeaders } from './headers.ts'
import type { FrameLimits } from './limits.ts'
import type { StompVersion } from './versions.ts'

/** Destinations that a client alternates between. */
const HEADS_MAX = 4
/** Longer ones seldom come twice, and 20,000 clients may have them. */
const HEAD_BYTES_MAX = 256
/** After so many misses in a row heads are kept only now and then: a client whose other headers change never hits. */
const MISSES_PATIENT = 16
const KEEPS_ONE_IN = 32

/** What a head was read by. */
export interface HeadRules {
  readonly version: StompVersion
  readonly limits: FrameLimits
}

/** A value that may differ: the header's index, and where its value is in the known head. */
interface Gap {
  readonly index: number
  readonly start: number
  readonly end: number
}

interface KnownHead {
  readonly bytes: Uint8Array
  /** In the order of the head; without one both are its end. */
  readonly gap1: Gap
  readonly gap2: Gap
  readonly headers: FrameHeaders
}

export class HeadCache {
  readonly #heads: KnownHead[] = []
  #misses = 0
  #next = 0
  #version: StompVersion = 12
  #limits: FrameLimits | undefined = undefined
  /** Bytes of the head that was found last. */
  size = 0

  /**
   * Headers of the head at `bytes[start, …)`, which may go on until `end`; undefined when it is none of the known. They lie in `bytes`
   * from then on. Hot path.
   */
  find(bytes: Uint8Array, start: number, end: number, rules: HeadRules): FrameHeaders | undefined {
    if (rules.version !== this.#version || rules.limits !== this.#limits) this.#clear(rules)
    const heads = this.#heads
    const isPatient = this.#misses <= MISSES_PATIENT
    // A client that never hits pays for one comparison; one that begins to repeat itself is noticed a few frames later.
    const first = isPatient ? 0 : this.#misses % HEADS_MAX
    const last = isPatient ? heads.length : Math.min(heads.length, first + 1)
    for (let index = first; index < last; index++) {
      const head = heads[index]!
      if (!this.#begins(head, bytes, start, end, rules.limits)) continue
      this.#misses = 0
      return head.headers
    }
    this.#misses++
    return undefined
  }

  /** Whether `bytes[start, end)` begins with the head; takes the values of its gaps then. Hot path. */
  #begins(head: KnownHead, bytes: Uint8Array, start: number, end: number, limits: FrameLimits): boolean {
    const { bytes: known, gap1, gap2, headers } = head
    let at = start
    let from = 0
    for (; from < gap1.start; from++, at++) if (at >= end || known[from] !== bytes[at]) return false
    const start1 = at
    if (gap1.index >= 0) while (at < end && isWord(bytes[at]!)) at++
    const end1 = at
    for (from = gap1.end; from < gap2.start; from++, at++) if (at >= end || known[from] !== bytes[at]) return false
    const start2 = at
    if (gap2.index >= 0) while (at < end && isWord(bytes[at]!)) at++
    const end2 = at
    for (from = gap2.end; from < known.length; from++, at++) if (at >= end || known[from] !== bytes[at]) return false
    const size = at - start
    // A head that may be beyond a limit is for the parser to judge.
    if (size > HEAD_BYTES_MAX || size > limits.maxHeaderBytes || size > limits.maxHeaderLineBytes) return false
    if (!takeGap(headers, gap1, bytes, start1, end1, limits)) return false
    if (!takeGap(headers, gap2, bytes, start2, end2, limits)) return false
    headers.resize(gap1.index, end1 - start1, gap2.index, end2 - start2)
    headers.moveTo(bytes, start)
    this.size = size
    return true
  }

  /** Keeps the head `bytes[start, end)`, which was read without a fault a moment ago. */
  keep(bytes: Uint8Array, start: number, end: number, rules: HeadRules): void {
    if (rules.version !== this.#version || rules.limits !== this.#limits) this.#clear(rules)
    if (end - start > HEAD_BYTES_MAX) return
    if (this.#misses > MISSES_PATIENT && this.#misses % KEEPS_ONE_IN !== 0) return
    const head = new Uint8Array(bytes.subarray(start, end))
    const headers = this.#heads[this.#next]?.headers ?? new FrameHeaders()
    headers.parse(head, 0, head.length, rules.version, rules.limits)
    const gaps = gapsOf(headers)
    const none: Gap = { index: -1, start: head.length, end: head.length }
    this.#heads[this.#next] = { bytes: head, gap1: gaps[0] ?? none, gap2: gaps[1] ?? none, headers }
    this.#next = (this.#next + 1) % HEADS_MAX
  }

  /** What was taken by other rules may not be taken by these. */
  #clear({ version, limits }: HeadRules): void {
    this.#heads.length = 0
    this.#next = 0
    this.#version = version
    this.#limits = limits
  }
}

function gapsOf(headers: FrameHeaders): Gap[] {
  return [HeaderId.receipt, HeaderId.contentLength]
    .map((id) => headers.find(id))
    .filter((index) => index >= 0 && headers.isPlain(index))
    .map((index) => ({ index, start: headers.valueStartAt(index), end: headers.valueEndAt(index) }))
    .toSorted((one, other) => one.start - other.start)
}

/** False for a length that the parser has to judge. */
function takeGap(
  headers: FrameHeaders,
  gap: Gap,
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: FrameLimits,
): boolean {
  if (gap.index < 0 || headers.idAt(gap.index) !== HeaderId.contentLength) return true
  const length = parseDigits(bytes, start, end)
  if (length < 0 || length > limits.maxBodyBytes) return false
  headers.contentLength = length
  return true
}

/** Visible ASCII without a colon and a backslash: what a value has that needs no second look. */
function isWord(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== 0x3a && byte !== 0x5c
}
