/** Runs a fuzzer for long: in batches, each with a seed of its own, so that a find needs one batch to be seen again. */
import type { Fuzzer, FuzzTally } from '@ternmq/mqtt/fuzzers'

export interface Budget {
  readonly seed: number
  readonly iterations: number
  /** Ends earlier when this is over; Infinity for never. */
  readonly seconds: number
}

export interface Progress {
  readonly iterations: number
  readonly seconds: number
  readonly tally: FuzzTally
}

const BATCH_ITERATIONS = 250

/** Throws FuzzFailure as the fuzzer does. `nowMs` is a clock that only goes forward. */
export async function runBatches(
  fuzzer: Fuzzer,
  budget: Budget,
  onProgress: (progress: Progress) => void = () => undefined,
  nowMs: () => number = () => performance.now(),
): Promise<Progress> {
  const startMs = nowMs()
  const tally: Record<string, number> = {}
  let iterations = 0
  const progress = (): Progress => ({ iterations, seconds: (nowMs() - startMs) / 1_000, tally })
  for (let seed = budget.seed; iterations < budget.iterations && progress().seconds < budget.seconds; seed++) {
    const count = Math.min(BATCH_ITERATIONS, budget.iterations - iterations)
    for (const [what, times] of Object.entries(await fuzzer.run(seed, count))) tally[what] = (tally[what] ?? 0) + times
    iterations += count
    onProgress(progress())
  }
  return progress()
}
