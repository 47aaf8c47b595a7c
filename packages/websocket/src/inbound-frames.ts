/**
 * What a peer's messages carry, as a stream of bytes: unmasked where it lies and handed on as it comes, whatever the borders of frames
 * and messages. So a message that has not ended costs nothing here, and what a peer may send, how much of it before its login, and in
 * which time, is the adapter's to say, as over TCP. Pings, pongs and closes are for `ws`. [RFC 6455 §5]
 *
 * `ws` keeps a message until it has ended, unmasks byte by byte and makes three objects per frame: 1.8 us for a message of 1 KiB, where
 * its whole way through the broker takes 1 us.
 */
import { type CloseCause } from './close-codes.ts'
import { Utf8Pieces } from './utf8-pieces.ts'

const FIN = 0x80
const RESERVED = 0x70
const OPCODE = 0x0f
const CONTINUATION = 0
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PONG = 10
const MASKED = 0x80
const MASK_BYTES = 4
const CONTROL_BYTES_MAX = 125
/** The longest head, with its mask. */
const HEAD_BYTES_MAX = 14

/** The mask at hand, twice, and as the number it is on this machine. */
const maskBytes = new Uint8Array(8)
const maskWord = new BigInt64Array(maskBytes.buffer)

export interface InboundFramesHost {
  /** Bytes of one message, or of several one behind the other; good during the call. Hot path. */
  onPayload(payload: Uint8Array): void
  /** The first message of text has begun. */
  onFirstText(): void
  /** A whole ping, pong or close in memory of its own. */
  onControl(frame: Uint8Array, isClose: boolean): void
  /** The peer broke a rule: nothing that comes from now on is read. */
  onBroken(cause: CloseCause, text: string): void
}

export class InboundFrames {
  readonly #host: InboundFramesHost
  readonly #messageBytesMax: number
  readonly #messageBytesMaxName: string
  #isStopped = false
  /** Beginning of a head whose end has not come. */
  readonly #head = new Uint8Array(HEAD_BYTES_MAX)
  #headBytes = 0
  /** Payload of the data frame at hand that is still to come, and its mask: the lowest byte is for the next. */
  #restBytes = 0
  #mask = 0
  #isLastFrame = true
  /** Opcode of the message that has begun and not ended; 0 for none. */
  #kind = 0
  /** Of that message, by the heads of its frames so far. */
  #messageBytes = 0
  /** Undefined until there was text. */
  #text: Utf8Pieces | undefined = undefined
  /** A control frame whose end has not come. */
  #control: Uint8Array | undefined = undefined
  #controlBytes = 0

  /** A larger message is refused; `messageBytesMaxName` is the setting that says so. */
  constructor(host: InboundFramesHost, messageBytesMax: number, messageBytesMaxName: string) {
    this.#host = host
    this.#messageBytesMax = messageBytesMax
    this.#messageBytesMaxName = messageBytesMaxName
  }

  /** Reads nothing any more. */
  stop(): void {
    this.#isStopped = true
  }

