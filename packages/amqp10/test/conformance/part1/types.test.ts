import { describe, expect, test } from 'vitest'

import {
  array,
  binary,
  bool,
  bool8,
  composite,
  conditionOf,
  described,
  Encoded,
  type Fields,
  frame,
  int,
  list,
  list32,
  long,
  type Manner,
  map,
  nil,
  type Peer,
  type Plain,
  rawFrame,
  section,
  str,
  symbol,
  symbols,
  timestamp,
  ubyte,
  uint,
  uint4,
  ulong,
  ulong8,
  unpairedMap,
  ushort,
  World,
} from '../../harness.ts'

/** A client that has exchanged headers, and an open that is sent as it is. */
function opening(open: Uint8Array): Peer {
  const peer = new World().dial()
  peer.exchangeHeaders()
  peer.send(rawFrame(open))
  return peer
}

/** Condition of the close that answers an open; undefined when it is accepted. */
function answerTo(open: Encoded): unknown {
  const peer = opening(open.bytes)
  peer.next('open')
  return peer.waiting.length === 0 ? undefined : conditionOf(peer.closed())
}

function openWith(fields: Fields, manner: Manner = {}): Encoded {
  return composite('open', { containerId: 'c', ...fields }, manner)
}

const REFUSED = /^amqp:(decode-error|invalid-field)$/

describe('a composite', () => {
  test.each<[string, Manner]>([
    ['the number in one octet', {}],
    ['the number in eight octets', { descriptor: 'ulong' }],
    ['its symbol', { descriptor: 'symbol' }],
  ])('[AMQP10-1.5-a, AMQP10-1.1.2-a] is known by %s', (_, manner) => {
    expect(answerTo(openWith({}, manner))).toBeUndefined()
  })

  test.each<[string, Manner]>([
    ['short', {}],
    ['wide', { list: 'list32' }],
    ['with all nulls at its end', { isFull: true }],
    ['wide and with nulls', { list: 'list32', isFull: true }],
  ])('[AMQP10-1.4-a, AMQP10-1.4-b, AMQP10-1.6.22-a, AMQP10-1.3.4-b] may be a list that is %s', (_, manner) => {
    const peer = opening(openWith({ hostname: 'h' }, manner).bytes)
    expect(peer.next('open')).toBeDefined()
    expect(peer.begin().answer).toBeDefined()
  })

  test('[AMQP10-1.3.4-a, AMQP10-2.8.15-a] without a mandatory field cannot be read', () => {
    expect(answerTo(composite('open', {}))).toMatch(REFUSED)
    expect(answerTo(composite('open', { hostname: 'h' }))).toMatch(REFUSED)
  })

  test('[AMQP10-1.4-a] with values behind its last field cannot be read', () => {
    expect(answerTo(openWith({}, { isFull: true, extra: ['more'] }))).toMatch(REFUSED)
  })

  test.each<[string, Encoded]>([
    ['a map', described(0x10, map([]))],
    ['a string', described(0x10, 'c')],
    ['an array', described(0x10, symbols(['c']))],
    ['described twice', described(0x10, described(0x10, list(['c'])))],
  ])('[AMQP10-1.4-a] that is %s and no list cannot be read', (_, open) => {
    expect(answerTo(open)).toMatch(REFUSED)
  })
})

describe('a field', () => {
  test.each<[string, Plain]>([
    ['containerId', symbol('c')],
    ['containerId', binary('c')],
    ['hostname', int(1)],
    ['maxFrameSize', ushort(512)],
    ['maxFrameSize', ulong(512)],
    ['maxFrameSize', str('512')],
    ['channelMax', uint(9)],
    ['channelMax', ubyte(9)],
    ['idleTimeOut', long(9)],
    ['offeredCapabilities', str('a')],
    ['offeredCapabilities', list([symbol('a')])],
    ['properties', list([])],
  ])('[AMQP10-1.3.4-f] %s of another type (%#) cannot be read', (name, value) => {
    expect(answerTo(openWith({ [name]: value }))).toMatch(REFUSED)
  })

  test.each<[string, Encoded]>([
    ['null', nil],
    ['one symbol', symbol('a')],
    ['an array of one', symbols(['a'])],
    ['an array of several', symbols(['a', 'b', 'c'])],
    ['an empty array', array(0xa3, [])],
    ['an empty array of wide symbols', array(0xb3, [])],
    ['short symbols', array(0xa3, [symbol('a'), symbol('b')])],
  ])('[AMQP10-1.3.4-c, AMQP10-1.3.4-d, AMQP10-1.2.4-a] of several values may be %s', (_, desiredCapabilities) => {
    expect(answerTo(openWith({ desiredCapabilities }))).toBeUndefined()
  })

  test('[AMQP10-1.3.4-e] of the server that is mandatory and of several values is not empty', () => {
    const peer = new World().dial()
    peer.send(Buffer.from('AMQP\x03\x01\0\0', 'latin1'))
    peer.next('header')
    expect(peer.next('sasl-mechanisms')['saslServerMechanisms']).not.toEqual([])
  })
})

