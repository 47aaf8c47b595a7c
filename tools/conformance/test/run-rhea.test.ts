/** run-rhea.mjs with tests and programs of our own, which pass and fail in all the ways of the outside suite. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { parseResults, type TestResult } from '../src/result.ts'

const TESTS = `
  const { fork } = require('node:child_process')
  const { join } = require('node:path')
  function ends(done, code) {
    fork(join(__dirname, 'program.js'), [], { silent: true }).on('exit', (ended) => {
      if (ended !== code) throw new Error('ended with ' + ended + '\\nsecond line')
      done()
    })
  }
  describe('brokered examples', function () {
    this.slow(500)
    it('passes', function (done) { this.slow(1); ends(done, 7) })
    it('throws within an event', (done) => ends(done, 8))
    it('is never over', (done) => {})
    it('is left out', (done) => ends(done, 8))
  })
  describe('direct examples', () => {
    it('is not asked for', (done) => done())
  })`
/** Ends with 7 when what the examples need is there, and port 5672 is another one. */
const PROGRAM = `
  require('minimist'); require('ws'); require('debug'); require('rhea/lib.js')
  const isOld = require('node:util').isArray([])
  require('node:net').connect(5672, 'localhost').on('error', ({ port }) => process.exit(isOld && port === 1 ? 7 : 8))`

let scratch: string

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ternmq-conformance-test-'))
  mkdirSync(join(scratch, 'examples'))
  writeFileSync(join(scratch, 'lib.js'), '')
  writeFileSync(join(scratch, 'examples', 'test_examples.js'), TESTS)
  writeFileSync(join(scratch, 'examples', 'program.js'), PROGRAM)
})

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

type Told = readonly [name: string, outcome: string, problem: string]

function run(chosen: { readonly only: readonly string[]; readonly skip: readonly string[] }, seconds: number): Told[] {
  const results = join(scratch, 'results.jsonl')
  const options = {
    folder: scratch,
    part: 'examples/test_examples.js',
    ports: { amqp: 1, ws: 2 }, // nobody listens there
    user: ['guest', 'guest'],
    results,
    seconds,
    ...chosen,
  }
  const program = join(import.meta.dirname, '..', 'src', 'run-rhea.mjs')
  const done = spawnSync(process.execPath, [program, JSON.stringify(options)], { encoding: 'utf8' })
  expect(done).toMatchObject({ status: 0, stdout: '', stderr: '' })
  return parseResults(readFileSync(results, 'utf8')).map(
    ({ name, outcome, problem }: TestResult) => [name, outcome, problem] as const,
  )
}

test('what passes and fails is told; what is left out, and tests without a broker, are not run', () => {
  expect(run({ only: [], skip: ['is left out', 'is never over'] }, 60)).toEqual([
    ['passes', 'passed', ''],
    ['throws within an event', 'failed', 'ended with 7'],
  ])
})

test('what hangs is told after its time', () => {
  expect(run({ only: ['is never over'], skip: [] }, 0.2)).toEqual([['is never over', 'failed', 'not over after 0.2 s']])
})
