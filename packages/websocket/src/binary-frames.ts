/**
 * The short way of what nearly all frames are: a whole binary message that came in one read. It is unmasked where it lies and handed on;
 * pings, and messages in several reads, go to `ws` untouched, each frame to one of the two only. Nothing is judged here: from the first
 * frame on that might be wrong, or is text, or a part of a message, or the close, `ws` has the connection to itself.
 *
 * `ws` unmasks byte by byte, makes three objects per frame and stops reading after each 16 KiB: 1.8 us for a message of 1 KiB, where its
 * whole way through the broker takes 1 us. [RFC 6455 §5.2, §5.3]
 */

const FIN = 0x80
const MASKED = 0x80
const FIN_BINARY = FIN | 0x02
const FIN_PING = FIN | 0x09
const FIN_PONG = FIN | 0x0a
const CONTROL_BYTES_MAX = 125
const MASK_BYTES = 4
/** Head of the longest frame, without its mask. */
const HEAD_BYTES_MAX = 10
/** Four bytes are unmasked at a time, as numbers: elsewhere there is no short way. */
export const HAS_SHORT_WAY: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

export interface BinaryFramesHost {
  /** The bytes of one message, or of several one behind the other; good during the call. Hot path. */
  onPayload(payload: Uint8Array): void
  /** For `ws`: what follows what it had before. Whole messages in it are told at once. */
  passOn(bytes: Uint8Array): void
  /** `ws` gets all that comes from now on, without us; the rest of the present read follows by `passOn`. Once at most. */
  handOver(): void
}

export class BinaryFrames {
  readonly #host: BinaryFramesHost
  readonly #messageBytesMax: number
  /** Of the frame that `ws` is getting, still to come. */
  #restBytes = 0
  /** Beginning of a frame of which `ws` has this much, and which is too short to tell how long it will be. */
  readonly #head = new Uint8Array(HEAD_BYTES_MAX)
  #headBytes = 0

  /** `messageBytesMax` as `ws` has it. */
  constructor(host: BinaryFramesHost, messageBytesMax: number) {
    this.#host = host
    this.#messageBytesMax = messageBytesMax
  }

  /** What came from the peer; it is changed. Not to be called after `handOver`. Hot path. */
  read(chunk: Uint8Array): void {
    const size = chunk.length
    let words: Int32Array | undefined = undefined
    let at = this.#headBytes > 0 || this.#restBytes > 0 ? this.#goOn(chunk) : 0
    // Messages that are to be handed on together: each is moved over its head, right behind the one before.
    let runStart = at
    let runEnd = at
    while (at < size) {
      const headBytes = shortHeadBytes(chunk, at, size)
      const payloadAt = at + headBytes
      const end = headBytes === 0 ? Infinity : payloadAt + shortLength(chunk, at)
      if (end > size || end - payloadAt > this.#messageBytesMax) {
        this.#handOn(chunk, runStart, runEnd)
        at = this.#passFrame(chunk, at)
        runStart = at
        runEnd = at
        continue
      }
      if (runEnd === runStart || ((payloadAt - runEnd) & 3) !== 0) {
        this.#handOn(chunk, runStart, runEnd)
        runStart = payloadAt
        runEnd = payloadAt
      }
      words ??= new Int32Array(chunk.buffer, 0, chunk.buffer.byteLength >> 2)
      unmask(chunk, words, payloadAt, end, maskBefore(chunk, payloadAt), runEnd)
      runEnd += end - payloadAt
      at = end
    }
    this.#handOn(chunk, runStart, runEnd)
  }

