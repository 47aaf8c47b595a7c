/**
 * A stream of frames, whole and broken, cut anywhere and held anywhere, must give the same frames and the same end as a reader that
 * sees all of it at once and is written to be read, not to be fast. What was read must also be what is written again.
 */
import { assert, Dice, type Fuzzer, FuzzFailure, type FuzzTally, linesOf, toHex } from '@ternmq/testkit/fuzzer'

import { decodeLines, encodeLines } from '../../src/codec/encode.ts'
import { type FrameSink, FrameSplitter } from '../../src/codec/frame-splitter.ts'
import { COMMAND_NAMES } from '../../src/codec/commands.ts'
import { type FrameHeaders, headerMask } from '../../src/codec/headers.ts'
import type { FrameLimits } from '../../src/codec/limits.ts'
import { FrameProblem } from '../../src/codec/problem.ts'
import type { StompVersion } from '../../src/codec/versions.ts'
import { type Reading, readStream, type Version } from '../wire/parse.ts'

const LIMITS: FrameLimits = { maxHeaderBytes: 300, maxHeaders: 6, maxHeaderLineBytes: 120, maxBodyBytes: 200 }
const WIRE_LIMITS = { headerBytes: 300, headers: 6, lineBytes: 120, bodyBytes: 200 }
const VERSIONS: Readonly<Record<Version, StompVersion>> = { '1.0': 10, '1.1': 11, '1.2': 12 }

interface Input {
  readonly version: Version
  readonly chunks: readonly Uint8Array[]
  /** After which frames the sink asks for a pause; it goes on after the next chunk. */
  readonly holds: ReadonlySet<number>
}

