/**
 * Cuts the byte stream of one connection into frames. Frames are handed out where they lie in the transport's buffer; only one
 * that is split over reads is put together in memory of its own, and every byte of it is looked at once, however it comes.
 * How long a frame may take to come is for the connection to limit.
 */
import { HeldInput } from '@ternmq/core'
import { Command, COMMAND_LINE_BYTES_MAX, commandOf, mayHaveBody } from './commands.ts'
import { bodyTooLarge, lineTooLongText, tooManyHeaderBytes, tooManyHeaders, unknownCommand } from './faults.ts'
import { HeadCache } from './head-cache.ts'
import { FrameHeaders } from './headers.ts'
import { type FrameLimits, HELD_BYTES_MAX } from './limits.ts'
import { FrameProblem, quoteBytes } from './problem.ts'
import type { StompVersion } from './versions.ts'

export interface FrameSink {
  readonly limits: FrameLimits
  /** Of the session; 12 before the login. Asked again for every frame. */
  readonly version: StompVersion
  /**
   * One frame with the body `bytes[bodyStart, bodyEnd)`. Headers and bytes are only good during the call. False when no
   * further frame may come now: the rest is kept for `resume`.
   */
  onFrame(headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean
}

const LF = 10
const CR = 13
/** A NUL that is nearer than this is found quicker by a loop than by a call. */
const NEAR_BYTES = 48

/** Where `#scanHead` is: within a line, at its first byte, behind a CR that is its first byte. */
const IN_LINE = 0
const AT_LINE_START = 1
const BEHIND_CR = 2

export class FrameSplitter {
  /** Line ends that came between frames: heart-beats, and what clients put behind a frame. */
  lineEndCount = 0
  /** The beginning of a frame whose end has not come, or everything that came while the sink was busy. */
  readonly #held = new HeldInput()
  #isHeld = false
  /** Of the frame in `#held`, once its head is complete. Its offsets are from the beginning of `#held`. */
  #headers: FrameHeaders | undefined = undefined
  #bodyStart = 0
  /** While its head is incomplete: how far it was looked through. */
  #scan = AT_LINE_START
  #lineBytes = 0
  #lineCount = 0
  /** For heads that are not in the cache. */
  #scratch: FrameHeaders | undefined = undefined
  #cache: HeadCache | undefined = undefined

  /** Hot path. Throws FrameProblem; nothing may be read after that. */
  read(chunk: Uint8Array, sink: FrameSink): void {
    if (this.#isHeld) return this.#hold(chunk, 0, sink)
    const size = chunk.length
    let at = this.#held.length > 0 ? this.#completeRest(chunk, sink) : 0
    while (at < size && !this.#isHeld) {
      const byte = chunk[at]!
      if (byte === LF || byte === CR) {
        // A CR may come in one read and its LF in the next: which of them stands here says nothing.
        at++
        if (byte === LF) this.lineEndCount++
        continue
      }
      const headers = this.#headAt(chunk, at, size, sink)
      if (headers === undefined) return this.#startRest(chunk, at, sink)
      const bodyStart = headBodyStart
      const bodyEnd = findBodyEnd(headers, chunk, bodyStart, bodyStart, size, sink.limits)
      if (bodyEnd < 0) {
        this.#headers = headers
        this.#bodyStart = bodyStart - at
        this.#held.append(chunk, at, size, this.#sizeMax(headers, sink.limits))
        return
      }
      at = bodyEnd + 1
      if (bodyEnd > bodyStart) checkBodyAllowed(headers, chunk, bodyStart, bodyEnd)
      if (!sink.onFrame(headers, chunk, bodyStart, bodyEnd)) this.#isHeld = true
    }
    if (at < size) this.#hold(chunk, at, sink)
  }

  /** The sink takes frames again. */
  resume(sink: FrameSink): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    const held = this.#held.beginResume()
    if (held === undefined) return
    this.read(held, sink)
    this.#held.endResume()
  }

  /** Nothing more will be read. */
  clear(): void {
    this.#held.clear()
    this.#headers = undefined
    this.#scratch = undefined
    this.#cache = undefined
  }

  /** Memory of the beginning of a frame, or of what came while the sink was busy. */
  get heldBytes(): number {
    return this.#held.memoryBytes
  }

  /** True while a frame has begun and not ended: its time is running. */
  get isWithinFrame(): boolean {
    return this.#held.length > 0 && !this.#isHeld
  }

