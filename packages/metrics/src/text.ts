/** A snapshot as Prometheus reads it: the text format, version 0.0.4. */
import { BusiestDestinations } from './busiest.ts'
import type { ChosenDestination, ChosenSnapshot, DestinationNumbers, MetricsSnapshot } from './snapshot.ts'
import { type HistogramSample, type Metric, METRICS } from './table.ts'

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class MetricsText {
  readonly #busiest: BusiestDestinations
  #underWay: Promise<string> | undefined = undefined

  /** `destinationsMax` get lines of their own, all others one together. */
  constructor(destinationsMax?: number) {
    this.#busiest = new BusiestDestinations(destinationsMax)
  }

  /**
   * The whole answer to a scrape, ending with a line break. It pauses while it looks at very many destinations, so that others have their
   * turn: numbers of one destination are of one moment, those of two need not be. Whoever asks meanwhile gets the same answer.
   */
  render(snapshot: () => MetricsSnapshot, pause: () => Promise<void>): Promise<string> {
    this.#underWay ??= this.#render(snapshot(), pause).finally(() => (this.#underWay = undefined))
    return this.#underWay
  }

  async #render(snapshot: MetricsSnapshot, pause: () => Promise<void>): Promise<string> {
    const pieces = this.#busiest.select(snapshot.destinations)
    for (;;) {
      const piece = pieces.next()
      if (piece.done === true) return textOf({ ...snapshot, destinations: await withAges(snapshot, piece.value) })
      await pause()
    }
  }
}

async function withAges(
  { oldestAgesMs }: MetricsSnapshot,
  destinations: readonly DestinationNumbers[],
): Promise<ChosenDestination[]> {
  const ages = await oldestAgesMs(destinations.map(({ name }) => name))
  return destinations.map((numbers, index) => ({ ...numbers, oldestAgeMs: ages[index] }))
}

function textOf(chosen: ChosenSnapshot): string {
  let text = ''
  for (const metric of METRICS) {
    const lines =
      metric.type === 'histogram'
        ? histogramLines(metric.name, metric.sample(chosen))
        : simpleLines(metric, metric.samples(chosen))
    if (lines !== '')
      text += `# HELP ${metric.name} ${escapeHelp(metric.help)}\n# TYPE ${metric.name} ${metric.type}\n${lines}`
  }
  return text
}

function simpleLines(
  { name, labels }: Metric,
  samples: readonly { readonly labels: readonly string[]; readonly value: number }[],
): string {
  let text = ''
  for (const sample of samples) {
    const pairs = labels.map((label, index) => `${label}="${escapeLabel(sample.labels[index] ?? '')}"`)
    text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(sample.value)}\n`
  }
  return text
}

function histogramLines(name: string, sample: HistogramSample | undefined): string {
  if (sample === undefined) return ''
  const { bounds, counts, sum } = sample
  let text = ''
  let count = 0
  for (let index = 0; index <= bounds.length; index++) {
    count += counts[index] ?? 0
    text += `${name}_bucket{le="${numberText(bounds[index] ?? Infinity)}"} ${count}\n`
  }
  return `${text}${name}_sum ${numberText(sum)}\n${name}_count ${count}\n`
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** Names are what clients chose. */
function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
