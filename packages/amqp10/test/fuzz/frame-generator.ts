/** Frames of AMQP by chance: performatives whose fields are mostly right. */
import type { Dice } from '@ternmq/testkit/fuzzer'

import { makeValue, number, sized } from './value-generator.ts'

/** Kinds of fields, one letter each: u uint, b boolean, y ubyte, h ushort, l ulong, s string, S symbol, x binary, m map, A symbols, e error, t state, o source, g target, U unsettled. */
const PERFORMATIVES: Readonly<Record<number, string>> = {
  0x10: 'ssuhuAAAAm',
  0x11: 'huuuuAAm',
  0x12: 'subyyogUbulAAm',
  0x13: 'uuuuuuuubbm',
  0x14: 'uuxubbytbbb',
  0x15: 'buubtb',
  0x16: 'ube',
  0x17: 'e',
  0x18: 'e',
  0x41: 'Sxs',
  0x43: 'x',
}
/** Those that move messages come most. */
const CODES = [
  0x14, 0x14, 0x14, 0x13, 0x13, 0x15, 0x15, 0x10, 0x11, 0x12, 0x12, 0x16, 0x17, 0x18, 0x41, 0x43, 0x40, 0x44, 0x19,
]
/** Fields that are seldom null, as they are mandatory. */
const MANDATORY: Readonly<Record<number, number>> = {
  0x10: 1,
  0x11: 4,
  0x12: 3,
  0x13: 4,
  0x14: 1,
  0x15: 2,
  0x16: 1,
  0x41: 1,
  0x43: 1,
}
const SYMBOLS: Readonly<Record<number, string>> = {
  0x10: 'open',
  0x13: 'flow',
  0x14: 'transfer',
  0x15: 'disposition',
  0x16: 'detach',
}
const NAMES = ['txn-id', 'a', 'b', '__proto__', 'amqp:x']
const STATES = [
  '00532445',
  '00532645',
  '005324c00100',
  '00a312616d71703a61636365707465643a6c69737445',
  '00532545',
  '0053274a',
  '005327c0030241',
  '00533445',
  '005334c00b02a0020102005324c00100',
  '005334c00501a0020102',
  '005334c00d02a0020102005323c003024344',
  '005323c0040243530a',
  '00532345',
]
const POLICIES = ['never', 'link-detach', 'session-end', 'later']

const NULL = Buffer.of(0x40)

/** A whole frame, header included. */
export function makeFrame(dice: Dice): Buffer {
  if (dice.oneIn(12)) return wrap(Buffer.alloc(0), dice)
  const code = dice.pick(CODES)
  const body = makeBody(code, dice)
  const payload = code === 0x14 || dice.oneIn(80) ? Buffer.from('payload'.slice(0, dice.below(8))) : Buffer.alloc(0)
  return wrap(Buffer.concat([body, payload]), dice)
}

/** A frame of so many bytes. */
export function makeTransferOf(size: number, dice: Dice): Buffer {
  const body = Buffer.of(0, 0x53, 0x14, 0xc0, 2, 1, 0x43)
  const head = Buffer.concat([number(4, size), Buffer.of(2, 0), number(2, dice.below(0x1_0000))])
  return Buffer.concat([head, body, Buffer.alloc(size - 8 - body.length, 'p')])
}

function wrap(body: Buffer, dice: Dice): Buffer {
  const doff = dice.oneIn(8) ? 3 + dice.below(2) : 2
  const extended = Buffer.alloc((doff - 2) * 4, 0xee)
  const head = Buffer.concat([
    number(4, 8 + extended.length + body.length),
    Buffer.of(doff, dice.oneIn(4) ? 1 : 0),
    number(2, dice.below(0x1_0000)),
  ])
  return Buffer.concat([head, extended, body])
}

function makeBody(code: number, dice: Dice): Buffer {
  return Buffer.concat([
    Buffer.of(0),
    descriptor(code, dice),
    list(fieldsOf(PERFORMATIVES[code] ?? '', MANDATORY[code] ?? 0, dice), dice),
  ])
}

function descriptor(code: number, dice: Dice): Buffer {
  const symbol = SYMBOLS[code]
  if (symbol !== undefined && dice.oneIn(6)) return sized(0xa3, Buffer.from(`amqp:${symbol}:list`))
  return dice.oneIn(6) ? Buffer.concat([Buffer.of(0x80), number(4, 0), number(4, code)]) : Buffer.of(0x53, code)
}

