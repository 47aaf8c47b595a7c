/**
 * A stream of packets, whole and broken, cut anywhere and held anywhere, must give the same packets and the same end as a
 * reader that sees all of it at once and is written to be read, not to be fast.
 */
import { ProtocolError } from '../../src/codec/errors.ts'
import { ReasonCode } from '../../src/codec/reason-codes.ts'
import { type PacketSink, PacketSplitter } from '../../src/packet-splitter.ts'
import { hex, varint } from '../wire/bytes.ts'
import { assert, Dice, type Fuzzer, FuzzFailure, type FuzzTally, linesOf, toHex } from '@ternmq/testkit/fuzzer'

const PACKET_BYTES_MAX = 500

/** What became of a stream: its packets, and how it ended. */
interface Reading {
  readonly packets: string[]
  end: 'waits' | 'malformed' | 'too large'
}

interface Input {
  readonly refusesPadding: boolean
  readonly chunks: readonly Uint8Array[]
  /** After which packets the sink asks for a pause; it goes on after the next chunk. */
  readonly holds: ReadonlySet<number>
}

export const splitterFuzzer: Fuzzer = {
  name: 'splitter',
  what: 'streams of packets in random pieces give the same packets as in one piece',

  run(seed: number, iterations: number): FuzzTally {
    const dice = new Dice(seed)
    const tally: Record<Reading['end'], number> = { waits: 0, malformed: 0, 'too large': 0 }
    for (let step = 0; step < iterations; step++) {
      const input = makeInput(dice)
      try {
        tally[check(input)]++
      } catch (cause) {
        throw new FuzzFailure(seed, step, toText(input), cause)
      }
    }
    return tally
  },

  replay(text: string): void {
    check(fromText(text))
  },
}

function check({ refusesPadding, chunks, holds }: Input): Reading['end'] {
  const expected = readWhole(Buffer.concat(chunks), refusesPadding)
  const found = readInPieces(chunks, refusesPadding, holds)
  assert(found.end === expected.end, `the stream ${found.end}, expected that it ${expected.end}`)
  const index = found.packets.findIndex((packet, place) => packet !== expected.packets[place])
  assert(index === -1, `packet ${index} is ${found.packets[index]}, expected ${expected.packets[index]}`)
  assert(
    found.packets.length === expected.packets.length,
    `${found.packets.length} packets, not ${expected.packets.length}`,
  )
  return found.end
}

function readInPieces(chunks: readonly Uint8Array[], refusesPadding: boolean, holds: ReadonlySet<number>): Reading {
  const splitter = new PacketSplitter()
  const reading: Reading = { packets: [], end: 'waits' }
  const sink: PacketSink = {
    maxInboundBytes: PACKET_BYTES_MAX,
    refusesPaddedLength: refusesPadding,
    onPacket(memory, start, bodyStart, end) {
      assert(memory[bodyStart - 1]! < 0x80 && bodyStart > start + 1, 'the body begins within the header')
      reading.packets.push(toHex(memory.subarray(start, end)))
      return !holds.has(reading.packets.length)
    },
  }
  try {
    for (const chunk of chunks) {
      // Memory of a transport: somebody else's as soon as the call is over.
      const memory = Buffer.from(chunk)
      splitter.read(memory, sink)
      memory.fill(0xdd)
      splitter.resume(sink)
    }
    // Every hold lets at least one packet more through.
    for (let pass = 0; pass <= holds.size; pass++) splitter.resume(sink)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    reading.end = error.reasonCode === ReasonCode.packetTooLarge ? 'too large' : 'malformed'
  }
  return reading
}

function readWhole(stream: Uint8Array, refusesPadding: boolean): Reading {
  const packets: string[] = []
  let at = 0
  while (at < stream.length) {
    const digits: number[] = []
    for (let next = at + 1; next < stream.length && digits.length < 4; next++) {
      digits.push(stream[next]!)
      if (stream[next]! < 0x80) break
    }
    const last = digits.at(-1)
    if (last === undefined || last >= 0x80) return { packets, end: digits.length === 4 ? 'malformed' : 'waits' }
    if (refusesPadding && last === 0 && digits.length > 1) return { packets, end: 'malformed' }
    const length = digits.reduce((sum, digit, place) => sum + (digit & 0x7f) * 128 ** place, 0)
    const end = at + 1 + digits.length + length
    if (end - at > PACKET_BYTES_MAX) return { packets, end: 'too large' }
    if (end > stream.length) return { packets, end: 'waits' }
    packets.push(toHex(stream.subarray(at, end)))
    at = end
  }
  return { packets, end: 'waits' }
}

function makeInput(dice: Dice): Input {
  const stream = Uint8Array.from(Buffer.concat(Array.from({ length: 1 + dice.below(12) }, () => makePacket(dice))))
  const chunks: Uint8Array[] = []
  // In some runs every byte comes alone, in some all of them together.
  const sizeMax = dice.pick([1, 2, 5, 30, 200, stream.length])
  for (let at = 0; at < stream.length;) {
    const size = 1 + dice.below(sizeMax)
    chunks.push(stream.slice(at, at + size))
    at += size
  }
  const holds = Array.from({ length: dice.below(4) }, () => 1 + dice.below(12))
  return { refusesPadding: dice.oneIn(2), chunks, holds: new Set(holds) }
}

function makePacket(dice: Dice): Uint8Array {
  const body = dice.bytes(dice.pick([0, 0, 1, 2, 20, 125, 126, 127, 128, 129, 300, dice.below(500)]))
  const length = varint(body.length)
  switch (dice.below(40)) {
    case 0:
      length.push(length.pop()! | 0x80, 0) // padded
      break
    case 1:
      length.splice(0, length.length, 0x80 | dice.below(128), 0x80, 0x80, 0x80 | dice.below(2))
      break
    case 2:
      length.splice(0, length.length, 0xff, dice.below(256))
      break
    default:
  }
  return Buffer.concat([Uint8Array.of(dice.below(256), ...length), body])
}

// ── as text: 'padding refused' or 'padding allowed', 'holds 3 7', then a chunk in each line ─────────────────────────

function toText({ refusesPadding, chunks, holds }: Input): string {
  const head = [`padding ${refusesPadding ? 'refused' : 'allowed'}`, `holds ${[...holds].join(' ')}`]
  return [...head, ...chunks.map(toHex), ''].join('\n')
}

function fromText(text: string): Input {
  const [padding, holds, ...chunks] = linesOf(text)
  assert(padding?.startsWith('padding ') === true && holds?.startsWith('holds') === true, 'not an input of this fuzzer')
  return {
    refusesPadding: padding === 'padding refused',
    chunks: chunks.map(hex),
    holds: new Set(holds.split(' ').slice(1).map(Number)),
  }
}
