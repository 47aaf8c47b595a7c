/** The command line as plain data, for its page in the documentation. */
import { NOUNS } from '../commands/index.ts'
import { type AnyCommand, BROKER_OPTIONS, CONFIG_OPTIONS, HELP_OPTION, JSON_OPTION, type Options } from './command.ts'
import { optionText, summaryOf, usageOf } from './help.ts'

export { commandLineFault } from './main.ts'

export interface OptionReference {
  /** '-y, --yes', '--limit N' */
  readonly text: string
  readonly summary: string
}

export interface CommandReference {
  /** 'destinations show QUEUE' */
  readonly usage: string
  readonly summary: string
  readonly detail: string | undefined
  /** Which common options it has besides its own. */
  readonly asks: AnyCommand['asks']
  readonly options: readonly OptionReference[]
}

export interface NounReference {
  readonly name: string
  readonly summary: string
  readonly commands: readonly CommandReference[]
}

export interface CommandLineReference {
  readonly nouns: readonly NounReference[]
  /** Of commands that ask a broker, and of those that read a configuration. */
  readonly brokerOptions: readonly OptionReference[]
  readonly configOptions: readonly OptionReference[]
}

export async function commandLineReference(): Promise<CommandLineReference> {
  const nouns = await Promise.all(NOUNS.map((entry) => entry.load()))
  return {
    nouns: nouns.map((noun) => ({
      name: noun.name,
      summary: noun.summary,
      commands: noun.commands.map((command) => ({
        usage: usageOf(noun, command),
        summary: command.summary,
        detail: command.detail,
        asks: command.asks,
        options: referenceOf({ ...command.options, ...(command.json && { json: JSON_OPTION[command.json] }) }),
      })),
    })),
    brokerOptions: referenceOf(BROKER_OPTIONS),
    configOptions: referenceOf({ ...CONFIG_OPTIONS, help: HELP_OPTION }),
  }
}

function referenceOf(options: Options): OptionReference[] {
  return Object.entries(options).map(([name, option]) => ({
    text: optionText(name, option),
    summary: summaryOf(option),
  }))
}
