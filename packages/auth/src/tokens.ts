/**
 * Tokens for the REST API: what they look like, what they may do, and the book that knows them. Pure: who makes one stores its record, and
 * hands all records back after a restart. A token itself is told once and kept nowhere; the record has its SHA-256, which is enough to
 * recognise 32 random bytes and useless for making them.
 */
import { hash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { AuthError, quoted } from './errors.ts'
import { TOKENS_MAX, TOKEN_NAME_CHARS_MAX } from './limits.ts'
import { userNameProblem } from './users.ts'
import type { Role } from './users.ts'

/** read = look; operate = pause, purge, move, retry, close; admin = users, permissions, definitions; messages = publish and take. */
export type Scope = 'read' | 'operate' | 'admin' | 'messages'

export const SCOPES: readonly Scope[] = ['read', 'operate', 'admin', 'messages']

/** What a console role stands for. 'messages' is decided by the permissions of each destination beside it. */
export const SCOPES_OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'],
  operator: ['read', 'operate'],
  administrator: SCOPES,
}

export interface TokenRecord {
  /** Public; for lists and for taking it back. */
  readonly id: string
  /** SHA-256 of the token, in lower-case hexadecimal. */
  readonly sha256: string
  /** What its owner calls it. */
  readonly name: string
  /** Whom it stands for. */
  readonly user: string
  readonly scopes: readonly Scope[]
  /** Unix ms. */
  readonly createdAtMs: number
  /** Unix ms; absent for one that does not expire. */
  readonly expiresAtMs?: number
  /** Id of the token that it was made with; absent for one that a login made. It ends with that. */
  readonly madeWith?: string
}

export interface NewToken {
  readonly name: string
  readonly user: string
  readonly scopes: readonly Scope[]
  readonly expiresAtMs?: number | undefined
  readonly madeWith?: string | undefined
  readonly nowMs: number
}

export type TokenCheck =
  | { readonly ok: true; readonly record: TokenRecord }
  | { readonly ok: false; readonly reason: 'unknown' | 'expired' }

const PREFIX = 'tmq_'
const SECRET_BYTES = 32
const TOKEN = /^tmq_[A-Za-z0-9_-]{43}$/
const SHA256 = /^[0-9a-f]{64}$/
/** Of the hash, in hexadecimal digits: enough to find few, and what it gives away by time is of no use. */
const SHELF_CHARS = 8

/** A token that nobody has had, and its record. Throws AuthError('AUTH_TOKEN_INVALID') naming value and rule. */
export function makeToken({ name, user, scopes, expiresAtMs, madeWith, nowMs }: NewToken): {
  token: string
  record: TokenRecord
} {
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) {
    throw invalid(
      `token ${quoted(name)} would have expired already, at ${String(expiresAtMs)}; give a later moment in Unix ms`,
    )
  }
  const token = PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
  const record = {
    id: randomUUID(),
    sha256: hash('sha256', token, 'hex'),
    name,
    user,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    createdAtMs: nowMs,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(madeWith !== undefined && { madeWith }),
  }
  return { token, record: checkTokenRecord(record, 'the token') }
}

