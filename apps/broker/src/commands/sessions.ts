/** `ternmq sessions …`: what is kept for clients, connected or not. */
import { deleteSession, getSession, listSessions, type SessionItem } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { countText, durationText, several, sizeText } from '../cli/format.ts'
import {
  LIST_OPTIONS,
  type Listing,
  listQueryOf,
  printJson,
  printLines,
  printPages,
  tableWidth,
} from '../cli/output.ts'
import { styleOf } from '../cli/style.ts'
import { row, Table } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { SUBSCRIPTION_COLUMNS } from './subscriptions.ts'

export const sessions: Noun = {
  name: 'sessions',
  summary: 'what is kept for clients, connected or not: list, show, delete',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'sessions with what waits in them',
      json: 'lines',
      options: {
        unhealthy: { type: 'boolean', summary: 'only those with a problem, and which' },
        connected: { type: 'boolean', summary: 'only those with a connection' },
        away: { type: 'boolean', summary: 'only those without a connection' },
        backlog: { type: 'boolean', summary: 'only those with messages that wait' },
        of: { type: 'string', value: 'USER', summary: 'only those of a user' },
        ...LIST_OPTIONS,
      },
      run: async (input) => {
        const { unhealthy, connected, away, backlog, of: user } = input.values
        const isConnected = connected === true ? true : away === true ? false : undefined
        const query = { ...listQueryOf(input.values), unhealthy, connected: isConnected, backlog, user }
        return printPages(input, input.connection.client.pages(listSessions, { params: VHOST, query }), LISTING)
      },
    }),
    brokerCommand({
      verb: 'show',
      args: 'CLIENT',
      summary: 'one session with its subscriptions',
      json: 'document',
      run: async ({ args: [clientId], values, connection: { client }, io }) => {
        const detail = await client.call(getSession, { params: { ...VHOST, clientId } })
        if (values.json === true) printJson(io, detail)
        else
          printLines(io, [
            row('client', safeText(clientId)),
            row('user', safeText(detail.user)),
            row('connected', detail.connected ? `yes, ${detail.connectionId ?? ''}` : 'no'),
            row('kept', keptText(detail)),
            row('waiting', `${several(detail.waitingCount, 'message')}, ${sizeText(detail.waitingBytes)}`),
            row('in flight', countText(detail.inflightCount)),
            row('dropped', countText(detail.droppedCount)),
            row('will', detail.hasWill ? 'yes' : 'no'),
            row('state', safeText(detail.problem ?? 'ok')),
            '',
            ...new Table(SUBSCRIPTION_COLUMNS, tableWidth(io), styleOf(io).bold).lines(detail.subscriptions),
          ])
        return 0
      },
    }),
    brokerCommand({
      verb: 'delete',
      args: 'CLIENT…',
      summary: 'ends sessions with all that waits in them, and their connections',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        for (const clientId of args) {
          const params = { ...VHOST, clientId }
          const { waitingCount } = await connection.client.call(getSession, { params })
          await confirm(`delete the session of '${safeText(clientId)}' with ${several(waitingCount, 'message')}`, input)
          await connection.client.call(deleteSession, { params })
          printLines(io, [`session of ${safeText(clientId)} deleted`])
        }
        return 0
      },
    }),
  ],
}

function keptText({ durable, expiryMs }: SessionItem): string {
  const how = durable ? 'over a restart, ' : ''
  return how + (expiryMs === null ? 'for ever' : expiryMs === 0 ? 'as long as it is connected' : durationText(expiryMs))
}

const LISTING: Listing<SessionItem> = {
  columns: [
    { title: 'CLIENT', value: ({ clientId }) => clientId, cut: true },
    { title: 'USER', value: ({ user }) => user, cut: true },
    { title: 'CONNECTED', value: ({ connected }) => (connected ? 'yes' : 'no') },
    { title: 'WAITING', value: ({ waitingCount }) => countText(waitingCount), right: true },
    { title: 'IN FLIGHT', value: ({ inflightCount }) => countText(inflightCount), right: true },
    { title: 'DROPPED', value: ({ droppedCount }) => countText(droppedCount), right: true, extra: true },
    {
      title: 'SUBSCRIPTIONS',
      value: ({ subscriptionCount }) => countText(subscriptionCount),
      right: true,
      extra: true,
    },
    { title: 'KEPT', value: keptText, extra: true },
    { title: 'STATE', value: ({ problem = 'ok' }) => problem, cut: true },
  ],
  name: ({ clientId }) => clientId,
  none: 'no sessions',
}
