/** `ternmq can`: whether a user may do something, and which rule says so. */
import { can as canCall, type CanAnswer } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { printJson, printLines } from '../cli/output.ts'
import { styleOf } from '../cli/style.ts'
import { row } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { UsageError } from '../errors.ts'
import { PROFILES, PROTOCOLS } from './resolve.ts'

const ACTIONS = ['publish', 'subscribe', 'browse', 'admin'] as const
const SUMMARY = 'whether a user may do something with an address, and which rule says so'

export const can: Noun = {
  name: 'can',
  summary: SUMMARY,
  commands: [
    brokerCommand({
      verb: '',
      args: 'USER ACTION ADDRESS',
      summary: SUMMARY,
      detail: `USER is a name, or anonymous; ACTION is publish, subscribe, browse or admin. Ends with 1 when it is not allowed.`,
      json: 'document',
      options: {
        protocol: {
          type: 'string',
          choices: PROTOCOLS,
          summary: 'how ADDRESS is written; rest (queue://orders) when left out',
        },
        profile: { type: 'string', choices: PROFILES, summary: 'whose clients the listener is for' },
        client: { type: 'string', value: 'ID', summary: 'client id, for rules with %c' },
      },
      run: async ({ args: [user, text, address], values, connection: { client }, io }) => {
        const action = ACTIONS.find((each) => each === text)
        if (action === undefined) throw new UsageError(`'${text}' is no ACTION; there are ${ACTIONS.join(', ')}`)
        const { protocol, profile, client: clientId } = values
        const query = { user, action, address, protocol, profile, clientId }
        const answer = await client.call(canCall, { params: VHOST, query })
        if (values.json === true) printJson(io, answer)
        else {
          const { green, red } = styleOf(io)
          printLines(io, linesOf(answer, answer.allowed ? green('yes') : red('no')))
        }
        return answer.allowed ? 0 : 1
      },
    }),
  ],
}

function linesOf({ rule, address, others, notes }: CanAnswer, verdict: string): string[] {
  return [
    row('allowed', verdict),
    row('address', safeText(address)),
    row('rule', safeText(rule)),
    ...others.map(({ rule: other, because }) => row('not', `${safeText(other)}: ${safeText(because)}`)),
    ...notes.map((note) => row('note', safeText(note))),
  ]
}
