/** `ternmq top`: a live screen. */
import {
  getOverview,
  getOverviewHistory,
  listConnections,
  listQueues,
  type Overview,
  type QueueItem,
  type Rates,
  STREAM_SILENCE_MAX_MS,
  watchStream,
} from '@ternmq/api'
import { type ApiClient, ApiProblem } from '@ternmq/api/client'
import { awayText } from '../cli/absence.ts'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText, percentText, ratesText, rateText, sizeText } from '../cli/format.ts'
import { printJson, printLines, screenSize } from '../cli/output.ts'
import { wholeNumber } from '../cli/parse.ts'
import { LiveScreen } from '../cli/live-screen.ts'
import { styleOf } from '../cli/style.ts'
import { row, Table } from '../cli/table.ts'
import { cutText, safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import type { ConsoleIo } from '../process/console-io.ts'

const SUMMARY = 'a live screen: rates, queues with most to do, connections'

/** What queues are sorted by, one after another with the key s. */
const SORTS = ['inPerSecond', 'outPerSecond', 'readyCount', 'inflightCount'] as const
type Sort = (typeof SORTS)[number]

export const top: Noun = {
  name: 'top',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '',
      summary: SUMMARY,
      detail: `Drawn each second. Keys: q ends it, s sorts queues by something else. Without a terminal it prints once, as text.`,
      json: 'document',
      options: {
        sort: { type: 'string', choices: SORTS, summary: 'what queues are sorted by, the largest first' },
        limit: {
          type: 'string',
          value: 'N',
          summary: 'so many queues at most; as many as there is room for when left out',
        },
      },
      run: async ({ values, connection: { client }, io }) => {
        const limit = wholeNumber('limit', values.limit)
        const first = values.sort ?? SORTS[0]
        if (io.stdout.isTTY !== true || !io.stdin.isTTY || values.json === true) {
          await client.call(getOverviewHistory) // rates begin with the first who asks
          const facts = await factsOf(client, first, limit ?? screenSize(io).height)
          if (values.json === true) printJson(io, facts)
          else
            printLines(
              io,
              screenLines(facts, first, { width: Infinity, height: Infinity, limit }, (text) => text),
            )
          return 0
        }
        await watchLive({ client, io, first, limit })
        return 0
      },
    }),
  ],
}

interface Live {
  readonly client: ApiClient
  readonly io: ConsoleIo
  readonly first: Sort
  readonly limit: number | undefined
}

/** Until a key ends it. */
async function watchLive({ client, io, first, limit }: Live): Promise<void> {
  const { bold } = styleOf(io)
  let sort: Sort = first
  const screen = new LiveScreen(io, {
    s: () => (sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length]!),
  })
  const tellAway = (reason: string, awayMs: number): void =>
    screen.drawNotice(bold(cutText(safeText(awayText(reason, awayMs)), screenSize(io).width)))
  try {
    const watching = { query: { watch: 'overview' }, signal: screen.ended } as const
    const ticks = client.stream(watchStream, watching, { onAway: tellAway, onBack: () => {} }) // the next screen shows it
    for await (const { event } of ticks) {
      if (event !== 'overview') continue
      const size = screenSize(io)
      const tooLong = AbortSignal.timeout(STREAM_SILENCE_MAX_MS)
      try {
        const facts = await factsOf(client, sort, limit ?? size.height, AbortSignal.any([screen.ended, tooLong]))
        screen.draw(screenLines(facts, sort, { ...size, limit }, bold))
      } catch (error) {
        if (error instanceof ApiProblem && error.problem.status < 500) throw error
        if (tooLong.aborted) tellAway('the broker does not answer', STREAM_SILENCE_MAX_MS)
      }
      await io.stdout.written()
    }
  } finally {
    screen.close()
  }
}

interface Facts {
  readonly overview: Overview
  readonly queues: readonly QueueItem[]
  readonly unhealthyConnections: number
}

async function factsOf(client: ApiClient, sort: Sort, limit: number, signal?: AbortSignal): Promise<Facts> {
  const [overview, queues, unhealthy] = await Promise.all([
    client.call(getOverview, { signal }),
    client.call(listQueues, { params: VHOST, query: { sort: `-${sort}`, limit: Math.min(500, limit) }, signal }),
    client.call(listConnections, { query: { unhealthy: true, limit: 1 }, signal }),
  ])
  return { overview, queues: queues.items, unhealthyConnections: unhealthy.total ?? unhealthy.items.length }
}

interface View {
  readonly width: number
  readonly height: number
  readonly limit: number | undefined
}

export function screenLines(
  { overview, queues, unhealthyConnections }: Facts,
  sort: Sort,
  { width, height, limit }: View,
  bold: (text: string) => string,
): string[] {
  const { node, counts, rates, readyCount, inflightCount, memory, disk, eventLoop, alarms } = overview
  const unhealthy = unhealthyConnections === 0 ? '' : `, ${countText(unhealthyConnections)} with a problem`
  const head = [
    bold(`TernMQ ${node.version} on ${safeText(node.hostName)}`),
    row('per second', ratesText(rates)),
    row('bytes per second', byteRatesText(rates)),
    row('messages', `${countText(readyCount)} ready, ${countText(inflightCount)} in flight`),
    row('connections', `${countText(counts.connections)}${unhealthy}`),
    row(
      'resources',
      `${sizeText(memory.rssBytes)} memory, ${sizeText(disk.usedBytes)} disk, thread ${percentText(eventLoop.utilization)} busy`,
    ),
    ...alarms.map(({ severity, text }) => row(severity, safeText(text))),
    '',
    `queues by ${sort}`,
  ].map((line) => cutText(line, width))
  const room = Math.max(1, Math.min(limit ?? Infinity, height - head.length - 2))
  return [...head, ...new Table(QUEUE_COLUMNS, width, bold).lines(queues.slice(0, room))]
}

function byteRatesText(rates: Rates | undefined): string {
  if (rates === undefined) return '–'
  return `${sizeText(Math.round(rates.bytesInPerSecond))} in, ${sizeText(Math.round(rates.bytesOutPerSecond))} out`
}

const QUEUE_COLUMNS = [
  { title: 'QUEUE', value: ({ name }: QueueItem) => name, cut: true },
  { title: 'IN/S', value: ({ inPerSecond }: QueueItem) => rateText(inPerSecond), right: true },
  { title: 'OUT/S', value: ({ outPerSecond }: QueueItem) => rateText(outPerSecond), right: true },
  { title: 'READY', value: ({ readyCount }: QueueItem) => countText(readyCount), right: true },
  { title: 'IN FLIGHT', value: ({ inflightCount }: QueueItem) => countText(inflightCount), right: true, extra: true },
  { title: 'CONSUMERS', value: ({ consumerCount }: QueueItem) => countText(consumerCount), right: true, extra: true },
  {
    title: 'STATE',
    value: ({ problem, paused }: QueueItem) => problem ?? (paused ? 'paused' : ''),
    cut: true,
    extra: true,
  },
] as const
