import { describe, expect, test } from 'vitest'
import { isMqttString, mqttStringFault } from './utf8.ts'

/** Strings long enough to leave the loop for short ones. */
const LONG = Buffer.from('x'.repeat(200))

function judge(...bytes: readonly number[]): boolean {
  const around = Uint8Array.from([0xff, 0x00, ...bytes, 0x00, 0xff])
  return isMqttString(around, 2, 2 + bytes.length)
}

describe('UTF-8 encoded strings', () => {
  test('text of any length and script is valid', () => {
    for (const text of [
      '',
      'a',
      'größe',
      '温度',
      '🦉',
      '\ufeffmark',
      '\u0001',
      '\uffff',
      'x'.repeat(200),
      '温'.repeat(200),
    ]) {
      expect(judge(...Buffer.from(text)), text.slice(0, 10)).toBe(true)
    }
  })

  test('surrogates, overlong forms, lone and missing continuations are not', () => {
    const broken = [
      [0xed, 0xa0, 0x80],
      [0xed, 0xbf, 0xbf],
      [0xc0, 0x80],
      [0xe0, 0x80, 0xaf],
      [0x80],
      [0xc3],
      [0xf4, 0x90, 0x80, 0x80],
      [0xff],
    ]
    for (const bytes of broken) {
      expect(judge(...bytes)).toBe(false)
      expect(judge(0x61, ...bytes)).toBe(false)
      expect(judge(...LONG, ...bytes)).toBe(false)
      expect(mqttStringFault(Uint8Array.from(bytes), 0, bytes.length)).toBe('is not valid UTF-8')
    }
  })

  test('U+0000 is not allowed anywhere', () => {
    expect(judge(0x00)).toBe(false)
    expect(judge(0xc3, 0xa4, 0x00)).toBe(false)
    expect(judge(...LONG, 0x00)).toBe(false)
    expect(mqttStringFault(Uint8Array.of(0x61, 0x00), 0, 2)).toBe('contains U+0000')
  })
})
