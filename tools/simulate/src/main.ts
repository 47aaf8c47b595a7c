/**
 * npm run -s simulate: core and journal on virtual time. One seed shows its history; many say which of them fail, as for a
 * night's run.
 */
import { parseArgs } from 'node:util'

import { simulate, type SimulationCounts, VARIANTS } from '@ternmq/testkit/simulation'

const SEEDS_DEFAULT = 1_000
const FAILURES_TOLD_MAX = 20

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    variant: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

// What nobody waits for must not get lost: it ends the run with its seed.
let seedNow = 0
process.on('unhandledRejection', (error) => {
  process.stdout.write(`seed ${seedNow}: nobody took care of ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})

const { seed, variant } = values
if (values.help === true) process.stdout.write(help())
else if (variant !== undefined && !(variant in VARIANTS)) {
  process.stdout.write(`there is no variant '${variant}': ${Object.keys(VARIANTS).join(', ')}\n`)
  process.exitCode = 2
} else if (seed === undefined)
  await runMany(wholeNumber('--from', values.from), wholeNumber('--seeds', values.seeds ?? `${SEEDS_DEFAULT}`))
else await runOne(wholeNumber('--seed', seed))

/** Shows everything that happens. */
async function runOne(number: number): Promise<void> {
  seedNow = number
  try {
    const counts = await simulate({ seed: number, variant, onLine: (line) => process.stdout.write(`${line}\n`) })
    process.stdout.write(`seed ${number}: nothing is wrong; ${textOf(counts)}\n`)
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

async function runMany(from: number, count: number): Promise<void> {
  const startedMs = performance.now()
  const total: Record<string, number> = {}
  let failures = 0
  for (seedNow = from; seedNow < from + count; seedNow++) {
    try {
      const counts = await simulate({ seed: seedNow, variant })
      for (const [name, number] of Object.entries(counts)) total[name] = (total[name] ?? 0) + (number as number)
    } catch (error) {
      if (++failures <= FAILURES_TOLD_MAX) process.stdout.write(`${(error as Error).message}\n`)
    }
  }
  const seconds = (performance.now() - startedMs) / 1_000
  process.stdout.write(`${count} seeds in ${seconds.toFixed(1)} s, ${failures} failed; ${textOf(total)}\n`)
  if (failures > 0) process.exitCode = 1
}

function textOf(counts: SimulationCounts | Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ')
}

function help(): string {
  return `Usage: npm run -s simulate -- [OPTION…]

  --seed N         runs this seed and prints its history
  --seeds N        runs so many and prints those that fail; ${SEEDS_DEFAULT} when neither is given
  --from N         first of the many. Default 1
  --variant NAME   breaks the broker: ${Object.keys(VARIANTS).join(', ')}
Exit code 1 when something was wrong.
`
}

/** Throws for anything else. */
function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${option} ${text}: must be a whole number`)
  return Number(text)
}
