/**
 * Users: who there is, and how they are made, changed and removed. The same for the API of a running broker and for the command line on a
 * data directory without one. Connections, sessions and cookies of a user that goes, or changes, are ended by whoever has them: they hear it
 * from the store of users.
 */
import { deleteUser, listUsers, putUser, type PutUserQuery, type UserBody, type UserItem } from '@ternmq/api'
import { makeUser, type Role, userNameProblem, type UserRecord, type UserStore, withAccess } from '@ternmq/auth'
import { asApiError } from '../definitions/definition-errors.ts'
import { definedOf } from '../definitions/definition-kinds.ts'
import type { DefinitionQueue } from '../definitions/definition-queue.ts'
import { ApiError, type ProblemMore } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type Listing, mapPage, pageOf } from '../paging.ts'
import type { Tokens } from './tokens.ts'

/** Left out: as it is; of a new user, none. */
export interface UserChanges {
  /** As the client will send it; null: none, the user comes with a certificate. */
  readonly password?: Uint8Array | null | undefined
  readonly role?: Role | null | undefined
  readonly groups?: readonly string[] | undefined
}

export interface UserAdminOptions {
  readonly users: UserStore
  /** Whether new passwords get a SCRAM verifier. */
  readonly scram: () => boolean
  readonly nowMs: () => number
  /** What has to go before users do: tokens. Somebody may get the name again. */
  readonly beforeRemove?: (names: readonly string[]) => Promise<void>
}

/** One change at a time: see `DefinitionQueue`. Rejects with ApiError. */
export class UserAdmin {
  readonly #options: UserAdminOptions

  constructor(options: UserAdminOptions) {
    this.#options = options
  }

  list(): readonly UserRecord[] {
    return this.#options.users.list()
  }

  get(name: string): UserRecord | undefined {
    return this.#options.users.get(name)
  }

  /** Makes or changes a user; with `expected` only the one, or only the other. */
  async put(name: string, changes: UserChanges, expected?: 'new' | 'known'): Promise<UserRecord> {
    const { nowMs, scram } = this.#options
    const previous = this.get(name)
    if (expected === 'new' && previous !== undefined)
      throw new ApiError('EXISTS', `user '${name}' exists already`, { field: 'name', value: name })
    if (expected === 'known' && previous === undefined) throw userUnknown(name)
    const { password, groups, role } = changes
    try {
      const keepsLogin = password === undefined && previous !== undefined
      const record = keepsLogin
        ? previous
        : await makeUser({
            name,
            ...definedOf({ previous }),
            ...(password && { password }),
            scram: scram(),
            nowMs: nowMs(),
          })
      const changed = withAccess(record, { groups, role })
      await this.restore([changed])
      return changed
    } catch (error) {
      throw asApiError(error, ({ code }) => blamed(code, name, changes))
    }
  }

  /** Makes or replaces users as somebody's definitions have them: all or none. */
  async restore(records: readonly UserRecord[]): Promise<void> {
    this.checkAdministrators(records, [])
    try {
      await this.#options.users.change(records, [])
    } catch (error) {
      throw asApiError(error, () => ({ field: 'users' }))
    }
  }

  async remove(name: string): Promise<void> {
    if (this.get(name) === undefined) throw userUnknown(name)
    await this.removeAll([name])
  }

  /** All or none; who is not there is passed over. */
  async removeAll(names: readonly string[]): Promise<void> {
    const { users, beforeRemove } = this.#options
    this.checkAdministrators([], names)
    try {
      await beforeRemove?.(names)
      await users.change([], names)
    } catch (error) {
      throw asApiError(error, () => ({ field: 'name' }))
    }
  }

  /** Throws ApiError('CONFLICT') when these changes leave nobody who can log in as administrator, where there is somebody now. */
  checkAdministrators(put: readonly UserRecord[], removed: readonly string[]): void {
    const users = this.list()
    const gone = new Set([...removed, ...put.map(({ name }) => name)])
    const left = [...users.filter(({ name }) => !gone.has(name)), ...put]
    if (left.some(isAdministrator)) return
    const last = users.filter(isAdministrator)
    if (last.length === 0) return
    const names = last.map(({ name }) => `'${name}'`).join(', ')
    const rule = 'one user at least has a password and the role administrator'
    throw new ApiError(
      'CONFLICT',
      `nobody would be left who can log in as administrator; now ${names} can: make another one first`,
      { rule },
    )
  }
}