  /** What came from the peer; it is changed. Hot path. */
  read(chunk: Uint8Array): void {
    const size = chunk.length
    let words: BigInt64Array | undefined = undefined
    // Payload that is handed on together: that of each frame is moved over its head, right behind the one before.
    let runStart = 0
    let runEnd = 0
    let at = 0
    while (at < size && !this.#isStopped) {
      if (this.#restBytes === 0) {
        const headBytes = this.#headBytes > 0 || this.#control !== undefined ? 0 : wholeHeadBytes(chunk, at, size)
        if (headBytes > 0 && this.#begin(chunk, at)) {
          at += headBytes
          continue
        }
        this.#handOn(chunk, runStart, runEnd)
        runStart = runEnd
        at = this.#control === undefined ? this.#takeHead(chunk, at) : this.#takeControl(chunk, at)
        continue
      }
      const end = Math.min(size, at + this.#restBytes)
      if (runEnd === runStart || ((at - runEnd) & 7) !== 0) {
        this.#handOn(chunk, runStart, runEnd)
        runStart = at
        runEnd = at
      }
      words ??= new BigInt64Array(chunk.buffer, 0, chunk.buffer.byteLength >> 3)
      this.#mask = unmask(chunk, words, at, end, this.#mask, runEnd)
      if (this.#kind === TEXT && !this.#takesText(chunk.subarray(runEnd, runEnd + end - at))) {
        this.#handOn(chunk, runStart, runEnd)
        return this.#breakOff('invalid-data', 'a text message is not UTF-8')
      }
      runEnd += end - at
      this.#restBytes -= end - at
      if (this.#restBytes === 0 && this.#isLastFrame) this.#kind = 0
      at = end
    }
    this.#handOn(chunk, runStart, runEnd)
  }

  #handOn(chunk: Uint8Array, start: number, end: number): void {
    if (end > start) this.#host.onPayload(new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start))
  }

  /** A data frame begins, if the whole head at `at` is that of one which is in order. Hot path. */
  #begin(bytes: Uint8Array, at: number): boolean {
    const first = bytes[at]!
    const opcode = first & OPCODE
    const isFollowing = opcode === CONTINUATION
    if ((first & RESERVED) !== 0 || opcode > BINARY || bytes[at + 1]! < MASKED || isFollowing !== (this.#kind !== 0))
      return false
    if (opcode === TEXT && this.#text === undefined) return false
    const length = lengthOf(bytes, at)
    const messageBytes = isFollowing ? this.#messageBytes + length : length
    if (messageBytes > this.#messageBytesMax) return false
    if (length === 0 && first >= FIN && this.#kind === TEXT && this.#text!.isWithinCharacter) return false
    this.#messageBytes = messageBytes
    this.#restBytes = length
    this.#mask = maskBefore(bytes, at + headBytesOf(bytes[at + 1]!))
    this.#isLastFrame = first >= FIN
    if (length === 0 && first >= FIN) this.#kind = 0
    else if (!isFollowing) this.#kind = opcode
    return true
  }

  /** The next piece of the text at hand. */
  #takesText(piece: Uint8Array): boolean {
    const text = this.#text!
    if (!text.takes(piece)) return false
    return !(text.isWithinCharacter && this.#isLastFrame && piece.length === this.#restBytes)
  }

  /** More of a head that came in pieces, or is not that of a usual frame. Returns where the rest begins. */
  #takeHead(chunk: Uint8Array, start: number): number {
    const head = this.#head
    let at = start
    while (at < chunk.length && (this.#headBytes < 2 || this.#headBytes < headBytesOf(head[1]!))) {
      head[this.#headBytes++] = chunk[at++]!
      const problem = this.#headBytes === 2 ? problemOf(head[0]!, head[1]!, this.#kind) : ''
      if (problem !== '') {
        this.#breakOff('protocol-error', problem)
        return at
      }
    }
    if (this.#headBytes < 2 || this.#headBytes < headBytesOf(head[1]!)) return at
    this.#headBytes = 0
    this.#takeWholeHead(head)
    return at
  }

  #takeWholeHead(head: Uint8Array): void {
    const opcode = head[0]! & OPCODE
    if (opcode >= CLOSE) return this.#beginControl(head)
    if (opcode === TEXT && this.#text === undefined) {
      this.#text = new Utf8Pieces()
      this.#host.onFirstText()
    }
    if (this.#isStopped || this.#begin(head, 0)) return
    const bytes = lengthOf(head, 0) + (opcode === CONTINUATION ? this.#messageBytes : 0)
    if (bytes <= this.#messageBytesMax) return this.#breakOff('invalid-data', 'a text message is not UTF-8')
    const limit = `${this.#messageBytesMaxName} ${this.#messageBytesMax}`
    this.#breakOff('too-large', `a message of ${bytes} bytes exceeds ${limit}`)
  }

  #beginControl(head: Uint8Array): void {
    const headBytes = headBytesOf(head[1]!)
    const control = Buffer.allocUnsafeSlow(headBytes + lengthOf(head, 0))
    control.set(head.subarray(0, headBytes))
    this.#control = control
    this.#controlBytes = headBytes
    if (control.length === headBytes) this.#endControl()
  }

  /** More of a control frame. Returns where the rest begins. */
  #takeControl(chunk: Uint8Array, at: number): number {
    const control = this.#control!
    const end = Math.min(chunk.length, at + control.length - this.#controlBytes)
    control.set(chunk.subarray(at, end), this.#controlBytes)
    this.#controlBytes += end - at
    if (this.#controlBytes === control.length) this.#endControl()
    return end
  }

  #endControl(): void {
    const control = this.#control!
    this.#control = undefined
    const isClose = (control[0]! & OPCODE) === CLOSE
    if (isClose) this.#isStopped = true // nothing may follow it [RFC 6455 §5.5.1]
    this.#host.onControl(control, isClose)
  }

  #breakOff(cause: CloseCause, text: string): void {
    this.#isStopped = true
    this.#host.onBroken(cause, text)
  }
}

/** What is wrong with a frame that begins so, within a message of `kind` or none; '' for nothing. */
function problemOf(first: number, second: number, kind: number): string {
  const opcode = first & OPCODE
  if ((first & RESERVED) !== 0) return 'a frame has a reserved bit set, and no extension was agreed on'
  if (second < MASKED) return 'a frame of a client has no mask'
  if (opcode >= CLOSE) {
    if (opcode > PONG) return `a frame has the unknown opcode ${opcode}`
    if (first < FIN) return 'a control frame is in pieces'
    return second > (MASKED | CONTROL_BYTES_MAX) ? `a control frame has more than ${CONTROL_BYTES_MAX} bytes` : ''
  }
  if (opcode > BINARY) return `a frame has the unknown opcode ${opcode}`
  if (opcode === CONTINUATION) return kind === 0 ? 'a frame continues a message, and none has begun' : ''
  return kind === 0 ? '' : 'a message begins within another'
}

/** Bytes of the head at `at`, 0 where it is not all there. */
function wholeHeadBytes(chunk: Uint8Array, at: number, size: number): number {
  if (at + 2 > size) return 0
  const bytes = headBytesOf(chunk[at + 1]!)
  return at + bytes > size ? 0 : bytes
}

/** Bytes of a masked frame's head, by its second byte. */
function headBytesOf(second: number): number {
  const length = second & 0x7f
  return length < 126 ? 2 + MASK_BYTES : length === 126 ? 4 + MASK_BYTES : HEAD_BYTES_MAX
}

function lengthOf(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 1]! & 0x7f
  if (length < 126) return length
  if (length === 126) return (bytes[at + 2]! << 8) | bytes[at + 3]!
  let long = 0
  for (let index = at + 2; index < at + 10; index++) long = long * 256 + bytes[index]!
  return long
}

/** The mask of the payload at `payloadAt`, its first byte lowest. */
function maskBefore(bytes: Uint8Array, payloadAt: number): number {
  const at = payloadAt - MASK_BYTES
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/**
 * Unmasks `chunk[start, end)` to where it begins at `to`, which is not behind `start` and as far from a multiple of eight. `words` is all
 * of the chunk's memory: eight bytes at a time where they lie right, in half the time of four. Returns the mask of what follows.
 */
function unmask(chunk: Uint8Array, words: BigInt64Array, start: number, end: number, mask: number, to: number): number {
  const { byteOffset } = chunk
  const moved = start - to
  let at = start
  let turned = mask
  for (; at < end && ((byteOffset + at) & 7) !== 0; at++) {
    chunk[at - moved] = chunk[at]! ^ (turned & 0xff)
    turned = (turned >>> 8) | (turned << 24)
  }
  for (let index = 0; index < 8; index++) maskBytes[index] = turned >>> ((index & 3) * 8)
  const wide = maskWord[0]!
  const movedWords = moved >> 3
  let word = (byteOffset + at) >> 3
  const wordEnd = word + ((end - at) >> 3)
  at += (wordEnd - word) * 8
  // asIntN changes nothing, but tells V8 that the number fits a register.
  for (; word < wordEnd; word++) words[word - movedWords] = BigInt.asIntN(64, words[word]! ^ wide)
  for (; at < end; at++) {
    chunk[at - moved] = chunk[at]! ^ (turned & 0xff)
    turned = (turned >>> 8) | (turned << 24)
  }
  return turned
}
