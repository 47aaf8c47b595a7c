/** `ternmq policies …`: what holds for queues by pattern. */
import { deletePolicy, listPolicies, type PolicyBody, type PolicyItem, previewPolicy, putPolicy } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { countText, several } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, printItems, printJson, printLines } from '../cli/output.ts'
import { wholeNumber } from '../cli/parse.ts'
import { settingsText, valueText, withSettings } from '../cli/settings-input.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'

const DETAIL = `MATCH is a pattern of queue names: * for one level, > at the end for all below. A SETTING is KEY=VALUE with a key of \`queues\` in the
configuration: messagesMax=1000, redelivery.maxDeliveries=5.`

const ORDER_OPTION = {
  order: { type: 'string', value: 'N', summary: 'its place among those of the API; a new one is the last, and wins' },
} as const

export const policies: Noun = {
  name: 'policies',
  summary: 'settings of queues by pattern: list, preview, set, remove',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'all policies in the order in which they are laid over one another',
      json: 'lines',
      options: { ...LIMIT_OPTION },
      run: async (input) => {
        const { items } = await input.connection.client.call(listPolicies, { params: VHOST })
        return printItems(input, items, LISTING)
      },
    }),
    brokerCommand({
      verb: 'preview',
      args: 'ID MATCH SETTING…',
      summary: 'which queues a policy would reach, and what it would change',
      detail: DETAIL,
      json: 'document',
      options: ORDER_OPTION,
      run: async ({ args: [id, match, ...settings], values, connection: { client }, io }) => {
        const body = { ...bodyOf(match, settings, values.order), id }
        const preview = await client.call(previewPolicy, { params: VHOST, body })
        const { queueCount, changes } = preview
        if (values.json === true) printJson(io, preview)
        else
          printLines(io, [
            `it reaches ${several(queueCount, 'queue')}, and would change ${several(changes.length, 'setting')}`,
            ...changes.map(
              ({ queue, key, before, after }) =>
                `  ${safeText(queue)}  ${key}: ${valueText(before)} → ${valueText(after)}`,
            ),
          ])
        return 0
      },
    }),
    brokerCommand({
      verb: 'set',
      args: 'ID MATCH SETTING…',
      summary: 'makes a policy, or another one of it; queues take it at once',
      detail: DETAIL,
      json: 'document',
      options: ORDER_OPTION,
      run: async ({ args: [id, match, ...settings], values, connection: { client }, io }) => {
        const body = bodyOf(match, settings, values.order)
        const item = await client.call(putPolicy, { params: { ...VHOST, id }, body })
        if (values.json === true) printJson(io, item)
        else printLines(io, [`policy ${safeText(id)} set; it reaches ${several(item.queueCount, 'queue')}`])
        return 0
      },
    }),
    brokerCommand({
      verb: 'remove',
      args: 'ID…',
      summary: 'takes policies back',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        await confirm(`take back ${several(args.length, 'policy', 'policies')}`, input)
        for (const id of args) {
          await connection.client.call(deletePolicy, { params: { ...VHOST, id } })
          printLines(io, [`policy ${safeText(id)} removed`])
        }
        return 0
      },
    }),
  ],
}

function bodyOf(match: string, settings: readonly string[], order: string | undefined): PolicyBody {
  return {
    match,
    settings: withSettings({}, settings),
    order: wholeNumber('order', order, 0),
  }
}

const LISTING: Listing<PolicyItem> = {
  columns: [
    { title: 'ORDER', value: ({ order }) => String(order), right: true },
    { title: 'ID', value: ({ id }) => id, cut: true },
    { title: 'MATCH', value: ({ match }) => match, cut: true },
    { title: 'SETTINGS', value: ({ settings }) => settingsText(settings), cut: true },
    { title: 'QUEUES', value: ({ queueCount }) => countText(queueCount), right: true },
    { title: 'FROM', value: ({ from }) => from, extra: true },
  ],
  name: ({ id }) => id,
  none: 'no policies',
}
