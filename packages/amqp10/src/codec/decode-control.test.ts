import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { rheaFrames, writtenByRhea } from '../../test/rhea-frames.ts'
import { composite, type Fields, type Manner } from '../../test/wire/composites.ts'
import {
  array,
  bool,
  bool8,
  described,
  Encoded,
  list,
  map,
  nil,
  str,
  symbol,
  symbols,
  u32,
  uint,
  uint4,
  ulong,
  unpairedMap,
  ushort,
} from '../../test/wire/encode.ts'
import {
  decodeAttach,
  decodeBegin,
  decodeClose,
  decodeDetach,
  decodeEnd,
  decodeOpen,
  decodeSaslInit,
  decodeSaslResponse,
  performativeCode,
} from './decode-control.ts'
import { AmqpFault } from './faults.ts'
import type { Attach } from './performatives.ts'

type Decode = (bytes: Uint8Array, start: number, end: number) => unknown

const DECODERS: Readonly<Record<string, Decode>> = {
  open: decodeOpen,
  begin: decodeBegin,
  attach: decodeAttach,
  detach: decodeDetach,
  end: decodeEnd,
  close: decodeClose,
  'sasl-init': decodeSaslInit,
  'sasl-response': decodeSaslResponse,
}

/** Of a performative in the middle of memory that is somebody else's right after. */
function decode(kind: string, { bytes }: Encoded): unknown {
  const memory = Buffer.concat([Buffer.alloc(9, 0xff), bytes, Buffer.alloc(5, 0xff)])
  const decoded = DECODERS[kind]!(memory, 9, 9 + bytes.length)
  memory.fill(0xdd)
  return decoded
}

function faultOf(kind: string, encoded: Encoded): AmqpFault {
  try {
    decode(kind, encoded)
  } catch (error) {
    if (error instanceof AmqpFault) return error
    throw error
  }
  throw new Error('it was taken')
}

const MANNERS: readonly (readonly [name: string, manner: Manner])[] = [
  ['as all send it', {}],
  ['with a descriptor of eight bytes', { descriptor: 'ulong' }],
  ['with its symbol [AMQP10-1.5-a]', { descriptor: 'symbol' }],
  ['with a wide list', { list: 'list32' }],
  ['with nulls at its end', { isFull: true }],
]

const ERROR = { kind: 'error', condition: 'amqp:not-found', description: 'no such queue', info: { a: 'b' } }
const PEER_ERROR = { condition: 'amqp:not-found', description: 'no such queue', info: { a: 'b' } }

const FULL: readonly (readonly [kind: string, fields: Fields, expected: unknown])[] = [
  [
    'open',
    {
      containerId: 'größe',
      hostname: 'host',
      maxFrameSize: 512,
      channelMax: 7,
      idleTimeOut: 30_000,
      outgoingLocales: ['en-US'],
      incomingLocales: 'en-US',
      offeredCapabilities: ['A', 'B'],
      desiredCapabilities: 'C',
      properties: { product: 'a client', version: 3 },
    },
    {
      containerId: 'größe',
      hostname: 'host',
      maxFrameBytes: 512,
      channelMax: 7,
      idleTimeoutMs: 30_000,
      offered: ['A', 'B'],
      desired: ['C'],
      properties: new Map<string, unknown>([
        ['product', 'a client'],
        ['version', 3],
      ]),
    },
  ],
  [
    'open',
    { containerId: '' },
    {
      containerId: '',
      hostname: undefined,
      maxFrameBytes: 4_294_967_295,
      channelMax: 65_535,
      idleTimeoutMs: 0,
      offered: [],
      desired: [],
      properties: new Map(),
    },
  ],
  [
    'begin',
    {
      remoteChannel: 65_535,
      nextOutgoingId: 4_294_967_295,
      incomingWindow: 100,
      outgoingWindow: 0,
      handleMax: 255,
      offeredCapabilities: 'x',
      properties: { a: 1 },
    },
    { remoteChannel: 65_535, nextOutgoingId: 4_294_967_295, incomingWindow: 100, outgoingWindow: 0, handleMax: 255 },
  ],
  [
    'begin',
    { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 2 },
    { remoteChannel: undefined, nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 2, handleMax: 4_294_967_295 },
  ],
  ['detach', { handle: 3 }, { handle: 3, closed: false, error: undefined }],
  ['detach', { handle: 0, closed: true, error: ERROR }, { handle: 0, closed: true, error: PEER_ERROR }],
  ['end', {}, undefined],
  ['end', { error: ERROR }, PEER_ERROR],
  ['close', {}, undefined],
  [
    'close',
    { error: { kind: 'error', condition: 'x:y' } },
    { condition: 'x:y', description: undefined, info: undefined },
  ],
  [
    'sasl-init',
    { mechanism: 'PLAIN', initialResponse: '\0guest\0guest', hostname: 'host' },
    { mechanism: 'PLAIN', initialResponse: new Uint8Array(Buffer.from('\0guest\0guest')), hostname: 'host' },
  ],
  [
    'sasl-init',
    { mechanism: 'ANONYMOUS' },
    { mechanism: 'ANONYMOUS', initialResponse: undefined, hostname: undefined },
  ],
  ['sasl-response', { response: 'abc' }, new Uint8Array(Buffer.from('abc'))],
]

