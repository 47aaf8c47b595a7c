import { expect, test } from 'vitest'

import { composite } from '../../test/wire/composites.ts'
import { described, Encoded, list, map, str, symbol } from '../../test/wire/encode.ts'
import { decodeCoordinatorCommand } from './decode-coordinator.ts'
import { AmqpFault } from './faults.ts'

const AMQP_VALUE = 0x77
const id = Uint8Array.of(1, 2, 3)

function read({ bytes }: Encoded): unknown {
  const memory = Buffer.concat([Buffer.of(0xff), bytes, Buffer.of(0xff)])
  const command = decodeCoordinatorCommand(memory, 1, 1 + bytes.length)
  memory.fill(0xdd)
  return command
}

test('declare', () => {
  expect(read(described(AMQP_VALUE, composite('declare')))).toEqual({ kind: 'declare', hasGlobalId: false })
  expect(read(described(AMQP_VALUE, composite('declare', { globalId: list([]) })))).toEqual({
    kind: 'declare',
    hasGlobalId: true,
  })
})

test('discharge [AMQP10-4.5.3-a]', () => {
  expect(read(described(AMQP_VALUE, composite('discharge', { txnId: id })))).toEqual({
    kind: 'discharge',
    transactionId: id,
    fail: false,
  })
  const rollback = described(
    'amqp:amqp-value:*',
    composite('discharge', { txnId: id, fail: true }, { descriptor: 'symbol', list: 'list32' }),
  )
  expect(read(rollback)).toEqual({ kind: 'discharge', transactionId: id, fail: true })
})

test('sections around the command are passed over', () => {
  const sections = [
    composite('header', { durable: true }),
    described(0x72, map([])),
    composite('properties', { to: 'x' }),
    described(AMQP_VALUE, composite('declare')),
    described(0x78, map([])),
  ]
  expect(read(new Encoded(...sections.map(({ bytes }) => bytes)))).toEqual({ kind: 'declare', hasGlobalId: false })
})

const bad: readonly (readonly [name: string, encoded: Encoded, text: string])[] = [
  ['nothing', new Encoded(), 'expected one amqp-value section'],
  ['a header alone', composite('header'), 'expected one amqp-value section'],
  ['data', described(0x75, Buffer.from('x')), 'expected one amqp-value section'],
  [
    'two values',
    new Encoded(described(AMQP_VALUE, composite('declare')).bytes, described(AMQP_VALUE, composite('declare')).bytes),
    'expected one amqp-value section',
  ],
  ['a command without section', composite('declare'), 'expected one amqp-value section'],
  ['a text', described(AMQP_VALUE, str('declare')), 'expected declare or discharge'],
  ['another type', described(AMQP_VALUE, composite('declared', { txnId: id })), 'expected declare or discharge'],
  [
    'a discharge without id',
    described(AMQP_VALUE, composite('discharge', { fail: true })),
    'discharge.txn-id: the field is mandatory',
  ],
  [
    'a discharge with a text as id',
    described(AMQP_VALUE, composite('discharge', { txnId: symbol('x') })),
    'discharge.txn-id: expected a binary',
  ],
  [
    'a declare with too many fields',
    described(AMQP_VALUE, composite('declare', {}, { isFull: true, extra: [1] })),
    'declare: 2 fields; the type has 1',
  ],
  [
    'bytes behind it that are no section',
    new Encoded(described(AMQP_VALUE, composite('declare')).bytes, 0x40),
    'expected one amqp-value section',
  ],
]

test.each(bad)('%s is no command', (_, encoded, text) => {
  expect(() => read(encoded)).toThrow(text)
  expect(() => read(encoded)).toThrow(AmqpFault)
})

test('a command is refused where it is cut off', () => {
  const { bytes } = described(AMQP_VALUE, composite('discharge', { txnId: id, fail: true }))
  for (let end = 0; end < bytes.length; end++) expect(() => decodeCoordinatorCommand(bytes, 0, end)).toThrow(AmqpFault)
})
