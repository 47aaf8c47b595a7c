/**
 * A stream of protocol headers and frames, whole and broken, cut anywhere and held anywhere, must give the same frames, saying the same, and
 * the same end as a reader that sees all of it at once and is written to be read, not to be fast.
 */
import { assert, Dice, type Fuzzer, FuzzFailure, type FuzzTally, linesOf, toHex } from '@ternmq/testkit/fuzzer'

import { encodeAttach, encodeBegin, encodeClose, encodeDetach, encodeOpen } from '../../src/codec/encode-control.ts'
import { AmqpFault } from '../../src/codec/faults.ts'
import { type FrameSink, FrameSplitter } from '../../src/codec/frame-splitter.ts'
import type { Attach, Begin, Detach, Open, PeerError } from '../../src/codec/performatives.ts'
import { expectedFrame, showFrame } from './frame-shown.ts'
import { makeFrame, makeTransferOf } from './frame-generator.ts'
import { Refused } from './reference-values.ts'
import { changeBytes } from './value-generator.ts'
import { LIMITS } from './values.fuzz.ts'

/** Until the first frame of type 0, then. */
const EARLY_FRAME_BYTES_MAX = 512
const FRAME_BYTES_MAX = 1_500
const SASL_ID = 3
/** Around those limits. */
const SIZES = [511, 512, 513, 1_499, 1_500, 1_501]

interface Input {
  readonly chunks: readonly Uint8Array[]
  /** After how many headers and frames the sink asks for a pause; it goes on after the next chunk. */
  readonly holds: ReadonlySet<number>
}

interface Reading {
  readonly shown: readonly string[]
  readonly ending: 'waits' | 'refused' | 'ended'
}