describe.each(MANNERS)('%s', (_, manner) => {
  test.each(FULL)('%s is read %#', (kind, fields, expected) => {
    expect(decode(kind, composite(kind, fields, manner))).toEqual(expected)
  })

  test.each(FULL)('%s is refused wherever it is cut off %#', (kind, fields) => {
    const { bytes } = composite(kind, fields, manner)
    const start = bytes[1] === 0x53 ? 3 : bytes[1] === 0x80 ? 10 : 3 + bytes[2]!
    for (let end = start; end < bytes.length; end++)
      expect(() => DECODERS[kind]!(bytes, 0, end), `after ${end} bytes`).toThrow(AmqpFault)
  })
})

describe('which performative it is', () => {
  test.each(MANNERS)('%s', (_, manner) => {
    const kinds = ['open', 'begin', 'attach', 'flow', 'transfer', 'disposition', 'detach', 'end', 'close']
    const codes = kinds.map((kind) => {
      const { bytes } = composite(kind, {}, manner)
      return performativeCode(bytes, 0, bytes.length)
    })
    expect(codes).toEqual([0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18])
    const logins = ['sasl-mechanisms', 'sasl-init', 'sasl-challenge', 'sasl-response', 'sasl-outcome'].map((kind) => {
      const { bytes } = composite(kind, {}, manner)
      return performativeCode(bytes, 0, bytes.length)
    })
    expect(logins).toEqual([0x40, 0x41, 0x42, 0x43, 0x44])
  })

  test('others are none', () => {
    for (const encoded of [
      composite('accepted'),
      composite('source'),
      composite('header'),
      list([]),
      described(0x19, list([])),
      new Encoded(0),
    ])
      expect(performativeCode(encoded.bytes, 0, encoded.bytes.length)).toBe(-1)
  })
})

/** Fields that are enough, of each. */
const LEAST: Readonly<Record<string, Fields>> = {
  open: { containerId: 'c' },
  begin: { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 1 },
  attach: { name: 'n', handle: 0, role: true },
  detach: { handle: 0 },
  end: {},
  close: {},
  'sasl-init': { mechanism: 'PLAIN' },
  'sasl-response': { response: '' },
}

