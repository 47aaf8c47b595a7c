/** `ternmq tokens …`: logins of scripts. */
import { createToken, deleteToken, listTokens, type Scope, type TokenItem } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { several, timeText } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, printItems, printJson, printLines } from '../cli/output.ts'
import { durationMs, listed } from '../cli/parse.ts'
import { safeText } from '../cli/text.ts'
import { UsageError } from '../errors.ts'

const SCOPES = ['read', 'operate', 'admin', 'messages'] as const satisfies readonly Scope[]

export const tokens: Noun = {
  name: 'tokens',
  summary: 'logins of scripts to the API: list, create, remove',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: "tokens of the caller; over the socket, and for administrators, everybody's",
      json: 'lines',
      options: { of: { type: 'string', value: 'USER', summary: 'only those of a user' }, ...LIMIT_OPTION },
      run: async (input) => {
        const { items } = await input.connection.client.call(listTokens, { query: { user: input.values.of } })
        return printItems(input, items, LISTING)
      },
    }),
    brokerCommand({
      verb: 'create',
      args: 'NAME',
      summary: 'makes a token and prints it, this once',
      detail: 'Its scopes are read, operate, admin and messages; it can do no more than its user.',
      json: 'document',
      options: {
        for: { type: 'string', value: 'USER', summary: 'whose it is; needed over the socket in the data directory' },
        scope: {
          type: 'string',
          multiple: true,
          value: 'SCOPE',
          summary: 'read, operate, admin, messages; several with commas',
        },
        expires: { type: 'string', value: 'TIME', summary: 'it ends after so long: 12h, 90d; never when left out' },
      },
      run: async ({ args: [name], values, connection, io }) => {
        const scopes = scopesOf(values.scope)
        const inMs = durationMs('expires', values.expires)
        if (values.for === undefined && connection.isLocal)
          throw new UsageError(
            'whose token is it? give --for USER: over the socket in the data directory there is no user',
          )
        const body = { name, user: values.for, scopes, expiresAtMs: inMs === undefined ? undefined : Date.now() + inMs }
        const made = await connection.client.call(createToken, { body })
        if (values.json === true) printJson(io, made)
        else printLines(io, [made.token])
        return 0
      },
    }),
    brokerCommand({
      verb: 'remove',
      args: 'ID…',
      summary: 'takes tokens back at once',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        await confirm(`take back ${several(args.length, 'token')}`, input)
        for (const id of args) {
          await connection.client.call(deleteToken, { params: { id } })
          printLines(io, [`token ${safeText(id)} removed`])
        }
        return 0
      },
    }),
  ],
}

function scopesOf(texts: readonly string[] | undefined): readonly Scope[] {
  const given = listed(texts) ?? []
  if (given.length === 0) throw new UsageError(`what may it do? give --scope: ${SCOPES.join(', ')}`)
  return given.map((text) => {
    const scope = SCOPES.find((each) => each === text)
    if (scope === undefined) throw new UsageError(`--scope is '${text}'; it is one of ${SCOPES.join(', ')}`)
    return scope
  })
}

const LISTING: Listing<TokenItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'NAME', value: ({ name }) => name, cut: true },
    { title: 'USER', value: ({ user }) => user, cut: true },
    { title: 'SCOPES', value: ({ scopes }) => scopes.join(', ') },
    { title: 'CREATED', value: ({ createdAtMs }) => timeText(createdAtMs), extra: true },
    { title: 'EXPIRES', value: ({ expiresAtMs }) => (expiresAtMs === undefined ? 'never' : timeText(expiresAtMs)) },
    { title: 'LAST USED', value: ({ lastUsedAtMs }) => timeText(lastUsedAtMs), extra: true },
  ],
  name: ({ id }) => id,
  none: 'no tokens',
}
