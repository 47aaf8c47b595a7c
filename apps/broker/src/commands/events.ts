/** `ternmq events`: what happened to clients. */
import { type EventItem, listEvents, watchStream } from '@ternmq/api'
import { absenceTeller } from '../cli/absence.ts'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { timeText } from '../cli/format.ts'
import { printJsonLines, printLines, tableWidth } from '../cli/output.ts'
import { wholeNumber } from '../cli/parse.ts'
import { styleOf } from '../cli/style.ts'
import { Table } from '../cli/table.ts'
import { TIME_OPTIONS, timeQueryOf } from '../cli/times.ts'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'

const SUMMARY = 'what happened to clients, the newest last: who came, was refused, or left, and why'
const LIMIT_DEFAULT = 100
const RESTARTED_TEXT =
  'the broker has been started anew; the last events of its earlier process may be missing, those since then follow'

export const events: Noun = {
  name: 'events',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '',
      summary: SUMMARY,
      detail:
        'The last ones, the newest at the end; with --follow those that come, until Ctrl-C; that the broker is away, and back, is told on standard error.',
      json: 'lines',
      options: {
        follow: { type: 'boolean', short: 'f', summary: 'goes on with those that come' },
        kind: { type: 'string', value: 'KIND', summary: 'only those of a kind, such as refused' },
        client: { type: 'string', value: 'ID', summary: 'only those of a client id' },
        of: { type: 'string', value: 'USER', summary: 'only those of a user' },
        query: { type: 'string', short: 'q', value: 'TEXT', summary: 'only those with this text' },
        ...TIME_OPTIONS,
        limit: { type: 'string', value: 'N', summary: `so many of the last ones; ${LIMIT_DEFAULT} when left out` },
      },
      run: async ({ values, connection: { client }, io }) => {
        const { kind, client: clientId, of: user, query: q, follow = false, since, until } = values
        const { sinceMs, untilMs } = timeQueryOf({ since, until }, Date.now())
        if (follow && untilMs !== undefined)
          throw new UsageError('--follow has no end, and --until is one: give one of them')
        const limit = wholeNumber('limit', values.limit) ?? LIMIT_DEFAULT
        const { items, lastId } = await client.call(listEvents, {
          query: { limit, kind, clientId, user, q, sinceMs, untilMs },
        })
        const print = printerOf(io, values.json === true)
        print(items.toReversed())
        if (!follow) return 0
        const isWanted = wantedBy({ kind, clientId, user, q })
        const watching = client.stream(watchStream, { query: { watch: 'events' }, lastId }, absenceTeller(io))
        for await (const { event, data } of watching) {
          const item = data as EventItem
          if (event === 'missed') io.stderr.write(`${(data as { readonly count: number }).count} events were missed\n`)
          if (event === 'restarted') complain(io, [RESTARTED_TEXT])
          if (event !== 'event' || !isWanted(item)) continue
          print([item])
          await io.stdout.written()
        }
        return 0
      },
    }),
  ],
}

interface Wanted {
  readonly kind: string | undefined
  readonly clientId: string | undefined
  readonly user: string | undefined
  readonly q: string | undefined
}

/** As the call for the last ones decides it. */
function wantedBy({ kind, clientId, user, q }: Wanted): (item: EventItem) => boolean {
  const wanted = q?.toLowerCase()
  const hasText = ({ text, clientId: client, user: name, peer }: EventItem): boolean =>
    [text, client, name, peer].some((each) => each.toLowerCase().includes(wanted ?? ''))
  return (item) =>
    (kind === undefined || item.kind === kind) &&
    (clientId === undefined || item.clientId === clientId) &&
    (user === undefined || item.user === user) &&
    hasText(item)
}

function printerOf(io: ConsoleIo, isJson: boolean): (items: readonly EventItem[]) => void {
  if (isJson) return (items) => printJsonLines(io, items)
  const table = new Table(COLUMNS, tableWidth(io), styleOf(io).bold)
  return (items) => printLines(io, table.lines(items))
}

const COLUMNS = [
  { title: 'AT                 ', value: ({ atMs }: EventItem) => timeText(atMs) },
  { title: 'KIND        ', value: ({ kind }: EventItem) => kind },
  { title: 'CLIENT      ', value: ({ clientId }: EventItem) => clientId, cut: true },
  { title: 'PEER', value: ({ peer }: EventItem) => peer, extra: true },
  { title: 'WHAT', value: ({ text, clause }: EventItem) => (clause === '' ? text : `${text} [${clause}]`), cut: true },
] as const
