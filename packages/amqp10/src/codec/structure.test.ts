import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { AmqpFault } from './faults.ts'
import { encodeValue } from './encode-value.ts'
import {
  checkSome,
  checkValue,
  countValues,
  DEPTH_MAX,
  EMPTY_ELEMENTS_MAX,
  seenValues,
  skipValue,
} from './structure.ts'
import { anyValue } from '../../test/values.ts'
import { array, described, list, list32, map, str, symbol, u32, uint, Encoded, value } from '../../test/wire/encode.ts'

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

function faultOf(bytes: Uint8Array): AmqpFault {
  try {
    checkValue(bytes, 0, bytes.length, 'it')
  } catch (error) {
    if (error instanceof AmqpFault) return error
    throw error
  }
  throw new Error(`${Buffer.from(bytes).toString('hex')} was taken`)
}

const GOOD: readonly (readonly [name: string, hex: string])[] = [
  ['null', '40'],
  ['true', '41'],
  ['false', '42'],
  ['a boolean with its octet', '56 01'],
  ['ubyte', '50 ff'],
  ['ushort', '60 ffff'],
  ['uint of four bytes', '70 ffffffff'],
  ['uint of one', '52 ff'],
  ['uint of none', '43'],
  ['ulong of eight bytes', '80 ffffffffffffffff'],
  ['ulong of one', '53 ff'],
  ['ulong of none', '44'],
  ['byte', '51 80'],
  ['short', '61 8000'],
  ['int', '71 80000000'],
  ['int of one byte', '54 80'],
  ['long', '81 8000000000000000'],
  ['long of one byte', '55 80'],
  ['float', '72 7fc00000'],
  ['double', '82 7ff8000000000000'],
  ['decimal32', '74 00000000'],
  ['decimal64', '84 0000000000000000'],
  ['decimal128', '94 00000000000000000000000000000000'],
  ['char', '73 0010ffff'],
  ['timestamp', '83 0000000000000000'],
  ['uuid', '98 00000000000000000000000000000000'],
  ['binary', 'a0 02 ffff'],
  ['binary with a wide size', 'b0 00000002 ffff'],
  ['string', 'a1 02 c3a4'],
  ['string with a wide size', 'b1 00000002 c3a4'],
  ['symbol', 'a3 01 61'],
  ['symbol with a wide size', 'b3 00000001 61'],
  ['list of none', '45'],
  ['list of none with a count', 'c0 01 00'],
  ['list', 'c0 03 02 40 40'],
  ['list with a wide size', 'd0 00000006 00000002 40 40'],
  ['map', 'c1 05 02 a1 01 61 43'],
  ['map with a wide size', 'd1 00000008 00000002 a1 01 61 43'],
  ['array', 'e0 04 02 50 01 02'],
  ['array with a wide size', 'f0 00000007 00000002 50 01 02'],
  ['array of none', 'e0 02 00 50'],
  ['array of described elements', 'e0 07 02 00 53 24 50 01 02'],
  ['array of arrays', 'e0 08 02 e0 02 01 41 02 01 41'],
  ['described by a number', '00 53 24 45'],
  ['described by a wide number', '00 80 0000000000000024 45'],
  ['described by a symbol', '00 a3 01 61 45'],
  ['described by something else, which is reserved', '00 a1 01 61 45'],
  ['described twice', '00 53 24 00 53 25 45'],
]

