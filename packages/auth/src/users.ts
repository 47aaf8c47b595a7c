/**
 * What a user is, which names are valid, and the store that the broker asks. user-file.ts keeps users in a file until
 * the catalog of the journal carries them; MemoryUserStore is for embedding and tests.
 */
import { randomBytes } from 'node:crypto'
import type { Cancel, Principal } from '@ternmq/core'
import { AuthError, quoted } from './errors.ts'
import { GROUPS_PER_USER_MAX, REMOVED_NAMES_MAX, USERS_MAX, USER_NAME_CHARS_MAX } from './limits.ts'
import { hashPassword, parsePasswordVerifier } from './password.ts'
import type { ScryptCost } from './password.ts'
import { saslPrep } from './saslprep.ts'
import { formatScramVerifier, makeScramVerifier, parseScramVerifier } from './scram-verifier.ts'

/** What a user may do in the console: look; look and operate; everything. */
export type Role = 'viewer' | 'operator' | 'administrator'

export const ROLES: readonly Role[] = ['viewer', 'operator', 'administrator']

export interface UserRecord {
  readonly name: string
  /** Rules for a group are for all who are in it. Each once, in the order given. */
  readonly groups: readonly string[]
  /** Absent for a user who has no business in the console. */
  readonly role?: Role
  /** `$scrypt$…`; absent for a user without password, who comes with a client certificate. */
  readonly verifier?: string
  /** `SCRAM-SHA-256$…`; absent when SCRAM is switched off for the user. */
  readonly scram?: string
  /** Unix ms. */
  readonly createdAtMs: number
  /** Unix ms of the last change of password. */
  readonly changedAtMs: number
}

export interface UserChange {
  readonly kind: 'put' | 'removed'
  readonly name: string
  /** As it was; undefined for a new user. */
  readonly previous: UserRecord | undefined
}

export interface UserStore {
  /** Random, as lasting as the users: what is made up for unknown names must look the same after a restart. */
  readonly decoySecret: Uint8Array
  get(name: string): UserRecord | undefined
  /** In the order of creation. The array is a snapshot and shared: do not change it. */
  list(): readonly UserRecord[]
  /** Adds or replaces; resolves once it lasts. Rejects with AuthError; then nothing has changed unless it says so. */
  put(record: UserRecord): Promise<void>
  /** Resolves once it lasts, with false when there was no such user. */
  remove(name: string): Promise<boolean>
  /** As many of `put` and `remove` as one change that lasts as a whole or not at all; of those to remove, who is not there is passed over. */
  change(put: readonly UserRecord[], removed: readonly string[]): Promise<void>
  /**
   * Names of users that were removed, since a broker last knew what to do about it: what it keeps for them is none of the next one's
   * who gets the name. Also while no broker runs.
   */
  readonly removedNames: readonly string[]
  /** Nothing is kept for them any more. Resolves once that lasts, or it need not: nobody has got the name meanwhile. */
  forgetRemoved(names: readonly string[]): Promise<void>
  /** Called after every change, in order. Must not throw. */
  onChange(listener: (change: UserChange) => void): Cancel
}

/** Names that rules use for something else. */
export const ANONYMOUS_NAME = 'anonymous'
export const EVERYONE = '*'

/**
 * Why `name` cannot be a user name, as the end of a sentence; undefined when it can.
 *
 * A name has 1 to 256 characters; is its own SASLprep form (no control, unassigned or invisible characters; one
 * spelling per name, so that password and SCRAM logins find the same user); has no space at either end; does not start
 * with '$', which is kept for the broker; is not 'anonymous' and not '*', which mean something in rules. Everything else
 * is allowed: ':' and '/' because certificates name people by URI, '+' because mail addresses hold it. Rules compare
 * names literally.
 */
export function userNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name.length > 2 * USER_NAME_CHARS_MAX || [...name].length > USER_NAME_CHARS_MAX) {
    return `has more than ${USER_NAME_CHARS_MAX} characters`
  }
  const prepared = saslPrep(name)
  if (!prepared.ok) return prepared.problem
  if (prepared.text !== name) return `is not in its normal form, which is ${quoted(prepared.text)}`
  if (name.trim() !== name) return 'starts or ends with a space'
  if (name.startsWith('$')) return "starts with '$', which is kept for the broker"
  if (name === ANONYMOUS_NAME || name === EVERYONE) return 'has a meaning of its own in access rules'
  return undefined
}

/**
 * Why `groups` cannot be a user's groups, as the end of a sentence about the user; undefined when they can. A group's name is as a
 * user's is; there is nothing to make it with: it is there as soon as somebody is in it.
 */
export function groupsProblem(groups: readonly string[]): string | undefined {
  if (groups.length > GROUPS_PER_USER_MAX)
    return `is in ${groups.length} groups, at most ${GROUPS_PER_USER_MAX} are allowed`
  for (const [index, group] of groups.entries()) {
    const problem = userNameProblem(group)
    if (problem !== undefined) return `is in group ${quoted(group)}, which ${problem}`
    if (groups.indexOf(group) < index) return `is in group ${quoted(group)} twice`
  }
  return undefined
}

