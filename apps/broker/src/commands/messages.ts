/** `ternmq messages …`: looks into queues, publishes and takes, and moves, copies and deletes what waits. */
import {
  browseMessages,
  browseSession,
  downloadBody,
  getMessage,
  publishMessage,
  type SettleBody,
  settleMessages,
  type TakenMessage,
  takeMessages,
} from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { YES_OPTION } from '../cli/confirm.ts'
import { LIMIT_OPTION, pageLimit, printJson, printJsonLines, printLines, printPages } from '../cli/output.ts'
import { durationMs, wholeNumber } from '../cli/parse.ts'
import { VHOST } from '../cli/vhost.ts'
import { complain } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'
import { ACTION_OPTIONS, act, TARGET_OPTIONS } from './message-actions.ts'
import { bodyBytes, MESSAGE_LISTING, messageLines, SHOWN_BYTES_MAX } from './message-views.ts'
import { PUBLISH_OPTIONS, publishBodyOf, readBody } from './publish-input.ts'
import { checkThere, purge } from './queue-work.ts'

const NAMES_OPTION = { names: { type: 'boolean', summary: 'ids only, one a line' } } as const

const ADDRESS_DETAIL =
  'ADDRESS is written as in REST: queue://orders, topic://plant.1; `ternmq resolve --protocol rest` explains it.'

/** How long one call waits for messages; a longer wait is several calls. */
const TAKE_WAIT_MS_MAX = 60_000