/** Who can log in and do everything. */
export function isAdministrator({ role, verifier }: UserRecord): boolean {
  return role === 'administrator' && verifier !== undefined
}

export interface UserParts {
  readonly users: UserAdmin
  readonly changes: DefinitionQueue
  readonly tokens: Tokens
}

export function userHandlers(broker: ManagedBroker, { users, changes, tokens }: UserParts): Bound[] {
  const { clock } = broker.vhost.env
  return [
    bind(listUsers, ({ query }) => {
      const counts = connectionCounts(broker)
      const { group } = query
      const page = pageOf(
        users.list(),
        query,
        listingWith(counts),
        ({ groups }) => group === undefined || groups.includes(group),
      )
      const nowMs = clock.wallMs()
      return mapPage(page, (record) => ({
        ...userItem(record, counts.get(record.name)),
        tokenCount: tokens.countOf(record.name, nowMs),
      }))
    }),
    bind(putUser, (request) =>
      changes.run(request.caller, async () => {
        const { params, query, body } = request
        const record = await users.put(params.name, changesOf(body), expectedBy(query))
        request.note(noteOf(body))
        const { name } = record
        return {
          ...userItem(record, connectionCounts(broker).get(name)),
          tokenCount: tokens.countOf(name, clock.wallMs()),
        }
      }),
    ),
    bind(deleteUser, ({ params, caller }) =>
      changes.run(caller, async () => {
        await users.remove(params.name)
        return {}
      }),
    ),
  ]
}

function userUnknown(name: string): ApiError {
  return new ApiError('USER_UNKNOWN', `there is no user '${name}'`, { field: 'name', value: name })
}

function expectedBy({ ifNew, ifKnown }: PutUserQuery): 'new' | 'known' | undefined {
  return ifNew === true ? 'new' : ifKnown === true ? 'known' : undefined
}

function changesOf({ password, role, groups }: UserBody): UserChanges {
  return { password: typeof password === 'string' ? Buffer.from(password) : password, role, groups }
}

const NAME_RULE =
  "1 to 256 characters in their normal form, no space at either end, not beginning with '$', not 'anonymous' or '*'"

/** Which field of the body an error is about; a password is never shown. */
function blamed(code: string, name: string, { groups }: UserChanges): ProblemMore {
  if (code === 'AUTH_PASSWORD_INVALID') return { field: 'password', rule: '1 to 1,024 bytes' }
  if (userNameProblem(name) !== undefined) return { field: 'name', value: name, rule: NAME_RULE }
  return { field: 'groups', value: groups, rule: `up to 32 names, each once, each of ${NAME_RULE}` }
}

function noteOf({ password, role, groups }: UserBody): string {
  const parts = [
    password === undefined ? undefined : password === null ? 'password taken away' : 'password set',
    role === undefined ? undefined : `role ${role ?? 'none'}`,
    groups === undefined ? undefined : `groups ${groups.length === 0 ? 'none' : groups.join(', ')}`,
  ]
  return parts.filter((part) => part !== undefined).join(', ')
}

type ConnectionCounts = ReadonlyMap<string, number>

function connectionCounts({ vhost }: ManagedBroker): ConnectionCounts {
  const counts = new Map<string, number>()
  for (const { userName } of vhost.connections.all()) counts.set(userName, (counts.get(userName) ?? 0) + 1)
  return counts
}

export function userItem(
  { name, role, groups, verifier, scram, createdAtMs, changedAtMs }: UserRecord,
  connectionCount = 0,
): UserItem {
  return {
    name,
    ...definedOf({ role }),
    groups,
    password: verifier !== undefined,
    scram: scram !== undefined,
    createdAtMs,
    changedAtMs,
    connectionCount,
  }
}

function listingWith(counts: ConnectionCounts): Listing<UserRecord> {
  return {
    key: ({ name }) => name,
    sorts: {
      name: ({ name }) => name,
      role: ({ role }) => role ?? '',
      createdAtMs: ({ createdAtMs }) => createdAtMs,
      changedAtMs: ({ changedAtMs }) => changedAtMs,
      connectionCount: ({ name }) => counts.get(name) ?? 0,
    },
    sortDefault: 'name',
    texts: ({ name, groups }) => [name, ...groups],
  }
}
