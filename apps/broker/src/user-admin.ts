/** What an operator does with users, the same on a running broker and on a data directory without one. */
import {
  AuthError,
  makeUser,
  type Role,
  ROLES,
  type UserAccess,
  type UserRecord,
  type UserStore,
  withAccess,
} from '@ternmq/auth'

import { BrokerError } from './errors.ts'

/** One request of `ternmq user`, as it goes over the admin socket. `password` is base64; without one there is no password login. */
export type UserRequest =
  | ({ readonly op: 'user.add'; readonly name: string; readonly password?: string | undefined } & UserAccess)
  | { readonly op: 'user.passwd'; readonly name: string; readonly password?: string | undefined }
  | ({ readonly op: 'user.set'; readonly name: string } & UserAccess)
  | { readonly op: 'user.remove'; readonly name: string }
  | { readonly op: 'user.list' }

export interface ListedUser {
  readonly name: string
  readonly groups: readonly string[]
  readonly role?: Role
  /** How the user may log in; neither for one who comes with a client certificate. */
  readonly password: boolean
  readonly scram: boolean
  /** Unix ms. */
  readonly createdAtMs: number
  readonly changedAtMs: number
}

export interface UserAdminOptions {
  readonly users: UserStore
  /** Whether new passwords get a SCRAM verifier. */
  readonly scram: () => boolean
  readonly nowMs: () => number
}

export class UserAdmin {
  readonly #options: UserAdminOptions
  /** One request at a time, so that what a request finds is still so when it changes it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: UserAdminOptions) {
    this.#options = options
  }

  /** Rejects with a BrokerError or AuthError whose message is for the operator. The line is as long as callers let it become. */
  run(request: UserRequest): Promise<readonly ListedUser[]> {
    const result = this.#last.then(() => this.#run(request))
    this.#last = result.catch(() => undefined) // whoever asked gets the error
    return result
  }

  /** Resolves with the users that the request is about, as they are now. */
  async #run(request: UserRequest): Promise<readonly ListedUser[]> {
    const { users } = this.#options
    if (request.op === 'user.list') return users.list().map(listed)
    const { op, name } = request
    const previous = users.get(name)
    if (op === 'user.add' && previous !== undefined) {
      throw new BrokerError(
        'USER_EXISTS',
        `user '${name}' exists already; change the password with \`ternmq user passwd ${name}\``,
      )
    }
    if (op !== 'user.add' && previous === undefined) {
      throw new BrokerError('USER_UNKNOWN', `there is no user '${name}'; \`ternmq user list\` shows who there is`)
    }
    if (op === 'user.remove') {
      await users.remove(name)
      return []
    }
    const record = op === 'user.set' ? withAccess(previous!, request) : await this.#make(request, previous)
    await users.put(record)
    return [listed(record)]
  }

  /** With another password, and with what is asked for a new user. */
  async #make(
    request: Extract<UserRequest, { op: 'user.add' | 'user.passwd' }>,
    previous: UserRecord | undefined,
  ): Promise<UserRecord> {
    const { name, password } = request
    const { scram, nowMs } = this.#options
    const made = await makeUser({
      name,
      ...(password === undefined ? {} : { password: Buffer.from(password, 'base64') }),
      scram: scram(),
      ...(previous === undefined ? {} : { previous }),
      nowMs: nowMs(),
    })
    return request.op === 'user.add' ? withAccess(made, request) : made
  }
}

function listed({ name, groups, role, verifier, scram, createdAtMs, changedAtMs }: UserRecord): ListedUser {
  const password = verifier !== undefined
  return { name, groups, ...(role && { role }), password, scram: scram !== undefined, createdAtMs, changedAtMs }
}

/** Takes what came over the socket for a request. Throws AuthError 'AUTH_NAME_INVALID' when it is none. */
export function toUserRequest(value: unknown): UserRequest {
  const { op, name, password, groups, role } = (typeof value === 'object' ? (value ?? {}) : {}) as Record<
    string,
    unknown
  >
  if (op === 'user.list') return { op }
  const isPassword = password === undefined || typeof password === 'string'
  const isAccess = isGroups(groups) && isRole(role)
  if (typeof name === 'string') {
    if (op === 'user.remove') return { op, name }
    if (op === 'user.passwd' && isPassword) return { op, name, password }
    if (op === 'user.set' && isAccess) return { op, name, groups, role }
    if (op === 'user.add' && isPassword && isAccess) return { op, name, password, groups, role }
  }
  throw new AuthError(
    'AUTH_NAME_INVALID',
    'the request is not one that this broker knows; use the ternmq command of its version',
  )
}

function isGroups(value: unknown): value is UserAccess['groups'] {
  return value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
}

function isRole(value: unknown): value is UserAccess['role'] {
  return value === undefined || value === null || ROLES.some((role) => role === value)
}
