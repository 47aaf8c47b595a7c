/** The tests' own reading and writing of AMQP, against bytes that the specification gives or that were counted by hand. */
import { describe, expect, test } from 'vitest'

import {
  array,
  binary,
  bool,
  byte,
  char,
  composite,
  described,
  double,
  type Encoded,
  frame,
  header,
  int,
  list,
  list32,
  long,
  map,
  message,
  nil,
  readComposite,
  readMessage,
  str,
  symbol,
  symbols,
  timestamp,
  ubyte,
  uint,
  ulong,
  ushort,
  uuid,
} from '../harness.ts'
import { decodeWhole, plain } from '../wire/decode.ts'

test.each<[Encoded, string, unknown]>([
  [nil, '40', null],
  [bool(true), '41', true],
  [bool(false), '42', false],
  [ubyte(200), '50c8', 200],
  [byte(-1), '51ff', -1],
  [ushort(258), '600102', 258],
  [uint(0), '43', 0],
  [uint(9), '5209', 9],
  [uint(256), '7000000100', 256],
  [ulong(0), '44', 0],
  [ulong(0x24), '5324', 0x24],
  [ulong(2n ** 63n), '808000000000000000', 2n ** 63n],
  [int(-2), '71fffffffe', -2],
  [long(-2), '81fffffffffffffffe', -2],
  [double(1.5), '823ff8000000000000', 1.5],
  [char('a'), '7300000061', 'a'],
  [timestamp(-1), '83ffffffffffffffff', -1],
  [uuid('00112233445566778899aabbccddeeff'), '9800112233445566778899aabbccddeeff', '00112233445566778899aabbccddeeff'],
  [binary('ab'), 'a0026162', Buffer.from('ab')],
  [str('é'), 'a102c3a9', 'é'],
  [symbol('ab'), 'a3026162', 'ab'],
  [list([]), '45', []],
  [list([1, 'a']), 'c00902' + '7100000001' + 'a10161', [1, 'a']],
  [list32([nil]), 'd0000000050000000140', [null]],
  [map([['a', true]]), 'c10502' + 'a10161' + '41', { a: true }],
  [array(0x50, [ubyte(1), ubyte(2)]), 'e00402500102', [1, 2]],
  [symbols(['a']), 'e00701b30000000161', ['a']],
  [described(0x24, list([])), '00532445', { descriptor: 0x24, value: [] }],
])('%# is written and read', (encoded, hex, value) => {
  expect(encoded.bytes.toString('hex')).toBe(hex)
  expect(plain(decodeWhole(encoded.bytes))).toEqual(value)
})

describe('composites', () => {
  test('leave nulls at the end out, and have defaults when they are read', () => {
    const open = composite('open', { containerId: 'c' })
    expect(open.bytes.toString('hex')).toBe('005310' + 'c00401' + 'a10163')
    expect(readComposite(decodeWhole(open.bytes))).toEqual({
      kind: 'open',
      containerId: 'c',
      maxFrameSize: 0xffff_ffff,
      channelMax: 65_535,
    })
  })

  test('may be full, wide, and have other descriptors', () => {
    const detach = { handle: 0, closed: true }
    expect(composite('detach', detach, { isFull: true }).bytes.toString('hex')).toBe(
      '005316' + 'c00403' + '43' + '41' + '40',
    )
    expect(composite('detach', detach, { list: 'list32' }).bytes.toString('hex')).toBe(
      '005316' + 'd00000000600000002' + '4341',
    )
    expect(composite('end', {}, { descriptor: 'symbol' }).bytes.toString('latin1')).toBe('\0\xa3\x0damqp:end:list\x45')
    expect(composite('end', {}, { descriptor: 'ulong' }).bytes.toString('hex')).toBe('0080000000000000001745')
  })

  test('of a server have all that is mandatory, in its type', () => {
    expect(() => readComposite(decodeWhole(described(0x10, list([])).bytes))).toThrow('open has no containerId')
    expect(() => readComposite(decodeWhole(described(0x10, list([symbol('c')])).bytes))).toThrow(
      'containerId is a symbol',
    )
    expect(() => readComposite(decodeWhole(described(0x17, list([nil, nil])).bytes))).toThrow('end has 2 fields')
  })
})

test('a frame is size, offset, type, channel and body', () => {
  expect(frame('end', {}, { channel: 2 }).toString('hex')).toBe('0000000c' + '02' + '00' + '0002' + '00531745')
  expect(header().toString('hex')).toBe('414d515000010000')
})

test('a message has its sections in order', () => {
  const bytes = message({ header: { durable: true }, applicationProperties: { a: 1 }, data: 'x' })
  expect(bytes.toString('hex')).toBe('005370c0020141' + '005374c10902a1016171' + '00000001' + '005375a00178')
  expect(readMessage(bytes)).toMatchObject({
    header: { durable: true, priority: 4 },
    applicationProperties: { a: 1 },
    text: 'x',
  })
  expect(() => readMessage(Buffer.concat([message('x'), message({ header: {}, data: 'x' })]))).toThrow('out of order')
})
