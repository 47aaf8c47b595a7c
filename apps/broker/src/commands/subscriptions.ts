/** `ternmq subscriptions`: who has subscribed to what. */
import { listSubscriptions, type SubscriptionInfo, type SubscriptionItem } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText } from '../cli/format.ts'
import { LIST_OPTIONS, type Listing, listQueryOf, printPages } from '../cli/output.ts'
import type { Column } from '../cli/table.ts'
import { VHOST } from '../cli/vhost.ts'

const SUMMARY = 'who has subscribed to what, or who would get a message of a topic'

export const subscriptions: Noun = {
  name: 'subscriptions',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '',
      summary: SUMMARY,
      json: 'lines',
      options: {
        topic: { type: 'string', value: 'TOPIC', summary: 'only who would get a message that is published to it' },
        ...LIST_OPTIONS,
      },
      run: async (input) => {
        const query = { ...listQueryOf(input.values), topic: input.values.topic }
        return printPages(input, input.connection.client.pages(listSubscriptions, { params: VHOST, query }), LISTING)
      },
    }),
  ],
}

/** Of one client. */
export const SUBSCRIPTION_COLUMNS: ReadonlyArray<Column<SubscriptionInfo>> = [
  { title: 'ADDRESS', value: ({ address }) => address, cut: true },
  { title: 'QOS', value: ({ assurance }) => String(assurance), right: true },
  { title: 'GROUP', value: ({ group = '' }) => group, cut: true, extra: true },
  { title: 'QUEUE', value: ({ queue = '' }) => queue, cut: true, extra: true },
  { title: 'SELECTOR', value: ({ selector = '' }) => selector, cut: true, extra: true },
]

const LISTING: Listing<SubscriptionItem> = {
  columns: [
    { title: 'CLIENT', value: ({ clientId }) => clientId, cut: true },
    { title: 'USER', value: ({ user }) => user, cut: true },
    ...SUBSCRIPTION_COLUMNS,
    { title: 'CONNECTED', value: ({ connected }) => (connected ? 'yes' : 'no') },
    { title: 'WAITING', value: ({ waitingCount }) => countText(waitingCount), right: true },
  ],
  name: ({ address }) => address,
  none: 'no subscriptions',
}
