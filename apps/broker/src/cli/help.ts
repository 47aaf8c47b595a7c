/** The help of the command line, from its table. */
import {
  type AnyCommand,
  BROKER_OPTIONS,
  CONFIG_OPTIONS,
  HELP_OPTION,
  JSON_OPTION,
  type Noun,
  type Option,
  type Options,
  wordsOf,
} from './command.ts'
import { valueName } from './parse.ts'

/** Where the summaries begin. */
const COLUMN = 25

export function helpOfAll(nouns: ReadonlyArray<Pick<Noun, 'name' | 'summary'>>): string {
  const rows = nouns.map(({ name, summary }) => row(name, summary))
  return `Usage: ternmq COMMAND [ARGUMENT…] [OPTION…]

${rows.join('\n')}

'ternmq start' runs a broker here; 'ternmq status', in another terminal, asks how it is. 'ternmq COMMAND --help' tells more. In a clone
of the repository, ternmq is \`npm run -s ternmq --\`.

Commands that ask a broker find it in the data directory of the configuration (--data-dir, --config), or elsewhere with --url or TERNMQ_URL
and --token or TERNMQ_TOKEN. They end with 0: done, 1: failed or refused, 2: not understood, 3: the broker cannot be reached.
`
}

export function helpOfNoun(noun: Noun): string {
  const [first] = noun.commands
  if (noun.commands.length === 1 && first !== undefined) return helpOfCommand(noun, first)
  const rows = noun.commands.map((command) => row(usageOf(noun, command).slice(noun.name.length + 1), command.summary))
  return `Usage: ternmq ${noun.name} COMMAND [ARGUMENT…] [OPTION…]

${sentence(noun.summary)}

${rows.join('\n')}

'ternmq ${noun.name} COMMAND --help' tells the options.
`
}

export function helpOfCommand(noun: Pick<Noun, 'name'>, command: AnyCommand): string {
  const { summary, detail, options = {}, json, asks } = command
  const own = { ...options, ...(json && { json: JSON_OPTION[json] }) }
  const parts = [
    `Usage: ternmq ${usageOf(noun, command)} [OPTION…]`,
    [sentence(summary), ...(detail === undefined ? [] : [detail])].join('\n'),
    optionRows({ ...own, help: HELP_OPTION }),
    ...(asks === 'broker' ? [`Which broker:\n${optionRows(BROKER_OPTIONS, options)}`] : []),
    ...(asks === 'nothing' ? [] : [`Which configuration:\n${optionRows(CONFIG_OPTIONS, options)}`]),
  ]
  return `${parts.join('\n\n')}\n`
}

/** 'destinations show QUEUE' */
export function usageOf(noun: Pick<Noun, 'name'>, command: AnyCommand): string {
  return [wordsOf(noun, command), command.args].filter((part) => part !== '').join(' ')
}

/** '-h, --help', '--limit N' */
export function optionText(name: string, { short, value, type }: Option): string {
  const long = `--${name}${type === 'boolean' ? '' : ` ${value ?? valueName(name)}`}`
  return short === undefined ? long : `-${short}, ${long}`
}

export function summaryOf({ summary, choices }: Option): string {
  return choices === undefined ? summary : `${summary}: ${choices.join(', ')}`
}

function optionRows(options: Options, besides: Options = {}): string {
  return Object.entries(options)
    .filter(([name]) => besides[name] === undefined)
    .map(([name, option]) => row(optionText(name, option), summaryOf(option)))
    .join('\n')
}

/** A name that is too long has a line of its own. */
function row(name: string, summary: string): string {
  const gap = name.length + 4 > COLUMN ? `\n${' '.repeat(COLUMN)}` : ' '.repeat(COLUMN - 2 - name.length)
  return `  ${name}${gap}${summary}`
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}
