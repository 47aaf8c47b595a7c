/** `ternmq start`: runs a broker until a signal ends it. */
import { loadConfig } from '@ternmq/config'

import { CONFIG_OPTIONS, CONFIG_OPTIONS_HELP, loadOptionsOf, parse } from '../arguments.ts'
import { startBroker } from '../broker.ts'
import { complain, type ConsoleIo } from '../console-io.ts'
import { openProcessLog } from '../log.ts'
import { removeReadyFile, writeReadyFile } from '../ready-file.ts'
import { untilSignal } from '../signals.ts'

const HELP = `Usage: ternmq start [OPTION…]

Runs a broker until SIGTERM or SIGINT (Ctrl-C). Without any option it serves MQTT on this machine only.

${CONFIG_OPTIONS_HELP}
  --ready-json FILE      once every listener accepts: {"pid": …, "listeners": {"mqtt": {"host": …, "port": …}, …}}
`

export async function start(args: readonly string[], io: ConsoleIo): Promise<number> {
  const { values } = parse(args, { ...CONFIG_OPTIONS, 'ready-json': { type: 'string' } }, 0)
  if (values.help === true) {
    io.stdout.write(HELP)
    return 0
  }
  const readyFile = values['ready-json']
  if (readyFile !== undefined) removeReadyFile(readyFile)
  const loaded = loadConfig(loadOptionsOf(values, io))
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  const { config, sources } = loaded
  // Somebody who starts a broker at a terminal wants to read what it says.
  const isPretty = sources.get('log.format')?.kind === 'default' && io.stdout.isTTY === true
  const { log, flush } = openProcessLog(isPretty ? { ...config.log, format: 'pretty' } : config.log)
  try {
    for (const warning of loaded.warnings) log.warn({}, warning)
    const broker = await startBroker(config, { log })
    if (readyFile !== undefined) writeReadyFile(readyFile, broker.listeners)
    const signal = await untilSignal()
    log.info({ signal }, `${signal}: stopping`)
    await broker.stop()
    log.info({}, 'stopped')
    return 0
  } finally {
    flush()
  }
}
