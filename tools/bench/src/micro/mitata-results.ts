/** mitata, but `run` also writes what it measured into the file that RESULTS_VARIABLE names, one line per benchmark. */
import { appendFileSync } from 'node:fs'
import { run as runMitata } from 'mitata'

import { type MicroResult, RESULTS_VARIABLE } from './result.ts'

export * from 'mitata'

interface Measured {
  readonly alias: string
  readonly runs: readonly { readonly name: string; readonly stats?: Stats; readonly error?: unknown }[]
}

/** Nanoseconds. */
interface Stats {
  readonly avg: number
  readonly min: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** In place of mitata's: a name of our own hides the one of `export *`. */
export const run: typeof runMitata = async (options) => {
  const result = await runMitata(options)
  const file = process.env[RESULTS_VARIABLE]
  if (file === undefined) throw new Error(`${RESULTS_VARIABLE} is not set`)
  for (const { runs } of (result as unknown as { readonly benchmarks: readonly Measured[] }).benchmarks) {
    for (const { name, stats, error } of runs) {
      if (stats === undefined) throw new Error(`benchmark '${name}' failed`, { cause: error })
      const { avg, min, p50, p99, max } = stats
      const line: MicroResult = { name, medianNs: p50, meanNs: avg, minNs: min, p99Ns: p99, maxNs: max }
      appendFileSync(file, `${JSON.stringify(line)}\n`)
    }
  }
  return result
}