describe('what a field must not be', () => {
  const bad: readonly (readonly [kind: string, field: string, given: Encoded, text: string, clause: string])[] = [
    [
      'open',
      'containerId',
      symbol('c'),
      'open.container-id: expected a string, got a value with the constructor 0xa3',
      'AMQP10-1.3.4-f',
    ],
    [
      'open',
      'maxFrameSize',
      ushort(600),
      'open.max-frame-size: expected a uint, got a value with the constructor 0x60',
      'AMQP10-1.3.4-f',
    ],
    ['open', 'maxFrameSize', uint(511), 'open.max-frame-size: 511 is below 512', 'AMQP10-2.7.1-e'],
    [
      'open',
      'channelMax',
      uint(1),
      'open.channel-max: expected a ushort, got a value with the constructor 0x52',
      'AMQP10-1.3.4-f',
    ],
    ['open', 'offeredCapabilities', str('x'), 'open.offered-capabilities: expected symbols', 'AMQP10-1.3.4-f'],
    [
      'open',
      'desiredCapabilities',
      array(0xa1, [str('x')]),
      'open.desired-capabilities: expected symbols',
      'AMQP10-1.3.4-f',
    ],
    ['open', 'incomingLocales', list([symbol('x')]), 'open.incoming-locales: expected symbols', 'AMQP10-1.3.4-f'],
    ['open', 'properties', list([]), 'open.properties: expected a map', 'AMQP10-1.3.4-f'],
    ['open', 'properties', map([[1, 2]]), 'open.properties: expected symbols as keys', 'AMQP10-1.3.4-f'],
    [
      'open',
      'properties',
      map([
        [symbol('a'), 1],
        [symbol('a'), 2],
      ]),
      'open.properties: a map has the same key twice',
      'AMQP10-1.6.23-b',
    ],
    ['open', 'properties', unpairedMap([symbol('a')]), 'open: a map has 1 keys and values together', 'AMQP10-1.6.23-a'],
    ['begin', 'remoteChannel', uint(1), 'begin.remote-channel: expected a ushort', 'AMQP10-1.3.4-f'],
    [
      'attach',
      'role',
      uint(1),
      'attach.role: expected a boolean, got a value with the constructor 0x52',
      'AMQP10-1.3.4-f',
    ],
    ['attach', 'sndSettleMode', new Encoded(0x50, 3), 'attach.snd-settle-mode: 3 is above 2', ''],
    ['attach', 'rcvSettleMode', new Encoded(0x50, 2), 'attach.rcv-settle-mode: 2 is above 1', ''],
    ['attach', 'rcvSettleMode', uint(1), 'attach.rcv-settle-mode: expected a ubyte', 'AMQP10-1.3.4-f'],
    ['attach', 'source', list([]), 'attach.source: expected a value described as 0x28, got another', 'AMQP10-1.3.4-f'],
    [
      'attach',
      'source',
      composite('target'),
      'attach.source: expected a value described as 0x28, got 0x29',
      'AMQP10-1.3.4-f',
    ],
    [
      'attach',
      'source',
      described(0x28, map([])),
      'source: expected a list of fields, got the constructor 0xc1',
      'AMQP10-1.4-a',
    ],
    [
      'attach',
      'source',
      composite('source', { address: symbol('q') }),
      'source.address: expected a string',
      'AMQP10-1.3.4-f',
    ],
    ['attach', 'source', composite('source', { durable: 3 }), 'source.durable: 3 is none of 0, 1, 2', ''],
    [
      'attach',
      'source',
      composite('source', { expiryPolicy: 'some\x7ftime' }),
      'source.expiry-policy: "some?time" is none of link-detach',
      '',
    ],
    [
      'attach',
      'source',
      composite('source', { filter: map([[uint(1), null]]) }),
      'source.filter: expected symbols as keys',
      'AMQP10-1.3.4-f',
    ],
    [
      'attach',
      'source',
      composite('source', {
        filter: map([
          [symbol('f'), null],
          [symbol('f'), null],
        ]),
      }),
      'source.filter: a map has the same key twice',
      'AMQP10-1.6.23-b',
    ],
    [
      'attach',
      'source',
      composite('source', { defaultOutcome: str('x') }),
      'source.default-outcome: expected a delivery state',
      '',
    ],
    [
      'attach',
      'source',
      composite('source', {}, { isFull: true, extra: [1] }),
      'source: 12 fields; the type has 11',
      'AMQP10-1.4-a',
    ],
    [
      'attach',
      'target',
      composite('source'),
      'attach.target: expected a value described as 0x29, got 0x28',
      'AMQP10-1.3.4-f',
    ],
    [
      'attach',
      'target',
      composite('target', {}, { isFull: true, extra: [1] }),
      'target: 8 fields; the type has 7',
      'AMQP10-1.4-a',
    ],
    [
      'attach',
      'target',
      composite('coordinator', {}, { isFull: true, extra: [1] }),
      'coordinator: 2 fields; the type has 1',
      'AMQP10-1.4-a',
    ],
    ['attach', 'unsettled', map([[nil, nil]]), 'attach.unsettled: expected delivery tags as keys', 'AMQP10-2.7.3-i'],
    ['attach', 'unsettled', map([[Buffer.from('t'), 1]]), 'attach.unsettled: expected a delivery state', ''],
    ['attach', 'maxMessageSize', uint(1), 'attach.max-message-size: expected a ulong', 'AMQP10-1.3.4-f'],
    ['detach', 'handle', ulong(1), 'detach.handle: expected a uint', 'AMQP10-1.3.4-f'],
    ['detach', 'closed', bool8(2), 'detach: a boolean is 0x02, neither 0x00 nor 0x01', 'AMQP10-1.6.2-a'],
    ['detach', 'error', symbol('x'), 'detach.error: expected a value described as 0x1d', 'AMQP10-1.3.4-f'],
    [
      'end',
      'error',
      composite('error', { description: 'x' }),
      'end.error.condition: the field is mandatory and was not sent',
      'AMQP10-1.3.4-a',
    ],
    [
      'close',
      'error',
      composite('error', { condition: str('x') }),
      'close.error.condition: expected a symbol',
      'AMQP10-1.3.4-f',
    ],
    ['sasl-init', 'mechanism', str('PLAIN'), 'sasl-init.mechanism: expected a symbol', 'AMQP10-1.3.4-f'],
    ['sasl-init', 'initialResponse', str('x'), 'sasl-init.initial-response: expected a binary', 'AMQP10-1.3.4-f'],
  ]

  test.each(bad)('%s %s %#', (kind, field, given, text, clause) => {
    const fault = faultOf(kind, composite(kind, { ...LEAST[kind], [field]: given }))
    expect(fault.message).toContain(text)
    expect(fault).toMatchObject({ level: 'connection', clause })
    expect(['amqp:decode-error', 'amqp:invalid-field']).toContain(fault.condition)
  })

  const mandatory = Object.entries(LEAST).flatMap(([kind, fields]) =>
    Object.keys(fields).map((field) => [kind, field] as const),
  )
  test.each(mandatory)('%s without %s [AMQP10-1.3.4-a]', (kind, field) => {
    const name = field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const fault = faultOf(kind, composite(kind, { ...LEAST[kind], [field]: null }, { isFull: true }))
    expect(fault.message).toBe(`${kind}.${name}: the field is mandatory and was not sent`)
    expect(fault).toMatchObject({ condition: 'amqp:invalid-field', clause: 'AMQP10-1.3.4-a' })
  })

  test.each(Object.keys(LEAST))('%s with a field too many', (kind) => {
    const fault = faultOf(kind, composite(kind, LEAST[kind], { isFull: true, extra: [nil] }))
    expect(fault.message).toMatch(/^[a-z-]+: \d+ fields; the type has \d+$/)
    expect(fault).toMatchObject({ condition: 'amqp:decode-error', clause: 'AMQP10-1.4-a' })
  })

  test.each(Object.keys(LEAST))('%s with bytes behind it', (kind) => {
    const fault = faultOf(kind, new Encoded(composite(kind, LEAST[kind]).bytes, nil.bytes))
    expect(fault.message).toBe(`${kind}: 1 bytes follow; only a transfer has a payload`)
    expect(fault).toMatchObject({ condition: 'amqp:decode-error', clause: 'AMQP10-2.3.2-b' })
  })

  test.each(Object.keys(LEAST))('%s that is no list', (kind) => {
    const { bytes } = composite(kind, LEAST[kind])
    expect(faultOf(kind, new Encoded(bytes.subarray(0, 3), map([]).bytes)).message).toContain(
      'expected a list of fields',
    )
  })
})

