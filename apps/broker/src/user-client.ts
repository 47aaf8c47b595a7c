/** Does a user request wherever it has to be done: in the broker that runs, or in the data directory when none does. */
import { FileUserStore } from '@ternmq/auth'
import type { BrokerConfig } from '@ternmq/config'

import { inBrokerOrOffline } from './admin-client.ts'
import { type ListedUser, UserAdmin, type UserRequest } from './user-admin.ts'

/** Rejects with the operator's error. */
export function requestUsers(config: BrokerConfig, request: UserRequest): Promise<readonly ListedUser[]> {
  return inBrokerOrOffline(config, request, async ({ usersFile }) => {
    const users = await FileUserStore.open(usersFile)
    return new UserAdmin({ users, scram: () => config.auth.scram, nowMs: () => Date.now() }).run(request)
  })
}
