/**
 * What messages cost more while somebody watches, and with permissions: CPU of the broker per message, in pairs of rounds that follow one
 * another, with and without.
 */
import { deletePermission, getOverview, putPermission, watchStream } from '@ternmq/api'
import { BrokerProcess } from '@ternmq/lab'

import { Traffic } from '../traffic.ts'
import { BenchApi } from './api.ts'
import { type Difference, medianDifference } from './statistics.ts'

const RULES = 100
/** As often as Prometheus asks where somebody is in a hurry. */
const SCRAPE_EVERY_MS = 1_000

export interface Overhead {
  readonly what: string
  /** Percent that the upper end of the interval may be. */
  readonly percentMax: number
  readonly pairs: number
  readonly withoutNs: number
  /** In percent. */
  readonly difference: Difference
}

export async function measureOverhead(pairs: number): Promise<Overhead[]> {
  return [
    await whileWatched(pairs, 'metrics, scraped each second', 3, scraping),
    await whileWatched(pairs, 'the overview open in a console', 3, overviewOpen),
    await withRules(pairs),
  ]
}

/** Begins to watch; what it returns ends it. */
type Watch = (api: BenchApi) => () => Promise<void>

async function whileWatched(pairs: number, what: string, percentMax: number, watch: Watch): Promise<Overhead> {
  await using broker = await BrokerProcess.start()
  using api = new BenchApi(broker)
  using traffic = await Traffic.open(broker)
  await traffic.round()
  const rounds: (readonly [without: number, watched: number])[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const without = await traffic.round()
    const end = watch(api)
    const watched = await traffic.round()
    await end()
    rounds.push([without, watched])
  }
  return overheadOf(what, percentMax, rounds)
}

const scraping: Watch = (api) => {
  const scrape = (): void => void api.metrics().catch(() => undefined) // the broker is stopping: the round fails by itself
  scrape()
  const timer = setInterval(scrape, SCRAPE_EVERY_MS)
  return async () => clearInterval(timer)
}

/** As the page does: the stream, and the whole of it now and then. */
const overviewOpen: Watch = (api) => {
  const closing = new AbortController()
  const refresh = setInterval(() => void api.client.call(getOverview).catch(() => undefined), 5_000)
  const events = api.client.stream(watchStream, { query: { watch: 'overview,events' }, signal: closing.signal })
  const reading = readAll(events)
  return async () => {
    clearInterval(refresh)
    closing.abort()
    await reading.catch(() => undefined)
  }
}

async function readAll(events: AsyncIterator<unknown>): Promise<void> {
  while ((await events.next()).done !== true);
}

/**
 * Each round on a broker of its own, which of the two first by turns: one process may be a few per cent faster than the next for as long as
 * it lives, whatever its rules are.
 */
async function withRules(pairs: number): Promise<Overhead> {
  const rounds: (readonly [without: number, ruled: number])[] = []
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const without = await freshRound(false)
      rounds.push([without, await freshRound(true)])
    } else {
      const ruled = await freshRound(true)
      rounds.push([await freshRound(false), ruled])
    }
  }
  return overheadOf(`${RULES} permission rules`, 8, rounds)
}

/**
 * The second round of a broker that has just started: the first warms it up. Without rules it has had them, and they are gone: the
 * calls load what answers calls, and that may have a price of its own, which is not asked for here.
 */
async function freshRound(hasRules: boolean): Promise<number> {
  await using broker = await BrokerProcess.start()
  using api = new BenchApi(broker)
  const ids = Array.from({ length: RULES }, (_, index) => `bench-${index}`)
  for (const [index, id] of ids.entries()) {
    const body = {
      user: index % 2 === 0 ? 'anonymous' : '*',
      allow: ['read', 'write'],
      topics: [index === RULES - 1 ? 'bench/#' : `other/${index}/+/%c`],
    } as const
    await api.client.call(putPermission, { params: { id }, query: { everybody: 'limited' }, body })
  }
  if (!hasRules)
    for (const id of ids) await api.client.call(deletePermission, { params: { id }, query: { everybody: 'unlimited' } })
  using traffic = await Traffic.open(broker)
  await traffic.round()
  return await traffic.round() // before it is closed
}

function overheadOf(
  what: string,
  percentMax: number,
  rounds: readonly (readonly [without: number, watched: number])[],
): Overhead {
  const difference = medianDifference(rounds.map(([without, watched]) => (watched / without - 1) * 100))
  const sorted = rounds.map(([without]) => without).toSorted((a, b) => a - b)
  return { what, percentMax, pairs: rounds.length, withoutNs: sorted[Math.floor(sorted.length / 2)]!, difference }
}
