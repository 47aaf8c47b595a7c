import { expect, test } from 'vitest'
import { bytesText, countText, durationText } from './units.ts'

test.each([
  [0, '0 bytes'],
  [1_023, '1023 bytes'],
  [1_024, '1 KiB'],
  [1_536, '1.5 KiB'],
  [1024 * 1024 * 1024, '1 GiB'],
  [1_000 * 1024 * 1024, '1000 MiB'],
  [5 * 1024 ** 5, '5120 TiB'],
])('%i bytes read as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [-5, '0 ms'],
  [999, '999 ms'],
  [40_000, '40 s'],
  [119_999, '119 s'],
  [120_000, '2 min'],
  [720_000, '12 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
])('%i ms read as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})

test('one is not many', () => {
  expect(countText(1, 'consumer')).toBe('1 consumer')
  expect(countText(2, 'consumer')).toBe('2 consumers')
  expect(countText(0, 'entry', 'entries')).toBe('0 entries')
})
