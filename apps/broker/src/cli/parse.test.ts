import { expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { command } from './command.ts'
import { durationMs, listed, pair, parseCommand, wholeNumber } from './parse.ts'

const copy = command({
  verb: 'copy',
  args: 'FROM TO [ID…]',
  summary: 'copies',
  json: 'document',
  asks: 'config',
  options: {
    how: { type: 'string', choices: ['fast', 'slow'], summary: 'how' },
    tag: { type: 'string', multiple: true, summary: 'tags' },
    query: { type: 'string', short: 'q', summary: 'which' },
    sort: { type: 'string', dashed: true, summary: 'order' },
  },
  run: () => 0,
})

test('arguments and options are told apart, wherever they stand', () => {
  const given = [
    '--how',
    'fast',
    'a',
    '--tag',
    'x',
    'b',
    '--tag=y',
    '-q',
    'z',
    '1',
    '2',
    '--json',
    '--set',
    'k=v',
    '--',
    '-3',
  ]
  expect(parseCommand(given, copy, 'things copy')).toEqual({
    args: ['a', 'b', '1', '2', '-3'],
    values: { how: 'fast', tag: ['x', 'y'], query: 'z', json: true, set: ['k=v'] },
  })
})

test('a value may begin with a dash where that has a meaning', () => {
  expect(parseCommand(['a', 'b', '--sort', '-size', '-q', 'x'], copy, 'w').values).toEqual({
    sort: '-size',
    query: 'x',
  })
  expect(() => parseCommand(['a', 'b', '--how', '-x'], copy, 'w')).toThrow("option '--how' argument is ambiguous")
})

test.each([
  [[], '`things copy` needs FROM'],
  [['a'], '`things copy` needs TO'],
  [
    ['a', 'b', '--nope'],
    "unknown option '--nope'; settings are given as --set KEY=VALUE: --set listeners.mqtt.port=1884",
  ],
  [['a', 'b', '--how'], '--how needs a value: HOW'],
  [['a', 'b', '--sort'], '--sort needs a value: SORT'],
  [['a', 'b', '--sotr', 'x'], "unknown option '--sotr'; did you mean --sort?"],
  [['a', 'b', '--how', 'well'], "--how is 'well'; it is one of fast, slow"],
  [['a', 'b', '--dat-dir', 'd'], "unknown option '--dat-dir'; did you mean --data-dir?"],
])('%j is not understood, and the sentence says why', (given, sentence) => {
  expect(() => parseCommand(given, copy, 'things copy')).toThrow(new UsageError(sentence))
})

test('options of commands that ask a broker are none of others, and those others have no settings', () => {
  const local = command({ verb: '', args: '', summary: 's', asks: 'nothing', run: () => 0 })
  expect(() => parseCommand(['--url', 'http://h'], local, 'w')).toThrow(new UsageError("unknown option '--url'"))
})

test('too many arguments are refused where their number is fixed', () => {
  const one = command({ verb: '', args: '[NAME]', summary: 's', asks: 'nothing', run: () => 0 })
  expect(parseCommand([], one, 'one').args).toEqual([])
  expect(() => parseCommand(['a', 'b'], one, 'one')).toThrow(new UsageError("'b' is one argument too many"))
  const none = command({ verb: '', args: '', summary: 's', asks: 'nothing', run: () => 0 })
  expect(() => parseCommand(['mqtt'], none, 'none')).toThrow("'mqtt' is one argument too many: `none` takes none")
  const list = command({ ...none, asks: 'nothing', options: { query: { type: 'string', summary: 's' } } })
  expect(() => parseCommand(['mqtt'], list, 'list')).toThrow('too many; `list --query mqtt` looks for that text')
})

test('who asks for help need not be right in all else', () => {
  expect(parseCommand(['--help'], copy, 'things copy').values).toMatchObject({ help: true })
  expect(parseCommand(['-h', '--how', 'well'], copy, 'things copy').values).toMatchObject({ help: true })
})

test.each([
  ['250ms', 250],
  ['30', 30_000],
  ['30s', 30_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('%s is a time', (text, ms) => expect(durationMs('wait', text)).toBe(ms))

test.each(['', '5 m', '-1', '1w', '1.5h'])('%j is no time', (text) => {
  expect(() => durationMs('wait', text)).toThrow(`--wait is '${text}'; it is a time such as`)
})

test.each(['0', '-1', '1.5', 'x', ''])('%j is no whole number from 1', (text) => {
  expect(() => wholeNumber('limit', text)).toThrow(`--limit is '${text}'; it is a whole number from 1`)
  expect(wholeNumber('limit', '12')).toBe(12)
})

test('a pair has a key, and its value may have more of =', () => {
  expect(pair('a=b=c', 'header')).toEqual(['a', 'b=c'])
  expect(() => pair('=b', 'header')).toThrow("'=b' is no header; it is written KEY=VALUE")
})

test('lists are given with commas, several times, or both', () => {
  expect(listed(['a,b', 'c', ''])).toEqual(['a', 'b', 'c'])
  expect(listed(undefined)).toBeUndefined()
})
