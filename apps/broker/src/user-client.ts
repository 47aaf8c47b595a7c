/** Does a user request wherever it has to be done: in the broker that runs, or in the data directory when none does. */
import { FileUserStore } from '@ternmq/auth'
import type { BrokerConfig } from '@ternmq/config'
import { setTimeout as sleep } from 'node:timers/promises'

import { askBroker } from './admin-socket.ts'
import { openDataDir, pathsOf } from './data-dir.ts'
import { BrokerError } from './errors.ts'
import { type ListedUser, UserAdmin, type UserRequest } from './user-admin.ts'

/** A broker that starts or stops has the directory but no socket for a moment. */
const TRANSITION_MS = 5_000
const LOOK_EVERY_MS = 50

/** Rejects with the operator's error. */
export async function requestUsers(config: BrokerConfig, request: UserRequest): Promise<readonly ListedUser[]> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    try {
      return await requestOffline(config, request)
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'DATA_DIR_IN_USE') throw error
      const answer = await askBroker(pathsOf(config.dataDir).adminSocket, request)
      if (answer !== undefined) return answer.value as readonly ListedUser[]
      if (waitedMs >= TRANSITION_MS) throw error
    }
    await sleep(LOOK_EVERY_MS)
  }
}

async function requestOffline(config: BrokerConfig, request: UserRequest): Promise<readonly ListedUser[]> {
  const dataDir = await openDataDir(config.dataDir, 'command')
  try {
    const users = await FileUserStore.open(dataDir.usersFile)
    return await new UserAdmin({ users, scram: () => config.auth.scram, nowMs: () => Date.now() }).run(request)
  } finally {
    dataDir.release()
  }
}