export interface NewUser {
  readonly name: string
  /** Bytes as the client will send them; absent for a user who comes with a client certificate. */
  readonly password?: Uint8Array
  /** Also make a SCRAM verifier. */
  readonly scram: boolean
  readonly cost?: ScryptCost
  readonly scramIterations?: number
  /** The user as it was, when this is a change of password: groups and role stay. */
  readonly previous?: UserRecord
  readonly nowMs: number
}

/** What of a user is not a login. Left out: as it is. */
export interface UserAccess {
  readonly groups?: readonly string[] | undefined
  /** null: none. */
  readonly role?: Role | null | undefined
}

/** Makes the record of a new user or a new password. Throws AuthError naming the user and the rule. */
export async function makeUser(user: NewUser): Promise<UserRecord> {
  const problem = userNameProblem(user.name)
  if (problem !== undefined) throw new AuthError('AUTH_NAME_INVALID', `user name ${quoted(user.name)} ${problem}`)
  const { groups = [], role, createdAtMs = user.nowMs } = user.previous ?? {}
  const record = { name: user.name, groups, ...(role && { role }), createdAtMs, changedAtMs: user.nowMs }
  if (user.password === undefined) return record
  const verifier = await hashPassword(user.password, user.cost)
  if (!user.scram) return { ...record, verifier }
  return {
    ...record,
    verifier,
    scram: formatScramVerifier(await makeScramVerifier(user.password, user.scramIterations)),
  }
}

/** The same user with other groups or another role; logins stay. Throws AuthError naming the user and the rule. */
export function withAccess(
  user: UserRecord,
  { groups = user.groups, role = user.role ?? null }: UserAccess,
): UserRecord {
  const problem = groupsProblem(groups)
  if (problem !== undefined) throw new AuthError('AUTH_NAME_INVALID', `user ${quoted(user.name)} ${problem}`)
  const { name, verifier, scram, createdAtMs, changedAtMs } = user
  return {
    name,
    groups,
    ...(role !== null && { role }),
    ...(verifier !== undefined && { verifier }),
    ...(scram !== undefined && { scram }),
    createdAtMs,
    changedAtMs,
  }
}

/**
 * Takes an unknown value for a record, strictly: a field nobody knows is an error. One without groups, as users were before there were
 * any, is in none. Throws AuthError naming `where`.
 */