const BAD: readonly (readonly [name: string, hex: string, text: string, clause: string])[] = [
  ['nothing', '', 'a value is missing where the bytes end', 'AMQP10-1.2-a'],
  ['an unknown constructor', '57 00', '0x57 is no constructor', 'AMQP10-1.2-b'],
  ['a constructor of an unknown category', '10', '0x10 is no constructor', 'AMQP10-1.2-b'],
  ['an unknown constructor of an array without elements', 'e0 02 00 57', '0x57 is no constructor', 'AMQP10-1.2-b'],
  ['a cut number', '70 000000', 'uint (0x70) needs 4 bytes where 3 are left', 'AMQP10-1.2.2-a'],
  ['a string without its size', 'a1', 'string8 (0xa1) needs 1 bytes where 0 are left', 'AMQP10-1.2.2-a'],
  ['a string with half a size', 'b1 0000', 'string32 (0xb1) needs 4 bytes where 2 are left', 'AMQP10-1.2.2-a'],
  ['a size beyond the end', 'a0 03 ffff', 'binary8 (0xa0) needs 3 bytes where 2 are left', 'AMQP10-1.2.2-a'],
  ['a size of 4 GiB', 'b0 ffffffff 00', 'binary32 (0xb0) needs 4294967295 bytes where 1 are left', 'AMQP10-1.2.2-a'],
  ['a list of 4 GiB', 'd0 ffffffff 00000000', 'list32 (0xd0) needs 4294967295 bytes', 'AMQP10-1.2.2-a'],
  [
    'a list whose size has no room for its count',
    'd0 00000003 000000',
    'list32 (0xd0) needs 4 bytes where 3',
    'AMQP10-1.2.2-a',
  ],
  ['a list of size 0', 'c0 00', 'list8 (0xc0) needs 1 bytes where 0 are left', 'AMQP10-1.2.2-a'],
  [
    'a count of 4 billion',
    'd0 00000005 ffffffff 40',
    'list32 (0xd0) says to have 4294967295 elements in 1 bytes',
    'AMQP10-1.2.3-a',
  ],
  [
    'a list with fewer elements than it says',
    'c0 02 02 40',
    'list8 (0xc0) says to have 2 elements in 1 bytes',
    'AMQP10-1.2.3-a',
  ],
  [
    'a list whose elements reach beyond it',
    'c0 03 02 52 40 40',
    'a value is missing where the bytes end',
    'AMQP10-1.2-a',
  ],
  [
    'a list with bytes behind its elements',
    'c0 03 01 40 40',
    'list8 (0xc0) has 1 bytes behind its 1 elements',
    'AMQP10-1.2.3-a',
  ],
  [
    'an element that passes the end of its list',
    'c0 03 01 60 00 00',
    'ushort (0x60) needs 2 bytes where 1 are left',
    'AMQP10-1.2.2-a',
  ],
  ['a map with a key without value', 'c1 04 01 a1 01 61', 'a map has 1 keys and values together', 'AMQP10-1.6.23-a'],
  ['a boolean of 2', '56 02', 'a boolean is 0x02, neither 0x00 nor 0x01', 'AMQP10-1.6.2-a'],
  ['a boolean of 2 in an array', 'e0 03 01 56 02', 'a boolean is 0x02', 'AMQP10-1.6.2-a'],
  ['a half surrogate pair', '73 0000d800', '0xd800 is no character of Unicode', ''],
  ['a character beyond Unicode', '73 00110000', '0x110000 is no character of Unicode', ''],
  ['a string that is no UTF-8', 'a1 01 ff', 'a string is not valid UTF-8', 'AMQP10-1.6.20-a'],
  ['a string with an overlong character', 'a1 02 c080', 'a string is not valid UTF-8', 'AMQP10-1.6.20-a'],
  ['a symbol that is not ASCII', 'a3 02 c3a4', 'a symbol has bytes that are not ASCII', 'AMQP10-1.6.21-a'],
  ['a descriptor without value', '00 53 24', 'a value is missing where the bytes end', 'AMQP10-1.2-a'],
  ['nothing behind 0x00', '00', 'a value is missing where the bytes end', 'AMQP10-1.2-a'],
  ['an array without constructor', 'e0 01 00', 'an array has no constructor for its elements', 'AMQP10-1.2.4-a'],
  [
    'an array with a descriptor only',
    'e0 04 00 00 53 24',
    'an array has no constructor for its elements',
    'AMQP10-1.2.4-a',
  ],
  [
    'an array with bytes behind its elements',
    'e0 04 01 50 01 02',
    'array8 (0xe0) has 1 bytes behind its 1 elements',
    'AMQP10-1.2.4-a',
  ],
  [
    'an array of nothing with bytes behind',
    'e0 03 02 41 00',
    'array8 (0xe0) has 1 bytes behind its 2 elements',
    'AMQP10-1.2.4-a',
  ],
  [
    'an array with fewer elements than it says',
    'e0 03 02 50 01',
    'array8 (0xe0) says to have 2 elements in 1 bytes',
    'AMQP10-1.2.3-a',
  ],
]

