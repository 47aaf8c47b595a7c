/**
 * Tokens of the API: made, listed and taken back. The book in packages/auth knows which are good; the store keeps their records. A token
 * goes with its user, also with one that was removed while no broker ran, and with the token that it was made with.
 */
import { createToken, deleteToken, listTokens, type TokenBody, type TokenItem } from '@ternmq/api'
import {
  makeToken,
  SCOPES,
  SCOPES_OF_ROLE,
  type Scope,
  type TokenBook,
  type TokenRecord,
  type UserStore,
} from '@ternmq/auth'
import { asApiError } from '../definitions/definition-errors.ts'
import { definedOf } from '../definitions/definition-kinds.ts'
import type { DefinitionQueue } from '../definitions/definition-queue.ts'
import type { DefinitionStore } from '../definitions/definition-store.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller, loginEnded } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

/** Tokens of one user; beyond it a further one is refused as LIMIT_REACHED, so that nobody takes all that there may be. */
export const TOKENS_PER_USER_MAX = 100

/** Those that last, in the book that knows which are good. */
export class Tokens {
  readonly book: TokenBook
  readonly #store: DefinitionStore

  private constructor(store: DefinitionStore, book: TokenBook) {
    this.#store = store
    this.book = book
  }

  /** Fills the book. Tokens of users that are gone, or came later under the same name, are taken back, and what was made with such. */
  static async open(store: DefinitionStore, users: UserStore, book: TokenBook): Promise<Tokens> {
    const isOrphan = ({ user, createdAtMs }: TokenRecord): boolean =>
      (users.get(user)?.createdAtMs ?? Infinity) > createdAtMs
    const records = [...store.tokens.all.values()]
    const tokens = new Tokens(store, book)
    for (const record of records) if (!isOrphan(record)) book.put(record)
    for (const { id, madeWith } of records)
      if (madeWith !== undefined && book.find(madeWith) === undefined) book.remove(id)
    const orphans = new Map(records.filter(({ id }) => book.find(id) === undefined).map(({ id }) => [id, undefined]))
    await store.tokens.change(orphans).catch(() => undefined) // a full disk: they are not in the book, and go with the next start
    return tokens
  }

  /** Good when it resolves. Rejects with ApiError: NOT_LOGGED_IN when the token that it was made with has been taken back meanwhile. */
  async add(record: TokenRecord): Promise<void> {
    const { id, madeWith } = record
    await this.#store.tokens.change(new Map([[id, record]]))
    if (madeWith !== undefined && this.book.find(madeWith) === undefined) {
      await this.#store.tokens.change(new Map([[id, undefined]]))
      throw loginEnded()
    }
    this.book.put(record)
  }

  /** Good no more from the moment of the call, whatever the store says; so is what was made with them. How many they were. */
  async remove(ids: readonly string[]): Promise<number> {
    const removed = ids.flatMap((id) => this.book.remove(id))
    await this.#store.tokens.change(new Map(removed.map((id) => [id, undefined])))
    return removed.length
  }

  async removeOf(users: readonly string[]): Promise<void> {
    await this.remove(users.flatMap((user) => this.book.list(user).map(({ id }) => id)))
  }

  /** Those of a user that are good. */
  countOf(user: string, nowMs: number): number {
    return this.book.list(user).filter(({ expiresAtMs = Infinity }) => expiresAtMs > nowMs).length
  }

  /** They are good no more; the next start takes them out of the store. For users that somebody else removed. */
  forget(user: string): void {
    for (const { id } of this.book.list(user)) this.book.remove(id)
  }
}

/**
 * What a user may do by a token at most, and by name and password: as much as the role lets him, and publish and take, which every protocol
 * lets him do, with a role or not; there destinations decide.
 */
export function scopesOf(role: keyof typeof SCOPES_OF_ROLE | undefined): readonly Scope[] {
  return role === undefined ? ['messages'] : [...new Set([...SCOPES_OF_ROLE[role], 'messages' as const])]
}

export interface TokenParts {
  readonly changes: DefinitionQueue
  readonly tokens: Tokens
}

