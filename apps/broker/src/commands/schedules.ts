/** `ternmq schedules …`: messages that are to be sent later, or again and again. */
import { cancelSchedule, listSchedules, type ScheduleItem } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { durationText, several, timeText } from '../cli/format.ts'
import { LIST_OPTIONS, type Listing, listQueryOf, printLines, printPages } from '../cli/output.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'

export const schedules: Noun = {
  name: 'schedules',
  summary: 'messages that are to be sent later, or again and again: list, cancel',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'what is to be sent, and when',
      json: 'lines',
      options: { ...LIST_OPTIONS },
      run: async (input) => {
        const pages = input.connection.client.pages(listSchedules, { params: VHOST, query: listQueryOf(input.values) })
        return printPages(input, pages, LISTING)
      },
    }),
    brokerCommand({
      verb: 'cancel',
      args: 'ID…',
      summary: 'takes back what was to be sent; the message is gone',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        await confirm(`cancel ${several(args.length, 'schedule')} and forget what was to be sent`, input)
        for (const id of args) {
          await connection.client.call(cancelSchedule, { params: { ...VHOST, id } })
          printLines(io, [`schedule ${safeText(id)} cancelled`])
        }
        return 0
      },
    }),
  ],
}

const LISTING: Listing<ScheduleItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'ADDRESS', value: ({ address }) => address, cut: true },
    { title: 'NEXT', value: ({ nextAtMs }) => timeText(nextAtMs) },
    { title: 'REPEATS', value: repeatText },
    { title: 'USER', value: ({ user }) => user, cut: true, extra: true },
    { title: 'DURABLE', value: ({ durable }) => (durable ? 'yes' : 'no'), extra: true },
  ],
  name: ({ id }) => id,
  none: 'nothing is to be sent later',
}

function repeatText({ cron, periodMs, left }: ScheduleItem): string {
  const times = left === null ? 'without end' : several(left, 'time')
  if (cron !== '') return `cron ${cron}, ${times}`
  return periodMs === 0 ? 'once' : `every ${durationText(periodMs)}, ${times}`
}
