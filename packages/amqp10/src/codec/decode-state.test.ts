import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { anyFields } from '../../test/values.ts'
import { composite, type Manner, readComposite } from '../../test/wire/composites.ts'
import { decodeWhole } from '../../test/wire/decode.ts'
import { described, Encoded, list, map, nil, str, symbol, uint } from '../../test/wire/encode.ts'
import { decodeState, isOutcome } from './decode-state.ts'
import { ACCEPTED_BYTES, encodeState, rejectedState, RELEASED_BYTES } from './encode-state.ts'
import { AmqpFault } from './faults.ts'
import { ACCEPTED, type DeliveryState, RELEASED } from './performatives.ts'

function read({ bytes }: Encoded): DeliveryState {
  const memory = Buffer.concat([Buffer.of(0xff), bytes, Buffer.of(0xff)])
  const state = decodeState(memory, 1, 1 + bytes.length)
  memory.fill(0xdd)
  return state
}

const MANNERS: readonly Manner[] = [
  {},
  { descriptor: 'ulong' },
  { descriptor: 'symbol' },
  { list: 'list32' },
  { isFull: true },
]
const id = Uint8Array.of(1, 2, 3)
const error = { kind: 'error', condition: 'amqp:x', description: 'why', info: { a: 'b' } }

describe('every state', () => {
  const cases: readonly (readonly [encoded: (manner: Manner) => Encoded, state: DeliveryState])[] = [
    [(manner) => composite('accepted', {}, manner), ACCEPTED],
    [(manner) => composite('released', {}, manner), RELEASED],
    [(manner) => composite('rejected', {}, manner), { kind: 'rejected', error: undefined }],
    [
      (manner) => composite('rejected', { error }, manner),
      { kind: 'rejected', error: { condition: 'amqp:x', description: 'why', info: { a: 'b' } } },
    ],
    [
      (manner) => composite('modified', {}, manner),
      { kind: 'modified', deliveryFailed: false, undeliverableHere: false, annotations: undefined },
    ],
    [
      (manner) =>
        composite(
          'modified',
          { deliveryFailed: true, undeliverableHere: true, messageAnnotations: { 'x-opt-a': 'b' } },
          manner,
        ),
      { kind: 'modified', deliveryFailed: true, undeliverableHere: true, annotations: new Map([['x-opt-a', 'b']]) },
    ],
    [
      (manner) => composite('received', { sectionNumber: 2, sectionOffset: 2n ** 64n - 1n }, manner),
      { kind: 'received', sectionNumber: 2, sectionOffset: 2n ** 64n - 1n },
    ],
    [
      (manner) => composite('received', { sectionNumber: 0, sectionOffset: 0n }, manner),
      { kind: 'received', sectionNumber: 0, sectionOffset: 0n },
    ],
    [(manner) => composite('declared', { txnId: id }, manner), { kind: 'declared', transactionId: id }],
    [
      (manner) => composite('transactional-state', { txnId: id }, manner),
      { kind: 'transactional', transactionId: id, outcome: undefined },
    ],
    [
      (manner) => composite('transactional-state', { txnId: id, outcome: { kind: 'rejected' } }, manner),
      { kind: 'transactional', transactionId: id, outcome: { kind: 'rejected', error: undefined } },
    ],
  ]

  test.each(cases)('is read, however it is written %#', (encoded, state) => {
    for (const manner of MANNERS) expect(read(encoded(manner))).toEqual(state)
  })

  test.each(cases)('is written so that it is read again %#', (_, state) => {
    const bytes = encodeState(state)
    expect(decodeState(bytes, 0, bytes.length)).toEqual(state)
    expect(readComposite(decodeWhole(bytes)).kind.startsWith(state.kind)).toBe(true)
  })

  test.each(cases)('is refused where it is cut off %#', (encoded) => {
    const { bytes } = encoded({})
    for (let end = 0; end < bytes.length; end++) expect(() => decodeState(bytes, 0, end)).toThrow(AmqpFault)
  })

  test('is an outcome or is none [AMQP10-3.4-a]', () => {
    const outcomes = cases.filter(([, state]) => isOutcome(state)).map(([, { kind }]) => kind)
    expect([...new Set(outcomes)]).toEqual(['accepted', 'released', 'rejected', 'modified', 'declared'])
  })
})

test('the two that nearly all deliveries have are four bytes', () => {
  expect(Buffer.from(ACCEPTED_BYTES).toString('hex')).toBe('00532445')
  expect(Buffer.from(RELEASED_BYTES).toString('hex')).toBe('00532645')
})