  /** The complete head at `at`; undefined when its empty line has not come. Sets `headBodyStart`. Hot path. */
  #headAt(chunk: Uint8Array, at: number, size: number, sink: FrameSink): FrameHeaders | undefined {
    const known = this.#cache?.find(chunk, at, size, sink)
    if (known !== undefined) {
      headBodyStart = at + this.#cache!.size
      return known
    }
    const headers = (this.#scratch ??= new FrameHeaders())
    try {
      headBodyStart = headers.parse(chunk, at, size, sink.version, sink.limits)
    } catch (error) {
      // What is wrong with a head must not depend on how it was cut into reads: as long as it is incomplete, `#scanHead` judges.
      if (!(error instanceof FrameProblem) || error.rule === 'unknown-command' || hasEmptyLine(chunk, at, size))
        throw error
      return undefined
    }
    if (headBodyStart < 0) return undefined
    if (headers.command === Command.send) (this.#cache ??= new HeadCache()).keep(chunk, at, headBodyStart, sink)
    return headers
  }

  #startRest(chunk: Uint8Array, at: number, sink: FrameSink): void {
    this.#scan = IN_LINE
    this.#lineBytes = 0
    this.#lineCount = 0
    this.#scanHead(chunk, at, sink)
    this.#held.append(chunk, at, chunk.length, sink.limits.maxHeaderBytes)
    this.#checkHeadBytes(sink)
  }

