/** What a chart draws, as columns. */

/** Samples come each second; further apart than this, nobody looked in between. */
const GAP_MS = 5_000

/** Moments in seconds, then the values of each series; null: nothing is drawn. */
export type ChartData = [atSeconds: number[], ...values: Array<Array<number | null>>]

/**
 * No line goes through a time of which nothing is known: there stands a moment without values. So it does before a moment that is alone, for
 * which uPlot would have an axis of a whole day. `atMs` ascends.
 */
export function chartData(
  atMs: readonly number[],
  series: ReadonlyArray<ReadonlyArray<number | undefined>>,
): ChartData {
  const atSeconds: number[] = []
  const columns = series.map((): Array<number | null> => [])
  const put = (ms: number, valueOf: (values: ReadonlyArray<number | undefined>) => number | undefined): void => {
    atSeconds.push(ms / 1_000)
    series.forEach((values, index) => columns[index]!.push(valueOf(values) ?? null))
  }
  if (atMs.length === 1) put(atMs[0]! - 1_000, () => undefined)
  atMs.forEach((ms, index) => {
    const before = atMs[index - 1] ?? ms
    if (ms - before > GAP_MS) put((before + ms) / 2, () => undefined)
    put(ms, (values) => values[index])
  })
  return [atSeconds, ...columns]
}
