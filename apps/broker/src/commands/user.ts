/** `ternmq user …`: who may log in. */
import { type Role, ROLES, type UserAccess } from '@ternmq/auth'
import { loadConfig } from '@ternmq/config'

import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { UsageError } from '../errors.ts'
import { promptPassword, readPassword } from '../password-input.ts'
import type { ListedUser, UserRequest } from '../user-admin.ts'
import { requestUsers } from '../user-client.ts'

const HELP = `Usage: ternmq user add|passwd|set|remove NAME [OPTION…]
       ternmq user list [OPTION…]

  add NAME               a new user; the password is asked for at the terminal
  passwd NAME            another password; connections that exist stay
  set NAME               another role, other groups; they count at once
  remove NAME            the user is gone, and connections and sessions of that name with it
  list                   who there is, how they may log in, their role and groups

Works while a broker runs on the data directory and while none does.

  --password-stdin       the password is standard input, without a line break at its end
  --no-password          no password: a user who shows a client certificate
  --role ROLE            of add and set: what the user may do in the console: viewer, operator, administrator, or none
  --group GROUP          of add and set: a group that the user is in, for rules; several times for several, which are all then
  --no-groups            of set: the user is in no group
${CONFIG_OPTIONS_HELP}
`

export async function user(args: readonly string[], io: ConsoleIo): Promise<number> {
  const { values, positionals } = parse(
    args,
    {
      ...CONFIG_OPTIONS,
      'password-stdin': { type: 'boolean' },
      'no-password': { type: 'boolean' },
      role: { type: 'string' },
      group: { type: 'string', multiple: true },
      'no-groups': { type: 'boolean' },
    },
    2,
  )
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const [action, name] = positionals
  const hasName = name !== undefined
  const access = accessOf(action, values)
  const loaded = loadConfig(loadOptionsOf(values, io))
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  const ask = (request: UserRequest): Promise<readonly ListedUser[]> => requestUsers(loaded.config, request)

  if (action === 'list' && !hasName) {
    for (const listed of await ask({ op: 'user.list' })) io.stdout.write(`${describe(listed)}\n`)
  } else if (action === 'remove' && hasName) {
    await ask({ op: 'user.remove', name })
    io.stdout.write(`user ${name} removed\n`)
  } else if (action === 'set' && hasName) {
    for (const listed of await ask({ op: 'user.set', name, ...access })) io.stdout.write(`${describe(listed)}\n`)
  } else if ((action === 'add' || action === 'passwd') && hasName) {
    const bytes = await passwordFor(name, values, io)
    const password = bytes && Buffer.from(bytes).toString('base64')
    await ask(action === 'add' ? { op: 'user.add', name, password, ...access } : { op: 'user.passwd', name, password })
    io.stdout.write(action === 'add' ? `user ${name} added\n` : `password of ${name} changed\n`)
  } else {
    throw new UsageError(usageProblem(action, hasName))
  }
  return 0
}

interface AccessOptions {
  readonly role?: string | undefined
  readonly group?: string[] | undefined
  readonly 'no-groups'?: boolean | undefined
}

/** What of a user is not a login, as the options say; empty for an action that has none of it. */
function accessOf(
  action: string | undefined,
  { role, group, 'no-groups': noGroups = false }: AccessOptions,
): UserAccess {
  const isGiven = role !== undefined || group !== undefined || noGroups
  if (action !== 'add' && action !== 'set') {
    if (isGiven) throw new UsageError('--role, --group and --no-groups belong to `user add` and `user set`')
    return {}
  }
  if (group !== undefined && noGroups) throw new UsageError('--group and --no-groups exclude one another')
  if (action === 'set' && !isGiven) throw new UsageError('`user set` needs --role, --group or --no-groups')
  return { role: role === undefined ? undefined : roleOf(role), groups: noGroups ? [] : group }
}

function roleOf(text: string): Role | null {
  const role = ROLES.find((each) => each === text)
  if (role === undefined && text !== 'none')
    throw new UsageError(`--role is '${text}'; ${ROLES.join(', ')} and none are there`)
  return role ?? null
}

interface PasswordOptions {
  readonly 'password-stdin'?: boolean | undefined
  readonly 'no-password'?: boolean | undefined
}

async function passwordFor(name: string, options: PasswordOptions, io: ConsoleIo): Promise<Uint8Array | undefined> {
  if (options['no-password'] === true) {
    if (options['password-stdin'] === true)
      throw new UsageError('--no-password and --password-stdin exclude one another')
    return undefined
  }
  return options['password-stdin'] === true ? readPassword(io.stdin) : promptPassword(io, name)
}

function usageProblem(action: string | undefined, hasName: boolean): string {
  if (action === undefined) return 'what about users? add, passwd, set, remove or list'
  if (action === 'list') return '`user list` takes no name'
  if (['add', 'passwd', 'set', 'remove'].includes(action) && !hasName) return `\`user ${action}\` needs a name`
  return `there is no \`user ${action}\`; there are add, passwd, set, remove and list`
}

/** One line, its parts divided by tabs: a name may hold spaces. */
function describe({ name, groups, role, password, scram, changedAtMs }: ListedUser): string {
  const ways = [...(password ? ['password'] : []), ...(scram ? ['SCRAM-SHA-256'] : [])]
  const login = ways.length === 0 ? 'client certificate only' : ways.join(', ')
  const parts = [name, login, `set ${new Date(changedAtMs).toISOString()}`]
  if (role !== undefined) parts.push(`role ${role}`)
  if (groups.length > 0) parts.push(`groups ${groups.join(', ')}`)
  return parts.join('\t')
}
