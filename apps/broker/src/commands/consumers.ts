/** `ternmq consumers`: who reads from which queue. */
import { type ConsumerItem, listConsumers } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { LIST_OPTIONS, type Listing, listQueryOf, printPages } from '../cli/output.ts'
import { VHOST } from '../cli/vhost.ts'
import { CONSUMER_COLUMNS } from './queue-views.ts'

const SUMMARY = 'who reads from which queue'

export const consumers: Noun = {
  name: 'consumers',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '[QUEUE]',
      summary: SUMMARY,
      json: 'lines',
      options: { ...LIST_OPTIONS },
      run: async (input) => {
        const query = { ...listQueryOf(input.values), queue: input.args[0] }
        return printPages(input, input.connection.client.pages(listConsumers, { params: VHOST, query }), LISTING)
      },
    }),
  ],
}

const LISTING: Listing<ConsumerItem> = {
  columns: [{ title: 'QUEUE', value: ({ queue }) => queue, cut: true }, ...CONSUMER_COLUMNS],
  name: ({ clientId }) => clientId,
  none: 'no consumers',
}
