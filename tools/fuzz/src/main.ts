/** npm run -s fuzz -- NAME: runs fuzzers for as long as one likes; what they find goes into the corpus. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { Coverage, type FileCoverage } from './coverage.ts'

const ITERATIONS_DEFAULT = 100_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    iterations: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    dry: { type: 'boolean', default: false },
    coverage: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
// Counts from here on: what is fuzzed must not be loaded before.
const coverage = values.coverage === undefined ? undefined : await Coverage.start()
const { listFuzzers, runFuzzers } = await import('./command.ts')

const [name] = positionals
if (values.help === true || name === undefined) {
  process.stdout.write(help())
  process.exitCode = values.help === true ? 0 : 2
} else {
  const seconds = values.seconds === undefined ? Infinity : wholeNumber('--seconds', values.seconds)
  const iterations = values.iterations === undefined ? Infinity : wholeNumber('--iterations', values.iterations)
  const isUnbounded = seconds === Infinity && iterations === Infinity
  const budget = {
    seed: wholeNumber('--seed', values.seed),
    iterations: isUnbounded ? ITERATIONS_DEFAULT : iterations,
    seconds,
  }
  if (!(await runFuzzers(name, budget, values.dry))) process.exitCode = 1
  if (coverage !== undefined) tellCoverage(await coverage.take(resolve(values.coverage!)))
}

function help(): string {
  return `Usage: npm run -s fuzz -- NAME|all [OPTION…]

${listFuzzers()}
  --iterations N   inputs to try; ${ITERATIONS_DEFAULT} when neither this nor --seconds is given
  --seconds N      stop after so long
  --seed S         of the first batch; the same seed tries the same inputs. Default 1
  --dry            do not keep what is found in the corpus
  --coverage DIR   say which lines of the sources under DIR were reached (slower)
Exit code 1 when something was found.
`
}

function tellCoverage(files: readonly FileCoverage[]): void {
  for (const { file, lines, missed } of files) {
    process.stdout.write(
      `  ${file}: ${lines - missed.length} of ${lines} lines${missed.length === 0 ? '' : `, not ${missed.join(', ')}`}\n`,
    )
  }
  const lines = files.reduce((sum, file) => sum + file.lines, 0)
  const missed = files.reduce((sum, file) => sum + file.missed.length, 0)
  process.stdout.write(`  together ${lines - missed} of ${lines} lines, ${((1 - missed / lines) * 100).toFixed(1)} %\n`)
}

/** Throws for anything else. */
function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${option} ${text}: must be a whole number`)
  return Number(text)
}
