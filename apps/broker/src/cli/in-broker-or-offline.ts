/** Does what a command wants wherever it has to be done: in the broker that runs, or in the data directory when none does. */
import type { ApiClient } from '@ternmq/api/client'
import type { BrokerConfig } from '@ternmq/config'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DataDir, openDataDir } from '../process/data-dir.ts'
import { BrokerError, BrokerUnreachable } from '../errors.ts'
import { configOf } from './configuration.ts'
import { type ConnectionInput, overSocket, urlOf, withConnection, withLoss } from './connection.ts'

/** A broker that starts or stops has the directory but no socket for a moment. */
const TRANSITION_MS = 5_000
const LOOK_EVERY_MS = 50

export interface Ways<T> {
  readonly inBroker: (client: ApiClient) => Promise<T>
  /** With the data directory locked. */
  readonly offline: (dataDir: DataDir, config: BrokerConfig) => Promise<T>
}

/** Rejects with the operator's error; `inBroker` may be begun again where nobody was there. */
export async function inBrokerOrOffline<T>(input: ConnectionInput, { inBroker, offline }: Ways<T>): Promise<T> {
  if (urlOf(input) !== undefined) return withConnection(input, ({ client }) => inBroker(client))
  const config = configOf(input)
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    try {
      return await whileLocked(config, (dataDir) => offline(dataDir, config))
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'DATA_DIR_IN_USE') throw error
      try {
        return await withLoss(overSocket(config, input.io), ({ client }) => inBroker(client))
      } catch (refusal) {
        if (!(refusal instanceof BrokerUnreachable) || !refusal.isNobodyThere) throw refusal
        if (waitedMs >= TRANSITION_MS) throw error
      }
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