export function checkUserRecord(value: unknown, where: string): UserRecord {
  const fail = (problem: string): never => {
    throw new AuthError('AUTH_USERS_CORRUPT', `${where} ${problem}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('is not an object')
  const { name, groups, role, verifier, scram, createdAtMs, changedAtMs, ...unknown } = value as Record<string, unknown>
  if (typeof name !== 'string') return fail('has no name')
  const nameProblem = userNameProblem(name)
  if (nameProblem !== undefined) return fail(`has the name ${quoted(name)}, which ${nameProblem}`)
  const unknownKey = Object.keys(unknown)[0]
  if (unknownKey !== undefined) return fail(`(${quoted(name)}) has the unknown field ${quoted(unknownKey)}`)
  if (role !== undefined && !isRole(role))
    return fail(`(${quoted(name)}) has a role that is none of ${ROLES.join(', ')}`)
  if (groups !== undefined && !isListOfTexts(groups))
    return fail(`(${quoted(name)}) has groups that are no list of texts`)
  const groupProblem = groupsProblem(groups ?? [])
  if (groupProblem !== undefined) return fail(`(${quoted(name)}) ${groupProblem}`)
  if (!isMoment(createdAtMs)) return fail(`(${quoted(name)}) has no createdAtMs in Unix milliseconds`)
  if (!isMoment(changedAtMs)) return fail(`(${quoted(name)}) has no changedAtMs in Unix milliseconds`)
  const readable = (field: string, text: unknown, parse: (text: string) => unknown): string => {
    if (typeof text !== 'string') return fail(`(${quoted(name)}) has a ${field} that is not a text`)
    try {
      parse(text)
    } catch (error) {
      return fail(`(${quoted(name)}) has a bad ${field}: ${(error as AuthError).message}`)
    }
    return text
  }
  return {
    name,
    groups: groups ?? [],
    ...(role !== undefined && { role }),
    ...(verifier === undefined ? {} : { verifier: readable('verifier', verifier, parsePasswordVerifier) }),
    ...(scram === undefined ? {} : { scram: readable('scram', scram, parseScramVerifier) }),
    createdAtMs,
    changedAtMs,
  }
}

function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value)
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Whether what rules say of the user may differ after the change. */
export function changesGroups(change: UserChange, users: UserStore): boolean {
  const before = change.previous?.groups ?? []
  const after = users.get(change.name)?.groups ?? []
  return before.length !== after.length || before.some((group) => !after.includes(group))
}

/** Somebody who has logged in as a user. */
export class UserPrincipal implements Principal {
  readonly name: string
  readonly anonymous = false
  readonly #users: UserStore
  /** Of the user, who may go, and another one come with that name; undefined for a name that no user has. */
  readonly #createdAtMs: number | undefined

  constructor(name: string, users: UserStore) {
    this.name = name
    this.#users = users
    this.#createdAtMs = users.get(name)?.createdAtMs
  }

  get isGone(): boolean {
    return this.#createdAtMs !== undefined && this.#users.get(this.name)?.createdAtMs !== this.#createdAtMs
  }
}

/** What is to be stored of a user, that it goes, or that nothing of it is left. */
export type UserRecordChange = UserRecord | { readonly removed: string } | { readonly forgotten: string }

/** A change as it is to be made of what there is by then; undefined where there is nothing to change. Throws AuthError. */
export type MakeChange = (users: MemoryUserStore) => UserRecordChange | undefined

/** In this order, the removals last. */
export function changesIn(put: readonly UserRecord[], removed: readonly string[]): MakeChange[] {
  return [
    ...put.map(
      (record): MakeChange =>
        (users) =>
          users.check(record),
    ),
    ...removed.map(
      (name): MakeChange =>
        (users) =>
          users.checkRemoval(name) ? { removed: name } : undefined,
    ),
  ]
}

export function forgettings(names: readonly string[]): MakeChange[] {
  return names.map(
    (forgotten): MakeChange =>
      (users) =>
        users.isRemembered(forgotten) ? { forgotten } : undefined,
  )
}

/** Users in memory, with their listeners; the base of every store. */
export class MemoryUserStore implements UserStore {
  readonly decoySecret: Uint8Array
  readonly #records = new Map<string, UserRecord>()
  readonly #listeners = new Set<(change: UserChange) => void>()
  readonly #removed: Set<string>
  #snapshot: readonly UserRecord[] | undefined

  constructor(
    records: readonly UserRecord[] = [],
    decoySecret: Uint8Array = randomBytes(32),
    removedNames: readonly string[] = [],
  ) {
    this.decoySecret = decoySecret
    this.#removed = new Set(removedNames)
    for (const record of records) this.#records.set(record.name, record)
  }

  get(name: string): UserRecord | undefined {
    return this.#records.get(name)
  }

  list(): readonly UserRecord[] {
    return (this.#snapshot ??= Object.freeze([...this.#records.values()]))
  }

  get removedNames(): readonly string[] {
    return [...this.#removed]
  }

  forgetRemoved(names: readonly string[]): Promise<void> {
    return Promise.resolve().then(() => {
      for (const forgotten of names) this.apply({ forgotten })
    })
  }

  /** Somebody had that name and was removed, and what was kept for him may be there still. */
  isRemembered(name: string): boolean {
    return this.#removed.has(name)
  }

  /** A copy to try changes with. */
  copy(): MemoryUserStore {
    return new MemoryUserStore(this.list(), this.decoySecret, this.removedNames)
  }

  put(record: UserRecord): Promise<void> {
    return Promise.resolve().then(() => this.apply(this.check(record)))
  }

  remove(name: string): Promise<boolean> {
    return Promise.resolve().then(() => {
      const existed = this.checkRemoval(name)
      if (existed) this.apply({ removed: name })
      return existed
    })
  }

  async change(put: readonly UserRecord[], removed: readonly string[]): Promise<void> {
    const next = this.copy()
    const changes: UserRecordChange[] = []
    for (const change of changesIn(put, removed)) {
      const made = change(next)
      if (made === undefined) continue
      next.apply(made)
      changes.push(made)
    }
    for (const change of changes) this.apply(change)
  }

  onChange(listener: (change: UserChange) => void): Cancel {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The record as it may be stored. Throws AuthError for a bad record or one user too many. */
  check(record: UserRecord): UserRecord {
    const checked = checkUserRecord(record, 'the user')
    if (!this.#records.has(checked.name) && this.#records.size >= USERS_MAX) {
      throw new AuthError(
        'AUTH_USERS_FULL',
        `user ${quoted(checked.name)} not added: ${USERS_MAX} users are the limit; remove some first`,
      )
    }
    return checked
  }

  /** False when there is no such user. Throws AuthError for one name too many that has to be remembered. */
  checkRemoval(name: string): boolean {
    if (!this.#records.has(name)) return false
    if (!this.#removed.has(name) && this.#removed.size >= REMOVED_NAMES_MAX) {
      throw new AuthError(
        'AUTH_USERS_FULL',
        `user ${quoted(name)} not removed: of ${REMOVED_NAMES_MAX} removed users, the limit, the broker has yet to forget what it keeps; start it once`,
      )
    }
    return true
  }

  /** Makes the change and tells the listeners. */
  apply(change: UserRecordChange): void {
    if ('forgotten' in change) return void this.#removed.delete(change.forgotten)
    const removed = 'removed' in change
    const name = removed ? change.removed : change.name
    const previous = this.#records.get(name)
    if (removed) {
      this.#records.delete(name)
      this.#removed.add(name)
    } else this.#records.set(name, change)
    this.#snapshot = undefined
    for (const listener of this.#listeners) listener({ kind: removed ? 'removed' : 'put', name, previous })
  }
}