describe('what is no state', () => {
  const bad: readonly (readonly [name: string, encoded: Encoded, text: string])[] = [
    ['a value that is not described', list([]), 'state: expected a delivery state, got another value'],
    ['null', nil, 'state: expected a delivery state'],
    ['another type', composite('source'), 'state: expected a delivery state'],
    ['another descriptor', described('x:y', list([])), 'state: expected a delivery state'],
    ['accepted with a field', described(0x24, list([nil])), 'accepted: 1 fields; the type has 0'],
    ['accepted that is no list', described(0x24, map([])), 'accepted: expected a list of fields'],
    [
      'rejected with a text',
      composite('rejected', { error: str('x') }),
      'rejected.error: expected a value described as 0x1d',
    ],
    [
      'modified with a number',
      composite('modified', { deliveryFailed: uint(1) }),
      'modified.delivery-failed: expected a boolean',
    ],
    [
      'modified with a list',
      composite('modified', { messageAnnotations: list([]) }),
      'modified.message-annotations: expected a map',
    ],
    [
      'received without offset',
      composite('received', { sectionNumber: 1 }),
      'received.section-offset: the field is mandatory',
    ],
    ['declared without id', composite('declared'), 'declared.txn-id: the field is mandatory'],
    [
      'a transactional state without id',
      composite('transactional-state', { outcome: { kind: 'accepted' } }),
      'transactional-state.txn-id: the field is mandatory',
    ],
    [
      'a transactional state within another',
      composite('transactional-state', { txnId: id, outcome: { kind: 'transactional-state', txnId: id } }),
      'transactional-state.outcome: transactional is no outcome',
    ],
    [
      'a transactional state with received',
      composite('transactional-state', {
        txnId: id,
        outcome: { kind: 'received', sectionNumber: 0, sectionOffset: 0 },
      }),
      'received is no outcome',
    ],
    ['bytes behind it', new Encoded(composite('accepted').bytes, nil.bytes), 'state: bytes follow the delivery state'],
  ]

  test.each(bad)('%s', (_, encoded, text) => {
    expect(() => read(encoded)).toThrow(text)
  })
})

describe('an error that is sent', () => {
  test('has its texts, and symbols only where they may be', () => {
    const bytes = rejectedState('amqp:not-found', 'größe', { __proto__: 'x', name: 'ä' })
    const { error: found } = readComposite(decodeWhole(bytes)) as { error?: { condition: string; description: string } }
    expect(found).toMatchObject({ condition: 'amqp:not-found', description: 'größe', info: { name: 'ä' } })
    expect(decodeState(bytes, 0, bytes.length)).toMatchObject({ error: { info: { name: 'ä' } } })
  })

  test('is cut so that it fits into the smallest frame, without half a character', () => {
    for (const description of ['ä'.repeat(1_000), `x${'ä'.repeat(1_000)}`, '😀'.repeat(500), 'x'.repeat(400)]) {
      const bytes = rejectedState('amqp:resource-limit-exceeded', description, { name: 'x'.repeat(50) })
      expect(bytes.length).toBeLessThanOrEqual(440)
      const { error: found } = decodeState(bytes, 0, bytes.length) as { error: { description: string; info: object } }
      expect(found.description.endsWith('…')).toBe(true)
      expect(description.startsWith(found.description.slice(0, -1))).toBe(true)
      expect(found.description).not.toContain('\uFFFD')
      expect(found.info).toEqual({ name: 'x'.repeat(50) })
    }
  })

  test('goes without an info that is too long', () => {
    const bytes = rejectedState('amqp:x', 'why', { name: 'x'.repeat(300) })
    expect(decodeState(bytes, 0, bytes.length)).toEqual({
      kind: 'rejected',
      error: { condition: 'amqp:x', description: 'why', info: undefined },
    })
  })

  test('has a symbol where its condition is none', () => {
    const bytes = rejectedState('größe', '')
    expect(decodeState(bytes, 0, bytes.length)).toMatchObject({ error: { condition: 'gr??e', description: '' } })
  })
})

test('annotations of any type are read as they were written', () => {
  fc.assert(
    fc.property(anyFields, (annotations) => {
      const state: DeliveryState = { kind: 'modified', deliveryFailed: true, undeliverableHere: false, annotations }
      const bytes = encodeState(state)
      const read = decodeState(bytes, 0, bytes.length) as DeliveryState & { kind: 'modified' }
      expect(read.annotations ?? new Map()).toEqual(annotations)
    }),
  )
})

test('a symbol may be the value of an annotation', () => {
  const encoded = composite('modified', { messageAnnotations: map([[symbol('k'), symbol('v')]]) })
  expect(read(encoded)).toMatchObject({ annotations: new Map([['k', { text: 'v' }]]) })
})
