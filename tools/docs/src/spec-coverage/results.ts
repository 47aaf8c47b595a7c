/** What became of each test, from the JSON reports of vitest. */
import { isAbsolute, relative, sep } from 'node:path'

export type Outcome = 'passed' | 'failed' | 'skipped'

export interface TestResult {
  /** Relative to the repository, with `/`. */
  readonly file: string
  /** Titles of the enclosing describes and of the test itself. */
  readonly title: string
  readonly outcome: Outcome
}

/**
 * Reads one report (`vitest run --reporter=json`). Throws when it is none, when it was made in another checkout than
 * `root`, and when a test file could not be loaded: what its tests claim is unknown then.
 */
export function readResults(report: unknown, root: string): TestResult[] {
  const files = field(report, 'testResults')
  if (!Array.isArray(files)) throw new Error('this is no report of vitest: it has no "testResults"')
  return files.flatMap((entry: unknown) => {
    const file = pathIn(root, text(field(entry, 'name')))
    const tests = field(entry, 'assertionResults')
    if (!Array.isArray(tests) || (tests.length === 0 && field(entry, 'status') === 'failed')) {
      throw new Error(`${file} could not be loaded: repair it, then run the tests again`)
    }
    return tests.map((test: unknown) => ({
      file,
      title: text(field(test, 'fullName')),
      outcome: outcomeOf(field(test, 'status')),
    }))
  })
}

function pathIn(root: string, file: string): string {
  const path = relative(root, file)
  if (path.startsWith('..') || isAbsolute(path)) {
    throw new Error(`${file} is not in ${root}: the report was made in another checkout; make it here`)
  }
  return path.split(sep).join('/')
}

/** Whatever was not run to its end counts as skipped: pending, todo, disabled. */
function outcomeOf(status: unknown): Outcome {
  return status === 'passed' || status === 'failed' ? status : 'skipped'
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('this is no report of vitest: a file or a test in it has no name')
  return value
}
