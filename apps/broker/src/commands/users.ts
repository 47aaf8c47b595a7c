/** `ternmq users …`: who may log in. While a broker runs, and while none does. */
import { deleteUser, listUsers, putUser, type UserBody, type UserItem } from '@ternmq/api'
import type { ApiClient } from '@ternmq/api/client'
import { command, type CommonOptions, type Noun, type Values } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import type { ConnectionInput } from '../cli/connection.ts'
import { countText, several, timeText } from '../cli/format.ts'
import { inBrokerOrOffline } from '../cli/in-broker-or-offline.ts'
import {
  LIST_OPTIONS,
  type Listing,
  listQueryOf,
  printItems,
  printJson,
  printLines,
  printPages,
} from '../cli/output.ts'
import { safeText } from '../cli/text.ts'
import type { ConsoleIo } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'
import { promptPassword, readPassword, toPasswordText } from '../users/password-input.ts'

const ROLES = ['viewer', 'operator', 'administrator'] as const

const PASSWORD_OPTIONS = {
  'password-stdin': {
    type: 'boolean',
    summary: 'the new password is standard input, without a line break at its end; else it is asked for',
  },
  'no-password': { type: 'boolean', summary: 'no password: a user who shows a client certificate' },
} as const

const ACCESS_OPTIONS = {
  role: {
    type: 'string',
    value: 'ROLE',
    choices: [...ROLES, 'none'],
    summary: 'what the user may do in the console and with commands',
  },
  group: {
    type: 'string',
    multiple: true,
    value: 'GROUP',
    summary: 'group that the user is in; all of them are given',
  },
} as const

export const users: Noun = {
  name: 'users',
  summary: 'who may log in: list, add, passwd, set, remove',
  commands: [
    command({
      verb: 'list',
      args: '',
      summary: 'who there is, how they may log in, their role and groups',
      json: 'lines',
      options: {
        group: { type: 'string', value: 'GROUP', summary: 'only those in it' },
        ...LIST_OPTIONS,
      },
      asks: 'broker',
      run: (input) => {
        const query = { ...listQueryOf(input.values), group: input.values.group }
        return inBrokerOrOffline(input, {
          inBroker: (client) => printPages(input, client.pages(listUsers, { query }), LISTING),
          offline: async (dataDir, config) => {
            const { openOfflineUsers } = await import('../users/offline-users.ts')
            return printItems(input, (await openOfflineUsers(dataDir, config)).items(query), LISTING)
          },
        })
      },
    }),
    command({
      verb: 'add',
      args: 'NAME',
      summary: 'a new user',
      json: 'document',
      options: { ...PASSWORD_OPTIONS, ...ACCESS_OPTIONS },
      asks: 'broker',
      run: async (input) => {
        const { args, values } = input
        const [name] = args
        const password = await passwordFor(name, values, input.io)
        const body = { password, ...accessOf(values) }
        return put(input, name, body, 'ifNew', `user ${safeText(name)} added`)
      },
    }),
    command({
      verb: 'passwd',
      args: 'NAME',
      summary: 'another password; connections and tokens that exist stay, logins to the console end',
      options: PASSWORD_OPTIONS,
      json: 'document',
      asks: 'broker',
      run: async (input) => {
        const [name] = input.args
        const password = await passwordFor(name, input.values, input.io)
        return put(input, name, { password }, 'ifKnown', `password of ${safeText(name)} changed`, tokensLeft)
      },
    }),
    command({
      verb: 'set',
      args: 'NAME',
      summary: 'another role, other groups; they count at once',
      json: 'document',
      options: { ...ACCESS_OPTIONS, 'no-groups': { type: 'boolean', summary: 'the user is in no group' } },
      asks: 'broker',
      run: async (input) => {
        const { args, values } = input
        const { 'no-groups': noGroups = false, group, role } = values
        if (group !== undefined && noGroups) throw new UsageError('--group and --no-groups exclude one another')
        if (group === undefined && role === undefined && !noGroups)
          throw new UsageError('`users set` needs --role, --group or --no-groups')
        const body = { ...accessOf(values), ...(noGroups && { groups: [] }) }
        return put(input, args[0], body, 'ifKnown', `user ${safeText(args[0])} changed`)
      },
    }),
    command({
      verb: 'remove',
      args: 'NAME',
      summary: 'the user is gone, with connections, sessions and tokens of that name',
      options: { ...YES_OPTION },
      asks: 'broker',
      run: async (input) => {
        const [name] = input.args
        await confirm(`remove user '${safeText(name)}' with connections, sessions and tokens`, input)
        await inBrokerOrOffline<unknown>(input, {
          inBroker: (client) => client.call(deleteUser, { params: { name } }),
          offline: async (dataDir, config) => {
            const { openOfflineUsers } = await import('../users/offline-users.ts')
            await (await openOfflineUsers(dataDir, config)).admin.remove(name)
          },
        })
        printLines(input.io, [`user ${safeText(name)} removed`])
        return 0
      },
    }),
  ],
}

