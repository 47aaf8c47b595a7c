/** `ternmq destinations …`: queues, and the subscriptions that have one. */
import {
  deleteQueue,
  getQueue,
  listQueues,
  pauseQueue,
  putQueue,
  type QueueSettingsInput,
  resumeQueue,
} from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { several } from '../cli/format.ts'
import {
  LIST_OPTIONS,
  listQueryOf,
  printJson,
  printJsonLines,
  printLines,
  printPages,
  tableWidth,
} from '../cli/output.ts'
import { withSettings } from '../cli/settings-input.ts'
import { styleOf } from '../cli/style.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { BrokerError } from '../errors.ts'
import { queueDetailLines, QUEUE_LISTING } from './queue-views.ts'
import { findQueue, purge } from './queue-work.ts'

const SETTINGS_DETAIL = `A SETTING is KEY=VALUE with a key of \`queues\` in the configuration: messagesMax=1000, redelivery.maxDeliveries=5, deadLetter=dead.
What is not given comes from policies and defaults; KEY= takes one back.`

export const destinations: Noun = {
  name: 'destinations',
  summary: 'queues, and the subscriptions that have one: list, show, create, set, pause, purge, delete',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'queues with what is in them and who reads from them',
      json: 'lines',
      options: {
        kind: { type: 'string', choices: ['queue', 'subscription', 'temporary'], summary: 'only those' },
        unhealthy: { type: 'boolean', summary: 'only those with a problem, and which' },
        'non-empty': { type: 'boolean', summary: 'only those with messages' },
        'dead-letters': { type: 'boolean', summary: 'only those that take dead letters' },
        ...LIST_OPTIONS,
      },
      run: async (input) => {
        const { values, connection } = input
        const query = {
          ...listQueryOf(values),
          kind: values.kind,
          unhealthy: values.unhealthy,
          nonEmpty: values['non-empty'],
          deadLetters: values['dead-letters'],
        }
        return printPages(input, connection.client.pages(listQueues, { params: VHOST, query }), QUEUE_LISTING)
      },
    }),
    brokerCommand({
      verb: 'show',
      args: 'QUEUE',
      summary: 'one queue with its settings, where each is from, and its consumers',
      json: 'document',
      run: async ({ args: [queue], values, connection, io }) => {
        const detail = await connection.client.call(getQueue, { params: { ...VHOST, queue } })
        if (values.json === true) printJson(io, detail)
        else printLines(io, queueDetailLines(detail, tableWidth(io), styleOf(io).bold))
        return 0
      },
    }),
    brokerCommand({
      verb: 'create',
      args: 'QUEUE [SETTING…]',
      summary: 'makes a queue',
      detail: SETTINGS_DETAIL,
      json: 'document',
      run: async ({ args: [queue, ...settings], values, connection: { client }, io }) => {
        const params = { ...VHOST, queue }
        const body = { settings: withSettings({}, settings) as QueueSettingsInput }
        if ((await findQueue(client, queue)) !== undefined)
          throw new BrokerError(
            'COMMAND_REFUSED',
            `queue '${queue}' exists already; \`ternmq destinations set\` changes it`,
          )
        const made = await client.call(putQueue, { params, body })
        if (values.json === true) printJson(io, made)
        else printLines(io, [`queue ${safeText(queue)} made`])
        return 0
      },
    }),
    brokerCommand({
      verb: 'set',
      args: 'QUEUE SETTING…',
      summary: 'changes settings of a queue; they count at once',
      detail: SETTINGS_DETAIL,
      json: 'document',
      run: async ({ args: [queue, ...settings], values, connection: { client }, io }) => {
        const params = { ...VHOST, queue }
        const before = await client.call(getQueue, { params })
        const body = { settings: withSettings(before.settings, settings) as QueueSettingsInput }
        const changed = await client.call(putQueue, { params, body })
        if (values.json === true) printJson(io, changed)
        else printLines(io, [`settings of queue ${safeText(queue)} changed`])
        return 0
      },
    }),
    brokerCommand({
      verb: 'pause',
      args: 'QUEUE…',
      summary: 'nothing is handed out until resume; messages still come in; lasts over a restart',
      run: async ({ args, connection: { client }, io }) => {
        for (const queue of args) {
          await client.call(pauseQueue, { params: { ...VHOST, queue } })
          printLines(io, [`queue ${safeText(queue)} paused`])
        }
        return 0
      },
    }),
    brokerCommand({
      verb: 'resume',
      args: 'QUEUE…',
      summary: 'goes on handing out',
      run: async ({ args, connection: { client }, io }) => {
        for (const queue of args) {
          await client.call(resumeQueue, { params: { ...VHOST, queue } })
          printLines(io, [`queue ${safeText(queue)} resumed`])
        }
        return 0
      },
    }),
    brokerCommand({
      verb: 'purge',
      args: 'QUEUE…',
      summary: 'takes out all that waits; what consumers have stays',
      options: { ...YES_OPTION },
      json: 'lines',
      run: async (input) => {
        for (const queue of input.args) await purge(queue, input)
        return 0
      },
    }),
    brokerCommand({
      verb: 'delete',
      args: 'QUEUE…',
      summary: 'deletes queues with all that is in them',
      options: {
        'if-empty': { type: 'boolean', summary: 'only when nothing is in it' },
        'if-unused': { type: 'boolean', summary: 'only when nobody reads from it' },
        ...YES_OPTION,
      },
      json: 'lines',
      run: async (input) => {
        const { args, values, connection, io } = input
        for (const queue of args) {
          const params = { ...VHOST, queue }
          const { readyCount, inflightCount } = await connection.client.call(getQueue, { params })
          await confirm(
            `delete queue '${safeText(queue)}' with ${several(readyCount + inflightCount, 'message')}`,
            input,
          )
          const query = { ifEmpty: values['if-empty'], ifUnused: values['if-unused'] }
          const gone = await connection.client.call(deleteQueue, { params, query })
          if (values.json === true) printJsonLines(io, [{ queue, ...gone }])
          else printLines(io, [`queue ${safeText(queue)} deleted with ${several(gone.count, 'message')}`])
        }
        return 0
      },
    }),
  ],
}