export const messages: Noun = {
  name: 'messages',
  summary: 'what is in queues: browse, show, publish, take, move, copy, delete, purge',
  commands: [
    brokerCommand({
      verb: 'browse',
      args: '[QUEUE]',
      summary: 'what is in a queue, the first to be delivered first; nothing is changed by looking',
      json: 'lines',
      options: {
        session: {
          type: 'string',
          value: 'CLIENT',
          summary: 'in place of QUEUE: what waits for the client of a session',
        },
        selector: {
          type: 'string',
          value: 'SQL',
          summary: "only those that it wants: priority > 4 AND colour = 'red'",
        },
        ...LIMIT_OPTION,
        ...NAMES_OPTION,
      },
      run: async (input) => {
        const { args, values, connection } = input
        const [queue] = args
        const { session: clientId, selector, limit } = values
        const query = { selector, limit: pageLimit(limit) }
        if ((queue === undefined) === (clientId === undefined)) throw new UsageError('give QUEUE, or --session CLIENT')
        const pages =
          queue === undefined
            ? connection.client.pages(browseSession, { params: { ...VHOST, clientId: clientId! }, query })
            : connection.client.pages(browseMessages, { params: { ...VHOST, queue }, query })
        return printPages(input, pages, MESSAGE_LISTING)
      },
    }),
    brokerCommand({
      verb: 'show',
      args: 'QUEUE ID',
      summary: 'one message with its headers and the first 4 KiB of its body, in hexadecimal where it is no text',
      json: 'document',
      options: { body: { type: 'boolean', summary: 'its body alone, all of it, byte for byte' } },
      run: async ({ args: [queue, id], values, connection: { client }, io }) => {
        const params = { ...VHOST, queue, id }
        if (values.body === true) io.stdout.write(await client.call(downloadBody, { params }))
        else {
          const detail = await client.call(getMessage, { params })
          if (values.json === true) printJson(io, detail)
          else printLines(io, messageLines(detail, SHOWN_BYTES_MAX))
        }
        return 0
      },
    }),
    brokerCommand({
      verb: 'publish',
      args: 'ADDRESS [BODY]',
      summary: 'publishes a message; done when it is as safe as its queue promises',
      detail: `${ADDRESS_DETAIL}\nWithout BODY and --file the body is standard input.`,
      json: 'document',
      options: PUBLISH_OPTIONS,
      run: async ({ args: [address, text], values, connection: { client }, io }) => {
        const bytes = await readBody(text, values.file, { io, values })
        const body = publishBodyOf(address, bytes, values)
        const published = await client.call(publishMessage, { params: VHOST, body })
        if (values.json === true) printJson(io, published)
        else printLines(io, [published.outcome === 'routed' ? 'published' : 'published, and nobody wanted it'])
        return 0
      },
    }),
    brokerCommand({
      verb: 'take',
      args: 'ADDRESS',
      summary: 'takes messages from a queue, prints them, and says what becomes of them',
      detail: `${ADDRESS_DETAIL}\nThey are accepted, and gone, once they are printed, unless an option says otherwise; what cannot be printed goes back.\nA queue that is not there is refused; with --wait it is made, and waited for.`,
      json: 'lines',
      options: {
        max: { type: 'string', value: 'N', summary: 'so many at most; 1 when left out' },
        wait: { type: 'string', value: 'TIME', summary: 'for the first, up to 60s; not at all when left out' },
        selector: { type: 'string', value: 'SQL', summary: 'only those that it wants' },
        release: { type: 'boolean', summary: 'they go back, as if nobody had had them' },
        reject: { type: 'string', value: 'REASON', summary: 'they become dead letters' },
        body: { type: 'boolean', summary: 'bodies alone, byte for byte' },
      },
      run: async ({ args: [address], values, connection: { client }, io }) => {
        const { release = false, reject, selector } = values
        if (release && reject !== undefined) throw new UsageError('--release and --reject exclude one another')
        const waitMs = durationMs('wait', values.wait)
        if (waitMs !== undefined && waitMs > TAKE_WAIT_MS_MAX)
          throw new UsageError(`--wait is '${values.wait}'; it is 60s at most`)
        const max = wholeNumber('max', values.max)
        if (waitMs === undefined) await checkThere(client, address)
        const { items } = await client.call(takeMessages, { params: VHOST, body: { address, max, waitMs, selector } })
        const deliveries = items.map(({ delivery }: TakenMessage) => delivery).filter((delivery) => delivery !== '')
        const settle = async (body: Pick<SettleBody, 'outcome' | 'reason'>): Promise<void> => {
          if (deliveries.length > 0) await client.call(settleMessages, { params: VHOST, body: { deliveries, ...body } })
        }
        try {
          if (values.json === true) printJsonLines(io, items)
          else if (values.body === true) for (const { body } of items) io.stdout.write(bodyBytes(body))
          else
            printLines(
              io,
              items.flatMap((item, index) => [...(index === 0 ? [] : ['']), ...messageLines(item)]),
            )
          await io.stdout.written()
        } catch (error) {
          await settle({ outcome: 'released' }) // somebody else shall have them
          throw error
        }
        // What is printed cannot be taken back: only now is it done with.
        await settle({ outcome: release ? 'released' : reject === undefined ? 'accepted' : 'rejected', reason: reject })
        if (items.length > 0) return 0
        const advice = waitMs === undefined ? '; --wait 10s waits for one' : ''
        complain(io, [`there is nothing to take from ${address}${advice}`])
        return 1
      },
    }),
    brokerCommand({
      verb: 'move',
      args: 'QUEUE TARGET [ID…]',
      summary: 'moves messages to another queue: those of the ids, those that a selector wants, or all',
      json: 'document',
      options: { ...TARGET_OPTIONS },
      run: (input) => {
        const [queue, target, ...ids] = input.args
        return act({ action: 'move', queue, target, ids }, input)
      },
    }),
    brokerCommand({
      verb: 'copy',
      args: 'QUEUE TARGET [ID…]',
      summary: 'copies messages to another queue',
      json: 'document',
      options: { ...TARGET_OPTIONS },
      run: (input) => {
        const [queue, target, ...ids] = input.args
        return act({ action: 'copy', queue, target, ids }, input)
      },
    }),
    brokerCommand({
      verb: 'delete',
      args: 'QUEUE [ID…]',
      summary: 'deletes messages: those of the ids, those that a selector wants, or all',
      json: 'document',
      options: { ...ACTION_OPTIONS },
      run: (input) => {
        const [queue, ...ids] = input.args
        return act({ action: 'delete', queue, target: undefined, ids }, input)
      },
    }),
    brokerCommand({
      verb: 'purge',
      args: 'QUEUE',
      summary: 'takes out all that waits at once; what consumers have stays',
      json: 'lines',
      options: { ...YES_OPTION },
      run: async (input) => {
        await purge(input.args[0], input)
        return 0
      },
    }),
  ],
}
