/**
 * Cuts the byte stream of one connection into protocol headers and frames. They are handed out where they lie in the transport's
 * buffer; only one that is split over reads is put together in memory of its own. [AMQP10 §2.2, §2.3]
 */
import { HeldInput } from '@ternmq/core'
import { AmqpFault } from './faults.ts'
import { uint32At } from './structure.ts'

export interface FrameSink {
  /** Largest frame that is taken now: 512 until `open` is done, what we announced afterwards. [AMQP10 §2.4.1] */
  readonly frameBytesMax: number
  /** The next thing is a protocol header, not a frame. */
  readonly expectsHeader: boolean
  /** False when nothing more may come now: the rest is kept for `resume`. */
  onHeader(protocolId: number, major: number, minor: number, revision: number): boolean
  /** The eight bytes are no header of AMQP's. Nothing more is read. */
  onBadHeader(bytes: Uint8Array): void
  /**
   * One frame of `type` 0 (AMQP) or 1 (SASL) with the body `bytes[start, end)`, which an empty frame has none of. The bytes are only good
   * during the call. False when nothing more may come now: the rest is kept for `resume`.
   */
  onFrame(type: number, channel: number, bytes: Uint8Array, start: number, end: number): boolean
}

const HEADER_BYTES = 8
/** What a client may send ahead while one of its frames is being worked on; then its connection ends. */
export const HELD_BYTES_MAX: number = 4 * 1_048_576
const SASL_FRAME = 1

export class FrameSplitter {
  /** The beginning of a frame whose end has not come, or everything that came while the sink was busy. */
  readonly #held = new HeldInput()
  #isHeld = false
  #isOver = false

  /** Hot path. Throws AmqpFault; nothing may be read after that. */
  read(chunk: Uint8Array, sink: FrameSink): void {
    if (this.#isOver) return
    if (this.#isHeld) return this.#hold(chunk, 0)
    const size = chunk.length
    let at = this.#held.length > 0 ? this.#completeRest(chunk, sink) : 0
    while (size - at >= HEADER_BYTES && !this.#isHeld) {
      const end = at + sizeAt(chunk, at, sink)
      if (end > size) break
      this.#handOut(chunk, at, end, sink)
      at = end
    }
    if (at < size && !this.#isOver) this.#hold(chunk, at)
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

  /** Memory of the beginning of a frame, or of what came while the sink was busy. */
  get heldBytes(): number {
    return this.#held.memoryBytes
  }

  /** True while a frame or a header has begun and not ended: its time is running. */
  get isWithinFrame(): boolean {
    return this.#held.length > 0 && !this.#isHeld
  }

  /** Nothing more will be read. */
  clear(): void {
    this.#held.clear()
    this.#isOver = true
  }

  /** Hot path. */
  #handOut(bytes: Uint8Array, at: number, end: number, sink: FrameSink): void {
    if (sink.expectsHeader) {
      if (isAmqp(bytes, at)) {
        if (!sink.onHeader(bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!)) this.#isHeld = true
        return
      }
      this.clear()
      this.#isHeld = true
      sink.onBadHeader(new Uint8Array(bytes.subarray(at, end)))
      return
    }
    const start = at + bytes[at + 4]! * 4
    const channel = (bytes[at + 6]! << 8) | bytes[at + 7]!
    if (!sink.onFrame(bytes[at + 5]!, channel, bytes, start, end)) this.#isHeld = true
  }

  /** Adds what the first frame still needs and hands it out. Returns how much of the chunk that took. */
  #completeRest(chunk: Uint8Array, sink: FrameSink): number {
    let taken = 0
    if (this.#held.length < HEADER_BYTES) {
      taken = Math.min(HEADER_BYTES - this.#held.length, chunk.length)
      this.#held.append(chunk, 0, taken, HEADER_BYTES)
      if (this.#held.length < HEADER_BYTES) return taken
    }
    const needed = sizeAt(this.#held.bytes!, 0, sink)
    const more = Math.min(needed - this.#held.length, chunk.length - taken)
    if (more > 0) this.#held.append(chunk, taken, taken + more, needed)
    taken += more
    if (this.#held.length < needed) return taken
    const bytes = this.#held.take()
    this.#handOut(bytes, 0, needed, sink)
    return taken
  }

  /** Keeps the rest of a chunk: the beginning of a frame, or what came ahead. */
  #hold(chunk: Uint8Array, at: number): void {
    if (this.#isHeld && this.#held.length + chunk.length - at > HELD_BYTES_MAX) throw tooMuchAhead()
    this.#held.hold(chunk, at, this.#isHeld, 2 * HELD_BYTES_MAX)
  }
}

function isAmqp(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x41 && bytes[at + 1] === 0x4d && bytes[at + 2] === 0x51 && bytes[at + 3] === 0x50
}

/** Size of what begins with the eight bytes at `at`. Throws for a frame that cannot be. [AMQP10 §2.3.1] Hot path. */
function sizeAt(bytes: Uint8Array, at: number, sink: FrameSink): number {
  if (sink.expectsHeader) return HEADER_BYTES
  const size = uint32At(bytes, at)
  if (size < HEADER_BYTES || size > sink.frameBytesMax) throw wrongSize(size, sink.frameBytesMax)
  const offset = bytes[at + 4]!
  if (offset < 2 || offset * 4 > size) throw wrongOffset(offset, size)
  if (bytes[at + 5]! > SASL_FRAME) throw wrongType(bytes[at + 5]!)
  return size
}

function framing(text: string, clause: string): AmqpFault {
  return new AmqpFault('connection', 'amqp:connection:framing-error', text, clause)
}

function wrongSize(size: number, sizeMax: number): AmqpFault {
  if (size < HEADER_BYTES)
    return framing(`a frame says to have ${size} bytes, less than its own header of ${HEADER_BYTES}`, 'AMQP10-2.3.1-b')
  return framing(`a frame says to have ${size} bytes, the largest that is taken has ${sizeMax}`, 'AMQP10-2.7.1-c')
}

function wrongOffset(offset: number, size: number): AmqpFault {
  const text = `the body of a frame of ${size} bytes begins at its word ${offset} (DOFF), which is not between its header and its end`
  return framing(text, 'AMQP10-2.3.1-c')
}

function wrongType(type: number): AmqpFault {
  return framing(`a frame has the type ${type}, which is neither 0 (AMQP) nor 1 (SASL)`, 'AMQP10-2.3.1-e')
}

function tooMuchAhead(): AmqpFault {
  const text = `more than ${HELD_BYTES_MAX} bytes were sent ahead of a frame that is being worked on; wait for its answer`
  return new AmqpFault('connection', 'amqp:resource-limit-exceeded', text)
}
