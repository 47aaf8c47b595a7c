/** run-jasmine.mjs with specs of our own, which pass and fail in all the ways of the outside suite. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { parseResults, type TestResult } from '../src/result.ts'

const FILES = {
  'library.js': "exports.Stomp = { name: 'the older interface' }",
  'helpers/double.js': 'double = (value) => value * 2', // a global, as those of the outside suite are
  'unit/deeper/sample.spec.js': `
    describe('sample', () => {
      it('passes', () => {
        expect(double(TEST.number)).toBe(42)
        expect(StompJs.Stomp).toBe(Stomp)
        expect(typeof WebSocket).toBe('function')
      })
      it('fails', () => {
        expect(1).toBe(2)
        expect(2).toBe(3)
      })
      it('throws', () => {
        throw new RangeError('too far\\nsecond line')
      })
      it('never calls back', (done) => {})
      it('is put off', () => pending('another time'))
      it('is left out', () => expect(1).toBe(2))
    })`,
}

let scratch: string

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ternmq-conformance-test-'))
  for (const [name, text] of Object.entries(FILES)) {
    const path = join(scratch, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
})

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

function run(chosen: { readonly only: readonly string[]; readonly skip: readonly string[] }): TestResult[] {
  const options = {
    folder: scratch,
    library: join(scratch, 'library.js'),
    globals: { TEST: { number: 21 } },
    results: join(scratch, 'results.jsonl'),
    seconds: 0.2,
    ...chosen,
  }
  const program = join(import.meta.dirname, '..', 'src', 'run-jasmine.mjs')
  const done = spawnSync(process.execPath, [program, JSON.stringify(options)], { encoding: 'utf8' })
  expect(done).toMatchObject({ status: 0, stdout: '', stderr: '' })
  return parseResults(readFileSync(options.results, 'utf8'))
}

test('every spec that was not left out has a result, with the first thing that went wrong', () => {
  const results = run({ only: [], skip: ['sample is left out'] })
  expect(results.map(({ script, name, outcome, problem }) => [script, name, outcome, problem])).toEqual([
    ['sample.spec.js', 'sample passes', 'passed', ''],
    ['sample.spec.js', 'sample fails', 'failed', 'Expected 1 to be 2.'],
    ['sample.spec.js', 'sample throws', 'failed', 'RangeError: too far'],
    ['sample.spec.js', 'sample never calls back', 'failed', expect.stringContaining('did not complete within 200ms')],
    ['sample.spec.js', 'sample is put off', 'skipped', 'another time'],
  ])
})

test('a spec can be run alone', () => {
  expect(run({ only: ['sample passes'], skip: [] })).toEqual([
    expect.objectContaining({ name: 'sample passes', outcome: 'passed' }),
  ])
})
