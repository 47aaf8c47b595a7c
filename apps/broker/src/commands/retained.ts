/** `ternmq retained …`: the message that a topic keeps for who subscribes next. */
import { deleteRetained, getRetained, listRetained, type RetainedItem } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { several, sizeText, timeText } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, pageLimit, printJson, printLines, printPages } from '../cli/output.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { bodyBytes, messageLines, SHOWN_BYTES_MAX } from './message-views.ts'

export const retained: Noun = {
  name: 'retained',
  summary: 'messages that topics keep for who subscribes next: list, show, delete',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '[FILTER]',
      summary: 'retained messages, all or those of topics that an MQTT filter matches',
      json: 'lines',
      options: { ...LIMIT_OPTION },
      run: async (input) => {
        const query = { filter: input.args[0], limit: pageLimit(input.values.limit) }
        return printPages(input, input.connection.client.pages(listRetained, { params: VHOST, query }), LISTING)
      },
    }),
    brokerCommand({
      verb: 'show',
      args: 'TOPIC',
      summary: 'the retained message of a topic, and the first 4 KiB of its body, in hexadecimal where it is no text',
      json: 'document',
      options: { body: { type: 'boolean', summary: 'its body alone, byte for byte, as far as the API shows it' } },
      run: async ({ args: [topic], values, connection: { client }, io }) => {
        const detail = await client.call(getRetained, { params: { ...VHOST, topic } })
        if (values.json === true) printJson(io, detail)
        else if (values.body === true) io.stdout.write(bodyBytes(detail.body))
        else printLines(io, messageLines({ ...detail.message, ...detail }, SHOWN_BYTES_MAX))
        return 0
      },
    }),
    brokerCommand({
      verb: 'delete',
      args: 'TOPIC…',
      summary: 'forgets retained messages',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        const [first] = args
        const what =
          args.length === 1 ? `the retained message of '${safeText(first)}'` : several(args.length, 'retained message')
        await confirm(`delete ${what}`, input)
        for (const topic of args) {
          await connection.client.call(deleteRetained, { params: { ...VHOST, topic } })
          printLines(io, [`retained message of ${safeText(topic)} deleted`])
        }
        return 0
      },
    }),
  ],
}

const LISTING: Listing<RetainedItem> = {
  columns: [
    { title: 'TOPIC', value: ({ topic }) => topic, cut: true },
    { title: 'BODY', value: (item) => sizeText(item.bodyBytes), right: true },
    { title: 'FORMAT', value: ({ format }) => format },
    { title: 'ARRIVED', value: ({ arrivedAtMs }) => timeText(arrivedAtMs) },
    { title: 'PUBLISHER', value: ({ publisher = '' }) => publisher, cut: true, extra: true },
    { title: 'EXPIRES', value: ({ expiresAtMs }) => timeText(expiresAtMs), extra: true },
  ],
  name: ({ topic }) => topic,
  none: 'no retained messages',
}
