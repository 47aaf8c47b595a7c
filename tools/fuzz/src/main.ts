/** npm run -s fuzz -- NAME: runs fuzzers for as long as one likes; what they find goes into the corpus. */
import { type Fuzzer, FuzzFailure } from '@ternmq/mqtt/fuzzers'
import { parseArgs } from 'node:util'

import { type Budget, type Progress, runBatches } from './batches.ts'
import { keepInCorpus } from './corpus.ts'
import { FUZZERS, fuzzerNamed } from './fuzzers.ts'
import { HEAP_GROWTH_BYTES_MAX, heapInUse } from './heap.ts'
import { shorten } from './shorten.ts'

const HELP = `Usage: npm run -s fuzz -- NAME|all [OPTION…]

${FUZZERS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join('\n')}

  --iterations N   inputs to try; 100000 when neither this nor --seconds is given
  --seconds N      stop after so long
  --seed S         of the first batch; the same seed tries the same inputs. Default 1
  --dry            do not keep what is found in the corpus
Exit code 1 when something was found.
`
const ITERATIONS_DEFAULT = 100_000
const TELL_EVERY_SECONDS = 10

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    iterations: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    dry: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})
const [name] = positionals
if (values.help === true || name === undefined) {
  process.stdout.write(HELP)
  process.exitCode = values.help === true ? 0 : 2
} else {
  const fuzzers = name === 'all' ? FUZZERS : [fuzzerNamed(name)]
  const seconds = values.seconds === undefined ? Infinity : wholeNumber('--seconds', values.seconds)
  const iterations =
    values.iterations === undefined
      ? seconds === Infinity
        ? ITERATIONS_DEFAULT
        : Infinity
      : wholeNumber('--iterations', values.iterations)
  const budget = { seed: wholeNumber('--seed', values.seed), iterations, seconds }
  for (const fuzzer of fuzzers) if (!(await runOne(fuzzer, budget, values.dry))) process.exitCode = 1
}

/** False when it found something. */
async function runOne(fuzzer: Fuzzer, budget: Budget, dry: boolean): Promise<boolean> {
  process.stdout.write(`${fuzzer.name}: ${fuzzer.what}\n`)
  let toldAt = 0
  let heapAtFirst: number | undefined = undefined
  try {
    const progress = await runBatches(fuzzer, budget, (now) => {
      // The first batch has filled caches and made code.
      heapAtFirst ??= heapInUse()
      if (now.seconds - toldAt < TELL_EVERY_SECONDS) return
      toldAt = now.seconds
      process.stdout.write(`  ${lineOf(now)}\n`)
    })
    const growth = heapInUse() - (heapAtFirst ?? 0)
    process.stdout.write(`  ${lineOf(progress)}, heap grew by ${Math.round(growth / 1024)} KiB\n`)
    if (growth <= HEAP_GROWTH_BYTES_MAX) return true
    process.stdout.write(`  FOUND growth: ${growth} bytes more than after the first batch are in use\n`)
    return false
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error
    await tellFailure(fuzzer, error, dry)
    return false
  }
}

async function tellFailure(fuzzer: Fuzzer, failure: FuzzFailure, dry: boolean): Promise<void> {
  process.stdout.write(`  FOUND ${failure.message}\n${failure.cause instanceof Error ? failure.cause.stack : ''}\n`)
  const input = await shorten(fuzzer, failure.input)
  process.stdout.write(`  an input that shows it:\n${input}`)
  if (dry) return
  const file = keepInCorpus(fuzzer.name, `found-${failure.seed}-${failure.step}`, failure.message, input)
  process.stdout.write(`  kept as ${file}: give it a name, and the fix a test\n`)
}

function lineOf({ iterations, seconds, tally }: Progress): string {
  const counts = Object.entries(tally).map(([what, count]) => `${count} ${what}`)
  return `${iterations} inputs in ${seconds.toFixed(1)} s: ${counts.join(', ')}`
}

/** Throws for anything else. */
function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${option} ${text}: must be a whole number`)
  return Number(text)
}
