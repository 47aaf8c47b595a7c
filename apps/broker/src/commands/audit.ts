/** `ternmq audit`: who has changed what. */
import { type AuditItem, listAudit } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { timeText } from '../cli/format.ts'
import { type Listing, printItems } from '../cli/output.ts'
import { wholeNumber } from '../cli/parse.ts'
import { TIME_OPTIONS, timeQueryOf } from '../cli/times.ts'

const SUMMARY = 'logins, refusals and every change that was made, the newest first'
const LIMIT_DEFAULT = '100'

export const audit: Noun = {
  name: 'audit',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: '',
      summary: SUMMARY,
      json: 'lines',
      options: {
        of: { type: 'string', value: 'USER', summary: 'only what a user did' },
        action: { type: 'string', value: 'ACTION', summary: 'only one action, such as queues.purge or login' },
        outcome: { type: 'string', choices: ['done', 'refused', 'failed'], summary: 'only what ended so' },
        query: { type: 'string', short: 'q', value: 'TEXT', summary: 'only what has this text' },
        ...TIME_OPTIONS,
        limit: { type: 'string', value: 'N', summary: `so many at most; ${LIMIT_DEFAULT} when left out` },
      },
      run: async (input) => {
        const { of: user, action, outcome, query: q, since, until } = input.values
        const limit = wholeNumber('limit', input.values.limit ?? LIMIT_DEFAULT)
        const query = { user, action, outcome, q, limit, ...timeQueryOf({ since, until }, Date.now()) }
        const { items } = await input.connection.client.call(listAudit, { query })
        return printItems(input, items, LISTING)
      },
    }),
  ],
}

const LISTING: Listing<AuditItem> = {
  columns: [
    { title: 'AT', value: ({ atMs }) => timeText(atMs) },
    { title: 'USER', value: ({ user }) => user, cut: true },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'TARGET', value: ({ target }) => target, cut: true },
    { title: 'OUTCOME', value: ({ outcome }) => outcome },
    { title: 'FROM', value: ({ address, by }) => (address === '' ? by : address), extra: true },
    { title: 'DETAIL', value: ({ detail }) => detail, cut: true },
  ],
  name: ({ id }) => String(id),
  none: 'nothing in the audit log',
}
