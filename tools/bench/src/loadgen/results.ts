/** What compare.py writes into its log, one line per run, and the medians of it. */

/** One run. Fields are there as the scenario has them; times in µs and s, sizes in MB (2^20). */
export interface RunResult {
  readonly ok: boolean
  readonly error?: string
  readonly expected?: number
  readonly received?: number
  readonly lost?: number
  readonly undelivered?: number
  readonly duplicates?: number
  readonly out_of_order?: number
  readonly receive_rate?: number
  readonly publish_rate?: number
  /** Of a backlog: its two halves. */
  readonly push?: RunResult
  readonly drain?: RunResult
  readonly lat_us?: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number }
  readonly broker_cpu_s?: number
  readonly rss_peak_mb?: number
  readonly rss_settled_mb?: number
  readonly connect_rate?: number
  readonly bytes_per_connection?: number
  /** CPU that others used meanwhile, in cores. */
  readonly other_cores?: number
}

export interface LogLine {
  readonly case: string
  readonly target: string
  readonly round: number
  readonly result: RunResult
}

/** Medians over the rounds of one target in one case that did not fail; undefined where no run has the number. */
export interface Summary {
  readonly target: string
  readonly rounds: number
  readonly failures: readonly string[]
  readonly messagesPerSecond: number | undefined
  /** Of all rounds: how far they were apart. */
  readonly messagesPerSecondMin: number | undefined
  readonly messagesPerSecondMax: number | undefined
  readonly p50Us: number | undefined
  readonly p99Us: number | undefined
  readonly p999Us: number | undefined
  readonly maxUs: number | undefined
  readonly cpuUsPerMessage: number | undefined
  readonly rssMiB: number | undefined
  /** Of a backlog; `messagesPerSecond` is the draining then. */
  readonly pushedPerSecond?: number | undefined
  readonly connectsPerSecond: number | undefined
  readonly bytesPerConnection: number | undefined
  /** Shares of what was expected. */
  readonly lost: number
  readonly undelivered: number
  readonly duplicates: number
  readonly outOfOrder: number
  readonly otherCores: number
}

export function parseLog(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine)
}

export function summarize(target: string, lines: readonly LogLine[]): Summary {
  const results = lines.map(({ result }) => (result.drain === undefined ? result : joined(result, result.drain)))
  const good = results.filter(({ ok }) => ok)
  const of = (pick: (result: RunResult) => number | undefined): number | undefined => median(good.map(pick))
  const rates = good.map(({ receive_rate }) => receive_rate).filter((rate) => rate !== undefined)
  return {
    target,
    rounds: results.length,
    failures: results.filter(({ ok }) => !ok).map(({ error }) => withoutPlaces(error ?? 'failed')),
    messagesPerSecond: of(({ receive_rate }) => receive_rate),
    messagesPerSecondMin: rates.length === 0 ? undefined : Math.min(...rates),
    messagesPerSecondMax: rates.length === 0 ? undefined : Math.max(...rates),
    p50Us: of(({ lat_us }) => lat_us?.p50),
    p99Us: of(({ lat_us }) => lat_us?.p99),
    p999Us: of(({ lat_us }) => lat_us?.p999),
    maxUs: of(({ lat_us }) => lat_us?.max),
    cpuUsPerMessage: of(({ broker_cpu_s, received }) =>
      broker_cpu_s === undefined || !received ? undefined : (broker_cpu_s / received) * 1e6,
    ),
    rssMiB: of(({ rss_peak_mb, rss_settled_mb }) => rss_settled_mb ?? rss_peak_mb),
    pushedPerSecond: of(({ push }) => push?.publish_rate),
    connectsPerSecond: of(({ connect_rate }) => connect_rate),
    bytesPerConnection: of(({ bytes_per_connection }) => bytes_per_connection),
    lost: of(({ lost = 0, expected }) => lost / Math.max(expected ?? 1, 1)) ?? 0,
    undelivered: of(({ undelivered = 0, expected }) => undelivered / Math.max(expected ?? 1, 1)) ?? 0,
    duplicates: of(({ duplicates }) => duplicates) ?? 0,
    outOfOrder: of(({ out_of_order }) => out_of_order) ?? 0,
    otherCores: of(({ other_cores }) => other_cores) ?? 0,
  }
}

/** A backlog as one run: what was drained, how, and the most memory of both halves. */
function joined(result: RunResult, drain: RunResult): RunResult {
  const rss = Math.max(result.push?.rss_peak_mb ?? 0, drain.rss_peak_mb ?? 0)
  return { ...drain, ...result, ...(rss > 0 && { rss_peak_mb: rss }) }
}

/** Middle one, or mean of the two; undefined when there is none. */
export function median(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined).toSorted((first, second) => first - second)
  if (known.length === 0) return undefined
  const half = Math.floor(known.length / 2)
  return known.length % 2 === 1 ? known[half] : (known[half - 1]! + known[half]!) / 2
}

function withoutPlaces(text: string): string {
  return text.replaceAll(/(?<![\w.])\/(?:[\w.-]+\/)+/g, '')
}
