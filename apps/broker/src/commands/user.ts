/** `ternmq user …`: who may log in. */
import { loadConfig } from '@ternmq/config'

import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { UsageError } from '../errors.ts'
import { promptPassword, readPassword } from '../password-input.ts'
import type { ListedUser, UserRequest } from '../user-admin.ts'
import { requestUsers } from '../user-client.ts'

const HELP = `Usage: ternmq user add|passwd|remove NAME [OPTION…]
       ternmq user list [OPTION…]

  add NAME               a new user; the password is asked for at the terminal
  passwd NAME            another password; connections that exist stay
  remove NAME            the user is gone, and connections and sessions of that name with it
  list                   who there is and how they may log in

Works while a broker runs on the data directory and while none does.

  --password-stdin       the password is standard input, without a line break at its end
  --no-password          no password: a user who shows a client certificate
${CONFIG_OPTIONS_HELP}
`

export async function user(args: readonly string[], io: ConsoleIo): Promise<number> {
  const { values, positionals } = parse(
    args,
    { ...CONFIG_OPTIONS, 'password-stdin': { type: 'boolean' }, 'no-password': { type: 'boolean' } },
    2,
  )
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const [action, name] = positionals
  const hasName = name !== undefined
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
  } else if ((action === 'add' || action === 'passwd') && hasName) {
    const password = await passwordFor(name, values, io)
    await ask({ op: `user.${action}`, name, password: password && Buffer.from(password).toString('base64') })
    io.stdout.write(action === 'add' ? `user ${name} added\n` : `password of ${name} changed\n`)
  } else {
    throw new UsageError(usageProblem(action, hasName))
  }
  return 0
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
  if (action === undefined) return 'what about users? add, passwd, remove or list'
  if (action === 'list') return '`user list` takes no name'
  if (['add', 'passwd', 'remove'].includes(action) && !hasName) return `\`user ${action}\` needs a name`
  return `there is no \`user ${action}\`; there are add, passwd, remove and list`
}

/** One line, its parts divided by tabs: a name may hold spaces. */
function describe({ name, password, scram, changedAtMs }: ListedUser): string {
  const ways = [...(password ? ['password'] : []), ...(scram ? ['SCRAM-SHA-256'] : [])]
  const login = ways.length === 0 ? 'client certificate only' : ways.join(', ')
  return `${name}\t${login}\tset ${new Date(changedAtMs).toISOString()}`
}