describe('encodings that mean the same', () => {
  test.each<[string, Encoded]>([
    ['uint0', uint(0)],
    ['smalluint', new Encoded(0x52, 0)],
    ['uint', uint4(0)],
  ])('[AMQP10-1.6.5-a, AMQP10-1.2-a] %s', (_, handle) => {
    const peer = new World().connect()
    const session = peer.begin()
    const sender = session.newSender('queue://q', { handle })
    peer.send(sender.attachFrame())
    expect(peer.next('attach')).toMatchObject({ handle: 0 })
  })

  test.each<[string, Encoded, number]>([
    ['ulong0', ulong(0), 0],
    ['smallulong', new Encoded(0x53, 0), 0],
    ['ulong', ulong8(0), 0],
    ['a large ulong', ulong8(2n ** 63n), 0],
  ])('[AMQP10-1.6.6-a] max-message-size %s', (_, maxMessageSize) => {
    const world = new World()
    const peer = world.connect()
    const receiver = peer.begin().receiver('queue://q', { maxMessageSize })
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual(['x'])
  })

  test.each<[string, Encoded, boolean]>([
    ['true', bool(true), true],
    ['false', bool(false), false],
    ['octet 1', bool8(1), true],
    ['octet 0', bool8(0), false],
  ])('[AMQP10-1.6.2-a] boolean %s', (_, closed, expected) => {
    const peer = new World().connect()
    const sender = peer.begin().sender('queue://q')
    expect(sender.detach({ closed })['closed']).toBe(expected)
  })

  test('[AMQP10-1.6.2-a] boolean octet 2 cannot be read', () => {
    const peer = new World().connect()
    const session = peer.begin()
    session.sender('queue://q')
    peer.send(session.frame('detach', { handle: 0, closed: bool8(2) }))
    expect(peer.closeCondition()).toMatch(REFUSED)
  })

  test('[AMQP10-1.6.22-a] list0, list8 and list32 without elements', () => {
    for (const hex of ['005317' + '45', '005317' + 'c00100', '005317' + 'd00000000400000000']) {
      const peer = new World().connect()
      peer.begin()
      peer.send(rawFrame(Buffer.from(hex, 'hex')))
      expect(peer.next('end')['error']).toBeUndefined()
    }
  })
})

describe('a value that cannot be read ends the connection', () => {
  const property = (value: Encoded): Encoded => openWith({ properties: map([[symbol('p'), value]]) })

  test.each<[string, Encoded]>([
    ['an unknown format code', new Encoded(0x01)],
    ['a reserved format code', new Encoded(0x3f, 0)],
    ['a fixed width that is cut', new Encoded(0x70, 0, 0)],
    ['a string longer than the frame', new Encoded(0xa1, 200)],
    ['a string of four gigabytes', new Encoded(0xb1, Buffer.from('ffffffff', 'hex'))],
    ['a list whose size passes the end', new Encoded(0xc0, 100, 1, 0x40)],
    ['a list whose size is less than its elements', new Encoded(0xc0, 2, 2, 0x40, 0x40)],
    ['a list of more elements than it has', new Encoded(0xc0, 2, 9, 0x40)],
    ['a list of four billion elements', new Encoded(0xd0, Buffer.from('0000000580000000', 'hex'), 0x40)],
    [
      'an array of four billion elements without octets',
      new Encoded(0xf0, Buffer.from('00000005ffffffff', 'hex'), 0x40),
    ],
    ['an array whose elements are cut', new Encoded(0xe0, 3, 9, 0x50, 1)],
    ['an array of an unknown format code', new Encoded(0xe0, 2, 0, 0x01)],
    ['a descriptor without a value', new Encoded(0x00, 0x53)],
  ])('[AMQP10-1.2-b, AMQP10-1.2.2-a, AMQP10-1.2.3-a, AMQP10-1.2.4-a, AMQP10-2.8.15-a] %s', (_, value) => {
    expect(answerTo(property(value))).toMatch(REFUSED)
  })

  test('[AMQP10-1.6.20-a] a string that is not UTF-8', () => {
    expect(answerTo(openWith({ hostname: new Encoded(0xa1, 2, 0xc3, 0x28) }))).toMatch(REFUSED)
  })

  test('[AMQP10-1.6.21-a] a symbol that is not ASCII', () => {
    expect(answerTo(openWith({ desiredCapabilities: new Encoded(0xa3, 2, 0xc3, 0xa9) }))).toMatch(REFUSED)
  })

  test('[AMQP10-1.6.23-a] a map with an odd number of elements', () => {
    expect(answerTo(openWith({ properties: unpairedMap([symbol('a'), 1, symbol('b')]) }))).toMatch(REFUSED)
  })

  test('[AMQP10-2.8.13-a] fields with a key of another type than symbol or string', () => {
    expect(answerTo(openWith({ properties: map([[nil, 1]]) }))).toMatch(REFUSED)
    expect(answerTo(openWith({ properties: map([[int(1), 1]]) }))).toMatch(REFUSED)
  })

  test('lists within lists, deeper than anybody needs', () => {
    let value = list([])
    for (let depth = 0; depth < 100; depth++) value = list32([value])
    expect(answerTo(property(value))).toMatch(REFUSED)
  })
})

