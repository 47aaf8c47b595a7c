/** Transfer, flow and disposition: the performatives that are read in place. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { rheaFrames, writtenByRhea } from '../../test/rhea-frames.ts'
import { composite, type Fields, type Manner } from '../../test/wire/composites.ts'
import {
  binary,
  bool,
  bool8,
  described,
  Encoded,
  list,
  map,
  nil,
  str,
  symbol,
  u32,
  ubyte,
  uint,
  uint4,
  ulong,
  value,
} from '../../test/wire/encode.ts'
import { decodeDisposition, DispositionFields } from './decode-disposition.ts'
import { decodeFlow, FlowFields } from './decode-flow.ts'
import { decodeTransfer, TransferFields } from './decode-transfer.ts'
import { AmqpFault } from './faults.ts'
import { ACCEPTED, RELEASED } from './performatives.ts'

const MANNERS: readonly Manner[] = [
  {},
  { descriptor: 'ulong' },
  { descriptor: 'symbol' },
  { list: 'list32' },
  { isFull: true },
]

/** What is read last must not show what was read before. */
const transfer = new TransferFields()
const flow = new FlowFields()
const disposition = new DispositionFields()

type Decode = (bytes: Uint8Array, start: number, end: number) => object

const DECODERS: Readonly<Record<string, Decode>> = {
  transfer: (bytes, start, end) => {
    decodeTransfer(bytes, start, end, transfer)
    return transfer
  },
  flow: (bytes, start, end) => {
    decodeFlow(bytes, start, end, flow)
    return flow
  },
  disposition: (bytes, start, end) => {
    decodeDisposition(bytes, start, end, disposition)
    return disposition
  },
}

/** Of a frame body in the middle of memory; what is around it would be fields too. */
function decode(kind: string, ...parts: readonly (Encoded | Uint8Array)[]): object {
  const bytes = Buffer.concat(parts.map((part) => (part instanceof Encoded ? part.bytes : part)))
  const memory = Buffer.concat([Buffer.alloc(9, 0x41), bytes, Buffer.alloc(9, 0x41)])
  return { ...DECODERS[kind]!(memory, 9, 9 + bytes.length) }
}

function faultOf(kind: string, ...parts: readonly (Encoded | Uint8Array)[]): AmqpFault {
  try {
    decode(kind, ...parts)
  } catch (error) {
    if (error instanceof AmqpFault) return error
    throw error
  }
  throw new Error('it was taken')
}

const NO_TRANSFER = {
  handle: 0,
  deliveryId: -1,
  hasTag: false,
  tagStart: 0,
  tagEnd: 0,
  messageFormat: -1,
  settled: undefined,
  more: false,
  receiverSettleMode: undefined,
  state: undefined,
  resume: false,
  aborted: false,
  batchable: false,
}
const FULL_TRANSFER = {
  handle: 70_000,
  deliveryId: 4_294_967_295,
  deliveryTag: 'tag',
  messageFormat: 0,
  settled: false,
  more: true,
  rcvSettleMode: 1,
  state: { kind: 'accepted' },
  resume: true,
  aborted: true,
  batchable: true,
}

