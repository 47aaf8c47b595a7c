import { describe, expect, test } from 'vitest'

import { described, Encoded, list, str, symbol, ulong8, u32 } from '../../test/wire/encode.ts'
import { behindDescriptor, describedCode, Descriptor, expectDescriptor } from './descriptors.ts'

function codeOf({ bytes }: Encoded): number {
  return describedCode(bytes, 0, bytes.length)
}

describe('a descriptor', () => {
  const forms: readonly (readonly [name: string, descriptor: Encoded, code: number])[] = [
    ['a small ulong', new Encoded(0x53, 0x24), 0x24],
    ['a ulong of eight bytes', ulong8(0x24), 0x24],
    ['its symbol', symbol('amqp:accepted:list'), 0x24],
    ['its symbol with a wide size', new Encoded(0xb3, u32(18), Buffer.from('amqp:accepted:list')), 0x24],
    ['the symbol of a map', symbol('amqp:message-annotations:map'), 0x72],
    ['the symbol of any value', symbol('amqp:amqp-value:*'), 0x77],
    ['the symbol of a SASL frame', symbol('amqp:sasl-init:list'), 0x41],
    ['the symbol of a transactional state', symbol('amqp:transactional-state:list'), 0x34],
    ['another symbol', symbol('amqp:constructor:list'), -1],
    ['a symbol that is a name of objects', symbol('__proto__'), -1],
    ['a long symbol', symbol('x'.repeat(300)), -1],
    ['a ulong of 0', new Encoded(0x44), -1],
    ['a ulong above all of ours', ulong8(0x1_0000_0024), -1],
    ['a ulong above a byte', ulong8(0x124), -1],
    ['a string', str('amqp:accepted:list'), -1],
  ]

  test.each(forms)('may be %s', (_, descriptor, code) => {
    const encoded = described(descriptor, list([]))
    expect(codeOf(encoded)).toBe(code)
    if (code >= 0) expect(behindDescriptor(encoded.bytes, 0)).toBe(encoded.bytes.length - 1)
  })

  test.each(forms)('%s is none when it is cut off', (_, descriptor) => {
    const { bytes } = described(descriptor, list([]))
    for (let end = 0; end < 1 + descriptor.bytes.length; end++) expect(describedCode(bytes, 0, end)).toBe(-1)
  })

  test('there is none before a value that is not described', () => {
    expect(codeOf(list([]))).toBe(-1)
    expect(codeOf(new Encoded(0x53, 0x24, 0x45))).toBe(-1)
  })

  test('another one than expected is told with both', () => {
    const { bytes } = described(Descriptor.released, list([]))
    expect(expectDescriptor(bytes, 0, bytes.length, Descriptor.released, 'it')).toBe(3)
    const expected = 'it: expected a value described as 0x24, got 0x26'
    expect(() => expectDescriptor(bytes, 0, bytes.length, Descriptor.accepted, 'it')).toThrow(expected)
    const other = symbol('x').bytes
    expect(() => expectDescriptor(other, 0, other.length, Descriptor.accepted, 'it')).toThrow('got another')
  })
})