/** Takes an unknown value for a record, strictly. Throws AuthError('AUTH_TOKEN_INVALID') naming `where`, never the hash. */
export function checkTokenRecord(value: unknown, where: string): TokenRecord {
  const fail = (problem: string): never => {
    throw invalid(`${where} ${problem}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('is not an object')
  const { id, sha256, name, user, scopes, createdAtMs, expiresAtMs, madeWith, ...unknown } = value as Record<
    string,
    unknown
  >
  const unknownKey = Object.keys(unknown)[0]
  if (unknownKey !== undefined) return fail(`has the unknown field ${quoted(unknownKey)}`)
  if (!isId(id)) return fail('has no id')
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return fail('has no sha256 of 64 hexadecimal digits')
  if (typeof name !== 'string' || name.trim() === '' || name.length > TOKEN_NAME_CHARS_MAX) {
    return fail(`has no name of 1 to ${TOKEN_NAME_CHARS_MAX} characters`)
  }
  if (typeof user !== 'string') return fail('has no user')
  const userProblem = userNameProblem(user)
  if (userProblem !== undefined) return fail(`stands for user ${quoted(user)}, which ${userProblem}`)
  if (!isScopes(scopes)) return fail(`has scopes that are not one or more of ${SCOPES.join(', ')}, each once`)
  if (!isMoment(createdAtMs)) return fail('has no createdAtMs in Unix milliseconds')
  if (expiresAtMs !== undefined && !isMoment(expiresAtMs))
    return fail('has an expiresAtMs that is not in Unix milliseconds')
  if (madeWith !== undefined && !isId(madeWith)) return fail('has a madeWith that is no id')
  return {
    id,
    sha256,
    name,
    user,
    scopes,
    createdAtMs,
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(madeWith !== undefined && { madeWith }),
  }
}

/** All tokens that are good, by id, and when each was last used since the start. */
export class TokenBook {
  readonly #byId = new Map<string, TokenRecord>()
  /** By the first digits of the hash. */
  readonly #shelves = new Map<string, TokenRecord[]>()
  /** In the order they were put. */
  readonly #byUser = new Map<string, Set<TokenRecord>>()
  /** By the id of the one that they were made with. */
  readonly #madeWith = new Map<string, Set<TokenRecord>>()
  readonly #lastUsedAtMs = new Map<string, number>()
  readonly #listeners = new Set<(record: TokenRecord) => void>()

  /** Throws as `put` does. */
  constructor(records: readonly TokenRecord[] = []) {
    for (const record of records) this.put(record)
  }

  /** Of one user, or of all; in the order they were put. */
  list(user?: string): readonly TokenRecord[] {
    return [...(user === undefined ? this.#byId.values() : (this.#byUser.get(user) ?? []))]
  }

  find(id: string): TokenRecord | undefined {
    return this.#byId.get(id)
  }

  /** Unix ms of its last use; undefined when it was not used since the start. */
  lastUsedAtMs(id: string): number | undefined {
    return this.#lastUsedAtMs.get(id)
  }

  /** Whose token this is, noting that it was used. The comparison takes as long for a wrong token as for a right one. */
  verify(token: string, nowMs: number): TokenCheck {
    if (!TOKEN.test(token)) return { ok: false, reason: 'unknown' }
    const sha256 = hash('sha256', token, 'hex')
    const bytes = Buffer.from(sha256, 'hex')
    const shelf = this.#shelves.get(sha256.slice(0, SHELF_CHARS)) ?? []
    const record = shelf.find((each) => timingSafeEqual(Buffer.from(each.sha256, 'hex'), bytes))
    if (record === undefined) return { ok: false, reason: 'unknown' }
    if (hasExpired(record, nowMs)) return { ok: false, reason: 'expired' }
    this.#lastUsedAtMs.set(record.id, nowMs)
    return { ok: true, record }
  }

  /** Whether `verify` would take it, without noting a use. */
  isGood(id: string, nowMs: number): boolean {
    const record = this.#byId.get(id)
    return record !== undefined && !hasExpired(record, nowMs)
  }

  /** Called with each that is good no more because it was removed, once it is. Must not throw. */
  onRemoved(listener: (record: TokenRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Adds or replaces the one with that id. Throws AuthError: 'AUTH_TOKEN_INVALID', or 'AUTH_TOKENS_FULL' for one too many. */
  put(record: TokenRecord): void {
    const checked = checkTokenRecord(record, `token ${quoted(record.id)}`)
    if (!this.#byId.has(checked.id) && this.#byId.size >= TOKENS_MAX) {
      throw new AuthError(
        'AUTH_TOKENS_FULL',
        `token ${quoted(checked.name)} of ${quoted(checked.user)} not made: ${TOKENS_MAX} tokens are the limit; remove some first`,
      )
    }
    this.remove(checked.id)
    this.#byId.set(checked.id, checked)
    const key = checked.sha256.slice(0, SHELF_CHARS)
    const shelf = this.#shelves.get(key)
    if (shelf === undefined) this.#shelves.set(key, [checked])
    else shelf.push(checked)
    add(this.#byUser, checked.user, checked)
    if (checked.madeWith !== undefined) add(this.#madeWith, checked.madeWith, checked)
  }

  /** It is good no more, nor is what was made with it. Ids of all of them, empty when there was none. */
  remove(id: string): readonly string[] {
    const removed: TokenRecord[] = []
    const left = [this.#byId.get(id)]
    for (let record = left.pop(); record !== undefined; record = left.pop()) {
      removed.push(record)
      left.push(...(this.#madeWith.get(record.id) ?? []))
      this.#take(record)
    }
    for (const record of removed) for (const listener of this.#listeners) listener(record)
    return removed.map((record) => record.id)
  }

  #take(record: TokenRecord): void {
    this.#byId.delete(record.id)
    this.#lastUsedAtMs.delete(record.id)
    const key = record.sha256.slice(0, SHELF_CHARS)
    const left = (this.#shelves.get(key) ?? []).filter((each) => each !== record)
    if (left.length === 0) this.#shelves.delete(key)
    else this.#shelves.set(key, left)
    take(this.#byUser, record.user, record)
    if (record.madeWith !== undefined) take(this.#madeWith, record.madeWith, record)
  }
}

function add(shelves: Map<string, Set<TokenRecord>>, key: string, record: TokenRecord): void {
  const shelf = shelves.get(key)
  if (shelf === undefined) shelves.set(key, new Set([record]))
  else shelf.add(record)
}

function take(shelves: Map<string, Set<TokenRecord>>, key: string, record: TokenRecord): void {
  const shelf = shelves.get(key)
  shelf?.delete(record)
  if (shelf?.size === 0) shelves.delete(key)
}

function hasExpired({ expiresAtMs }: TokenRecord, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= TOKEN_NAME_CHARS_MAX
}

function isScopes(value: unknown): value is readonly Scope[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((each) => SCOPES.some((scope) => scope === each))
  )
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function invalid(problem: string): AuthError {
  return new AuthError('AUTH_TOKEN_INVALID', problem)
}
