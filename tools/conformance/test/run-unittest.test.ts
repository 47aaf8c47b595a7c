/** run-unittest.py with a script of our own, which passes and fails in all the ways of the outside suite. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { parseResults, type TestResult } from '../src/result.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0

let folder: string
let results: ReadonlyMap<string, TestResult>

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ternmq-conformance-test-'))
  if (!hasPython) return
  const options = {
    script: join(import.meta.dirname, 'sample-suite.py'),
    arguments: ['--hostname', '127.0.0.1', '--port', '1234'],
    results: join(folder, 'results.jsonl'),
    only: [],
    skip: ['test_left_out'],
    seconds: 1,
  }
  const program = join(import.meta.dirname, '..', 'src', 'run-unittest.py')
  const done = spawnSync('python3', ['-B', program, JSON.stringify(options)], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  results = new Map(parseResults(readFileSync(options.results, 'utf8')).map((result) => [result.name, result]))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test.skipIf(!hasPython)('every test that was not left out has a result', () => {
  expect([...results.keys()].sort()).toEqual([
    'test_fails',
    'test_hangs',
    'test_passes',
    'test_returns_false',
    'test_returns_true',
  ])
})

test.skipIf(!hasPython)('the script gets its arguments', () => {
  expect(results.get('test_passes')).toMatchObject({ outcome: 'passed', problem: '' })
  expect(results.get('test_returns_true')).toMatchObject({ outcome: 'passed' })
})

test.skipIf(!hasPython)('a failed assertion is told', () => {
  expect(results.get('test_fails')).toMatchObject({ outcome: 'failed', problem: 'AssertionError: 1 != 2' })
})

test.skipIf(!hasPython)('a test that returns False has failed with what it printed', () => {
  expect(results.get('test_returns_false')).toMatchObject({ outcome: 'failed', problem: 'ValueError: the cause' })
})

test.skipIf(!hasPython)('a test that hangs has failed in its time, even when it catches what interrupts it', () => {
  expect(results.get('test_hangs')).toMatchObject({ outcome: 'failed', problem: 'TooLong: the test took too long' })
})
