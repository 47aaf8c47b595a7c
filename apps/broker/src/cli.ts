#!/usr/bin/env node
/** The `ternmq` command. Exit codes: 0 done, 1 failed, 2 not understood, 3 the store failed while a broker ran. */
import { startedAs } from './as-started.ts'
import { complain, type ConsoleIo } from './console-io.ts'
import { messageOf, UsageError } from './errors.ts'
import { VERSION } from './version.ts'

const HELP = `Usage: ternmq COMMAND [OPTION…]

  start              run a broker
  config             look at a configuration: check, print, schema
  user               who may log in: add, passwd, remove, list
  resolve            what an address means in a protocol, and how others write it
  store              messages and sessions on disk: inspect, verify, backup, restore
  version            print the version

'ternmq COMMAND --help' tells more about one of them. In a clone of the repository, ternmq is \`npm run -s ternmq --\`.
`

/** Commands with a help of their own. */
const COMMANDS = ['start', 'config', 'user', 'resolve', 'store']

/** A command loads what it needs: nobody waits for a broker's parts to see the version. */
async function main(args: readonly string[], io: ConsoleIo): Promise<number> {
  const [command, ...rest] = args
  switch (command) {
    case 'start':
      return (await import('./commands/start.ts')).start(rest, io)
    case 'config':
      return (await import('./commands/config.ts')).config(rest, io)
    case 'user':
      return (await import('./commands/user.ts')).user(rest, io)
    case 'resolve':
      return (await import('./commands/resolve.ts')).resolve(rest, io)
    case 'store':
      return (await import('./commands/store.ts')).store(rest, io)
    case 'version':
    case '--version':
      io.stdout.write(`${VERSION}\n`)
      return 0
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      io.stdout.write(HELP)
      return 0
    default:
      throw new UsageError(`there is no command '${command}'`)
  }
}

const { argv, env, stdin, stdout, stderr } = process
const args = argv.slice(2)
const io: ConsoleIo = { stdin, stdout, stderr, env, started: startedAs(argv, env) }
try {
  process.exit(await main(args, io))
} catch (error) {
  const isUsage = error instanceof UsageError
  const known = COMMANDS.filter((name) => name === args[0])
  const help = ['ternmq', ...known, '--help'].join(' ')
  complain(io, isUsage ? [`${error.message} (see \`${help}\`)`] : messageOf(error).split('\n'))
  process.exit(isUsage ? 2 : 1)
}