describe('what clients send in their own ways', () => {
  test('null and an empty array are no capabilities [AMQP10-1.3.4-d]', () => {
    for (const offeredCapabilities of [nil, symbols([]), new Encoded(0xe0, 2, 0, 0xa3)])
      expect(decode('open', composite('open', { containerId: 'c', offeredCapabilities }))).toMatchObject({
        offered: [],
      })
  })

  test('strings are taken for keys of properties', () => {
    const properties = map([[str('a'), 1]])
    expect(decode('open', composite('open', { containerId: 'c', properties }))).toMatchObject({
      properties: new Map([['a', 1]]),
    })
  })

  test('keys of properties are never properties of an object', () => {
    const properties = map([[symbol('__proto__'), map([[symbol('x'), 1]])]])
    expect(decode('open', composite('open', { containerId: 'c', properties }))).toMatchObject({
      properties: new Map([['__proto__', new Map([[{ text: 'x' }, 1]])]]),
    })
    const info = map([[symbol('__proto__'), str('x')]])
    const error = decode('close', composite('close', { error: { kind: 'error', condition: 'c', info } }))
    expect(Object.entries((error as { info: object }).info)).toEqual([['__proto__', 'x']])
  })

  test('an info keeps what can be said as text', () => {
    const info = map([
      [symbol('s'), symbol('symbol')],
      [symbol('n'), 5],
      [symbol('b'), true],
      [symbol('l'), list([])],
      [symbol('z'), null],
    ])
    expect(decode('end', composite('end', { error: { kind: 'error', condition: 'c', info } }))).toMatchObject({
      info: { s: 'symbol', n: '5', b: 'true' },
    })
  })

  test('numbers and booleans come in each of their forms', () => {
    expect(decode('detach', composite('detach', { handle: uint4(0), closed: bool8(1) }))).toMatchObject({
      handle: 0,
      closed: true,
    })
    expect(decode('detach', composite('detach', { handle: new Encoded(0x52, 0), closed: bool8(0) }))).toMatchObject({
      handle: 0,
      closed: false,
    })
    expect(decode('detach', composite('detach', { handle: new Encoded(0x43), closed: bool(false) }))).toMatchObject({
      handle: 0,
      closed: false,
    })
  })
})

