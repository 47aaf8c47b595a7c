/**
 * Command and headers of one frame, as places in the bytes that came: names and values become strings when somebody asks. The
 * first of several headers of one name counts. [STOMP12-Repeated_Header_Entries-a]
 *
 * Lines end in LF. A CR before it belongs to the line's end in 1.2, in the frames of the login (their sender may speak 1.2), and in a
 * 1.1 or 1.0 frame whose command line ends in CR LF, too: no command ends in CR, so its sender means all its lines. Otherwise
 * it is the last octet of a value, as those versions have it.
 */
import { isUtf8 } from 'node:buffer'

import { Command, COMMAND_LINE_BYTES_MAX, COMMAND_NAMES, type CommandId, commandOf, isOfLogin } from './commands.ts'
import { parseDigits } from './digits.ts'
import { escape, escapingOf, unescape } from './escapes.ts'
import {
  bodyTooLarge,
  lineFault,
  lineTooLong,
  noColonText,
  noNameText,
  nulText,
  rawCrText,
  tooManyHeaderBytes,
  tooManyHeaders,
  undefinedEscape,
  unknownCommand,
  utf8Text,
} from './faults.ts'
import { HEADER_NAMES, HeaderId, headerIdOf, type KnownHeader } from './header-ids.ts'
import type { FrameLimits } from './limits.ts'
import { FrameProblem, type FrameRule, quoteBytes } from './problem.ts'
import { decode, encodeText, isBlank } from './text.ts'
import type { StompVersion } from './versions.ts'

const LF = 10
const CR = 13
const COLON = 58
const BACKSLASH = 92

/** Bytes that are more than themselves in a line: 1 for LF, colon, backslash, CR, NUL and all beyond ASCII. */
const ORDINARY = 0
const KINDS = new Uint8Array(256).fill(1, 0x80)
for (const byte of [LF, COLON, BACKSLASH, CR, 0]) KINDS[byte] = 1

/** Numbers kept of each header: start and end of name and value, from the frame's start, and its id with what was seen in it. */
const NAME_START = 0
const NAME_END = 1
const VALUE_START = 2
const VALUE_END = 3
const MARKS = 4
const PLACE_SIZE = 5
const ID_MASK = 0xff
/** A backslash: of an escape, or of a value without escapes. */
const HAS_BACKSLASH = 0x100
/** Something that 1.2 would have escaped: CR, or a colon in the value. */
const HAS_UNESCAPED = 0x200
/** A byte beyond ASCII. */
const HAS_HIGH = 0x400

const HEADERS_AT_FIRST = 8
/** Room for more is given back after the frame that needed it. */
const HEADERS_KEPT = 64
const NO_BYTES = new Uint8Array(0)

export class FrameHeaders {
  /** 0 before the first `parse`. */
  command: CommandId | 0 = 0
  /** Rules the frame was read by: the session's, but 1.0 for a CONNECT without `accept-version`. [STOMP12-Protocol_Negotiation-a] */
  version: StompVersion = 12
  count = 0
  /** As `content-length` says; -1 without it. */
  contentLength = -1
  /**
   * The handler's: what it made of these headers. It may be there when they come again with other values of `receipt` and `content-length`, so
   * it must not depend on those; undefined after any other change.
   */
  memo: unknown = undefined
  #bytes: Uint8Array = NO_BYTES
  /** First byte of the command in `#bytes`. */
  #base = 0
  #places = new Int32Array(HEADERS_AT_FIRST * PLACE_SIZE)
  #hasEscapes = false
  #stripsCr = false
  /** Marks of all headers. */
  #seen = 0
  /** Index of `content-length`; -1 without one. */
  #lengthAt = -1

