/**
 * What rhea's reader makes of bytes that a peer may send, and what stands before it here. Each case shows both: when rhea mends one, its
 * line fails, and the guard may be looked at again.
 */
import { describe, expect, test } from 'vitest'

import { readByRhea } from '../../test/rhea-frames.ts'
import { composite } from '../../test/wire/composites.ts'
import { Encoded, list, map, u32, ulong8 } from '../../test/wire/encode.ts'
import { performativeCode } from './decode-control.ts'
import { decodeDisposition, DispositionFields } from './decode-disposition.ts'
import { decodeValue } from './decode-value.ts'
import { AmqpFault } from './faults.ts'
import { type FrameSink, FrameSplitter } from './frame-splitter.ts'
import { rhea } from './rhea-types.ts'
import { checkValue } from './structure.ts'

function byRhea({ bytes }: Encoded): unknown {
  return new rhea.Reader(bytes).read().value
}

function check({ bytes }: Encoded): void {
  checkValue(bytes, 0, bytes.length, 'it')
}

describe('bytes that are no value', () => {
  test('an array of elements without bytes has as many as it says', () => {
    const array = new Encoded(0xf0, u32(5), u32(100_000), 0x41)
    expect(byRhea(array)).toHaveLength(100_000)
    expect(() => check(array)).toThrow('elements without bytes')
  })

  test('a list has as many elements as it says, wherever it ends', () => {
    const short = new Encoded(0xc0, 2, 2, 0x40, 0x41)
    expect(byRhea(short)).toHaveLength(2)
    expect(() => check(short)).toThrow(AmqpFault)
    const lie = new Encoded(0xd0, u32(5), u32(0xffff_ffff), 0x40)
    expect(() => check(lie)).toThrow('says to have 4294967295 elements in 1 bytes')
  })

  test('a string may be shorter than it says', () => {
    const cut = new Encoded(0xa1, 10, Buffer.from('abc'))
    expect(byRhea(cut)).toBe('abc')
    expect(() => check(cut)).toThrow('needs 10 bytes where 3 are left')
  })

  test('values that are nested without end take the stack', () => {
    const deep = new Encoded(Buffer.alloc(200_000))
    expect(() => byRhea(deep)).toThrow(RangeError)
    expect(() => check(deep)).toThrow(AmqpFault)
  })

  test('text and symbols that are none are made to be some', () => {
    const text = new Encoded(0xa1, 1, 0xff)
    expect(byRhea(text)).toBe('\uFFFD')
    expect(() => check(text)).toThrow('not valid UTF-8')
    const symbol = new Encoded(0xa3, 1, 0xe1)
    expect(byRhea(symbol)).toBe('a')
    expect(() => check(symbol)).toThrow('not ASCII')
  })
})

describe('values that are not read as they are', () => {
  test('wide integers lose bits', () => {
    const wide = ulong8(2n ** 53n + 1n)
    expect(byRhea(wide)).toBe(2 ** 53)
    expect(decodeValue(wide.bytes, 0)).toBe(2n ** 53n + 1n)
  })

  test('maps become objects, with keys that are not theirs', () => {
    const { bytes } = map([['__proto__', map([['isAdmin', true]])]])
    const { unwrap } = rhea as unknown as { unwrap: (value: unknown) => { isAdmin?: boolean } }
    expect(unwrap(new rhea.Reader(bytes).read()).isAdmin).toBe(true)
    expect(decodeValue(bytes, 0)).toEqual(new Map([['__proto__', new Map([['isAdmin', true]])]]))
  })

  test('binaries are views of what was read', () => {
    const { bytes } = list([Buffer.from('abc')])
    const [view] = byRhea(new Encoded(bytes)) as { value: Buffer }[]
    const memory = Buffer.from(bytes)
    const [theirs] = new rhea.Reader(memory).read().value as { value: Buffer }[]
    const [ours] = decodeValue(memory, 0) as Uint8Array[]
    memory.fill(0xdd)
    expect(theirs!.value).not.toEqual(view!.value)
    expect(ours).toEqual(new Uint8Array(view!.value))
  })
})

describe('frames', () => {
  const sink: FrameSink = {
    frameBytesMax: 512,
    expectsHeader: false,
    onHeader: () => true,
    onBadHeader: () => undefined,
    onFrame: () => true,
  }

  test('one of four gigabytes is waited for', () => {
    const head = Buffer.concat([u32(0xffff_ffff), Buffer.of(2, 0, 0, 0)])
    expect(readByRhea(head)).toBeNull()
    expect(() => new FrameSplitter().read(head, sink)).toThrow('the largest that is taken has 512')
  })

  test('one that is no performative throws something that is no protocol error', () => {
    const body = list([]).bytes
    const bytes = Buffer.concat([u32(8 + body.length), Buffer.of(2, 0, 0, 0), body])
    expect(() => readByRhea(bytes)).toThrow(TypeError)
    expect(performativeCode(bytes, 8, bytes.length)).toBe(-1)
  })

  test('a disposition of all deliveries there can be is two numbers', () => {
    const { bytes } = composite('disposition', {
      role: true,
      first: 1,
      last: 0,
      settled: true,
      state: { kind: 'accepted' },
    })
    const fields = new DispositionFields()
    decodeDisposition(bytes, 0, bytes.length, fields)
    expect([fields.first, fields.last]).toEqual([1, 0])
  })
})
