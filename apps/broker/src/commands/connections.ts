/** `ternmq connections …`: who is connected, and who was. */
import {
  closeConnection,
  type ConnectionItem,
  type EndedConnection,
  getConnection,
  listConnectionHistory,
  listConnections,
} from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText, durationText, rateText, several, sizeText, timeText } from '../cli/format.ts'
import {
  LIMIT_OPTION,
  LIST_OPTIONS,
  type Listing,
  listQueryOf,
  pageLimit,
  printJson,
  printLines,
  printPages,
  tableWidth,
} from '../cli/output.ts'
import { styleOf } from '../cli/style.ts'
import { row, Table } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'
import { TIME_OPTIONS, timeQueryOf } from '../cli/times.ts'
import { SUBSCRIPTION_COLUMNS } from './subscriptions.ts'

export const connections: Noun = {
  name: 'connections',
  summary: 'who is connected, and why others have left: list, show, close, history',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'who is connected',
      json: 'lines',
      options: {
        unhealthy: { type: 'boolean', summary: 'only those with a problem, and which' },
        protocol: { type: 'string', value: 'NAME', summary: 'only those of mqtt, stomp or amqp' },
        listener: { type: 'string', value: 'NAME', summary: 'only those of a listener' },
        of: { type: 'string', value: 'USER', summary: 'only those of a user' },
        ...LIST_OPTIONS,
      },
      run: async (input) => {
        const { unhealthy, protocol, listener, of: user } = input.values
        const query = { ...listQueryOf(input.values), unhealthy, protocol, listener, user }
        return printPages(input, input.connection.client.pages(listConnections, { query }), LISTING)
      },
    }),
    brokerCommand({
      verb: 'show',
      args: 'ID',
      summary: 'one connection with its subscriptions',
      json: 'document',
      run: async ({ args: [id], values, connection: { client }, io }) => {
        const detail = await client.call(getConnection, { params: { id } })
        if (values.json === true) {
          printJson(io, detail)
          return 0
        }
        const { protocol, listener, address, port, tls = 'no', clientId, user, connectedAtMs } = detail
        printLines(io, [
          row('connection', id),
          row('client', safeText(clientId)),
          row('user', safeText(user)),
          row('protocol', `${protocol}, listener ${listener}${detail.webSocket ? ', WebSocket' : ''}, TLS ${tls}`),
          row('address', `${address}:${port}`),
          row('connected', `${timeText(connectedAtMs)}, ${durationText(Date.now() - connectedAtMs)} ago`),
          row('in', `${several(detail.messagesIn, 'message')}, ${sizeText(detail.bytesIn)}`),
          row(
            'out',
            `${several(detail.messagesOut, 'message')}, ${sizeText(detail.bytesOut)}, ${sizeText(detail.pendingBytes)} not taken yet`,
          ),
          row('unsettled', countText(detail.unsettledCount)),
          row('state', safeText(detail.problem ?? 'ok')),
          '',
          ...new Table(SUBSCRIPTION_COLUMNS, tableWidth(io), styleOf(io).bold).lines(detail.subscriptions),
        ])
        return 0
      },
    }),
    brokerCommand({
      verb: 'close',
      args: 'ID…',
      summary: 'closes connections; clients may connect again',
      options: {
        reason: {
          type: 'string',
          value: 'TEXT',
          summary: 'what the client hears, where its protocol has a place for it',
        },
      },
      run: async ({ args, values, connection: { client }, io }) => {
        for (const id of args) {
          await client.call(closeConnection, { params: { id }, query: { reason: values.reason } })
          printLines(io, [`connection ${safeText(id)} closed`])
        }
        return 0
      },
    }),
    brokerCommand({
      verb: 'history',
      args: '',
      summary: 'connections that have ended, and why, the newest first',
      json: 'lines',
      options: {
        client: { type: 'string', value: 'ID', summary: 'only those of a client id' },
        of: { type: 'string', value: 'USER', summary: 'only those of a user' },
        address: { type: 'string', value: 'IP', summary: 'only those from an address' },
        by: {
          type: 'string',
          choices: ['client', 'broker', 'network', 'operator', 'takeover'],
          summary: 'only those that were ended by it',
        },
        ...TIME_OPTIONS,
        ...LIMIT_OPTION,
      },
      run: async (input) => {
        const { client: clientId, of: user, address, by: endedBy, limit, since, until } = input.values
        const times = timeQueryOf({ since, until }, Date.now())
        const query = { clientId, user, address, endedBy, limit: pageLimit(limit), ...times }
        return printPages(input, input.connection.client.pages(listConnectionHistory, { query }), HISTORY)
      },
    }),
  ],
}

const LISTING: Listing<ConnectionItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'CLIENT', value: ({ clientId }) => clientId, cut: true },
    { title: 'USER', value: ({ user }) => user, cut: true },
    { title: 'PROTOCOL', value: ({ protocol }) => protocol },
    { title: 'ADDRESS', value: ({ address, port }) => `${address}:${port}` },
    { title: 'BYTES IN', value: ({ bytesIn }) => sizeText(bytesIn), right: true, extra: true },
    { title: 'BYTES OUT', value: ({ bytesOut }) => sizeText(bytesOut), right: true, extra: true },
    { title: 'FOR', value: ({ connectedAtMs }) => durationText(Date.now() - connectedAtMs), right: true, extra: true },
    { title: 'IN/S', value: ({ messagesInPerSecond }) => rateText(messagesInPerSecond), right: true, extra: true },
    { title: 'OUT/S', value: ({ messagesOutPerSecond }) => rateText(messagesOutPerSecond), right: true, extra: true },
    { title: 'IN', value: ({ messagesIn }) => countText(messagesIn), right: true, extra: true },
    { title: 'OUT', value: ({ messagesOut }) => countText(messagesOut), right: true, extra: true },
    { title: 'STATE', value: ({ problem = 'ok' }) => problem, cut: true },
  ],
  name: ({ id }) => id,
  none: 'no connections',
}

const HISTORY: Listing<EndedConnection> = {
  columns: [
    { title: 'ENDED', value: ({ endedAtMs }) => timeText(endedAtMs) },
    { title: 'CLIENT', value: ({ clientId }) => clientId, cut: true },
    { title: 'USER', value: ({ user }) => user, cut: true, extra: true },
    { title: 'PROTOCOL', value: ({ protocol }) => protocol, extra: true },
    { title: 'ADDRESS', value: ({ address, port }) => `${address}:${port}`, extra: true },
    {
      title: 'AFTER',
      value: ({ endedAtMs, connectedAtMs }) => durationText(endedAtMs - connectedAtMs),
      right: true,
      extra: true,
    },
    { title: 'BY', value: ({ endedBy }) => endedBy },
    { title: 'REASON', value: ({ reason, clause }) => (clause === '' ? reason : `${reason} [${clause}]`), cut: true },
  ],
  name: ({ id }) => id,
  none: 'no connection has ended',
}
