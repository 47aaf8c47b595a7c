import { expect, test } from 'vitest'
import { hexDump, isReadable } from './body-text.ts'

test('bytes are shown 16 a line, with what can be printed', () => {
  expect(hexDump(Uint8Array.from({ length: 18 }, (_, index) => index + 0x38))).toBe(
    '000000  38 39 3a 3b 3c 3d 3e 3f  40 41 42 43 44 45 46 47  89:;<=>?@ABCDEFG\n' +
      '000010  48 49                                             HI',
  )
})

test.each([
  ['a line\r\n\tand another: ü 漢 🎉', true],
  ['\u001B[31mred\u001B[0m', true],
  ['', true],
  ['bell \u0007', false],
  ['\0', false],
  ['\u007F', false],
  ['\u0085', false],
])('whether %j is read as it is: %s', (text, expected) => {
  expect(isReadable(text)).toBe(expected)
})
