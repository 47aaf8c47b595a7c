/** `ternmq operations …`: long work of the broker. */
import { cancelOperation, getOperation, listOperations, type OperationItem, resumeOperation } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText, timeText } from '../cli/format.ts'
import { follow, outcomeText } from '../cli/operation.ts'
import { LIMIT_OPTION, type Listing, printItems, printJson, printLines } from '../cli/output.ts'

export const operations: Noun = {
  name: 'operations',
  summary: 'long work, such as moves of many messages: list, show, cancel, resume',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'what runs, the last hundred that ended, and what a restart cut off; the newest first',
      json: 'lines',
      options: { ...LIMIT_OPTION },
      run: async (input) => printItems(input, (await input.connection.client.call(listOperations)).items, LISTING),
    }),
    brokerCommand({
      verb: 'show',
      args: 'ID',
      summary: 'how far one has got',
      json: 'document',
      run: async ({ args: [id], values, connection: { client }, io }) => {
        const item = await client.call(getOperation, { params: { id } })
        if (values.json === true) printJson(io, item)
        else printLines(io, [outcomeText(item)])
        return 0
      },
    }),
    brokerCommand({
      verb: 'cancel',
      args: 'ID',
      summary: 'stops one where it is; what is done stays done',
      json: 'document',
      run: async ({ args: [id], values, connection: { client }, io }) => {
        const item = await client.call(cancelOperation, { params: { id } })
        if (values.json === true) printJson(io, item)
        else printLines(io, [outcomeText(item)])
        return 0
      },
    }),
    brokerCommand({
      verb: 'resume',
      args: 'ID',
      summary: 'goes on with one that stopped, failed, was cancelled or was cut off, to its end',
      json: 'document',
      run: async ({ args: [id], values, connection: { client }, io }) =>
        follow(await client.call(resumeOperation, { params: { id } }), { io, client, values }),
    }),
  ],
}

const LISTING: Listing<OperationItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'QUEUE', value: ({ queue }) => queue, cut: true },
    { title: 'TARGET', value: ({ target = '' }) => target, cut: true },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'DONE', value: ({ doneCount }) => countText(doneCount), right: true },
    { title: 'OF', value: ({ total }) => (total === undefined ? '' : countText(total)), right: true },
    { title: 'BY', value: ({ user }) => user, cut: true, extra: true },
    { title: 'BEGAN', value: ({ startedAtMs }) => timeText(startedAtMs), extra: true },
    { title: 'REASON', value: ({ reason = '' }) => reason, cut: true, extra: true },
  ],
  name: ({ id }) => id,
  none: 'no operations',
}
