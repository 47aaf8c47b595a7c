/** Does what a command wants wherever it has to be done: in the broker that runs, or in the data directory when none does. */
import type { BrokerConfig } from '@ternmq/config'
import { setTimeout as sleep } from 'node:timers/promises'

import { askBroker } from './admin-socket.ts'
import { type DataDir, openDataDir, pathsOf } from './data-dir.ts'
import { BrokerError } from './errors.ts'

/** A broker that starts or stops has the directory but no socket for a moment. */
const TRANSITION_MS = 5_000
const LOOK_EVERY_MS = 50

/**
 * Runs `offline` with the data directory locked, or sends `request` to the broker that has it, whose answer is taken for a T. Rejects
 * with the operator's error. `answerMs` as in `askBroker`.
 */
export async function inBrokerOrOffline<T>(
  config: BrokerConfig,
  request: { readonly op: string },
  offline: (dataDir: DataDir) => Promise<T>,
  answerMs?: number,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    try {
      return await whileLocked(config, offline)
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'DATA_DIR_IN_USE') throw error
      const answer = await askBroker(pathsOf(config.dataDir).adminSocket, request, answerMs)
      if (answer !== undefined) return answer.value as T
      if (waitedMs >= TRANSITION_MS) throw error
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/** Runs `f` with the data directory locked. Rejects with BrokerError 'DATA_DIR_IN_USE' when a broker has it. */
export async function whileLocked<T>(config: BrokerConfig, f: (dataDir: DataDir) => Promise<T>): Promise<T> {
  const dataDir = await openDataDir(config.dataDir, 'command')
  try {
    return await f(dataDir)
  } finally {
    dataDir.release()
  }
}
