import { expect, test } from 'vitest'
import { decodeText } from './document-text.ts'

test('text comes as it was written, without the mark of its encoding', () => {
  expect(decodeText(Buffer.from('\uFEFFnäme: 🔧\n'))).toBe('näme: 🔧\n')
})

test('what stands for an unknown character is text as well', () => {
  expect(decodeText(Buffer.from('a\uFFFDb'))).toBe('a\uFFFDb')
})

test.each([
  ['a byte that begins nothing', [0x61, 0xff, 0x62], 1, 2],
  ['a character without its end', [0x61, 0x0a, 0xc3, 0xa4, 0xe4, 0x62], 2, 2],
  ['a text that ends within a character', [0x61, 0x0a, 0xf0, 0x9f], 2, 1],
  ['the first of several', [0x0a, 0x0a, 0x62, 0xc0, 0x0a, 0xff], 3, 2],
])('%s is told with its place', (_, bytes, line, column) => {
  const reason = 'this is not UTF-8 text; save the file as UTF-8'
  expect(() => decodeText(Uint8Array.from(bytes))).toThrow(`line ${line}, column ${column}: ${reason}`)
})
