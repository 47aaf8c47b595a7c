/** `ternmq dlq …`: what could not be delivered. */
import { type DeadLetterGroup, type DeadLetterQueue, listDeadLetters } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText, several, timeText } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, printItems, printJsonLines } from '../cli/output.ts'
import { VHOST } from '../cli/vhost.ts'
import { ACTION_OPTIONS, act, TARGET_OPTIONS } from './message-actions.ts'

export const deadLetters: Noun = {
  name: 'dlq',
  summary: 'what could not be delivered: list by cause, retry, delete',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'queues of dead letters, with why they died and where they were',
      json: 'lines',
      options: { ...LIMIT_OPTION },
      run: async (input) => {
        const { connection, values, io } = input
        const { items } = await connection.client.call(listDeadLetters, { params: VHOST })
        if (values.json !== true) return printItems(input, items.flatMap(rowsOf), LISTING)
        printJsonLines(io, items)
        return 0
      },
    }),
    brokerCommand({
      verb: 'retry',
      args: 'QUEUE [ID…]',
      summary: 'dead letters go back to where they came from, or to another queue',
      json: 'document',
      options: {
        to: { type: 'string', value: 'QUEUE', summary: 'in place of where they came from' },
        ...TARGET_OPTIONS,
      },
      run: (input) => {
        const [queue, ...ids] = input.args
        return act({ action: 'retry', queue, target: input.values.to, ids }, input)
      },
    }),
    brokerCommand({
      verb: 'delete',
      args: 'QUEUE [ID…]',
      summary: 'deletes dead letters',
      json: 'document',
      options: { ...ACTION_OPTIONS },
      run: (input) => {
        const [queue, ...ids] = input.args
        return act({ action: 'delete', queue, target: undefined, ids }, input)
      },
    }),
  ],
}

interface Row extends Partial<DeadLetterGroup> {
  readonly queue: string
  /** Of the whole queue, in the first of its rows. */
  readonly readyCount?: number
}

function rowsOf({ queue, readyCount, groups }: DeadLetterQueue): Row[] {
  if (groups.length === 0) return [{ queue, readyCount }]
  const rows: Row[] = groups.map((group, index) => ({ queue, ...(index === 0 && { readyCount }), ...group }))
  const leftCount = groups.reduce((left, { count }) => left - count, readyCount)
  if (leftCount > 0) rows.push({ queue, count: leftCount, reason: '(in no group, or not looked at)' })
  return rows
}

const LISTING: Listing<Row> = {
  columns: [
    { title: 'QUEUE', value: ({ queue }) => queue, cut: true },
    { title: 'READY', value: ({ readyCount }) => countOrNone(readyCount), right: true },
    { title: 'SUCH', value: ({ count }) => countOrNone(count), right: true },
    { title: 'CAUSE', value: ({ cause = '' }) => cause },
    { title: 'CAME FROM', value: ({ originalQueue = '' }) => originalQueue, cut: true },
    { title: 'OLDEST', value: ({ oldestAtMs }) => timeText(oldestAtMs), extra: true },
    { title: 'REASON', value: reasonText, cut: true },
  ],
  name: ({ queue }) => queue,
  none: 'no queue takes dead letters',
}

function countOrNone(count: number | undefined): string {
  return count === undefined ? '' : countText(count)
}

function reasonText({ reason = '', otherReasonsCount }: Row): string {
  return otherReasonsCount === undefined ? reason : `(${several(otherReasonsCount, 'other reason')})`
}
