#!/usr/bin/env node
/** The `ternmq` command. Exit codes: 0 done, 1 failed, 2 not understood, 3 the store failed while a broker ran. */
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

'ternmq COMMAND --help' tells more about one of them.
`

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
    case 'help':
    case '--help':
    case '-h':
      io.stdout.write(HELP)
      return 0
    case undefined:
      io.stderr.write(HELP)
      return 2
    default:
      throw new UsageError(`there is no command '${command}'`)
  }
}

const io: ConsoleIo = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env }
try {
  process.exit(await main(process.argv.slice(2), io))
} catch (error) {
  const isUsage = error instanceof UsageError
  complain(io, isUsage ? [`${error.message} (see ternmq --help)`] : messageOf(error).split('\n'))
  process.exit(isUsage ? 2 : 1)
}