describe('values of a message come out as they went in', () => {
  /** Bytes of the bare message that a receiver gets for these. */
  function through(bytes: Buffer): Buffer {
    const world = new World()
    const session = world.connect().begin()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    session.sender('queue://q').send('', { payload: bytes, settled: true })
    return receiver.take().message.bare
  }

  test.each<[string, Encoded]>([
    ['a described value', described('com.example:thing', list(['a', 1]))],
    ['a value described by a described value', described(described(1, 2), 'x')],
    ['an array of described values', new Encoded(0xe0, 7, 2, 0x00, 0x53, 0x63, 0x50, 1, 2)],
    ['all encodings of a list', list([list([]), list32([]), new Encoded(0xc0, 1, 0)])],
    [
      'a map whose keys are of all types',
      map([
        [1, 'a'],
        ['1', 'b'],
        [symbol('1'), 'c'],
        [true, 'd'],
        [nil, 'e'],
      ]),
    ],
    [
      'a map in an order of its own',
      map([
        ['b', 1],
        ['a', 2],
        ['c', 3],
      ]),
    ],
    ['a timestamp before 1970', timestamp(-86_400_000)],
    ['a timestamp of the far future', timestamp(8.64e15)],
    ['a ulong beyond 53 bits', ulong8(2n ** 64n - 1n)],
    ['a decimal128', new Encoded(0x94, Buffer.alloc(16, 7))],
  ])('[AMQP10-1.1.2-a, AMQP10-1.6.17-a, AMQP10-1.6.23-c, AMQP10-3.2-d] %s', (_, value) => {
    const { bytes } = section('value', value)
    expect(through(bytes)).toEqual(bytes)
  })

  test('[AMQP10-1.6.23-b] a map with a key twice is not mended on its way', () => {
    const { bytes } = section(
      'value',
      map([
        ['a', 1],
        ['a', 2],
      ]),
    )
    const session = new World().connect().begin()
    session.receiver('queue://q').grant(1)
    session.sender('queue://q').send('', { payload: bytes, settled: true })
    expect(session.peer.next('transfer').payload.subarray(-bytes.length)).toEqual(bytes)
  })
})

test('[AMQP10-1.3.4-f] a performative that cannot be read ends the connection, not only its session', () => {
  const peer = new World().connect()
  const session = peer.begin()
  peer.send(session.frame('attach', { name: symbol('n'), handle: 0, role: false }))
  expect(peer.closeCondition()).toMatch(REFUSED)
})

test('[AMQP10-1.3.4-a] every performative without its mandatory fields ends the connection', () => {
  for (const kind of ['begin', 'attach', 'flow', 'transfer', 'disposition', 'detach']) {
    const peer = new World().connect()
    peer.begin()
    peer.send(frame(kind, {}, { channel: kind === 'begin' ? 1 : 0 }))
    expect([kind, peer.closeCondition()]).toEqual([kind, expect.stringMatching(REFUSED)])
  }
})