describe('what is a value', () => {
  test.each(GOOD)('%s ends where it ends', (_, hex) => {
    const bytes = Buffer.concat([bytesOf('40'), bytesOf(hex), bytesOf('ff')])
    expect(checkValue(bytes, 1, bytes.length, 'it')).toBe(bytes.length - 1)
    expect(skipValue(bytes, 1)).toBe(bytes.length - 1)
  })

  test.each(GOOD)('%s is refused wherever it is cut off', (_, hex) => {
    const bytes = bytesOf(hex)
    for (let end = 0; end < bytes.length; end++)
      expect(() => checkValue(bytes, 0, end, 'it'), `after ${end} bytes`).toThrow(AmqpFault)
  })

  test.each(BAD)('%s is refused', (_, hex, text, clause) => {
    const fault = faultOf(bytesOf(hex))
    expect(fault).toMatchObject({ level: 'connection', condition: 'amqp:decode-error', clause })
    expect(fault.message).toContain(`it: ${text}`)
  })

  test('the end may come before the end of the memory', () => {
    const bytes = bytesOf('a0 02 ffff')
    expect(() => checkValue(bytes, 0, 3, 'it')).toThrow('needs 2 bytes where 1 are left')
  })

  test('whatever is written is a value', () => {
    fc.assert(
      fc.property(anyValue, (plain) => {
        const bytes = encodeValue(plain)
        expect(checkValue(bytes, 0, bytes.length, 'it')).toBe(bytes.length)
        expect(skipValue(bytes, 0)).toBe(bytes.length)
      }),
    )
  })

  test('any bytes are a value or are refused with a fault, within them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          const end = checkValue(bytes, 0, bytes.length, 'it')
          expect(end).toBeLessThanOrEqual(bytes.length)
          expect(skipValue(bytes, 0)).toBe(end)
        } catch (error) {
          expect(error).toBeInstanceOf(AmqpFault)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

/** `count` times `wrap` around nothing. */
function nested(count: number, wrap: (inner: Encoded) => Encoded): Uint8Array {
  let inner = value(null)
  for (let left = count; left > 0; left--) inner = wrap(inner)
  return inner.bytes
}

describe('how deep values are nested has a limit', () => {
  interface Nesting {
    readonly name: string
    readonly wrap: (inner: Encoded) => Encoded
  }

  const nestings: readonly Nesting[] = [
    { name: 'lists', wrap: (inner) => list([inner]) },
    { name: 'lists with wide sizes', wrap: (inner) => list32([inner]) },
    { name: 'values of maps', wrap: (inner) => map([[symbol('k'), inner]]) },
    { name: 'keys of maps', wrap: (inner) => map([[inner, null]]) },
    { name: 'described values', wrap: (inner) => described(0x24, inner) },
    { name: 'descriptors', wrap: (inner) => described(inner, null) },
    { name: 'arrays', wrap: (inner) => (inner.bytes[0] === 0xe0 ? array(0xe0, [inner]) : array(0x50, [])) },
  ]

  test.each(nestings)('$name', ({ wrap }) => {
    const deepest = nested(DEPTH_MAX - 1, wrap)
    expect(checkValue(deepest, 0, deepest.length, 'it')).toBe(deepest.length)
    expect(faultOf(nested(DEPTH_MAX, wrap)).message).toBe(`it: values are nested deeper than ${DEPTH_MAX}`)
  })

  test('a long run of descriptors uses no stack', () => {
    expect(faultOf(new Uint8Array(1_000_000)).message).toContain('nested deeper')
    expect(faultOf(Buffer.alloc(1_000_000, bytesOf('00 53 24'))).message).toContain('nested deeper')
    expect(
      faultOf(Buffer.concat([bytesOf('f0 000f4240 00000001'), Buffer.alloc(1_000_000, bytesOf('00 53 24'))])).message,
    ).toContain('nested deeper')
  })
})

describe('work and memory do not follow what is announced', () => {
  test('an array of elements without bytes: twenty bytes that hang a reader which believes their count', () => {
    const bytes = bytesOf('f0 00000005 ffffffff 41')
    expect(faultOf(bytes).message).toBe(
      `it: arrays have 4294967295 elements without bytes, the limit is ${EMPTY_ELEMENTS_MAX}`,
    )
  })

  test('many such arrays share one limit', () => {
    const many = list(Array.from({ length: 5 }, () => new Encoded(0xe0, 2, 255, 0x41))).bytes
    expect(faultOf(many).message).toContain('arrays have 1275 elements without bytes')
    const few = list(Array.from({ length: 4 }, () => new Encoded(0xe0, 2, 255, 0x41))).bytes
    expect(checkValue(few, 0, few.length, 'it')).toBe(few.length)
    // The limit is that of one value.
    expect(checkValue(few, 0, few.length, 'it')).toBe(few.length)
  })

  test('arrays of such arrays share it too', () => {
    const inner = Buffer.concat(
      Array.from({ length: 200 }, () =>
        Buffer.concat([Buffer.from([0, 0, 0, 5]), u32(0xffff_ffff), Buffer.from([0x41])]),
      ),
    )
    const outer = new Encoded(0xf0, u32(5 + inner.length), u32(200), 0xf0, inner)
    expect(faultOf(outer.bytes).message).toContain('elements without bytes')
  })

  test('as many as the limit are taken', () => {
    const bytes = new Encoded(0xf0, u32(5), u32(EMPTY_ELEMENTS_MAX), 0x43).bytes
    expect(checkValue(bytes, 0, bytes.length, 'it')).toBe(bytes.length)
  })

  test('a value of 16 MiB in a million pieces is looked through once', () => {
    const piece = list([uint(7), str('abc'), null]).bytes
    const count = 1_000_000
    const bytes = Buffer.concat([
      new Encoded(0xd0, u32(4 + piece.length * count), u32(count)).bytes,
      Buffer.alloc(piece.length * count, piece),
    ])
    expect(checkValue(bytes, 0, bytes.length, 'it')).toBe(bytes.length)
  })
})

test('a check with a limit stops in what is within the value, and looks at all that is around it', () => {
  const inner = list([1, 2, 3]).bytes
  const bytes = Buffer.concat([new Encoded(0xd0, u32(4 + inner.length + 1), u32(2)).bytes, inner, Buffer.from([0xff])])
  expect(() => checkValue(bytes, 0, bytes.length, 'it')).toThrow('0xff is no constructor')
  expect(() => checkSome(bytes, 0, bytes.length, 'it', 5)).toThrow('0xff is no constructor')
  expect(checkSome(bytes, 0, bytes.length, 'it', 4)).toBe(bytes.length)
  expect(seenValues()).toBe(5)
  expect(() => checkSome(bytes, 0, bytes.length - 1, 'it', 1)).toThrow('needs')
  expect(() => checkValue(bytes, 0, bytes.length, 'it'), 'the limit is that of one check').toThrow('constructor')
})

test('the values that one is made of are counted', () => {
  const count = (encoded: Encoded): number => countValues(encoded.bytes, 0)
  expect(count(value(null))).toBe(1)
  expect(count(list([null, list([1, 2])]))).toBe(5)
  expect(count(map([[symbol('a'), 1]]))).toBe(3)
  expect(count(described(0x24, list([])))).toBe(3)
  expect(count(new Encoded(0xe0, 2, 200, 0x40))).toBe(201)
  expect(count(array(0xe0, [array(0x50, [new Encoded(0x50, 1)])]))).toBe(3)
})