export function tokenHandlers(broker: ManagedBroker, { changes, tokens }: TokenParts): Bound[] {
  const { book } = tokens
  return [
    bind(listTokens, ({ query: { user }, caller }) => {
      const whose = isAdmin(caller) ? user : caller.user
      const isOthers = user !== undefined && user !== whose
      return { items: isOthers ? [] : book.list(whose).map((record) => itemOf(record, book)) }
    }),
    bind(createToken, (request) =>
      changes.run(request.caller, async () => {
        const { body, caller } = request
        const user = body.user ?? caller.user
        checkToken(broker, user, body, caller)
        if (book.list(user).length >= TOKENS_PER_USER_MAX) {
          const text = `user '${user}' has ${TOKENS_PER_USER_MAX} tokens, the limit; take some back first`
          throw new ApiError('LIMIT_REACHED', text, { rule: `at most ${TOKENS_PER_USER_MAX} tokens of one user` })
        }
        const { token, record } = made(user, body, caller.tokenId, broker.vhost.env.clock.wallMs())
        await tokens.add(record)
        request.note(`token '${record.name}' of ${user} with ${record.scopes.join(', ')}`)
        return { ...itemOf(record, book), token }
      }),
    ),
    bind(deleteToken, (request) =>
      changes.run(request.caller, async () => {
        const { id } = request.params
        const record = book.find(id)
        // Of somebody else's nobody hears that it is there.
        if (record === undefined || (record.user !== request.caller.user && !isAdmin(request.caller))) {
          throw new ApiError('TOKEN_UNKNOWN', `there is no token '${id}'`, { field: 'id', value: id })
        }
        checkMayTakeBack(record, request.caller)
        const count = await tokens.remove([id])
        request.note(`token '${record.name}' of ${record.user}${count > 1 ? `, and ${count - 1} made with it` : ''}`)
        return {}
      }),
    ),
  ]
}

function isAdmin({ scopes }: Caller): boolean {
  return scopes.has('admin')
}

/** What monitors with a token of little use must not take away what others work with. Throws ApiError('NOT_ALLOWED'). */
function checkMayTakeBack({ name, scopes }: TokenRecord, { by, scopes: own }: Caller): void {
  const beyond = by === 'token' ? scopes.find((scope) => !own.has(scope)) : undefined
  if (beyond === undefined) return
  const detail = `token '${name}' may do '${beyond}', which the token that would take it back may not; log in, or use one that may`
  throw new ApiError('NOT_ALLOWED', detail, { field: 'id', rule: beyond })
}

/** Throws ApiError. */
function checkToken({ users }: ManagedBroker, user: string, { scopes, expiresAtMs }: TokenBody, caller: Caller): void {
  if (user !== caller.user && !isAdmin(caller)) {
    throw new ApiError('NOT_ALLOWED', 'a token for another user takes the scope admin', { field: 'user', value: user })
  }
  const record = users.get(user)
  if (record === undefined)
    throw new ApiError('USER_UNKNOWN', `there is no user '${user}' for the token`, { field: 'user', value: user })
  const beyondCaller = scopes.find((scope) => !caller.scopes.has(scope))
  if (beyondCaller !== undefined) {
    const rule = [...caller.scopes].join(', ')
    throw new ApiError('NOT_ALLOWED', `a token can do no more than who makes it: not '${beyondCaller}'`, {
      field: 'scopes',
      value: scopes,
      rule,
    })
  }
  if (caller.expiresAtMs !== undefined && (expiresAtMs ?? Infinity) > caller.expiresAtMs) {
    throw new ApiError(
      'NOT_ALLOWED',
      'a token made with a token lasts no longer than that; log in to make one that does',
      {
        field: 'expiresAtMs',
        value: expiresAtMs,
        rule: `up to ${caller.expiresAtMs}`,
      },
    )
  }
  const allowed = scopesOf(record.role)
  const beyondUser = scopes.find((scope) => !allowed.includes(scope))
  if (beyondUser === undefined) return
  const text = `user '${user}' has the role ${record.role ?? 'none'}, so a token of it cannot have '${beyondUser}'`
  throw new ApiError('NOT_ALLOWED', text, { field: 'scopes', value: scopes, rule: allowed.join(', ') })
}

/** Throws ApiError that names field, value and rule. */
function made(
  user: string,
  body: TokenBody,
  madeWith: string | undefined,
  nowMs: number,
): ReturnType<typeof makeToken> {
  try {
    return makeToken({ ...body, user, madeWith, nowMs })
  } catch (error) {
    throw asApiError(error, ({ message }) => {
      const { name, scopes, expiresAtMs } = body
      if (message.includes('would have expired'))
        return { field: 'expiresAtMs', value: expiresAtMs, rule: 'a later moment, in Unix ms' }
      if (message.includes('scopes'))
        return { field: 'scopes', value: scopes, rule: `one or more of ${SCOPES.join(', ')}, each once` }
      return { field: 'name', value: name, rule: '1 to 100 characters' }
    })
  }
}

function itemOf({ id, name, user, scopes, createdAtMs, expiresAtMs }: TokenRecord, book: TokenBook): TokenItem {
  return { id, name, user, scopes, createdAtMs, ...definedOf({ expiresAtMs, lastUsedAtMs: book.lastUsedAtMs(id) }) }
}
