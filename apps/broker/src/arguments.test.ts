import { expect, test } from 'vitest'

import { CONFIG_OPTIONS, loadOptionsOf, parse } from './arguments.ts'
import { UsageError } from './errors.ts'

const io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: { TERNMQ_X: '1' }, started: { command: 'ternmq', options: '', sets: '' } }

test('options become what the configuration is loaded with', () => {
  const { values } = parse(
    ['--config', 'f.yaml', '--set', 'a=1', '--set=b=2', '--data-dir', 'd'],
    { ...CONFIG_OPTIONS },
    0,
  )
  expect(loadOptionsOf(values, io)).toEqual({
    file: 'f.yaml',
    dataDir: 'd',
    sets: ['a=1', 'b=2'],
    env: { TERNMQ_X: '1' },
  })
})

test.each([
  [['--nope'], "unknown option '--nope'"],
  [['--config'], "option '--config <value>' argument missing"],
  [['one', 'two'], "'two' is one argument too many"],
])('%j is not understood, and the sentence says why', (args, sentence) => {
  expect(() => parse(args, { ...CONFIG_OPTIONS }, 1)).toThrow(new UsageError(sentence))
})
