/** Results of an outside suite as run-unittest.py and run-jasmine.mjs write them. */

export interface TestResult {
  /** File that it stands in, where a run has several. */
  readonly script?: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly seconds: number
  /** What went wrong, in one line; '' when nothing did. */
  readonly problem: string
}

export interface ScriptResult extends TestResult {
  readonly script: string
}

/** One JSON object per line. Throws Error for a line that is none. */
export function parseResults(text: string): TestResult[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const value: unknown = JSON.parse(line)
      if (!isTestResult(value)) throw new Error(`not the result of a test: ${line}`)
      return { ...value, problem: withoutPlaces(value.problem) }
    })
}

function isTestResult(value: unknown): value is TestResult {
  if (typeof value !== 'object' || value === null) return false
  const { script, name, outcome, seconds, problem } = value as Partial<Record<keyof TestResult, unknown>>
  return (
    (script === undefined || typeof script === 'string') &&
    typeof name === 'string' &&
    (outcome === 'passed' || outcome === 'failed' || outcome === 'skipped') &&
    typeof seconds === 'number' &&
    typeof problem === 'string'
  )
}

/** Object addresses and ports differ from run to run, and folders belong to a machine. */
function withoutPlaces(problem: string): string {
  return problem
    .replaceAll(/ at 0x[0-9a-f]+/g, '')
    .replaceAll(/(?<![\w.])\/(?:[\w.-]+\/)+/g, '')
    .replaceAll(/\b127\.0\.0\.1[:,] ?\d+/g, '127.0.0.1')
}
