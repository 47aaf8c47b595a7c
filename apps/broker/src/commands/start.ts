/** `ternmq start`: runs a broker until a signal ends it. */
import { type ConfigChange, loadConfig } from '@ternmq/config'
import { flushCompileCache } from 'node:module'

import { consoleUrl } from '../administration.ts'
import { type Broker, runBroker } from '../broker.ts'
import { command, type Input, type Noun } from '../cli/command.ts'
import { loadOptionsOf } from '../cli/configuration.ts'
import type { LoadWith } from '../configuration/configuration.ts'
import { complain } from '../process/console-io.ts'
import { BrokerError, messageOf } from '../errors.ts'
import { ADMIN_PASSWORD_VARIABLE } from '../users/first-administrator.ts'
import { FirstLoginNotice } from '../users/first-login.ts'
import { openProcessLog, type ProcessLog } from '../reports/log.ts'
import { removeReadyFile, writeReadyFile } from '../process/ready-file.ts'
import { untilEndSignal } from '../process/signals.ts'

/** Threads of libuv's pool beside those that hash passwords: a flood of logins must not keep the disk waiting. */
const DISK_THREADS = 4

/** Exit code when the store fails while the broker runs: whoever starts brokers must see to the disk before it starts this one again. */
const STORE_FAILED_CODE = 3

const SUMMARY = 'run a broker'

const OPTIONS = {
  'ready-json': {
    type: 'string',
    value: 'FILE',
    summary: 'once every listener accepts: {"pid": …, "listeners": {"mqtt": {"host": …, "port": …}, …}}',
  },
  'without-api-settings': {
    type: 'boolean',
    summary: 'settings that were changed through the admin API do not count: when one of them is why it does not start',
  },
} as const

export const start: Noun = {
  name: 'start',
  summary: SUMMARY,
  commands: [
    command({
      verb: '',
      args: '',
      summary: SUMMARY,
      detail: `Until SIGTERM or SIGINT (Ctrl-C). Without any option it serves this machine only: MQTT on 1883 and 8883 (TLS), STOMP on 61613 and
61614 (TLS), AMQP 1.0 on 5672 and 5671 (TLS), all over WebSocket on 8083 and 8084 (TLS), the console on 8161. One port for all protocols,
61616: --set listeners.any.enabled=true
SIGHUP reads configuration and certificates anew. Ends with 3 when its store fails while it runs.`,
      options: OPTIONS,
      asks: 'config',
      run: runUntilSignal,
    }),
  ],
}

async function runUntilSignal({ values, io }: Input<typeof OPTIONS, ''>): Promise<number> {
  const readyFile = values['ready-json']
  if (readyFile !== undefined) removeReadyFile(readyFile)
  const options = loadOptionsOf({ values, io })
  const load: LoadWith = (overrides) => loadConfig({ ...options, overrides })
  const loaded = load(new Map())
  if (!loaded.ok) {
    complain(io, loaded.errors)
    return 1
  }
  const { config, sources } = loaded
  // Somebody who starts a broker at a terminal wants to read what it says.
  const isPretty = sources.get('log.format')?.kind === 'default' && io.stdout.isTTY === true
  const processLog = openProcessLog(isPretty ? { ...config.log, format: 'pretty' } : config.log)
  const { log } = processLog
  endOnFault(processLog)
  // Before the first work for the pool: libuv reads it once.
  process.env['UV_THREADPOOL_SIZE'] ??= String(DISK_THREADS + config.auth.hashConcurrency)
  const first = new FirstLoginNotice(io)
  try {
    const broker = await runBroker(load, {
      log,
      adminPassword: io.env[ADMIN_PASSWORD_VARIABLE],
      tellPassword: first.keep,
      withoutApiSettings: values['without-api-settings'],
    })
    const untilSignal = untilEndSignal(() => void reload(broker, load, processLog)) // logs its own errors
    if (readyFile !== undefined) writeReadyFile(readyFile, broker.listeners)
    flushCompileCache() // where there is one: it would be written at the end only, and not by a process that is killed
    if (first.isKept) await processLog.written() // below the log, which goes to the same terminal
    first.show(broker.console && consoleUrl(config.console, broker.console))
    const signal = await Promise.race([untilSignal, broker.ended])
    if (signal !== undefined) log.info({ signal }, `${signal}: stopping`)
    await broker.stop()
    log.info({}, 'stopped')
    await broker.ended
    return 0
  } catch (error) {
    first.show(undefined)
    // Told in the log already.
    if (error instanceof BrokerError && error.code === 'STORE_FAILED') return STORE_FAILED_CODE
    throw error
  } finally {
    await processLog.flush()
  }
}

/** SIGHUP: certificates, and what of the configuration can change without a new start. */
async function reload(broker: Broker, load: LoadWith, { log, setLevel }: ProcessLog): Promise<void> {
  try {
    const { config, applied, waiting } = await broker.reload(load)
    setLevel(config.log.level)
    const keys = (changes: readonly ConfigChange[]): string[] => changes.map(({ key }) => key)
    log.info(
      { applied: keys(applied) },
      `reload: certificates are read anew, changed settings that count from now on: ${applied.length}`,
    )
    if (waiting.length > 0)
      log.warn(
        { waiting: keys(waiting) },
        `reload: changed settings that count after the next start: ${waiting.length}`,
      )
  } catch (error) {
    for (const line of messageOf(error).split('\n')) log.error({}, `reload: ${line}`)
    log.error({}, 'reload: nothing has changed')
  }
}

/** A fault of ours: the state of the process is unknown, so it ends, and says why. */
function endOnFault({ log, flush }: ProcessLog): void {
  const end = (error: unknown): void => {
    log.fatal({ stack: error instanceof Error ? error.stack : undefined }, `internal error: ${messageOf(error)}`)
    void flush().finally(() => process.exit(1))
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