function fieldsOf(kinds: string, mandatory: number, dice: Dice): Buffer[] {
  const count = Math.max(dice.oneIn(60) ? 0 : mandatory, dice.below(kinds.length + 1))
  const fields = [...kinds.slice(0, count)].map((kind, index) => {
    if (dice.oneIn(index < mandatory ? 200 : 4)) return NULL
    return dice.oneIn(120) ? makeValue(dice, 2) : makeField(kind, dice)
  })
  return dice.oneIn(150) ? [...fields, NULL] : fields
}

function list(fields: readonly Buffer[], dice: Dice): Buffer {
  if (fields.length === 0 && dice.oneIn(2)) return Buffer.of(0x45)
  const content = Buffer.concat(fields)
  if (content.length > 254 || dice.oneIn(5))
    return Buffer.concat([Buffer.of(0xd0), number(4, content.length + 4), number(4, fields.length), content])
  return Buffer.concat([Buffer.of(0xc0, content.length + 1, fields.length), content])
}

function makeField(kind: string, dice: Dice): Buffer {
  switch (kind) {
    case 'u':
      return dice.pick([
        Buffer.of(0x43),
        Buffer.of(0x52, dice.below(256)),
        Buffer.concat([Buffer.of(0x70), number(4, dice.pick([0, 512, 70_000, 0xffff_ffff]))]),
      ])
    case 'b':
      return dice.pick([Buffer.of(0x41), Buffer.of(0x42), Buffer.of(0x56, dice.below(dice.oneIn(60) ? 3 : 2))])
    case 'y':
      return Buffer.of(0x50, dice.below(dice.oneIn(60) ? 4 : 2))
    case 'h':
      return Buffer.concat([Buffer.of(0x60), number(2, dice.below(0x1_0000))])
    case 'l':
      return dice.pick([Buffer.of(0x44), Buffer.of(0x53, 9), Buffer.alloc(9, 0x80)])
    case 's':
      return sized(0xa1, Buffer.from(dice.pick(['', 'name', 'größe'])))
    case 'S':
      return symbol(dice)
    case 'x':
      return sized(0xa0, Buffer.alloc(dice.oneIn(60) ? 33 : dice.below(6), 7))
    case 'm':
      return makeMap(dice)
    case 'A':
      return dice.oneIn(2) ? symbol(dice) : Buffer.of(0xe0, 6, 2, 0xa3, 1, 0x61, 1, 0x62)
    case 'e':
      return described(
        0x1d,
        [symbol(dice), makeField('s', dice), makeMap(dice)].slice(0, dice.oneIn(40) ? 0 : 1 + dice.below(3)),
        dice,
      )
    case 't':
      return Buffer.from(dice.pick(STATES), 'hex')
    case 'U':
      return mapOf(
        Array.from({ length: dice.below(3) }, () => [
          makeField('x', dice),
          dice.oneIn(2) ? NULL : makeField('t', dice),
        ]),
      )
    case 'o':
      return described(0x28, terminusFields(dice, 'SmtAA'), dice)
    default:
      return dice.oneIn(4)
        ? described(0x30, [makeField('A', dice)], dice)
        : described(0x29, terminusFields(dice, 'A'), dice)
  }
}

function terminusFields(dice: Dice, rest: string): Buffer[] {
  const policy = dice.oneIn(3) ? NULL : sized(0xa3, Buffer.from(dice.pick(POLICIES.slice(0, dice.oneIn(40) ? 4 : 3))))
  const fields = [
    makeField('s', dice),
    Buffer.of(0x52, dice.below(dice.oneIn(40) ? 4 : 3)),
    policy,
    ...[...`ubm${rest}`].map((kind) => (dice.oneIn(3) ? NULL : makeField(kind, dice))),
  ]
  return fields.slice(0, dice.below(fields.length + 1))
}

function described(code: number, fields: readonly Buffer[], dice: Dice): Buffer {
  return Buffer.concat([Buffer.of(0), descriptor(code, dice), list(fields, dice)])
}

function symbol(dice: Dice): Buffer {
  return sized(0xa3, Buffer.from(dice.pick(NAMES)))
}

/** With symbols as keys, mostly. */
function makeMap(dice: Dice): Buffer {
  const pairs = Array.from({ length: dice.below(3) }, () => [
    dice.oneIn(60) ? makeValue(dice, 0) : symbol(dice),
    dice.oneIn(3) ? sized(0xa0, Buffer.of(1)) : makeValue(dice, 1),
  ])
  return mapOf(pairs)
}

function mapOf(pairs: readonly Buffer[][]): Buffer {
  const content = Buffer.concat(pairs.flat())
  return Buffer.concat([Buffer.of(0xd1), number(4, content.length + 4), number(4, pairs.length * 2), content])
}
