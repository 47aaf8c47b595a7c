/** One benchmark of a file, in nanoseconds per call. */
export interface MicroResult {
  readonly name: string
  readonly medianNs: number
  readonly meanNs: number
  readonly minNs: number
  readonly p99Ns: number
  readonly maxNs: number
}

/** Names the file that results go to. */
export const RESULTS_VARIABLE = 'TERNMQ_BENCH_RESULTS'
