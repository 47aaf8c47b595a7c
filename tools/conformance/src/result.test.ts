import { expect, test } from 'vitest'

import { parseResults } from './result.ts'

const line = (fields: object): string =>
  JSON.stringify({ name: 'test_a', outcome: 'passed', seconds: 1.2, problem: '', ...fields })

test('there is one result per line', () => {
  const results = parseResults(
    `${line({})}\n${line({ name: 'test_b', outcome: 'failed', problem: 'AssertionError: no' })}\n`,
  )
  expect(results.map(({ name, outcome, problem }) => [name, outcome, problem])).toEqual([
    ['test_a', 'passed', ''],
    ['test_b', 'failed', 'AssertionError: no'],
  ])
})

test('what differs from run to run and from machine to machine is left out of problems', () => {
  const problem = 'Error: <Publish object at 0x7f4588b8c680> from 127.0.0.1:40123 in /some/where/client.py'
  expect(parseResults(line({ outcome: 'failed', problem }))[0]?.problem).toBe(
    'Error: <Publish object> from 127.0.0.1 in client.py',
  )
})

test.each([{ outcome: 'fine' }, { seconds: '1' }, { name: undefined }])('%o is no result', (fields) => {
  expect(() => parseResults(line(fields))).toThrow('not the result of a test')
})