  /**
   * Reads command line, headers and empty line at `bytes[start, end)`. Returns where the body begins, -1 when the empty line has not come.
   * Throws FrameProblem, also for a head that is not all there: then the rest of it might prove the fault to be another one.
   * Hot path.
   */
  parse(bytes: Uint8Array, start: number, end: number, version: StompVersion, limits: FrameLimits): number {
    this.#bytes = bytes
    this.#base = start
    this.version = version
    this.command = 0
    this.count = 0
    this.contentLength = -1
    this.memo = undefined
    const headersAt = this.#readCommand(bytes, start, end, version)
    if (headersAt < 0) return -1
    if (this.#places.length > HEADERS_KEPT * PLACE_SIZE) this.#places = new Int32Array(HEADERS_AT_FIRST * PLACE_SIZE)
    this.#seen = 0
    this.#lengthAt = -1
    let lineStart = headersAt
    let bodyStart = 0
    for (;;) {
      if (lineStart >= end) return -1
      if (bytes[lineStart] === LF) {
        bodyStart = lineStart + 1
        break
      }
      if (bytes[lineStart] === CR) {
        if (lineStart + 1 >= end) return -1
        if (bytes[lineStart + 1] === LF) {
          bodyStart = lineStart + 2
          break
        }
      }
      const next = this.#readLine(bytes, lineStart, end, limits)
      if (next < 0) return -1
      lineStart = next
    }
    if (bodyStart - start > limits.maxHeaderBytes) throw tooManyHeaderBytes(this.version, limits, this)
    if ((this.#seen & HAS_HIGH) !== 0) this.#checkUtf8()
    const command: number = this.command
    const isLogin = command === Command.connect || command === Command.stomp
    if (isLogin && this.find(HeaderId.acceptVersion) < 0) this.version = 10
    // 1.0 showed headers with a space after the colon, and its clients send them so; later versions never trim.
    // [STOMP10-SUBSCRIBE-b] [STOMP12-Value_Encoding-e]
    if (this.version === 10) this.#trim()
    if (this.#lengthAt >= 0) this.#readContentLength(limits)
    return bodyStart
  }

  /** The same frame in other memory, its command at `start`. */
  moveTo(bytes: Uint8Array, start: number): void {
    this.#bytes = bytes
    this.#base = start
  }

  /** The same headers but for the sizes of one or two values, in their order; index -1 for none. Hot path. */
  resize(index1: number, size1: number, index2: number, size2: number): void {
    if (index1 < 0) return
    const places = this.#places
    const place1 = index1 * PLACE_SIZE
    const place2 = index2 * PLACE_SIZE
    const change1 = size1 - (places[place1 + VALUE_END]! - places[place1 + VALUE_START]!)
    const change2 = index2 < 0 ? 0 : size2 - (places[place2 + VALUE_END]! - places[place2 + VALUE_START]!)
    if (change1 !== 0) this.#shift(index1, change1)
    if (change2 !== 0) this.#shift(index2, change2)
  }

  /** Moves the end of the value at `index`, and all headers behind it. */
  #shift(index: number, change: number): void {
    const places = this.#places
    const end = this.count * PLACE_SIZE
    places[index * PLACE_SIZE + VALUE_END]! += change
    for (let place = (index + 1) * PLACE_SIZE; place < end; place += PLACE_SIZE) {
      places[place + NAME_START]! += change
      places[place + NAME_END]! += change
      places[place + VALUE_START]! += change
      places[place + VALUE_END]! += change
    }
  }

  /** Whether name and value at `index` are ASCII without anything to look at twice. */
  isPlain(index: number): boolean {
    return (this.#places[index * PLACE_SIZE + MARKS]! & ~ID_MASK) === 0
  }

  /** Where the value at `index` is, from the first byte of the command. */
  valueStartAt(index: number): number {
    return this.#places[index * PLACE_SIZE + VALUE_START]!
  }

  valueEndAt(index: number): number {
    return this.#places[index * PLACE_SIZE + VALUE_END]!
  }

  /** Index of the first header of that name; -1 without one. Hot path. */
  find(id: KnownHeader): number {
    const places = this.#places
    const end = this.count * PLACE_SIZE
    for (let place = MARKS; place < end; place += PLACE_SIZE) {
      if ((places[place]! & ID_MASK) === id) return (place / PLACE_SIZE) | 0
    }
    return -1
  }

  /** How many headers have a number in `mask`. Hot path. */
  countOf(mask: HeaderMask): number {
    const places = this.#places
    const end = this.count * PLACE_SIZE
    let count = 0
    for (let place = MARKS; place < end; place += PLACE_SIZE) count += mask[places[place]! & ID_MASK]!
    return count
  }

  /** Value of the first header of that name. Undefined without one. */
  get(id: KnownHeader): string | undefined {
    const index = this.find(id)
    return index < 0 ? undefined : this.valueAt(index)
  }

  /** As `get`, for any name as a client writes it: `__proto__` is a header like the others. */
  named(name: string): string | undefined {
    for (let index = 0; index < this.count; index++) if (this.nameAt(index) === name) return this.valueAt(index)
    return undefined
  }

  /** Number of the header at `index`, 0 for one without a meaning here. */
  idAt(index: number): KnownHeader | 0 {
    return (this.#places[index * PLACE_SIZE + MARKS]! & ID_MASK) as KnownHeader | 0
  }

  nameAt(index: number): string {
    const id = this.idAt(index)
    return id !== 0 ? HEADER_NAMES[id]! : this.#text(index, NAME_START)
  }

  valueAt(index: number): string {
    return this.#text(index, VALUE_START)
  }

  /** The value at `index` as a whole number of up to 15 digits; -1 for anything else. Hot path. */
  digitsAt(index: number): number {
    const place = index * PLACE_SIZE
    return parseDigits(
      this.#bytes,
      this.#base + this.#places[place + VALUE_START]!,
      this.#base + this.#places[place + VALUE_END]!,
    )
  }

  /** Whether the value at `index` is exactly the ASCII `text`. Hot path. */
  valueIs(index: number, text: string): boolean {
    const start = this.#base + this.#places[index * PLACE_SIZE + VALUE_START]!
    if (this.#places[index * PLACE_SIZE + VALUE_END]! + this.#base - start !== text.length) return false
    for (let at = 0; at < text.length; at++) if (this.#bytes[start + at] !== text.charCodeAt(at)) return false
    return true
  }

  /**
   * The value at `index` as a header of this version is written, in memory of its own: to send it back in another frame, such
   * as `receipt-id`.
   */
  encodedValueAt(index: number): Uint8Array {
    const size = this.encodedBytesAsIs(index)
    if (size >= 0) {
      const value = new Uint8Array(size)
      this.copyValue(index, value, 0)
      return value
    }
    return encodeText(escape(this.valueAt(index), escapingOf(this.version, false), false))
  }

  /** Bytes of what `encodedValueAt` gives, where that is the value as it came and `copyValue` copies it; -1 elsewhere. Hot path. */
  encodedBytesAsIs(index: number): number {
    const place = index * PLACE_SIZE
    const isAsIs = this.version === 10 || (this.#places[place + MARKS]! & HAS_UNESCAPED) === 0
    if (!isAsIs || isOfLogin(this.command)) return -1
    return this.#places[place + VALUE_END]! - this.#places[place + VALUE_START]!
  }

  /** Copies the value at `index` to `target` at `at`, byte for byte. Hot path. */
  copyValue(index: number, target: Uint8Array, at: number): void {
    this.#copy(index * PLACE_SIZE + VALUE_START, target, at)
  }

  /** All headers in the order they came, the first of each name. `skips` leaves out the ones with these numbers. */
  pairs(skips: HeaderMask = SKIPS_NONE): [name: string, value: string][] {
    const pairs = new Map<string, string>()
    for (let index = 0; index < this.count; index++) {
      if (skips[this.idAt(index)] !== 0) continue
      const name = this.nameAt(index)
      if (!pairs.has(name)) pairs.set(name, this.valueAt(index))
    }
    return [...pairs]
  }

  /**
   * The headers that `skips` does not leave out, as lines of STOMP 1.2 in memory of their own, repeated ones included: how
   * a message keeps them. Empty when there are none. Copies bytes where they are such lines already.
   */
  canonicalLines(skips: HeaderMask): Uint8Array {
    const count = this.count
    let size = 0
    let isAsIs = true
    for (let index = 0; index < count; index++) {
      const place = index * PLACE_SIZE
      const marks = this.#places[place + MARKS]!
      if (skips[marks & ID_MASK] !== 0) continue
      if ((marks & HAS_UNESCAPED) !== 0 || (!this.#hasEscapes && (marks & HAS_BACKSLASH) !== 0)) isAsIs = false
      size += 2 + this.#places[place + NAME_END]! - this.#places[place + NAME_START]!
      size += this.#places[place + VALUE_END]! - this.#places[place + VALUE_START]!
    }
    if (size === 0) return NO_BYTES
    if (!isAsIs) return this.#encodeLines(skips)
    const lines = new Uint8Array(size)
    let at = 0
    for (let index = 0; index < count; index++) {
      const place = index * PLACE_SIZE
      if (skips[this.#places[place + MARKS]! & ID_MASK] !== 0) continue
      at = this.#copy(place + NAME_START, lines, at)
      lines[at++] = COLON
      at = this.#copy(place + VALUE_START, lines, at)
      lines[at++] = LF
    }
    return lines
  }

  #encodeLines(skips: HeaderMask): Uint8Array {
    let text = ''
    for (let index = 0; index < this.count; index++) {
      if (skips[this.idAt(index)] !== 0) continue
      text += `${escape(this.nameAt(index), 12, true)}:${escape(this.valueAt(index), 12, false)}\n`
    }
    return encodeText(text)
  }

  #copy(place: number, target: Uint8Array, at: number): number {
    const end = this.#base + this.#places[place + 1]!
    for (let from = this.#base + this.#places[place]!; from < end; from++) target[at++] = this.#bytes[from]!
    return at
  }

  /** Name or value as a string. */
  #text(index: number, which: number): string {
    const place = index * PLACE_SIZE
    const marks = this.#places[place + MARKS]!
    const start = this.#base + this.#places[place + which]!
    const end = this.#base + this.#places[place + which + 1]!
    const text = decode(this.#bytes, start, end, (marks & HAS_HIGH) === 0)
    return this.#hasEscapes && (marks & HAS_BACKSLASH) !== 0 ? unescape(text) : text
  }

  /** Sets command and how lines are read. Returns where the headers begin, -1 when the line is not all there. */
  #readCommand(bytes: Uint8Array, start: number, end: number, version: StompVersion): number {
    const searchEnd = Math.min(end, start + COMMAND_LINE_BYTES_MAX)
    let at = start
    while (at < searchEnd && bytes[at] !== LF) at++
    if (at === searchEnd && at < start + COMMAND_LINE_BYTES_MAX) return -1
    const endsInCr = at > start && bytes[at - 1] === CR
    this.command = at === searchEnd ? 0 : commandOf(bytes, start, endsInCr ? at - 1 : at)
    if (this.command === 0) throw unknownCommand(bytes, start, endsInCr ? at - 1 : at, version)
    const isLogin = isOfLogin(this.command)
    this.#hasEscapes = version !== 10 && !isLogin
    this.#stripsCr = version === 12 || isLogin || endsInCr
    return at + 1
  }

  /** One header line at `start`. Returns where the next begins, -1 when this one is not all there. Hot path. */
  #readLine(bytes: Uint8Array, start: number, end: number, limits: FrameLimits): number {
    let marks = 0
    let nameEnd = -1
    let at = start
    for (;;) {
      let byte = 0
      // Most bytes are small letters, none of which is more than itself: to compare them is quicker than to look them up.
      while (at < end && (((byte = bytes[at]!) - 0x5d) >>> 0 < 0x80 - 0x5d || KINDS[byte] === ORDINARY)) at++
      if (at >= end) return -1
      if (byte === LF) break
      if (byte === COLON) {
        if (nameEnd < 0) nameEnd = at
        // A colon in a value ought to be escaped. Many clients do not, and nobody can take it for something else.
        else marks |= HAS_UNESCAPED
        at++
        continue
      }
      const found = this.#readSpecial(bytes, start, end, nameEnd, at)
      if (found < 0) return -1
      marks |= found
      at += found === HAS_BACKSLASH && this.#hasEscapes ? 2 : 1
    }
    const lineEnd = this.#stripsCr && bytes[at - 1] === CR ? at - 1 : at
    if (nameEnd < 0) throw lineFault(this, 'header-without-colon', bytes, start, -1, lineEnd, noColonText)
    if (nameEnd === start) throw lineFault(this, 'header-without-name', bytes, start, -1, lineEnd, noNameText)
    if (at + 1 - start > limits.maxHeaderLineBytes) throw lineTooLong(this, bytes, start, nameEnd, limits)
    if (this.count >= limits.maxHeaders) throw tooManyHeaders(this.version, limits, this)
    const place = this.count * PLACE_SIZE
    if (place === this.#places.length) this.#grow()
    const places = this.#places
    const base = this.#base
    places[place + NAME_START] = start - base
    places[place + NAME_END] = nameEnd - base
    places[place + VALUE_START] = nameEnd + 1 - base
    places[place + VALUE_END] = lineEnd - base
    const id = headerIdOf(bytes, start, nameEnd)
    places[place + MARKS] = id | marks
    if (id === HeaderId.contentLength && this.#lengthAt < 0) this.#lengthAt = this.count
    this.count++
    this.#seen |= marks
    return at + 1
  }

  /**
   * A byte that may mean more than itself. Returns what it marks the header with, -1 when its meaning depends on bytes that have not
   * come.
   */
  #readSpecial(bytes: Uint8Array, start: number, end: number, nameEnd: number, at: number): number {
    const byte = bytes[at]!
    if (byte >= 0x80) return HAS_HIGH
    if (byte === 0) throw lineFault(this, 'nul-in-headers', bytes, start, nameEnd, at, nulText)
    if (byte === BACKSLASH && !this.#hasEscapes) return HAS_BACKSLASH
    if (at + 1 >= end) return -1
    if (byte === BACKSLASH) {
      if (!this.#isEscape(bytes[at + 1]!)) throw undefinedEscape(this, bytes, start, nameEnd, at + 1)
      return HAS_BACKSLASH
    }
    if (bytes[at + 1] === LF && this.#stripsCr) return 0
    if (this.#hasEscapes && this.version === 12)
      throw lineFault(this, 'raw-carriage-return', bytes, start, nameEnd, at + 1, rawCrText)
    return HAS_UNESCAPED
  }

  #isEscape(letter: number): boolean {
    // n, c, backslash; r in 1.2 only. [STOMP11-Value_Encoding-d] [STOMP12-Value_Encoding-d]
    return letter === 0x6e || letter === 0x63 || letter === BACKSLASH || (letter === 0x72 && this.version === 12)
  }

  #grow(): void {
    const larger = new Int32Array(this.#places.length * 2)
    larger.set(this.#places)
    this.#places = larger
  }

  #trim(): void {
    const places = this.#places
    for (let place = 0; place < this.count * PLACE_SIZE; place += PLACE_SIZE) {
      let start = places[place + VALUE_START]!
      let end = places[place + VALUE_END]!
      while (start < end && isBlank(this.#bytes[this.#base + start]!)) start++
      while (end > start && isBlank(this.#bytes[this.#base + end - 1]!)) end--
      places[place + VALUE_START] = start
      places[place + VALUE_END] = end
    }
  }

  #readContentLength(limits: FrameLimits): void {
    const index = this.#lengthAt
    const start = this.#base + this.#places[index * PLACE_SIZE + VALUE_START]!
    const end = this.#base + this.#places[index * PLACE_SIZE + VALUE_END]!
    const value = parseDigits(this.#bytes, start, end)
    if (value < 0) {
      const shown = quoteBytes(this.#bytes, start, end)
      const text = `header content-length: ${shown} is not a number of octets; write digits only, without sign, space or unit`
      throw this.problem('malformed-content-length', text, 'content-length')
    }
    if (value > limits.maxBodyBytes) throw bodyTooLarge(this, value, limits)
    this.contentLength = value
  }

  #checkUtf8(): void {
    for (let index = 0; index < this.count; index++) {
      const place = index * PLACE_SIZE
      if ((this.#places[place + MARKS]! & HAS_HIGH) === 0) continue
      const start = this.#base + this.#places[place + NAME_START]!
      const end = this.#base + this.#places[place + VALUE_END]!
      if (isUtf8(this.#bytes.subarray(start, end))) continue
      const nameEnd = this.#base + this.#places[place + NAME_END]!
      throw lineFault(this, 'invalid-utf8', this.#bytes, start, nameEnd, end, utf8Text)
    }
  }

  /** With the frame's command and receipt, as far as they were read. */
  problem(rule: FrameRule, text: string, header: string | undefined): FrameProblem {
    const command = COMMAND_NAMES[this.command]!
    return new FrameProblem({ rule, version: this.version, text, header, command, receipt: this.get(HeaderId.receipt) })
  }
}

/** 1 at the number of each header that is left out, at 0 for those without a number. */
export type HeaderMask = Uint8Array

const SKIPS_NONE: HeaderMask = new Uint8Array(HEADER_NAMES.length)

/** A mask of these headers. */
export function headerMask(ids: readonly KnownHeader[]): HeaderMask {
  const mask = new Uint8Array(HEADER_NAMES.length)
  for (const id of ids) mask[id] = 1
  return mask
}
