import { expect, test } from 'vitest'
import { countText, durationText, rateText, several, sizeText, timeText } from './format.ts'
import { cutText, safeJson, safeLines, safeText, widthOf } from './text.ts'

test.each([
  ['plain', 'plain'],
  ['a\nb\tc\r', 'a\\nb\\tc\\r'],
  ['\u001B]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
  ['\u202Egnp.exe', '\\u{202e}gnp.exe'],
  ['\u009B2J', '\\u{9b}2J'],
  ['\uD800', '\\u{d800}'],
  ['a\u2028b', 'a\\u{2028}b'],
  ['👩‍🔧 café', '👩‍🔧 café'],
])('%j is shown as %j', (text, shown) => expect(safeText(text)).toBe(shown))

test('of several lines each is made safe, and they stay lines', () => {
  expect(safeLines('a\r\nb\tc\n\u001B[1m')).toBe('a\nb\tc\n\\u{1b}[1m')
})

test('JSON keeps its lines and its values, and shows what is not seen as escapes', () => {
  const value = { 'k\u009B': ['a\nb', '\u007F', '\u202E', '\u2028', '\u{E0067}', '👩\u200D🔧', '\uD800'] }
  const text = safeJson(value, 2)
  expect(text.split('\n')).toHaveLength(11)
  expect(text).toContain('"k\\u009b"')
  expect(text).toContain('"\\udb40\\udc67"')
  expect(text.replaceAll('👩\u200D🔧', '')).toMatch(/^[ -~\n]*$/)
  expect(JSON.parse(text)).toEqual(value)
})

test.each([
  ['abc', 3],
  ['注文', 4],
  ['e\u0301', 1],
  ['👩‍🔧', 2],
])('%s takes %i columns', (text, width) => expect(widthOf(text)).toBe(width))

test('a text is cut where it has no room, with a sign, and not inside a character', () => {
  expect(cutText('abcdef', 6)).toBe('abcdef')
  expect(cutText('abcdef', 4)).toBe('abc…')
  expect(cutText('注文注文', 4)).toBe('注…')
})

test('numbers are written as people read them', () => {
  expect([0, 999, 1_000, 1_234_567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([several(1, 'message'), several(2_000, 'message')]).toEqual(['1 message', '2,000 messages'])
  expect([1, 1_023, 1_536, 5 * 1_024 ** 3].map(sizeText)).toEqual(['1 byte', '1,023 bytes', '1.5 KiB', '5.0 GiB'])
  expect([undefined, 0, 0.42, 12_345.6].map(rateText)).toEqual(['', '0', '0.4', '12,346'])
  expect([-5, 250, 12_000, 3_600_000, 273_600_000].map(durationText)).toEqual(['0ms', '250ms', '12s', '1h', '3d 4h'])
  expect(timeText(0)).toBe('1970-01-01 00:00:00')
})