const LISTING: Listing<UserItem> = {
  columns: [
    { title: 'NAME', value: ({ name }) => name, cut: true },
    { title: 'LOGIN', value: loginText },
    { title: 'ROLE', value: ({ role }) => role ?? '' },
    { title: 'GROUPS', value: ({ groups }) => groups.join(', '), cut: true },
    { title: 'CHANGED', value: ({ changedAtMs }) => timeText(changedAtMs), extra: true },
    { title: 'CONNECTIONS', value: ({ connectionCount }) => countText(connectionCount), right: true, extra: true },
  ],
  name: ({ name }) => name,
  none: 'no users',
}

function loginText({ password, scram }: UserItem): string {
  const ways = [...(password ? ['password'] : []), ...(scram ? ['SCRAM-SHA-256'] : [])]
  return ways.length === 0 ? 'client certificate only' : ways.join(', ')
}

/** A new password does not end them: whoever changes it because it is known to others must hear of them. */
function tokensLeft({ name, tokenCount }: UserItem): string[] {
  if (tokenCount === 0) return []
  const list = `\`ternmq tokens list --of ${safeText(name)}\``
  if (tokenCount === undefined) return [`tokens of ${safeText(name)} stay good; ${list} has them when the broker runs`]
  return [
    `${several(tokenCount, 'token')} of ${safeText(name)} ${tokenCount === 1 ? 'stays' : 'stay'} good: ${list} has ${
      tokenCount === 1 ? 'it' : 'them'
    }, \`ternmq tokens remove ID\` takes one back`,
  ]
}

/** Makes or changes a user, and prints it, or `done` and what there is to say besides. */
async function put(
  input: ConnectionInput & { readonly values: { readonly json?: boolean | undefined } },
  name: string,
  body: UserBody,
  only: 'ifNew' | 'ifKnown',
  done: string,
  besides: (item: UserItem) => readonly string[] = () => [],
): Promise<number> {
  const item = await inBrokerOrOffline<UserItem>(input, {
    inBroker: (client: ApiClient) => client.call(putUser, { params: { name }, query: { [only]: true }, body }),
    offline: async (dataDir, config) => {
      const { openOfflineUsers } = await import('../users/offline-users.ts')
      return (await openOfflineUsers(dataDir, config)).put(name, body, only === 'ifNew' ? 'new' : 'known')
    },
  })
  if (input.values.json === true) printJson(input.io, item)
  else printLines(input.io, [done, ...besides(item)])
  return 0
}

/** null: there is none. Throws UsageError, BrokerError. */
async function passwordFor(
  name: string,
  values: Values<typeof PASSWORD_OPTIONS & Pick<CommonOptions, 'user'>>,
  io: ConsoleIo,
): Promise<string | null> {
  const { 'no-password': noPassword = false, 'password-stdin': isPiped = false } = values
  if (noPassword && isPiped) throw new UsageError('--no-password and --password-stdin exclude one another')
  if (isPiped && values.user !== undefined)
    throw new UsageError('standard input is the new password: log in with --token or TERNMQ_TOKEN in place of --user')
  if (noPassword) return null
  return toPasswordText(isPiped ? await readPassword(io.stdin) : await promptPassword(io, name))
}

function accessOf({ role, group }: Values<typeof ACCESS_OPTIONS>): Pick<UserBody, 'role' | 'groups'> {
  return { role: role === 'none' ? null : role, groups: group }
}