  #handOn(chunk: Uint8Array, start: number, end: number): void {
    if (end > start) this.#host.onPayload(new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start))
  }

  /** Gives `ws` more of the frame that it has begun. Returns where the next one begins. */
  #goOn(chunk: Uint8Array): number {
    if (this.#restBytes === 0) return this.#passFrame(chunk, 0)
    const taken = Math.min(this.#restBytes, chunk.length)
    this.#restBytes -= taken
    this.#host.passOn(chunk.subarray(0, taken))
    return taken
  }

  /** Gives `ws` the frame that begins at `at`, or began in an earlier read, as far as it has come. Returns where that ends. */
  #passFrame(chunk: Uint8Array, at: number): number {
    const head = this.#head
    let from = at
    while (from < chunk.length && this.#headBytes < headBytesOf(head, this.#headBytes)) {
      head[this.#headBytes++] = chunk[from++]!
      if (this.#headBytes === 2 && !isHarmless(head)) return this.#handOver(chunk, at)
    }
    let end = chunk.length
    if (this.#headBytes === headBytesOf(head, this.#headBytes)) {
      const length = lengthOf(head)
      if (length > this.#messageBytesMax) return this.#handOver(chunk, at)
      this.#headBytes = 0
      end = Math.min(end, from + MASK_BYTES + length)
      this.#restBytes = from + MASK_BYTES + length - end
    }
    this.#host.passOn(chunk.subarray(at, end))
    return end
  }

  #handOver(chunk: Uint8Array, at: number): number {
    this.#host.handOver()
    this.#host.passOn(chunk.subarray(at))
    return chunk.length
  }
}

/** A whole binary message, a ping or a pong, masked, without reserved bits. */
function isHarmless(head: Uint8Array): boolean {
  const first = head[0]
  const second = head[1]!
  if (second < MASKED) return false
  return first === FIN_BINARY || ((first === FIN_PING || first === FIN_PONG) && second <= (MASKED | CONTROL_BYTES_MAX))
}

/** Bytes before the payload of a masked binary message that is not long; 0 for any other frame, and where that cannot be told. */
function shortHeadBytes(chunk: Uint8Array, at: number, size: number): number {
  if (chunk[at] !== FIN_BINARY || at + 2 + MASK_BYTES > size) return 0
  const second = chunk[at + 1]!
  if (second < MASKED || second === (MASKED | 127)) return 0
  if (second < (MASKED | 126)) return 2 + MASK_BYTES
  return at + 4 + MASK_BYTES > size ? 0 : 4 + MASK_BYTES
}

function shortLength(chunk: Uint8Array, at: number): number {
  const length = chunk[at + 1]! & 0x7f
  return length < 126 ? length : (chunk[at + 2]! << 8) | chunk[at + 3]!
}

/** Bytes of a head without its mask, as far as its first `known` bytes tell. */
function headBytesOf(head: Uint8Array, known: number): number {
  if (known < 2) return 2
  const length = head[1]! & 0x7f
  return length < 126 ? 2 : length === 126 ? 4 : HEAD_BYTES_MAX
}

function lengthOf(head: Uint8Array): number {
  const view = new DataView(head.buffer)
  const length = head[1]! & 0x7f
  if (length < 126) return length
  return length === 126 ? view.getUint16(2) : view.getUint32(2) * 2 ** 32 + view.getUint32(6)
}

/** The mask of the payload at `payloadAt`, its first byte lowest. */
function maskBefore(chunk: Uint8Array, payloadAt: number): number {
  const at = payloadAt - MASK_BYTES
  return chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24)
}

/**
 * Unmasks `chunk[start, end)` to where it begins at `to`, which is not behind `start` and as far from a multiple of four. `words` is all
 * of the chunk's memory: four bytes at a time where they lie right.
 */
function unmask(chunk: Uint8Array, words: Int32Array, start: number, end: number, mask: number, to: number): void {
  const { byteOffset } = chunk
  const moved = start - to
  let at = start
  let turned = mask
  for (; at < end && ((byteOffset + at) & 3) !== 0; at++) {
    chunk[at - moved] = chunk[at]! ^ (turned & 0xff)
    turned = (turned >>> 8) | (turned << 24)
  }
  let word = (byteOffset + at) >> 2
  const movedWords = moved >> 2
  const wordEnd = word + ((end - at) >> 2)
  at += (wordEnd - word) * 4
  for (; word < wordEnd; word++) words[word - movedWords] = words[word]! ^ turned
  for (; at < end; at++) {
    chunk[at - moved] = chunk[at]! ^ (turned & 0xff)
    turned >>>= 8
  }
}
