/** Users of a data directory without a broker, changed as a broker would change them. */
import type { UserBody, UserItem } from '@ternmq/api'
import { FileUserStore } from '@ternmq/auth'
import type { BrokerConfig } from '@ternmq/config'
import { UserAdmin, userItem } from '@ternmq/management'

import type { DataDir } from '../process/data-dir.ts'

export class OfflineUsers {
  readonly admin: UserAdmin

  constructor(admin: UserAdmin) {
    this.admin = admin
  }

  /** Sorted by name, since a broker sorts by whatever is wanted and here there is nothing to wait for. */
  items({ q = '', group }: { readonly q?: string | undefined; readonly group?: string | undefined }): UserItem[] {
    const wanted = q.toLowerCase()
    return this.admin
      .list()
      .filter(({ name, groups }) => [name, ...groups].some((text) => text.toLowerCase().includes(wanted)))
      .filter(({ groups }) => group === undefined || groups.includes(group))
      .map((record) => userItem(record))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  /** Rejects with ApiError. */
  async put(name: string, { password, role, groups }: UserBody, expected: 'new' | 'known'): Promise<UserItem> {
    const bytes = typeof password === 'string' ? Buffer.from(password) : password
    return userItem(await this.admin.put(name, { password: bytes, role, groups }, expected))
  }
}

/** With the data directory locked. */
export async function openOfflineUsers({ usersFile }: DataDir, { auth }: BrokerConfig): Promise<OfflineUsers> {
  const users = await FileUserStore.open(usersFile)
  return new OfflineUsers(new UserAdmin({ users, scram: () => auth.scram, nowMs: () => Date.now() }))
}
