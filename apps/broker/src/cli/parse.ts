/** Reads the arguments of a command by its specification. */
import { nearest } from '@ternmq/config/nearest'
import { parseArgs } from 'node:util'
import { messageOf, systemCode, UsageError } from '../errors.ts'
import { type AnyCommand, type AnyInput, type Option, optionsOf } from './command.ts'

export type Parsed = Pick<AnyInput, 'args' | 'values'>

/** `words` is what the command is called. Throws UsageError; of one with --help nothing else is looked at. */
export function parseCommand(given: readonly string[], command: AnyCommand, words: string): Parsed {
  const options = optionsOf(command)
  const { values, positionals: args } = parseOptions(given, options)
  if (values['help'] === true) return { args, values }
  const { min, max } = countsOf(command.args)
  if (args.length < min) throw new UsageError(`\`${words}\` needs ${command.args.split(' ')[args.length] ?? ''}`)
  const extra = args[max]
  if (extra !== undefined)
    throw new UsageError(`'${extra}' is one argument too many${adviceOn(extra, max, words, options)}`)
  for (const [name, { choices }] of Object.entries(options)) {
    const value = values[name]
    if (choices === undefined || value === undefined) continue
    const wrong = [value].flat().find((each) => !choices.includes(each as string))
    if (wrong !== undefined) throw new UsageError(`--${name} is '${String(wrong)}'; it is one of ${choices.join(', ')}`)
  }
  return { args, values }
}

/** What whoever gives an argument too many may want. */
function adviceOn(extra: string, max: number, words: string, options: Readonly<Record<string, Option>>): string {
  if (options['query'] !== undefined) return `; \`${words} --query ${extra}\` looks for that text`
  return max === 0 ? `: \`${words}\` takes none` : ''
}

function parseOptions(
  given: readonly string[],
  options: Readonly<Record<string, Option>>,
): { readonly values: Parsed['values']; readonly positionals: readonly string[] } {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short !== undefined && { short }) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({
      args: withDashes(given, options),
      options: config,
      allowPositionals: true,
    })
    return { values: values as Parsed['values'], positionals } // no flag is of several values
  } catch (error) {
    throw new UsageError(sentenceOf(error, options))
  }
}

function sentenceOf(error: unknown, options: Readonly<Record<string, Option>>): string {
  const [first = ''] = messageOf(error).split(/\.\s/, 1) // what follows is advice that does not fit
  const sentence = first.replace(/\.$/, '').replace(/^./, (letter) => letter.toLowerCase())
  const [, name = ''] = /'(?:-\w, )?--([\w-]+)/.exec(sentence) ?? []
  const option = options[name]
  if (option !== undefined)
    return sentence.endsWith('argument missing')
      ? `--${name} needs a value: ${option.value ?? valueName(name)}`
      : sentence
  if (systemCode(error) !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') return sentence
  const meant = name === '' ? undefined : nearest(name, Object.keys(options))
  if (meant !== undefined) return `${sentence}; did you mean --${meant}?`
  // Whoever does not find the option for a port looks for a setting.
  const isConfigured = options['set'] !== undefined && options['url'] === undefined
  return isConfigured ? `${sentence}; settings are given as --set KEY=VALUE: --set listeners.mqtt.port=1884` : sentence
}

/** What stands for a value that has no word of its own. */
export function valueName(option: string): string {
  return option.toUpperCase()
}

/** Values that begin with a dash are put to their options. */
function withDashes(given: readonly string[], options: Readonly<Record<string, Option>>): string[] {
  const end = given.indexOf('--')
  const args: string[] = []
  for (const [index, arg] of given.entries()) {
    const before = args.at(-1)
    const isOfOptions = end === -1 || index < end
    const isValue = /^-[^-]/.test(arg) && before?.startsWith('--') === true && options[before.slice(2)]?.dashed === true
    if (isOfOptions && isValue) args[args.length - 1] = `${before}=${arg}`
    else args.push(arg)
  }
  return args
}

/** How many arguments 'FROM TO [ID…]' stands for. */
function countsOf(args: string): { readonly min: number; readonly max: number } {
  const each = args === '' ? [] : args.split(' ')
  const isMany = each.some((arg) => arg.includes('…'))
  return { min: each.filter((arg) => !arg.startsWith('[')).length, max: isMany ? Infinity : each.length }
}

/** A whole number from `min`. Throws UsageError. */
export function wholeNumber(option: string, text: string | undefined, min = 1): number | undefined {
  if (text === undefined) return undefined
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1
  if (value < min) throw new UsageError(`--${option} is '${text}'; it is a whole number from ${min}`)
  return value
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** '500ms', '30s', '5m', '2h', '7d'; a number alone is seconds. Throws UsageError. */
export function durationMs(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, digits = '', unit = 's'] = /^(\d{1,9})(ms|s|m|h|d)?$/.exec(text) ?? []
  if (digits === '') throw new UsageError(`--${option} is '${text}'; it is a time such as 500ms, 30s, 5m, 2h, 7d`)
  return Number(digits) * UNIT_MS[unit]!
}

/** `KEY=VALUE`. Throws UsageError. */
export function pair(text: string, what: string): readonly [key: string, value: string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new UsageError(`'${text}' is no ${what}; it is written KEY=VALUE`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}

/** `a,b` and several of them, as one list. */
export function listed(texts: readonly string[] | undefined): string[] | undefined {
  return texts?.flatMap((text) => text.split(',')).filter((text) => text !== '')
}
