import fc from 'fast-check'
import { expect, test } from 'vitest'

import { digitCount, parseDigits, writeDigitsBefore } from './digits.ts'

function parse(text: string): number {
  return parseDigits(Buffer.from(text), 0, text.length)
}

test.each(['', '-1', '+1', ' 1', '1 ', '1.0', '1e3', '0x10', '3zz', '1_000', '1234567890123456', '٣'])(
  '%j is no number',
  (text) => {
    expect(parseDigits(Buffer.from(text), 0, Buffer.byteLength(text))).toBe(-1)
  },
)

test('leading zeros do no harm', () => {
  expect(parse('007')).toBe(7)
  expect(parse('0')).toBe(0)
})

test('whole numbers of up to 15 digits are written as they are read', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 0, max: 999_999_999_999_999 }), fc.nat(2_000_000)), (value) => {
      const count = digitCount(value)
      const target = Buffer.alloc(20, '.')
      writeDigitsBefore(target, 2 + count, value)
      expect(target.toString('latin1')).toBe(`..${value}`.padEnd(20, '.'))
      expect(parseDigits(target, 2, 2 + count)).toBe(value)
    }),
  )
  for (let digits = 1; digits <= 15; digits++) {
    expect(digitCount(10 ** digits - 1)).toBe(digits)
    expect(digitCount(10 ** (digits - 1))).toBe(digits)
  }
})
