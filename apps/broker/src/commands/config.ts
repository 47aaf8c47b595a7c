/** `ternmq config …`: looks at a configuration without starting anything. */
import { configAsJson, configAsYaml, configJsonSchema, loadConfig } from '@ternmq/config'

import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { UsageError } from '../errors.ts'

const HELP = `Usage: ternmq config check|print|schema [OPTION…]

  check                  says what is wrong, or nothing
  print                  every setting with where its value comes from; reads as a configuration file
  schema                 JSON Schema of a configuration file, for editors

  --json                 print: as JSON
${CONFIG_OPTIONS_HELP}
`

export function config(args: readonly string[], io: ConsoleIo): number {
  const { values, positionals } = parse(args, { ...CONFIG_OPTIONS, json: { type: 'boolean' } }, 1)
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const [action] = positionals
  if (action === 'schema') {
    io.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
    return 0
  }
  if (action !== 'check' && action !== 'print') {
    throw new UsageError(
      action === undefined
        ? 'what about the configuration? check, print or schema'
        : `there is no \`config ${action}\``,
    )
  }
  const loaded = loadConfig(loadOptionsOf(values, io))
  complain(
    io,
    loaded.warnings.map((warning) => `warning: ${warning}`),
  )
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  if (action === 'check') return 0
  const { config: settings, sources } = loaded
  io.stdout.write(
    values.json === true
      ? `${JSON.stringify(configAsJson(settings, sources), null, 2)}\n`
      : configAsYaml(settings, sources),
  )
  return 0
}
