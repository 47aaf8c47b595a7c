/** Counts what passed, failed and was skipped, from the reports of turbo and vitest. Pure: main.ts runs the programs. */

export interface Outcome {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What a program wrote about its run; undefined when it wrote nothing readable. */
export type Report = unknown

/** One outcome per task of a `turbo run --summarize`. A task the summary does not mention has failed: turbo stopped before it. */
export function tallyTurbo(tasks: readonly string[], summary: Report): Outcome[] {
  const ended = list(field(summary, 'tasks'))
  return tasks.map((name) => {
    const task = ended.find((candidate) => field(candidate, 'taskId') === `//#${name}`)
    const passed = field(field(task, 'execution'), 'exitCode') === 0
    return { name, passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 }
  })
}

/**
 * The outcome of one `vitest run --reporter=json`. A file that could not be loaded is one failure, and so is a run that
 * ended badly without a failed test: no report, an unhandled rejection, no test found.
 */
export function tallyVitest(name: string, report: Report, exitCode: number): Outcome {
  const passed = count(report, 'numPassedTests')
  const skipped = count(report, 'numPendingTests') + count(report, 'numTodoTests')
  const unloadable = list(field(report, 'testResults')).filter(
    (file) => field(file, 'status') === 'failed' && list(field(file, 'assertionResults')).length === 0,
  )
  const failed = count(report, 'numFailedTests') + unloadable.length
  const endedBadly = exitCode !== 0 || passed + failed + skipped === 0
  return { name, passed, failed: failed === 0 && endedBadly ? 1 : failed, skipped }
}

/** A program that checks one thing. */
export function tallyExit(name: string, exitCode: number): Outcome {
  return { name, passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 }
}

/** The last line of `npm test` and `npm run check`. */
export function finalLine(outcomes: readonly Outcome[]): string {
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0)
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function count(value: unknown, key: string): number {
  const found = field(value, key)
  return typeof found === 'number' ? found : 0
}