export const framesFuzzer: Fuzzer = {
  name: 'stomp-frames',
  what: 'streams of STOMP frames in random pieces give the same frames as a reader that sees all at once',

  run(seed: number, iterations: number): FuzzTally {
    const dice = new Dice(seed)
    const tally = { waits: 0, refused: 0, frames: 0, repeated: 0 }
    for (let step = 0; step < iterations; step++) {
      const input = makeInput(dice)
      try {
        const found = check(input)
        tally[found.ending]++
        tally.frames += found.frames.length
        tally.repeated += found.repeated
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

interface Found extends Reading {
  /** Frames whose headers were known. */
  readonly repeated: number
}

function check({ version, chunks, holds }: Input): Found {
  const expected = readStream(Buffer.concat(chunks).toString('latin1'), version, WIRE_LIMITS)
  const found = readInPieces(chunks, VERSIONS[version], holds)
  const index = found.frames.findIndex((frame, at) => JSON.stringify(frame) !== JSON.stringify(expected.frames[at]))
  assert(
    index === -1,
    `frame ${index} is ${JSON.stringify(found.frames[index])}, expected ${JSON.stringify(expected.frames[index])}`,
  )
  assert(
    found.frames.length === expected.frames.length,
    `${found.frames.length} frames, expected ${expected.frames.length}`,
  )
  assert(found.ending === expected.ending, `the stream is ${found.ending}, expected ${expected.ending}`)
  return found
}

function readInPieces(chunks: readonly Uint8Array[], version: StompVersion, holds: ReadonlySet<number>): Found {
  const splitter = new FrameSplitter()
  const frames: Reading['frames'] = []
  let repeated = 0
  const sink: FrameSink = {
    limits: LIMITS,
    version,
    onFrame(headers, memory, bodyStart, bodyEnd) {
      const shown = headersOf(headers)
      if (headers.memo !== undefined) {
        repeated++
        assert(headers.memo === memoOf(shown), 'a head was taken for another one')
      }
      headers.memo = memoOf(shown)
      const body = Buffer.from(memory.subarray(bodyStart, bodyEnd)).toString('latin1')
      frames.push({ command: COMMAND_NAMES[headers.command]!, headers: shown, body })
      return !holds.has(frames.length)
    },
  }
  try {
    for (const chunk of chunks) {
      // Memory of a transport: somebody else's as soon as the call is over.
      const memory = new Uint8Array(chunk)
      splitter.read(memory, sink)
      memory.fill(0xdd)
      splitter.resume(sink)
    }
    // Every hold lets at least one frame more through.
    for (let pass = 0; pass <= holds.size; pass++) splitter.resume(sink)
  } catch (error) {
    if (!(error instanceof FrameProblem)) throw error
    assert(
      !/[\0-\x1f\x7f]/.test(error.text),
      `the text of an error has control characters: ${JSON.stringify(error.text)}`,
    )
    return { frames, ending: 'refused', repeated }
  }
  return { frames, ending: 'waits', repeated }
}

/** All headers; what a message would keep of them must be the same. */
function headersOf(headers: FrameHeaders): [string, string][] {
  const shown = Array.from({ length: headers.count }, (_, index): [string, string] => [
    headers.nameAt(index),
    headers.valueAt(index),
  ])
  const lines = headers.canonicalLines(NOTHING_SKIPPED)
  assert(JSON.stringify(decodeLines(lines)) === JSON.stringify(shown), 'canonical lines say something else')
  assert(toHex(lines) === toHex(encodeLines(shown, 12)), 'canonical lines are not as 1.2 writes them')
  return shown
}

/** What a handler may note: all but the first receipt and length, which may differ when the head comes again. */
function memoOf(shown: readonly [string, string][]): string {
  const gaps = ['receipt', 'content-length'].map((gap) => shown.findIndex(([name]) => name === gap))
  return JSON.stringify(shown.map((pair, index) => (gaps.includes(index) ? pair[0] : pair)))
}

const NOTHING_SKIPPED = headerMask([])

// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const COMMANDS = [
  'SEND',
  'SEND',
  'SEND',
  'SEND',
  'ACK',
  'SUBSCRIBE',
  'CONNECT',
  'STOMP',
  'CONNECTED',
  'MESSAGE',
  'DISCONNECT',
]
const NAMES = [
  'destination',
  'id',
  'receipt',
  'x',
  '__proto__',
  'content-type',
  'ä',
  'accept-version',
  'a\\cb',
  'q\\\\',
]
const VALUES = [
  '/queue/a',
  '/topic/b.c',
  '',
  '1',
  ' padded\t',
  'a\\cb',
  'a\\nb',
  'a\\rb',
  'a:b',
  'größe 😀',
  '\\\\',
  '\r',
  'a\rb',
]
const BODIES = ['', 'x', 'hello', '\n', '\r\n\n', 'x'.repeat(60), 'x'.repeat(190), 'SEND\n\n']
/** Pieces that a frame trips over. */
const EDGES = ['\0', '\n', '\r', '\r\n', '\n\n', ':', '\\', '\\t', '\\', 'content-length:', '\xff', '\xc3', 'S', '\nx']

function makeInput(dice: Dice): Input {
  const shapes = Array.from({ length: 1 + dice.below(4) }, () => makeShape(dice))
  let text = ''
  for (let count = 1 + dice.below(12); count > 0; count--) text += makeFrame(dice.pick(shapes), dice)
  for (let changes = dice.oneIn(2) ? 1 + dice.below(2) : 0; changes > 0; changes--) text = change(text, dice)
  const stream = Buffer.from(text, 'latin1')
  const chunks: Uint8Array[] = []
  // In some runs every byte comes alone, in some all of them together.
  const sizeMax = dice.pick([1, 2, 5, 30, 200, stream.length + 1])
  for (let at = 0; at < stream.length;) {
    const size = sizeMax > stream.length ? stream.length : 1 + dice.below(sizeMax)
    chunks.push(stream.subarray(at, at + size))
    at += size
  }
  const holds = Array.from({ length: dice.below(4) }, () => 1 + dice.below(10))
  return { version: dice.pick(['1.0', '1.1', '1.2']), chunks, holds: new Set(holds) }
}

/** What frames of one client have in common: headers where receipt and length are filled in. */
interface Shape {
  readonly command: string
  readonly headers: readonly string[]
  readonly end: string
}

function makeShape(dice: Dice): Shape {
  const headers = Array.from({ length: dice.below(4) }, () => `${dice.pick(NAMES)}:${dice.pick(VALUES)}`)
  const blank = dice.oneIn(5) ? ' ' : ''
  if (dice.oneIn(2)) headers.splice(dice.below(headers.length + 1), 0, `receipt:${blank}?r`)
  if (dice.oneIn(2)) headers.splice(dice.below(headers.length + 1), 0, `content-length:${blank}?l`)
  return { command: dice.pick(COMMANDS), headers, end: dice.oneIn(6) ? '\r\n' : '\n' }
}

/** One octet per character. */
function makeFrame({ command, headers, end }: Shape, dice: Dice): string {
  let body = command === 'SEND' || command === 'MESSAGE' || dice.oneIn(12) ? dice.pick(BODIES) : ''
  const hasLength = headers.some((header) => header.endsWith('?l'))
  if (hasLength && dice.oneIn(4)) body = `${body}\0${body}`
  const length = dice.oneIn(20) ? dice.pick(['201', '', '1x', '-1', '007', '9'.repeat(16)]) : String(body.length)
  const receipt = dice.oneIn(3) ? dice.pick(VALUES) : `r-${dice.below(2_000)}${dice.oneIn(8) ? ' ' : ''}`
  const filled = headers.map((header) => header.replace('?l', length).replace('?r', () => receipt))
  const head = [command, ...filled, '', ''].join(end)
  const after = dice.oneIn(3) ? '\n'.repeat(1 + dice.below(3)) : ''
  return `${Buffer.from(head).toString('latin1')}${body}\0${after}`
}

function change(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1)
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, at) + dice.pick(EDGES) + text.slice(at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + dice.below(4))
    case 2:
      return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1)
    case 3:
      return text.slice(0, at) + 'y'.repeat(dice.pick([10, 110, 125, 200, 310])) + text.slice(at)
    default:
      return text.slice(0, at)
  }
}

// ── as text: 'version 1.2', 'holds 3 7', then a chunk in each line ───────────────────────────────────────────────────

function toText({ version, chunks, holds }: Input): string {
  return [`version ${version}`, `holds ${[...holds].join(' ')}`, ...chunks.map(toHex), ''].join('\n')
}

function fromText(text: string): Input {
  const [version = '', holds, ...chunks] = linesOf(text)
  const name = version.slice('version '.length)
  assert(Object.hasOwn(VERSIONS, name) && holds?.startsWith('holds') === true, 'not an input of this fuzzer')
  return {
    version: name as Version,
    chunks: chunks.map((chunk) => Buffer.from(chunk, 'hex')),
    holds: new Set(holds.split(' ').slice(1).map(Number)),
  }
}
