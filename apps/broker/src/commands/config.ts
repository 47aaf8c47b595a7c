/** `ternmq config …`: a configuration without a broker, and the settings of one that runs. */
import { configAsJson, configAsYaml, configJsonSchema, loadConfig } from '@ternmq/config'
import { command, type Noun } from '../cli/command.ts'
import { type ConfigurationInput, loadOptionsOf } from '../cli/configuration.ts'
import { several, timeText } from '../cli/format.ts'
import { printJson, printLines } from '../cli/output.ts'
import { row } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'
import { checkConfiguration, type ConfigurationReport } from '../configuration/configuration-check.ts'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { CONFIG_LIVE } from './config-live.ts'

export const config: Noun = {
  name: 'config',
  summary: 'settings of a configuration, and of a broker that runs: check, print, schema, list, set, reset',
  commands: [
    command({
      verb: 'check',
      args: '',
      summary: 'whether a broker would start with a configuration, and what is wrong with it',
      detail: `Looks at settings, certificates and their keys, the users of the data directory, and who could log in. It opens no port, makes no
file, and ends with 1 when a start would fail or clients would refuse a certificate. What ends within 30 days is a warning.`,
      json: 'document',
      asks: 'config',
      run: async (input) => {
        const { values, io } = input
        const report = await checkConfiguration(loadConfig(loadOptionsOf(input)), Date.now())
        if (values.json === true) printJson(io, { file: values.config ?? null, ...report })
        else {
          const { warnings, errors } = report
          complain(io, [...warnings.map(asWarning), ...errors])
          if (report.ok) printLines(io, reportLines(report, values.config))
        }
        return report.ok ? 0 : 1
      },
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
  complain(input.io, loaded.warnings.map(asWarning))
  if (loaded.ok) return loaded
  complain(input.io, loaded.errors)
  return undefined
}

function asWarning(text: string): string {
  return `warning: ${text}`
}

/** What was looked at, so that silence is never taken for a look at another file. */
function reportLines(report: ConfigurationReport, file: string | undefined): string[] {
  const { changed, settingsCount, listeners, certificates, developmentFor, userCount, dataDir } = report
  const numbers = [
    `${changed.length} of ${settingsCount} settings differ from the defaults`,
    several(listeners.length, 'listener'),
    ...(certificates.length > 0 ? [several(certificates.length, 'certificate')] : []),
    ...(developmentFor.length > 0 ? [`a development certificate for ${developmentFor.join(', ')}`] : []),
    `${several(userCount, 'user')} in ${safeText(dataDir)}`,
  ]
  return [
    `${file === undefined ? 'without a file the configuration' : safeText(file)} is good: ${numbers.join(', ')}`,
    ...listeners.map(({ name, host, port }) =>
      row(`  ${name}`, `${host}:${port}${certificateText(name, certificates)}`),
    ),
  ]
}

function certificateText(name: string, certificates: ConfigurationReport['certificates']): string {
  const found = certificates.find((each) => each.name === name)
  return found === undefined ? '' : `, ${safeText(found.file)} until ${timeText(found.notAfterMs).slice(0, 10)}`
}
