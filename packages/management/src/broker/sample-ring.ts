/** The samples of the last minutes as columns of numbers: what ten minutes of charts cost is known, and nothing is made for the collector. */
import type { OverviewSample } from '@ternmq/api'

/** One a second for ten minutes; beyond it the oldest goes. */
export const SAMPLES_MAX = 600

/** What the charts have, and what only alarms look at. */
export interface Sample extends OverviewSample {
  /** Since the start. */
  readonly deadLettered: number
}

/** In the order in which `SampleRing` reads them back; NaN is what was not known. */
const COLUMNS: ReadonlyArray<(sample: Sample) => number | undefined> = [
  ({ atMs }) => atMs,
  ({ rates }) => rates?.inPerSecond,
  ({ rates }) => rates?.outPerSecond,
  ({ rates }) => rates?.settledPerSecond,
  ({ rates }) => rates?.bytesInPerSecond,
  ({ rates }) => rates?.bytesOutPerSecond,
  ({ readyCount }) => readyCount,
  ({ inflightCount }) => inflightCount,
  ({ connections }) => connections,
  ({ rssBytes }) => rssBytes,
  ({ cpuShare }) => cpuShare,
  ({ deadLettered }) => deadLettered,
]
const WIDTH = COLUMNS.length
const DEAD_LETTERED = WIDTH - 1

export class SampleRing {
  readonly #values: Float64Array = new Float64Array(SAMPLES_MAX * WIDTH)
  #cameCount = 0

  get size(): number {
    return Math.min(this.#cameCount, SAMPLES_MAX)
  }

  push(sample: Sample): void {
    const start = startOf(this.#cameCount++)
    for (let column = 0; column < WIDTH; column++) this.#values[start + column] = COLUMNS[column]!(sample) ?? NaN
  }

  /** Oldest first. */
  all(): OverviewSample[] {
    return Array.from({ length: this.size }, (_, index) => this.#at(this.#cameCount - this.size + index))
  }

  /** Undefined before the first. */
  get latest(): OverviewSample | undefined {
    return this.#cameCount === 0 ? undefined : this.#at(this.#cameCount - 1)
  }

  /** Dead-lettered between the first sample not older than `fromMs` and the last one. */
  deadLetteredSince(fromMs: number): number {
    let first = this.#cameCount
    while (first > this.#cameCount - this.size && this.#values[startOf(first - 1)]! >= fromMs) first--
    if (first >= this.#cameCount) return 0
    return this.#values[startOf(this.#cameCount - 1) + DEAD_LETTERED]! - this.#values[startOf(first) + DEAD_LETTERED]!
  }

  #at(number: number): OverviewSample {
    const start = startOf(number)
    const column = (index: number): number => this.#values[start + index]!
    const [inPerSecond, cpuShare] = [column(1), column(10)]
    return {
      atMs: column(0),
      ...(!Number.isNaN(inPerSecond) && {
        rates: {
          inPerSecond,
          outPerSecond: column(2),
          settledPerSecond: column(3),
          bytesInPerSecond: column(4),
          bytesOutPerSecond: column(5),
        },
      }),
      readyCount: column(6),
      inflightCount: column(7),
      connections: column(8),
      rssBytes: column(9),
      ...(!Number.isNaN(cpuShare) && { cpuShare }),
    }
  }
}

function startOf(number: number): number {
  return (number % SAMPLES_MAX) * WIDTH
}