  /** Adds what the first frame still needs and hands it out. Returns how much of the chunk that took. */
  #completeRest(chunk: Uint8Array, sink: FrameSink): number {
    let at = 0
    if (this.#headers === undefined) {
      at = this.#scanHead(chunk, 0, sink)
      this.#held.append(chunk, 0, at, sink.limits.maxHeaderBytes)
      this.#checkHeadBytes(sink)
      if (this.#scan !== HEAD_ENDED) return at
      const headers = (this.#scratch ??= new FrameHeaders())
      this.#bodyStart = headers.parse(this.#held.bytes!, 0, this.#held.length, sink.version, sink.limits)
      this.#headers = headers
    }
    const headers = this.#headers
    headers.moveTo(this.#held.bytes!, 0)
    // From here on `#held` holds the head and the body as far as it has come.
    const bodyHere = at - (this.#held.length - this.#bodyStart)
    const bodyEnd = findBodyEnd(headers, chunk, bodyHere, at, chunk.length, sink.limits)
    const taken = bodyEnd < 0 ? chunk.length : bodyEnd + 1
    this.#held.append(chunk, at, taken, this.#sizeMax(headers, sink.limits))
    if (bodyEnd < 0) return taken
    const end = this.#held.length - 1
    const bytes = this.#held.take()
    this.#headers = undefined
    headers.moveTo(bytes, 0)
    if (end > this.#bodyStart) checkBodyAllowed(headers, bytes, this.#bodyStart, end)
    if (!sink.onFrame(headers, bytes, this.#bodyStart, end)) this.#isHeld = true
    return taken
  }

  /**
   * Goes on looking for the empty line of a head that comes in pieces. Returns where it ends, or `chunk.length`. Judges only what
   * more bytes cannot mend: limits, a NUL, a command that is none.
   */
  #scanHead(chunk: Uint8Array, start: number, sink: FrameSink): number {
    const { limits } = sink
    let scan = this.#scan
    let lineBytes = this.#lineBytes
    let at = start
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === LF) {
        if (scan !== IN_LINE) {
          this.#scan = HEAD_ENDED
          return at + 1
        }
        this.#checkLine(chunk, start, at, lineBytes + 1, sink)
        this.#lineCount++
        lineBytes = 0
        scan = AT_LINE_START
        continue
      }
      if (byte === 0) throw nulInHead(sink.version)
      scan = scan === AT_LINE_START && byte === CR ? BEHIND_CR : IN_LINE
      lineBytes++
      // The line needs one byte more at least, its LF.
      if (this.#lineCount > 0 && lineBytes >= limits.maxHeaderLineBytes) throw lineTooLong(sink)
    }
    if (this.#lineCount === 0 && lineBytes >= COMMAND_LINE_BYTES_MAX) this.#refuseCommand(chunk, start, at, sink)
    this.#scan = scan
    this.#lineBytes = lineBytes
    return at
  }

  /** A line of the head has ended at `chunk[at]`; `start` is where the chunk's part of the head begins. */
  #checkLine(chunk: Uint8Array, start: number, at: number, lineBytes: number, { limits, version }: FrameSink): void {
    if (this.#lineCount === 0) {
      const line = this.#commandLine(chunk, start, at)
      const end = line.at(-1) === CR ? line.length - 1 : line.length
      if (commandOf(line, 0, end) === 0) throw unknownCommand(line, 0, end, version)
      return
    }
    if (lineBytes > limits.maxHeaderLineBytes) throw lineTooLong({ limits, version })
    if (this.#lineCount > limits.maxHeaders) throw tooManyHeaders(version, limits)
  }

  #refuseCommand(chunk: Uint8Array, start: number, at: number, sink: FrameSink): never {
    const line = this.#commandLine(chunk, start, at)
    throw unknownCommand(line, 0, line.length, sink.version)
  }

  /** The command line up to `chunk[at]`; its beginning may be in `#held`. */
  #commandLine(chunk: Uint8Array, start: number, at: number): Uint8Array {
    const before = this.#held.bytes?.subarray(0, this.#held.length) ?? new Uint8Array(0)
    return Buffer.concat([before, chunk.subarray(start, at)])
  }

  #checkHeadBytes({ limits, version }: FrameSink): void {
    const isOver =
      this.#scan === HEAD_ENDED ? this.#held.length > limits.maxHeaderBytes : this.#held.length >= limits.maxHeaderBytes
    if (isOver) throw tooManyHeaderBytes(version, limits)
  }

  #hold(chunk: Uint8Array, at: number, { version }: FrameSink): void {
    if (this.#held.length + chunk.length - at > HELD_BYTES_MAX) {
      const text = `more than ${HELD_BYTES_MAX} bytes were sent ahead of a frame that is being worked on; wait for its receipt`
      throw new FrameProblem({ rule: 'too-much-ahead', version, text })
    }
    this.#held.hold(chunk, at, true, 2 * HELD_BYTES_MAX) // twice: one near its bound must not be moved for each frame
  }

  /** The most that the frame in `#held` can need. */
  #sizeMax(headers: FrameHeaders, limits: FrameLimits): number {
    return this.#bodyStart + 1 + (headers.contentLength < 0 ? limits.maxBodyBytes : headers.contentLength)
  }
}

/** `#scan` when the empty line was found. */
const HEAD_ENDED = 3

/** Where the body of the head begins that `#headAt` found last. */
let headBodyStart = 0

/**
 * Index of the NUL behind the body in `chunk`, -1 when it has not come. The body begins at `bodyStart`, which is before 0 when some of it
 * came in earlier reads; everything before `from` was looked at. Throws for a body that is too large, or does not end where it
 * says. [STOMP12-Header_content-length-b]
 */
function findBodyEnd(
  headers: FrameHeaders,
  chunk: Uint8Array,
  bodyStart: number,
  from: number,
  size: number,
  limits: FrameLimits,
): number {
  const { contentLength } = headers
  if (contentLength >= 0) {
    const end = bodyStart + contentLength
    if (end >= size) return -1
    if (chunk[end] === 0) return end
    const text = `header content-length: ${contentLength} octets of body are not followed by NUL but by ${quoteBytes(chunk, end, end + 1)}; count octets, not characters`
    throw headers.problem('body-not-ended', text, 'content-length')
  }
  let end = from
  const nearEnd = Math.min(size, from + NEAR_BYTES)
  while (end < nearEnd && chunk[end] !== 0) end++
  if (end === nearEnd) end = nearEnd === size ? -1 : chunk.indexOf(0, nearEnd)
  const length = (end < 0 ? size : end) - bodyStart
  if (length > limits.maxBodyBytes) throw bodyTooLarge(headers, length, limits)
  return end
}

/** Line ends behind the empty line do no harm; 1.0 ignores bodies where it has none. [STOMP10-SUBSCRIBE-d] [STOMP12-Body-a] */
function checkBodyAllowed(headers: FrameHeaders, bytes: Uint8Array, start: number, end: number): void {
  const { command, version } = headers
  if (command === Command.send || mayHaveBody(command) || version === 10) return
  for (let at = start; at < end; at++) {
    if (bytes[at] === LF || bytes[at] === CR) continue
    const text = `the frame has a body of ${end - start} bytes: ${quoteBytes(bytes, start, end)}; only SEND may have one`
    throw headers.problem('body-not-allowed', text, undefined)
  }
}

function hasEmptyLine(chunk: Uint8Array, start: number, size: number): boolean {
  for (let at = chunk.indexOf(LF, start); at >= 0 && at + 1 < size; at = chunk.indexOf(LF, at + 1)) {
    if (chunk[at + 1] === LF || (chunk[at + 1] === CR && chunk[at + 2] === LF)) return true
  }
  return false
}

function nulInHead(version: StompVersion): FrameProblem {
  const text = 'the frame has NUL in its headers; end the headers with an empty line, and put NUL after the body'
  return new FrameProblem({ rule: 'nul-in-headers', version, text })
}

function lineTooLong({ limits, version }: Pick<FrameSink, 'limits' | 'version'>): FrameProblem {
  return new FrameProblem({ rule: 'line-too-long', version, text: lineTooLongText('a header line', limits) })
}