describe('transfer', () => {
  test.each(MANNERS)('with all fields, %j', (manner) => {
    const encoded = composite('transfer', FULL_TRANSFER, manner)
    const found = decode('transfer', encoded, Buffer.from('payload')) as TransferFields
    const tagStart = 9 + encoded.bytes.indexOf('tag')
    expect(found).toEqual({
      handle: 70_000,
      deliveryId: 4_294_967_295,
      hasTag: true,
      tagStart,
      tagEnd: tagStart + 3,
      messageFormat: 0,
      settled: false,
      more: true,
      receiverSettleMode: 'second',
      state: ACCEPTED,
      resume: true,
      aborted: true,
      batchable: true,
      payloadStart: 9 + encoded.bytes.length,
    })
  })

  test.each(MANNERS)('with its handle only, after one with all fields, %j', (manner) => {
    decode('transfer', composite('transfer', FULL_TRANSFER))
    const encoded = composite('transfer', { handle: 0 }, manner)
    expect(decode('transfer', encoded)).toEqual({ ...NO_TRANSFER, payloadStart: 9 + encoded.bytes.length })
  })

  test('with a tag of none, of 32 bytes, of a wide size', () => {
    const read = (deliveryTag: Encoded): TransferFields =>
      decode('transfer', composite('transfer', { handle: 0, deliveryTag })) as TransferFields
    const none = read(binary(''))
    expect([none.hasTag, none.tagEnd - none.tagStart]).toEqual([true, 0])
    const long = read(binary('x'.repeat(32)))
    expect(long.tagEnd - long.tagStart).toBe(32)
    const wide = read(new Encoded(0xb0, u32(2), Buffer.from('ab')))
    expect(wide.tagEnd - wide.tagStart).toBe(2)
  })

  test('with each form of its booleans and modes', () => {
    const read = (fields: Fields): object => decode('transfer', composite('transfer', { handle: 1, ...fields }))
    expect(read({ settled: bool8(1), more: bool8(0), rcvSettleMode: ubyte(0) })).toMatchObject({
      settled: true,
      more: false,
      receiverSettleMode: 'first',
    })
    expect(read({ settled: bool(true) })).toMatchObject({ settled: true })
    expect(read({ settled: nil })).toMatchObject({ settled: undefined })
  })

  test('with states that are not the usual ones', () => {
    const read = (state: unknown): object =>
      decode('transfer', composite('transfer', { handle: 1, state, batchable: true }))
    expect(read({ kind: 'released' })).toMatchObject({ state: RELEASED, batchable: true })
    expect(read(described(0x24, new Encoded(0xc0, 1, 0)))).toMatchObject({ state: ACCEPTED, batchable: true })
    expect(read(composite('accepted', {}, { descriptor: 'symbol', list: 'list32' }))).toMatchObject({
      state: ACCEPTED,
      batchable: true,
    })
    const transactional = { kind: 'transactional-state', txnId: Buffer.from('t1'), outcome: { kind: 'accepted' } }
    expect(read(transactional)).toMatchObject({
      state: { kind: 'transactional', transactionId: new Uint8Array(Buffer.from('t1')), outcome: ACCEPTED },
    })
  })

  test('a state keeps nothing of the memory it was read from', () => {
    const { bytes } = composite('transfer', {
      handle: 1,
      state: { kind: 'transactional-state', txnId: Buffer.from('t1') },
    })
    const memory = Buffer.from(bytes)
    decodeTransfer(memory, 0, memory.length, transfer)
    memory.fill(0xdd)
    expect(transfer.state).toMatchObject({ transactionId: new Uint8Array(Buffer.from('t1')) })
  })
})

const FULL_FLOW = {
  nextIncomingId: 4_294_967_295,
  incomingWindow: 2048,
  nextOutgoingId: 70_000,
  outgoingWindow: 255,
  handle: 0,
  deliveryCount: 256,
  linkCredit: 1_000,
  available: 1,
  drain: true,
  echo: true,
}

describe('flow', () => {
  test.each(MANNERS)('with all fields, %j', (manner) => {
    expect(decode('flow', composite('flow', { ...FULL_FLOW, properties: { a: 'b' } }, manner))).toEqual({
      ...FULL_FLOW,
      transactionId: undefined,
    })
  })

  test.each(MANNERS)('of a session, after one of a link, %j', (manner) => {
    decode('flow', composite('flow', { ...FULL_FLOW, properties: { 'txn-id': Buffer.from('t') } }))
    expect(
      decode('flow', composite('flow', { incomingWindow: 0, nextOutgoingId: 0, outgoingWindow: 0 }, manner)),
    ).toEqual({
      nextIncomingId: -1,
      incomingWindow: 0,
      nextOutgoingId: 0,
      outgoingWindow: 0,
      handle: -1,
      deliveryCount: -1,
      linkCredit: -1,
      available: -1,
      drain: false,
      echo: false,
      transactionId: undefined,
    })
  })

  test('that names a transaction [AMQP10-4.4.3-a]', () => {
    const properties = map([
      [symbol('other'), 1],
      [symbol('txn-id'), Buffer.from('t1')],
    ])
    expect(decode('flow', composite('flow', { ...FULL_FLOW, properties }))).toMatchObject({
      transactionId: new Uint8Array(Buffer.from('t1')),
    })
    const none = map([[symbol('txn-id'), nil]])
    expect(decode('flow', composite('flow', { ...FULL_FLOW, properties: none }))).toMatchObject({
      transactionId: undefined,
    })
  })
})

