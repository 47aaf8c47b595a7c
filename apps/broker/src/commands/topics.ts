/** `ternmq topics`: the tree of topics. */
import { listTopics, type TopicNode } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, pageLimit, printPages } from '../cli/output.ts'
import { VHOST } from '../cli/vhost.ts'

const SUMMARY = 'topics that have subscriptions or a retained message, one level at a time'

export const topics: Noun = {
  name: 'topics',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '[TOPIC]',
      summary: SUMMARY,
      detail: 'With TOPIC what is below it, else the first levels.',
      json: 'lines',
      options: { ...LIMIT_OPTION },
      run: async (input) => {
        const query = { parent: input.args[0], limit: pageLimit(input.values.limit) }
        return printPages(input, input.connection.client.pages(listTopics, { params: VHOST, query }), LISTING)
      },
    }),
  ],
}

const LISTING: Listing<TopicNode> = {
  columns: [
    { title: 'TOPIC', value: ({ topic, hasChildren }) => (hasChildren ? `${topic}/…` : topic), cut: true },
    { title: 'SUBSCRIPTIONS', value: ({ subscriptionCount }) => countText(subscriptionCount), right: true },
    { title: 'RETAINED', value: ({ retained }) => (retained ? 'yes' : 'no') },
  ],
  name: ({ topic }) => topic,
  none: 'no topics',
}
