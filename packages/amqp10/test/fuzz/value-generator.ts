/** Values of AMQP's types by chance, well formed and not: what fuzzers feed on. */
import type { Dice } from '@ternmq/testkit/fuzzer'

/** Constructors of all encodings: those without bytes first, 0x00 last, lists, maps and arrays before it. */
const CODES = [
  0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x60, 0x61, 0x70, 0x71, 0x72, 0x73,
  0x74, 0x80, 0x81, 0x82, 0x83, 0x84, 0x94, 0x98, 0xa0, 0xa1, 0xa3, 0xb0, 0xb1, 0xb3, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0,
  0xf0, 0x00,
]
const TEXTS = ['', 'a', 'txn-id', '__proto__', 'amqp:accepted:list', 'größe', '😀', 'x'.repeat(40), '\0', '\uFEFFb']
const WIDTHS = [0, 1, 2, 4, 8, 16]
/** All but lists, maps, arrays and described values. */
const FLAT_CODES = CODES.slice(0, 33)
/** Those that have nothing behind them. */
const EMPTY_CODES = CODES.slice(0, 6)
/** Values of fixed width that are at an edge. */
const EDGES = ['00', 'ff', '80', '01', '7f']

/** Around half surrogate pairs and the end of Unicode. */
const CHARS = [0xd7ff, 0xd800, 0xdfff, 0xe000, 0x10_ffff, 0x11_0000]

/** The constructor first. `depth` levels of lists, maps and others may follow. */
export function makeValue(dice: Dice, depth = 3): Buffer {
  const code = depth === 0 ? dice.pick(FLAT_CODES) : dice.pick(CODES)
  if (code !== 0) return Buffer.concat([Buffer.of(code), content(code, dice, depth)])
  return Buffer.concat([Buffer.of(0), makeDescriptor(dice, depth), makeValue(dice, depth - 1)])
}

function makeDescriptor(dice: Dice, depth: number): Buffer {
  if (dice.oneIn(8)) return makeValue(dice, depth - 1)
  return dice.oneIn(3) ? sized(0xa3, Buffer.from(dice.pick(TEXTS.slice(0, 5)))) : Buffer.of(0x53, dice.below(256))
}

/** What follows the constructor `code`. */
function content(code: number, dice: Dice, depth: number): Buffer {
  const category = code >> 4
  if (category <= 9) return fixed(code, WIDTHS[category - 4]!, dice)
  const width = category % 2 === 0 ? 1 : 4
  switch (category) {
    case 0xa:
    case 0xb:
      return withSize(width, (code & 0xf) === 0 ? randomBytes(dice) : text(code, dice))
    case 0xe:
    case 0xf:
      return withSize(width, arrayContent(width, dice, depth))
    default:
      return withSize(width, compoundContent(code, width, dice, depth))
  }
}

function fixed(code: number, width: number, dice: Dice): Buffer {
  if (code === 0x56 && !dice.oneIn(10)) return Buffer.of(dice.below(2))
  if (code === 0x73 && !dice.oneIn(10)) return number(4, dice.oneIn(2) ? dice.pick(CHARS) : dice.below(0x11_0000))
  if (dice.oneIn(3)) return Buffer.alloc(width, dice.pick(EDGES), 'hex')
  return Buffer.from(Array.from({ length: width }, () => dice.below(256)))
}

function text(code: number, dice: Dice): Buffer {
  const bytes = Buffer.from(dice.pick(TEXTS))
  // Symbols of the list that are no ASCII are wanted, but seldom.
  return (code & 0xf) === 3 && bytes.some((byte) => byte > 127) && !dice.oneIn(10) ? Buffer.from('amqp:x') : bytes
}

function compoundContent(code: number, width: number, dice: Dice, depth: number): Buffer {
  const count = (code & 0xf) === 1 ? 2 * dice.below(3) : dice.below(4)
  return Buffer.concat([number(width, count), ...Array.from({ length: count }, () => makeValue(dice, depth - 1))])
}

function arrayContent(width: number, dice: Dice, depth: number): Buffer {
  const count = dice.oneIn(10) ? dice.pick([1_024, 1_025, 255, 200]) : dice.below(4)
  const descriptors = Array.from({ length: dice.oneIn(5) ? 1 + dice.below(2) : 0 }, () =>
    Buffer.concat([Buffer.of(0), makeDescriptor(dice, depth)]),
  )
  const code = count > 4 ? dice.pick(EMPTY_CODES) : dice.pick(depth === 1 ? FLAT_CODES : CODES.slice(0, -1))
  const elements = Array.from({ length: count > 4 ? 0 : count }, () => content(code, dice, depth - 1))
  return Buffer.concat([
    number(width, width === 1 ? count & 0xff : count),
    ...descriptors,
    Buffer.of(code),
    ...elements,
  ])
}

function randomBytes(dice: Dice): Buffer {
  return Buffer.from(Array.from({ length: dice.below(6) }, () => dice.below(256)))
}

function withSize(width: number, bytes: Buffer): Buffer {
  return Buffer.concat([number(width, width === 1 ? bytes.length & 0xff : bytes.length), bytes])
}

export function sized(code: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of(code), withSize(1, bytes)])
}

export function number(width: number, value: number): Buffer {
  const bytes = Buffer.alloc(width)
  bytes.writeUIntBE(value, 0, width)
  return bytes
}

/** Bytes that readers trip over. */
const TRIPS = [0x00, 0x40, 0x45, 0x53, 0x56, 0xa1, 0xc0, 0xc1, 0xd0, 0xe0, 0xf0, 0xff, 0x7f, 0x01, 0x02]

/** One change somewhere. */
export function changeBytes(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1)
  const before = bytes.subarray(0, at)
  switch (dice.below(6)) {
    case 0:
      return Buffer.concat([before, Buffer.of(dice.pick(TRIPS)), bytes.subarray(at)])
    case 1:
      return Buffer.concat([before, bytes.subarray(at + 1 + dice.below(3))])
    case 2:
      return Buffer.concat([before, Buffer.of(dice.below(256)), bytes.subarray(at + 1)])
    case 3: // a size or a count that is one off
      return Buffer.concat([
        before,
        Buffer.of(((bytes[at] ?? 0) + (dice.oneIn(2) ? 1 : 255)) & 0xff),
        bytes.subarray(at + 1),
      ])
    case 4:
      return Buffer.concat([before, Buffer.of(0xff, 0xff, 0xff, 0xff), bytes.subarray(at + 4)])
    default:
      return before
  }
}
