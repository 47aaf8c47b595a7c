/** `ternmq config …`: a configuration without a broker, and the settings of one that runs. */
import { configAsJson, configAsYaml, configJsonSchema, loadConfig } from '@ternmq/config'
import { command, type Noun } from '../cli/command.ts'
import { type ConfigurationInput, loadOptionsOf } from '../cli/configuration.ts'
import { printJson } from '../cli/output.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { CONFIG_LIVE } from './config-live.ts'

export const config: Noun = {
  name: 'config',
  summary: 'settings: check, print and describe a configuration; see and change those of a broker that runs',
  commands: [
    command({
      verb: 'check',
      args: '',
      summary: 'says what is wrong with a configuration, or nothing',
      asks: 'config',
      run: (input) => (load(input) === undefined ? 1 : 0),
    }),
    command({
      verb: 'print',
      args: '',
      summary: 'every setting of a configuration with where its value is from; reads as a configuration file',
      json: 'document',
      asks: 'config',
      run: (input) => {
        const loaded = load(input)
        if (loaded === undefined) return 1
        const { config: settings, sources } = loaded
        if (input.values.json === true) printJson(input.io, configAsJson(settings, sources))
        else input.io.stdout.write(configAsYaml(settings, sources))
        return 0
      },
    }),
    command({
      verb: 'schema',
      args: '',
      summary: 'JSON Schema of a configuration file, for editors',
      asks: 'nothing',
      run: ({ io }) => {
        printJson(io, configJsonSchema())
        return 0
      },
    }),
    ...CONFIG_LIVE,
  ],
}

type Loaded = Extract<ReturnType<typeof loadConfig>, { readonly ok: true }>

/** Undefined where it is wrong, which has been told. */
function load(input: ConfigurationInput & { readonly io: ConsoleIo }): Loaded | undefined {
  const loaded = loadConfig(loadOptionsOf(input))
  complain(
    input.io,
    loaded.warnings.map((warning) => `warning: ${warning}`),
  )
  if (loaded.ok) return loaded
  complain(input.io, loaded.errors)
  return undefined
}