export const framesFuzzer: Fuzzer = {
  name: 'amqp-frames',
  what: 'streams of AMQP frames in random pieces give the same frames as a reader that sees all at once',

  run(seed: number, iterations: number): FuzzTally {
    const dice = new Dice(seed)
    const tally = { waits: 0, refused: 0, ended: 0, frames: 0, moving: 0 }
    for (let step = 0; step < iterations; step++) {
      const input = makeInput(dice)
      try {
        const { ending, shown } = check(input)
        tally[ending]++
        tally.frames += shown.length
        tally.moving += shown.filter((text) => / (?:transfer|flow|disposition) /.test(text)).length
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

function check(input: Input): Reading {
  const expected = readAtOnce(Buffer.concat(input.chunks))
  const found = readInPieces(input)
  const index = found.shown.findIndex((text, at) => text !== expected.shown[at])
  assert(index === -1, `number ${index} is ${found.shown[index]}, expected ${expected.shown[index]}`)
  assert(found.shown.length === expected.shown.length, `${found.shown.length} came, expected ${expected.shown.length}`)
  assert(found.ending === expected.ending, `the stream is ${found.ending}, expected ${expected.ending}`)
  return found
}

// ── at once ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function readAtOnce(stream: Buffer): Reading {
  const shown: string[] = []
  let rest = stream
  let expectsHeader = true
  let sizeMax = EARLY_FRAME_BYTES_MAX
  while (rest.length >= 8) {
    if (expectsHeader) {
      const isAmqp = rest.toString('latin1', 0, 4) === 'AMQP'
      shown.push(`${isAmqp ? 'header' : 'no header'} ${rest.toString('hex', isAmqp ? 4 : 0, 8)}`)
      if (!isAmqp) return { shown, ending: 'ended' }
      expectsHeader = false
      rest = rest.subarray(8)
      continue
    }
    const size = rest.readUInt32BE(0)
    const start = rest[4]! * 4
    const type = rest[5]!
    if (size < 8 || size > sizeMax || start < 8 || start > size || type > 1) return { shown, ending: 'refused' }
    if (size > rest.length) break
    try {
      shown.push(`${type} ${rest.readUInt16BE(6)} ${bodyAtOnce(rest.subarray(start, size))}`)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      return { shown, ending: 'refused' }
    }
    if (type === 0) sizeMax = FRAME_BYTES_MAX
    expectsHeader = type === 1 && start === size
    rest = rest.subarray(size)
  }
  return { shown, ending: 'waits' }
}

function bodyAtOnce(body: Buffer): string {
  return body.length === 0 ? 'empty' : expectedFrame(body, LIMITS)
}

// ── in pieces ────────────────────────────────────────────────────────────────────────────────────────────────────────

class ShowingSink implements FrameSink {
  frameBytesMax = EARLY_FRAME_BYTES_MAX
  expectsHeader = true
  isEnded = false
  readonly shown: string[] = []
  readonly #holds: ReadonlySet<number>

  constructor(holds: ReadonlySet<number>) {
    this.#holds = holds
  }

  onHeader(...numbers: [number, number, number, number]): boolean {
    this.expectsHeader = false
    return this.#push(`header ${toHex(Uint8Array.from(numbers))}`)
  }

  onBadHeader(bytes: Uint8Array): void {
    this.isEnded = true
    this.shown.push(`no header ${toHex(bytes)}`)
  }

  onFrame(type: number, channel: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (type === 0) this.frameBytesMax = FRAME_BYTES_MAX
    this.expectsHeader = type === 1 && start === end
    if (start === end) return this.#push(`${type} ${channel} empty`)
    const { text, code, decoded } = showFrame(bytes, start, end)
    if (decoded !== undefined) checkAgain(code, decoded)
    return this.#push(`${type} ${channel} ${text}`)
  }

  #push(text: string): boolean {
    this.shown.push(text)
    return !this.#holds.has(this.shown.length)
  }
}

function readInPieces({ chunks, holds }: Input): Reading {
  const splitter = new FrameSplitter()
  const sink = new ShowingSink(holds)
  try {
    for (const chunk of chunks) {
      // Memory of a transport: somebody else's as soon as the call is over.
      const memory = Buffer.from(chunk)
      splitter.read(memory, sink)
      memory.fill(0xdd)
      splitter.resume(sink)
    }
    // Every hold lets at least one frame more through.
    for (let pass = 0; pass <= holds.size; pass++) splitter.resume(sink)
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error
    assert(error.level === 'connection', `a fault of the level ${error.level}`)
    assert(
      !/[\0-\x1f\x7f-\x9f]/.test(error.message),
      `the text of a fault has control characters: ${JSON.stringify(error.message)}`,
    )
    return { shown: sink.shown, ending: 'refused' }
  }
  assert(
    splitter.heldBytes <= 2 * FRAME_BYTES_MAX,
    `${splitter.heldBytes} bytes are held of a frame that may have ${FRAME_BYTES_MAX}`,
  )
  return { shown: sink.shown, ending: sink.isEnded ? 'ended' : 'waits' }
}

/** What was read of a control performative is read again when it was written. */
function checkAgain(code: number, decoded: unknown): void {
  const bytes = encodeAgain(code, decoded)
  if (bytes === undefined) return
  const again = showFrame(bytes, 8, bytes.length)
  assert(again.code === code, `performative ${code} is written as ${again.code}`)
  const [before, after] = [JSON.stringify(decoded, plain), JSON.stringify(again.decoded, plain)]
  assert(before === after, `performative ${code} was ${before}, is ${after} when it was written and read again`)
}

function encodeAgain(code: number, decoded: unknown): Uint8Array | undefined {
  switch (code) {
    case 0x10:
      return encodeOpen(decoded as Open)
    case 0x11:
      return encodeBegin(0, decoded as Begin)
    case 0x12:
      return encodeAttach(0, decoded as Attach)
    case 0x16: {
      const { handle, closed, error } = decoded as Detach
      return encodeDetach(0, handle, closed, error)
    }
    case 0x18:
      return encodeClose(decoded as PeerError)
    default:
      return undefined
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value
}

// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function makeInput(dice: Dice): Input {
  const parts: Buffer[] = [makeHeader(dice)]
  for (let count = dice.below(10); count > 0; count--) {
    let frame = dice.oneIn(30) ? makeTransferOf(dice.pick(SIZES), dice) : makeFrame(dice)
    if (dice.oneIn(50)) frame = changeBytes(frame, dice)
    parts.push(frame)
    if (frame.length === 8 && frame[5] === 1) parts.push(makeHeader(dice))
  }
  const stream = Buffer.concat(parts)
  const chunks: Uint8Array[] = []
  // In some runs every byte comes alone, in some all of them together.
  const sizeMax = dice.pick([1, 2, 7, 40, 300, stream.length + 1])
  for (let at = 0; at < stream.length;) {
    const size = sizeMax > stream.length ? stream.length : 1 + dice.below(sizeMax)
    chunks.push(stream.subarray(at, at + size))
    at += size
  }
  const holds = Array.from({ length: dice.below(4) }, () => 1 + dice.below(10))
  return { chunks, holds: new Set(holds) }
}

function makeHeader(dice: Dice): Buffer {
  const header = Buffer.concat([Buffer.from('AMQP'), Buffer.of(dice.oneIn(3) ? SASL_ID : 0, 1, 0, 0)])
  return dice.oneIn(20) ? changeBytes(header, dice) : header
}

// ── as text: 'holds 3 7', then a chunk in each line ──────────────────────────────────────────────────────────────────

function toText({ chunks, holds }: Input): string {
  return [`holds ${[...holds].join(' ')}`, ...chunks.map(toHex), ''].join('\n')
}

function fromText(text: string): Input {
  const [holds = '', ...chunks] = linesOf(text)
  assert(holds.startsWith('holds'), 'not an input of this fuzzer')
  return {
    chunks: chunks.map((chunk) => Buffer.from(chunk, 'hex')),
    holds: new Set(holds.split(' ').slice(1).map(Number)),
  }
}
