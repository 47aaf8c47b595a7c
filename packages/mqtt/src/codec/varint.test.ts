import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import { isMinimalVarint, readVarint, VARINT_MAX, varintBytes, varintSize, varintValue, writeVarint } from './varint.ts'

/** The bounds of MQTT 5 table 1-1. */
const BOUNDS: readonly [value: number, bytes: readonly number[]][] = [
  [0, [0x00]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 0x01]],
  [2_097_151, [0xff, 0xff, 0x7f]],
  [2_097_152, [0x80, 0x80, 0x80, 0x01]],
  [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
]

describe('variable byte integers', () => {
  test.each(BOUNDS)('%i is written and read as the specification shows', (value, bytes) => {
    const target = new Uint8Array(6)
    expect(writeVarint(target, 1, value)).toBe(1 + bytes.length)
    expect([...target.subarray(1, 1 + bytes.length)]).toEqual(bytes)
    const read = readVarint(target, 1, target.length)
    expect([varintValue(read), varintBytes(read), isMinimalVarint(read)]).toEqual([value, bytes.length, true])
  })

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: VARINT_MAX }), (value) => {
        const target = new Uint8Array(4)
        const end = writeVarint(target, 0, value)
        const read = readVarint(target, 0, end)
        expect(end).toBe(varintSize(value))
        expect(varintValue(read)).toBe(value)
        expect(varintBytes(read)).toBe(end)
      }),
    )
  })

  test('an integer that is not all there asks for more', () => {
    expect(readVarint(Uint8Array.of(), 0, 0)).toBe(0)
    expect(readVarint(Uint8Array.of(0x80, 0x01), 0, 1)).toBe(0)
    expect(readVarint(Uint8Array.of(0xff, 0xff, 0x01), 0, 2)).toBe(0)
    expect(readVarint(Uint8Array.of(0xff, 0xff, 0xff, 0x01), 0, 3)).toBe(0)
  })

  test('a fifth byte is refused', () => {
    expect(() => readVarint(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01), 0, 5)).toThrow(ProtocolError)
  })

  test('padding is read and told', () => {
    for (const bytes of [
      [0x80, 0x00],
      [0x81, 0x80, 0x00],
      [0x81, 0x80, 0x80, 0x00],
    ]) {
      expect(isMinimalVarint(readVarint(Uint8Array.from(bytes), 0, bytes.length))).toBe(false)
    }
  })
})