describe('attach', () => {
  const read = (fields: Fields): Attach =>
    decode('attach', composite('attach', { ...LEAST['attach'], ...fields })) as Attach

  test('has defaults [AMQP10-2.7.3-e] [AMQP10-1.3.4-b]', () => {
    expect(read({})).toEqual({
      name: 'n',
      handle: 0,
      role: 'receiver',
      senderSettleMode: 'mixed',
      receiverSettleMode: 'first',
      source: undefined,
      target: undefined,
      unsettled: undefined,
      incompleteUnsettled: false,
      initialDeliveryCount: undefined,
      maxMessageBytes: 0,
      offered: [],
      desired: [],
      properties: new Map(),
    })
  })

  test('of a sender, with all of its fields', () => {
    const unsettled = map([
      [Buffer.from([1, 255]), composite('accepted')],
      [Buffer.from([2]), null],
      [Buffer.alloc(0), composite('received', { sectionNumber: 1, sectionOffset: 2n ** 40n })],
    ])
    const attach = read({
      role: false,
      handle: 4_294_967_295,
      sndSettleMode: 1,
      rcvSettleMode: 1,
      unsettled,
      incompleteUnsettled: true,
      initialDeliveryCount: 4_294_967_295,
      maxMessageSize: 2n ** 63n,
      offeredCapabilities: 'queue',
      desiredCapabilities: ['a', 'b'],
      properties: { p: 'v' },
    })
    expect(attach).toMatchObject({
      role: 'sender',
      handle: 4_294_967_295,
      senderSettleMode: 'settled',
      receiverSettleMode: 'second',
      incompleteUnsettled: true,
      initialDeliveryCount: 4_294_967_295,
      maxMessageBytes: 2 ** 63,
      offered: ['queue'],
      desired: ['a', 'b'],
      properties: new Map([['p', 'v']]),
    })
    expect(attach.unsettled).toEqual(
      new Map<string, unknown>([
        ['01ff', { kind: 'accepted' }],
        ['02', undefined],
        ['', { kind: 'received', sectionNumber: 1, sectionOffset: 2n ** 40n }],
      ]),
    )
  })

  test('with a source', () => {
    const selector = described('apache.org:selector-filter:string', 'a > 1')
    const noLocal = described(0x0000468c00000003n, list([]))
    const { source } = read({
      source: {
        kind: 'source',
        address: 'queue://q',
        durable: 2,
        expiryPolicy: 'never',
        timeout: 60,
        dynamic: true,
        dynamicNodeProperties: { 'lifetime-policy': { kind: 'delete-on-close' } },
        distributionMode: 'copy',
        filter: map([
          [symbol('selector'), selector],
          [symbol('no-local'), noLocal],
          [symbol('plain'), symbol('x')],
          [symbol('none'), null],
        ]),
        defaultOutcome: { kind: 'modified', deliveryFailed: true },
        outcomes: ['amqp:accepted:list', 'amqp:rejected:list'],
        capabilities: 'topic',
      },
    })
    expect(source).toEqual({
      kind: 'source',
      address: 'queue://q',
      durable: 2,
      expiryPolicy: 'never',
      timeoutSeconds: 60,
      dynamic: true,
      dynamicNodeProperties: new Map([['lifetime-policy', { descriptor: 0x2bn, value: [] }]]),
      distributionMode: 'copy',
      filters: new Map([
        [
          'selector',
          { descriptor: 'apache.org:selector-filter:string', value: 'a > 1', encoded: new Uint8Array(selector.bytes) },
        ],
        ['no-local', { descriptor: 0x0000468c00000003n, value: [], encoded: new Uint8Array(noLocal.bytes) }],
        ['plain', { descriptor: undefined, value: { text: 'x' }, encoded: new Uint8Array(symbol('x').bytes) }],
        ['none', { descriptor: undefined, value: null, encoded: new Uint8Array(nil.bytes) }],
      ]),
      defaultOutcome: { kind: 'modified', deliveryFailed: true, undeliverableHere: false, annotations: undefined },
      outcomes: ['amqp:accepted:list', 'amqp:rejected:list'],
      capabilities: ['topic'],
    })
  })

  test('with a target', () => {
    const common = {
      durable: 0,
      expiryPolicy: 'session-end',
      timeoutSeconds: 0,
      dynamic: false,
      dynamicNodeProperties: new Map(),
    }
    expect(read({ target: { kind: 'target' } }).target).toEqual({
      kind: 'target',
      address: undefined,
      ...common,
      capabilities: [],
    })
    const { target } = read({ target: { kind: 'target', address: 'a', capabilities: ['queue', 'shared'] } })
    expect(target).toEqual({ kind: 'target', address: 'a', ...common, capabilities: ['queue', 'shared'] })
  })

  test('with the coordinator as target', () => {
    const { target } = read({ role: false, target: { kind: 'coordinator', capabilities: 'amqp:local-transactions' } })
    expect(target).toEqual({ kind: 'coordinator', capabilities: ['amqp:local-transactions'] })
  })
})

