/** Finds the command, runs it, and says what went wrong. Exit codes: 0 done, 1 failed or refused, 2 not understood, 3 no broker, 141 nobody reads any more. */
import { ApiProblem } from '@ternmq/api/client'
import { nearest } from '@ternmq/config/nearest'
import { startedAs } from '../process/as-started.ts'
import { type NounEntry, NOUNS } from '../commands/index.ts'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { BrokerUnreachable, messageOf, UsageError } from '../errors.ts'
import { VERSION } from '../version.ts'
import { type AnyCommand, type Noun, wordsOf } from './command.ts'
import { helpOfAll, helpOfCommand, helpOfNoun } from './help.ts'
import { OTHER_NOUNS, OTHER_VERBS } from './other-words.ts'
import { parseCommand } from './parse.ts'
import { OutputLost, StandardOutput } from './standard-output.ts'

/** Runs what the command line says. Resolves with the exit code; never rejects. */
export async function runCommandLine(process: NodeJS.Process): Promise<number> {
  const { argv, env, stdin, stdout, stderr } = process
  stderr.on('error', () => {}) // nobody is left to be told
  const io: ConsoleIo = { stdin, stdout: new StandardOutput(stdout), stderr, env, started: startedAs(argv, env) }
  return runCommand(argv.slice(2), io)
}

export async function runCommand(args: readonly string[], io: ConsoleIo): Promise<number> {
  const words = { help: 'ternmq --help' }
  try {
    const code = await run(args, io, words)
    await io.stdout.written()
    return code
  } catch (error) {
    return told(error, words.help, io)
  }
}

/** `words` gets the help that fits as far as the command is understood. */
async function run(args: readonly string[], io: ConsoleIo, words: { help: string }): Promise<number> {
  const [name = 'help', ...rest] = args
  if (HELP_WORDS.has(name)) return printHelp(rest, io)
  const noun = await entryOf(name === '--version' ? 'version' : name).load()
  words.help = `ternmq ${noun.name} --help`
  const found = commandOf(noun, rest)
  if (found === undefined) {
    io.stdout.write(helpOfNoun(noun))
    return 0
  }
  const called = wordsOf(noun, found.command)
  words.help = `ternmq ${called} --help`
  const { args: positionals, values } = parseCommand(found.rest, found.command, called)
  if (values['help'] === true) {
    io.stdout.write(helpOfCommand(noun, found.command))
    return 0
  }
  return found.command.run({ args: positionals, values, io })
}

/** Why `args` is not understood; undefined when it is. Nothing is run: what values mean is a command's own to say. */
export async function commandLineFault(args: readonly string[]): Promise<string | undefined> {
  const [name = 'help', ...rest] = args
  if (HELP_WORDS.has(name)) return undefined
  try {
    const noun = await entryOf(name).load()
    const found = commandOf(noun, rest)
    if (found !== undefined) parseCommand(found.rest, found.command, wordsOf(noun, found.command))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

const HELP_WORDS: ReadonlySet<string> = new Set(['help', '--help', '-h'])

async function printHelp(words: readonly string[], io: ConsoleIo): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined) io.stdout.write(helpOfAll(NOUNS))
  else io.stdout.write(helpOf(await entryOf(name).load(), rest))
  return 0
}

function helpOf(noun: Noun, [verb]: readonly string[]): string {
  if (verb === undefined || noun.commands[0]?.verb === '') return helpOfNoun(noun)
  const found = commandOf(noun, [verb])
  return found === undefined ? helpOfNoun(noun) : helpOfCommand(noun, found.command)
}

function entryOf(name: string): NounEntry {
  const entry = NOUNS.find((each) => each.name === name)
  if (entry !== undefined) return entry
  if (name.startsWith('-'))
    throw new UsageError(`'${name}' comes after the command: ternmq COMMAND ${name}; --help and --version stand alone`)
  const names = [...NOUNS.map((noun) => noun.name), 'help']
  throw new UsageError(`there is no command '${name}'${meantBy(name, names, OTHER_NOUNS.get(name))}`)
}

/** '; did you mean status?', or nothing. What is `called` so elsewhere is likelier than a slip. */
function meantBy(word: string, known: readonly string[], called: string | undefined): string {
  const meant = called ?? nearest(word, known)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

/** Undefined when the help of the noun is asked for. Throws UsageError for a verb that it does not have. */
function commandOf(
  { name, commands }: Noun,
  args: readonly string[],
): { readonly command: AnyCommand; readonly rest: readonly string[] } | undefined {
  const [only] = commands
  if (commands.length === 1 && only?.verb === '') return { command: only, rest: args }
  const [verb, ...rest] = args
  if (verb === '--help' || verb === '-h') return undefined
  const command = commands.find((each) => each.verb === verb)
  if (command !== undefined) return { command, rest }
  const verbs = commands.map((each) => each.verb)
  const list = `${verbs.slice(0, -1).join(', ')} and ${verbs.at(-1)}`
  if (verb === undefined) throw new UsageError(`\`${name}\` needs a word for what to do: there are ${list}`)
  const called = OTHER_VERBS.get(verb)?.find((other) => verbs.includes(other))
  throw new UsageError(`there is no \`${name} ${verb}\`${meantBy(verb, verbs, called) || `; there are ${list}`}`)
}

const FAILED = 1
const NOT_UNDERSTOOD = 2
const UNREACHABLE = 3
/** As a shell tells of what SIGPIPE ended: 128 and its number. */
const READER_GONE = 141

function told(error: unknown, help: string, io: ConsoleIo): number {
  if (error instanceof UsageError) {
    complain(io, [`${error.message} (see \`${help}\`)`])
    return NOT_UNDERSTOOD
  }
  if (error instanceof OutputLost && error.isReaderGone) return READER_GONE
  complain(io, linesOf(error))
  return error instanceof BrokerUnreachable ? UNREACHABLE : FAILED
}

/** What to do about a refusal, where only whoever gives a command can do it. */
const ADVICE: Readonly<Partial<Record<string, string>>> = {
  LOGIN_REFUSED: '`ternmq users passwd NAME` on the machine of the broker sets another password',
  NOT_LOGGED_IN: '`ternmq tokens create NAME` on the machine of the broker makes a token',
  // Commands call what there is in their own version.
  ROUTE_UNKNOWN: `the broker is of another version than this command, ${VERSION}: \`ternmq status\` tells which; use the command of that version`,
}

function linesOf(error: unknown): string[] {
  const isProblem = error instanceof ApiProblem
  const { detail, others = [] } = isProblem ? error.problem : { detail: messageOf(error) }
  const advice = isProblem ? ADVICE[error.problem.code] : undefined
  return [advice === undefined ? detail : `${detail}; ${advice}`, ...others.map((other) => other.detail)].flatMap(
    (text) => text.split(/\r?\n/),
  )
}
