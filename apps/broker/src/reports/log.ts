/** The log: what the broker says it with, and pino behind it. */
import type { LogConfig } from '@ternmq/config'
import type { EventEmitter } from 'node:events'
import { pino, stdTimeFunctions } from 'pino'

import { PrettyLines } from './pretty-lines.ts'

/** One line: what it is about as fields, then a sentence. */
type Write = (fields: object, text: string) => void

/** The part of a logger that the broker uses; pino's has it. */
export interface Log {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
  readonly fatal: Write
}

const nothing: Write = () => {}

/** For embedding programs that give no log. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing }

/** Log lines waiting for a reader of stdout that does not read. Beyond it lines are lost, and counted. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024

/** A disk that is full or a terminal that is gone must not hold up the end. */
const FLUSH_MS_MAX = 2_000

export interface ProcessLog {
  readonly log: Log
  readonly setLevel: (level: LogConfig['level']) => void
  /** Resolves when the lines so far are written, after `FLUSH_MS_MAX` at most. */
  readonly written: () => Promise<void>
  /** Writes what waits, waiting for the reader, for `FLUSH_MS_MAX` at most. For the end of the process: nothing is written afterwards. */
  readonly flush: () => Promise<void>
}

/** A log on file descriptor 1. A reader that is slow or gone never stops the broker. */
export function openProcessLog({ level, format }: LogConfig): ProcessLog {
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: WAITING_BYTES_MAX })
  let lostCount = 0
  let isWriting = false
  const lines = {
    write: (line: string): void => {
      isWriting = true
      stdout.write(line)
    },
  }
  stdout.on('drain', () => (isWriting = false))
  stdout.on('drop', () => lostCount++)
  stdout.on('error', () => {}) // nobody reads any more; the broker is not there for its log
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'pretty' ? new PrettyLines(lines) : lines,
  )
  return {
    log: logger,
    setLevel: (next) => {
      logger.level = next
    },
    written: async () => {
      if (isWriting) await untilOne(stdout, ['drain', 'error'])
    },
    flush: async () => {
      if (lostCount > 0) logger.warn({ lostCount }, `${lostCount} log lines were lost: standard output was not read`)
      const closed = untilOne(stdout, ['close', 'error'])
      stdout.end()
      await closed
      stdout.destroy() // or it would try again what cannot be written, at the exit and without end
    },
  }
}

/** Resolves with the first of the events, after `FLUSH_MS_MAX` at most. */
function untilOne(stdout: EventEmitter, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      for (const event of events) stdout.off(event, done)
      resolve()
    }
    const timer = setTimeout(done, FLUSH_MS_MAX)
    for (const event of events) stdout.on(event, done)
  })
}