describe('disposition', () => {
  test.each(MANNERS)('with all fields, %j', (manner) => {
    const fields = {
      role: true,
      first: 4_294_967_295,
      last: 3,
      settled: true,
      state: { kind: 'rejected' },
      batchable: true,
    }
    expect(decode('disposition', composite('disposition', fields, manner))).toEqual({
      isReceiver: true,
      first: 4_294_967_295,
      last: 3,
      settled: true,
      state: { kind: 'rejected', error: undefined },
      batchable: true,
    })
  })

  test.each(MANNERS)('of one delivery, after one of many, %j', (manner) => {
    expect(decode('disposition', composite('disposition', { role: false, first: 7 }, manner))).toEqual({
      isReceiver: false,
      first: 7,
      last: 7,
      settled: false,
      state: undefined,
      batchable: false,
    })
  })

  test('of four billion deliveries costs what one costs', () => {
    const all = composite('disposition', {
      role: true,
      first: 0,
      last: 4_294_967_295,
      settled: true,
      state: { kind: 'accepted' },
    })
    expect(decode('disposition', all)).toMatchObject({ first: 0, last: 4_294_967_295, state: ACCEPTED })
  })
})

/** Fields that are enough, of each. */
const LEAST: Readonly<Record<string, Fields>> = {
  transfer: { handle: 0 },
  flow: { incomingWindow: 1, nextOutgoingId: 1, outgoingWindow: 1 },
  disposition: { role: true, first: 1 },
}
const KINDS = Object.keys(LEAST)

