/** Reads a command's arguments. */
import type { LoadOptions } from '@ternmq/config'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

import { type ConsoleIo } from './console-io.ts'
import { messageOf, UsageError } from './errors.ts'

interface ConfigOptions {
  readonly config: { readonly type: 'string' }
  readonly 'data-dir': { readonly type: 'string' }
  readonly set: { readonly type: 'string'; readonly multiple: true }
  readonly help: { readonly type: 'boolean'; readonly short: 'h' }
}

/** Options of every command that needs the configuration. */
export const CONFIG_OPTIONS: ConfigOptions = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  set: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
}

export const CONFIG_OPTIONS_HELP: string = `  --config FILE          YAML or JSON with settings; without it there is none
  --data-dir DIR         where users and certificates are kept; same as --set dataDir=DIR
  --set KEY.PATH=VALUE   one setting, before file and environment; may be repeated
  -h, --help             this text`

type Parsed<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: T; allowPositionals: true; args: string[] }>
>

/** Throws UsageError for an option nobody knows and for more than `positionalsMax` other arguments. */
export function parse<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  positionalsMax: number,
): Parsed<T> {
  let parsed: Parsed<T>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    const [sentence = ''] = messageOf(error).split('. ', 1) // what follows is advice that does not fit
    throw new UsageError(sentence.replace(/\.$/, '').replace(/^./, (first) => first.toLowerCase()))
  }
  const extra = parsed.positionals[positionalsMax]
  if (extra !== undefined) throw new UsageError(`'${extra}' is one argument too many`)
  return parsed
}

/** What CONFIG_OPTIONS say, for loadConfig. */
export function loadOptionsOf(
  values: {
    readonly config?: string | undefined
    readonly 'data-dir'?: string | undefined
    readonly set?: string[] | undefined
  },
  io: ConsoleIo,
): LoadOptions {
  return { file: values.config, dataDir: values['data-dir'], sets: values.set, env: io.env }
}
