import { expect, test } from 'vitest'
import {
  asSentence,
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatMany,
  formatProtocol,
  formatRate,
  formatShort,
  formatValue,
} from './format.ts'

test('counts have their thousands apart', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567')
})

test('short numbers keep every digit until there are five, and one decimal after', () => {
  expect([0, 0.44, 12.34, 999.6, 9_999, 12_345, 1_234_567, 2_500_000_000].map(formatShort)).toEqual([
    '0',
    '0.4',
    '12.3',
    '1,000',
    '9,999',
    '12.3 k',
    '1.2 M',
    '2.5 G',
  ])
})

test('bytes change to the next unit before they would be written as 1,024', () => {
  expect([0, 1_000.481, 1_023, 1_023.6, 1_024, 1_536, 1_048_575, 1_048_576, 5 * 2 ** 40].map(formatBytes)).toEqual([
    '0 B',
    '1,000 B',
    '1,023 B',
    '1 KiB',
    '1 KiB',
    '1.5 KiB',
    '1 MiB',
    '1 MiB',
    '5 TiB',
  ])
})

test('a rate that is not known yet is a dash, and none is a number', () => {
  expect([undefined, 0, 1_250].map(formatRate)).toEqual(['–', '0/s', '1,250/s'])
})

test('durations have their two largest units, and one from ten on', () => {
  expect(
    [0, 0.84, 12.4, 999, 1_000, 65_000, 3_600_000, 3_900_000, 45_000_000, 90_000_000, 864_000_000].map(formatDuration),
  ).toEqual(['0 ms', '0.8 ms', '12 ms', '999 ms', '1 s', '1 min 5 s', '1 h', '1 h 5 min', '12 h', '1 d 1 h', '10 d'])
})

test('a moment is said from now, to both sides', () => {
  expect([formatAgo(0, 65_000), formatAgo(5_000, 0), formatAgo(100, 0)]).toEqual(['1 min 5 s ago', 'in 5 s', 'now'])
})

test('one thing is singular, all other numbers plural', () => {
  expect([
    formatMany(0, 'message'),
    formatMany(1, 'message'),
    formatMany(2, 'queue'),
    formatMany(2, 'policy', 'policies'),
  ]).toEqual(['0 messages', '1 message', '2 queues', '2 policies'])
})

test('values of settings are told apart from nothing', () => {
  expect([undefined, '', 'block', 1_024, true, ['a', 'b'], null].map(formatValue)).toEqual([
    '–',
    '(empty)',
    'block',
    '1,024',
    'true',
    '["a","b"]',
    'null',
  ])
})

test('a sentence of the server gets its capital, a name in front stays as it is', () => {
  expect(["there is no queue 'a'", "'a.*' is no name", '<b>', ''].map(asSentence)).toEqual([
    "There is no queue 'a'",
    "'a.*' is no name",
    '<b>',
    '',
  ])
})

test('a protocol is written one way, whoever names it', () => {
  expect(formatProtocol('mqtt')).toBe('MQTT')
  expect(formatProtocol('MQTT 5')).toBe('MQTT 5')
  expect(formatProtocol(undefined)).toBe('–')
})