describe('what rhea writes is read', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 300 })
  const names = fc.option(
    fc.array(fc.string({ unit: fc.constantFrom(...'abc-:.'), maxLength: 10 }), { minLength: 1, maxLength: 3 }),
    { nil: undefined },
  )
  const uints = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }))

  test('open', () => {
    fc.assert(
      fc.property(
        text,
        uints.filter((size) => size >= 512),
        fc.nat(65_535),
        uints,
        names,
        (id, size, channels, idle, capabilities) => {
          const bytes = writtenByRhea(
            rheaFrames.open({
              container_id: id,
              max_frame_size: size,
              channel_max: channels,
              idle_time_out: idle,
              offered_capabilities: capabilities,
              properties: { p: id, n: idle },
            }),
          )
          expect(decodeOpen(bytes, 8, bytes.length)).toEqual({
            containerId: id.toWellFormed(),
            hostname: undefined,
            maxFrameBytes: size,
            channelMax: channels,
            idleTimeoutMs: idle,
            offered: capabilities ?? [],
            desired: [],
            properties: new Map<string, unknown>([
              ['p', id.toWellFormed()],
              ['n', idle],
            ]),
          })
        },
      ),
    )
  })

  test('begin, detach and their errors', () => {
    fc.assert(
      fc.property(uints, uints, fc.boolean(), text, (id, handle, closed, description) => {
        const begin = writtenByRhea(
          rheaFrames.begin({ next_outgoing_id: id, incoming_window: handle, outgoing_window: 1 }),
          5,
        )
        expect(decodeBegin(begin, 8, begin.length)).toMatchObject({
          nextOutgoingId: id,
          incomingWindow: handle,
          outgoingWindow: 1,
        })
        const error = { condition: 'amqp:x', description }
        const detach = writtenByRhea(rheaFrames.detach({ handle, closed, error }))
        expect(decodeDetach(detach, 8, detach.length)).toEqual({
          handle,
          closed,
          error: { condition: 'amqp:x', description: description.toWellFormed(), info: undefined },
        })
      }),
    )
  })
})

