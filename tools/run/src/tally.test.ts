import { describe, expect, test } from 'vitest'
import { finalLine, tallyExit, tallyTurbo, tallyVitest } from './tally.ts'

describe('tallyTurbo', () => {
  test('a task that ended with 0 has passed, any other exit code is a failure', () => {
    const summary = {
      tasks: [
        { taskId: '//#types', execution: { exitCode: 0 } },
        { taskId: '//#lint', execution: { exitCode: 1 } },
      ],
    }
    expect(tallyTurbo(['types', 'lint'], summary)).toEqual([
      { name: 'types', passed: 1, failed: 0, skipped: 0 },
      { name: 'lint', passed: 0, failed: 1, skipped: 0 },
    ])
  })

  test('a task that turbo never ran has failed', () => {
    const failed = [{ name: 'types', passed: 0, failed: 1, skipped: 0 }]
    expect(tallyTurbo(['types'], undefined)).toEqual(failed)
    expect(tallyTurbo(['types'], { tasks: [{ taskId: '//#lint', execution: { exitCode: 0 } }] })).toEqual(failed)
    expect(tallyTurbo(['types'], { tasks: [{ taskId: '//#types' }] })).toEqual(failed)
  })
})

describe('tallyVitest', () => {
  const report = (passed: number, failed: number, pending: number, files: object[] = []): object => ({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults: files,
  })

  test('passed, failed and skipped tests are counted as vitest counts them', () => {
    expect(tallyVitest('unit', report(5, 2, 3), 1)).toEqual({ name: 'unit', passed: 5, failed: 2, skipped: 3 })
  })

  test('a file that cannot be loaded is one failure', () => {
    const files = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ]
    expect(tallyVitest('unit', report(5, 1, 0, files), 1).failed).toBe(2)
  })

  test('a run that ends badly without a failed test is one failure', () => {
    expect(tallyVitest('unit', report(5, 0, 0), 1)).toEqual({ name: 'unit', passed: 5, failed: 1, skipped: 0 })
  })

  test('a run without a report, or without a single test, is one failure', () => {
    expect(tallyVitest('unit', undefined, 0).failed).toBe(1)
    expect(tallyVitest('unit', report(0, 0, 0), 0).failed).toBe(1)
  })
})

test('the final line sums all outcomes', () => {
  const outcomes = [tallyTurbo(['types'], undefined)[0]!, { name: 'unit', passed: 40, failed: 1, skipped: 3 }]
  expect(finalLine(outcomes)).toBe('40 passed, 2 failed, 3 skipped')
})

test('a script that ends well is one check passed, any other is one failed', () => {
  expect(tallyExit('pages', 0)).toEqual({ name: 'pages', passed: 1, failed: 0, skipped: 0 })
  expect(tallyExit('pages', 1)).toEqual({ name: 'pages', passed: 0, failed: 1, skipped: 0 })
})
