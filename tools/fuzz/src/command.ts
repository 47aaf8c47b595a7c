/** Runs fuzzers within a budget and tells what came of it. */
import { type Fuzzer, FuzzFailure } from '@ternmq/mqtt/fuzzers'

import { type Budget, type Progress, runBatches } from './batches.ts'
import { keepInCorpus } from './corpus.ts'
import { FUZZERS, fuzzerNamed } from './fuzzers.ts'
import { HEAP_GROWTH_BYTES_MAX, heapInUse } from './heap.ts'
import { shorten } from './shorten.ts'

const TELL_EVERY_SECONDS = 10

/** A line for each fuzzer. */
export function listFuzzers(): string {
  return FUZZERS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}\n`).join('')
}

/** `name` or 'all'. False when something was found. `dry` keeps nothing. */
export async function runFuzzers(name: string, budget: Budget, dry: boolean): Promise<boolean> {
  let isClean = true
  for (const fuzzer of name === 'all' ? FUZZERS : [fuzzerNamed(name)])
    isClean = (await runOne(fuzzer, budget, dry)) && isClean
  return isClean
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
