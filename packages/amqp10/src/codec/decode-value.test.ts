import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { anyValue } from '../../test/values.ts'
import {
  array,
  bool8,
  char,
  described,
  Encoded,
  list,
  long,
  map,
  str,
  symbol,
  timestamp,
  ubyte,
  uint,
  ulong8,
  uuid,
  value,
} from '../../test/wire/encode.ts'
import { decodeValue } from './decode-value.ts'
import { encodeValue } from './encode-value.ts'
import { rhea } from './rhea-types.ts'
import { checkValue } from './structure.ts'
import { AmqpSymbol, type Value } from './values.ts'

function read({ bytes }: Encoded): Value {
  expect(checkValue(bytes, 0, bytes.length, 'it')).toBe(bytes.length)
  return decodeValue(bytes, 0)
}

describe('every type', () => {
  const cases: readonly (readonly [name: string, encoded: Encoded, value: Value])[] = [
    ['null', value(null), null],
    ['true', value(true), true],
    ['false', value(false), false],
    ['a boolean with its octet', bool8(1), true],
    ['another', bool8(0), false],
    ['ubyte', ubyte(255), 255],
    ['byte', new Encoded(0x51, 0x80), -128],
    ['ushort', new Encoded(0x60, 0xff, 0xff), 65_535],
    ['short', new Encoded(0x61, 0x80, 0), -32_768],
    ['uint', uint(4_294_967_295), 4_294_967_295],
    ['uint 0', uint(0), 0],
    ['int', new Encoded(0x71, 0x80, 0, 0, 0), -2_147_483_648],
    ['int of one byte', new Encoded(0x54, 0xff), -1],
    ['long of one byte', new Encoded(0x55, 0xff), -1],
    ['a long that a number holds', long(-9_007_199_254_740_991n), -9_007_199_254_740_991],
    ['a long that none holds', long(-9_007_199_254_740_993n), -9_007_199_254_740_993n],
    ['the lowest long', long(-(2n ** 63n)), -(2n ** 63n)],
    ['the first ulong that no number holds', ulong8(2n ** 53n + 1n), 2n ** 53n + 1n],
    ['the highest ulong', ulong8(2n ** 64n - 1n), 2n ** 64n - 1n],
    ['ulong 0', new Encoded(0x44), 0],
    ['float', new Encoded(0x72, 0x3f, 0x80, 0, 0), 1],
    ['double', value(0.1), 0.1],
    ['char', char('😀'), '😀'],
    ['a timestamp', timestamp(-1), new Date(-1)],
    ['a timestamp that no Date holds', timestamp(Number.MAX_SAFE_INTEGER), new Date(8.64e15)],
    ['uuid', uuid('00112233445566778899aabbccddeeff'), '00112233-4455-6677-8899-aabbccddeeff'],
    ['string', str('\uFEFFgrößer 😀'), '\uFEFFgrößer 😀'],
    ['symbol', symbol('amqp:x'), new AmqpSymbol('amqp:x')],
    ['binary', value(Uint8Array.of(1, 2)), Uint8Array.of(1, 2)],
    ['decimal64', new Encoded(0x84, Buffer.alloc(8, 1)), new Uint8Array(8).fill(1)],
    ['list', list([null, list([])]), [null, []]],
    [
      'map',
      map([
        ['k', 1],
        [2, 'v'],
      ]),
      new Map<Value, Value>([
        ['k', 1],
        [2, 'v'],
      ]),
    ],
    ['array', array(0x50, [ubyte(1), ubyte(2)]), [1, 2]],
    ['array of none', array(0x50, []), []],
    ['array of nulls', new Encoded(0xe0, 2, 3, 0x40), [null, null, null]],
    ['array of booleans', array(0x56, [bool8(1), bool8(0)]), [true, false]],
    ['array of arrays', array(0xe0, [array(0x50, [ubyte(1)])]), [[1]]],
    [
      'array of described elements',
      new Encoded(0xe0, 7, 2, 0, 0x53, 0x24, 0x50, 1, 2),
      [
        { descriptor: 36n, value: 1 },
        { descriptor: 36n, value: 2 },
      ],
    ],
    ['described by a number', described(0x24, list([])), { descriptor: 36n, value: [] }],
    ['described by a wide number', described(ulong8(2n ** 63n), 'x'), { descriptor: 2n ** 63n, value: 'x' }],
    ['described by 0', described(new Encoded(0x44), 'x'), { descriptor: 0n, value: 'x' }],
    ['described by a symbol', described('a:b', 'x'), { descriptor: 'a:b', value: 'x' }],
    ['described by something that is reserved', described(str('a:b'), 'x'), 'x'],
    [
      'described twice',
      described('outer', described('inner', 'x')),
      { descriptor: 'outer', value: { descriptor: 'inner', value: 'x' } },
    ],
  ]

  test.each(cases)('%s', (_, encoded, expected) => {
    expect(read(encoded)).toEqual(expected)
  })
})

test('keys of maps are values: none of them is a property of an object', () => {
  const found = read(
    map([
      ['__proto__', map([['isAdmin', true]])],
      ['constructor', 1],
      ['hasOwnProperty', 2],
    ]),
  )
  expect(found).toBeInstanceOf(Map)
  expect([...(found as Map<Value, Value>).keys()]).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
  expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
})

test('nothing that was read lies in the memory it was read from', () => {
  const { bytes } = list([
    Uint8Array.of(1, 2),
    new Encoded(0x84, Buffer.alloc(8, 7)),
    uuid('00'.repeat(16)),
    'text',
    symbol('s'),
  ])
  const memory = Buffer.concat([Buffer.alloc(3), bytes])
  const found = decodeValue(memory, 3)
  memory.fill(0xdd)
  const expected = [
    Uint8Array.of(1, 2),
    new Uint8Array(8).fill(7),
    '00000000-0000-0000-0000-000000000000',
    'text',
    new AmqpSymbol('s'),
  ]
  expect(found).toEqual(expected)
  expect((found as Uint8Array[])[0]!.buffer.byteLength).toBe(2)
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(anyValue, (plain) => {
      expect(decodeValue(encodeValue(plain), 0)).toEqual(plain)
    }),
    { numRuns: 500 },
  )
})

test('a list of rhea with all that it can hold is read as its elements are', () => {
  const bytes = Buffer.from(encodeValue(['x', 1, new AmqpSymbol('s'), new Date(5), 2n ** 60n]))
  const reader = new rhea.Reader(bytes)
  expect((reader.read().value as { value: unknown }[]).map(({ value: each }) => each).slice(0, 4)).toEqual([
    'x',
    1,
    's',
    new Date(5),
  ])
})
