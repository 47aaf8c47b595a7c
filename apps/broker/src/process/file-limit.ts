/** Whether the system lets the process have as many connections as the configuration does. */
import { type BrokerConfig, listenersOf, type Source } from '@ternmq/config'
import { FILES_KEPT } from '@ternmq/transport'
import { readFileSync } from 'node:fs'

/** Files that this process may have open; undefined where the system does not say (it does on Linux). */
export function openFilesMax(): number | undefined {
  if (process.platform !== 'linux') return undefined
  return parseOpenFilesMax(readFileSync('/proc/self/limits', 'utf8'))
}

/** The soft limit in the text of /proc/self/limits; undefined for none. */
export function parseOpenFilesMax(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? undefined : Number(soft)
}

export interface FileLimitReport {
  /** 'warn' where somebody has asked for so many connections: the limit by default is only a bound. */
  readonly level: 'info' | 'warn'
  readonly text: string
}

/** What to say when connections would run out before the configured limit. */
export function fileLimitReport(
  config: BrokerConfig,
  sources: ReadonlyMap<string, Source>,
  filesMax: number | undefined,
): FileLimitReport | undefined {
  const byListeners = listenersOf(config).reduce(
    (sum, [, { enabled, maxConnections }]) => sum + (enabled ? maxConnections : 0),
    0,
  )
  const wanted = Math.min(config.limits.maxConnections, byListeners)
  if (filesMax === undefined || filesMax >= wanted + FILES_KEPT) return undefined
  const isAskedFor = [...sources].some(([key, { kind }]) => /\bmaxConnections$/.test(key) && kind !== 'default')
  const room = `this process may have ${filesMax} files open, so about ${Math.max(filesMax - FILES_KEPT, 0)} connections`
  const raise = 'raise the limit (ulimit -Hn, or LimitNOFILE= of the service)'
  return isAskedFor
    ? { level: 'warn', text: `${room}, and ${wanted} are configured: ${raise}, or lower limits.maxConnections` }
    : { level: 'info', text: `${room}; for more ${raise}` }
}