describe('values of a field have a limit, as each becomes an object', () => {
  const many = (count: number): Encoded =>
    map(Array.from({ length: count }, (_, index) => [symbol(`k${index}`), uint(index)] as const))
  const names = (count: number): Encoded => symbols(Array.from({ length: count }, (_, index) => `c${index}`))

  const cases: readonly (readonly [
    kind: string,
    field: string,
    fields: (count: number) => Fields,
    countMax: number,
  ])[] = [
    ['open', 'properties', (count) => ({ properties: many(count) }), 511],
    [
      'open',
      'properties',
      (count) => ({ properties: map([[symbol('a'), list(Array.from({ length: count }, () => null))]]) }),
      1_021,
    ],
    ['open', 'offered-capabilities', (count) => ({ offeredCapabilities: names(count) }), 1_023],
    ['source', 'filter', (count) => ({ source: composite('source', { filter: many(count) }) }), 511],
    ['close.error', 'info', (count) => ({ error: composite('error', { condition: 'c', info: many(count) }) }), 511],
  ]

  test.each(cases)('%s.%s %#', (what, field, fields, countMax) => {
    const [kind = ''] = what === 'source' ? ['attach'] : what.split('.')
    expect(() => decode(kind, composite(kind, { ...LEAST[kind], ...fields(countMax) }))).not.toThrow()
    const fault = faultOf(kind, composite(kind, { ...LEAST[kind], ...fields(countMax + 1) }))
    expect(fault.message).toMatch(new RegExp(`^${what}\\.${field}: 102[56] values are more than 1024$`))
    expect(fault).toMatchObject({ level: 'connection', condition: 'amqp:resource-limit-exceeded' })
  })

  test('what is unsettled may be as much as fits into a frame', () => {
    const tag = (index: number): Buffer => Buffer.from(index.toString(16).padStart(8, '0'), 'hex')
    const unsettled = map(Array.from({ length: 10_000 }, (_, index) => [tag(index), composite('accepted')] as const))
    const attach = decode('attach', composite('attach', { ...LEAST['attach'], unsettled })) as Attach
    expect(attach.unsettled!.size).toBe(10_000)
    expect(attach.unsettled!.get('0000270f')).toEqual({ kind: 'accepted' })
  })
})

test('a list that says to have four billion fields is refused at once', () => {
  const bytes = Buffer.concat([Buffer.of(0, 0x53, 0x10, 0xd0), u32(4), u32(0xffff_ffff)])
  expect(() => decodeOpen(bytes, 0, bytes.length)).toThrow(
    'open: list32 (0xd0) says to have 4294967295 elements in 0 bytes',
  )
})