describe('what a field must not be', () => {
  const bad: readonly (readonly [kind: string, field: string, given: Encoded, text: string, clause: string])[] = [
    [
      'transfer',
      'handle',
      ulong(1),
      'transfer.handle: expected a uint, got a value with the constructor 0x53',
      'AMQP10-1.3.4-f',
    ],
    ['transfer', 'deliveryId', value(1), 'transfer.delivery-id: expected a uint', 'AMQP10-1.3.4-f'],
    ['transfer', 'deliveryTag', str('x'), 'transfer.delivery-tag: expected a binary', 'AMQP10-1.3.4-f'],
    [
      'transfer',
      'deliveryTag',
      binary('x'.repeat(33)),
      'transfer.delivery-tag: 33 bytes are more than 32',
      'AMQP10-2.8.7-a',
    ],
    ['transfer', 'settled', uint(1), 'transfer.settled: expected a boolean', 'AMQP10-1.3.4-f'],
    ['transfer', 'settled', bool8(2), 'transfer.settled: a boolean is 0x02', 'AMQP10-1.6.2-a'],
    ['transfer', 'rcvSettleMode', ubyte(2), 'transfer.rcv-settle-mode: 2 is neither 0 (first) nor 1 (second)', ''],
    ['transfer', 'rcvSettleMode', uint(0), 'transfer.rcv-settle-mode: expected a ubyte', 'AMQP10-1.3.4-f'],
    ['transfer', 'state', list([]), 'transfer.state: expected a delivery state', ''],
    ['transfer', 'state', new Encoded(0x57), 'transfer.state: 0x57 is no constructor', 'AMQP10-1.2-b'],
    ['transfer', 'state', described(0x24, list([nil])), 'accepted: 1 fields; the type has 0', 'AMQP10-1.4-a'],
    ['flow', 'linkCredit', value(1), 'flow.link-credit: expected a uint', 'AMQP10-1.3.4-f'],
    ['flow', 'drain', uint(0), 'flow.drain: expected a boolean', 'AMQP10-1.3.4-f'],
    ['flow', 'properties', list([]), 'flow.properties: expected a map', 'AMQP10-1.3.4-f'],
    [
      'flow',
      'properties',
      new Encoded(0xc1, 2, 1, 0x40),
      'flow.properties: a map has 1 keys and values',
      'AMQP10-1.6.23-a',
    ],
    [
      'flow',
      'properties',
      map([[symbol('txn-id'), str('x')]]),
      'flow.properties.txn-id: expected a binary',
      'AMQP10-1.3.4-f',
    ],
    ['disposition', 'role', uint(1), 'disposition.role: expected a boolean', 'AMQP10-1.3.4-f'],
    ['disposition', 'first', ulong(1), 'disposition.first: expected a uint', 'AMQP10-1.3.4-f'],
    ['disposition', 'state', symbol('amqp:accepted:list'), 'disposition.state: expected a delivery state', ''],
  ]

  test.each(bad)('%s %s %#', (kind, field, given, text, clause) => {
    const fault = faultOf(kind, composite(kind, { ...LEAST[kind], [field]: given }))
    expect(fault.message).toContain(text)
    expect(fault).toMatchObject({ level: 'connection', clause })
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

  test.each(KINDS)('%s without fields', (kind) => {
    expect(faultOf(kind, composite(kind, {})).message).toContain('the field is mandatory')
  })

  test.each(KINDS)('%s with a field too many', (kind) => {
    const fault = faultOf(kind, composite(kind, LEAST[kind], { isFull: true, extra: [nil] }))
    expect(fault).toMatchObject({ condition: 'amqp:decode-error', clause: 'AMQP10-1.4-a' })
  })

  test.each(KINDS)('%s that is no list, or has no room for one', (kind) => {
    const descriptor = composite(kind, {}).bytes.subarray(0, 3)
    expect(faultOf(kind, descriptor, map([])).message).toContain('expected a list of fields')
    expect(faultOf(kind, descriptor, Buffer.of(0xc0)).message).toContain('ends within its performative')
    expect(faultOf(kind, descriptor).message).toContain('ends within its performative')
    expect(faultOf(kind, descriptor, Buffer.of(0xd0, 0, 0, 0)).message).toContain('ends within its performative')
    expect(faultOf(kind, descriptor, Buffer.of(0xc0, 0, 0)).message).toContain('does not fit into its frame')
    expect(faultOf(kind, descriptor, Buffer.of(0xd0), u32(0xffff_ffff), u32(3)).message).toContain(
      'does not fit into its frame',
    )
    expect(faultOf(kind, descriptor, Buffer.of(0xd0), u32(4), u32(0xffff_ffff)).message).toContain('4294967295 fields')
  })

  test.each(['flow', 'disposition'])('%s with bytes behind it', (kind) => {
    const fault = faultOf(kind, composite(kind, LEAST[kind]), nil)
    expect(fault.message).toBe(`${kind}: 1 bytes follow; only a transfer has a payload`)
  })
})

const SAMPLES: readonly (readonly [kind: string, fields: Fields])[] = [
  ['transfer', FULL_TRANSFER],
  ['transfer', { ...FULL_TRANSFER, state: { kind: 'transactional-state', txnId: Buffer.from('t1') } }],
  ['flow', { ...FULL_FLOW, properties: { 'txn-id': Buffer.from('t1') } }],
  [
    'disposition',
    {
      role: true,
      first: 70_000,
      last: 70_001,
      settled: bool8(1),
      state: { kind: 'modified', deliveryFailed: true },
      batchable: bool8(1),
    },
  ],
]

describe('sizes that are lies', () => {
  test.each(SAMPLES)('%s cut off anywhere is refused %#', (kind, fields) => {
    for (const manner of MANNERS.filter(({ descriptor }) => descriptor === undefined)) {
      const { bytes } = composite(kind, fields, manner)
      for (let end = 3; end < bytes.length; end++)
        expect(() => decode(kind, bytes.subarray(0, end)), `after ${end}`).toThrow(AmqpFault)
    }
  })

  test.each(SAMPLES)('%s whose list says to be shorter or longer is refused %#', (kind, fields) => {
    const { bytes } = composite(kind, fields)
    for (let size = 0; size < 256; size++) {
      if (size === bytes[4]) continue
      const changed = Buffer.from(bytes)
      changed[4] = size
      expect(() => decode(kind, changed), `size ${size}`).toThrow(AmqpFault)
    }
  })

  test.each(SAMPLES)('%s that says to have more or fewer fields is refused %#', (kind, fields) => {
    const { bytes } = composite(kind, fields)
    for (let count = 0; count < 256; count++) {
      if (count === bytes[5]) continue
      const changed = Buffer.from(bytes)
      changed[5] = count
      expect(() => decode(kind, changed), `count ${count}`).toThrow(AmqpFault)
    }
  })

  test.each(SAMPLES)('%s at the end of its memory with any byte changed is read or refused %#', (kind, fields) => {
    const { bytes } = composite(kind, fields)
    for (let at = 3; at < bytes.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = new Uint8Array(bytes)
        changed[at] = byte
        try {
          DECODERS[kind]!(changed, 0, changed.length)
        } catch (error) {
          expect(error).toBeInstanceOf(AmqpFault)
        }
      }
    }
  })
})

describe('what rhea writes is read', () => {
  const uints = fc.oneof(fc.constantFrom(0, 1, 255, 256, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }))
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })

  test('transfer', () => {
    fc.assert(
      fc.property(
        uints,
        maybe(uints),
        maybe(fc.uint8Array({ maxLength: 32 })),
        maybe(fc.boolean()),
        fc.boolean(),
        fc.uint8Array(),
        (handle, id, tag, settled, more, payload) => {
          const fields = {
            handle,
            delivery_id: id,
            delivery_tag: tag === undefined ? undefined : Buffer.from(tag),
            message_format: 0,
            settled,
            more,
          }
          const bytes = writtenByRhea(rheaFrames.transfer(fields), 3, Buffer.from(payload))
          decodeTransfer(bytes, 8, bytes.length, transfer)
          expect(transfer).toMatchObject({
            handle,
            deliveryId: id ?? -1,
            hasTag: tag !== undefined,
            messageFormat: 0,
            settled,
            more,
            state: undefined,
          })
          expect(new Uint8Array(bytes.subarray(transfer.tagStart, transfer.tagEnd))).toEqual(tag ?? new Uint8Array(0))
          expect(new Uint8Array(bytes.subarray(transfer.payloadStart))).toEqual(payload)
        },
      ),
    )
  })

  test('flow', () => {
    fc.assert(
      fc.property(
        maybe(uints),
        uints,
        uints,
        maybe(uints),
        maybe(uints),
        maybe(fc.boolean()),
        (incoming, window, outgoing, handle, credit, drain) => {
          const fields = {
            next_incoming_id: incoming,
            incoming_window: window,
            next_outgoing_id: outgoing,
            outgoing_window: window,
            handle,
            link_credit: credit,
            drain,
          }
          const bytes = writtenByRhea(rheaFrames.flow(fields))
          decodeFlow(bytes, 8, bytes.length, flow)
          expect(flow).toMatchObject({
            nextIncomingId: incoming ?? -1,
            incomingWindow: window,
            nextOutgoingId: outgoing,
            outgoingWindow: window,
          })
          expect(flow).toMatchObject({
            handle: handle ?? -1,
            linkCredit: credit ?? -1,
            deliveryCount: -1,
            drain: drain ?? false,
            echo: false,
          })
        },
      ),
    )
  })

  test('disposition', () => {
    fc.assert(
      fc.property(fc.boolean(), uints, maybe(uints), maybe(fc.boolean()), (role, first, last, settled) => {
        const bytes = writtenByRhea(rheaFrames.disposition({ role, first, last, settled }))
        decodeDisposition(bytes, 8, bytes.length, disposition)
        expect(disposition).toMatchObject({
          isReceiver: role,
          first,
          last: last ?? first,
          settled: settled ?? false,
          state: undefined,
        })
      }),
    )
  })
})

test('fields of four bytes that are 0 are 0', () => {
  expect(
    decode('transfer', composite('transfer', { handle: uint4(0), deliveryId: new Encoded(0x52, 0) })),
  ).toMatchObject({ handle: 0, deliveryId: 0 })
})
