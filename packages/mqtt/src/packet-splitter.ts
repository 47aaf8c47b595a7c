/**
 * Cuts the byte stream of one connection into complete packets. Packets are handed out where they lie in the transport's
 * buffer; only one that is split over reads is put together in memory of its own. Holds nothing between complete packets.
 */
import { HeldInput } from '@ternmq/core'
import { ProtocolError } from './codec/errors.ts'
import { ReasonCode } from './codec/reason-codes.ts'

export interface PacketSink {
  /** Larger packets are refused as soon as their length is known. */
  readonly maxInboundBytes: number
  /** MQTT 5 forbids a length that uses more bytes than it needs; earlier versions do not. [MQTT5-1.5.5-1] */
  readonly refusesPaddedLength: boolean
  /**
   * One packet: `bytes[start]` is the fixed header, the variable header begins at `bodyStart`, the packet ends before `end`.
   * The bytes are only good during the call. False when no further packet may come now: the rest is kept for `resume`.
   */
  onPacket(bytes: Uint8Array, start: number, bodyStart: number, end: number): boolean
}

/** What a client may send ahead while one of its packets is being worked on; then its connection ends. */
const HELD_BYTES_MAX = 4 * 1_048_576
/** Type byte and up to four bytes of remaining length. [MQTT5 §2.1.4] */
const HEADER_BYTES_MAX = 5

export class PacketSplitter {
  /** The beginning of a packet whose end has not come, or everything that came while the sink was busy. */
  readonly #held = new HeldInput()
  #isHeld = false

  /** Hot path. Throws ProtocolError for a length that is malformed or above the sink's maximum. */
  read(chunk: Uint8Array, sink: PacketSink): void {
    if (this.#isHeld) return this.#hold(chunk, 0)
    const size = chunk.length
    let at = this.#held.length > 0 ? this.#completeRest(chunk, sink) : 0
    while (at < size && !this.#isHeld) {
      let bodyStart = at + 2
      if (bodyStart > size) break
      let remaining = chunk[at + 1]!
      if (remaining > 127) {
        const header = readLength(chunk, at, size, sink.refusesPaddedLength)
        if (header === 0) break
        bodyStart = at + header
        remaining = lastLength
      }
      const end = bodyStart + remaining
      if (end - at > sink.maxInboundBytes) throw tooLarge(end - at, sink.maxInboundBytes)
      if (end > size) break
      if (!sink.onPacket(chunk, at, bodyStart, end)) this.#isHeld = true
      at = end
    }
    if (at < size) this.#hold(chunk, at)
  }

  /** The sink takes packets again. */
  resume(sink: PacketSink): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    const held = this.#held.beginResume()
    if (held === undefined) return
    this.read(held, sink)
    this.#held.endResume()
  }

  /** A packet has begun, and its end has not come. */
  get isWithinPacket(): boolean {
    return this.#held.length > 0 && !this.#isHeld
  }

  /** Memory of the beginning of a packet, or of what came while the sink was busy. */
  get heldBytes(): number {
    return this.#held.memoryBytes
  }

  /** Nothing more will be read. */
  clear(): void {
    this.#held.clear()
  }

  /** Adds what the first packet still needs and hands it out. Returns how much of the chunk that took. */
  #completeRest(chunk: Uint8Array, sink: PacketSink): number {
    let at = 0
    let header = 0
    while ((header = readLength(this.#held.bytes!, 0, this.#held.length, sink.refusesPaddedLength)) === 0) {
      if (at === chunk.length) return at
      this.#held.append(chunk, at, at + 1, HEADER_BYTES_MAX)
      at++
    }
    const total = header + lastLength
    if (total > sink.maxInboundBytes) throw tooLarge(total, sink.maxInboundBytes)
    const taken = Math.min(total - this.#held.length, chunk.length - at)
    this.#held.append(chunk, at, at + taken, total)
    if (this.#held.length < total) return chunk.length
    const packet = this.#held.take()
    if (!sink.onPacket(packet, 0, header, total)) this.#isHeld = true
    return at + taken
  }

  #hold(chunk: Uint8Array, at: number): void {
    if (this.#held.length + chunk.length - at > HELD_BYTES_MAX && this.#isHeld) {
      const detail = `more than ${HELD_BYTES_MAX} bytes were sent ahead of an unanswered packet`
      throw new ProtocolError(ReasonCode.quotaExceeded, 'MQTT5-4.13.2-1', detail)
    }
    // Twice as much, so that there is room behind for as much as goes in front.
    this.#held.hold(chunk, at, this.#isHeld, 2 * HELD_BYTES_MAX)
  }
}

/** Remaining length found by the last `readLength`. */
let lastLength = 0

/** Bytes of the fixed header at `start`, 0 when not all of it is there. The length itself is in `lastLength`. [MQTT5-1.5.5-1] */
function readLength(bytes: Uint8Array, start: number, size: number, refusesPadding: boolean): number {
  let value = 0
  for (let index = 1; index < HEADER_BYTES_MAX; index++) {
    if (start + index >= size) return 0
    const byte = bytes[start + index]!
    value |= (byte & 0x7f) << (7 * (index - 1))
    if (byte < 0x80) {
      if (byte === 0 && index > 1 && refusesPadding) throw malformedLength('uses more bytes than it needs')
      lastLength = value
      return index + 1
    }
  }
  throw malformedLength('is longer than four bytes')
}

function malformedLength(what: string): ProtocolError {
  return new ProtocolError(ReasonCode.malformedPacket, 'MQTT5-1.5.5-1', `the remaining length ${what}`)
}

function tooLarge(size: number, maximum: number): ProtocolError {
  const detail = `packet of ${size} bytes exceeds mqtt.maxPacketBytes ${maximum}`
  return new ProtocolError(ReasonCode.packetTooLarge, 'MQTT5-3.2.2-15', detail)
}
